package diagnostics

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ClockUnknown reports that nothing could be concluded of a window. The local clock never stands
// in: a runner that is an hour slow would leave a broadcast without its session.
func (o Operation) ClockUnknown(err error) diag.Diagnostic {
	return o.failed(o.withoutClock(err))
}

// TimeUnknown is ClockUnknown where there is a session.
func (o Operation) TimeUnknown(id string, err error) diag.Diagnostic {
	return o.failed(withSession(o.withoutClock(err), id))
}

func (o Operation) withoutClock(err error) message {
	what := "whether the window is open"
	if o.like == likeSession {
		what = "whether the session is over"
	}
	m := timeCause(what, err)
	switch interruption, ok := errors.AsType[*qod.InterruptedError](err); {
	case ok && interruption.Timeout && o.timeout != "":
		m.cause = "The API's time could not be read in the time allowed (timeouts.create), so the provider cannot tell " + what + "."
		m.remedy = "Reading it takes at least a second. If the network is slow, allow more time."
	case ok && !interruption.Timeout && interruption.Err == nil:
		m.cause = "The run was interrupted before the provider had read the API's time."
	}
	if o == ReadingReservation || o == ReadingSession {
		m.cause += " The state is kept as it was."
		m.remedy = joined(m.remedy, withoutRefresh)
	} else {
		m.cause += " Nothing was reserved or deleted."
	}
	return m
}

// StatusUnknown reports that a reservation without a session could not be looked at: nothing is
// lost, and what is recorded stands. Without credentials no run can tell.
func StatusUnknown(err error) diag.Diagnostic {
	if _, missing := errors.AsType[*MissingCredentialsError](err); missing {
		return ReadingReservation.failed(missingCredentials())
	}
	m := timeCause("whether the window is open", err)
	m.cause += " The reservation has no session, so nothing is lost; its last known status is kept."
	m.remedy = joined(m.remedy, "Nothing is reserved until an apply can read the API's time.")
	return diag.NewWarningDiagnostic("QoS Reservation Status Unknown", m.detail())
}

// timeCause says why the API's time is not known, and what nobody can decide without it.
func timeCause(undecided string, err error) message {
	if contradiction, ok := errors.AsType[*ContradictionError](err); ok {
		return explainContradiction(contradiction)
	}
	m := explain(err)
	m.cause += " The provider could not establish the API's time, without which it cannot tell " + undecided + "."
	return m
}

// period says when a session begins and ends, as far as that is known.
func period(starts, ends time.Time) string {
	text := ""
	if !starts.IsZero() {
		text += " from " + instantText(starts)
	}
	if !ends.IsZero() {
		text += " until " + instantText(ends)
	}
	return text
}

func explainContradiction(e *ContradictionError) message {
	m := message{
		cause: fmt.Sprintf("The API shows the session as %s%s, while its clock (the Date of its answers) shows %s. One of them is wrong, so the provider cannot tell whether the session is over.",
			e.Session.Status, period(e.Session.StartedAt, e.Session.ExpiresAt), instantText(e.Now)),
		remedy: "Most likely one of the API's servers has a wrong clock, or a cache answers in its place. Try again later. If the problem persists, report this to the operator.",
	}
	switch {
	case e.Vetoed:
		m.cause = fmt.Sprintf("By the API's clock (the Date of its answers), which shows %s, the window is not open. By this machine's clock, which shows %s, it is. The API shows no start and end of the session, so the provider cannot tell whether to end it.",
			instantText(e.Now), instantText(e.Machine))
		m.remedy = "If this machine's clock is wrong, correct it. Otherwise one of the API's servers has a wrong clock, or a cache answers in its place: try again later. If the problem persists, report this to the operator."
	case e.Now.Sub(e.Machine).Abs() > MachineTolerance:
		m.cause += fmt.Sprintf(" This machine's clock shows %s.", instantText(e.Machine))
		m.remedy += " If this machine's clock is wrong, correct it."
	}
	return m.fact("Session", e.Session.ID)
}

// MachineTolerance is how far the API's clock and this machine's may lie apart before one of them
// has to be wrong.
const MachineTolerance = 5 * time.Minute

// ContradictionError says that a session and the API's clock cannot both be right: the API shows it
// as AVAILABLE at a time that is not its own. A node of the API whose clock is wrong, or a cache,
// must neither end a broadcast nor buy another one.
type ContradictionError struct {
	Session qod.Session
	Now     time.Time // the API's
	Machine time.Time // this machine's
	// Vetoed says that the session shows too little to settle it, and that this machine's clock
	// contradicts the API's.
	Vetoed bool
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("session %s is AVAILABLE, from %s to %s, and the API's clock shows %s",
		e.Session.ID, instantText(e.Session.StartedAt), instantText(e.Session.ExpiresAt), instantText(e.Now))
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

// ClocksDiffer warns that a clock is wrong, by which windows open and close.
func ClocksDiffer(api, machine time.Time) diag.Diagnostic {
	return warning("", "Clocks Differ", message{
		cause: fmt.Sprintf("The API's clock shows %s, and this machine's %s: they differ by more than five minutes. The API's clock decides when windows open and close.",
			instantText(api.Truncate(time.Minute)), instantText(machine.Truncate(time.Minute))),
		remedy: "Check this machine's clock. If it is right, the API's is wrong, and windows open and close at the wrong time: report this to the operator.",
	})
}
