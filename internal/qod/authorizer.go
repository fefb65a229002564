package qod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Token is an access token. It prints as REDACTED with every verb.
type Token struct {
	value string
	// serial tells two fetches apart: some servers give out the token they gave before.
	serial uint64
}

// Format keeps the token out of everything that is printed.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("REDACTED")) }

// Authorizer provides access tokens.
type Authorizer interface {
	// Token returns a token for calls about the device. Grants whose tokens are not bound to one
	// device, such as client credentials, ignore it. Errors are *TokenError or the end of ctx,
	// which is a *PendingConsentError where somebody has to agree first.
	Token(ctx context.Context, d Device) (Token, error)
	// Refused drops exactly this token, after the API answered it with a 401. A newer token,
	// fetched meanwhile for another call, is kept.
	Refused(t Token)
	// PerDevice reports whether each token is bound to one device.
	PerDevice() bool
}

// grant is an OAuth grant. It fetches tokens; tokenCache keeps them, and decides when it is time
// for another.
type grant interface {
	// perDevice reports whether each token is bound to one device.
	perDevice() bool
	// subject names what a token is bound to: calls for one subject share a token. Where tokens are
	// bound to a device, it is empty for one that the grant cannot name.
	subject(d Device) string

	// fetch asks for one token. Errors are *TokenError or the end of ctx. A lifetime of zero means
	// that it is not known.
	fetch(ctx context.Context, d Device) (token string, lifetime time.Duration, err error)
	// asksSomebody reports whether a person has to agree before there is a token. Then a fetch has
	// a time of its own, ctx ends when nobody waits for the token any more, and fetch decides
	// whether it goes on for those who come later. Otherwise a fetch is repeated where that may
	// help, in tokenTimeout altogether, and one that nobody waits for is dropped.
	asksSomebody() bool
}

// ErrNoDevice says that tokens are bound to a device, and that it is not known which device a call
// is about.
var ErrNoDevice = errors.New("each access token is for one device, and the device of this request is not known")

const (
	// tokenTimeout bounds how long one token may take where nobody is asked, repetitions included.
	tokenTimeout  = 30 * time.Second
	fetchAttempts = 3

	// A token without a usable lifetime is renewed soon; one that expires even earlier is replaced
	// when the API answers with a 401.
	defaultLifetime = 5 * time.Minute
	minLifetime     = 10 * time.Second
	maxLifetime     = 24 * time.Hour

	// maxRenewalLead is how long before its expiry a token is renewed, at most, so that it does not
	// expire during a request.
	maxRenewalLead = time.Minute

	// soon is how young a token is that has been refused soon after it was issued. It hardly ever
	// worked, and neither would another one.
	soon = 5 * time.Minute

	// failureAge is how long a failure is returned to further callers, so that a burst of resources
	// sends one failing request and not one each.
	failureAge = time.Second
)

// tokenCache keeps one token per subject: one fetch in flight, renewed early, dropped when refused.
type tokenCache struct {
	grant grant

	mu        sync.Mutex
	bySubject map[string]*subjectToken
}

type subjectToken struct {
	fetching sharedCall[Token]

	mu         sync.Mutex
	token      Token
	fetchedAt  time.Time
	renewAt    time.Time
	expiresAt  time.Time
	lastSerial uint64
	refusals   int // of tokens in a row, each soon after it was issued

	failure  error
	failedAt time.Time
}

func newTokenCache(g grant) *tokenCache {
	return &tokenCache{grant: g, bySubject: map[string]*subjectToken{}}
}

// PerDevice is as the grant has it.
func (c *tokenCache) PerDevice() bool { return c.grant.perDevice() }

func (c *tokenCache) forSubject(subject string) *subjectToken {
	c.mu.Lock()
	defer c.mu.Unlock()
	cell := c.bySubject[subject]
	if cell == nil {
		cell = &subjectToken{}
		cell.fetching.unabandoned = c.grant.asksSomebody()
		c.bySubject[subject] = cell
	}
	return cell
}

// Token returns the subject's token, fetching one where there is none.
func (c *tokenCache) Token(ctx context.Context, d Device) (Token, error) {
	subject := c.grant.subject(d)
	if subject == "" && c.grant.perDevice() {
		return Token{}, &TokenError{Err: ErrNoDevice, permanent: true}
	}
	cell := c.forSubject(subject)
	asks := c.grant.asksSomebody()
	for {
		if token, ok, err := cell.current(); ok {
			return token, err
		}
		token, err := cell.fetching.do(ctx, func(ctx context.Context) (Token, error) {
			// Another fetch may have ended since the check above.
			if token, ok, err := cell.current(); ok {
				return token, err
			}
			value, lifetime, err := c.fetch(ctx, cell, d)
			if err != nil && ctx.Err() != nil && !isFinal(err) {
				// Cancelled because nobody waits for it any more: that is no failure to remember.
				return Token{}, err
			}
			return cell.store(value, lifetime, err)
		})
		switch {
		case err != nil && asks && ctx.Err() != nil:
			return Token{}, &PendingConsentError{Device: d}
		case err != nil && asks && isCancelled(err):
			continue // it had been given up just before this caller joined it
		}
		return token, err
	}
}

// isCancelled reports whether a fetch ended because nobody waited for it any more.
func isCancelled(err error) bool {
	var failure *TokenError
	return errors.Is(err, context.Canceled) && !errors.As(err, &failure)
}

// fetch asks the grant for a token. Where nobody is asked, it tries up to three times; a refusal is
// final.
func (c *tokenCache) fetch(ctx context.Context, cell *subjectToken, d Device) (string, time.Duration, error) {
	if c.grant.asksSomebody() {
		if cell.refusedAgain() {
			return "", 0, &TokenError{Err: ErrRefusedAgain, Device: d, permanent: true, final: true}
		}
		value, lifetime, err := c.grant.fetch(ctx, d)
		if err == nil && lifetime <= 0 {
			lifetime = maxLifetime // somebody would be asked again; a 401 says when it is over
		}
		return value, lifetime, err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		value, lifetime, err := c.grant.fetch(ctx, d)
		if err == nil {
			return value, lifetime, nil
		}
		var refusal *TokenError
		if !errors.As(err, &refusal) {
			err = &TokenError{Err: err}
		}
		if (refusal != nil && refusal.permanent) || attempt == fetchAttempts || pause(ctx, backoff(attempt)) != nil {
			return "", 0, err
		}
	}
}

// Refused drops the token wherever it is kept.
func (c *tokenCache) Refused(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cell := range c.bySubject {
		cell.drop(t)
	}
}

// current is the stored token, or the stored failure; false when it is time to fetch.
func (c *subjectToken) current() (Token, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.token.value != "" && now.Before(c.renewAt) {
		return c.token, true, nil
	}
	if c.failure != nil && (isFinal(c.failure) || now.Sub(c.failedAt) < failureAge) {
		token, err := c.fallback(now)
		return token, true, err
	}
	return Token{}, false, nil
}

// fallback is the old token if it is still valid, although it could not be renewed early.
func (c *subjectToken) fallback(now time.Time) (Token, error) {
	if c.token.value != "" && now.Before(c.expiresAt) {
		return c.token, nil
	}
	return Token{}, c.failure
}

func (c *subjectToken) store(value string, lifetime time.Duration, err error) (Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if err != nil {
		c.failure, c.failedAt = err, now
		return c.fallback(now)
	}
	if lifetime <= 0 {
		lifetime = defaultLifetime
	}
	lifetime = min(maxLifetime, max(minLifetime, lifetime))
	c.lastSerial++
	c.token, c.failure, c.fetchedAt = Token{value, c.lastSerial}, nil, now
	c.renewAt, c.expiresAt = now.Add(lifetime-min(maxRenewalLead, lifetime/10)), now.Add(lifetime)
	return c.token, nil
}

func (c *subjectToken) drop(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != t {
		return
	}
	c.token = Token{}
	if c.refusals++; time.Since(c.fetchedAt) > soon {
		c.refusals = 0
	}
}

// refusedAgain reports whether the API has refused a token, and the one after it as well: somebody
// would be asked for nothing.
func (c *subjectToken) refusedAgain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusals > 1
}
