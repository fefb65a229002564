package qod

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// conflictInterval and maxConflictInterval bound the time between two POSTs that meet a
	// conflict which is expected to pass.
	conflictInterval    = time.Second
	maxConflictInterval = 5 * time.Second

	// conflictTimeout is how long after the first 409 to wait for a visible session to be deleted
	// if no delete is known to be running: Terraform starts the creates and the deletes of renamed
	// resources side by side.
	conflictTimeout = 3 * time.Second
	// deletionTimeout is the same, counted from this process's last delete.
	deletionTimeout = 10 * time.Second
)

// conflictFacts is what is known about a 409, and about the session behind it.
type conflictFacts struct {
	own              bool // this process made the session, and keeps it
	visible          bool // these credentials can see the session
	unlisted         bool // no list can show it
	mayBeDeletedSoon bool // this process may be about to delete the session
	deleted          bool // this process is deleting, or has deleted, a session of the device
	recent           bool // the first 409 is so recent that lists may lag behind it
}

// mayPass reports whether the conflict is expected to pass by itself: it is with a session that
// this process deletes, which networks hold on to for a while, or with the session of a lost POST,
// which the list does not show yet. What no list can show may be what this process is about to
// delete, so it is treated as if it were visible.
func (f conflictFacts) mayPass(lost bool) bool {
	switch {
	case f.own:
		return false
	case f.visible:
		return f.mayBeDeletedSoon
	case f.deleted:
		return true
	case f.unlisted:
		return f.mayBeDeletedSoon
	}
	return lost && f.recent
}

// examineConflict finds out which sessions may be behind a 409. After a lost answer, it may be the
// session of that POST, which is looked for first.
func (cr *creation) examineConflict(ctx context.Context, failure *Error) (found Session, err error) {
	if len(cr.mayHaveCreated) > 0 {
		found, err = cr.findLost(ctx, min(longSearchTime, cr.client.config.RequestTimeout/2))
		if found.ID != "" || err != nil {
			return found, err
		}
	}
	if cr.conflicts++; cr.conflicts == 1 {
		cr.firstConflict = time.Now()
	}
	cr.conflict = cr.newConflict(ctx, failure)
	if len(cr.conflict.Visible)+len(cr.conflict.Possible) > 0 {
		cr.shownConflict = cr.conflict
	}
	return Session{}, nil
}

// newConflict is a 409 with the sessions that may be in the way.
func (cr *creation) newConflict(ctx context.Context, failure *Error) *ConflictError {
	c, device, flow := cr.client, cr.spec.Device, cr.spec.flow()
	conflict := &ConflictError{
		Device: device, Own: c.own.colliding(flow), Deleted: c.own.deletedFor(flow),
		Now: failure.ServerTime, Longest: c.Limits().Longest(), CanExtend: c.Limits().CanExtend, PerFlow: c.Limits().PerFlow, PerDevice: c.authorizer.PerDevice(), Err: failure,
	}
	if len(conflict.Own) > 0 {
		return conflict
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	list, err := c.listSince(ctx, device, time.Now())
	if err != nil {
		conflict.ListErr = err
		return conflict
	}
	for _, s := range list.sessions {
		switch {
		case s.ID == "" || c.own.owns(s.ID) || slices.Contains(conflict.Deleted, s.ID):
		case s.Device.IsZero():
			conflict.Possible = append(conflict.Possible, s)
		case c.dialect.collide(flow, s.flow()):
			conflict.Visible = append(conflict.Visible, s)
		}
	}
	return conflict
}

// conflictFacts is what is known by now about the last conflict.
func (cr *creation) conflictFacts() conflictFacts {
	age := time.Since(cr.firstConflict)
	return conflictFacts{
		own:              len(cr.conflict.Own) > 0,
		visible:          len(cr.conflict.Visible) > 0,
		unlisted:         errors.Is(cr.conflict.ListErr, ErrNoList),
		deleted:          len(cr.conflict.Deleted) > 0,
		recent:           age < maxLag,
		mayBeDeletedSoon: age < conflictTimeout || time.Since(cr.client.own.lastDeletion()) < deletionTimeout,
	}
}

// conflictWait is the time until a POST that met a conflict is repeated, unless the context has
// ended.
func (cr *creation) conflictWait(ctx context.Context) (wait time.Duration, again bool) {
	return withJitter(min(maxConflictInterval, time.Duration(cr.conflicts)*conflictInterval)), ctx.Err() == nil
}

// claim records that the session of an answer is the device's. It fails if the session already
// belongs to another resource or existed before the POST: two resources with one session would
// delete it under each other.
func (cr *creation) claim(s Session) *ConflictError {
	conflict := &ConflictError{Device: cr.spec.Device, PerFlow: cr.client.Limits().PerFlow, PerDevice: cr.client.authorizer.PerDevice(), Err: &Error{
		Operation: OperationCreate, SessionID: s.ID, Correlator: cr.correlator, outcome: refused,
		Err: errors.New("the answer shows a session that existed before"),
	}}
	own := cr.client.own
	if cr.listedBefore != nil && !own.owns(s.ID) {
		if existing, listed := cr.listedBefore.find(s.ID); listed {
			conflict.Visible = []Session{existing}
			return conflict
		}
	}
	if own.claim(s.ID, cr.spec.flow(), time.Now()) {
		return nil
	}
	if conflict.Own = own.colliding(cr.spec.flow()); !slices.Contains(conflict.Own, s.ID) {
		conflict.Own, conflict.OtherID = nil, s.ID
	}
	return conflict
}
