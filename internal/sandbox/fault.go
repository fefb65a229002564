package sandbox

import "sync"

// Fault makes some requests go wrong.
type Fault struct {
	Operation Operation // empty: any
	Nth       int       // the first request it affects, counted from Fail; 0 and 1: the next
	Times     int       // how many requests it affects; 0: one, -1: all
	Effect    Effect
}

// Effect is what a Fault does to a request. An Effect that commits carries out the request, if the
// API allows it, and changes only the answer.
type Effect struct{ perform func(*exchange) }

// faults holds the faults that are still to come.
type faults struct {
	mu      sync.Mutex
	pending []*pendingFault
}

type pendingFault struct {
	Fault
	seen int // requests of its operation since Fail
}

// Fail adds a fault. If several faults apply to the same request, it gets the one that was added
// first, and the others wait for the next request: two calls of Fail affect two consecutive
// requests. Fail panics without an Effect, because such a test would prove nothing.
func (s *Sandbox) Fail(f Fault) {
	if f.Effect.perform == nil {
		panic("sandbox: a Fault needs an Effect")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.pending = append(s.faults.pending, &pendingFault{Fault: f})
}

// Heal removes all faults.
func (s *Sandbox) Heal() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.pending = nil
}

// next returns the effect for a request that has just arrived, or noFault.
func (f *faults) next(op Operation) Effect {
	f.mu.Lock()
	defer f.mu.Unlock()
	effect, at := noFault, -1
	for i, p := range f.pending {
		if p.Operation != "" && p.Operation != op {
			continue
		}
		p.seen++
		if at < 0 && p.seen >= p.Nth {
			effect, at = p.Effect, i
		}
	}
	if at < 0 {
		return effect
	}
	if used := f.pending[at]; used.Times > 0 {
		used.Times--
		if used.Times == 0 {
			f.pending = append(f.pending[:at], f.pending[at+1:]...)
		}
	}
	return effect
}
