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
		return diag.Diagnostics{remark("ends_at", "QoS Reservation Over", account{
			happened: fmt.Sprintf("The window closed at %s, before the apply was through. The session is still live and billed.", e.plan.EndsAt.ValueString()),
			advice:   "The next apply releases it.",
		}.fact("Session", e.session.ID))}
	case statusDue:
		return diag.Diagnostics{remark("", "QoS Reservation Without Session", account{
			happened: "The imported session ended before the window was taken from the configuration, and an import reserves nothing.",
			advice:   "The next apply reserves a new session.",
		})}
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
	return remark("starts_at", "QoS Reservation Not Open Yet", account{
		happened: fmt.Sprintf("The window opens at %s. Nothing is reserved or billed before a run of Terraform inside the window.", m.StartsAt.ValueString()),
		advice:   "Schedule a run (terraform apply) for when it opens, and more until it is over: each reserves what is missing.",
	})
}

func windowOver(m reservationModel) diag.Diagnostic {
	return remark("ends_at", "QoS Reservation Over", account{
		happened: fmt.Sprintf("The window closed at %s, so nothing is reserved, now or later.", m.EndsAt.ValueString()),
		advice:   "Nothing has to be done. For another event, or if this one lasts longer, move ends_at.",
	})
}

// holdsUntil warns of a session that ends before its window.
func holdsUntil(m reservationModel, s qod.Session) diag.Diagnostic {
	until := "for 24 hours at most after its start"
	if !s.ExpiresAt.IsZero() {
		until = "until " + s.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return remark("ends_at", "QoS Session Ends Before Its Window", account{
		happened: fmt.Sprintf("The session holds %s; the window is open until %s. The API cannot extend a session.", until, m.EndsAt.ValueString()),
		advice: "The first run of Terraform after the session's end reserves the rest, so there is a gap until that run. " +
			"To have all that one session can cover now, with an interruption of some seconds: terraform apply -replace='ADDRESS' (ADDRESS is the one above).",
	}.fact("Session", s.ID))
}

// remark is a warning, at an attribute if it is one's.
func remark(attribute, summary string, a account) diag.Diagnostic {
	if attribute == "" {
		return diag.NewWarningDiagnostic(summary, a.detail())
	}
	return diag.NewAttributeWarningDiagnostic(path.Root(attribute), summary, a.detail())
}
