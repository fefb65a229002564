package qod

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// conflictInterval and maxConflictInterval bound the time between two POSTs that meet a conflict
	// which is expected to pass.
	conflictInterval    = time.Second
	maxConflictInterval = 5 * time.Second

	// deletionGrace is how long a conflict with a session that these credentials can see is waited out
	// although this process is not deleting any: Terraform starts the creates and the deletes of renamed
	// resources side by side.
	deletionGrace = 3 * time.Second
	// deletionPatience is the same while this process deletes other sessions, from the last of them.
	deletionPatience = 10 * time.Second
)

// conflict handles a 409. It returns the time until the POST may be repeated; zero when it may not,
// with the session of our own lost answer, or an error.
func (cr *creation) conflict(ctx context.Context, failure *Error) (found Session, wait time.Duration, err error) {
	c := cr.client
	if len(cr.lost) > 0 {
		found, err := cr.look(ctx, min(slowSettling, c.requestTimeout/2))
		if found.ID != "" || err != nil {
			return found, 0, err
		}
	}
	if cr.conflicts++; cr.conflicts == 1 {
		cr.conflicted = time.Now()
	}
	conflict := cr.explainConflict(ctx, failure)
	if len(conflict.Visible)+len(conflict.Possible) > 0 {
		cr.conflicting = conflict
	}
	wait = spread(min(maxConflictInterval, time.Duration(cr.conflicts)*conflictInterval))
	if ctx.Err() != nil || !fits(ctx, wait) || !cr.mayPass(conflict) {
		return Session{}, 0, cr.failed(conflict)
	}
	return Session{}, wait, nil
}

// mayPass reports whether the conflict is expected to pass by itself: with a session that this process
// is deleting or has deleted, which networks hold on to for a while, or with the session of a lost
// answer that does not show yet.
func (cr *creation) mayPass(conflict *ConflictError) bool {
	switch {
	case len(conflict.Own) > 0:
		return false
	case len(conflict.Visible) > 0:
		return cr.deletionMayCome()
	case len(conflict.Deleted) > 0:
		return true
	}
	return len(cr.lost) > 0 && time.Since(cr.conflicted) < maxLag
}

// deletionMayCome reports whether this process may be about to delete the session that is in the way.
func (cr *creation) deletionMayCome() bool {
	return time.Since(cr.conflicted) < deletionGrace || time.Since(cr.client.own.lastDeletion()) < deletionPatience
}

func (cr *creation) explainConflict(ctx context.Context, failure *Error) *ConflictError {
	c := cr.client
	conflict := &ConflictError{Device: cr.spec.Device, Own: c.own.of(cr.spec.Device), Deleted: c.own.deletionsOf(cr.spec.Device), Now: failure.ServerTime, Err: failure}
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
		case s.ID == "" || c.own.owns(s.ID) || slices.Contains(conflict.Deleted, s.ID):
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
	own := cr.client.own
	if cr.before != nil && !own.owns(s.ID) {
		if there, listed := cr.before.find(s.ID); listed {
			conflict.Visible = []Session{there}
			return conflict
		}
	}
	if own.claim(s.ID, cr.spec.Device, time.Now()) {
		return nil
	}
	conflict.Own = []string{s.ID}
	return conflict
}
