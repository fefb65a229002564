package provider

import (
	"cmp"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// window is the time a reservation is to have quality for. Its start belongs to it, its end does not.
type window struct {
	starts time.Time // zero: it is open from whenever it is applied
	ends   time.Time // zero: not known yet, as after an import; the window counts as open
}

// reservationStatus is where a reservation stands. While the window is open and there is a session, it
// is what the API says of that: see qod.Status.
type reservationStatus string

const (
	statusScheduled reservationStatus = "SCHEDULED" // the window is yet to open
	statusDue       reservationStatus = "DUE"       // it is open, and there is no session
	statusEnded     reservationStatus = "ENDED"     // it is over
	statusOverdue   reservationStatus = "OVERDUE"   // there is a session outside of it

	statusRequested   = reservationStatus(qod.StatusRequested)
	statusAvailable   = reservationStatus(qod.StatusAvailable)
	statusUnavailable = reservationStatus(qod.StatusUnavailable)
)

// startTolerance is how far ahead of the server's clock a window may open without ending a session that
// lives: a start such as timestamp() is the present by another clock.
const startTolerance = 5 * time.Minute

// status follows from the window, the server's time and the session (nil for none), and from nothing
// that was concluded before. It is pure.
func (w window) status(now time.Time, session *qod.Session) reservationStatus {
	early, over := now.Before(w.starts), w.hasEnded(now)
	if session != nil && w.starts.Sub(now) <= startTolerance {
		early = false
	}
	switch {
	case session != nil && (early || over):
		return statusOverdue
	case over:
		return statusEnded
	case early:
		return statusScheduled
	case session == nil:
		return statusDue
	case session.Status == qod.StatusAvailable:
		return statusAvailable
	case session.Status == qod.StatusUnavailable:
		return statusUnavailable
	}
	return statusRequested
}

// statusOf is status where a session may be over by its own message, although the API shows it: the
// window is open, and nothing is in use.
func statusOf(w window, now time.Time, session *qod.Session, over bool) reservationStatus {
	status := w.status(now, session)
	if over && status != statusOverdue {
		return statusDue
	}
	return status
}

// sessionExpired is pastEnd for the session of a reservation, which was made at a time (zero where that is
// not known). It is a *diagnostics.ContradictionError, too, where the window would end a session by the API's clock
// alone: this machine's says otherwise, and the session shows no times that would settle it. It is pure.
func (w window) sessionExpired(s qod.Session, madeAt, now, machine time.Time) (bool, error) {
	s.StartedAt = cmp.Or(s.StartedAt, madeAt)
	over, err := hasExpired(s, now, machine)
	if err != nil || over || s.Status == qod.StatusUnavailable {
		return over, err
	}
	settled := !s.StartedAt.IsZero() && !s.ExpiresAt.IsZero()
	differ := now.Sub(machine).Abs() > diagnostics.MachineTolerance
	if differ && !settled && w.status(now, &s) == statusOverdue && w.status(machine, &s) != statusOverdue {
		return false, &diagnostics.ContradictionError{Session: s, Now: now, Machine: machine, Vetoed: true}
	}
	return false, nil
}

// hasEnded reports whether no session can be had for the rest of the window: the API counts whole seconds.
func (w window) hasEnded(now time.Time) bool {
	return !w.ends.IsZero() && w.ends.Sub(now) < time.Second
}

// endSlack is how long before the window's end a session may end that was reserved for all of it. The
// seconds asked for are rounded down, and so is the start that the network counts them from.
const endSlack = 5 * time.Second

// outlasts reports whether the session ends before the window does, and outlasts the rest of it to another
// one: the window is longer than a session may be, or its end was moved.
func (w window) outlasts(session qod.Session) bool {
	return !session.ExpiresAt.IsZero() && w.ends.Sub(session.ExpiresAt) > endSlack
}

// lateSlack is how long after the window's end a session may end without a word: networks count from
// when they grant it.
const lateSlack = time.Minute

// outlastedBy reports whether the session goes on after the window has closed.
func (w window) outlastedBy(session qod.Session) bool {
	return !session.ExpiresAt.IsZero() && session.ExpiresAt.Sub(w.ends) > lateSlack
}

// seconds is the length of a window with a start, in whole seconds.
func (w window) seconds() int64 {
	n := w.ends.Unix() - w.starts.Unix()
	if w.ends.Nanosecond() < w.starts.Nanosecond() {
		n--
	}
	return n
}
