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

	// deletionGrace is how long a conflict with a session that these credentials can see is waited
	// out although this process is not deleting any: Terraform starts the creates and the deletes
	// of renamed resources side by side.
	deletionGrace = 3 * time.Second
	// deletionPatience is the same while this process deletes other sessions, from the last of
	// them.
	deletionPatience = 10 * time.Second
)

// blocker is what is known of the session behind a 409.
type blocker struct {
	own      bool // this process made it, and keeps it
	visible  bool // these credentials can see it
	deleted  bool // this process is deleting, or has deleted, a session of the device
	deleting bool // this process may be about to delete the one that is visible
	recent   bool // the first 409 is so recent that lists may lag behind it
}

// mayPass reports whether the conflict is expected to pass by itself. It is with a session that
// this process deletes, which networks hold on to for a while, or with the session of a lost
// answer, which the list does not show yet.
func (b blocker) mayPass(lost bool) bool {
	switch {
	case b.own:
		return false
	case b.visible:
		return b.deleting
	case b.deleted:
		return true
	}
	return lost && b.recent
}

// explainConflict finds out what a 409 is about. After a lost answer it may be about the session of
// that POST, which is looked for first.
func (cr *creation) explainConflict(ctx context.Context, failure *Error) (found Session, err error) {
	if len(cr.lost) > 0 {
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
	c, device := cr.client, cr.spec.Device
	conflict := &ConflictError{
		Device: device, Own: c.own.forDevice(device), Deleted: c.own.deletionsFor(device),
		Now: failure.ServerTime, Err: failure,
	}
	if len(conflict.Own) > 0 {
		return conflict
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	list, err := c.listSince(ctx, time.Now())
	if err != nil {
		conflict.ListErr = err
		return conflict
	}
	for _, s := range list.sessions {
		switch {
		case s.ID == "" || c.own.owns(s.ID) || slices.Contains(conflict.Deleted, s.ID):
		case s.Device.IsZero():
			conflict.Possible = append(conflict.Possible, s)
		case device.overlaps(s.Device):
			conflict.Visible = append(conflict.Visible, s)
		}
	}
	return conflict
}

// blocker is what the last conflict says now about the session in the way.
func (cr *creation) blocker() blocker {
	age := time.Since(cr.firstConflict)
	return blocker{
		own:      len(cr.conflict.Own) > 0,
		visible:  len(cr.conflict.Visible) > 0,
		deleted:  len(cr.conflict.Deleted) > 0,
		deleting: age < deletionGrace || time.Since(cr.client.own.lastDeletion()) < deletionPatience,
		recent:   age < maxLag,
	}
}

// conflictWait is the time until a POST that met a conflict may be repeated; zero after an
// interrupt.
func (cr *creation) conflictWait(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	return withJitter(min(maxConflictInterval, time.Duration(cr.conflicts)*conflictInterval))
}

// claim records that the session of an answer is the device's. The error is for one that belongs to
// another resource, of this process or from before the POST: two that hold one session would delete
// it for each other.
func (cr *creation) claim(s Session) *ConflictError {
	conflict := &ConflictError{Device: cr.spec.Device, Err: &Error{
		Operation: OperationCreate, SessionID: s.ID, outcome: refused,
		Err: errors.New("the answer shows a session that existed before"),
	}}
	own := cr.client.own
	if cr.before != nil && !own.owns(s.ID) {
		if existing, listed := cr.before.find(s.ID); listed {
			conflict.Visible = []Session{existing}
			return conflict
		}
	}
	if own.claim(s.ID, cr.spec.Device, time.Now()) {
		return nil
	}
	if conflict.Own = own.forDevice(cr.spec.Device); !slices.Contains(conflict.Own, s.ID) {
		conflict.Own, conflict.OtherID = nil, s.ID
	}
	return conflict
}
