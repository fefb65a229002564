package qod

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// snapshot is one list of the sessions that these credentials can see.
type snapshot struct {
	started  time.Time // when its request started, by this process's clock
	sessions []Session
	position map[string]int // in sessions, by id
}

// has reports whether the session was listed.
func (s *snapshot) has(id string) bool {
	_, listed := s.position[id]
	return listed
}

const (
	// snapshotAge is how old a list may be where something from before the question will do.
	snapshotAge = 10 * time.Second

	// listInterval is the least time from the start of one list request to the next. It grows with
	// what a list takes, so that no more than half of the API's time goes into ours.
	listInterval = 250 * time.Millisecond
)

// lists shares list requests: callers that need one at the same time get one. One request is in
// flight at most.
type lists struct {
	request func(context.Context) ([]Session, error)
	flight  shared[*snapshot]

	mu     sync.Mutex
	last   *snapshot
	next   time.Time // no request starts before
	failed time.Time // when the latest request ended, if it failed
	off    bool      // the API has no list for these credentials
}

// since returns a snapshot whose request started at notBefore or later: an older one cannot
// speak for what has happened since.
func (l *lists) since(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	for {
		l.mu.Lock()
		last := l.last
		l.mu.Unlock()
		if last != nil && !last.started.Before(notBefore) {
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

// promising reports whether a list is worth a try to those who can do without: the API has one,
// and the latest request did not fail just now.
func (l *lists) promising() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.off && (l.failed.IsZero() || time.Since(l.failed) >= snapshotAge)
}

// disappoint counts a list that takes too long to wait for as one that failed.
func (l *lists) disappoint() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = time.Now()
}

func (l *lists) take(ctx context.Context) (*snapshot, error) {
	l.mu.Lock()
	turn := time.Until(l.next)
	l.mu.Unlock()
	if turn > 0 {
		if err := pause(ctx, turn); err != nil {
			return nil, err
		}
	}
	s := &snapshot{started: time.Now()}
	var err error
	if s.sessions, err = l.request(ctx); err != nil {
		l.ended(s.started, nil, err)
		return nil, err
	}
	s.position = make(map[string]int, len(s.sessions))
	for i, session := range s.sessions {
		s.position[session.ID] = i
	}
	l.ended(s.started, s, nil)
	return s, nil
}

// ended records how a request ended, and when the next may start.
func (l *lists) ended(started time.Time, s *snapshot, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		// Those who cannot do without a list back off by themselves.
		l.next = started.Add(listInterval)
		l.failed = time.Now()
		l.off = l.off || refusesLists(err)
		return
	}
	l.next = started.Add(max(listInterval, 2*time.Since(started)))
	l.last, l.failed = s, time.Time{}
}

// refusesLists reports whether the API will not list for these credentials, or does not know how to.
func refusesLists(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}
