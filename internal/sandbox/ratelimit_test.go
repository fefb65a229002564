package sandbox

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{RateLimit: 2})
		h.Fail(Fault{Operation: OpList, Nth: 3, Effect: Status(500, `{}`)})
		list := func() int {
			got, err := h.do(t.Context(), http.MethodGet, pathSessions, "")
			if err != nil {
				t.Fatal(err)
			}
			if got.status == http.StatusTooManyRequests {
				h.wantError(got, http.StatusTooManyRequests, "TOO_MANY_REQUESTS")
				if got.header.Get("Retry-After") != "" {
					t.Error("it says when to come back")
				}
			}
			return got.status
		}
		if got := []int{list(), list(), list()}; !slices.Equal(got, []int{200, 200, 429}) {
			t.Errorf("within a second: %v", got)
		}
		h.wantError(h.send(http.MethodPost, pathSessions, createBody("+34600000001")), http.StatusTooManyRequests, "TOO_MANY_REQUESTS")
		if len(h.Ledger()) != 0 {
			t.Error("a refused creation made a session")
		}
		h.send(http.MethodGet, pathDiscovery, "") // has no limit
		time.Sleep(time.Second - time.Nanosecond)
		if got := list(); got != 429 {
			t.Errorf("before the second is over: %d", got)
		}
		time.Sleep(time.Nanosecond)
		// The fault still waits for the third request that the API accepts.
		if got := []int{list(), list(), list()}; !slices.Equal(got, []int{500, 200, 429}) {
			t.Errorf("in the next second: %v", got)
		}
	})
}

func TestRateLimitOnASocket(t *testing.T) {
	t.Parallel()
	h, _ := newServerHarness(t, Config{RateLimit: 1})
	statuses := map[int]bool{}
	for len(statuses) < 2 { // on a slow machine, two requests may take more than a second
		got, err := h.do(t.Context(), http.MethodGet, pathSessions, "")
		if err != nil {
			t.Fatal(err)
		}
		if statuses[got.status] = true; !statuses[200] {
			t.Fatalf("the first request of all is answered %d", got.status)
		}
	}
	if !statuses[429] {
		t.Errorf("got %v", statuses)
	}
}
