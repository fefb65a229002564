package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cached answers GET requests like a cache in front of the API: all later requests of a path get
// the first answer, with its original Date and an Age (RFC 9111 §5.1). Use it in a Fault with
// Times: -1. It ignores the Cache-Control header of requests, as many caches do.
func Cached() Effect { return cached(true, false) }

// CachedWithoutAge is Cached by a cache that adds no Age, so that only the unchanging Date reveals
// it.
func CachedWithoutAge() Effect { return cached(false, false) }

// CachedUnlessNoCache is Cached by a cache that forwards requests with Cache-Control: no-cache and
// stores the new answer (RFC 9111 §5.2.1.4).
func CachedUnlessNoCache() Effect { return cached(true, true) }

// storedAnswer is an answer and when the cache stored it.
type storedAnswer struct {
	answer
	at time.Time
}

func cached(age, obeys bool) Effect {
	var mu sync.Mutex
	stored := map[string]storedAnswer{}
	return Effect{func(x *exchange) {
		if x.request.Method != http.MethodGet {
			noFault.perform(x)
			return
		}
		mu.Lock()
		now, key := x.clock.Now(), x.request.URL.RequestURI()
		known, hit := stored[key]
		if !hit || obeys && strings.Contains(x.request.Header.Get("Cache-Control"), "no-cache") {
			known, hit = storedAnswer{x.commit().with("Date", x.date()), now}, false
			stored[key] = known
		}
		mu.Unlock()
		if hit && age {
			known.answer = known.with("Age", strconv.Itoa(int(now.Sub(known.at)/time.Second)))
		}
		x.send(known.answer)
	}}
}
