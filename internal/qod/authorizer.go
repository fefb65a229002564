package qod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Token is an access token. It prints as REDACTED with every verb.
type Token struct{ value string }

// Format keeps the token out of everything that is printed.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("REDACTED")) }

// Authorizer gives access tokens.
type Authorizer interface {
	// Token returns a token for calls about the device. Where tokens do not stand for one device,
	// as with client credentials, the device is ignored. Errors are *TokenError or the end of ctx.
	Token(ctx context.Context, d Device) (Token, error)
	// Refused drops exactly this token, after the API answered it with 401. A newer token, fetched
	// meanwhile for another call, stays.
	Refused(t Token)
}

// grant is one way to get a token. The cache around it decides when.
type grant interface {
	// subject names whom a token stands for: calls of one subject share a token.
	subject(d Device) string
	// fetch asks once. Errors are *TokenError or the end of ctx.
	fetch(ctx context.Context, d Device) (Token, time.Duration, error)
}

const (
	// fetchBudget bounds the search for one token, retries included.
	fetchBudget   = 30 * time.Second
	fetchAttempts = 3

	// A token without a usable lifetime is renewed soon; the 401 replay covers one that dies earlier.
	unsaidLifetime = 5 * time.Minute
	minLifetime    = 10 * time.Second
	maxLifetime    = 24 * time.Hour

	// maxEarly is how long before its end a token is renewed, at most: a request under way must
	// not outlive it.
	maxEarly = time.Minute
)

// tokenCache keeps one token a subject: one fetch in flight, renewed early, dropped when refused.
type tokenCache struct {
	grant grant

	mu    sync.Mutex
	cells map[string]*tokenCell
}

type tokenCell struct {
	fetch shared[Token]

	mu      sync.Mutex
	token   Token
	renewAt time.Time
	// final is an answer that asking again would only repeat (invalid_client): some identity
	// providers lock a client that keeps asking.
	final error
}

func newTokenCache(g grant) *tokenCache {
	return &tokenCache{grant: g, cells: map[string]*tokenCell{}}
}

func (c *tokenCache) cell(subject string) *tokenCell {
	c.mu.Lock()
	defer c.mu.Unlock()
	cell := c.cells[subject]
	if cell == nil {
		cell = &tokenCell{}
		c.cells[subject] = cell
	}
	return cell
}

// Token returns the subject's token, fetching one where there is none.
func (c *tokenCache) Token(ctx context.Context, d Device) (Token, error) {
	cell := c.cell(c.grant.subject(d))
	if token, err, ok := cell.current(); ok {
		return token, err
	}
	return cell.fetch.do(ctx, func(ctx context.Context) (Token, error) {
		// Another fetch may have ended between the look above and this one.
		if token, err, ok := cell.current(); ok {
			return token, err
		}
		ctx, cancel := context.WithTimeout(ctx, fetchBudget)
		defer cancel()
		token, lifetime, err := fetchToken(ctx, c.grant, d)
		cell.keep(token, lifetime, err)
		return token, err
	})
}

// Refused drops the token wherever it is kept.
func (c *tokenCache) Refused(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cell := range c.cells {
		cell.drop(t)
	}
}

func (c *tokenCell) current() (Token, error, bool) { //nolint:staticcheck // the error is a kept result, not this call's
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final != nil {
		return Token{}, c.final, true
	}
	return c.token, nil, c.token.value != "" && time.Now().Before(c.renewAt)
}

func (c *tokenCell) keep(t Token, lifetime time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		var refusal *TokenError
		if errors.As(err, &refusal) && refusal.final {
			c.final = err
		}
		return
	}
	if lifetime <= 0 {
		lifetime = unsaidLifetime
	}
	lifetime = min(maxLifetime, max(minLifetime, lifetime))
	c.token, c.renewAt = t, time.Now().Add(lifetime-min(maxEarly, lifetime/10))
}

func (c *tokenCell) drop(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == t {
		c.token = Token{}
	}
}

// fetchToken asks up to three times. A refusal is final: it is never repeated.
func fetchToken(ctx context.Context, g grant, d Device) (Token, time.Duration, error) {
	for attempt := 1; ; attempt++ {
		token, lifetime, err := g.fetch(ctx, d)
		if err == nil {
			return token, lifetime, nil
		}
		var refusal *TokenError
		if !errors.As(err, &refusal) {
			err = &TokenError{Err: err}
		}
		if (refusal != nil && refusal.final) || attempt == fetchAttempts || pause(ctx, backoff(attempt)) != nil {
			return Token{}, 0, err
		}
	}
}
