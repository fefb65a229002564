// Release says that a session is deleted only when the API itself said so, and that there was
// none only for a proven 404. Everything else is an error, so that a session that is live and
// billed never leaves the state.
package qod_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func releases(times int, effect sandbox.Effect) func(*world, string) {
	return func(w *world, _ string) { w.spoil(sandbox.OpDelete, times, effect) }
}

func TestRelease(t *testing.T) {
	t.Parallel()
	type outcome int
	const (
		deleted outcome = iota
		gone
		failed
	)
	tests := map[string]struct {
		arrange func(w *world, id string)
		budget  time.Duration
		want    outcome
		live    bool
		status  int // of the failure
		deletes int
		till    time.Duration
		check   func(t *testing.T, err error)
	}{
		"204":            {deletes: 1},
		"200, empty":     {arrange: releases(1, sandbox.Answer(200, jsonType, "")), deletes: 1},
		"200 and a body": {arrange: releases(1, sandbox.Answer(200, jsonType, `{"sessionId":"x"}`)), deletes: 1},
		"200 and a page of a portal": {
			arrange: releases(-1, sandbox.Status(200, loginPage, "Content-Type", htmlType)),
			want:    failed, live: true, status: 200, deletes: 5,
		},
		"a page of a portal, once": {arrange: releases(1, sandbox.Status(200, loginPage, "Content-Type", htmlType)), deletes: 2},

		"gone already": {arrange: func(w *world, id string) { w.Remove(id) }, want: gone, deletes: 1},
		"404, empty":   {arrange: func(w *world, id string) { w.Remove(id); w.spoil(sandbox.OpDelete, 1, sandbox.Status(404, "")) }, want: gone, deletes: 1},
		"unavailable":  {arrange: func(w *world, id string) { w.Revoke(id) }, deletes: 1},

		"the answer is lost":        {arrange: releases(1, sandbox.DropAfterCommit()), want: gone, deletes: 2},
		"the request is lost":       {arrange: releases(1, sandbox.DropBeforeCommit()), deletes: 2},
		"reset":                     {arrange: releases(1, sandbox.Reset()), deletes: 2},
		"502 after the commit":      {arrange: releases(1, sandbox.StatusAfterCommit(502, "")), want: gone, deletes: 2},
		"it hangs after the commit": {arrange: releases(1, sandbox.HangAfterCommit()), want: gone, deletes: 2},
		"doubled":                   {arrange: releases(1, sandbox.Duplicate()), want: gone, deletes: 1},
		"503 twice":                 {arrange: releases(2, down), deletes: 3},
		"503 for ever":              {arrange: releases(-1, down), want: failed, live: true, status: 503, deletes: 5},
		"429 that fits":             {arrange: releases(1, sandbox.Status(429, "", "Retry-After", "60")), deletes: 2},
		"429 that does not": {
			arrange: releases(-1, sandbox.Status(429, "", "Retry-After", "600")), want: failed, live: true, status: 429, deletes: 1, till: time.Second,
			check: func(t *testing.T, err error) { equal(t, "asked", as[*qod.Error](t, err).RetryAfter, 10*time.Minute) },
		},
		"403": {
			arrange: releases(-1, sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)), want: failed, live: true, status: 403, deletes: 1,
			check: func(t *testing.T, err error) { equal(t, "scope", as[*qod.Error](t, err).Scope, sandbox.ScopeWrite) },
		},
		"401 once":    {arrange: releases(1, sandbox.Status(401, "")), deletes: 2},
		"401 forever": {arrange: releases(-1, sandbox.Status(401, "")), want: failed, live: true, status: 401, deletes: 2},
		"redirected":  {arrange: releases(-1, sandbox.Redirect(307, "https://evil.example/")), want: failed, live: true, status: 307, deletes: 1},

		"202, and deleted a moment later": {
			arrange: func(w *world, id string) {
				w.spoil(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { w.Remove(id) })
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and unavailable a moment later": {
			arrange: func(w *world, id string) {
				w.spoil(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { w.Revoke(id) })
			},
			deletes: 1, live: true, till: 30 * time.Second,
		},
		"202, and unavailable already": {
			arrange: func(w *world, id string) {
				w.Revoke(id)
				w.spoil(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { w.Remove(id) })
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and looks fail meanwhile": {
			arrange: func(w *world, id string) {
				w.spoil(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { w.Remove(id) })
				w.spoil(sandbox.OpRead, 1, down)
				w.spoil(sandbox.OpRead, 1, sandbox.Status(404, loginPage, "Content-Type", htmlType))
				w.spoil(sandbox.OpRead, 1, sandbox.DropBeforeCommit())
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and never deleted": {
			arrange: releases(1, sandbox.Status(202, "")), want: failed, live: true, deletes: 1, till: 2 * time.Minute,
			check: func(t *testing.T, err error) { equal(t, "timeout", as[*qod.InterruptedError](t, err).Timeout, true) },
		},
		"no time left": {
			arrange: releases(-1, down), budget: time.Second, want: failed, live: true, status: 503, deletes: 3, till: time.Second,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				s := w.seed(sandbox.Session{})
				if test.arrange != nil {
					test.arrange(w, s.ID)
				}
				budget := test.budget
				if budget == 0 {
					budget = 2 * time.Minute
				}
				var err error
				spent := took(func() { err = w.Delete(within(t, budget), refOf(s)) })
				equal(t, "an error", err != nil, test.want != deleted)
				equal(t, "gone", qod.IsGone(err), test.want == gone)
				equal(t, "live", len(w.Ledger()) == 1, test.live)
				if n := w.Count(sandbox.OpDelete); n > test.deletes || (n < test.deletes && test.budget == 0) {
					t.Errorf("%d DELETEs, want %d", n, test.deletes)
				}
				if test.status != 0 {
					e := as[*qod.Error](t, err)
					equal(t, "status", e.Status, test.status)
					equal(t, "session", e.SessionID, s.ID)
				}
				if test.till > 0 && spent > test.till+100*time.Millisecond {
					t.Errorf("took %v", spent)
				}
				if test.check != nil {
					test.check(t, err)
				}
				for _, r := range w.Requests(sandbox.OpDelete) {
					if len(r.Body) > 0 || r.Header.Get("Content-Type") != "" {
						t.Errorf("a DELETE with a body: %q", r.Body)
					}
				}
			})
		})
	}
}

// What the API is busy with is deleted a moment later: that is what the time is for.
func TestReleaseOfABusySession(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 423, 425} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			busy := sandbox.Status(status, `{"status":0,"code":"CONFLICT","message":"busy"}`)
			for _, times := range []int{1, 2, 10} {
				inBubble(t, setting{}, func(t *testing.T, w *world) {
					s := w.seed(sandbox.Session{})
					w.spoil(sandbox.OpDelete, times, busy)
					spent := took(func() {
						if err := w.Delete(within(t, 2*time.Minute), refOf(s)); err != nil {
							t.Error(err)
						}
					})
					equal(t, "DELETEs", w.Count(sandbox.OpDelete), times+1)
					if most := time.Duration(times) * maxDeletePause; spent > most {
						t.Errorf("%d times busy took %v, want at most %v", times, spent, most)
					}
				})
			}
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				s := w.seed(sandbox.Session{})
				w.spoil(sandbox.OpDelete, -1, busy)
				var err error
				spent := took(func() { err = w.Delete(within(t, 2*time.Minute), refOf(s)) })
				equal(t, "it ran out of time", as[*qod.InterruptedError](t, err).Timeout, true)
				equal(t, "what it was answered", as[*qod.Error](t, err).Status, status)
				equal(t, "gone", qod.IsGone(err), false)
				if spent < 110*time.Second || spent > 121*time.Second {
					t.Errorf("given up after %v of two minutes", spent)
				}
				if n := w.Count(sandbox.OpDelete); n < 20 || n > 40 {
					t.Errorf("%d DELETEs", n)
				}
			})
		})
	}
}

// maxDeletePause is what lies between two DELETEs at most.
const maxDeletePause = 6250 * time.Millisecond

// What a list shows is there, whatever a DELETE is answered in the API's place: it is repeated while
// there is time, and then the error says both.
func TestReleaseOfWhatAListShows(t *testing.T) {
	t.Parallel()
	for _, says := range sandbox.ForeignNotFound {
		t.Run(says.Name, func(t *testing.T) {
			t.Parallel()
			for _, times := range []int{1, 3} {
				inBubble(t, setting{}, func(t *testing.T, w *world) {
					s := w.seed(sandbox.Session{})
					w.spoil(sandbox.OpDelete, times, says.Effect)
					spent := took(func() {
						if err := w.Delete(within(t, 2*time.Minute), refOf(s)); err != nil {
							t.Error(err)
						}
					})
					equal(t, "on the network", len(w.Ledger()), 0)
					equal(t, "DELETEs", w.Count(sandbox.OpDelete), times+1)
					if most := time.Duration(times) * maxDeletePause; spent > most {
						t.Errorf("it took %v", spent)
					}
				})
			}
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				s := w.seed(sandbox.Session{})
				w.spoil(sandbox.OpDelete, -1, says.Effect)
				err := w.Delete(within(t, 2*time.Minute), refOf(s))
				e := as[*qod.UnprovenError](t, err)
				equal(t, "the list shows it", e.Listed, true)
				equal(t, "status", e.Err.Status, 404)
				equal(t, "on the network", len(w.Ledger()), 1)
				if n := w.Count(sandbox.OpDelete); n < 20 || n > 40 {
					t.Errorf("%d DELETEs", n)
				}
			})
		})
	}
}

// What the API asks to wait is waited for.
func TestReleaseOfABusySessionAsItIsAsked(t *testing.T) {
	t.Parallel()
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		s := w.seed(sandbox.Session{})
		w.spoil(sandbox.OpDelete, 1, sandbox.Status(423, "", "Retry-After", "20"))
		spent := took(func() {
			if err := w.Delete(within(t, 2*time.Minute), refOf(s)); err != nil {
				t.Error(err)
			}
		})
		if spent < 20*time.Second || spent > 21*time.Second {
			t.Errorf("it took %v", spent)
		}
	})
}

// An interrupt ends it within a second, with an error, so that the session stays in state.
func TestReleaseInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*world, string){
		"while it hangs":            releases(-1, sandbox.HangBeforeCommit()),
		"while it hangs, deleted":   releases(-1, sandbox.HangAfterCommit()),
		"between two tries":         releases(-1, sandbox.Status(503, "", "Retry-After", "60")),
		"while it is only accepted": releases(1, sandbox.Status(202, "")),
		"while the API is busy":     releases(-1, sandbox.Status(409, "")),
		"while a token is fetched":  func(w *world, _ string) { w.spoil(sandbox.OpToken, -1, sandbox.HangBeforeCommit()) },
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				s := w.seed(sandbox.Session{})
				arrange(w, s.ID)
				var err error
				spent := took(func() { err = w.Delete(cancelledIn(t, 5*time.Second), refOf(s)) })
				if e := as[*qod.InterruptedError](t, err); e.Timeout || qod.IsGone(err) {
					t.Errorf("%+v", e)
				}
				if spent > 6*time.Second {
					t.Errorf("it went on for %v", spent-5*time.Second)
				}
				time.Sleep(time.Minute)
				equal(t, "DELETEs after the interrupt", countAfter(w.Requests(sandbox.OpDelete), spent), 0)
			})
		})
	}
}

// countAfter counts the requests that came later than d after the bubble began.
func countAfter(requests []sandbox.Request, d time.Duration) int {
	n := 0
	for _, r := range requests {
		if r.At.Sub(bubbleBegan) > d {
			n++
		}
	}
	return n
}

// notIDs are ids that must not become a URL.
var notIDs = []string{
	"", ".", "..", "../../admin", "a/b", `a\b`, "a?b", "a#b", "a%2fb", "a b", "a\nb", "a;b", "ä", ".hidden", strings.Repeat("a", 129), "a\x00", someID + "/",
}

func TestReleaseRefusesWhatIsNoID(t *testing.T) {
	t.Parallel()
	for _, id := range notIDs {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				err := w.Delete(t.Context(), qod.Ref{ID: id})
				if err == nil || qod.IsGone(err) {
					t.Errorf("error: %v", err)
				}
				equal(t, "requests", len(w.Requests()), 0)
			})
		})
	}
}

func TestReleasePanics(t *testing.T) {
	t.Parallel()
	faulty := func(_ *world, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodDelete {
			panic("a fault")
		}
		return next.RoundTrip(r)
	}
	inBubble(t, setting{wire: faulty}, func(t *testing.T, w *world) {
		s := w.seed(sandbox.Session{})
		err := w.Delete(t.Context(), refOf(s))
		_ = as[*qod.PanicError](t, err)
		equal(t, "gone", qod.IsGone(err), false)
	})
}
