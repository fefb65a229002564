package qod

import (
	"context"
	"sync"
	"time"
)

const (
	// readOneByOne is how many sessions a process reads by a get each before it lists. It is a count
	// and no timer, so that nothing waits for company; and few enough that a plan of one session
	// costs one request, whatever else the account holds.
	readOneByOne = 4

	// listPatience bounds how long a read waits for a list before it asks for its own session.
	listPatience = 10 * time.Second
)

// reader answers reads of single sessions. Terraform refreshes every resource by itself, so a
// fleet of a thousand would make a thousand requests of every plan; shared lists make a few.
//
// A list may confirm that all is well. What costs money (a session that is gone, unavailable, or
// not ready in time) is believed to a get only: a list can lag, be cut to a page, or show less.
type reader struct {
	lists *lists
	clock *serverClock

	mu      sync.Mutex
	seen    map[string]bool      // ids that were read, until there are more than readOneByOne
	written map[string]time.Time // when this process last changed a session, by id
}

func newReader(l *lists, clock *serverClock) *reader {
	return &reader{lists: l, clock: clock, seen: map[string]bool{}, written: map[string]time.Time{}}
}

// read returns the session as a list confirms it whose request started at notBefore or later, or
// else as get returns it.
func (r *reader) read(ctx context.Context, id string, notBefore time.Time, get func() (Session, error)) (Session, error) {
	r.count(id)
	if s, ok := r.confirmed(ctx, id, notBefore); ok {
		return s, nil
	}
	return get()
}

// confirmed returns what a list says of a session that is well.
func (r *reader) confirmed(ctx context.Context, id string, notBefore time.Time) (Session, bool) {
	if !r.coalesces() || !r.lists.promising() {
		return Session{}, false
	}
	patient, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	taken, err := r.lists.since(patient, latest(notBefore, r.speaksFrom(id)))
	if err != nil && ctx.Err() == nil && patient.Err() != nil {
		r.lists.disappoint()
	}
	// While it was awaited it may have grown too old, or the session may have been changed.
	if err != nil || taken.started.Before(r.speaksFrom(id)) {
		return Session{}, false
	}
	at, listed := taken.position[id]
	if !listed || !well(taken.sessions[at], r.clock.now()) {
		return Session{}, false
	}
	return taken.sessions[at], true
}

// speaksFrom is when the request of a list must have started for it to say anything of the session.
func (r *reader) speaksFrom(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return latest(time.Now().Add(-snapshotAge), r.written[id])
}

func (r *reader) count(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) <= readOneByOne {
		r.seen[id] = true
	}
}

// coalesces reports whether this process has read enough sessions for a list to pay.
func (r *reader) coalesces() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen) > readOneByOne
}

// wrote records that this process has changed the session, or may have: what was listed before
// says nothing of it any more.
func (r *reader) wrote(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[id] = time.Now()
}

// interval is the least time between two polls of one session, so that all polls of this process
// together make no more requests than its lists may.
func (r *reader) interval() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.seen); n <= readOneByOne {
		return listInterval * time.Duration(max(n, 1))
	}
	return listInterval
}

// well reports whether a listed session asks for nothing to be done and shows as much as a get
// would: some networks list less.
func well(s Session, now time.Time) bool {
	if s.ID == "" || s.QoSProfile == "" || s.Device.IsZero() {
		return false
	}
	switch s.Status {
	case StatusRequested:
		return true
	case StatusAvailable:
		return !s.StartedAt.IsZero() && s.ExpiresAt.After(now)
	case StatusUnavailable:
	}
	return false
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
