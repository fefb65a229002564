package sandbox

import (
	"slices"
	"sync"
	"time"
)

// replicas is what the nodes of the network that answer a client do not know yet.
type replicas struct {
	mu     sync.Mutex
	lag    map[Operation]time.Duration
	frozen []Session // what lists show; nil: what there is
}

// Lag has an operation answered by a replica that learns of a session only d after its creation,
// by the sandbox's clock. Until then OpRead and OpRelease say 404 NOT_FOUND in the API's own words
// and do nothing, OpList does not show the session, and OpCreate sees no conflict with it. 0 ends it.
func (s *Sandbox) Lag(op Operation, d time.Duration) {
	s.replicas.mu.Lock()
	defer s.replicas.mu.Unlock()
	if s.replicas.lag == nil {
		s.replicas.lag = map[Operation]time.Duration{}
	}
	s.replicas.lag[op] = d
}

// StaleList has lists show, from now until StaleList(false), the sessions and statuses of this
// moment. Their Date is current, so that nothing gives them away.
func (s *Sandbox) StaleList(on bool) {
	var frozen []Session
	if on {
		frozen = s.Ledger()
	}
	s.replicas.mu.Lock()
	defer s.replicas.mu.Unlock()
	s.replicas.frozen = frozen
}

// knows returns which sessions the replica that answers op knows.
func (s *Sandbox) visible(op Operation) func(*Session) bool {
	s.replicas.mu.Lock()
	lag := s.replicas.lag[op]
	s.replicas.mu.Unlock()
	now := s.clock.Now()
	return func(session *Session) bool {
		return lag <= 0 || !now.Before(session.CreatedAt.Add(lag))
	}
}

// listable returns the sessions that a list shows, of those that keep tells to keep.
func (s *Sandbox) visibleInList(keep func(*Session) bool) []Session {
	s.replicas.mu.Lock()
	frozen := slices.Clone(s.replicas.frozen)
	s.replicas.mu.Unlock()
	if frozen == nil {
		return s.network.list(keep)
	}
	return slices.DeleteFunc(frozen, func(session Session) bool { return !keep(&session) })
}
