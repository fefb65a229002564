package qod

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The life of a create. A session costs money and a POST cannot be taken back, so:
//
//  1. One create at a time deals with a device (deviceLocks), and a token is fetched first.
//  2. A list from just before the POST (the snapshot) shows which sessions are not ours.
//  3. The POST is sent under a context that nothing cancels (post).
//  4. An answer with an id ends the create. Any other is a failure, and next says what follows it.
//  5. Where the API may have created the session all the same, it is looked for (findLost in
//     lost_answer.go): it is adopted, named in an error, or shown not to exist. Only then is there
//     another POST.
//  6. After a 409, examineConflict (conflict.go) finds out which sessions may be in the way. It is
//     waited out only if it is expected to pass (conflictFacts.mayPass).

// Create creates a session and returns as soon as its id is known. It may come with an error:
// record the session first. No POST is repeated before it is known what the last one did. Only a
// session proven to be the requested one is adopted.
//
// The end of the context ends locks, waits and further POSTs. A POST already sent and the search
// for its session each run for up to RequestTimeout even after that: a create that gives up
// half-way would leave a session that is billed and that nobody can end.
//
// Errors: *Error (refused), *TokenError, *ConflictError, *UnresolvedError, *InterruptedError,
// ErrWindowClosed, *PanicError.
func (c *Client) Create(ctx context.Context, spec Spec) (s Session, err error) {
	create := creation{client: c, spec: spec}
	defer func() {
		if fault := recover(); fault != nil {
			// Nothing more will ever be known of this create than what is known now.
			s, err = create.made, create.withUncertainty(newPanicError(fault))
		}
	}()
	unlock, lockErr := c.locks.lock(ctx, spec.Device)
	if lockErr != nil {
		return Session{}, newInterruptedError(ctx, OperationCreate, false, nil)
	}
	defer unlock()
	// A token failure here, unlike one after a POST, proves that nothing was sent. It may take a
	// person minutes to agree, in which nothing is in flight.
	if _, err := c.authorizer.Token(ctx, spec.Device); err != nil {
		return Session{}, orInterrupted(ctx, err)
	}
	c.config.PostInFlight.Lock()
	defer c.config.PostInFlight.Unlock()
	s, err = create.run(ctx)
	if s.ID != "" {
		c.reads.invalidate(s.ID)
	}
	return s, err
}

func orInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return newInterruptedError(ctx, OperationCreate, false, withoutContextError(err))
	}
	return err
}

// creation is one create in progress.
type creation struct {
	client *Client
	spec   Spec

	failure    *Error  // of the last POST
	made       Session // what the last POST created
	correlator string  // of the answer that said so

	// A lost POST is one without a usable answer: it may have created a session. All times but
	// lostUntil are by this process's clock.
	mayHaveCreated  []*Error  // failures of the lost POSTs
	listedBefore    *snapshot // the list from before the first lost POST; nil if that list failed
	listRefusal     error     // the 401 with which that list failed, with a new token as well
	firstLostPostAt time.Time // just before the first lost POST; before the last POST, if none is lost
	lastLostAt      time.Time // when the last lost POST failed
	lostUntil       time.Time // when the session of the last lost POST would end
	lastPostAt      time.Time // just before the last POST
	created         Session   // the session of the last POST, if one succeeded after a lost one

	longest    int64     // seconds, where the operator has said so; 0 for not asked
	token      Token     // of the last POST
	began      time.Time // when the first POST was prepared
	retries    int       // POSTs that count towards MaxRetries
	rateLimits int       // answers that asked for fewer requests
	rateLimit  *Error    // the latest of them; reported as the cause when time runs out

	conflicts     int            // answers that said that the device has a session
	firstConflict time.Time      // when the first of them came
	conflict      *ConflictError // the latest of them, with the sessions that may be in the way
	shownConflict *ConflictError // the latest of them that showed a session; nil for none
}

// run sends POSTs until the create is done: there is a session, or a reason to stop.
func (cr *creation) run(ctx context.Context) (Session, error) {
	cr.began = time.Now()
	for attempt := 1; ; attempt++ {
		s, done, err := cr.beforePost(ctx)
		if !done {
			s, done, err = cr.postOrReplay(ctx, attempt)
		}
		if !done {
			s, done, err = cr.afterFailure(ctx)
		}
		if done {
			return s, err
		}
	}
}

// beforePost takes the snapshot, or looks for the session of a lost answer once more. The create is
// done if that is found or remains uncertain, or if the context has ended.
func (cr *creation) beforePost(ctx context.Context) (found Session, done bool, err error) {
	switch {
	case ctx.Err() != nil:
		err = cr.withUncertainty(newInterruptedError(ctx, OperationCreate, len(cr.mayHaveCreated) > 0, cr.lastRateLimit()))
	case len(cr.mayHaveCreated) > 0:
		found, err = cr.findLost(ctx, 0)
	default:
		cr.listedBefore, cr.listRefusal = cr.snapshotBefore(ctx)
		if credentialsRefused(cr.listRefusal) {
			err = cr.listRefusal // it says more than that there is no token for the POST
		}
	}
	return found, found.ID != "" || err != nil, err
}

// postOrReplay sends one POST, and repeats one that was answered with a 401. The create is done
// unless the POST itself failed: then the failure is in cr.failure, and next says what follows it.
func (cr *creation) postOrReplay(ctx context.Context, attempt int) (s Session, done bool, err error) {
	s, err = cr.post(ctx, attempt)
	if isUnauthorized(err) {
		if s, done, err = cr.replay(ctx, err, attempt); done {
			return s, true, err
		}
	}
	if s.ID != "" {
		s, err = cr.accept(ctx, s)
		return s, true, err
	}
	if errors.As(err, &cr.failure) && cr.failure.Operation == OperationCreate {
		return Session{}, false, nil
	}
	if ctx.Err() != nil {
		err = firstError(withoutContextError(err), cr.lastRateLimit())
	}
	return Session{}, true, cr.withUncertainty(orInterrupted(ctx, err))
}

// accept takes the session of an answer, unless it is one that existed before.
func (cr *creation) accept(ctx context.Context, s Session) (Session, error) {
	cr.made = s
	if conflict := cr.claim(s); conflict != nil {
		return Session{}, cr.withUncertainty(conflict)
	}
	return s, cr.checkNoSecondAfterPost(ctx, s)
}

// step is what follows a POST that failed.
type step int

const (
	giveUp          step = iota // nothing helps, or nothing may be done
	postAgain                   // nothing was created: repeat the POST, at most MaxRetries times
	postLater                   // the API is rate-limiting: repeat the POST until the time is up
	findOnly                    // look for the session; another POST would buy a second
	findOrPostAgain             // look for the session; if there is none, repeat the POST as in postAgain
	findOrPostLater             // look for the session; if there is none, repeat the POST as in postLater
	awaitConflict               // the session in the way is about to end: repeat the POST until it has
)

// next decides what follows a POST that failed: by the failure, by whether an earlier POST was lost
// and may have created a session, and, for a 409, by what is known of the session in the way.
func next(failure *Error, lost bool, facts conflictFacts) step {
	switch {
	case errors.Is(failure, errNoTimeForSlot):
		return giveUp
	case failure.class == classConflict && facts.mayPass(lost):
		return awaitConflict
	case failure.class == classConflict:
		return giveUp
	case failure.class == classRateLimited:
		return postLater // it proves that nothing happened
	case failure.outcome == unknown && failure.Status/100 == 2:
		return findOnly // the API said that it created one
	case failure.outcome == unknown && failure.Status == http.StatusNotImplemented:
		return findOnly // it would say so again
	case failure.outcome == unknown && isOverloaded(failure):
		return findOrPostLater
	case failure.outcome == unknown:
		return findOrPostAgain
	case failure.outcome == unsent && !failure.permanent:
		return postAgain
	}
	return giveUp
}

// finds reports whether the session of the failed POST is looked for.
func (s step) finds() bool { return s == findOnly || s == findOrPostAgain || s == findOrPostLater }

// afterFailure acts on the next step, and waits until the next POST. The create is done with the
// session of a lost answer, or with an error.
func (cr *creation) afterFailure(ctx context.Context) (found Session, done bool, err error) {
	if cr.shorten(ctx) {
		return Session{}, false, nil
	}
	failure := cr.failure
	var facts conflictFacts
	if failure.class == classConflict {
		if found, err = cr.examineConflict(ctx, failure); found.ID != "" || err != nil {
			return found, true, err
		}
		facts = cr.conflictFacts()
	}
	decision := next(failure, len(cr.mayHaveCreated) > 0, facts)
	if decision.finds() {
		cr.recordLost(failure)
		if found, err = cr.findLost(ctx, searchTimeAfter(failure)); found.ID != "" || err != nil {
			return found, true, err
		}
	}
	wait, again := cr.waitBefore(ctx, decision)
	if !again || !fitsDeadline(ctx, wait) {
		return Session{}, true, cr.withUncertainty(cr.cause(failure))
	}
	if pause(ctx, wait) != nil {
		return Session{}, true, cr.withUncertainty(newInterruptedError(ctx, OperationCreate, len(cr.mayHaveCreated) > 0, failure))
	}
	return Session{}, false, nil
}

// waitBefore is the time until the next POST, if there is to be another.
func (cr *creation) waitBefore(ctx context.Context, decision step) (wait time.Duration, again bool) {
	switch decision {
	case postAgain, findOrPostAgain:
		return cr.retryWait()
	case postLater:
		return cr.rateLimitWait(ctx)
	case findOrPostLater:
		return cr.failure.RetryAfter, true // set: without it a 503 is not overload, see isOverloaded
	case awaitConflict:
		return cr.conflictWait(ctx)
	case giveUp, findOnly:
	}
	return 0, false
}

// retryWait counts a retry, and returns the time until it, if there is one left.
func (cr *creation) retryWait() (wait time.Duration, again bool) {
	cr.retries++
	return cmp.Or(cr.failure.RetryAfter, backoff(cr.retries)), cr.retries <= cr.client.config.MaxRetries
}

// rateLimitWait is the time until a rate-limiting API is asked again, unless a caller without a
// deadline has waited long enough.
func (cr *creation) rateLimitWait(ctx context.Context) (wait time.Duration, again bool) {
	if waitedTooLong(ctx, cr.began) {
		return 0, false
	}
	cr.rateLimits++
	cr.rateLimit = cr.failure
	return cmp.Or(cr.failure.RetryAfter, overloadBackoff(cr.rateLimits)), true
}

// lastRateLimit is the latest 429; nil for none. It is the reason why a create ran out of time.
func (cr *creation) lastRateLimit() error {
	if cr.rateLimit == nil {
		return nil
	}
	return cr.rateLimit
}

// cause is what a create that gives up after a failure reports: of a 409 the conflict, and of a
// POST that the pacer never let start the 429 before it.
func (cr *creation) cause(failure *Error) error {
	switch {
	case failure.class == classConflict:
		return cr.conflict
	case errors.Is(failure, errNoTimeForSlot):
		return firstError(cr.lastRateLimit(), failure)
	}
	return failure
}

// replay repeats, once and with a new token, a POST that was answered with a 401. A 401 should come
// before any processing, but first a list has to show that no session was created. The create is
// done if the list shows one that is ours, which is adopted, or one that may be. Like the POST
// itself, this is not cut short by the caller's context, but for the time in which somebody is
// asked for consent.
func (cr *creation) replay(ctx context.Context, refusal error, attempt int) (s Session, done bool, err error) {
	if cr.listRefusal != nil {
		// No token of this client opens the API, as where a gateway wants a key besides. Another
		// one would change nothing, and no list could show that nothing was created.
		return Session{}, false, refusal
	}
	c := cr.client
	c.authorizer.Refused(cr.token)
	if err := c.awaitConsent(ctx, OperationCreate, cr.spec.Device); err != nil {
		return Session{}, false, withoutToken(refusal, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout+2*c.config.RequestTimeout)
	defer cancel()
	if _, err := c.authorizer.Token(ctx, cr.spec.Device); err != nil {
		return Session{}, false, withoutToken(refusal, err)
	}
	var failure *Error
	if errors.As(refusal, &failure) && !cr.deviceLists().unsupported() {
		cr.recordLost(failure)
		if found, err := cr.findLost(ctx, 0); found.ID != "" || err != nil {
			return found, true, err
		}
		// From here on the first POST counts as lost, in case it was processed and lists lag. A
		// second 401 proves that neither was.
		defer func() {
			if isUnauthorized(err) {
				cr.mayHaveCreated = cr.mayHaveCreated[:len(cr.mayHaveCreated)-1]
			}
		}()
	}
	s, err = cr.post(ctx, attempt)
	return s, false, err
}

// post sends one POST under a context that nothing cancels.
func (cr *creation) post(ctx context.Context, attempt int) (made Session, err error) {
	c := cr.client
	token, err := c.authorizer.Token(ctx, cr.spec.Device)
	if err != nil {
		return Session{}, err
	}
	// The wait for a slot is here because from where the POST is sent nothing cancels it, and
	// because it must not count towards the seconds that remain until Spec.Until.
	if err := c.awaitSlot(ctx, request{operation: OperationCreate}); err != nil {
		return Session{}, err
	}
	spec, err := cr.currentSpec(ctx)
	if err != nil {
		return Session{}, err
	}
	r, err := c.dialect.create(spec, c.bound())
	if err != nil {
		return Session{}, err
	}
	if ctx.Err() != nil {
		return Session{}, ctx.Err()
	}
	cr.spec.Seconds, cr.token = spec.Seconds, token
	if cr.lastPostAt = time.Now(); len(cr.mayHaveCreated) == 0 {
		cr.firstLostPostAt = cr.lastPostAt
	}
	made, cr.correlator, err = c.sendCreate(ctx, r, spec.Device, token, attempt)
	return made, err
}

// sendCreate sends the POST. From here on the network may have created a session, so even a panic
// becomes a failure with an unknown outcome.
func (c *Client) sendCreate(ctx context.Context, r request, d Device, token Token, attempt int) (made Session, correlator string, err error) {
	defer func() {
		if fault := recover(); fault != nil && made.ID == "" {
			err = &Error{Operation: r.operation, Err: newPanicError(fault), outcome: unknown}
		}
	}()
	a, err := c.send(context.WithoutCancel(ctx), r, d, token, attempt)
	if err != nil {
		return Session{}, "", err
	}
	made, err = c.dialect.session(a.body)
	if contradicts(d, made.Device) {
		return Session{}, "", unreadable(r, a, ErrOtherDevice) // somebody else's answer, and session
	}
	if made.ID == "" {
		made.ID = c.idFromLocation(a.header.Get("Location"))
	}
	if made.ID == "" {
		return Session{}, "", unreadable(r, a, firstError(a.bodyErr, err))
	}
	return made, a.correlator, nil
}

// idFromLocation is the id in the Location header of a create whose body cannot be used; empty
// where the header shows anything else than the path of a session.
func (c *Client) idFromLocation(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	id := path.Base(u.Path)
	if !validID(id) || !strings.HasSuffix(u.Path, c.config.APIPath+c.dialect.read(id).path) {
		return ""
	}
	return id
}

// currentSpec is the Spec with the seconds that the session has to last if it starts now.
func (cr *creation) currentSpec(ctx context.Context) (Spec, error) {
	spec, c := cr.spec, cr.client
	if !spec.Until.IsZero() {
		now, err := c.Now(ctx)
		if err != nil {
			return spec, err
		}
		spec.Seconds = c.Limits().cap(spec.QoSProfile, int64(spec.Until.Sub(now)/time.Second))
		if cr.longest > 0 {
			spec.Seconds = min(spec.Seconds, cr.longest)
		}
		if spec.Seconds < 1 {
			return spec, ErrWindowClosed
		}
	}
	if spec.NotificationAuthTokenExpiresAt.IsZero() {
		ends := firstTime(c.clock.estimate(), time.Now()).Add(time.Duration(spec.Seconds) * time.Second)
		spec.NotificationAuthTokenExpiresAt = latest(ends, spec.Until).Add(notifiedAfterEnd)
	}
	return spec, nil
}

// notifiedAfterEnd is how long after the end of a session, or of its window, its webhook token is
// good, unless configured: a session may start late or be extended as far as its window, and its
// end is worth a notification.
const notifiedAfterEnd = time.Hour

// shorten is for a window that is longer than a session of the profile may last: it asks the
// operator for the longest, once, so that the session covers as much of the window as it can. It
// reports whether that is worth another POST.
func (cr *creation) shorten(ctx context.Context) bool {
	if cr.failure.class != classTooLong || cr.spec.Until.IsZero() || cr.longest > 0 {
		return false
	}
	longest, err := cr.client.longestOf(ctx, cr.spec.QoSProfile, cr.spec.Device)
	if err != nil {
		refusal := *cr.failure // a copy, as the log has the original
		refusal.NoLimit, cr.failure = err, &refusal
	}
	if longest < 1 || longest >= cr.spec.Seconds {
		return false
	}
	cr.longest = longest
	return true
}

// longestOf is how many seconds a session of the profile may last, as far as the operator says so;
// 0 where it does not. The error is why it could not be asked.
func (c *Client) longestOf(ctx context.Context, profile string, d Device) (int64, error) {
	filter := ProfileFilter{Name: profile}
	if c.authorizer.PerDevice() {
		filter.Device = d
	}
	profiles, err := c.Profiles(ctx, filter)
	if err != nil || len(profiles) != 1 {
		return 0, err
	}
	return profiles[0].MaxSeconds, nil
}

func (cr *creation) lastLost() *Error { return cr.mayHaveCreated[len(cr.mayHaveCreated)-1] }

// withUncertainty adds to err what may still exist: after a lost answer, a session; after a
// conflict, the sessions that it showed, one of which may be our own, where a proxy has sent the
// POST twice.
func (cr *creation) withUncertainty(err error) error {
	var already *UnresolvedError
	var conflict *ConflictError
	if cr.shownConflict != nil && !errors.As(err, &already) && !errors.As(err, &conflict) {
		cr.shownConflict.RetryErr = err
		err = cr.shownConflict
	}
	if len(cr.mayHaveCreated) == 0 || errors.As(err, &already) {
		return err
	}
	var interruption *InterruptedError
	return cr.unresolved(err, nil, nil, errors.As(err, &interruption) && !interruption.Timeout)
}

func (cr *creation) unresolved(err error, candidates []Session, listErr error, interrupted bool) *UnresolvedError {
	u := &UnresolvedError{
		Device: cr.spec.Device, Candidates: candidates, Until: cr.lostUntil, Seconds: cr.spec.Seconds,
		ListErr: listErr, Interrupted: interrupted, PerDevice: cr.client.authorizer.PerDevice(), Err: err,
	}
	for _, e := range cr.mayHaveCreated {
		if e.Correlator != "" {
			u.Correlators = append(u.Correlators, e.Correlator)
		}
	}
	return u
}
