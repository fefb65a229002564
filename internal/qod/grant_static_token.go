package qod

import (
	"context"
	"sync/atomic"
)

// staticToken is an access token that somebody else fetched. It cannot be renewed, so once it is
// refused every further call says so instead of asking the API again.
type staticToken struct {
	token   Token
	refused atomic.Bool
}

// Token returns the one token there is.
func (r *staticToken) Token(context.Context, Device) (Token, error) {
	if r.refused.Load() {
		return Token{}, &TokenError{Err: ErrNotRenewable, permanent: true}
	}
	return r.token, nil
}

// Refused ends the use of the token.
func (r *staticToken) Refused(t Token) {
	if t == r.token {
		r.refused.Store(true)
	}
}
