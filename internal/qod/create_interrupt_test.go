// An interrupt, a deadline or a panic ends a create without losing what the network has created: a
// POST in flight is finished and recorded, and no new one starts.
package qod_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// After an interrupt no new POST starts, and one in flight is finished and recorded.
func TestCreateWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		arrange func(*testing.T, *qodtest.Network)
		after   time.Duration
		posts   int
		made    bool
		within  time.Duration // of the interrupt
		check   func(t *testing.T, err error)
	}{
		"before anything": {
			after: 0, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				if e := qodtest.ErrorAs[*qod.InterruptedError](t, err); e.Sent || e.Timeout {
					t.Errorf("%+v", e)
				}
			},
		},
		"while the token is fetched": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit()) },
			after:   time.Second, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "sent", qodtest.ErrorAs[*qod.InterruptedError](t, err).Sent, false)
			},
		},
		"while the snapshot is taken": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit()) },
			after:   time.Second, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "sent", qodtest.ErrorAs[*qod.InterruptedError](t, err).Sent, false)
			},
		},
		"during the POST": {
			arrange: failCreates(sandbox.Delay(10 * time.Second)),
			after:   time.Second, posts: 1, made: true, within: 9 * time.Second,
		},
		"during the POST, whose answer is lost": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
			},
			after: time.Second, posts: 1, made: true, within: 30 * time.Second,
		},
		"during the POST, which is not committed": {
			arrange: failCreates(sandbox.HangBeforeCommit()),
			after:   time.Second, posts: 1, within: 60 * time.Second,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "interrupted", qodtest.ErrorAs[*qod.UnresolvedError](t, err).Interrupted, true)
			},
		},
		"during the POST, which needs a new token": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
					if nth == 1 {
						time.Sleep(2 * time.Second)
						n.RevokeTokens()
					}
				})
			},
			after: time.Second, posts: 2, made: true, within: 2 * time.Second, // and a list makes sure that there is one
		},
		"while it is looked for": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), 1, sandbox.Delay(5*time.Second)),
			after:   time.Second, posts: 1, made: true, within: 4250 * time.Millisecond,
		},
		"during the POST, whose answer is lost with the token endpoint": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
				n.Before(sandbox.OpList, func(nth int, _ *http.Request) {
					if nth == 2 {
						n.RevokeTokens()
						n.InjectFault(sandbox.OpToken, 12, unavailable)
					}
				})
			},
			after: 35 * time.Millisecond, posts: 1, made: true, within: 20 * time.Second,
		},
		"while it waits to repeat the POST": {
			arrange: failCreates(sandbox.Status(429, "", "Retry-After", "300")),
			after:   time.Minute, posts: 1, within: 0,
			check: func(t *testing.T, err error) {
				e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
				qodtest.Equal(t, "timeout", e.Timeout, false)
				qodtest.Equal(t, "the cause", qodtest.ErrorAs[*qod.Error](t, err).Status, 429)
				if qodtest.IsError[*qod.UnresolvedError](err) {
					t.Errorf("nothing may exist: %v", err)
				}
			},
		},
		"while it waits to repeat a lost POST": {
			arrange: failCreates(sandbox.Status(503, "", "Retry-After", "300")),
			after:   time.Minute, posts: 1, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "interrupted", qodtest.ErrorAs[*qod.UnresolvedError](t, err).Interrupted, true)
			},
		},
		"while it waits out its own delete": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				n.InjectFault(sandbox.OpCreate, -1, conflict)
			},
			after: 2500 * time.Millisecond, posts: 2, within: time.Second,
			check: func(t *testing.T, err error) {
				if !qodtest.IsError[*qod.ConflictError](err) && !qodtest.IsError[*qod.InterruptedError](err) {
					t.Errorf("%T: %v", err, err)
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(t, n)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				began := time.Now()
				if test.after == 0 {
					cancel()
				}
				time.AfterFunc(test.after, cancel)
				s, err := n.Create(ctx, qodtest.Spec())
				if late := time.Since(began) - test.after; late > test.within+100*time.Millisecond {
					t.Errorf("it ended %v after the interrupt, want %v", late, test.within)
				}
				time.Sleep(time.Minute)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), test.posts)
				qodtest.Equal(t, "made", s.ID != "", test.made)
				if live := n.Ledger(); test.made && (len(live) != 1 || live[0].ID != s.ID) {
					t.Errorf("returned %q, on the network: %v", s.ID, qodtest.IDs(live))
				} else if !test.made && len(live) > 0 {
					t.Errorf("on the network: %v", qodtest.IDs(live))
				}
				if test.check != nil {
					test.check(t, err)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The caller's deadline cuts waits, but not a POST.
func TestCreateOutlivesItsDeadline(t *testing.T) {
	runScenarios(t, map[string]scenario{
		"during the POST":       {timeout: time.Second, arrange: failCreates(sandbox.Delay(20 * time.Second)), posts: 1, made: true},
		"during the POST, lost": {timeout: time.Second, arrange: failCreates(sandbox.HangAfterCommit()), posts: 1, made: true},
		"during the POST, not committed": {
			timeout: time.Second, arrange: failCreates(sandbox.HangBeforeCommit()), posts: 1, check: wantUnresolved(0, 1),
		},
	})
}

// PostInFlight is held whenever a POST may have an unknown outcome, and released in the end.
func TestCreateHoldsPostInFlight(t *testing.T) {
	t.Parallel()
	var postInFlight lockCounter
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.PostInFlight = &postInFlight }}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		for _, op := range []sandbox.Operation{sandbox.OpCreate, sandbox.OpList} {
			n.Before(op, func(int, *http.Request) {
				if n.Count(sandbox.OpCreate) > 0 && postInFlight.Load() != 1 {
					t.Errorf("%s: held %d times", op, postInFlight.Load())
				}
			})
		}
		if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
			t.Error(err)
		}
		qodtest.Equal(t, "held at the end", postInFlight.Load(), 0)
	})
}

type lockCounter struct{ atomic.Int64 }

// A panic must not lose what is known, nor that a session may exist.
func TestCreatePanics(t *testing.T) {
	panicking := func(at func(r *http.Request) bool, after bool) qodtest.Interceptor {
		return func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if !at(r) {
				return next.RoundTrip(r)
			}
			if after {
				if response, err := next.RoundTrip(r); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}
			panic("a fault")
		}
	}
	once := func(at func(*http.Request) bool) func(*http.Request) bool {
		var seen atomic.Bool
		return func(r *http.Request) bool { return at(r) && seen.CompareAndSwap(false, true) }
	}
	listed := func(w *atomic.Bool) func(*http.Request) bool {
		return func(r *http.Request) bool {
			if qodtest.IsCreate(r) {
				w.Store(true)
			}
			return qodtest.IsList(r) && w.Load()
		}
	}
	faulty := func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.PanicError](t, err) }
	token := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "token") }
	discovery := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "well-known") }
	runScenarios(t, map[string]scenario{
		"in discovery":          {Options: qodtest.Options{Intercept: panicking(discovery, false)}, posts: 0, check: faulty},
		"in the token request":  {Options: qodtest.Options{Intercept: panicking(token, false)}, posts: 0, check: faulty},
		"in the snapshot":       {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsList), false)}, posts: 1, made: true},
		"before the POST, once": {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsCreate), false)}, posts: 1, made: true},
		"after the POST":        {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsCreate), true)}, posts: 1, made: true},
		"before every POST": {Options: qodtest.Options{Intercept: panicking(qodtest.IsCreate, false)}, posts: 0, check: func(t *testing.T, n *qodtest.Network, err error) {
			_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			faulty(t, n, err)
		}},
		"after the POST, in the look": {Options: qodtest.Options{Intercept: panicking(listed(new(atomic.Bool)), false)}, arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, leftBehind: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			_ = qodtest.ErrorAs[*qod.PanicError](t, e.ListErr)
		}},
		"behind the POST": {arrange: func(_ *testing.T, n *qodtest.Network) { n.BreakClaims() }, posts: 1, made: true, check: faulty},
		"behind the look": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.BreakClaims()
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			},
			posts: 1, leftBehind: 1, check: func(t *testing.T, n *qodtest.Network, err error) { wantUnresolved(0, 1)(t, n, err); faulty(t, n, err) },
		},
		"in the log": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.Log = func(context.Context, qod.Event) { panic("a fault") } }},
			posts:   1, made: true,
		},
	})
}

func (h *lockCounter) Lock() { h.Add(1) }

func (h *lockCounter) Unlock() { h.Add(-1) }
