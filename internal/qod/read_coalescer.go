package qod

import (
	"context"
	"sync"
	"time"
)

const (
	// directReads is how many sessions a process reads individually; later ones share lists. It is
	// a count and not a timer, so that no read waits for others, and above one, so that the plan of
	// a single session costs one request, however many sessions the client has.
	directReads = 4

	// getInterval is the longest time that a wait relies on lists alone.
	getInterval = 4 * time.Second

	// maxSlotDelay bounds how long a wait is delayed by other waits. With more than twenty waits,
	// this makes more requests than lists would.
	maxSlotDelay = 5 * time.Second
)

// readCoalescer answers reads of single sessions from shared lists. Terraform refreshes every
// resource by itself, so that the plan of a thousand sessions would make a thousand requests; lists
// make a few.
//
// A list may confirm that a session is healthy. What has a price (a session that is gone,
// unavailable, of another profile, or not ready in time) has to be confirmed by a read of the
// session itself, as a list can lag, be a part of the whole, or show fewer fields. The same goes
// for what ends a wait.
type readCoalescer struct {
	listCache *listCache
	clock     *serverClock

	mu          sync.Mutex
	direct      map[string]bool      // ids that are read one by one: the first few
	batching    bool                 // there have been others
	unavailable map[string]time.Time // when a get last showed a session as UNAVAILABLE, by id
	changed     map[string]time.Time // when this process last changed a session, by id
	nextSlot    time.Time            // when the next wait may ask for its session
}

func newReadCoalescer(l *listCache, clock *serverClock) *readCoalescer {
	return &readCoalescer{listCache: l, clock: clock, direct: map[string]bool{}, unavailable: map[string]time.Time{}, changed: map[string]time.Time{}}
}

// read returns the session from a list that shows it as healthy, or else from get.
func (r *readCoalescer) read(ctx context.Context, ref Ref, get func() (Session, error)) (Session, error) {
	if s, ok := r.readCached(ctx, ref); ok {
		return s, nil
	}
	s, err := get()
	if err == nil && s.Status == StatusUnavailable {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unavailable[ref.ID] = time.Now()
	}
	return s, err
}

// isStale reports whether the list shows as AVAILABLE a session that an earlier read has shown as
// UNAVAILABLE. Such a list is old, and says nothing about other sessions either.
func (r *readCoalescer) isStale(list *snapshot) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, at := range r.unavailable {
		if s, listed := list.find(id); listed && at.Before(list.started) && s.Status == StatusAvailable {
			return true
		}
	}
	return false
}

// readCached returns what a list says of a session that is well, unless it is one of the few that
// are read one by one.
func (r *readCoalescer) readCached(ctx context.Context, ref Ref) (Session, bool) {
	if batched, _ := r.assign(ref.ID); !batched {
		return Session{}, false
	}
	return r.fromList(ctx, ref, time.Time{})
}

// poll is read for a wait, and uses a list that starts now. While that shows the session as
// REQUESTED, the session itself is read only every getInterval, in case the list is old; lastGet is
// when it last was. Waits that a list cannot answer, or answers otherwise than the session itself,
// reserve slots, so that together they make about as many requests as lists would: poll returns
// when the wait's next slot is.
func (r *readCoalescer) poll(ctx context.Context, ref Ref, lastGet time.Time, get func() (Session, error)) (s Session, nextSlot time.Time, err error) {
	_, anyBatched := r.assign(ref.ID)
	if !anyBatched || !r.listCache.usable() {
		nextSlot = r.reserveSlots(1)
		s, err = get()
		return s, nextSlot, err
	}
	listed, ok := r.fromList(ctx, ref, time.Now())
	if ok && listed.Status == StatusRequested && time.Since(lastGet) < getInterval {
		return listed, time.Time{}, nil
	}
	s, err = get()
	if err == nil && ok && s.Status == listed.Status {
		return s, time.Time{}, nil
	}
	return s, r.reserveSlots(2), err
}

// fromList returns the session from a list whose request started at notBefore or later, if the list
// shows it as healthy.
func (r *readCoalescer) fromList(ctx context.Context, ref Ref, notBefore time.Time) (Session, bool) {
	list := r.listCache.trySince(ctx, latest(notBefore, r.validFrom(ref.ID)))
	// The list may have become too old meanwhile, or the session may have been changed.
	if list == nil || list.started.Before(r.validFrom(ref.ID)) {
		return Session{}, false
	}
	s, listed := list.find(ref.ID)
	if !listed || isStaleOrPartial(list.doubt) || r.isStale(list) || s.ID != ref.ID || !healthy(s, ref, r.clock.estimate()) {
		return Session{}, false
	}
	return s, true
}

// validFrom is when the request of a list must have started for the list to be valid for the
// session.
func (r *readCoalescer) validFrom(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return latest(time.Now().Add(-snapshotAge), r.changed[id])
}

// assign decides whether the session is read from lists, and also reports whether any session is.
func (r *readCoalescer) assign(id string) (batched, anyBatched bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.direct[id] && len(r.direct) < directReads {
		r.direct[id] = true
	}
	batched = !r.direct[id]
	r.batching = r.batching || batched
	return batched, r.batching
}

// invalidate records that this process has changed the session, or may have: no earlier list is
// valid for it any more.
func (r *readCoalescer) invalidate(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed[id] = time.Now()
}

// reserveSlots reserves the next slots, one for each request, and returns when the one after them
// is.
func (r *readCoalescer) reserveSlots(requests int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.nextSlot = latest(now, r.nextSlot).Add(time.Duration(requests) * listInterval)
	if furthest := now.Add(maxSlotDelay); r.nextSlot.After(furthest) {
		r.nextSlot = furthest
	}
	return r.nextSlot
}

// healthy reports whether a listed session gives no reason to act, and shows all that a caller who
// knows this much about it needs: some networks show fewer fields in lists.
func healthy(s Session, known Ref, now time.Time) bool {
	switch {
	case s.ID == "", s.QoSProfile == "":
		return false
	case known.Device.IsZero() && known.QoSProfile == "":
		// An import takes the device from here.
		if s.Device.IsZero() {
			return false
		}
	case contradicts(known.Device, s.Device):
		return false
	case known.QoSProfile != "" && known.QoSProfile != s.QoSProfile:
		return false // it would be replaced
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

func contradicts(a, b Device) bool {
	_, contradicts := a.compare(b)
	return contradicts
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
