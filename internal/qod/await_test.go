// Await ends for a reason that it can name: AVAILABLE, UNAVAILABLE, proof that the session is gone,
// refused credentials, the caller's deadline or an interrupt. Any other failure is retried.
package qod_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var notFound = sandbox.Status(http.StatusNotFound, `{"status":404,"code":"NOT_FOUND","message":"no such session"}`)

func failReads(times int, effect sandbox.Effect) func(*testing.T, *qodtest.Network, string) {
	return func(_ *testing.T, n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpRead, times, effect) }
}

// failTokens revokes the token and makes the next token requests fail.
func failTokens(times int, effect sandbox.Effect) func(*testing.T, *qodtest.Network, string) {
	return func(_ *testing.T, n *qodtest.Network, _ string) {
		n.RevokeTokens()
		n.InjectFault(sandbox.OpToken, times, effect)
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		provisioning time.Duration
		static       string // a static access token in place of credentials
		arrange      func(t *testing.T, n *qodtest.Network, id string)
		timeout      time.Duration

		reason     qod.WaitReason // 0: AVAILABLE
		last       qod.Status
		err        int // the status of the last failed poll; 0: none
		from, till time.Duration
		polls      int // at most; 0: any number
	}{
		"available at once":        {till: time.Second, polls: 1},
		"available after a while":  {provisioning: 30 * time.Second, from: 30 * time.Second, till: 33 * time.Second, polls: 35},
		"available after a minute": {provisioning: time.Minute, from: time.Minute, till: 63 * time.Second, polls: 50},

		"unavailable from the start": {
			arrange: func(_ *testing.T, n *qodtest.Network, id string) { n.Revoke(id) },
			reason:  qod.WaitUnavailable, last: qod.StatusUnavailable, till: time.Second, polls: 1,
		},
		"unavailable meanwhile": {
			provisioning: time.Minute,
			arrange: func(_ *testing.T, n *qodtest.Network, id string) {
				time.AfterFunc(10*time.Second, func() { n.Revoke(id) })
			},
			reason: qod.WaitUnavailable, last: qod.StatusUnavailable, from: 10 * time.Second, till: 13 * time.Second,
		},
		"never available": {
			provisioning: time.Hour, timeout: 5 * time.Minute,
			reason: qod.WaitTimeout, last: qod.StatusRequested, from: 5 * time.Minute, till: 5 * time.Minute, polls: 350,
		},
		"a status nobody knows": {
			arrange: func(_ *testing.T, n *qodtest.Network, _ string) {
				n.Echo(func(info map[string]any) { info["qosStatus"] = "PENDING" })
			},
			timeout: time.Minute, reason: qod.WaitTimeout, last: "PENDING", from: time.Minute, till: time.Minute,
		},
		"no status": {
			arrange: func(_ *testing.T, n *qodtest.Network, _ string) { n.Echo(withoutFields("qosStatus")) },
			timeout: time.Minute, reason: qod.WaitTimeout, last: "", from: time.Minute, till: time.Minute,
		},

		"not visible yet": {arrange: failReads(5, notFound), till: 8 * time.Second},
		"gone": {
			arrange: func(_ *testing.T, n *qodtest.Network, id string) { n.Remove(id) },
			reason:  qod.WaitGone, err: 404, till: time.Second, // a list proves it
		},
		"gone meanwhile": {
			provisioning: time.Minute,
			arrange: func(_ *testing.T, n *qodtest.Network, id string) {
				time.AfterFunc(20*time.Second, func() { n.Remove(id) })
			},
			reason: qod.WaitGone, last: qod.StatusRequested, err: 404, from: 20 * time.Second, till: 23 * time.Second,
		},
		"a page says 404": {
			arrange: failReads(-1, sandbox.Status(404, qodtest.LoginPage, "Content-Type", qodtest.HTML)), timeout: time.Minute,
			reason: qod.WaitTimeout, err: 404, from: time.Minute, till: time.Minute,
		},
		"a page says 404 for a while": {arrange: failReads(20, sandbox.Status(404, qodtest.LoginPage, "Content-Type", qodtest.HTML)), till: time.Minute},

		"polls fail for a while":      {arrange: failReads(20, unavailable), till: time.Minute},
		"polls are dropped":           {arrange: failReads(20, sandbox.DropBeforeCommit()), till: time.Minute},
		"polls are forbidden a while": {arrange: failReads(20, sandbox.Status(403, "")), till: time.Minute},
		"polls say HTML":              {arrange: failReads(20, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), till: time.Minute},
		"polls show another session":  {arrange: failReads(20, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+qodtest.SessionID+`","qosStatus":"AVAILABLE"}`)), till: time.Minute},
		"a poll hangs":                {arrange: failReads(1, sandbox.HangBeforeCommit()), from: 30 * time.Second, till: 33 * time.Second, polls: 2},
		"polls fail for ever": {
			arrange: failReads(-1, unavailable), timeout: time.Minute,
			reason: qod.WaitTimeout, err: 503, from: time.Minute, till: time.Minute,
		},
		"it fails and then is slow": {
			provisioning: time.Hour, arrange: failReads(5, unavailable), timeout: time.Minute,
			reason: qod.WaitTimeout, last: qod.StatusRequested, from: time.Minute, till: time.Minute,
		},
		"Retry-After": {
			arrange: failReads(1, sandbox.Status(429, "", "Retry-After", "20")), from: 20 * time.Second, till: 21 * time.Second, polls: 2,
		},
		// One absurd Retry-After must not keep the wait from seeing the session become available.
		"an absurd Retry-After": {
			arrange: failReads(1, sandbox.Status(503, "", "Retry-After", "99999999")), till: time.Minute, polls: 2,
		},

		"the token is refused once": {arrange: func(_ *testing.T, n *qodtest.Network, _ string) { n.RevokeTokens() }, till: time.Second, polls: 2},
		// A single 403 may come from a proxy, and giving up would taint a healthy session. Each try
		// costs two tokens.
		"the token is refused twice":         {arrange: failReads(2, sandbox.Status(401, "")), from: 30 * time.Second, till: 31 * time.Second, polls: 3},
		"the token is refused for a while":   {arrange: failReads(6, sandbox.Status(401, "")), from: 90 * time.Second, till: 91 * time.Second, polls: 7},
		"a page stands in for the new token": {arrange: failTokens(1, sandbox.Status(403, qodtest.LoginPage, "Content-Type", qodtest.HTML)), from: 30 * time.Second, till: 31 * time.Second, polls: 2},
		"the token is always refused": {
			arrange: failReads(-1, sandbox.Status(401, "")), reason: qod.WaitTimeout, err: 401, from: 5 * time.Minute, till: 5 * time.Minute, polls: 22,
		},
		"a static token is refused": {static: "stale", reason: qod.WaitUnauthorized, err: 401, till: time.Second, polls: 1},
		"the token endpoint is down for a while": {
			arrange: failTokens(5, unavailable), till: time.Minute,
		},
		"the token endpoint refuses the client": {
			arrange: failTokens(-1, sandbox.Status(401, `{"error":"invalid_client"}`)),
			reason:  qod.WaitUnauthorized, err: 401, till: time.Second, polls: 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Provisioning: test.provisioning},
				Client:  func(c *qod.Config) { c.AccessToken = test.static },
			}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
				if _, err := n.List(t.Context(), qod.Filter{}); err != nil && test.static == "" { // there is a token
					t.Fatal(err)
				}
				if test.static != "" {
					n.Connect(qod.Config{
						Endpoint: qodtest.Gateway + "/v1", AccessToken: test.static, RequestTimeout: time.Second, Transport: n.Transport(),
					}, nil)
				}
				if test.arrange != nil {
					test.arrange(t, n, s.ID)
				}
				timeout := test.timeout
				if timeout == 0 {
					timeout = 5 * time.Minute
				}
				var got qod.Session
				var err error
				spent := qodtest.Elapsed(func() { got, err = n.Await(qodtest.WithTimeout(t, timeout), qodtest.Ref(s)) })
				qodtest.Equal(t, "id", got.ID, s.ID)
				if test.reason == 0 {
					qodtest.Equal(t, "status", got.Status, qod.StatusAvailable)
					if err != nil {
						t.Errorf("error: %v", err)
					}
				} else {
					e := qodtest.ErrorAs[*qod.WaitError](t, err)
					qodtest.Equal(t, "reason", e.Reason, test.reason)
					qodtest.Equal(t, "last status", e.Last.Status, test.last)
					qodtest.Equal(t, "id of the last", e.Last.ID, s.ID)
					status := 0
					if e.Err != nil {
						status = qodtest.ErrorAs[*qod.Error](t, e.Err).Status
					}
					qodtest.Equal(t, "the last failure", status, test.err)
				}
				if spent < test.from || spent > test.till+100*time.Millisecond {
					t.Errorf("took %v, want %v to %v", spent, test.from, test.till)
				}
				if count := n.Count(sandbox.OpRead); test.polls > 0 && count > test.polls {
					t.Errorf("%d polls, want at most %d", count, test.polls)
				}
			})
		})
	}
}

// An interrupt ends the wait within a second, whatever the poll is doing.
func TestAwaitInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *qodtest.Network, string){
		"between polls":                  nil,
		"while a poll hangs":             failReads(-1, sandbox.HangBeforeCommit()),
		"while a body hangs":             failReads(-1, sandbox.HeadThenHang()),
		"in a Retry-After":               failReads(-1, sandbox.Status(429, "", "Retry-After", "600")),
		"while it counts as not visible": failReads(-1, notFound),
		"while a token is fetched": func(_ *testing.T, n *qodtest.Network, _ string) {
			n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: slowProvisioning}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
				if arrange != nil {
					arrange(t, n, s.ID)
				}
				var got qod.Session
				var err error
				spent := qodtest.Elapsed(func() { got, err = n.Await(qodtest.CancelAfter(t, 7*time.Second), qodtest.Ref(s)) })
				e := qodtest.ErrorAs[*qod.WaitError](t, err)
				qodtest.Equal(t, "reason", e.Reason, qod.WaitInterrupted)
				qodtest.Equal(t, "id", got.ID, s.ID)
				if spent > 8*time.Second {
					t.Errorf("it went on for %v", spent-7*time.Second)
				}
			})
		})
	}
}

// Many waits cause no storm of requests, and do not poll in step.
func TestAwaitSpreadsItsPolls(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: slowProvisioning}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
		done := make(chan struct{})
		for range 40 {
			go func() {
				defer func() { done <- struct{}{} }()
				if _, err := n.Await(qodtest.WithTimeout(t, time.Minute), qodtest.Ref(s)); err == nil {
					t.Error("it ended without an error")
				}
			}()
		}
		for range 40 {
			<-done
		}
		instants := map[time.Time]int{}
		for _, r := range n.Requests(sandbox.OpRead) {
			instants[r.At]++
		}
		if count := n.Count(sandbox.OpRead); count > 40*(1+60/5) {
			t.Errorf("%d polls in a minute, want one in five seconds each", count)
		}
		if len(instants) < n.Count(sandbox.OpRead)/2 {
			t.Errorf("%d polls at %d instants", n.Count(sandbox.OpRead), len(instants))
		}
	})
}

func TestAwaitRefusesWhatIsNoID(t *testing.T) {
	t.Parallel()
	for _, id := range notIDs {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Await(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: id}); err == nil || qodtest.IsError[*qod.WaitError](err) {
					t.Errorf("error: %v", err)
				}
				qodtest.Equal(t, "requests", len(n.Requests()), 0)
			})
		})
	}
}

// A 201 that already says UNAVAILABLE is reported by the first poll.
func TestCreateAndAwaitUnavailable(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.Echo(func(info map[string]any) { info["qosStatus"] = "UNAVAILABLE" })
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}
		qodtest.Equal(t, "status", s.Status, qod.StatusUnavailable)
		_, err = n.Await(t.Context(), qod.Ref{ID: s.ID})
		qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitUnavailable)
	})
}

func TestAwaitPanics(t *testing.T) {
	t.Parallel()
	faulty := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodGet && !qodtest.IsList(r) && r.Header.Get("Authorization") != "" {
			panic("a fault")
		}
		return next.RoundTrip(r)
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: faulty}, func(t *testing.T, n *qodtest.Network) {
		_, err := n.Await(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: qodtest.SessionID})
		_ = qodtest.ErrorAs[*qod.PanicError](t, err)
	})
}
