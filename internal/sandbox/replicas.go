package sandbox

import (
	"slices"
	"sync"
	"time"
)

// replicas makes nodes of the network that serve the API lag behind.
type replicas struct {
	mu     sync.Mutex
	lag    map[Operation]time.Duration
	frozen []Session // what lists show; nil: the sessions on the network
}

// Lag has an operation served by a replica that learns of a session only d after its creation, by
// the sandbox's clock. Until then OpRead and OpDelete answer 404 NOT_FOUND as the API does and do
// nothing, OpList does not show the session, and OpCreate sees no conflict with it. 0 ends it.
func (s *Sandbox) Lag(op Operation, d time.Duration) {
	s.replicas.mu.Lock()
	defer s.replicas.mu.Unlock()
	if s.replicas.lag == nil {
		s.replicas.lag = map[Operation]time.Duration{}
	}
	s.replicas.lag[op] = d
}

// StaleList(true) has lists show the sessions and statuses of this moment until StaleList(false).
// Their Date is current, so nothing reveals that they are stale.
func (s *Sandbox) StaleList(on bool) {
	var frozen []Session
	if on {
		frozen = s.Ledger()
	}
	s.replicas.mu.Lock()
	defer s.replicas.mu.Unlock()
	s.replicas.frozen = frozen
}

// visible returns which sessions are visible to the replica that serves op.
func (s *Sandbox) visible(op Operation) func(*Session) bool {
	s.replicas.mu.Lock()
	lag := s.replicas.lag[op]
	s.replicas.mu.Unlock()
	now := s.clock.Now()
	return func(session *Session) bool {
		return lag <= 0 || !now.Before(session.CreatedAt.Add(lag))
	}
}

// visibleInList returns the sessions that a list shows, of those for which keep returns true.
func (s *Sandbox) visibleInList(keep func(*Session) bool) []Session {
	s.replicas.mu.Lock()
	frozen := slices.Clone(s.replicas.frozen)
	s.replicas.mu.Unlock()
	if frozen == nil {
		return s.network.list(keep)
	}
	return slices.DeleteFunc(frozen, func(session Session) bool { return !keep(&session) })
}
