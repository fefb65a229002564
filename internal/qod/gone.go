package qod

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// What proves that a session is gone. A 404 alone does not: gateways answer it in the API's place, a
// replica that lags has not heard of a new session yet, and a cache repeats what was so before. A
// session that is taken to be gone while it lives is billed, and nobody can stop it.

const (
	// maxLag is how long a replica or a list may lag behind a create. A session younger than this is
	// asked for again before anything is concluded.
	maxLag = time.Minute
	// lagInterval is the time between two such requests for one session.
	lagInterval = 4 * time.Second
	// repeatDelay is the time between two answers that have to say the same where there is no list.
	repeatDelay = 2 * time.Second
)

// GoneError says that a session does not exist, and what proves it.
type GoneError struct {
	ID    string
	Proof Proof
	Err   *Error // the answer that said so
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("session %s is gone: %s", e.ID, e.Proof)
}

func (e *GoneError) Unwrap() error { return e.Err }

// Proof is what proves that a session is gone.
type Proof string

// The proofs.
const (
	ProofList    Proof = "a complete list of the sessions does not show it"
	ProofExpired Proof = "it is past its end"
	ProofDeleted Proof = "this run has deleted it"
	ProofRepeat  Proof = "the API said so twice, in its own words, and has no list to ask"
)

// IsGone reports whether err proves that the session does not exist.
func IsGone(err error) bool {
	var gone *GoneError
	return errors.As(err, &gone)
}

// UnprovenError is a 404 or 410 that does not prove that the session is gone.
type UnprovenError struct {
	ID     string
	Listed bool   // a list shows the session
	Look   error  // why there was no list to prove it by
	Scope  string // that lists need, where these credentials have none
	Err    *Error // the answer
}

func (e *UnprovenError) Error() string {
	switch {
	case e.Listed:
		return fmt.Sprintf("%s, but the list of sessions shows it", e.Err)
	case e.Look != nil:
		return fmt.Sprintf("%s, which proves nothing without a list of the sessions: %s", e.Err, e.Look)
	}
	return fmt.Sprintf("%s, which proves nothing", e.Err)
}

func (e *UnprovenError) Unwrap() error { return e.Err }

// notFound is err if it is an answer that says there is no such session, whoever gave it; nil if not.
func notFound(err error) *Error {
	var e *Error
	if errors.As(err, &e) && (e.Operation == OperationRead || e.Operation == OperationDelete) &&
		(e.Status == http.StatusNotFound || e.Status == http.StatusGone) {
		return e
	}
	return nil
}

// absence is one search for proof that a session is gone, behind an answer that said so.
type absence struct {
	client *Client
	ref    Ref
	answer *Error
	// repeat repeats the operation that was answered like this; without an error the session was there.
	repeat func(context.Context) (Session, error)
	// accepted says that the API has accepted the session's deletion: no lag has to be waited for.
	accepted bool
}

// prove returns a *GoneError, or the session where it is there after all, or an error that proves
// nothing: *UnprovenError, or *InterruptedError when the context ends meanwhile. A session that only a
// list shows comes with listed.
func (a absence) prove(ctx context.Context) (_ Session, listed bool, _ error) {
	c := a.client
	c.own.forgetSeen(a.ref.ID)
	if c.own.deleted(a.ref.ID) {
		return a.gone(ProofDeleted)
	}
	if a.expired(c.clock.now()) {
		return a.gone(ProofExpired)
	}
	if a.young() {
		if a.expiredByClock(ctx) {
			return a.gone(ProofExpired)
		}
		// What a list shows is there. Only what it does not show has to be waited for.
		if s, err := a.checkList(ctx, time.Now()); err == nil && s.ID != "" {
			return s, true, nil
		}
		if s, err := a.waitOutLag(ctx); err != nil || s.ID != "" {
			return s, false, err
		}
	}
	s, err := a.checkList(ctx, latest(c.absences.since(), a.replicatedAt()))
	switch {
	case err == nil && s.ID != "":
		return s, true, nil
	case err == nil && c.own.deleted(a.ref.ID): // meanwhile, by another resource that held it
		return a.gone(ProofDeleted)
	case err == nil:
		return a.gone(ProofList)
	case ctx.Err() != nil:
		return Session{}, false, newInterruptedError(ctx, a.answer.Operation, true, a.answer)
	case a.expiredByClock(ctx), a.expiredByRepeat(ctx):
		return a.gone(ProofExpired)
	case c.lists.unsupported():
		return a.proveByRepeat(ctx, err)
	}
	return Session{}, false, &UnprovenError{ID: a.ref.ID, Look: err, Err: a.answer}
}

func (a absence) gone(proof Proof) (Session, bool, error) {
	return Session{}, false, &GoneError{ID: a.ref.ID, Proof: proof, Err: a.answer}
}

// expired reports whether the session is past its end at a time; at none it is not.
func (a absence) expired(now time.Time) bool {
	return !now.IsZero() && !a.ref.ExpiresAt.IsZero() && now.After(a.ref.ExpiresAt)
}

// expiredByClock is expired by a clock that more than one answer has shown. It asks for the time only
// where that of this answer says so already.
func (a absence) expiredByClock(ctx context.Context) bool {
	if !a.expired(a.client.clock.estimate()) {
		return false
	}
	now, err := a.client.Now(ctx)
	return err == nil && a.expired(now)
}

// expiredByRepeat is expiredSurely where lists do not tell the time either: the same answer a second
// later does, unless this machine's clock says otherwise. Whoever answers like this may have a clock of
// its own.
func (a absence) expiredByRepeat(ctx context.Context) bool {
	c := a.client
	if !a.expired(c.clock.estimate()) || !a.expired(time.Now()) {
		return false
	}
	at, _ := c.clock.confirmable()
	if pause(ctx, time.Until(at)) != nil {
		return false
	}
	_, err := a.repeat(ctx)
	return notFound(err) != nil && a.expired(c.clock.now())
}

// young reports whether the session may be too new for every replica to know it.
func (a absence) young() bool {
	c := a.client
	if a.accepted || c.own.deleted(a.ref.ID) || a.expired(c.clock.now()) {
		return false
	}
	if made := c.own.madeAt(a.ref.ID); !made.IsZero() && time.Since(made) < maxLag {
		return true
	}
	if a.ref.MadeAt.IsZero() {
		return false
	}
	// Where the API shows no time, the machine's wrote down when the session was made.
	age := firstTime(c.clock.estimate(), time.Now()).Sub(a.ref.MadeAt)
	return age.Abs() < maxLag
}

// replicatedAt is when each replica has to know the session, by this process's clock; zero where that
// was long ago.
func (a absence) replicatedAt() time.Time {
	c := a.client
	if a.accepted {
		return time.Time{}
	}
	if made := c.own.madeAt(a.ref.ID); !made.IsZero() {
		return made.Add(maxLag)
	}
	now := firstTime(c.clock.estimate(), time.Now())
	if age := now.Sub(a.ref.MadeAt); !a.ref.MadeAt.IsZero() && age >= maxLag && age < 2*maxLag {
		return time.Now().Add(maxLag - age)
	}
	return time.Time{}
}

// waitOutLag asks for the session again and again, until it is there or old enough that each replica
// has to know it. It returns neither session nor error then.
func (a absence) waitOutLag(ctx context.Context) (Session, error) {
	for began := time.Now(); time.Since(began) < maxLag && a.young(); {
		if pause(ctx, withJitter(lagInterval)) != nil {
			return Session{}, newInterruptedError(ctx, a.answer.Operation, true, a.answer)
		}
		switch s, err := a.repeat(ctx); {
		case err == nil:
			return s, nil
		case credentialsRefused(err):
			return Session{}, err
		}
	}
	return Session{}, nil
}

// checkList asks for a list that began at notBefore or later. It returns the session if that shows it, and
// an error where what it does not show may be there all the same.
//
// Of many sessions that are gone at once, each gets its 404 at another time. One list that began
// after the first of them, and less than ten seconds ago, speaks for all: none of them is so new that
// it can have appeared since. What such a list shows may have ended since, so that takes one that began
// after this answer.
func (a absence) checkList(ctx context.Context, notBefore time.Time) (Session, error) {
	c := a.client
	if refusal := c.lists.recentRefusal(); refusal != nil {
		return Session{}, refusal
	}
	answered := time.Now()
	list, err := c.listSince(ctx, notBefore)
	if err == nil && list.has(a.ref.ID) {
		list, err = c.listSince(ctx, answered)
	}
	switch {
	case err != nil:
		return Session{}, err
	case errors.Is(list.doubt, ErrCachedList):
		return Session{}, list.doubt // what it shows may be gone, too
	}
	if s, listed := list.find(a.ref.ID); listed {
		s.ID = a.ref.ID // as the caller spells it
		return s, nil
	}
	if list.doubt != nil {
		return Session{}, list.doubt
	}
	return Session{}, c.misses(ctx, list)
}

// misses is an error where the list does not show a session that the API shows when it is asked for
// it: then the list lags, or shows less than there is.
func (c *Client) misses(ctx context.Context, list *snapshot) error {
	for {
		ref, found := c.own.missingFrom(list)
		if !found {
			return nil
		}
		if _, err := c.readOnce(ctx, ref, 1); notFound(err) == nil {
			return fmt.Errorf("the list of sessions does not show %s either, which the API shows when asked for it", ref.ID)
		}
		c.own.forgetSeen(ref.ID) // it has ended meanwhile
	}
}

// proveByRepeat is what is left where the API has no list: it has to say the same twice, in its own words.
// A gateway that answers in its place has others, or none.
func (a absence) proveByRepeat(ctx context.Context, noList error) (Session, bool, error) {
	unproven := &UnprovenError{ID: a.ref.ID, Look: noList, Scope: a.client.dialect.list().scope, Err: a.answer}
	if !a.answer.documented {
		return Session{}, false, unproven
	}
	if pause(ctx, repeatDelay) != nil {
		return Session{}, false, newInterruptedError(ctx, a.answer.Operation, true, a.answer)
	}
	s, err := a.repeat(ctx)
	if err == nil {
		return s, false, nil
	}
	if again := notFound(err); again == nil || !again.documented {
		return Session{}, false, unproven
	}
	return a.gone(ProofRepeat)
}

// absenceBurst is when the answers began that say there is no session: of a fleet that has ended, all come
// within seconds of each other.
type absenceBurst struct {
	mu    sync.Mutex
	began time.Time
}

// since is when the burst began that now goes on, which may be now.
func (b *absenceBurst) since() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Sub(b.began) >= snapshotAge {
		b.began = now
	}
	return b.began
}
