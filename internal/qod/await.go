package qod

import (
	"context"
	"errors"
	"time"
)

const (
	// maxPoll bounds the time between two polls. Otherwise it is the time waited so far, divided by
	// pollDivisor, so that a wait overshoots in proportion to its length.
	maxPoll     = 2 * time.Second
	pollDivisor = 8

	// lastPollTimeout bounds the last poll, which is made when the time is up.
	lastPollTimeout = 5 * time.Second

	// maxRequestedDelay bounds how long a poll is put off at the API's request: the session may
	// become available meanwhile.
	maxRequestedDelay = 30 * time.Second
)

// Await waits until the session is AVAILABLE. A poll that fails is repeated. The wait ends
// otherwise, with a *WaitError that holds what was last known, only when the context ends, the
// session is UNAVAILABLE or proven gone, or the credentials are refused for good. No list ends a
// wait by itself. When the time is up, the session is read once more, because one that is not ready
// in time is replaced, and the replacement is billed too.
func (c *Client) Await(ctx context.Context, ref Ref) (s Session, err error) {
	defer recoverTo(&err)
	if err := c.checkRef(OperationRead, ref); err != nil {
		return Session{}, err
	}
	w := wait{client: c, ref: ref, began: time.Now(), last: Session{ID: ref.ID}, lastGet: time.Now()}
	for attempt := 1; ; attempt++ {
		polled, err := w.poll(ctx, attempt)
		if ctx.Err() == nil || err == nil {
			if over, err := w.observe(polled, err); over {
				return w.last, err
			}
		} // otherwise the context cut the poll short, and its error says nothing new
		if pause(ctx, w.interval()) != nil {
			return w.whenContextEnds(ctx)
		}
	}
}

// wait is one wait in progress.
type wait struct {
	client   *Client
	ref      Ref
	began    time.Time
	last     Session
	lastErr  error
	lastGet  time.Time // when it last read the session itself; at first when it began
	nextSlot time.Time // when it may do so again
}

// observe records the result of a poll, and reports whether the wait is over.
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
	d := max(listInterval, min(maxPoll, time.Since(w.began)/pollDivisor), time.Until(w.nextSlot))
	return max(withJitter(d), min(maxRequestedDelay, requestedDelay(w.lastErr)))
}

// whenContextEnds is how a wait ends when its context does.
func (w *wait) whenContextEnds(ctx context.Context) (Session, error) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return w.last, &WaitError{Reason: WaitInterrupted, Last: w.last, Err: w.lastErr}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPollTimeout)
	defer cancel()
	if polled, err := w.client.readOnce(ctx, w.ref, 1); err == nil {
		if over, err := w.observe(polled, nil); over {
			return w.last, err
		}
	}
	return w.last, &WaitError{Reason: WaitTimeout, Last: w.last, Err: w.lastErr}
}

// poll polls once. A 404 for a session so new that replicas may not know it yet is no reason to
// stop; for an older one, proof is looked for.
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
		// It exists, but a list may show an old status.
		return Session{}, &UnprovenError{ID: w.ref.ID, Listed: true, Err: missing.answer}
	}
	return s, err
}

// requestedDelay is how long to wait after a failed poll: as long as the API asks for, and long
// where each poll costs token requests that would hardly succeed either.
func requestedDelay(err error) time.Duration {
	var token *TokenError
	if isUnauthorized(err) || (errors.As(err, &token) && token.permanent) {
		return maxRequestedDelay
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// credentialsRefused reports whether the credentials are refused for good, or could be locked out
// by another try. Anything else is retried: giving up would replace a healthy session.
func credentialsRefused(err error) bool {
	return isFinal(err) || errors.Is(err, ErrNotRenewable) || errors.Is(err, ErrHeadersRefused)
}
