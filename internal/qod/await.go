package qod

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	firstPoll = 200 * time.Millisecond
	maxPoll   = 2 * time.Second

	// unseenGrace is how long a session may be missing before it counts as gone: a list or a
	// replica can lag behind the POST that made it.
	unseenGrace = 10 * time.Second

	// maxAsked bounds how long a wait lets the API keep it from looking: the session may become
	// available meanwhile.
	maxAsked = 30 * time.Second
)

// Await waits until the session is AVAILABLE. Polls that fail are ridden out: only the context,
// UNAVAILABLE, refused credentials, or a proven 404 that lasts past a grace end the wait otherwise,
// with a *WaitError that holds what was last known.
func (c *Client) Await(ctx context.Context, ref Ref) (s Session, err error) {
	defer catch(&err)
	if !validID(ref.ID) {
		return Session{}, invalidID(OperationRead, ref.ID)
	}
	var (
		last     = Session{ID: ref.ID}
		lastErr  error
		missing  time.Time // since when the session has not been seen
		interval = firstPoll
	)
	for attempt := 1; ; attempt++ {
		polled, err := c.poll(ctx, ref, attempt)
		wait := interval/2 + rand.N(interval) //nolint:gosec // spreading needs no secrecy
		switch {
		case err == nil:
			last, lastErr, missing = polled, nil, time.Time{}
			if polled.Status == StatusAvailable {
				return polled, nil
			}
			if polled.Status == StatusUnavailable {
				return polled, &WaitError{Reason: WaitRefused, Last: polled}
			}
		case ctx.Err() != nil:
			// The poll was cut short, which says nothing new.
		default:
			lastErr = err
			if denied(err) {
				return last, &WaitError{Reason: WaitDenied, Last: last, Err: err}
			}
			if !IsGone(err) {
				missing = time.Time{}
				wait = max(wait, min(maxAsked, asked(err)))
				break
			}
			if missing.IsZero() {
				missing = time.Now()
			} else if time.Since(missing) > unseenGrace {
				return last, &WaitError{Reason: WaitGone, Last: last, Err: err}
			}
		}
		if pause(ctx, wait) != nil {
			reason := WaitInterrupted
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				reason = WaitTimeout
			}
			return last, &WaitError{Reason: reason, Last: last, Err: lastErr}
		}
		interval = min(maxPoll, interval*4/3)
	}
}

func (c *Client) poll(ctx context.Context, ref Ref, attempt int) (Session, error) {
	r := c.dialect.read(ref.ID)
	a, err := c.get(ctx, r, ref.Device, attempt)
	if err != nil {
		return Session{}, err
	}
	return c.decodeRead(r, a)
}

// asked is the Retry-After of a failed poll.
func asked(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// denied reports whether looking again cannot help, and would cost a token each time: a 401 in
// spite of a new token, or no token to be had.
func denied(err error) bool {
	var token *TokenError
	if errors.As(err, &token) {
		return token.final
	}
	return isStatus(err, http.StatusUnauthorized)
}
