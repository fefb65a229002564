package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// remarks say what an apply has left to later runs. They name nothing that the state does not show:
// Terraform shows one of many that are equal.
func (e *enactment) remarks(ctx context.Context) diag.Diagnostics {
	w, _ := e.plan.window()
	switch e.status(ctx) {
	case statusScheduled:
		return diag.Diagnostics{notOpenYet(e.plan)}
	case statusEnded:
		if !e.released {
			return diag.Diagnostics{windowOver(e.plan)}
		}
	case statusOverdue:
		return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("ends_at"), "QoS Reservation Over",
			fmt.Sprintf("The window closed at %s, before the apply was through. The session is still live; the next apply releases it.", e.plan.EndsAt.ValueString()))}
	case statusDue:
		return diag.Diagnostics{diag.NewWarningDiagnostic("QoS Reservation Without Session",
			"The imported session was gone before its window was adopted, and an adoption reserves nothing. The next apply reserves a new session.")}
	case statusRequested, statusAvailable:
		now, _ := e.api.Now(ctx)
		if w.leaves(*e.session) || (e.session.ExpiresAt.IsZero() && w.ends.Sub(now) > longestSession) {
			return diag.Diagnostics{holdsUntil(e.plan, *e.session)}
		}
	case statusUnavailable:
	}
	return nil
}

func notOpenYet(m reservationModel) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("starts_at"), "QoS Reservation Not Open Yet", fmt.Sprintf(
		"The window opens at %s. Nothing is reserved or billed before a run of Terraform inside the window: "+
			"schedule one for then (terraform apply), and more until the window is over.", m.StartsAt.ValueString()))
}

func windowOver(m reservationModel) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("ends_at"), "QoS Reservation Over", fmt.Sprintf(
		"The window closed at %s, so nothing is reserved, now or later. For another event, move ends_at; for this one, ask for a later end.", m.EndsAt.ValueString()))
}

// holdsUntil warns of a session that ends before its window.
func holdsUntil(m reservationModel, s qod.Session) diag.Diagnostic {
	until := "for 24 hours at most after its start"
	if !s.ExpiresAt.IsZero() {
		until = "until " + s.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("ends_at"), "QoS Session Ends Before Its Window", account{
		happened: fmt.Sprintf("The session holds %s; the window is open until %s. The API cannot extend a session.", until, m.EndsAt.ValueString()),
		advice: "The first run of Terraform after the session's end reserves the rest, so there is a gap until that run. " +
			"To have all that one session can cover now, with an interruption of some seconds: terraform apply -replace='ADDRESS' (ADDRESS is the one above).",
	}.fact("Session", s.ID).detail())
}
