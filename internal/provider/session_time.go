package provider

import (
	"context"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	// clockTolerance is how far the clocks of an API's nodes, and the times that its sessions show, may
	// lie apart without contradicting each other.
	clockTolerance = 5 * time.Second
)

// hasExpired reports whether a session that the API shows is over by its own account. It is a
// *diagnostics.ContradictionError where the API's clock says so and cannot be believed: where it differs from this
// machine's, or where it shows a time before the session's start. It is pure.
func hasExpired(s qod.Session, now, machine time.Time) (bool, error) {
	if !inUse(s) {
		return false, nil
	}
	contradiction := &diagnostics.ContradictionError{Session: s, Now: now, Machine: machine}
	switch {
	case !s.StartedAt.IsZero() && now.Before(s.StartedAt.Add(-clockTolerance)):
		return false, contradiction
	case s.ExpiresAt.IsZero() || !now.After(s.ExpiresAt.Add(clockTolerance)):
		return false, nil
	case now.Sub(machine).Abs() > diagnostics.MachineTolerance:
		return false, contradiction
	}
	return true, nil
}

// inUse reports whether the API shows the session as one that is in use, or in a word that its
// document does not know.
func inUse(s qod.Session) bool {
	return s.Status != qod.StatusRequested && s.Status != qod.StatusUnavailable && s.Status != ""
}

// sessionExpired is pastEnd by a clock that more than one answer has shown. It asks for the time only
// where one answer says that the session is over.
func sessionExpired(ctx context.Context, api qod.Sessions, s qod.Session) (bool, error) {
	estimate := api.EstimateNow()
	if !inUse(s) || s.ExpiresAt.IsZero() || !estimate.After(s.ExpiresAt.Add(clockTolerance)) {
		return false, nil
	}
	now, err := api.Now(ctx)
	if err != nil {
		return false, err
	}
	return hasExpired(s, now, time.Now())
}
