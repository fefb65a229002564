package sandbox

import (
	"sync"
	"time"
)

// dateSkew is how wrong the clocks are of the nodes that answer.
type dateSkew struct {
	mu      sync.Mutex
	answers int
	skew    func(n int, op Operation) time.Duration
}

// SkewDate shifts the Date of answers by what skew returns for them, so that one node, or every
// second answer, may be hours off. Sessions go on to live by the sandbox's clock. n counts the answers
// from now on, to all operations; skew is called for one of them at a time and must not use the
// sandbox. nil ends it.
func (s *Sandbox) SkewDate(skew func(n int, op Operation) time.Duration) {
	s.dateSkew.mu.Lock()
	defer s.dateSkew.mu.Unlock()
	s.dateSkew.answers, s.dateSkew.skew = 0, skew
}

func (d *dateSkew) next(op Operation) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.skew == nil {
		return 0
	}
	d.answers++
	return d.skew(d.answers, op)
}
