package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// privateState is the part of Terraform's private state that is used: it travels with the
// resource, and no user sees or sets it.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

const privateKey = "session"

// sessionPrivate is what a session's record knows beyond its attributes.
type sessionPrivate struct {
	// Origin is where the session was made or last seen. A 404 from anywhere else proves nothing.
	Origin string `json:"origin,omitempty"`
	// Owner tells this record from others that hold the same session. Every record of a session has one.
	Owner string `json:"owner,omitempty"`
	// MadeAt is when the session was made, or first seen, by the API's clock. It tells whether each
	// replica of the API has to know it, and bounds its life where the API has said no end.
	MadeAt time.Time `json:"made_at,omitzero"`
	// Expired says that the session was past its own end when the API still showed it.
	Expired bool `json:"over,omitempty"`
	// Lost is the session that a reservation had when it was last seen: one that is gone before its end
	// may come back, and is taken back then.
	Lost lostSession `json:"lost,omitzero"`
	// Imported says that configuration has not been adopted yet: attributes the API did not show
	// are taken from it instead of replacing the session.
	Imported bool `json:"imported,omitempty"`
	// AskedProfile is the profile that the session of a reservation was asked for, where the state has
	// another one because the network changed it.
	AskedProfile string `json:"asked_profile,omitempty"`
}

func loadPrivate(ctx context.Context, p privateState) (sessionPrivate, diag.Diagnostics) {
	var m sessionPrivate
	raw, diags := p.GetKey(ctx, privateKey)
	if diags.HasError() || len(raw) == 0 {
		return m, diags
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		diags.AddError("Unreadable Private State", fmt.Sprintf("The provider cannot read what it stored with the session: %s.", err))
	}
	return m, diags
}

func (m sessionPrivate) save(ctx context.Context, p privateState) diag.Diagnostics {
	raw, err := json.Marshal(m)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unwritable Private State", err.Error())}
	}
	return p.SetKey(ctx, privateKey, raw)
}

// remember is what the record of a session that was just made or seen has to know beyond its
// attributes.
func (m sessionPrivate) withSession(s qod.Session, api qod.Sessions) sessionPrivate {
	m.Origin, m.Lost = api.Origin(), lostSession{}
	if m.Owner == "" {
		m.Owner = newOwner()
	}
	if m.MadeAt.IsZero() {
		m.MadeAt = estimateTime(api).Truncate(time.Second)
		if !s.StartedAt.IsZero() && s.StartedAt.Before(m.MadeAt) {
			m.MadeAt = s.StartedAt
		}
	}
	return m
}

// estimateTime is the API's time, or else that of this machine: where it only bounds when a session was made
// or can no longer be alive, that is good enough.
func estimateTime(api qod.Sessions) time.Time {
	if now := api.EstimateNow(); !now.IsZero() {
		return now
	}
	return time.Now().UTC()
}

// withoutSession is what the record of a reservation knows once err has proven its session gone. Before
// its end the session may come back.
func (m sessionPrivate) withoutSession(ref qod.Ref, err error) sessionPrivate {
	without := sessionPrivate{Imported: m.Imported, Owner: m.Owner}
	gone, _ := asError[*qod.GoneError](err)
	if gone != nil && gone.Proof != qod.ProofExpired && gone.Proof != qod.ProofDeleted {
		without.Lost = lostSession{ID: ref.ID, Origin: m.Origin, MadeAt: m.MadeAt, ExpiresAt: ref.ExpiresAt}
	}
	return without
}

// lostSession is a session that was proven to be gone before its end.
type lostSession struct {
	ID        string    `json:"id,omitempty"`
	Origin    string    `json:"origin,omitempty"`
	MadeAt    time.Time `json:"made_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// lives reports whether the session can be alive at a time; see sessionPrivate.lives.
func (l lostSession) mayBeAlive(now time.Time) bool {
	return sessionPrivate{MadeAt: l.MadeAt}.mayBeAlive(l.ExpiresAt, now)
}

// longestSession is the most any session of this API lasts.
const longestSession = 24 * time.Hour

// lives reports whether a session is not over yet at a time, as far as its end is known: by what the
// API has said, or by the longest that any lasts.
func (m sessionPrivate) mayBeAlive(expiresAt, now time.Time) bool {
	end := expiresAt
	if end.IsZero() && !m.MadeAt.IsZero() {
		end = m.MadeAt.Add(qod.LongestSession)
	}
	return end.IsZero() || now.IsZero() || now.Before(end)
}
