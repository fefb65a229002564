package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	// clockTolerance is how far the clocks of an API's nodes, and the times that its sessions show, may
	// lie apart without contradicting each other.
	clockTolerance = 5 * time.Second

	// machineTolerance is how far the API's clock and this machine's may lie apart before one of them
	// has to be wrong.
	machineTolerance = 5 * time.Minute
)

// contradictionError says that a session and the API's clock cannot both be right: the API shows it as
// AVAILABLE at a time that is not its own. A node of the API whose clock is wrong, or a cache, must
// neither end a broadcast nor buy another one.
type contradictionError struct {
	session qod.Session
	now     time.Time // the API's
	machine time.Time // this machine's
	// vetoed says that the session shows too little to settle it, and that this machine's clock
	// contradicts the API's.
	vetoed bool
}

func (e *contradictionError) Error() string {
	return fmt.Sprintf("session %s is AVAILABLE, from %s to %s, and the API's clock shows %s",
		e.session.ID, instantText(e.session.StartedAt), instantText(e.session.ExpiresAt), instantText(e.now))
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

// pastEnd reports whether a session that the API shows is over by its own account. It is a
// *contradictionError where the API's clock says so and cannot be believed: where it differs from this
// machine's, or where it shows a time before the session's start. It is pure.
func pastEnd(s qod.Session, now, machine time.Time) (bool, error) {
	if !claimsToLive(s) {
		return false, nil
	}
	contradiction := &contradictionError{session: s, now: now, machine: machine}
	switch {
	case !s.StartedAt.IsZero() && now.Before(s.StartedAt.Add(-clockTolerance)):
		return false, contradiction
	case s.ExpiresAt.IsZero() || !now.After(s.ExpiresAt.Add(clockTolerance)):
		return false, nil
	case now.Sub(machine).Abs() > machineTolerance:
		return false, contradiction
	}
	return true, nil
}

// claimsToLive reports whether the API shows the session as one that is in use, or in a word that its
// document does not know.
func claimsToLive(s qod.Session) bool {
	return s.Status != qod.StatusRequested && s.Status != qod.StatusUnavailable && s.Status != ""
}

// sessionPastEnd is pastEnd by a clock that more than one answer has shown. It asks for the time only
// where one answer says that the session is over.
func sessionPastEnd(ctx context.Context, api qod.Sessions, s qod.Session) (bool, error) {
	estimate := api.EstimateNow()
	if !claimsToLive(s) || s.ExpiresAt.IsZero() || !estimate.After(s.ExpiresAt.Add(clockTolerance)) {
		return false, nil
	}
	now, err := api.Now(ctx)
	if err != nil {
		return false, err
	}
	return pastEnd(s, now, time.Now())
}
