package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// clockTolerance is how far the clocks of an API's nodes, and the times that its sessions show, may
// lie apart without contradicting each other.
const clockTolerance = 5 * time.Second

// hasExpired reports whether a session that the API shows is past the end that it shows. It is a
// *diagnostics.ContradictionError if the API's clock cannot be believed: it differs from the local
// one, or is before the session's start. It is pure.
func hasExpired(s qod.Session, now, local time.Time) (bool, error) {
	if !inUse(s) {
		return false, nil
	}
	contradiction := &diagnostics.ContradictionError{Session: s, Now: now, Machine: local}
	switch {
	case !s.StartedAt.IsZero() && now.Before(s.StartedAt.Add(-clockTolerance)):
		return false, contradiction
	case s.ExpiresAt.IsZero() || !now.After(s.ExpiresAt.Add(clockTolerance)):
		return false, nil
	case now.Sub(local).Abs() > diagnostics.MachineTolerance:
		return false, contradiction
	}
	return true, nil
}

// inUse reports whether the API shows the session as in use. An unknown status counts as such.
func inUse(s qod.Session) bool {
	return s.Status != qod.StatusRequested && s.Status != qod.StatusUnavailable && s.Status != ""
}

// sessionExpired is hasExpired by a clock that more than one answer has shown. It asks for the time
// only if an earlier answer says that the session is past its end.
func sessionExpired(ctx context.Context, api qod.Sessions, s qod.Session) (bool, error) {
	estimate := estimateNow(api)
	if !inUse(s) || s.ExpiresAt.IsZero() || !estimate.After(s.ExpiresAt.Add(clockTolerance)) {
		return false, nil
	}
	now, err := api.Now(ctx)
	if err != nil {
		return false, err
	}
	return hasExpired(s, now, time.Now())
}

// timeOrZero is the API's time; zero where it is not known.
func timeOrZero(ctx context.Context, api qod.Sessions) time.Time {
	now, err := api.Now(ctx)
	if err != nil {
		return time.Time{}
	}
	return now
}

// estimateNow is the API's time according to a single answer; zero before there is one. Nothing may
// be bought or ended by it.
func estimateNow(api qod.Sessions) time.Time {
	estimator, ok := api.(qod.TimeEstimator)
	if !ok {
		return time.Time{}
	}
	return estimator.EstimateNow()
}

// estimateTime is estimateNow or, before there is one, the local time. That is good enough to bound
// when a session was created, and when it can no longer be alive.
func estimateTime(api qod.Sessions) time.Time {
	if now := estimateNow(api); !now.IsZero() {
		return now
	}
	return time.Now().UTC()
}

// instantOrNull writes a time as RFC 3339 in UTC, so that the API's time zone is no drift.
func instantOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// instantOf reads what instantOrNull has written; zero for null.
func instantOf(s types.String) time.Time {
	t, err := time.Parse(time.RFC3339, s.ValueString())
	if err != nil {
		return time.Time{}
	}
	return t
}
