package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
)

// warnings say what an apply leaves to later runs. They name nothing that the state does not show,
// since Terraform shows only one of several equal warnings. An error says itself what comes next,
// but not when a live session ends.
func (r *reconciler) warnings(failed bool) (warnings diag.Diagnostics) {
	endsAt := r.plan.EndsAt.ValueString()
	if until, early := r.endsEarly(); early {
		nextReplaces := r.firstApplyAfterImport && r.extends(r.status())
		if r.api.Limits().CanExtend {
			warnings.Append(r.extensionPending(until, endsAt))
		} else {
			warnings.Append(diagnostics.SessionEndsBeforeWindow(until, endsAt, r.session.ID, nextReplaces))
		}
	}
	if w, _ := r.plan.window(); (r.created || r.extended) && r.session != nil && w.outlastedBy(*r.session) {
		warnings.Append(diagnostics.SessionEndsAfterWindow(endsAt, *r.session))
	}
	if time.Until(r.now).Abs() > diagnostics.MachineTolerance {
		warnings.Append(diagnostics.ClocksDiffer(r.now, time.Now()))
	}
	if failed {
		return warnings
	}
	if r.firstApplyAfterImport && r.deleted {
		warnings.Append(diagnostics.ImportedSessionDeleted())
	}
	switch r.status() {
	case statusScheduled:
		warnings.Append(diagnostics.WindowNotOpen(r.plan.StartsAt.ValueString()))
	case statusEnded:
		if !r.deleted {
			warnings.Append(diagnostics.WindowEnded(endsAt, r.now))
		}
	case statusOverdue:
		warnings.Append(diagnostics.WindowEndedMeanwhile(endsAt, r.session.ID))
	case statusDue:
		warnings.Append(diagnostics.WithoutSession(r.firstApplyAfterImport))
	case statusRequested, statusAvailable, statusExpiring, statusUnavailable:
	}
	return warnings
}

// endsEarly reports whether the session ends before its window, and until when it lasts, in words.
func (r *reconciler) endsEarly() (until string, early bool) {
	if status := r.status(); status != statusRequested && status != statusAvailable {
		return "", false
	}
	w, _ := r.plan.window()
	switch {
	case !r.session.ExpiresAt.IsZero():
		return "until " + r.session.ExpiresAt.UTC().Format(time.RFC3339), w.outlasts(*r.session)
	case w.ends.Sub(r.private.RequestedUntil) > endTolerance && !r.private.RequestedUntil.IsZero():
		return "until " + r.private.RequestedUntil.UTC().Format(time.RFC3339) + " at most", true
	case !r.created && isSet(r.priorEnd) && w.ends.After(r.priorEnd.Time()):
		return "until " + r.priorEnd.ValueString() + " at most", true
	}
	longest := r.longest()
	return "for " + diagnostics.HoursText(longest) + " at most after its start", longest > 0 && w.ends.Sub(r.now) > longest
}
