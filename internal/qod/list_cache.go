package qod

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// snapshot is one list of the sessions that these credentials can see: all, or those of a device.
type snapshot struct {
	subject  string    // whose sessions it shows, see listCaches
	started  time.Time // when its request started, by this process's clock
	sessions []Session
	index    map[string]int // in sessions, by id in lower case: networks may spell an id in two ways
	// doubt is why a session that the list does not show may exist all the same: the list comes
	// from a cache or is incomplete. Nil for no doubt.
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
	// snapshotAge is how old a list may be for callers that do not need the present.
	snapshotAge = 10 * time.Second

	// listInterval is the shortest time between the starts of two list requests. Slow lists make it
	// longer, so that the API spends at most half of its time on our lists.
	listInterval = 250 * time.Millisecond

	// maxListPause bounds the pause after a list that failed: a create that looks for a lost
	// session needs the next list while there is still time.
	maxListPause = 2 * time.Second

	// optionalListTimeout bounds how long callers that can do without a list wait for one.
	optionalListTimeout = 10 * time.Second
)

// ErrNoList says that the API has no list of sessions.
var ErrNoList = errors.New("the API has no list of sessions")

// ErrListNeedsDevice says that the API lists the sessions of one device only.
var ErrListNeedsDevice = errors.New("the API lists the sessions of one device only, and it is not known of which")

// listCaches are the lists that an API has: one of all sessions, or one for each device. What one
// device's list is answered with says nothing about those of others.
type listCaches struct {
	limits  Limits
	request func(context.Context, Device) (listing, error)

	mu        sync.Mutex
	bySubject map[string]*listCache
}

func newListCaches(limits Limits, request func(context.Context, Device) (listing, error)) *listCaches {
	return &listCaches{limits: limits, request: request, bySubject: map[string]*listCache{}}
}

// of is the list that shows the sessions of a device. It is one that nobody can request where the
// API has none, or none without a device.
func (l *listCaches) of(d Device) *listCache {
	subject, unsupported := l.subject(d)
	l.mu.Lock()
	defer l.mu.Unlock()
	cache := l.bySubject[subject]
	if cache == nil {
		if subject == "" {
			d = Device{}
		}
		cache = newListCache(func(ctx context.Context) (listing, error) { return l.request(ctx, d) })
		cache.subject, cache.never, cache.unsupportedErr = subject, unsupported, unsupported
		l.bySubject[subject] = cache
	}
	return cache
}

// subject names the list that shows the sessions of a device: "" for the list of all.
func (l *listCaches) subject(d Device) (subject string, unsupported error) {
	switch {
	case l.limits.CanList:
		return "", nil
	case !l.limits.CanListByDevice:
		return "", ErrNoList
	}
	if subject = strings.Join(d.Identifiers(), ", "); subject == "" {
		return "", ErrListNeedsDevice
	}
	return subject, nil
}

// listCache shares lists between callers. At most one list request is in flight.
type listCache struct {
	subject  string // see listCaches
	never    error  // why there is none to request; nil for no reason
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

// since returns a list whose request started at notBefore or later: an older one does not show what
// has happened since.
func (l *listCache) since(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	if l.never != nil {
		return nil, l.never
	}
	for {
		if last := l.cached(notBefore); last != nil {
			return last, nil
		}
		// The request that was in flight may have started before notBefore: then there is another.
		list, err := l.shared.do(ctx, l.fetch)
		if err != nil {
			return nil, err
		}
		if !list.started.Before(notBefore) {
			return list, nil
		}
	}
}

// cached returns the latest list if its request started at notBefore or later. A later request that
// failed does not invalidate it.
func (l *listCache) cached(notBefore time.Time) *snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil || l.last.started.Before(notBefore) {
		return nil
	}
	return l.last
}

// trySince is since for callers that can do without a list: it returns nil if lists are not usable,
// or if this one fails or takes too long.
func (l *listCache) trySince(ctx context.Context, notBefore time.Time) *snapshot {
	if !l.usable() {
		return l.cached(notBefore)
	}
	patient, cancel := context.WithTimeout(ctx, optionalListTimeout)
	defer cancel()
	list, err := l.since(patient, notBefore)
	if err != nil && ctx.Err() == nil && patient.Err() != nil {
		l.markSlow()
	}
	return list
}

// usable reports whether callers that can do without a list should try for one: the API supports
// lists, and the latest request did not fail within the last ten seconds.
func (l *listCache) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsupportedErr == nil && (l.failedAt.IsZero() || time.Since(l.failedAt) >= snapshotAge)
}

// markSlow counts a list that takes too long as one that failed.
func (l *listCache) markSlow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failedAt = time.Now()
}

// unsupported reports whether the API does not list sessions for these credentials.
func (l *listCache) unsupported() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsupportedErr != nil
}

// recentRefusal is how the API has refused to list within the last ten seconds; nil if it has not.
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
	wait := time.Until(l.notBefore)
	l.mu.Unlock()
	if wait > 0 {
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
	s := &snapshot{subject: l.subject, started: time.Now()}
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
// took. A request that was abandoned because nobody waited for it any more says nothing about the
// API.
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

// saysUnsupported reports whether the API will not list for these credentials, or cannot list at
// all.
func saysUnsupported(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.class == classNoList
}
