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
	// device, such as client credentials, ignore it. Errors are *TokenError or the end of ctx.
	Token(ctx context.Context, d Device) (Token, error)
	// Refused drops exactly this token, after the API answered it with a 401. A newer token,
	// fetched meanwhile for another call, is kept.
	Refused(t Token)
}

// grant is an OAuth grant. It fetches tokens; tokenCache decides when.
type grant interface {
	// subject names what a token is bound to: calls for one subject share a token.
	subject(d Device) string
	// fetch sends one token request. Errors are *TokenError or the end of ctx. A lifetime of zero
	// means that it is not known.
	fetch(ctx context.Context, d Device) (token string, lifetime time.Duration, err error)
}

const (
	// tokenTimeout bounds how long one token may take, retries included.
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

	// failureAge is how long a failure is returned to further callers, so that a burst of resources
	// sends one failing request and not one each.
	failureAge = time.Second
)

// tokenCache keeps one token per subject: one fetch in flight, renewed early, dropped when refused.
type tokenCache struct {
	grant   grant
	timeout time.Duration // of one fetch

	mu        sync.Mutex
	bySubject map[string]*subjectToken
}

type subjectToken struct {
	fetching sharedCall[Token]

	mu         sync.Mutex
	token      Token
	renewAt    time.Time
	expiresAt  time.Time
	lastSerial uint64

	failure  error
	failedAt time.Time
}

func newTokenCache(g grant, requestTimeout time.Duration) *tokenCache {
	return &tokenCache{grant: g, timeout: min(requestTimeout, tokenTimeout/fetchAttempts), bySubject: map[string]*subjectToken{}}
}

func (c *tokenCache) forSubject(subject string) *subjectToken {
	c.mu.Lock()
	defer c.mu.Unlock()
	cell := c.bySubject[subject]
	if cell == nil {
		cell = &subjectToken{}
		c.bySubject[subject] = cell
	}
	return cell
}

// Token returns the subject's token, fetching one where there is none.
func (c *tokenCache) Token(ctx context.Context, d Device) (Token, error) {
	cell := c.forSubject(c.grant.subject(d))
	if token, ok, err := cell.current(); ok {
		return token, err
	}
	return cell.fetching.do(ctx, func(ctx context.Context) (Token, error) {
		// Another fetch may have ended since the check above.
		if token, ok, err := cell.current(); ok {
			return token, err
		}
		bounded, cancel := context.WithTimeout(ctx, tokenTimeout)
		defer cancel()
		value, lifetime, err := c.fetch(bounded, d)
		if err != nil && ctx.Err() != nil && !risksLockout(err) {
			// Cancelled because nobody waits for it any more: that is no failure to remember.
			return Token{}, err
		}
		return cell.store(value, lifetime, err)
	})
}

// fetch tries up to three times. A refusal is final.
func (c *tokenCache) fetch(ctx context.Context, d Device) (string, time.Duration, error) {
	for attempt := 1; ; attempt++ {
		value, lifetime, err := c.once(ctx, d)
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

func (c *tokenCache) once(ctx context.Context, d Device) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.grant.fetch(ctx, d)
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
	if c.failure != nil && (risksLockout(c.failure) || now.Sub(c.failedAt) < failureAge) {
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
	c.token, c.failure = Token{value, c.lastSerial}, nil
	c.renewAt, c.expiresAt = now.Add(lifetime-min(maxRenewalLead, lifetime/10)), now.Add(lifetime)
	return c.token, nil
}

func (c *subjectToken) drop(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == t {
		c.token = Token{}
	}
}
