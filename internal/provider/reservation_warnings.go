package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// warnings say what an apply has left to later runs. They name nothing that the state does not show:
// Terraform shows one of many that are equal. What failed says itself what comes next, but not when a
// session ends that it left.
func (e *reconciler) warnings(failed bool) (warnings diag.Diagnostics) {
	endsAt := e.plan.EndsAt.ValueString()
	if until, early := e.endsEarly(); early {
		warnings.Append(diagnostics.SessionEndsBeforeWindow(until, endsAt, e.session.ID))
	}
	if w, _ := e.plan.window(); e.reserved && e.session != nil && w.outlastedBy(*e.session) {
		warnings.Append(diagnostics.SessionEndsAfterWindow(endsAt, *e.session))
	}
	if time.Until(e.now).Abs() > diagnostics.MachineTolerance {
		warnings.Append(diagnostics.ClocksDiffer(e.now, time.Now()))
	}
	if failed {
		return warnings
	}
	if e.adopting && e.released {
		warnings.Append(diagnostics.ImportedSessionDeleted())
	}
	switch e.status() {
	case statusScheduled:
		warnings.Append(diagnostics.WindowNotOpen(e.plan.StartsAt.ValueString()))
	case statusEnded:
		if !e.released {
			warnings.Append(diagnostics.WindowEnded(endsAt, "the API's clock", e.now))
		}
	case statusOverdue:
		warnings.Append(diagnostics.WindowEndedMeanwhile(endsAt, e.session.ID))
	case statusDue:
		warnings.Append(diagnostics.WithoutSession())
	case statusRequested, statusAvailable, statusUnavailable:
	}
	return warnings
}

// endsEarly reports until when, in words, a session holds that ends before its window.
func (e *reconciler) endsEarly() (until string, early bool) {
	if status := e.status(); status != statusRequested && status != statusAvailable {
		return "", false
	}
	w, _ := e.plan.window()
	former, err := validators.ParseInstant(e.formerEnd.ValueString())
	switch {
	case !e.session.ExpiresAt.IsZero():
		return "until " + e.session.ExpiresAt.UTC().Format(time.RFC3339), w.outlasts(*e.session)
	case !e.reserved && err == nil && w.ends.After(former):
		return "until " + e.formerEnd.ValueString() + " at most", true
	}
	return "for 24 hours at most after its start", w.ends.Sub(e.now) > qod.LongestSession
}
