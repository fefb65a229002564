package sandbox

import (
	"net/http"
	"testing"
	"time"
)

func TestCaches(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect          Effect
		age             string // of the answer a minute later
		obeys           bool
		afterRevalidate string // Age, another minute later
	}{
		"Cached":              {Cached(), "60", false, "120"},
		"CachedWithoutAge":    {CachedWithoutAge(), "", false, ""},
		"CachedUnlessNoCache": {CachedUnlessNoCache(), "60", true, "60"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Provisioning: Instant})
			session := h.Seed(Session{})
			h.Fail(Fault{Times: -1, Effect: test.effect})
			list := func(header ...string) reply { return h.send(http.MethodGet, pathSessions, "", header...) }

			first := list()
			if first.header.Get("Age") != "" || first.header.Get("Date") != noon.Format(http.TimeFormat) {
				t.Errorf("the first answer is out of a cache: %v", first.header)
			}
			if h.createSession(createBody("+34600000001")) == h.createSession(createBody("+34600000002")) {
				t.Error("a creation is answered out of a cache")
			}
			h.clock.Advance(time.Minute)
			second := list()
			if second.body != first.body || second.header.Get("Date") != first.header.Get("Date") || second.header.Get("Age") != test.age {
				t.Errorf("a minute later: %+v, first %+v", second, first)
			}
			if got := h.readSession(session.ID); got.SessionID != session.ID {
				t.Errorf("a read got another path's answer: %+v", got)
			}

			fresh := list("Cache-Control", "no-cache")
			if obeyed := fresh.body != first.body && fresh.header.Get("Age") == ""; obeyed != test.obeys {
				t.Errorf("no-cache: %+v", fresh)
			}
			h.clock.Advance(time.Minute)
			if got := list(); got.body != fresh.body || got.header.Get("Age") != test.afterRevalidate {
				t.Errorf("two minutes later: %+v", got)
			}
			h.Heal()
			if got := list(); len(got.header.Values("Age")) != 0 || got.header.Get("Date") != noon.Add(2*time.Minute).Format(http.TimeFormat) {
				t.Errorf("healed: %v", got.header)
			}
		})
	}
}
