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

	// getInterval is the longest that a wait goes by lists alone.
	getInterval = 4 * time.Second

	// furthestTurn bounds how long a wait is kept from asking for its session by the others: whoever
	// has more than twenty at a time asks more often than lists would.
	furthestTurn = 5 * time.Second
)

// reader answers reads of single sessions. Terraform refreshes every resource by itself, so a
// fleet of a thousand would make a thousand requests of every plan; shared lists make a few.
//
// A list may confirm that all is well. What costs money (a session that is gone, unavailable, of
// another profile, or not ready in time) is believed to a get only: a list can lag, be cut to a page,
// or show less. So is what ends a wait.
type reader struct {
	lists *lists
	clock *serverClock

	mu      sync.Mutex
	alone   map[string]bool      // ids that are read one by one: the first few
	many    bool                 // there have been others
	dead    map[string]time.Time // when a get last showed a session as UNAVAILABLE, by id
	written map[string]time.Time // when this process last changed a session, by id
	turn    time.Time            // when the next wait may ask for its session
}

func newReader(l *lists, clock *serverClock) *reader {
	return &reader{lists: l, clock: clock, alone: map[string]bool{}, dead: map[string]time.Time{}, written: map[string]time.Time{}}
}

// read returns the session as a list confirms it, or else as get returns it.
func (r *reader) read(ctx context.Context, ref Ref, get func() (Session, error)) (Session, error) {
	if s, ok := r.confirm(ctx, ref); ok {
		return s, nil
	}
	s, err := get()
	if err == nil && s.Status == StatusUnavailable {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.dead[ref.ID] = time.Now()
	}
	return s, err
}

// contradicts reports whether the list shows as AVAILABLE what a get before it has shown as UNAVAILABLE:
// such a list stands still, and says nothing of the other sessions either.
func (r *reader) contradicts(list *snapshot) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, at := range r.dead {
		if s, listed := list.find(id); listed && at.Before(list.started) && s.Status == StatusAvailable {
			return true
		}
	}
	return false
}

// confirm returns what a list says of a session that is well, unless it is one of the few that are
// read one by one.
func (r *reader) confirm(ctx context.Context, ref Ref) (Session, bool) {
	if listed, _ := r.count(ref.ID); !listed {
		return Session{}, false
	}
	return r.listed(ctx, ref, time.Time{})
}

// poll is read for a wait: it wants a list that starts now. While that says that the session is still
// requested, it asks for nothing else, but every getInterval for the session itself, since a list may
// stand still: when it last did is the wait's to know. Waits that a list cannot answer, or answers
// otherwise than the session itself, take turns, so that together they make no more requests than lists
// would: it returns when this one's next is.
func (r *reader) poll(ctx context.Context, ref Ref, lastGet time.Time, get func() (Session, error)) (s Session, turn time.Time, err error) {
	_, many := r.count(ref.ID)
	if !many || !r.lists.promising() {
		turn = r.book(1)
		s, err = get()
		return s, turn, err
	}
	listed, ok := r.listed(ctx, ref, time.Now())
	if ok && listed.Status == StatusRequested && time.Since(lastGet) < getInterval {
		return listed, time.Time{}, nil
	}
	s, err = get()
	if err == nil && ok && s.Status == listed.Status {
		return s, time.Time{}, nil
	}
	return s, r.book(2), err
}

// listed returns what a list says of a session that is well, whose request started at notBefore or
// later.
func (r *reader) listed(ctx context.Context, ref Ref, notBefore time.Time) (Session, bool) {
	taken := r.lists.try(ctx, latest(notBefore, r.speaksFrom(ref.ID)))
	// While it was awaited it may have grown too old, or the session may have been changed.
	if taken == nil || taken.started.Before(r.speaksFrom(ref.ID)) {
		return Session{}, false
	}
	s, listed := taken.find(ref.ID)
	if !listed || isDoubt(taken.doubt) || r.contradicts(taken) || s.ID != ref.ID || !well(s, ref, r.clock.estimate()) {
		return Session{}, false
	}
	return s, true
}

// speaksFrom is when the request of a list must have started for it to say anything of the session.
func (r *reader) speaksFrom(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return latest(time.Now().Add(-snapshotAge), r.written[id])
}

// count counts the session, and reports whether lists answer for it, and whether they do for any.
func (r *reader) count(id string) (listed, many bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.alone[id] && len(r.alone) < readOneByOne {
		r.alone[id] = true
	}
	listed = !r.alone[id]
	r.many = r.many || listed
	return listed, r.many
}

// wrote records that this process has changed the session, or may have: what was listed before
// says nothing of it any more.
func (r *reader) wrote(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[id] = time.Now()
}

// book takes the next turn for so many requests, and returns when the one after it is.
func (r *reader) book(requests int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.turn = latest(now, r.turn).Add(time.Duration(requests) * listInterval)
	if furthest := now.Add(furthestTurn); r.turn.After(furthest) {
		r.turn = furthest
	}
	return r.turn
}

// well reports whether a listed session asks for nothing to be done, and shows as much as whoever
// knows this of it needs: some networks list less than a get shows.
func well(s Session, known Ref, now time.Time) bool {
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
