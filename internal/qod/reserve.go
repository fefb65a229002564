package qod

import (
	"context"
	"errors"
	"net/http"
	"path"
	"time"
)

const (
	// snapshotAge is how old the list taken before a POST may be, so that a burst of creates
	// shares one.
	snapshotAge = 10 * time.Second
	// snapshotBudget bounds that list: without one the POST is still sent.
	snapshotBudget = 10 * time.Second

	// clockSlack is how far two readings of one server's clock may lie apart: Date and startedAt
	// are both cut to whole seconds.
	clockSlack = 2 * time.Second

	// conflictPatience is how long a 409 may still be the echo of this process's own delete, or of
	// a POST whose answer was lost.
	conflictPatience = 20 * time.Second
	conflictInterval = time.Second
)

// looks are the pauses before each look for a session whose answer was lost: what a gateway
// answered with an error may be committed a little later.
var looks = []time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}

// Reserve creates a session and returns as soon as its id is known, which may be together with
// an error: record the session first. No POST is repeated before it is known what became of the
// last one, and no session is taken over that is not provably the one asked for.
//
// The context ends locks, waits and further POSTs. A POST that was sent is not cut by it, only by
// the request timeout, and looking for a lost one has as much time again: a create that gives up
// half-way leaves a bill that nobody can stop.
//
// Errors: *Error (refused), *TokenError, *ConflictError, *UnresolvedError, *InterruptedError,
// ErrWindowClosed, *PanicError.
func (c *Client) Reserve(ctx context.Context, spec Spec) (s Session, err error) {
	defer catch(&err)
	unlock, lockErr := c.held.lock(ctx, spec.Device)
	if lockErr != nil {
		return Session{}, stopped(ctx, OperationCreate, false, nil)
	}
	defer unlock()

	// A failure here proves that nothing was sent.
	if _, err := c.authorizer.Token(ctx, spec.Device); err != nil {
		return Session{}, unlessStopped(ctx, err)
	}
	create := creation{client: c, spec: spec, before: c.snapshotBefore(ctx)}
	return create.run(ctx, &s)
}

func (c *Client) snapshotBefore(ctx context.Context) *snapshot {
	ctx, cancel := context.WithTimeout(ctx, snapshotBudget)
	defer cancel()
	taken, err := c.lists.since(ctx, time.Now().Add(-snapshotAge))
	if err != nil {
		return nil
	}
	return taken
}

func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return stopped(ctx, OperationCreate, false, informative(err))
	}
	return err
}

// creation is one create on its way.
type creation struct {
	client *Client
	spec   Spec
	before *snapshot // nil when it could not be taken

	firstPost time.Time // the server's time just before the first POST; zero when unknown
	lost      []*Error  // POSTs whose fate is unknown
	until     time.Time // when the session of the last lost POST would end
}

// run posts until there is a session or a reason to stop. It sets *s the moment the id is known,
// so that not even a panic behind it loses it.
func (cr *creation) run(ctx context.Context, s *Session) (Session, error) {
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return *s, cr.failed(stopped(ctx, OperationCreate, len(cr.lost) > 0, nil))
		}
		err := cr.post(ctx, attempt, s)
		if s.ID != "" {
			return *s, nil
		}
		var failure *Error
		if !errors.As(err, &failure) {
			return *s, cr.failed(unlessStopped(ctx, err))
		}
		var wait time.Duration
		switch {
		case failure.Status == http.StatusConflict:
			again, err := cr.conflict(ctx, failure, s)
			if s.ID != "" {
				return *s, nil
			}
			if !again {
				return *s, err
			}
			attempt--
			wait = conflictInterval
		case failure.outcome == unknown:
			cr.lose(failure)
			found, err := cr.look(ctx)
			if found.ID != "" {
				*s = found
				return *s, nil
			}
			if err != nil {
				return *s, err
			}
			wait = failure.RetryAfter
		case failure.outcome == unsent && !failure.trust, failure.Status == http.StatusTooManyRequests:
			wait = failure.RetryAfter
		default:
			return *s, cr.failed(failure)
		}
		if attempt > cr.client.maxRetries {
			return *s, cr.failed(failure)
		}
		if wait == 0 {
			wait = backoff(attempt)
		}
		if !fits(ctx, wait) {
			return *s, cr.failed(failure)
		}
		if pause(ctx, wait) != nil {
			return *s, cr.failed(stopped(ctx, OperationCreate, true, failure))
		}
	}
}

// post sends one POST under a context that nothing cancels, and sets *s when it made a session.
func (cr *creation) post(ctx context.Context, attempt int, s *Session) error {
	c := cr.client
	spec, err := cr.current(ctx)
	if err != nil {
		return err
	}
	r, err := c.dialect.create(spec)
	if err != nil {
		return err
	}
	token, err := c.authorizer.Token(ctx, spec.Device)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cr.spec.Seconds = spec.Seconds
	if cr.firstPost.IsZero() {
		cr.firstPost, _ = c.serverTime()
	}
	a, err := c.callWith(context.WithoutCancel(ctx), r, spec.Device, token, attempt)
	if err != nil {
		return err
	}
	made, err := c.dialect.session(a.body)
	if made.ID == "" {
		made.ID = idOfLocation(a.header.Get("Location"))
	}
	if made.ID == "" {
		return unreadable(r, a, errors.Join(err, a.bodyErr))
	}
	*s = made
	c.held.claim(made.ID, spec.Device)
	return nil
}

// current works out how long the session has to last if it starts now.
func (cr *creation) current(ctx context.Context) (Spec, error) {
	spec := cr.spec
	if spec.Until.IsZero() {
		return spec, nil
	}
	now, err := cr.client.Now(ctx)
	if err != nil {
		return spec, err
	}
	spec.Seconds = min(int64(spec.Until.Sub(now)/time.Second), cr.client.dialect.longest())
	if spec.Seconds < 1 {
		return spec, ErrWindowClosed
	}
	return spec, nil
}

func (c *Client) serverTime() (time.Time, bool) {
	now, known := c.clock.now()
	if !known {
		return time.Time{}, false
	}
	return now, true
}

// idOfLocation is the last path segment of a Location header, for a 201 without a readable body.
func idOfLocation(location string) string {
	if id := path.Base(location); location != "" && validID(id) && id != "sessions" {
		return id
	}
	return ""
}

// lose records a POST without a usable answer.
func (cr *creation) lose(failure *Error) {
	cr.lost = append(cr.lost, failure)
	now, known := cr.client.serverTime()
	if !known {
		now = time.Now().UTC()
	}
	cr.until = now.Add(time.Duration(cr.spec.Seconds) * time.Second)
}

// look searches for the session of a lost answer. It returns neither session nor error when the
// network shows none, which is when another POST may be sent.
func (cr *creation) look(ctx context.Context) (Session, error) {
	interrupted := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cr.client.requestTimeout)
	defer cancel()
	var possible []Session
	for _, wait := range looks {
		if pause(ctx, wait) != nil {
			break
		}
		taken, err := cr.client.lists.since(ctx, time.Now())
		if err != nil {
			return Session{}, cr.unresolved(cr.lastLost(), nil, err, interrupted)
		}
		var ours []Session
		ours, possible = cr.candidates(taken.sessions)
		if len(ours) == 1 && cr.client.held.claim(ours[0].ID, cr.spec.Device) {
			return ours[0], nil
		}
		if len(ours) > 0 {
			return Session{}, cr.unresolved(cr.lastLost(), append(ours, possible...), nil, interrupted)
		}
	}
	if len(possible) > 0 {
		return Session{}, cr.unresolved(cr.lastLost(), possible, nil, interrupted)
	}
	return Session{}, nil
}

// candidates splits the listed sessions that may be the one asked for: ours, which can be
// nobody else's as far as this API can show, and possible, which cannot be told. Everything that
// existed before the POST, is another resource's, or contradicts what was asked for is neither.
func (cr *creation) candidates(listed []Session) (ours, possible []Session) {
	for _, s := range listed {
		contradicts := (s.QoSProfile != "" && s.QoSProfile != cr.spec.QoSProfile) ||
			(!s.Device.IsZero() && !cr.spec.Device.Matches(s.Device)) ||
			(!s.StartedAt.IsZero() && !cr.firstPost.IsZero() && s.StartedAt.Before(cr.firstPost.Add(-clockSlack)))
		existed := cr.before != nil && cr.before.ids[s.ID]
		if contradicts || existed || cr.client.held.owns(s.ID) {
			continue
		}
		isNew := cr.before != nil || (!s.StartedAt.IsZero() && !cr.firstPost.IsZero())
		if isNew && s.QoSProfile != "" && !s.Device.IsZero() {
			ours = append(ours, s)
		} else {
			possible = append(possible, s)
		}
	}
	return ours, possible
}

// conflict handles a 409. It reports whether the POST may be repeated; otherwise *s is set (the
// conflict was with the session of our own lost answer) or there is an error.
func (cr *creation) conflict(ctx context.Context, failure *Error, s *Session) (again bool, err error) {
	c := cr.client
	if len(cr.lost) > 0 {
		for began := time.Now(); ; {
			found, err := cr.look(ctx)
			if found.ID != "" {
				*s = found
				return false, nil
			}
			if err != nil {
				return false, err
			}
			if time.Since(began) > min(conflictPatience, c.requestTimeout) || pause(ctx, conflictInterval) != nil {
				break
			}
		}
	} else if at := c.held.releasedAt(cr.spec.Device); !at.IsZero() && time.Since(at) < conflictPatience && ctx.Err() == nil {
		return true, nil
	}
	return false, cr.failed(cr.explainConflict(ctx, failure))
}

func (cr *creation) explainConflict(ctx context.Context, failure *Error) *ConflictError {
	c := cr.client
	conflict := &ConflictError{Device: cr.spec.Device, Own: c.held.of(cr.spec.Device), Now: failure.ServerTime, Err: failure}
	if len(conflict.Own) > 0 {
		return conflict
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.requestTimeout)
	defer cancel()
	taken, err := c.lists.since(ctx, time.Now())
	if err != nil {
		conflict.LookErr = err
		return conflict
	}
	for _, s := range taken.sessions {
		switch {
		case s.Device.IsZero():
			if !c.held.owns(s.ID) {
				conflict.Possible = append(conflict.Possible, s)
			}
		case cr.spec.Device.Matches(s.Device):
			conflict.Visible = append(conflict.Visible, s)
		}
	}
	return conflict
}

func (cr *creation) lastLost() *Error { return cr.lost[len(cr.lost)-1] }

// failed keeps "may exist" on every error behind a lost answer.
func (cr *creation) failed(err error) error {
	var already *UnresolvedError
	if len(cr.lost) == 0 || errors.As(err, &already) {
		return err
	}
	var interruption *InterruptedError
	return cr.unresolved(err, nil, nil, errors.As(err, &interruption) && !interruption.Timeout)
}

func (cr *creation) unresolved(err error, candidates []Session, lookErr error, interrupted bool) *UnresolvedError {
	u := &UnresolvedError{
		Device: cr.spec.Device, Candidates: candidates, Until: cr.until, Seconds: cr.spec.Seconds,
		LookErr: lookErr, Interrupted: interrupted, Err: err,
	}
	for _, e := range cr.lost {
		u.Correlators = append(u.Correlators, e.Correlator)
	}
	return u
}
