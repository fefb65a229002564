package qod

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// maxDeletePause bounds the time between two tries to delete a session that the API is busy with,
// or that it answers with a 404 although a list shows it.
const maxDeletePause = 5 * time.Second

// Delete deletes the session. It returns nil when the API confirms the deletion. IsGone(err) holds
// when it is proven that there is no such session, which is also how a repeated DELETE ends after a
// lost answer. That is success only at the origin where the session was created, so the caller
// decides.
//
// While the API is busy with the session, or answers with a 404 although a list shows the session,
// the DELETE is repeated until the context ends.
func (c *Client) Delete(ctx context.Context, ref Ref) (err error) {
	defer recoverTo(&err)
	if err := c.checkRef(OperationDelete, ref); err != nil {
		return err
	}
	// No list from before the end of the delete says anything about the session.
	c.reads.invalidate(ref.ID)
	defer c.reads.invalidate(ref.ID)
	ended := c.own.beginDeletion(ref)
	defer func() { ended(err != nil && !IsGone(err)) }()
	var last error // why it was not deleted yet
	for attempt := 1; ; attempt++ {
		err := c.deleteOnce(ctx, ref)
		if !isBusy(err) && !isStillListed(err) {
			var interruption *InterruptedError
			if last != nil && errors.As(err, &interruption) && (interruption.Err == nil || isStillListed(last)) {
				return deleteTimedOut(ctx, last) // its time was up in the middle of a request
			}
			return err
		}
		last = err
		if pause(ctx, max(withJitter(min(maxDeletePause, firstBackoff*time.Duration(attempt))), min(maxRequestedDelay, requestedDelay(err)))) != nil {
			return deleteTimedOut(ctx, err)
		}
	}
}

// deleteTimedOut is how a delete ends when its context does.
func deleteTimedOut(ctx context.Context, last error) error {
	if isStillListed(last) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return last // it says more than that the time is up
	}
	return newInterruptedError(ctx, OperationDelete, true, last)
}

// isBusy reports whether a session cannot be changed just now: the API is working on it (409, 423),
// or it is too early (425).
func isBusy(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.class == classBusy
}

// isStillListed reports whether a delete was answered with a 404 for a session that a list shows.
func isStillListed(err error) bool {
	var unproven *UnprovenError
	return errors.As(err, &unproven) && unproven.Listed
}

// deleteOnce deletes the session, or proves that it is gone.
func (c *Client) deleteOnce(ctx context.Context, ref Ref) error {
	a, err := retry(ctx, OperationDelete, c.config.MaxRetries, func(attempt int) (answer, error) {
		return c.sendDelete(ctx, ref, attempt)
	})
	switch missing := notFound(err); {
	case missing != nil:
		return c.proveDeleted(ctx, ref, missing)
	case err == nil && a.status != http.StatusNoContent:
		return c.awaitDeletion(ctx, ref)
	}
	return err
}

func (c *Client) sendDelete(ctx context.Context, ref Ref, attempt int) (answer, error) {
	r := c.dialect.delete(ref.ID)
	a, err := c.call(ctx, r, ref.Device, attempt)
	if err == nil && !isJSONOrEmpty(a) {
		// The login page of a captive portal has the status 200 too. If it counted as success, the
		// session would be forgotten and billed.
		err = unreadable(r, a, errors.New("the answer is not the API's"))
	}
	return a, err
}

// proveDeleted looks for proof after a DELETE was answered with a 404. It returns nil if the
// session existed after all and another DELETE has deleted it.
func (c *Client) proveDeleted(ctx context.Context, ref Ref, missing *Error) error {
	again := func(ctx context.Context) (Session, error) {
		a, err := c.sendDelete(ctx, ref, 1)
		if err == nil && a.status != http.StatusNoContent {
			err = c.awaitDeletion(ctx, ref)
		}
		return Session{ID: ref.ID}, err
	}
	_, listed, err := absence{client: c, ref: ref, answer: missing, repeat: again}.prove(ctx)
	if listed {
		err = &UnprovenError{ID: ref.ID, Listed: true, Err: missing}
	}
	return err
}

// awaitDeletion waits for a delete that the API has only accepted (202), or answered with a success
// status other than the 204 of its document: a gateway's error may come with a 200. A session that
// becomes UNAVAILABLE is being deleted; one that is UNAVAILABLE at the first poll may have been so
// before the delete, and still blocks its device.
func (c *Client) awaitDeletion(ctx context.Context, ref Ref) error {
	again := func(ctx context.Context) (Session, error) { return c.readOnce(ctx, ref, 1) }
	lived := false
	for attempt := 1; ; attempt++ {
		s, err := c.readOnce(ctx, ref, attempt)
		if missing := notFound(err); missing != nil {
			s, _, err = absence{client: c, ref: ref, answer: missing, repeat: again, accepted: true}.prove(ctx)
		}
		if IsGone(err) || (err == nil && s.Status == StatusUnavailable && lived) {
			return nil
		}
		lived = lived || err == nil && s.Status != StatusUnavailable
		if pause(ctx, max(backoff(attempt), min(maxRequestedDelay, requestedDelay(err)))) != nil {
			return newInterruptedError(ctx, OperationDelete, true, withoutContextError(err))
		}
	}
}
