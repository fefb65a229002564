package qod

import (
	"context"
	"errors"
	"strings"
	"time"
)

// readTimeout bounds one read or list, retries included.
const readTimeout = 2 * time.Minute

// Read returns the session as it was at most ten seconds ago, and never as it was before this
// process last changed it. IsGone(err) holds only where it is proven; an *UnprovenError is a 404
// that proves nothing.
func (c *Client) Read(ctx context.Context, ref Ref) (s Session, err error) {
	defer recoverTo(&err)
	if err := c.checkRef(OperationRead, ref); err != nil {
		return Session{}, err
	}
	return inReadTimeout(ctx, c, OperationRead, ref.Device, func(ctx context.Context) (Session, error) {
		return c.reads.read(ctx, ref, func() (Session, error) {
			s, _, err := c.readOrProve(ctx, ref)
			return s, err
		})
	})
}

// inReadTimeout runs an operation that changes nothing in at most readTimeout. The time in which
// the device's user is asked does not count: it is the grant's, and only the end of ctx ends it.
func inReadTimeout[T any](ctx context.Context, c *Client, op Operation, d Device, run func(context.Context) (T, error)) (T, error) {
	for {
		if err := c.awaitConsent(ctx, op, d); err != nil {
			var none T
			return none, err
		}
		bounded, cancel := context.WithTimeout(ctx, readTimeout)
		result, err := run(bounded)
		cancel()
		var pending *PendingConsentError
		if err == nil || ctx.Err() != nil || !errors.As(err, &pending) {
			return result, err
		}
		// Its token was refused meanwhile, and the user is being asked for another one.
	}
}

// awaitConsent waits until there is a token for the device, where each is for one.
func (c *Client) awaitConsent(ctx context.Context, op Operation, d Device) error {
	if !c.authorizer.PerDevice() || d.IsZero() {
		return nil
	}
	_, err := c.authorizer.Token(ctx, d)
	if err != nil && ctx.Err() != nil {
		return newInterruptedError(ctx, op, false, withoutContextError(err))
	}
	return err
}

// readOrProve asks for the session itself, or proves that it is gone. listed says that only a list
// shows the session.
func (c *Client) readOrProve(ctx context.Context, ref Ref) (s Session, listed bool, err error) {
	s, err = retry(ctx, OperationRead, c.config.MaxRetries, func(attempt int) (Session, error) {
		return c.readOnce(ctx, ref, attempt)
	})
	if missing := notFound(err); missing != nil {
		again := func(ctx context.Context) (Session, error) { return c.readOnce(ctx, ref, 1) }
		return absence{client: c, ref: ref, answer: missing, repeat: again}.prove(ctx)
	}
	return s, false, err
}

// readOnce asks for the session itself, once.
func (c *Client) readOnce(ctx context.Context, ref Ref, attempt int) (Session, error) {
	r := c.dialect.read(ref.ID)
	a, err := c.get(ctx, r, ref.Device, attempt)
	if err != nil {
		return Session{}, err
	}
	s, err := c.decodeRead(r, a, ref.Device)
	if err == nil {
		subject, _ := c.lists.subject(ref.Device)
		c.own.recordSeen(ref, subject)
	}
	return s, err
}

// ReadCached returns the session where a shared list shows that it is healthy; see readCoalescer.
// It never asks for the session itself. False means that only Read can tell.
func (c *Client) ReadCached(ctx context.Context, ref Ref) (Session, bool) {
	return c.reads.readCached(ctx, ref)
}

// decodeRead decodes the answer to a read. A session that shows another id, no id or another device
// is not the one that was requested.
func (c *Client) decodeRead(r request, a answer, d Device) (Session, error) {
	s, err := c.dialect.session(a.body)
	if contradicts(d, s.Device) {
		err = ErrOtherDevice
	}
	if s.ID != "" && !strings.EqualFold(s.ID, r.sessionID) {
		err = ErrOtherSession
	}
	if err != nil {
		return Session{}, unreadable(r, a, err)
	}
	s.ID = r.sessionID
	return s, nil
}
