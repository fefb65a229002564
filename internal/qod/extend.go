package qod

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"
)

// Extend makes the session last until a time, where the API can (Limits.CanExtend), and returns the
// session with the end that it has then. The API may grant less, which is no error: compare
// ExpiresAt. A session that lasts that long already is returned as it is.
//
// An extension adds seconds to the end, so that the same request twice adds, and bills, them twice.
// Before each one the session is read for its end, and after an answer that was lost it is read
// until its end has moved, or until every replica has to know that it has not. As with a create,
// the end of the context ends waits and further requests, but not one that was sent.
//
// The API refuses while it is busy with the session (409). That is waited for only while the
// session is REQUESTED; otherwise it is an error at once.
//
// Some APIs grant as much as the profile allows where more is asked for, and some refuse that
// (IsTooLong; CAMARA's QualityOnDemand#377). Those are asked for what the profile allows, if
// anything is left of it.
//
// Errors: ErrUnsupported, ErrNoEnd, *Error (refused), *TokenError, *GoneError, *UnprovenError,
// *InterruptedError (Sent: the session may have been extended), *PanicError.
func (c *Client) Extend(ctx context.Context, ref Ref, until time.Time) (s Session, err error) {
	defer recoverTo(&err)
	if !c.Limits().CanExtend {
		return Session{}, ErrUnsupported
	}
	if err := c.checkRef(OperationExtend, ref); err != nil {
		return Session{}, err
	}
	unlock, err := c.locks.lockSession(ctx, ref.ID)
	if err != nil {
		return Session{}, newInterruptedError(ctx, OperationExtend, false, nil)
	}
	defer unlock()
	c.config.PostInFlight.Lock()
	defer c.config.PostInFlight.Unlock()
	e := extension{client: c, ref: ref, until: until, began: time.Now()}
	return e.run(ctx)
}

// extension is one extension in progress.
type extension struct {
	client *Client
	ref    Ref
	until  time.Time

	began      time.Time
	before     Session // as read before the last request
	retries    int     // requests that count towards MaxRetries
	rateLimits int     // answers that asked for fewer requests
	renewed    bool    // a token was refused, and another one fetched
	shortened  bool    // the request was for more than the profile allows, and the next one is not
	last       error   // why the last request failed; nil for none
}

// run sends requests until the session lasts long enough, the API has granted what it grants, or
// there is a reason to stop.
func (e *extension) run(ctx context.Context) (Session, error) {
	for attempt := 1; ; attempt++ {
		seconds, err := e.missingSeconds(ctx)
		if err != nil || seconds < 1 {
			return e.before, err
		}
		s, err := e.post(ctx, seconds, attempt)
		if err == nil {
			return e.granted(ctx, s)
		}
		s, done, err := e.afterFailure(ctx, err)
		if done {
			return s, err
		}
	}
}

// missingSeconds reads the session, and returns by how many seconds it ends too early. Ends are cut
// to whole seconds, so less than one is nothing.
func (e *extension) missingSeconds(ctx context.Context) (int64, error) {
	s, err := e.read(ctx)
	if err == nil && s.ExpiresAt.IsZero() && s.Status == StatusRequested {
		s, err = e.awaitDecision(ctx) // networks show the end of what they have granted
	}
	switch {
	case err != nil:
		return 0, err
	case s.ExpiresAt.IsZero():
		return 0, &Error{Operation: OperationExtend, SessionID: e.ref.ID, Err: ErrNoEnd, outcome: unsent, permanent: true}
	}
	e.before = s
	return int64(e.until.Sub(s.ExpiresAt) / time.Second), nil
}

// read asks for the session itself. What only a list shows may be an old end.
func (e *extension) read(ctx context.Context) (Session, error) {
	s, listed, err := e.client.readOrProve(ctx, e.ref)
	switch {
	case listed:
		return Session{}, &UnprovenError{ID: e.ref.ID, Listed: true}
	case err != nil && ctx.Err() != nil:
		return Session{}, newInterruptedError(ctx, OperationExtend, false, e.lastWith(withoutContextError(err)))
	}
	return s, err
}

// lastWith is why the last request failed, or else err. That a person was still being asked for
// another token says more than that one was refused.
func (e *extension) lastWith(err error) error {
	pending, asks := errors.AsType[*PendingConsentError](err)
	switch {
	case asks && isUnauthorized(e.last):
		return withoutToken(e.last, pending)
	case asks:
		return err
	}
	return firstError(e.last, err)
}

// post sends one request under a context that nothing cancels. The session of its answer has an id;
// without an error, the API has accepted the request.
func (e *extension) post(ctx context.Context, seconds int64, attempt int) (s Session, err error) {
	c := e.client
	r := c.dialect.extend(e.ref.ID, seconds)
	if err := c.awaitSlot(ctx, r); err != nil {
		return Session{}, err
	}
	token, err := c.authorizer.Token(ctx, e.ref.Device)
	if err != nil && ctx.Err() != nil {
		return Session{}, newInterruptedError(ctx, OperationExtend, false, e.lastWith(withoutContextError(err)))
	}
	if err != nil {
		return Session{}, err
	}
	if ctx.Err() != nil {
		return Session{}, newInterruptedError(ctx, OperationExtend, false, e.last)
	}
	// No list from before the end of the request says when the session ends.
	c.reads.invalidate(e.ref.ID)
	defer c.reads.invalidate(e.ref.ID)
	defer func() {
		if fault := recover(); fault != nil {
			err = &Error{Operation: r.operation, SessionID: e.ref.ID, Err: newPanicError(fault), outcome: unknown}
		}
	}()
	a, err := c.send(context.WithoutCancel(ctx), r, e.ref.Device, token, attempt)
	if isUnauthorized(err) {
		c.authorizer.Refused(token)
	}
	if err != nil {
		return Session{}, err
	}
	return c.decodeRead(r, a, e.ref.Device)
}

// granted is the session after a request that the API has accepted. Some answer before they have
// moved the end, or without one.
func (e *extension) granted(ctx context.Context, s Session) (Session, error) {
	if e.moved(s) {
		return s, nil
	}
	later, _, err := e.lookForEnd(ctx, searchTime)
	if err != nil || later.ExpiresAt.IsZero() {
		return s, nil //nolint:nilerr // the API has accepted it; a later read will show the end
	}
	return later, nil
}

// moved reports whether the session ends later than it did before the last request.
func (e *extension) moved(s Session) bool {
	return s.ExpiresAt.After(e.before.ExpiresAt.Add(time.Second)) ||
		s.ExpiresAt.After(e.before.ExpiresAt) && !s.ExpiresAt.Before(e.until.Add(-time.Second))
}

// afterFailure decides what follows a request that failed, and waits until it is time for another.
// The extension is done with the session of a lost answer, or with an error.
func (e *extension) afterFailure(ctx context.Context, err error) (found Session, done bool, _ error) {
	e.last = err
	var failure *Error
	if !errors.As(err, &failure) || failure.Operation != OperationExtend || errors.Is(err, errNoTimeForSlot) {
		return Session{}, true, err
	}
	wait := time.Duration(0)
	switch {
	case isUnauthorized(err) && !e.renewed:
		e.renewed = true
	case failure.class == classRateLimited:
		if waitedTooLong(ctx, e.began) {
			return Session{}, true, err
		}
		e.rateLimits++
		wait = cmp.Or(failure.RetryAfter, overloadBackoff(e.rateLimits))
	case failure.class == classBusy:
		return e.afterBusy(ctx, failure)
	case notFound(err) != nil:
		// Who knows no extensions says so with a 404, too: a read tells.
		if _, readErr := e.read(ctx); IsGone(readErr) {
			err = readErr
		}
		return Session{}, true, err
	case failure.class == classTooLong:
		done = !e.shorten(ctx)
	case failure.Status == http.StatusNotImplemented:
		// It did nothing, and would not do so later. Had it, the next run would see that first.
		done = true
	case failure.outcome == unknown:
		if s, done, err := e.findLost(ctx, failure); done {
			return s, true, err
		}
		wait, done = e.retryWait(failure)
	case failure.outcome == unsent && !failure.permanent:
		wait, done = e.retryWait(failure)
	default:
		done = true
	}
	if done || !fitsDeadline(ctx, wait) {
		return Session{}, true, err
	}
	if pause(ctx, wait) != nil {
		return Session{}, true, newInterruptedError(ctx, OperationExtend, false, err)
	}
	return Session{}, false, nil
}

// IsTooLong reports whether the API refused what was asked for because the profile allows no
// session that lasts so long.
func IsTooLong(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.class == classTooLong
}

// shorten is for an extension beyond what the profile allows: it asks the operator for that, once.
// Documents leave open whether the profile limits the whole session or what remains of it; a
// session that is as long as the profile allows can be extended in the latter case only. It reports
// whether the session may last longer than it does, so that it is worth another request.
func (e *extension) shorten(ctx context.Context) bool {
	if e.shortened || e.before.StartedAt.IsZero() {
		return false
	}
	e.shortened = true
	seconds, err := e.client.longestOf(ctx, cmp.Or(e.before.QoSProfile, e.ref.QoSProfile), e.ref.Device)
	if err != nil {
		return false
	}
	longest := time.Duration(seconds) * time.Second
	allowed := e.before.StartedAt.Add(longest)
	if now := e.client.clock.now(); allowed.Sub(e.before.ExpiresAt) < time.Second && !now.IsZero() {
		allowed = now.Add(longest)
	}
	if !allowed.Before(e.until) || allowed.Sub(e.before.ExpiresAt) < time.Second {
		return false
	}
	e.until = allowed
	return true
}

// retryWait counts a retry, and returns the time until it, unless there is none left.
func (e *extension) retryWait(failure *Error) (wait time.Duration, over bool) {
	e.retries++
	return cmp.Or(failure.RetryAfter, backoff(e.retries)), e.retries > e.client.config.MaxRetries
}

// afterBusy waits while the session is REQUESTED, which it may have been until a moment ago.
// Otherwise it is in a state that cannot be extended, and nothing is known that would change it.
func (e *extension) afterBusy(ctx context.Context, failure *Error) (_ Session, done bool, _ error) {
	now, err := e.read(ctx)
	if err == nil && now.Status == StatusRequested {
		now, err = e.awaitDecision(ctx)
	} else if err == nil && e.before.Status != StatusRequested {
		err = failure
	}
	e.before = now
	return Session{}, err != nil, err
}

// awaitDecision waits until the session is no longer REQUESTED. That it still is says more than
// that time is up.
func (e *extension) awaitDecision(ctx context.Context) (Session, error) {
	for attempt := 1; ; attempt++ {
		if pause(ctx, min(maxPoll, backoff(attempt))) != nil {
			return Session{}, newInterruptedError(ctx, OperationExtend, false, ErrStillRequested)
		}
		if s, err := e.read(ctx); err != nil || s.Status != StatusRequested {
			return s, err
		}
	}
}

// findLost looks for what a request without a usable answer did. It is done when the end has moved,
// and when nobody can tell; otherwise the session was not extended, and may be asked for again.
func (e *extension) findLost(ctx context.Context, failure *Error) (s Session, done bool, err error) {
	s, moved, err := e.lookForEnd(ctx, maxLag)
	switch {
	case moved:
		return s, true, nil
	case err != nil:
		return Session{}, true, err
	case failure.Status/100 == 2:
		return Session{}, true, failure // it said that it did
	}
	return Session{}, false, nil
}

// lookForEnd reads the session until its end has moved or it was looked for long enough. If the
// context ends, it is read once more.
func (e *extension) lookForEnd(ctx context.Context, long time.Duration) (s Session, moved bool, err error) {
	began := time.Now()
	for wait := firstSearchPause; ; wait = min(2*wait, lagInterval) {
		if pause(ctx, min(wait, long-time.Since(began))) != nil {
			return e.lookOnceMore(ctx)
		}
		s, err = e.read(ctx)
		over := time.Since(began) >= long
		switch {
		case err == nil && e.moved(s):
			return s, true, nil
		case IsGone(err), credentialsRefused(err), err == nil && over:
			return s, false, err
		case over:
			return s, false, &InterruptedError{Operation: OperationExtend, Sent: true, Timeout: true, Err: firstError(e.last, err)}
		}
	}
}

// lookOnceMore reads the session after the context has ended.
func (e *extension) lookOnceMore(ctx context.Context) (s Session, moved bool, _ error) {
	interruption := newInterruptedError(ctx, OperationExtend, true, e.last)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPollTimeout)
	defer cancel()
	s, err := e.client.readOnce(ctx, e.ref, 1)
	if err == nil && e.moved(s) {
		return s, true, nil
	}
	return Session{}, false, interruption
}
