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
	index    map[string]int // in sessions, by id in lower case: networks may spell one id in two ways
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
	at, listed := s.index[strings.ToLower(id)]
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

// listCache shares list requests: callers that need one at the same time get one. One request is in
// flight at most.
type listCache struct {
	request  func(context.Context) (listing, error)
	shared   sharedCall[*snapshot]
	inFlight chan struct{} // held by the request in flight, also when nobody waits for it any more

	mu             sync.Mutex
	last           *snapshot
	notBefore      time.Time // no request starts before
	failedAt       time.Time // when the latest request ended, if it failed
	unsupportedErr error     // how the API has said that it has no list for these credentials; nil for not
}

func newListCache(request func(context.Context) (listing, error)) *listCache {
	return &listCache{request: request, inFlight: make(chan struct{}, 1)}
}

// since returns a snapshot whose request started at notBefore or later: an older one cannot
// speak for what has happened since.
func (l *listCache) since(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	for {
		if last := l.cached(notBefore); last != nil {
			return last, nil
		}
		// A request that began before notBefore may be the one in flight; then there is a second round.
		taken, err := l.shared.do(ctx, l.fetch)
		if err != nil {
			return nil, err
		}
		if !taken.started.Before(notBefore) {
			return taken, nil
		}
	}
}

// cached returns the latest snapshot if its request started at notBefore or later. What came after it
// and failed takes nothing away from it.
func (l *listCache) cached(notBefore time.Time) *snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil || l.last.started.Before(notBefore) {
		return nil
	}
	return l.last
}

// trySince is since for those who can do without: it returns nil where a list is not worth a try, fails,
// or takes too long.
func (l *listCache) trySince(ctx context.Context, notBefore time.Time) *snapshot {
	if !l.usable() {
		return l.cached(notBefore)
	}
	patient, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	taken, err := l.since(patient, notBefore)
	if err != nil && ctx.Err() == nil && patient.Err() != nil {
		l.markSlow()
	}
	return taken
}

// usable reports whether a list is worth a try to those who can do without: the API has one,
// and the latest request did not fail just now.
func (l *listCache) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsupportedErr == nil && (l.failedAt.IsZero() || time.Since(l.failedAt) >= snapshotAge)
}

// markSlow counts a list that takes too long to wait for as one that failed.
func (l *listCache) markSlow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failedAt = time.Now()
}

// unsupported reports whether the API has no list for these credentials.
func (l *listCache) unsupported() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsupportedErr != nil
}

// recentRefusal is how the API has refused a list within the last ten seconds; nil where it has not.
func (l *listCache) recentRefusal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.failedAt) >= snapshotAge {
		return nil
	}
	return l.unsupportedErr
}

func (l *listCache) fetch(ctx context.Context) (*snapshot, error) {
	select {
	case l.inFlight <- struct{}{}:
		defer func() { <-l.inFlight }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	turn := time.Until(l.notBefore)
	l.mu.Unlock()
	if turn > 0 {
		if err := pause(ctx, turn); err != nil {
			return nil, err
		}
	}
	s := &snapshot{started: time.Now()}
	l.mu.Lock()
	l.notBefore = s.started.Add(listInterval)
	l.mu.Unlock()
	got, err := l.request(ctx)
	if err != nil {
		l.record(s, err, ctx.Err() != nil)
		return nil, err
	}
	s.sessions, s.doubt = got.sessions, got.doubt
	s.index = make(map[string]int, len(s.sessions))
	for i, session := range s.sessions {
		s.index[strings.ToLower(session.ID)] = i
	}
	l.record(s, nil, false)
	return s, nil
}

// record records how a request ended, and when the next may start: after as long again as this one
// took. One that was abandoned, since nobody waited for it any more, says nothing of the API.
func (l *listCache) record(s *snapshot, err error, abandoned bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := time.Since(s.started)
	if err != nil {
		rest = min(rest, maxListPause)
		if saysUnsupported(err) {
			l.unsupportedErr = err
		}
	}
	l.notBefore = latest(l.notBefore, time.Now().Add(rest))
	switch {
	case err == nil:
		l.last, l.failedAt, l.unsupportedErr = s, time.Time{}, nil
	case !abandoned:
		l.failedAt = time.Now()
	}
}

// saysUnsupported reports whether the API will not list for these credentials, or does not know how to.
func saysUnsupported(err error) bool {
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
