package qod

import (
	"context"
	"errors"
	"time"
)

const (
	// maxPoll bounds the time between two polls, which otherwise is a pollShare of the time waited so
	// far: what a wait can overshoot by stays in proportion.
	maxPoll   = 2 * time.Second
	pollShare = 8

	// lastPollBudget bounds the look that is taken when the time is up.
	lastPollBudget = 5 * time.Second

	// maxRequestedDelay bounds how long a wait lets the API keep it from looking: the session may become
	// available meanwhile.
	maxRequestedDelay = 30 * time.Second
)

// Await waits until the session is AVAILABLE. Polls that fail are ridden out: only the context,
// UNAVAILABLE, credentials that cannot be good again, or proof that the session is gone end the wait
// otherwise, with a *WaitError that holds what was last known. No list ends a wait by itself. When the
// context's time is up, the session is asked for once more: one that is not ready in time costs its
// replacement.
func (c *Client) Await(ctx context.Context, ref Ref) (s Session, err error) {
	defer recoverTo(&err)
	if !validID(ref.ID) {
		return Session{}, invalidID(OperationRead, ref.ID)
	}
	w := wait{client: c, ref: ref, began: time.Now(), last: Session{ID: ref.ID}, lastGet: time.Now()}
	for attempt := 1; ; attempt++ {
		polled, err := w.poll(ctx, attempt)
		if ctx.Err() == nil || err == nil {
			if over, err := w.observe(polled, err); over {
				return w.last, err
			}
		} // else the poll was cut short, which says nothing new
		if pause(ctx, w.interval()) != nil {
			return w.whenContextEnds(ctx)
		}
	}
}

// wait is one wait for a session on its way.
type wait struct {
	client   *Client
	ref      Ref
	began    time.Time
	last     Session
	lastErr  error
	lastGet  time.Time // when it last asked for the session itself; at first when it began
	nextSlot time.Time // when it may do so again
}

// observe takes in what a poll came back with, and reports whether the wait is over.
func (w *wait) observe(polled Session, err error) (over bool, _ error) {
	w.lastErr = err
	switch {
	case err == nil:
		w.last = polled
		if polled.Status == StatusUnavailable {
			return true, &WaitError{Reason: WaitUnavailable, Last: polled}
		}
		return polled.Status == StatusAvailable, nil
	case credentialsRefused(err):
		return true, &WaitError{Reason: WaitUnauthorized, Last: w.last, Err: err}
	case IsGone(err):
		return true, &WaitError{Reason: WaitGone, Last: w.last, Err: err}
	}
	return false, nil
}

// interval is the time to the next poll.
func (w *wait) interval() time.Duration {
	d := max(listInterval, min(maxPoll, time.Since(w.began)/pollShare), time.Until(w.nextSlot))
	return max(withJitter(d), min(maxRequestedDelay, requestedDelay(w.lastErr)))
}

// whenContextEnds is how a wait ends whose context has.
func (w *wait) whenContextEnds(ctx context.Context) (Session, error) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return w.last, &WaitError{Reason: WaitInterrupted, Last: w.last, Err: w.lastErr}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPollBudget)
	defer cancel()
	if polled, err := w.client.readOnce(ctx, w.ref, 1); err == nil {
		if over, err := w.observe(polled, nil); over {
			return w.last, err
		}
	}
	return w.last, &WaitError{Reason: WaitTimeout, Last: w.last, Err: w.lastErr}
}

// poll looks once. A session that is too new for every replica to know it is waited for like one that
// is there; of an older one a 404 is looked into.
func (w *wait) poll(ctx context.Context, attempt int) (s Session, err error) {
	ask := func(ctx context.Context) (Session, error) {
		w.lastGet = time.Now()
		return w.client.readOnce(ctx, w.ref, attempt)
	}
	s, w.nextSlot, err = w.client.reads.poll(ctx, w.ref, w.lastGet, func() (Session, error) { return ask(ctx) })
	missing := absence{client: w.client, ref: w.ref, answer: notFound(err), repeat: ask}
	if missing.answer == nil || missing.young() {
		return s, err
	}
	s, listed, err := missing.prove(ctx)
	if listed {
		// It is there; but how it is, a list may say long after it has changed.
		return Session{}, &UnprovenError{ID: w.ref.ID, Listed: true, Err: missing.answer}
	}
	return s, err
}

// requestedDelay is how long a failed poll keeps from the next one: what the API asks for, and long where
// each costs token requests that will hardly fare better.
func requestedDelay(err error) time.Duration {
	var token *TokenError
	if isUnauthorized(err) || (errors.As(err, &token) && token.permanent) {
		return maxRequestedDelay
	}
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// credentialsRefused reports whether looking again cannot help, or would do harm. Anything else is retried: giving
// up would replace a healthy session.
func credentialsRefused(err error) bool { return risksLockout(err) || errors.Is(err, ErrNotRenewable) }
