package qod

import (
	"context"
	"sync"
	"time"
)

// snapshot is one list of the sessions that these credentials can see.
type snapshot struct {
	started  time.Time // when its request started, by this process's clock
	sessions []Session
	ids      map[string]bool
}

// lists shares list requests: callers that need one at the same time get one. One request is in
// flight at most.
type lists struct {
	request func(context.Context) ([]Session, error)
	flight  shared[*snapshot]

	mu   sync.Mutex
	last *snapshot
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

func (l *lists) take(ctx context.Context) (*snapshot, error) {
	s := &snapshot{started: time.Now(), ids: map[string]bool{}}
	var err error
	if s.sessions, err = l.request(ctx); err != nil {
		return nil, err
	}
	for _, session := range s.sessions {
		s.ids[session.ID] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = s
	return s, nil
}
