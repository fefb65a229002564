package provider

import (
	"cmp"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// window is the time during which a reservation has quality, from its start until just before its
// end.
type window struct {
	starts time.Time // zero: it is open already
	ends   time.Time // zero: not known yet, as after an import; the window counts as open
}

// reservationStatus is the status of a reservation. While its window is open and it has a session,
// that is the status of the session: see qod.Status.
type reservationStatus string

const (
	statusScheduled reservationStatus = "SCHEDULED" // the window has not opened yet
	statusDue       reservationStatus = "DUE"       // the window is open, and there is no session
	statusEnded     reservationStatus = "ENDED"     // the window has ended
	statusOverdue   reservationStatus = "OVERDUE"   // there is a session outside the window
	statusExpiring  reservationStatus = "EXPIRING"  // AVAILABLE, but it is time to extend the session

	statusRequested   = reservationStatus(qod.StatusRequested)
	statusAvailable   = reservationStatus(qod.StatusAvailable)
	statusUnavailable = reservationStatus(qod.StatusUnavailable)
)

// startTolerance is how far ahead of the API's clock a window may open and still keep a live
// session. A start such as timestamp() is the present by another clock.
const startTolerance = 5 * time.Minute

// status follows from the window, the API's time and the session (nil for none), and from no
// earlier status. It is pure.
func (w window) status(now time.Time, session *qod.Session) reservationStatus {
	early, ended := now.Before(w.starts), w.hasEnded(now)
	if session != nil && w.starts.Sub(now) <= startTolerance {
		early = false
	}
	switch {
	case session != nil && (early || ended):
		return statusOverdue
	case ended:
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

// statusOf is window.status, but a session that has expired serves an open window no more than
// none.
func statusOf(w window, now time.Time, session *qod.Session, expired bool) reservationStatus {
	status := w.status(now, session)
	if expired && status != statusOverdue {
		return statusDue
	}
	return status
}

// sessionExpired is hasExpired for the session of a reservation, created at createdAt (zero if that
// is not known). It is also a *diagnostics.ContradictionError if only the API's clock puts the
// session outside the window: the local clock disagrees, and the session shows no times that would
// decide. It is pure.
func (w window) sessionExpired(s qod.Session, createdAt, now, local time.Time) (bool, error) {
	s.StartedAt = cmp.Or(s.StartedAt, createdAt)
	expired, err := hasExpired(s, now, local)
	if err != nil || expired || s.Status == qod.StatusUnavailable {
		return expired, err
	}
	showsTimes := !s.StartedAt.IsZero() && !s.ExpiresAt.IsZero()
	clocksDiffer := now.Sub(local).Abs() > diagnostics.MachineTolerance
	if clocksDiffer && !showsTimes && w.status(now, &s) == statusOverdue && w.status(local, &s) != statusOverdue {
		return false, &diagnostics.ContradictionError{Session: s, Now: now, Machine: local, Vetoed: true}
	}
	return false, nil
}

// hasEnded reports whether no session fits into the rest of the window. The API counts whole
// seconds.
func (w window) hasEnded(now time.Time) bool {
	return !w.ends.IsZero() && w.ends.Sub(now) < time.Second
}

// endTolerance is how long before the window's end its last session may end. The requested seconds
// are rounded down, and so is the start that the network counts them from.
const endTolerance = 5 * time.Second

// outlasts reports whether the window goes on after the session, because it is longer than a
// session can be, or its end was moved.
func (w window) outlasts(session qod.Session) bool {
	return !session.ExpiresAt.IsZero() && w.ends.Sub(session.ExpiresAt) > endTolerance
}

// outgrows reports whether the window was moved beyond a session: beyond the end that the session
// was requested until (zero if that is not recorded: its own). A session that is shorter than was
// requested, or than the window because of the API's limit, is not replaced: the next one would be,
// too. One that shows no end lasts as long as was requested; where neither is known, nobody can
// tell, and it is left alone.
func (w window) outgrows(session qod.Session, requestedUntil time.Time) bool {
	end := latest(requestedUntil, session.ExpiresAt)
	return !end.IsZero() && w.ends.Sub(end) > endTolerance
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lateTolerance is how long after the window's end a session may end without a warning. Networks
// count from when they grant it.
const lateTolerance = time.Minute

// outlastedBy reports whether the session goes on after the window.
func (w window) outlastedBy(session qod.Session) bool {
	return !session.ExpiresAt.IsZero() && session.ExpiresAt.Sub(w.ends) > lateTolerance
}

// seconds is the length of a window with a start, in whole seconds.
func (w window) seconds() int64 {
	n := w.ends.Unix() - w.starts.Unix()
	if w.ends.Nanosecond() < w.starts.Nanosecond() {
		n--
	}
	return n
}
