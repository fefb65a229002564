package qod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What proves that a session is gone. A 404 alone does not: it may come from a gateway, from a
// replica that lags behind, or from a cache. A session that is forgotten while it is live goes on
// being billed, and nobody can delete it.

const (
	// maxLag is how long a replica or a list may lag behind a create. A 404 for a session younger
	// than this proves nothing yet.
	maxLag = time.Minute
	// lagInterval is the time between two requests for such a session.
	lagInterval = 4 * time.Second
	// repeatDelay is the time between two answers that have to agree where there is no list.
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
	ProofRepeat  Proof = "the API said so twice, and it offers no list of the sessions"
)

// IsGone reports whether err proves that the session does not exist.
func IsGone(err error) bool {
	var gone *GoneError
	return errors.As(err, &gone)
}

// UnprovenError is a 404 or 410 that does not prove that the session is gone.
type UnprovenError struct {
	ID      string
	Listed  bool   // a list shows the session
	ListErr error  // why there was no list that could prove it
	Scope   string // the scope that lists require, where these credentials cannot list
	Err     *Error // the answer
}

func (e *UnprovenError) Error() string {
	switch {
	case e.Listed:
		return fmt.Sprintf("%s, but the list of sessions shows it", e.Err)
	case e.ListErr != nil:
		return fmt.Sprintf("%s, which proves nothing without a list of the sessions: %s", e.Err, e.ListErr)
	}
	return fmt.Sprintf("%s, which proves nothing", e.Err)
}

func (e *UnprovenError) Unwrap() error { return e.Err }

// notFound is err if it is an answer that says there is no such session, whoever sent it; otherwise
// nil.
func notFound(err error) *Error {
	var e *Error
	if errors.As(err, &e) && (e.class == classMissing || e.class == classGone) && e.Operation != OperationList {
		return e
	}
	return nil
}

// absence is a search for proof that a session is gone, after an answer that said so.
type absence struct {
	client *Client
	ref    Ref
	answer *Error
	// repeat repeats the operation that was answered like this; without an error the session was
	// there.
	repeat func(context.Context) (Session, error)
	// accepted says that the API has accepted the session's deletion: no lag has to be waited for.
	accepted bool
}

// prove returns a *GoneError, or the session if it exists after all, or an error that proves
// nothing: *UnprovenError, or *InterruptedError when the context ends first. listed says that only
// a list shows the session.
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
		// A session that a list shows exists. For one that it does not show, the list may lag.
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
	case err == nil && c.own.deleted(a.ref.ID): // meanwhile, by another resource with the same session
		return a.gone(ProofDeleted)
	case err == nil:
		return a.gone(ProofList)
	case ctx.Err() != nil:
		return Session{}, false, newInterruptedError(ctx, a.answer.Operation, true, a.answer)
	case a.expiredByClock(ctx), a.expiredByRepeat(ctx):
		return a.gone(ProofExpired)
	case c.lists.of(a.ref.Device).unsupported():
		return a.proveByRepeat(ctx, err)
	}
	return Session{}, false, &UnprovenError{ID: a.ref.ID, ListErr: err, Err: a.answer}
}

func (a absence) gone(proof Proof) (Session, bool, error) {
	return Session{}, false, &GoneError{ID: a.ref.ID, Proof: proof, Err: a.answer}
}

// expired reports whether the session is past its end at the time now. It is not when either is
// zero.
func (a absence) expired(now time.Time) bool {
	return !now.IsZero() && !a.ref.ExpiresAt.IsZero() && now.After(a.ref.ExpiresAt)
}

// expiredByClock is expired by a time on which more than one answer agrees. It makes requests for
// it only where the time of this one answer says so already.
func (a absence) expiredByClock(ctx context.Context) bool {
	if !a.expired(a.client.clock.estimate()) {
		return false
	}
	now, err := a.client.Now(ctx)
	return err == nil && a.expired(now)
}

// expiredByRepeat is expiredByClock where lists do not show the time either: the same answer a
// second later confirms it. This machine's clock has to agree, since whatever answers with these
// 404s may have a clock of its own.
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
	// Where the API shows no time, MadeAt is by this machine's clock.
	age := firstTime(c.clock.estimate(), time.Now()).Sub(a.ref.MadeAt)
	return age.Abs() < maxLag
}

// replicatedAt is when every replica has to know the session, by this process's clock; zero where
// that was long ago.
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

// waitOutLag repeats the operation until the session appears, or is so old that every replica has
// to know it. In the latter case it returns neither session nor error.
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

// checkList looks for the session in a list whose request started at notBefore or later. It returns
// the session if the list shows it, and an error if the list proves nothing.
//
// When many sessions are gone, their 404s come at different times. One list that started after the
// first of them, and less than ten seconds ago, is enough for all: none of these sessions is so new
// that it can have appeared since. One that such a list shows may have ended since, so a list that
// started after this answer decides.
func (a absence) checkList(ctx context.Context, notBefore time.Time) (Session, error) {
	c := a.client
	if refusal := c.lists.of(a.ref.Device).recentRefusal(); refusal != nil {
		return Session{}, refusal
	}
	answered := time.Now()
	list, err := c.listSince(ctx, a.ref.Device, notBefore)
	if err == nil && list.has(a.ref.ID) {
		list, err = c.listSince(ctx, a.ref.Device, answered)
	}
	switch {
	case err != nil:
		return Session{}, err
	case errors.Is(list.doubt, ErrCachedList):
		return Session{}, list.doubt // what it shows may be gone
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

// misses returns an error if the list does not show a session that a read does: then the list lags
// or is incomplete.
func (c *Client) misses(ctx context.Context, list *snapshot) error {
	for {
		ref, found := c.own.missingFrom(list)
		if !found {
			return nil
		}
		if _, err := c.readOnce(ctx, ref, 1); notFound(err) == nil {
			return fmt.Errorf("the list of sessions does not show %s either, which the API shows when asked for it", ref.ID)
		}
		c.own.forgetSeen(ref.ID) // it has ended since
	}
}

// proveByRepeat is for an API without a list: it has to answer the same twice, with a code of its
// own document. Gateways send other codes, or none.
func (a absence) proveByRepeat(ctx context.Context, noList error) (Session, bool, error) {
	scope := a.client.dialect.list(a.ref.Device, a.client.bound()).scope
	unproven := &UnprovenError{ID: a.ref.ID, ListErr: noList, Scope: scope, Err: a.answer}
	if a.answer.class != classGone {
		return Session{}, false, unproven
	}
	if pause(ctx, repeatDelay) != nil {
		return Session{}, false, newInterruptedError(ctx, a.answer.Operation, true, a.answer)
	}
	s, err := a.repeat(ctx)
	if err == nil {
		return s, false, nil
	}
	if again := notFound(err); again == nil || again.class != classGone {
		return Session{}, false, unproven
	}
	return a.gone(ProofRepeat)
}

// absenceBurst is when the current run of 404s began: when a fleet has ended, they come within
// seconds of each other.
type absenceBurst struct {
	mu    sync.Mutex
	began time.Time
}

// since is when the current burst began; now, if there is none.
func (b *absenceBurst) since() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Sub(b.began) >= snapshotAge {
		b.began = now
	}
	return b.began
}
