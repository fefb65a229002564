package qod

import (
	"context"
	"sync"
	"time"
)

const (
	// directReads is how many sessions a process reads by a get each before it lists. It is a count
	// and no timer, so that nothing waits for company; and few enough that a plan of one session
	// costs one request, whatever else the account holds.
	directReads = 4

	// getInterval is the longest that a wait goes by lists alone.
	getInterval = 4 * time.Second

	// maxSlotDelay bounds how long a wait is kept from asking for its session by the others: whoever
	// has more than twenty at a time asks more often than lists would.
	maxSlotDelay = 5 * time.Second
)

// readCoalescer answers reads of single sessions. Terraform refreshes every resource by itself, so a
// fleet of a thousand would make a thousand requests of every plan; shared lists make a few.
//
// A list may confirm that all is well. What costs money (a session that is gone, unavailable, of
// another profile, or not ready in time) is believed to a get only: a list can lag, be cut to a page,
// or show less. So is what ends a wait.
type readCoalescer struct {
	lists *listCache
	clock *serverClock

	mu          sync.Mutex
	direct      map[string]bool      // ids that are read one by one: the first few
	batching    bool                 // there have been others
	unavailable map[string]time.Time // when a get last showed a session as UNAVAILABLE, by id
	changed     map[string]time.Time // when this process last changed a session, by id
	nextSlot    time.Time            // when the next wait may ask for its session
}

func newReadCoalescer(l *listCache, clock *serverClock) *readCoalescer {
	return &readCoalescer{lists: l, clock: clock, direct: map[string]bool{}, unavailable: map[string]time.Time{}, changed: map[string]time.Time{}}
}

// read returns the session as a list confirms it, or else as get returns it.
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

// isStale reports whether the list shows as AVAILABLE what a get before it has shown as UNAVAILABLE:
// such a list stands still, and says nothing of the other sessions either.
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

// readCached returns what a list says of a session that is well, unless it is one of the few that are
// read one by one.
func (r *readCoalescer) readCached(ctx context.Context, ref Ref) (Session, bool) {
	if listed, _ := r.assign(ref.ID); !listed {
		return Session{}, false
	}
	return r.fromList(ctx, ref, time.Time{})
}

// poll is read for a wait: it wants a list that starts now. While that says that the session is still
// requested, it asks for nothing else, but every getInterval for the session itself, since a list may
// stand still: when it last did is the wait's to know. Waits that a list cannot answer, or answers
// otherwise than the session itself, take turns, so that together they make no more requests than lists
// would: it returns when this one's next is.
func (r *readCoalescer) poll(ctx context.Context, ref Ref, lastGet time.Time, get func() (Session, error)) (s Session, turn time.Time, err error) {
	_, many := r.assign(ref.ID)
	if !many || !r.lists.usable() {
		turn = r.reserveSlots(1)
		s, err = get()
		return s, turn, err
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

// fromList returns what a list says of a session that is well, whose request started at notBefore or
// later.
func (r *readCoalescer) fromList(ctx context.Context, ref Ref, notBefore time.Time) (Session, bool) {
	taken := r.lists.trySince(ctx, latest(notBefore, r.validFrom(ref.ID)))
	// While it was awaited it may have grown too old, or the session may have been changed.
	if taken == nil || taken.started.Before(r.validFrom(ref.ID)) {
		return Session{}, false
	}
	s, listed := taken.find(ref.ID)
	if !listed || isStaleOrPartial(taken.doubt) || r.isStale(taken) || s.ID != ref.ID || !healthy(s, ref, r.clock.estimate()) {
		return Session{}, false
	}
	return s, true
}

// validFrom is when the request of a list must have started for it to say anything of the session.
func (r *readCoalescer) validFrom(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return latest(time.Now().Add(-snapshotAge), r.changed[id])
}

// assign counts the session, and reports whether lists answer for it, and whether they do for any.
func (r *readCoalescer) assign(id string) (listed, many bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.direct[id] && len(r.direct) < directReads {
		r.direct[id] = true
	}
	listed = !r.direct[id]
	r.batching = r.batching || listed
	return listed, r.batching
}

// invalidate records that this process has changed the session, or may have: what was listed before
// says nothing of it any more.
func (r *readCoalescer) invalidate(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed[id] = time.Now()
}

// reserveSlots takes the next turn for so many requests, and returns when the one after it is.
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

// healthy reports whether a listed session asks for nothing to be done, and shows as much as whoever
// knows this of it needs: some networks list less than a get shows.
func healthy(s Session, known Ref, now time.Time) bool {
	switch {
	case s.ID == "", s.QoSProfile == "":
		return false
	case known.Device.IsZero() && known.QoSProfile == "":
		// What is imported takes its device from here.
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
