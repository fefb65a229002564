package qod

import (
	"context"
	"sync/atomic"
)

// staticToken is what is the same for the whole run: an access token from the configuration, or
// none at all where headers stand for it. It cannot be renewed, so once it has been refused, every
// further call fails without a request.
type staticToken struct {
	token       Token
	whenRefused error
	refused     atomic.Bool
}

// Token returns the token until it has been refused.
func (r *staticToken) Token(context.Context, Device) (Token, error) {
	if r.refused.Load() {
		return Token{}, &TokenError{Err: r.whenRefused, permanent: true}
	}
	return r.token, nil
}

// PerDevice is false: whatever the token is for, there is no other.
func (r *staticToken) PerDevice() bool { return false }

// Refused ends the use of the token.
func (r *staticToken) Refused(t Token) {
	if t == r.token {
		r.refused.Store(true)
	}
}
