package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	t.Parallel()
	for transport, start := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := start(t, Config{PageSize: 2, Provisioning: Instant})
			var want, got []string
			for range 5 {
				want = append(want, h.Seed(Session{}).ID)
			}
			h.Seed(Session{ClientID: "somebody else"})
			path := pathSessions
			for range 3 {
				r := h.send(http.MethodGet, path, "")
				var infos []sessionInfo
				h.decode(r, &infos)
				for _, info := range infos {
					got = append(got, info.SessionID)
				}
				if total := r.header.Get("X-Total-Count"); total != "5" {
					t.Errorf("X-Total-Count %q", total)
				}
				var ok bool
				next := strings.TrimPrefix(r.header.Get("Link"), "<"+h.base)
				if path, ok = strings.CutSuffix(next, `>; rel="next"`); !ok {
					path = ""
					break
				}
			}
			if path != "" || strings.Join(got, " ") == "" || len(got) != len(want) {
				t.Errorf("got %v, then %q; want %v", got, path, want)
			}
			for _, id := range want {
				if !strings.Contains(strings.Join(got, " "), id) {
					t.Errorf("%s is on no page", id)
				}
			}
		})
	}
}

func TestPagesThereAreNone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{PageSize: 2})
	if got := h.send(http.MethodGet, pathSessions, ""); got.body != "[]" || got.header.Get("Link") != "" || got.header.Get("X-Total-Count") != "0" {
		t.Errorf("an empty list: %+v", got)
	}
	h.Seed(Session{})
	h.Seed(Session{})
	if got := h.send(http.MethodGet, pathSessions, ""); got.header.Get("Link") != "" {
		t.Errorf("a page that is just full has a next one: %+v", got.header)
	}
	if got := h.send(http.MethodGet, pathSessions+"?page=2", ""); got.body != "[]" {
		t.Errorf("the page behind it: %+v", got)
	}
	for _, page := range []string{"0", "-1", "three", "4", "999999999999999999"} {
		h.wantError(h.send(http.MethodGet, pathSessions+"?page="+page, ""), http.StatusBadRequest, "INVALID_ARGUMENT")
	}
}

func TestListsInOtherForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect   Effect
		sessions int
		status   int
		header   [2]string
		body     string // it contains
	}{
		"Partial":                  {Partial(1), 2, 206, [2]string{"Content-Range", "sessions 0-0/2"}, `[{"sessionId"`},
		"Partial of the whole":     {Partial(2), 2, 200, [2]string{"Content-Range", ""}, `[{"sessionId"`},
		"EmptyListAs 204":          {EmptyListAs(204), 0, 204, [2]string{"Content-Type", ""}, ""},
		"EmptyListAs 404":          {EmptyListAs(404), 0, 404, [2]string{"Content-Type", "application/json"}, `"code":"NOT_FOUND"`},
		"EmptyListAs of one":       {EmptyListAs(204), 1, 200, [2]string{}, `[{"sessionId"`},
		"Rewrite, byte order mark": {Rewrite(func(body []byte) []byte { return append([]byte("\ufeff"), body...) }), 1, 200, [2]string{"Content-Type", "application/json"}, "\ufeff[{"},
	}
	for name, test := range tests {
		for transport, start := range transports {
			t.Run(name+" in "+transport, func(t *testing.T) {
				t.Parallel()
				h := start(t, Config{})
				for range test.sessions {
					h.Seed(Session{})
				}
				h.Fail(Fault{Operation: OpList, Effect: test.effect})
				got, err := h.do(t.Context(), http.MethodGet, pathSessions, "")
				if err != nil || got.status != test.status || !strings.Contains(got.body, test.body) {
					t.Errorf("got %+v, %v", got, err)
				}
				if name := test.header[0]; name != "" && got.header.Get(name) != test.header[1] {
					t.Errorf("%s: %q, want %q", name, got.header.Get(name), test.header[1])
				}
				if test.status == 206 && strings.Count(got.body, "sessionId") != 1 {
					t.Errorf("all of it: %s", got.body)
				}
			})
		}
	}
}
