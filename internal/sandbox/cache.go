package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cached answers GET requests like a cache in front of the API: the first answer to a path is given
// to all later requests of it, with the Date of then and an Age (RFC 9111 §5.1). It is for a Fault
// with Times: -1, and does not heed the Cache-Control of requests, as many caches do not.
func Cached() Effect { return cached(true, false) }

// CachedWithoutAge is Cached by a cache that adds no Age: only the Date, which stands still, tells.
func CachedWithoutAge() Effect { return cached(false, false) }

// CachedUnlessNoCache is Cached by a cache that passes on, and stores anew, what is requested with
// Cache-Control: no-cache (RFC 9111 §5.2.1.4).
func CachedUnlessNoCache() Effect { return cached(true, true) }

// storedAnswer is an answer and when the cache got it.
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
