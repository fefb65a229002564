package sandbox

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestSkewDate(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: Instant})
	session := h.Seed(Session{})
	send := func(path string) time.Duration {
		t.Helper()
		date, err := http.ParseTime(h.send(http.MethodGet, path, "").header.Get("Date"))
		if err != nil {
			t.Fatal(err)
		}
		return date.Sub(noon)
	}
	read := func() time.Duration { return send(pathSessions + "/" + session.ID) }
	list := func() time.Duration { return send(pathSessions) }

	h.SkewDate(func(n int, _ Operation) time.Duration { return time.Duration(n%2) * time.Hour })
	if got := []time.Duration{read(), list(), read()}; !slices.Equal(got, []time.Duration{time.Hour, 0, time.Hour}) {
		t.Errorf("every second answer: %v", got)
	}
	h.Fail(Fault{Effect: DropBeforeCommit()})
	_, _ = h.do(t.Context(), http.MethodGet, pathSessions, "")
	if got := read(); got != 0 {
		t.Errorf("what is not answered counts, too: %v", got)
	}

	h.SkewDate(func(_ int, op Operation) time.Duration {
		if op == OpList {
			return -6 * time.Hour
		}
		return 0
	})
	if got := []time.Duration{read(), list()}; !slices.Equal(got, []time.Duration{0, -6 * time.Hour}) {
		t.Errorf("one operation: %v", got)
	}
	if expires := h.readSession(session.ID).ExpiresAt; expires != timestamp(noon.Add(time.Hour)) {
		t.Errorf("the session's times are shifted, too: %s", expires)
	}

	h.Fail(Fault{Operation: OpList, Times: -1, Effect: CachedWithoutAge()})
	if got := list(); got != -6*time.Hour {
		t.Errorf("what a cache stores: %v", got)
	}
	h.SkewDate(nil)
	if got := []time.Duration{read(), list()}; !slices.Equal(got, []time.Duration{0, -6 * time.Hour}) {
		t.Errorf("ended, but not for what the cache has: %v", got)
	}
}

func TestSkewDateCountsAnAnswerOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	calls := 0
	count := func(n int, _ Operation) time.Duration { calls = n; return 0 }
	h.SkewDate(count)
	h.send(http.MethodGet, pathSessions, "")
	h.SkewDate(count) // counts from now on
	h.Fail(Fault{Effect: Cached()})
	h.send(http.MethodGet, pathSessions, "")
	if calls != 1 {
		t.Errorf("one answer is counted %d times", calls)
	}
}
