package qod

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	// snapshotBudget bounds that list: without one the POST is still sent.
	snapshotBudget = 5 * time.Second

	// snapshotGap is how much older than the POST that list may be for a session that shows no start
	// to count as made by it: somebody else may have made it in between. A burst of creates shares a
	// list that is half as old.
	snapshotGap = 2 * time.Second

	// burstShare is how old that list may be in a long burst, as a part of the time it has taken so far,
	// so that a thousand creates make some ten lists. What it costs: a session without a start, whose
	// answer is lost late in the burst, is named in an error and not taken over.
	burstShare = 4

	// clockSlack is how far two readings of one server's clock may lie apart: Date and startedAt
	// are both cut to whole seconds.
	clockSlack = 2 * time.Second

	// settling is how long a session may take to show after the answer to its POST was lost: what
	// a gateway answered with an error may be committed a little later.
	settling = time.Second
	// firstLook is the time from the first look for it to the second; each further one is twice that.
	firstLook = 200 * time.Millisecond
	// slowSettling is settling for a network that was slow already, or that said it did create.
	slowSettling = 10 * time.Second

	// conflictPatience is how long a 409 may still be the echo of this process's own delete, or of
	// a POST whose answer was lost.
	conflictPatience = 20 * time.Second
	conflictInterval = time.Second
)

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
	create := creation{client: c, spec: spec}
	defer func() {
		if fault := recover(); fault != nil {
			// What is known by now is all that anybody will ever know.
			s, err = create.made, create.failed(newPanicError(fault))
		}
	}()
	unlock, lockErr := c.held.lock(ctx, spec.Device)
	if lockErr != nil {
		return Session{}, stopped(ctx, OperationCreate, false, nil)
	}
	defer unlock()
	c.posting.Lock()
	defer c.posting.Unlock()

	// A failure here proves that nothing was sent.
	if _, err := c.authorizer.Token(ctx, spec.Device); err != nil {
		return Session{}, unlessStopped(ctx, err)
	}
	s, err = create.run(ctx)
	if s.ID != "" {
		c.reader.wrote(s.ID)
	}
	return s, err
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

	before   *snapshot // taken before the first POST that may have been lost; nil when it could not be
	postedAt time.Time // just before that POST, by this process's clock
	lost     []*Error  // POSTs whose fate is unknown
	until    time.Time // when the session of the last lost POST would end
	made     Session   // what the last POST made
}

// run posts until there is a session or a reason to stop.
func (cr *creation) run(ctx context.Context) (Session, error) {
	began, busy := time.Now(), 0
	var tooMany error // the latest 429
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return Session{}, cr.failed(stopped(ctx, OperationCreate, len(cr.lost) > 0, nil))
		}
		if len(cr.lost) == 0 {
			cr.before = cr.client.snapshotBefore(ctx)
		} else if found, err := cr.look(ctx, 0); found.ID != "" || err != nil {
			return found, err
		}
		s, err := cr.post(ctx, attempt+busy)
		if s.ID != "" {
			cr.made = s
			if taken := cr.taken(s); taken != nil {
				return Session{}, cr.failed(taken)
			}
			return s, cr.twice(ctx, s)
		}
		var failure *Error
		if !errors.As(err, &failure) || failure.Operation != OperationCreate {
			return Session{}, cr.failed(unlessStopped(ctx, err))
		}
		wait := failure.RetryAfter
		switch {
		case failure.Status == http.StatusConflict:
			found, again, err := cr.conflict(ctx, failure)
			if !again {
				return found, err
			}
			attempt, wait = attempt-1, conflictInterval
		case failure.outcome == unknown:
			cr.lose(failure)
			found, err := cr.look(ctx, settlingAfter(failure))
			if found.ID != "" || err != nil {
				return found, err
			}
			if failure.Status/100 == 2 {
				// It said that it created one. Another POST would buy a second.
				return Session{}, cr.failed(failure)
			}
		case errors.Is(err, errNoTurn):
			return Session{}, cr.failed(firstError(tooMany, err))
		case failure.Status == http.StatusTooManyRequests && !outlasted(ctx, began):
			// It proves that nothing happened: it costs no try, and goes on until the context ends.
			busy, tooMany = busy+1, failure
			attempt, wait = attempt-1, cmp.Or(wait, busyBackoff(busy))
		case failure.outcome == unsent && !failure.trust:
		default:
			return Session{}, cr.failed(failure)
		}
		if attempt > cr.client.maxRetries {
			return Session{}, cr.failed(failure)
		}
		if wait == 0 {
			wait = backoff(attempt)
		}
		if !fits(ctx, wait) {
			return Session{}, cr.failed(failure)
		}
		if pause(ctx, wait) != nil {
			return Session{}, cr.failed(stopped(ctx, OperationCreate, len(cr.lost) > 0, failure))
		}
	}
}

// snapshotBefore is a recent list, which a burst of creates shares, or nil where there is none to be
// had.
func (c *Client) snapshotBefore(ctx context.Context) *snapshot {
	if c.lists.refused() {
		return nil
	}
	budget, cancel := context.WithTimeout(ctx, snapshotBudget)
	defer cancel()
	look := c.listSince
	if !c.lists.promising() {
		look = c.lists.since // once: each create of a fleet comes by here
	}
	age := min(snapshotAge, max(snapshotGap/2, c.creating()/burstShare))
	taken, err := look(budget, time.Now().Add(-age))
	if err != nil {
		if ctx.Err() == nil && budget.Err() != nil {
			c.lists.disappoint()
		}
		return nil
	}
	return taken
}

// creating is for how long this process has been creating sessions.
func (c *Client) creating() time.Duration {
	c.firstCreate.CompareAndSwap(nil, new(time.Now()))
	return time.Since(*c.firstCreate.Load())
}

// post sends one POST under a context that nothing cancels.
func (cr *creation) post(ctx context.Context, attempt int) (Session, error) {
	c := cr.client
	// Here, and not where the POST is sent: there nothing ends the wait, and the seconds are counted.
	if err := c.awaitTurn(ctx, request{operation: OperationCreate}); err != nil {
		return Session{}, err
	}
	spec, err := cr.current(ctx)
	if err != nil {
		return Session{}, err
	}
	r, err := c.dialect.create(spec)
	if err != nil {
		return Session{}, err
	}
	token, err := c.authorizer.Token(ctx, spec.Device)
	if err != nil {
		return Session{}, err
	}
	if ctx.Err() != nil {
		return Session{}, ctx.Err()
	}
	cr.spec.Seconds = spec.Seconds
	if len(cr.lost) == 0 {
		cr.postedAt = time.Now()
	}
	return c.sendCreate(ctx, r, spec.Device, token, attempt)
}

// sendCreate is the part of a create that must not be lost: from here on the network may have
// made a session, so even a panic leaves an outcome to reconcile.
func (c *Client) sendCreate(ctx context.Context, r request, d Device, token Token, attempt int) (made Session, err error) {
	defer func() {
		if fault := recover(); fault != nil && made.ID == "" {
			err = &Error{Operation: r.operation, Err: newPanicError(fault), outcome: unknown}
		}
	}()
	// The POST, one new token, and its replay.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*c.requestTimeout+fetchBudget)
	defer cancel()
	a, err := c.callWith(ctx, r, d, token, attempt)
	if err != nil {
		return Session{}, err
	}
	made, err = c.dialect.session(a.body)
	if made.ID == "" {
		made.ID = c.dialect.locatedID(a.header.Get("Location"))
	}
	if made.ID == "" {
		return Session{}, unreadable(r, a, firstError(a.bodyErr, err))
	}
	return made, nil
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

// lose records a POST without a usable answer.
func (cr *creation) lose(failure *Error) {
	cr.lost = append(cr.lost, failure)
	posted := firstTime(cr.client.clock.now(), time.Now().UTC())
	cr.until = posted.Add(time.Duration(cr.spec.Seconds) * time.Second)
}

// settlingAfter is how long to look for the session of a POST that failed like this.
func settlingAfter(failure *Error) time.Duration {
	if failure.Status/100 == 2 || failure.silent || errors.Is(failure.Err, context.DeadlineExceeded) {
		return slowSettling
	}
	return settling
}

// look searches for the session of a lost answer, again and again for as long as it may take to
// show. It returns neither session nor error when the network shows none, which is when another
// POST may be sent.
func (cr *creation) look(ctx context.Context, settling time.Duration) (Session, error) {
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cr.client.requestTimeout)
	defer cancel()
	began := time.Now()
	var tokenless error // says more than that the time was up meanwhile
	for wait := firstLook; ; wait *= 2 {
		taken, err := cr.client.listSince(ctx, time.Now())
		if err != nil {
			// A token that others gave up waiting for, or that is hard to get just now, is no reason to
			// leave a session behind.
			if mayPass(err) {
				tokenless = err
				if pause(ctx, min(wait, maxPoll)) == nil {
					continue
				}
			}
			return Session{}, cr.unresolved(cr.lastLost(), nil, firstError(tokenless, err), interrupted)
		}
		ours, possible := cr.candidates(taken.sessions)
		if len(ours) == 1 {
			if cr.client.held.claim(ours[0].ID, cr.spec.Device) {
				return ours[0], nil
			}
			continue // another create was faster: look again, without it
		}
		done := time.Since(began) >= settling
		if len(ours) > 0 || (done && len(possible) > 0) {
			return Session{}, cr.unresolved(cr.lastLost(), append(ours, possible...), nil, interrupted)
		}
		if done || pause(ctx, wait) != nil {
			return Session{}, nil
		}
	}
}

// twice looks, after a POST that succeeded behind a lost one, whether the lost one made a session
// as well. The error names it; the session that is known is returned all the same.
func (cr *creation) twice(ctx context.Context, s Session) error {
	if len(cr.lost) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cr.client.requestTimeout)
	defer cancel()
	taken, err := cr.client.listSince(ctx, time.Now())
	if err != nil {
		return nil //nolint:nilerr // nothing speaks for a second session, and the first is good
	}
	suspects, possible := cr.candidates(taken.sessions)
	for _, other := range possible {
		// The network takes one session a device, so less than for an adoption is enough.
		if cr.spec.Device.overlaps(other.Device) && !cr.predates(other) {
			suspects = append(suspects, other)
		}
	}
	if len(suspects) == 0 {
		return nil
	}
	u := cr.unresolved(cr.lastLost(), suspects, nil, false)
	u.Kept = s.ID
	return u
}

// predates reports whether the session started before the POST, by the server's clock.
func (cr *creation) predates(s Session) bool {
	// Worked out now, since the first answer with a Date may be that of the list which shows it.
	posted := cr.client.clock.at(cr.postedAt)
	return !s.StartedAt.IsZero() && !posted.IsZero() && s.StartedAt.Before(posted.Add(-clockSlack))
}

// candidates splits the listed sessions that may be the one asked for: ours, which can be
// nobody else's as far as this API can show, and possible, which cannot be told. What existed
// before the POST, is another resource's, or shows another device is neither.
func (cr *creation) candidates(listed []Session) (ours, possible []Session) {
	// What an older list does not show may have come between it and the POST.
	shown := cr.before != nil && cr.postedAt.Sub(cr.before.started) <= snapshotGap
	for _, s := range listed {
		_, contradicts := cr.spec.Device.compare(s.Device)
		if contradicts || cr.client.held.owns(s.ID) || (cr.before != nil && cr.before.has(s.ID)) {
			continue
		}
		clocked := !s.StartedAt.IsZero() && !cr.client.clock.now().IsZero()
		tooOld := cr.predates(s)
		if cr.before == nil && tooOld {
			continue // without a snapshot the clock alone says that it existed before
		}
		if cr.spec.Device.shares(s.Device) && !tooOld && s.QoSProfile == cr.spec.QoSProfile && s.ID != "" && (clocked || shown) {
			ours = append(ours, s)
		} else {
			possible = append(possible, s)
		}
	}
	return ours, possible
}

// conflict handles a 409. It reports whether the POST may be repeated; otherwise there is the
// session of our own lost answer, or an error.
func (cr *creation) conflict(ctx context.Context, failure *Error) (found Session, again bool, err error) {
	c := cr.client
	if len(cr.lost) > 0 {
		found, err := cr.look(ctx, min(slowSettling, c.requestTimeout/2))
		if found.ID != "" || err != nil {
			return found, false, err
		}
	}
	if at := c.held.releasedAt(cr.spec.Device); !at.IsZero() && time.Since(at) < conflictPatience && ctx.Err() == nil && fits(ctx, conflictInterval) {
		return Session{}, true, nil
	}
	return Session{}, false, cr.failed(cr.explainConflict(ctx, failure))
}

func (cr *creation) explainConflict(ctx context.Context, failure *Error) *ConflictError {
	c := cr.client
	conflict := &ConflictError{Device: cr.spec.Device, Own: c.held.of(cr.spec.Device), Now: failure.ServerTime, Err: failure}
	if len(conflict.Own) > 0 {
		return conflict
	}
	ctx, cancel := context.WithTimeout(ctx, c.requestTimeout)
	defer cancel()
	taken, err := c.listSince(ctx, time.Now())
	if err != nil {
		conflict.LookErr = err
		return conflict
	}
	for _, s := range taken.sessions {
		switch {
		case s.ID == "" || c.held.owns(s.ID):
		case s.Device.IsZero():
			conflict.Possible = append(conflict.Possible, s)
		case cr.spec.Device.overlaps(s.Device):
			conflict.Visible = append(conflict.Visible, s)
		}
	}
	return conflict
}

// taken is the error for an answer that shows a session of another resource, of this process or from
// before the POST: two that hold one session would delete it for each other. It is nil for one that
// is new, which from now on is the device's.
func (cr *creation) taken(s Session) *ConflictError {
	conflict := &ConflictError{Device: cr.spec.Device, Err: &Error{
		Operation: OperationCreate, SessionID: s.ID, outcome: refused, Err: errors.New("the answer shows a session that was there before"),
	}}
	held := cr.client.held
	switch {
	case cr.before != nil && cr.before.has(s.ID) && !held.owns(s.ID):
		conflict.Visible = []Session{cr.before.sessions[cr.before.position[s.ID]]}
	case held.claim(s.ID, cr.spec.Device):
		return nil
	default:
		conflict.Own = []string{s.ID}
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
		if e.Correlator != "" {
			u.Correlators = append(u.Correlators, e.Correlator)
		}
	}
	return u
}
