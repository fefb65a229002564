package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// privateState is Terraform's private state: it travels with a resource, and no user sees or sets
// it.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

const privateKey = "session"

// sessionPrivate is what a resource keeps of its session in its private state.
type sessionPrivate struct {
	// Origin is where the session was created or last seen. A 404 from anywhere else proves
	// nothing.
	Origin string `json:"origin,omitempty"`
	// Owner tells this resource from others that hold the same session. It is set whenever there is
	// one.
	Owner string `json:"owner,omitempty"`
	// MadeAt is when the session was created, or first seen, by the API's clock. It tells whether
	// every replica of the API must know the session, and bounds its life if the API shows no end.
	MadeAt time.Time `json:"made_at,omitzero"`
	// Expired says that the API still showed the session after its end.
	Expired bool `json:"over,omitempty"`
	// Lost is a session of a reservation that was gone before its end. It may come back.
	Lost lostSession `json:"lost,omitzero"`
	// Imported says that the configuration has not been adopted yet: attributes that the API did
	// not show are then taken from it and replace nothing.
	Imported bool `json:"imported,omitempty"`
	// RequestedUntil is the end of the window that the session of a reservation was requested for.
	RequestedUntil time.Time `json:"requested_until,omitzero"`
	// GrantedUntil is the end that the network granted the session of a reservation, where it shows
	// a start and a duration, but no end.
	GrantedUntil time.Time `json:"granted_until,omitzero"`
	// OutOfReach is an end of the window that the session of a reservation was not replaced for,
	// because no session could last until then.
	OutOfReach time.Time `json:"out_of_reach,omitzero"`
	// ExtendedAt is when the API was last asked to extend the session of a reservation, and
	// NoLonger says that it then granted no more.
	ExtendedAt time.Time `json:"extended_at,omitzero"`
	NoLonger   bool      `json:"no_longer,omitempty"`
	// RequestedProfile is the profile that was requested for the session of a reservation, if the
	// state shows another one because the network changed it.
	RequestedProfile string `json:"asked_profile,omitempty"`
}

func loadPrivate(ctx context.Context, state privateState) (sessionPrivate, diag.Diagnostics) {
	var p sessionPrivate
	raw, diags := state.GetKey(ctx, privateKey)
	if diags.HasError() || len(raw) == 0 {
		return p, diags
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		diags.AddError("Unreadable Private State", fmt.Sprintf("The provider cannot read what it stored with the session: %s.", err))
	}
	return p, diags
}

func (p sessionPrivate) save(ctx context.Context, state privateState) diag.Diagnostics {
	raw, err := json.Marshal(p)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unwritable Private State", err.Error())}
	}
	return state.SetKey(ctx, privateKey, raw)
}

// withSession is the private state once a session has been created or seen at the API.
func (p sessionPrivate) withSession(s qod.Session, api qod.Sessions) sessionPrivate {
	p.Origin, p.Lost = api.Origin(), lostSession{}
	if p.Owner == "" {
		p.Owner = newOwner()
	}
	if p.MadeAt.IsZero() {
		p.MadeAt = estimateTime(api).Truncate(time.Second)
		if !s.StartedAt.IsZero() && s.StartedAt.Before(p.MadeAt) {
			p.MadeAt = s.StartedAt
		}
	}
	if !s.ExpiresAt.IsZero() {
		p.GrantedUntil = time.Time{}
	} else if end := grantedEnd(s); !end.IsZero() {
		p.GrantedUntil = end
	}
	return p
}

// grantedEnd is the end of a session by its start and its duration; zero where it does not show
// them.
func grantedEnd(s qod.Session) time.Time {
	if s.StartedAt.IsZero() || s.Seconds <= 0 {
		return time.Time{}
	}
	return s.StartedAt.Add(time.Duration(s.Seconds) * time.Second)
}

// withoutSession is the private state of a reservation once err has proven its session gone. A
// session that is gone before its end may come back, so it is kept as lost.
func (p sessionPrivate) withoutSession(ref qod.Ref, err error) sessionPrivate {
	without := sessionPrivate{Imported: p.Imported, Owner: p.Owner}
	gone, _ := errors.AsType[*qod.GoneError](err)
	if gone != nil && gone.Proof != qod.ProofExpired && gone.Proof != qod.ProofDeleted {
		without.Lost = lostSession{ID: ref.ID, Origin: p.Origin, MadeAt: p.MadeAt, ExpiresAt: ref.ExpiresAt, RequestedUntil: p.RequestedUntil}
	}
	return without
}

// settledEnd is the last end of the window that the session of a reservation has been requested, or
// kept, for.
func (p sessionPrivate) settledEnd() time.Time { return latest(p.RequestedUntil, p.OutOfReach) }

// expected is a session with the end that counts for a bill. One that shows none ends after its
// duration, or else when it was requested until, or as late as a session can. One that the network
// has ended lasted no longer than its duration, which CAMARA's document has as the time that it
// really lasted.
func (p sessionPrivate) expected(s qod.Session) qod.Session {
	granted := cmp.Or(grantedEnd(s), p.GrantedUntil)
	switch {
	case !s.ExpiresAt.IsZero():
		if s.Status == qod.StatusUnavailable && !granted.IsZero() && granted.Before(s.ExpiresAt) {
			s.ExpiresAt = granted
		}
	case !granted.IsZero():
		s.ExpiresAt = granted
	case !p.RequestedUntil.IsZero():
		s.ExpiresAt = p.RequestedUntil
		if last := lastEnd(s.StartedAt, p.longestRequest()); !last.IsZero() && last.Before(s.ExpiresAt) {
			s.ExpiresAt = last
		}
	}
	return s
}

// longestRequest is how long a session is requested for at most where this one was created.
func (p sessionPrivate) longestRequest() time.Duration {
	return qod.LimitsOf(qod.APIOf(p.Origin)).LongestRequest()
}

// longest is how long a session lasts at most where this one was created; zero if there is no
// limit.
func (p sessionPrivate) longest() time.Duration { return qod.LimitsOf(qod.APIOf(p.Origin)).Longest() }

// lastEnd is when a session ends at the latest; zero where that is not known.
func lastEnd(start time.Time, longest time.Duration) time.Time {
	if start.IsZero() || longest == 0 {
		return time.Time{}
	}
	return start.Add(longest)
}

// mayBeAlive reports whether the session may not have ended yet at a time (zero where it is not
// known). Its end is expiresAt, or the latest possible one if the API has shown none.
func (p sessionPrivate) mayBeAlive(expiresAt, now time.Time) bool {
	end := expiresAt
	if end.IsZero() {
		end = lastEnd(p.MadeAt, p.longest())
	}
	return end.IsZero() || now.IsZero() || now.Before(end)
}

// lostSession is a session that was proven gone before its end.
type lostSession struct {
	ID        string    `json:"id,omitempty"`
	Origin    string    `json:"origin,omitempty"`
	MadeAt    time.Time `json:"made_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// RequestedUntil is that of sessionPrivate. Without it, a session that was granted for less
	// than was requested would be replaced when it is there again.
	RequestedUntil time.Time `json:"requested_until,omitzero"`
}

// mayBeAlive is that of sessionPrivate.
func (l lostSession) mayBeAlive(now time.Time) bool {
	return sessionPrivate{Origin: l.Origin, MadeAt: l.MadeAt}.mayBeAlive(l.ExpiresAt, now)
}
