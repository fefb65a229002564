package qod

import (
	"context"
	"errors"
	"net/http"
)

// Release deletes the session. It returns nil when the API says that it did. IsGone(err) holds
// when it proves that there is no such session, which is success only at the origin that made it:
// the caller decides. A repeated DELETE after a lost answer ends the same way.
func (c *Client) Release(ctx context.Context, ref Ref) (err error) {
	defer catch(&err)
	if !validID(ref.ID) {
		return invalidID(OperationRelease, ref.ID)
	}
	// From now on and until it is through, no list knows.
	c.reader.wrote(ref.ID)
	defer c.reader.wrote(ref.ID)
	r := c.dialect.release(ref.ID)
	a, err := retry(ctx, r.operation, c.maxRetries, func(attempt int) (answer, error) {
		a, err := c.call(ctx, r, ref.Device, attempt)
		if err == nil && !speaksJSON(a) {
			// The login page of a portal says 200, too, and the session would be billed and forgotten.
			err = unreadable(r, a, errors.New("the answer is not the API's"))
		}
		return a, err
	})
	if err == nil && a.status == http.StatusAccepted {
		err = c.awaitRelease(ctx, ref)
	}
	if err == nil || IsGone(err) {
		c.held.release(ref)
	}
	return err
}

// awaitRelease waits for a delete that the API has only accepted. A session that becomes UNAVAILABLE
// is on its way out; one that is so from the start may have been so before, and blocks its device.
func (c *Client) awaitRelease(ctx context.Context, ref Ref) error {
	lived := false
	for attempt := 1; ; attempt++ {
		s, err := c.readOnce(ctx, ref, attempt)
		if IsGone(err) || (err == nil && s.Status == StatusUnavailable && lived) {
			return nil
		}
		lived = lived || err == nil && s.Status != StatusUnavailable
		if pause(ctx, max(backoff(attempt), min(maxAsked, asked(err)))) != nil {
			return stopped(ctx, OperationRelease, true, informative(err))
		}
	}
}
