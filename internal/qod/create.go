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
	// slowSettling is settling for a network that was slow already, that said it did create, or whose
	// list has shown nothing newer than the lost POST.
	slowSettling = 10 * time.Second
	// patienceForStart is how long to look for the start of a session that may be the one asked for.
	patienceForStart = 20 * time.Second
)

// Create creates a session and returns as soon as its id is known, which may be together with
// an error: record the session first. No POST is repeated before it is known what became of the
// last one, and no session is taken over that is not provably the one asked for.
//
// The context ends locks, waits and further POSTs. A POST that was sent is not cut by it, only by
// the request timeout, and looking for a lost one has as much time again: a create that gives up
// half-way leaves a bill that nobody can stop.
//
// Errors: *Error (refused), *TokenError, *ConflictError, *UnresolvedError, *InterruptedError,
// ErrWindowClosed, *PanicError.
func (c *Client) Create(ctx context.Context, spec Spec) (s Session, err error) {
	create := creation{client: c, spec: spec}
	defer func() {
		if fault := recover(); fault != nil {
			// What is known by now is all that anybody will ever know.
			s, err = create.made, create.failed(newPanicError(fault))
		}
	}()
	unlock, lockErr := c.locks.lock(ctx, spec.Device)
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
	lastPost time.Time // just before the last POST
	lost     []*Error  // POSTs whose fate is unknown
	lostAt   time.Time // when the last of them was given up, by this process's clock
	until    time.Time // when the session of the last lost POST would end
	made     Session   // what the last POST made

	token       Token          // of the last POST
	began       time.Time      // when the first POST was prepared
	rateLimits  int            // answers that asked for fewer requests
	rateLimit   *Error         // the latest of them
	conflicts   int            // answers in a row that said that the device has a session
	conflicted  time.Time      // when the first of them came
	conflicting *ConflictError // the last one that showed a session; nil for none
}

// run posts until there is a session or a reason to stop.
func (cr *creation) run(ctx context.Context) (Session, error) {
	cr.began = time.Now()
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return Session{}, cr.failed(stopped(ctx, OperationCreate, len(cr.lost) > 0, cr.lastRefusal()))
		}
		if len(cr.lost) == 0 {
			cr.before = cr.client.snapshotBefore(ctx)
		} else if found, err := cr.look(ctx, 0); found.ID != "" || err != nil {
			return found, err
		}
		s, err := cr.post(ctx, attempt+cr.rateLimits)
		if isUnauthorized(err) {
			var over bool
			if s, over, err = cr.replay(ctx, err, attempt); over {
				return s, err
			}
		}
		if s.ID != "" {
			cr.made = s
			if taken := cr.taken(s); taken != nil {
				return Session{}, cr.failed(taken)
			}
			return s, cr.verifySingle(ctx, s)
		}
		var failure *Error
		if !errors.As(err, &failure) || failure.Operation != OperationCreate {
			if ctx.Err() != nil {
				err = firstError(informative(err), cr.lastRefusal())
			}
			return Session{}, cr.failed(unlessStopped(ctx, err))
		}
		found, next, err := cr.handle(ctx, failure)
		if next.stop {
			return found, err
		}
		if !next.counts {
			attempt--
		}
		if attempt > cr.client.maxRetries {
			return Session{}, cr.failed(failure)
		}
		wait := next.wait
		if wait == 0 {
			wait = backoff(max(1, attempt))
		}
		if !fits(ctx, wait) {
			return Session{}, cr.failed(failure)
		}
		if pause(ctx, wait) != nil {
			return Session{}, cr.failed(stopped(ctx, OperationCreate, len(cr.lost) > 0, failure))
		}
	}
}

// lastRefusal is the latest 429, nil for none: what a create whose time is up meanwhile was kept from by.
func (cr *creation) lastRefusal() error {
	if cr.rateLimit == nil {
		return nil
	}
	return cr.rateLimit
}

// nextStep is what follows a POST that made no session that is known.
type nextStep struct {
	stop   bool          // with the session of a lost answer, or an error
	counts bool          // the POST was one of those that are repeated max_retries times at most
	wait   time.Duration // until the next POST; zero for what its number says
}

// handle decides what follows a failed POST.
func (cr *creation) handle(ctx context.Context, failure *Error) (Session, nextStep, error) {
	switch {
	case failure.Status == http.StatusConflict:
		found, wait, err := cr.conflict(ctx, failure)
		return found, nextStep{stop: wait == 0, wait: wait}, err
	case errors.Is(failure, errNoTurn) && cr.rateLimit != nil:
		return Session{}, nextStep{stop: true}, cr.failed(cr.rateLimit)
	case errors.Is(failure, errNoTurn):
		return Session{}, nextStep{stop: true}, cr.failed(failure)
	case failure.Status == http.StatusTooManyRequests && !outlasted(ctx, cr.began):
		// It proves that nothing happened: it costs no retry, and goes on until the context ends.
		cr.rateLimits, cr.rateLimit = cr.rateLimits+1, failure
		return Session{}, nextStep{wait: cmp.Or(failure.RetryAfter, busyBackoff(cr.rateLimits))}, nil
	case failure.outcome == unknown:
		cr.lose(failure)
		found, err := cr.look(ctx, settlingAfter(failure))
		if err == nil && found.ID == "" && failure.Status/100 == 2 {
			// It said that it created one. Another POST would buy a second.
			err = cr.failed(failure)
		}
		busy := failure.Status == http.StatusServiceUnavailable && failure.RetryAfter > 0
		return found, nextStep{stop: found.ID != "" || err != nil, counts: !busy, wait: failure.RetryAfter}, err
	case failure.outcome == unsent && !failure.trust:
		return Session{}, nextStep{counts: true, wait: failure.RetryAfter}, nil
	}
	return Session{}, nextStep{stop: true}, cr.failed(failure)
}

// replay repeats a POST that was refused with a 401, once, with a new token. A 401 comes before any
// processing, or should: a list has to show first that no session was made. One that it shows, and that
// is ours, is adopted, and the create is over; so it is where nobody can tell. Like the POST itself,
// nothing cuts this short.
func (cr *creation) replay(ctx context.Context, refusal error, attempt int) (s Session, over bool, err error) {
	c := cr.client
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchBudget+2*c.requestTimeout)
	defer cancel()
	c.authorizer.Refused(cr.token)
	if _, err := c.authorizer.Token(ctx, cr.spec.Device); err != nil {
		return Session{}, false, withoutToken(refusal, err)
	}
	var failure *Error
	if errors.As(refusal, &failure) && !c.lists.refused() {
		cr.lose(failure)
		if found, lookErr := cr.look(ctx, 0); found.ID != "" || lookErr != nil {
			return found, true, lookErr
		}
		// From here on it counts as one whose answer was lost, in case it was processed and lists lag. A
		// second 401 proves that neither was.
		defer func() {
			if isUnauthorized(err) {
				cr.lost = cr.lost[:len(cr.lost)-1]
			}
		}()
	}
	s, err = cr.post(ctx, attempt)
	return s, false, err
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
	cr.spec.Seconds, cr.token = spec.Seconds, token
	if cr.lastPost = time.Now(); len(cr.lost) == 0 {
		cr.postedAt = cr.lastPost
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
	a, err := c.send(context.WithoutCancel(ctx), r, d, token, attempt)
	if err != nil {
		return Session{}, err
	}
	made, err = c.dialect.session(a.body)
	if contradicts(d, made.Device) {
		return Session{}, unreadable(r, a, errOtherDevice) // somebody else's answer, and session
	}
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

func (cr *creation) lastLost() *Error { return cr.lost[len(cr.lost)-1] }

// failed keeps "may exist" on every error behind a lost answer, and the sessions that a conflict has shown
// on every one behind that: what caused it may be our own, where a proxy has sent the POST twice.
func (cr *creation) failed(err error) error {
	var already *UnresolvedError
	var conflict *ConflictError
	if cr.conflicting != nil && !errors.As(err, &already) && !errors.As(err, &conflict) {
		cr.conflicting.Then = err
		err = cr.conflicting
	}
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
