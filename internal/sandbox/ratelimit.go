package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// rateLimit limits the number of requests per second of real time; a second begins with the first
// request after the last one.
type rateLimit struct {
	perSecond int // 0: any number

	mu     sync.Mutex
	opened time.Time
	passed int
}

func (l *rateLimit) passes() bool {
	if l.perSecond <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.opened) >= time.Second {
		l.opened, l.passed = now, 0
	}
	l.passed++
	return l.passed <= l.perSecond
}

// tooManyRequests is CAMARA's answer beyond a rate limit. It has no Retry-After, which many
// gateways leave out.
func (s *Sandbox) tooManyRequests() answer {
	return s.api.refusal(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "Either out of resource quota or reaching rate limiting")
}
