package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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

const memoryKey = "session"

// sessionMemory is what a session's record knows beyond its attributes.
type sessionMemory struct {
	// Origin is where the session was made or last seen. A 404 from anywhere else proves nothing.
	Origin string `json:"origin,omitempty"`
	// Owner tells this record from others that hold the same session. Every record of a session has one.
	Owner string `json:"owner,omitempty"`
	// SeenAt is when the session was made, or first seen without an end, if the API has said none. It
	// bounds the session's life.
	SeenAt time.Time `json:"seen_at,omitzero"`
	// Imported says that configuration has not been adopted yet: attributes the API did not show
	// are taken from it instead of replacing the session.
	Imported bool `json:"imported,omitempty"`
	// AskedProfile is the profile that the session of a reservation was asked for, where the state has
	// another one because the network changed it.
	AskedProfile string `json:"asked_profile,omitempty"`
}

func recall(ctx context.Context, p privateState) (sessionMemory, diag.Diagnostics) {
	var m sessionMemory
	raw, diags := p.GetKey(ctx, memoryKey)
	if diags.HasError() || len(raw) == 0 {
		return m, diags
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		diags.AddError("Unreadable Private State", fmt.Sprintf("The provider cannot read what it stored with the session: %s.", err))
	}
	return m, diags
}

func (m sessionMemory) keep(ctx context.Context, p privateState) diag.Diagnostics {
	raw, err := json.Marshal(m)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unwritable Private State", err.Error())}
	}
	return p.SetKey(ctx, memoryKey, raw)
}

// remember is what the record of a session that was just made or seen has to know beyond its
// attributes. The time is asked for only where it is needed.
func (m sessionMemory) remember(s qod.Session, origin string, now func() time.Time) sessionMemory {
	m.Origin = origin
	if m.Owner == "" {
		m.Owner = newOwner()
	}
	switch {
	case !s.ExpiresAt.IsZero():
		m.SeenAt = time.Time{} // every snapshot of a state is written whole: what says nothing costs a large fleet
	case m.SeenAt.IsZero():
		m.SeenAt = now().Truncate(time.Second)
	}
	return m
}

// timeBy is the API's time, or else that of this machine: where it only bounds when a session can no
// longer be alive, that is good enough.
func timeBy(ctx context.Context, api qod.Sessions) func() time.Time {
	return func() time.Time {
		if now, err := api.Now(ctx); err == nil {
			return now
		}
		return time.Now().UTC()
	}
}

// longestSession is the most any session of this API lasts.
const longestSession = 24 * time.Hour

// elsewhere reports whether a 404 from origin must not count as proof, because the session was
// made at another one and need not be over yet. The clock is the server's; unknown (zero),
// the session is taken to live.
func (m sessionMemory) elsewhere(origin string, expiresAt, serverTime time.Time) bool {
	return m.Origin != "" && m.Origin != origin && m.lives(expiresAt, serverTime)
}

// anybody reports whether a 404 from origin, taken for proof, may have been for another client than
// the one that made the session: a ready access token does not show whose it is.
func (m sessionMemory) anybody(origin string, expiresAt, serverTime time.Time) bool {
	return strings.HasSuffix(origin, " as token") && m.lives(expiresAt, serverTime)
}

// lives reports whether nothing says that the session is over.
func (m sessionMemory) lives(expiresAt, serverTime time.Time) bool {
	end := expiresAt
	if end.IsZero() && !m.SeenAt.IsZero() {
		end = m.SeenAt.Add(longestSession)
	}
	return end.IsZero() || serverTime.Before(end)
}

// serverTimeOf is the Date of the answer behind err.
func serverTimeOf(err error) time.Time {
	if e, ok := asError[*qod.Error](err); ok {
		return e.ServerTime
	}
	return time.Time{}
}
