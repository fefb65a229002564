package qod

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// snapshot is one list of the sessions that these credentials can see.
type snapshot struct {
	started  time.Time // when its request started, by this process's clock
	sessions []Session
	position map[string]int // in sessions, by id in lower case: networks may spell one id in two ways
	// doubt is why what the list does not show may be there all the same: it comes from a cache, or is
	// a part of the whole. Nil for none.
	doubt error
}

// has reports whether the session was listed.
func (s *snapshot) has(id string) bool {
	_, listed := s.find(id)
	return listed
}

func (s *snapshot) find(id string) (Session, bool) {
	at, listed := s.position[strings.ToLower(id)]
	if !listed {
		return Session{}, false
	}
	return s.sessions[at], true
}

const (
	// snapshotAge is how old a list may be where something from before the question will do.
	snapshotAge = 10 * time.Second

	// listInterval is the least time from the start of one list request to the next. It grows with
	// what a list takes, so that no more than half of the API's time goes into ours.
	listInterval = 250 * time.Millisecond

	// maxListPause bounds the pause after a list that failed: whoever looks for a lost session needs
	// the next one while there is still time.
	maxListPause = 2 * time.Second

	// listPatience bounds how long those wait for a list who can do without.
	listPatience = 10 * time.Second
)

// lists shares list requests: callers that need one at the same time get one. One request is in
// flight at most.
type lists struct {
	request func(context.Context) (listing, error)
	flight  shared[*snapshot]
	one     chan struct{} // held by the request in flight, also when nobody waits for it any more

	mu     sync.Mutex
	last   *snapshot
	next   time.Time // no request starts before
	failed time.Time // when the latest request ended, if it failed
	off    error     // how the API has said that it has no list for these credentials; nil for not
}

func newLists(request func(context.Context) (listing, error)) *lists {
	return &lists{request: request, one: make(chan struct{}, 1)}
}

// since returns a snapshot whose request started at notBefore or later: an older one cannot
// speak for what has happened since.
func (l *lists) since(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	for {
		if last := l.taken(notBefore); last != nil {
			return last, nil
		}
		// A request that began before notBefore may be the one in flight; then there is a second round.
		taken, err := l.flight.do(ctx, l.take)
		if err != nil {
			return nil, err
		}
		if !taken.started.Before(notBefore) {
			return taken, nil
		}
	}
}

// taken returns the latest snapshot if its request started at notBefore or later. What came after it
// and failed takes nothing away from it.
func (l *lists) taken(notBefore time.Time) *snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil || l.last.started.Before(notBefore) {
		return nil
	}
	return l.last
}

// try is since for those who can do without: it returns nil where a list is not worth a try, fails,
// or takes too long.
func (l *lists) try(ctx context.Context, notBefore time.Time) *snapshot {
	if !l.promising() {
		return l.taken(notBefore)
	}
	patient, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	taken, err := l.since(patient, notBefore)
	if err != nil && ctx.Err() == nil && patient.Err() != nil {
		l.disappoint()
	}
	return taken
}

// promising reports whether a list is worth a try to those who can do without: the API has one,
// and the latest request did not fail just now.
func (l *lists) promising() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.off == nil && (l.failed.IsZero() || time.Since(l.failed) >= snapshotAge)
}

// disappoint counts a list that takes too long to wait for as one that failed.
func (l *lists) disappoint() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = time.Now()
}

// refused reports whether the API has no list for these credentials.
func (l *lists) refused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.off != nil
}

// refusal is how the API has refused a list within the last ten seconds; nil where it has not.
func (l *lists) refusal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.failed) >= snapshotAge {
		return nil
	}
	return l.off
}

func (l *lists) take(ctx context.Context) (*snapshot, error) {
	select {
	case l.one <- struct{}{}:
		defer func() { <-l.one }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	turn := time.Until(l.next)
	l.mu.Unlock()
	if turn > 0 {
		if err := pause(ctx, turn); err != nil {
			return nil, err
		}
	}
	s := &snapshot{started: time.Now()}
	l.mu.Lock()
	l.next = s.started.Add(listInterval)
	l.mu.Unlock()
	got, err := l.request(ctx)
	if err != nil {
		l.ended(s, err, ctx.Err() != nil)
		return nil, err
	}
	s.sessions, s.doubt = got.sessions, got.doubt
	s.position = make(map[string]int, len(s.sessions))
	for i, session := range s.sessions {
		s.position[strings.ToLower(session.ID)] = i
	}
	l.ended(s, nil, false)
	return s, nil
}

// ended records how a request ended, and when the next may start: after as long again as this one
// took. One that was abandoned, since nobody waited for it any more, says nothing of the API.
func (l *lists) ended(s *snapshot, err error, abandoned bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := time.Since(s.started)
	if err != nil {
		rest = min(rest, maxListPause)
		if refusesLists(err) {
			l.off = err
		}
	}
	l.next = latest(l.next, time.Now().Add(rest))
	switch {
	case err == nil:
		l.last, l.failed, l.off = s, time.Time{}, nil
	case !abandoned:
		l.failed = time.Now()
	}
}

// refusesLists reports whether the API will not list for these credentials, or does not know how to.
func refusesLists(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	// A 404 is none of these: the API document has the list, so the route to it is broken, and whoever
	// answers in its place may deny the sessions as well.
	switch e.Status {
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}
