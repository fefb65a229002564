// Delete reports a session as deleted only when the API itself confirms it, and as gone only with
// proof. Anything else is an error, so that a session that is live and billed never leaves the
// state.
package qod_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func failDeletes(times int, effect sandbox.Effect) func(*qodtest.Network, string) {
	return func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpDelete, times, effect) }
}

func TestDelete(t *testing.T) {
	t.Parallel()
	type outcome int
	const (
		deleted outcome = iota
		gone
		failed
	)
	tests := map[string]struct {
		arrange func(n *qodtest.Network, id string)
		timeout time.Duration
		want    outcome
		live    bool
		status  int // of the failure
		deletes int
		till    time.Duration
		check   func(t *testing.T, err error)
	}{
		"204":            {deletes: 1},
		"200, empty":     {arrange: failDeletes(1, sandbox.Answer(200, qodtest.JSON, "")), deletes: 1},
		"200 and a body": {arrange: failDeletes(1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"x"}`)), deletes: 1},
		"200 and a page of a portal": {
			arrange: failDeletes(-1, sandbox.Status(200, qodtest.LoginPage, "Content-Type", qodtest.HTML)),
			want:    failed, live: true, status: 200, deletes: 5,
		},
		"a page of a portal, once": {arrange: failDeletes(1, sandbox.Status(200, qodtest.LoginPage, "Content-Type", qodtest.HTML)), deletes: 2},

		"gone already": {arrange: func(n *qodtest.Network, id string) { n.Remove(id) }, want: gone, deletes: 1},
		"404, empty": {arrange: func(n *qodtest.Network, id string) {
			n.Remove(id)
			n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(404, ""))
		}, want: gone, deletes: 1},
		"unavailable": {arrange: func(n *qodtest.Network, id string) { n.Revoke(id) }, deletes: 1},

		"the answer is lost":        {arrange: failDeletes(1, sandbox.DropAfterCommit()), want: gone, deletes: 2},
		"the request is lost":       {arrange: failDeletes(1, sandbox.DropBeforeCommit()), deletes: 2},
		"reset":                     {arrange: failDeletes(1, sandbox.Reset()), deletes: 2},
		"502 after the commit":      {arrange: failDeletes(1, sandbox.StatusAfterCommit(502, "")), want: gone, deletes: 2},
		"it hangs after the commit": {arrange: failDeletes(1, sandbox.HangAfterCommit()), want: gone, deletes: 2},
		"doubled":                   {arrange: failDeletes(1, sandbox.Duplicate()), want: gone, deletes: 1},
		"503 twice":                 {arrange: failDeletes(2, unavailable), deletes: 3},
		"503 for ever":              {arrange: failDeletes(-1, unavailable), want: failed, live: true, status: 503, deletes: 5},
		"429 that fits":             {arrange: failDeletes(1, sandbox.Status(429, "", "Retry-After", "60")), deletes: 2},
		"429 that does not": {
			arrange: failDeletes(-1, sandbox.Status(429, "", "Retry-After", "600")), want: failed, live: true, status: 429, deletes: 1, till: time.Second,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "asked", qodtest.ErrorAs[*qod.Error](t, err).RetryAfter, 10*time.Minute)
			},
		},
		"403": {
			arrange: failDeletes(-1, sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)), want: failed, live: true, status: 403, deletes: 1,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "scope", qodtest.ErrorAs[*qod.Error](t, err).Scope, sandbox.ScopeWrite)
			},
		},
		"401 once":    {arrange: failDeletes(1, sandbox.Status(401, "")), deletes: 2},
		"401 forever": {arrange: failDeletes(-1, sandbox.Status(401, "")), want: failed, live: true, status: 401, deletes: 2},
		"redirected":  {arrange: failDeletes(-1, sandbox.Redirect(307, "https://evil.example/")), want: failed, live: true, status: 307, deletes: 1},

		"202, and deleted a moment later": {
			arrange: func(n *qodtest.Network, id string) {
				n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { n.Remove(id) })
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and unavailable a moment later": {
			arrange: func(n *qodtest.Network, id string) {
				n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { n.Revoke(id) })
			},
			deletes: 1, live: true, till: 30 * time.Second,
		},
		"202, and unavailable already": {
			arrange: func(n *qodtest.Network, id string) {
				n.Revoke(id)
				n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { n.Remove(id) })
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and looks fail meanwhile": {
			arrange: func(n *qodtest.Network, id string) {
				n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(202, ""))
				time.AfterFunc(20*time.Second, func() { n.Remove(id) })
				n.InjectFault(sandbox.OpRead, 1, unavailable)
				n.InjectFault(sandbox.OpRead, 1, sandbox.Status(404, qodtest.LoginPage, "Content-Type", qodtest.HTML))
				n.InjectFault(sandbox.OpRead, 1, sandbox.DropBeforeCommit())
			},
			deletes: 1, till: 30 * time.Second,
		},
		"202, and never deleted": {
			arrange: failDeletes(1, sandbox.Status(202, "")), want: failed, live: true, deletes: 1, till: 2 * time.Minute,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "timeout", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, true)
			},
		},
		"no time left": {
			arrange: failDeletes(-1, unavailable), timeout: time.Second, want: failed, live: true, status: 503, deletes: 3, till: time.Second,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				if test.arrange != nil {
					test.arrange(n, s.ID)
				}
				timeout := test.timeout
				if timeout == 0 {
					timeout = 2 * time.Minute
				}
				var err error
				spent := qodtest.Elapsed(func() { err = n.Delete(qodtest.WithTimeout(t, timeout), qodtest.Ref(s)) })
				qodtest.Equal(t, "an error", err != nil, test.want != deleted)
				qodtest.Equal(t, "gone", qod.IsGone(err), test.want == gone)
				qodtest.Equal(t, "live", len(n.Ledger()) == 1, test.live)
				if count := n.Count(sandbox.OpDelete); count > test.deletes || (count < test.deletes && test.timeout == 0) {
					t.Errorf("%d DELETEs, want %d", count, test.deletes)
				}
				if test.status != 0 {
					e := qodtest.ErrorAs[*qod.Error](t, err)
					qodtest.Equal(t, "status", e.Status, test.status)
					qodtest.Equal(t, "session", e.SessionID, s.ID)
				}
				if test.till > 0 && spent > test.till+100*time.Millisecond {
					t.Errorf("took %v", spent)
				}
				if test.check != nil {
					test.check(t, err)
				}
				for _, r := range n.Requests(sandbox.OpDelete) {
					if len(r.Body) > 0 || r.Header.Get("Content-Type") != "" {
						t.Errorf("a DELETE with a body: %q", r.Body)
					}
				}
			})
		})
	}
}

// A session that the API is busy with is deleted a moment later: that is what the timeout is for.
func TestDeleteOfABusySession(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 423, 425} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			busy := sandbox.Status(status, `{"status":0,"code":"CONFLICT","message":"busy"}`)
			for _, times := range []int{1, 2, 10} {
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					s := n.SeedSession(sandbox.Session{})
					n.InjectFault(sandbox.OpDelete, times, busy)
					spent := qodtest.Elapsed(func() {
						if err := n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qodtest.Ref(s)); err != nil {
							t.Error(err)
						}
					})
					qodtest.Equal(t, "DELETEs", n.Count(sandbox.OpDelete), times+1)
					if most := time.Duration(times) * maxDeletePause; spent > most {
						t.Errorf("%d times busy took %v, want at most %v", times, spent, most)
					}
				})
			}
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpDelete, -1, busy)
				var err error
				spent := qodtest.Elapsed(func() { err = n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qodtest.Ref(s)) })
				qodtest.Equal(t, "it ran out of time", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, true)
				qodtest.Equal(t, "what it was answered", qodtest.ErrorAs[*qod.Error](t, err).Status, status)
				qodtest.Equal(t, "gone", qod.IsGone(err), false)
				if spent < 110*time.Second || spent > 121*time.Second {
					t.Errorf("given up after %v of two minutes", spent)
				}
				if count := n.Count(sandbox.OpDelete); count < 20 || count > 40 {
					t.Errorf("%d DELETEs", count)
				}
			})
		})
	}
}

// maxDeletePause is the longest time between two DELETEs.
const maxDeletePause = 6250 * time.Millisecond

// A session that a list shows exists, even if something between us and the API answers the DELETE
// with a 404: it is repeated while there is time, and then the error says both.
func TestDeleteOfWhatAListShows(t *testing.T) {
	t.Parallel()
	for _, says := range sandbox.ForeignNotFound {
		t.Run(says.Name, func(t *testing.T) {
			t.Parallel()
			for _, times := range []int{1, 3} {
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					s := n.SeedSession(sandbox.Session{})
					n.InjectFault(sandbox.OpDelete, times, says.Effect)
					spent := qodtest.Elapsed(func() {
						if err := n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qodtest.Ref(s)); err != nil {
							t.Error(err)
						}
					})
					qodtest.Equal(t, "on the network", len(n.Ledger()), 0)
					qodtest.Equal(t, "DELETEs", n.Count(sandbox.OpDelete), times+1)
					if most := time.Duration(times) * maxDeletePause; spent > most {
						t.Errorf("it took %v", spent)
					}
				})
			}
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpDelete, -1, says.Effect)
				err := n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qodtest.Ref(s))
				e := qodtest.ErrorAs[*qod.UnprovenError](t, err)
				qodtest.Equal(t, "the list shows it", e.Listed, true)
				qodtest.Equal(t, "status", e.Err.Status, 404)
				qodtest.Equal(t, "on the network", len(n.Ledger()), 1)
				if count := n.Count(sandbox.OpDelete); count < 20 || count > 40 {
					t.Errorf("%d DELETEs", count)
				}
			})
		})
	}
}

// A delete waits as long as the API asks for.
func TestDeleteOfABusySessionAsItIsAsked(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		n.InjectFault(sandbox.OpDelete, 1, sandbox.Status(423, "", "Retry-After", "20"))
		spent := qodtest.Elapsed(func() {
			if err := n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qodtest.Ref(s)); err != nil {
				t.Error(err)
			}
		})
		if spent < 20*time.Second || spent > 21*time.Second {
			t.Errorf("it took %v", spent)
		}
	})
}

// An interrupt ends it within a second, with an error, so that the session stays in state.
func TestDeleteInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*qodtest.Network, string){
		"while it hangs":            failDeletes(-1, sandbox.HangBeforeCommit()),
		"while it hangs, deleted":   failDeletes(-1, sandbox.HangAfterCommit()),
		"between two tries":         failDeletes(-1, sandbox.Status(503, "", "Retry-After", "60")),
		"while it is only accepted": failDeletes(1, sandbox.Status(202, "")),
		"while the API is busy":     failDeletes(-1, sandbox.Status(409, "")),
		"while a token is fetched":  func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit()) },
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				arrange(n, s.ID)
				var err error
				spent := qodtest.Elapsed(func() { err = n.Delete(qodtest.CancelAfter(t, 5*time.Second), qodtest.Ref(s)) })
				if e := qodtest.ErrorAs[*qod.InterruptedError](t, err); e.Timeout || qod.IsGone(err) {
					t.Errorf("%+v", e)
				}
				if spent > 6*time.Second {
					t.Errorf("it went on for %v", spent-5*time.Second)
				}
				time.Sleep(time.Minute)
				qodtest.Equal(t, "DELETEs after the interrupt", countAfter(n.Requests(sandbox.OpDelete), spent), 0)
			})
		})
	}
}

// countAfter counts the requests that came later than d after the start of the bubble.
func countAfter(requests []sandbox.Request, d time.Duration) int {
	count := 0
	for _, r := range requests {
		if r.At.Sub(qodtest.BubbleStart) > d {
			count++
		}
	}
	return count
}

// notIDs are ids that must not become a URL.
var notIDs = []string{
	"", ".", "..", "../../admin", "a/b", `a\b`, "a?b", "a#b", "a%2fb", "a b", "a\nb", "a;b", "ä", ".hidden", strings.Repeat("a", 129), "a\x00", qodtest.SessionID + "/",
}

func TestDeleteRefusesWhatIsNoID(t *testing.T) {
	t.Parallel()
	for _, id := range notIDs {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				err := n.Delete(t.Context(), qod.Ref{ID: id})
				if err == nil || qod.IsGone(err) {
					t.Errorf("error: %v", err)
				}
				qodtest.Equal(t, "requests", len(n.Requests()), 0)
			})
		})
	}
}

func TestDeletePanics(t *testing.T) {
	t.Parallel()
	faulty := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodDelete {
			panic("a fault")
		}
		return next.RoundTrip(r)
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: faulty}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		err := n.Delete(t.Context(), qodtest.Ref(s))
		_ = qodtest.ErrorAs[*qod.PanicError](t, err)
		qodtest.Equal(t, "gone", qod.IsGone(err), false)
	})
}
