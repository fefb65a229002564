package qod

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// maxPoll bounds the time between two polls, which otherwise is a pollShare of the time waited so
	// far: what a wait can overshoot by stays in proportion.
	maxPoll   = 2 * time.Second
	pollShare = 8

	// lastPollBudget bounds the look that is taken when the time is up.
	lastPollBudget = 5 * time.Second

	// unseenGrace is how long a session may be missing before it counts as gone: a list or a
	// replica can lag behind the POST that made it.
	unseenGrace = 10 * time.Second

	// maxAsked bounds how long a wait lets the API keep it from looking: the session may become
	// available meanwhile.
	maxAsked = 30 * time.Second
)

// Await waits until the session is AVAILABLE. Polls that fail are ridden out: only the context,
// UNAVAILABLE, credentials that cannot be good again, or a proven 404 that lasts past a grace end the wait otherwise,
// with a *WaitError that holds what was last known. When the context's time is up, the session is
// asked for once more: one that is not ready in time costs its replacement.
func (c *Client) Await(ctx context.Context, ref Ref) (s Session, err error) {
	defer catch(&err)
	if !validID(ref.ID) {
		return Session{}, invalidID(OperationRead, ref.ID)
	}
	w := wait{client: c, ref: ref, began: time.Now(), last: Session{ID: ref.ID}}
	for attempt := 1; ; attempt++ {
		polled, err := w.poll(ctx, attempt)
		if ctx.Err() == nil || err == nil {
			if over, err := w.saw(polled, err); over {
				return w.last, err
			}
		} // else the poll was cut short, which says nothing new
		if pause(ctx, w.interval()) != nil {
			return w.ended(ctx)
		}
	}
}

// wait is one wait for a session on its way.
type wait struct {
	client  *Client
	ref     Ref
	began   time.Time
	last    Session
	lastErr error
	missing time.Time // since when the session has not been seen
	turn    time.Time // when it may ask for the session again
}

// saw takes in what a poll came back with, and reports whether the wait is over.
func (w *wait) saw(polled Session, err error) (over bool, _ error) {
	w.lastErr = err
	switch {
	case err == nil:
		w.last, w.missing = polled, time.Time{}
		if polled.Status == StatusUnavailable {
			return true, &WaitError{Reason: WaitRefused, Last: polled}
		}
		return polled.Status == StatusAvailable, nil
	case denied(err):
		return true, &WaitError{Reason: WaitDenied, Last: w.last, Err: err}
	case !IsGone(err):
		w.missing = time.Time{}
	case w.missing.IsZero():
		w.missing = time.Now()
	case time.Since(w.missing) > unseenGrace:
		return true, &WaitError{Reason: WaitGone, Last: w.last, Err: err}
	}
	return false, nil
}

// interval is the time to the next poll.
func (w *wait) interval() time.Duration {
	d := max(listInterval, min(maxPoll, time.Since(w.began)/pollShare), time.Until(w.turn))
	d += rand.N(d / 4) //nolint:gosec // spreading needs no secrecy
	return max(d, min(maxAsked, asked(w.lastErr)))
}

// ended is how a wait ends whose context has.
func (w *wait) ended(ctx context.Context) (Session, error) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return w.last, &WaitError{Reason: WaitInterrupted, Last: w.last, Err: w.lastErr}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPollBudget)
	defer cancel()
	if polled, err := w.client.readOnce(ctx, w.ref, 1); err == nil {
		if over, err := w.saw(polled, nil); over {
			return w.last, err
		}
	}
	return w.last, &WaitError{Reason: WaitTimeout, Last: w.last, Err: w.lastErr}
}

// poll looks once, in a list that others wait for too where there is one.
func (w *wait) poll(ctx context.Context, attempt int) (s Session, err error) {
	s, w.turn, err = w.client.reader.poll(ctx, w.ref, func() (Session, error) {
		return w.client.readOnce(ctx, w.ref, attempt)
	})
	return s, err
}

// readOnce asks for the session itself, once.
func (c *Client) readOnce(ctx context.Context, ref Ref, attempt int) (Session, error) {
	r := c.dialect.read(ref.ID)
	a, err := c.get(ctx, r, ref.Device, attempt)
	if err != nil {
		return Session{}, err
	}
	return c.decodeRead(r, a)
}

// asked is how long a failed poll keeps from the next one: what the API asks for, and long where
// each costs token requests that will hardly fare better.
func asked(err error) time.Duration {
	var token *TokenError
	if isStatus(err, http.StatusUnauthorized) || (errors.As(err, &token) && token.final) {
		return maxAsked
	}
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// denied reports whether looking again cannot help, or would do harm. Nothing less ends a wait: it
// would cost a session that is well.
func denied(err error) bool { return locks(err) || errors.Is(err, ErrNotRenewable) }
