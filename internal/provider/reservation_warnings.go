package provider

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// warnings say what an apply has left to later runs. They name nothing that the state does not show:
// Terraform shows one of many that are equal. What failed says itself what comes next, but not when a
// session ends that it left.
func (e *reconciler) warnings(failed bool) (remarks diag.Diagnostics) {
	if until, early := e.endsEarly(); early {
		remarks.Append(holdsUntil(e.plan, until, e.session.ID))
	}
	if w, _ := e.plan.window(); e.reserved && e.session != nil && w.exceededBy(*e.session) {
		remarks.Append(endsLate(e.plan, *e.session))
	}
	if time.Until(e.now).Abs() > machineTolerance {
		remarks.Append(clocksDiffer(e.now, time.Now()))
	}
	if failed {
		return remarks
	}
	if e.adopting && e.released {
		remarks.Append(warning("", "Imported QoS Session Deleted", message{
			cause:  "The imported session lay outside of the window that the configuration gives the reservation, so it was deleted.",
			remedy: "If it was meant to go on, move the window; the next apply inside of it reserves a new session.",
		}))
	}
	switch e.status() {
	case statusScheduled:
		remarks.Append(notOpenYet(e.plan))
	case statusEnded:
		if !e.released {
			remarks.Append(windowOver(e.plan, "the API's clock", e.now))
		}
	case statusOverdue:
		remarks.Append(warning("ends_at", "Reservation Window Has Ended", message{
			cause:  fmt.Sprintf("The window closed at %s, before the apply was through. The session is still live and billed.", e.plan.EndsAt.ValueString()),
			remedy: "The next apply deletes it.",
		}.fact("Session", e.session.ID)))
	case statusDue:
		remarks.Append(warning("", "QoS Reservation Without Session", message{
			cause:  "The imported session ended before the window was taken from the configuration, and an import reserves nothing.",
			remedy: "The next apply reserves a new session.",
		}))
	case statusRequested, statusAvailable, statusUnavailable:
	}
	return remarks
}

// endsEarly reports until when, in words, a session holds that ends before its window.
func (e *reconciler) endsEarly() (until string, early bool) {
	if status := e.status(); status != statusRequested && status != statusAvailable {
		return "", false
	}
	w, _ := e.plan.window()
	former, err := parseInstant(e.formerEnd.ValueString())
	switch {
	case !e.session.ExpiresAt.IsZero():
		return "until " + e.session.ExpiresAt.UTC().Format(time.RFC3339), w.leaves(*e.session)
	case !e.reserved && err == nil && w.ends.After(former):
		return "until " + e.formerEnd.ValueString() + " at most", true
	}
	return "for 24 hours at most after its start", w.ends.Sub(e.now) > longestSession
}

func notOpenYet(m reservationModel) diag.Diagnostic {
	return warning("starts_at", "Reservation Window Is Not Open Yet", message{
		cause:  fmt.Sprintf("The window opens at %s. Nothing is reserved or billed before a run of Terraform inside the window.", m.StartsAt.ValueString()),
		remedy: "Schedule a run (terraform apply) for when it opens, and more until it is over: each reserves what is missing.",
	})
}

func windowOver(m reservationModel, clock string, now time.Time) diag.Diagnostic {
	return warning("ends_at", "Reservation Window Has Ended", message{
		cause: fmt.Sprintf("The window ended at %s; %s shows %s. No session is left, and none will be requested.",
			m.EndsAt.ValueString(), clock, instantText(now.Truncate(time.Minute))),
		remedy: "If the date is wrong, correct starts_at and ends_at. Otherwise nothing has to be done.",
	})
}

// holdsUntil warns of a session that ends before its window.
func holdsUntil(m reservationModel, until, id string) diag.Diagnostic {
	return warning("ends_at", "QoS Session Ends Before Its Window", message{
		cause: fmt.Sprintf("The session holds %s; the window is open until %s. The API cannot extend a session.", until, m.EndsAt.ValueString()),
		remedy: "The first run of Terraform after the session's end reserves the rest, so there is a gap until that run. " +
			"To have all that one session can cover now, with an interruption of some seconds: terraform apply -replace='ADDRESS' (ADDRESS is the one above).",
	}.fact("Session", id))
}

// endsLate warns of a session that was granted for longer than the window. It is not cut while the
// window is open.
func endsLate(m reservationModel, s qod.Session) diag.Diagnostic {
	return warning("ends_at", "QoS Session Ends After Its Window", message{
		cause:  fmt.Sprintf("The network granted the session until %s; the window closes at %s. It is billed until it ends or is deleted.", instantText(s.ExpiresAt), m.EndsAt.ValueString()),
		remedy: "The first run of Terraform after the window closes deletes it: schedule one.",
	}.fact("Session", s.ID))
}

// clocksDiffer warns that a clock is wrong, by which windows open and close.
func clocksDiffer(api, machine time.Time) diag.Diagnostic {
	return warning("", "Clocks Differ", message{
		cause: fmt.Sprintf("The API's clock shows %s, and this machine's %s: they differ by more than five minutes. Windows open and close by the API's.",
			instantText(api.Truncate(time.Minute)), instantText(machine.Truncate(time.Minute))),
		remedy: "Check this machine's clock. If it is right, the API's is wrong, and windows open and close at the wrong time: report it to the operator.",
	})
}

// remark is a warning, at an attribute if it is one's.
func warning(attribute, summary string, a message) diag.Diagnostic {
	if attribute == "" {
		return diag.NewWarningDiagnostic(summary, a.detail())
	}
	return diag.NewAttributeWarningDiagnostic(path.Root(attribute), summary, a.detail())
}
