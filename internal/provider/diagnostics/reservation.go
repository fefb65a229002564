package diagnostics

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// WindowNotOpen warns of a reservation that nothing is reserved for yet.
func WindowNotOpen(startsAt string) diag.Diagnostic {
	return warning("starts_at", "Reservation Window Is Not Open Yet", message{
		cause:  fmt.Sprintf("The window opens at %s. Nothing is reserved or billed before a run of Terraform inside the window.", startsAt),
		remedy: "Schedule a run (terraform apply) for when it opens, and further ones until it closes: each reserves what is missing.",
	})
}

// WindowSeemsEnded warns, in a plan, of a new reservation whose window has closed by this machine's
// clock, where that of the API is not known yet.
func WindowSeemsEnded(endsAt string, machine time.Time) diag.Diagnostic {
	return warning("ends_at", "Reservation Window Has Ended", message{
		cause: fmt.Sprintf("The window ended at %s by this machine's clock, which shows %s. If the API's clock, which decides, agrees, nothing will be requested.",
			endsAt, instantText(machine.Truncate(time.Minute))),
		remedy: "If the date is wrong, correct starts_at and ends_at. Otherwise no action is needed.",
	})
}

// WindowEnded warns of a reservation whose window has closed by the API's clock.
func WindowEnded(endsAt string, now time.Time) diag.Diagnostic {
	return warning("ends_at", "Reservation Window Has Ended", message{
		cause: fmt.Sprintf("The window ended at %s; the API's clock shows %s. No session is left, and none will be requested.",
			endsAt, instantText(now.Truncate(time.Minute))),
		remedy: "If the date is wrong, correct starts_at and ends_at. Otherwise no action is needed.",
	})
}

// WindowMissed warns of a window that has ended without a session. It is said until an apply has
// recorded the end, so that whoever applies sees it, and a configuration that is kept for the
// record stays quiet.
func WindowMissed(endsAt string) diag.Diagnostic {
	return warning("ends_at", "Reservation Window Missed", message{
		cause: fmt.Sprintf("The window ended at %s, and there was no session in it: no run of terraform apply inside the window has reserved one. "+
			"None ran, or those that did have failed.", endsAt),
		remedy: "If the device still needs quality, set ends_at to a time in the future and apply again. Otherwise check the dates, the time zone and the schedule of runs. " +
			"Once an apply has recorded that the window has ended, this warning is not repeated.",
	})
}

// WindowEndedMeanwhile warns of a session that has outlived its window during the apply.
func WindowEndedMeanwhile(endsAt, sessionID string) diag.Diagnostic {
	return warning("ends_at", "QoS Session Still Live After Its Window", message{
		cause:  fmt.Sprintf("The window closed at %s, before the apply had finished. The session is still live and billed.", endsAt),
		remedy: "The next apply deletes it.",
	}.fact("Session", sessionID))
}

// WindowUnknown warns of a plan that may end a live session, or leave it, by a time that nobody has
// seen.
func WindowUnknown() diag.Diagnostic {
	return warning("", "Reservation Window Unknown", message{
		cause: "The window of a reservation with a live session is not known before the apply. If it turns out not to be open then, the apply ends the session.",
		remedy: "A start that is at most five minutes ahead leaves the session alone. For a window that is open from now on, leave starts_at out; " +
			"never set it to timestamp(), which is another time in every run.",
	})
}

// SessionEndsBeforeWindow warns of a session that holds until a time, in words, before its window
// closes.
func SessionEndsBeforeWindow(until, endsAt, sessionID string, nextReplaces bool) diag.Diagnostic {
	m := message{
		cause: fmt.Sprintf("The session lasts %s, but the window is open until %s. The API cannot extend a session.", until, endsAt),
		remedy: "The first run of Terraform after the session has ended reserves the rest, so there is a gap until that run. " +
			"To replace it now by one that lasts as long as possible, with an interruption of a few seconds: terraform apply -replace='ADDRESS' (" + addressAbove + ").",
	}
	if nextReplaces {
		m.remedy = "Apply again: the next apply replaces the session (replace_to_extend = true)."
	}
	return warning("ends_at", "QoS Session Ends Before Its Window", m.fact("Session", sessionID))
}

// ReplacedAfterImport warns, in a plan, of an imported or moved session that only the apply after
// the next one replaces.
func ReplacedAfterImport(endsAt string) diag.Diagnostic {
	return warning("ends_at", "QoS Session Ends Before Its Window", message{
		cause: fmt.Sprintf("The window is to end at %s, after the session. The first apply after an import or a moved block only takes over the configuration: "+
			"it requests no session, so it does not replace this one, although replace_to_extend = true.", endsAt),
		remedy: "Apply twice: the second apply replaces the session, if a new one can last until the end of the window.",
	})
}

// DeletedAfterWindow warns, in a plan, of a live session whose window is moved into the past.
func DeletedAfterWindow(endsAt, sessionID string) diag.Diagnostic {
	return warning("ends_at", "Live QoS Session Is Deleted", message{
		cause:  fmt.Sprintf("The window is to end at %s, which has passed, so this apply deletes the live session.", endsAt),
		remedy: "If the session is meant to continue, set ends_at to a time in the future.",
	}.fact("Session", sessionID))
}

// DeletedBeforeWindow warns, in a plan, of a live session whose window is moved into the future.
func DeletedBeforeWindow(startsAt, sessionID string) diag.Diagnostic {
	return warning("starts_at", "Live QoS Session Is Deleted", message{
		cause:  fmt.Sprintf("The window is to open at %s, which is more than five minutes away, so this apply deletes the live session.", startsAt),
		remedy: "If the session is meant to continue, set starts_at to a time in the past, or leave it out.",
	}.fact("Session", sessionID))
}

// StartUnknown warns, in a plan, of a window that may never open.
func StartUnknown() diag.Diagnostic {
	return warning("starts_at", "Reservation Window Unknown", message{
		cause: "The start of the window is not known before the apply. If starts_at is timestamp(), it is another time in every run, " +
			"by this machine's clock: on a machine whose clock is ahead of the API's, the window never opens, and nothing is ever reserved.",
		remedy: "For a window that is open from now on, leave starts_at out.",
	})
}

// GapBeforeEnd warns, in a plan, of a live session that ends (after, empty where that is not known)
// before the window that it is planned for, although replace_to_extend may be set (replaces).
// Terraform shows one of many that are equal, so it names nothing that the plan does not show.
func GapBeforeEnd(after, endsAt string, replaces bool) diag.Diagnostic {
	gap := "The live session was requested for the window as it was, and the API cannot extend a session."
	if after != "" {
		gap = fmt.Sprintf("The live session ends at %s, and the API cannot extend it. There will be no session from %s until the first run after it.", after, after)
	}
	remedy := "To close the gap instead, set replace_to_extend = true: the apply then replaces the session at once, with an interruption of a few seconds."
	if replaces {
		remedy = "The gap remains despite replace_to_extend = true: the session was requested for at least as long, or no session lasts until then."
	}
	return warning("ends_at", "QoS Session Ends Before Its Window", message{
		cause:  fmt.Sprintf("The window is to end at %s. %s", endsAt, gap),
		remedy: "Schedule a run of Terraform for that time. " + remedy,
	})
}

// SessionEndsAfterWindow warns of a session that was granted for longer than the window. It is not
// cut while the window is open.
func SessionEndsAfterWindow(endsAt string, s qod.Session) diag.Diagnostic {
	return warning("ends_at", "QoS Session Ends After Its Window", message{
		cause:  fmt.Sprintf("The network granted the session until %s, but the window closes at %s. It is billed until it ends or is deleted.", instantText(s.ExpiresAt), endsAt),
		remedy: "The first run of Terraform after the window closes deletes it: schedule one.",
	}.fact("Session", s.ID))
}

// ImportedSessionDeleted tells of an imported session that lay outside of its window.
func ImportedSessionDeleted() diag.Diagnostic {
	return warning("", "Imported QoS Session Deleted", message{
		cause:  "The imported session lay outside the window that the configuration gives the reservation, so it was deleted.",
		remedy: "If it was meant to continue, move the window; the next apply inside the window requests a new session.",
	})
}

// WithoutSession warns of a reservation whose window is open and whose session has ended, after an
// import or an update that was only to end the window earlier.
func WithoutSession(imported bool) diag.Diagnostic {
	m := message{
		cause:  "The session ended before its window got an earlier end, and an update that only does that requests no session.",
		remedy: "The next apply requests a new session.",
	}
	if imported {
		m.cause = "The imported session ended before the window was adopted from the configuration, and an import reserves nothing."
	}
	return warning("", "QoS Reservation Without Session", m)
}
