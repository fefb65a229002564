package sandbox

import (
	"sync"
	"time"
)

// dateSkew is the error in the clocks of the nodes that answer.
type dateSkew struct {
	mu      sync.Mutex
	answers int
	skew    func(n int, op Operation) time.Duration
}

// SkewDate shifts the Date of answers by what skew returns for them: one node, or every second
// answer, may be hours off. Sessions still live by the sandbox's clock. n counts the answers from
// now on, of all operations. skew is never called concurrently and must not use the sandbox. nil
// ends it.
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
