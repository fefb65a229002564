// A list may be old for as long as it likes: changes of a session are seen by reading it every few
// seconds, with few waits as with many, and without a storm of requests.
package qod_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestAwaitBehindAListThatStandsStill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		waits int
		late  time.Duration // how long after it is so a wait notices, at most
	}{{6, 5 * time.Second}, {10, 5 * time.Second}, {60, 8 * time.Second}} {
		for name, becomes := range map[string]struct {
			of     func(n *qodtest.Network, id string)
			reason qod.WaitReason
		}{
			"available": {func(n *qodtest.Network, id string) {
				n.Edit(id, func(s *sandbox.Session) { s.Status = sandbox.StatusAvailable })
			}, 0},
			"unavailable": {func(n *qodtest.Network, id string) { n.Revoke(id) }, qod.WaitUnavailable},
		} {
			for _, after := range []time.Duration{0, 3 * time.Second, 40 * time.Second} {
				t.Run(fmt.Sprintf("%d waits, %s after %v", test.waits, name, after), func(t *testing.T) {
					t.Parallel()
					qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: time.Hour}}, func(t *testing.T, n *qodtest.Network) {
						ids := make([]string, test.waits)
						for i := range ids {
							ids[i] = n.Seed(sandbox.Session{Status: sandbox.StatusRequested}).ID
						}
						n.StaleList(true)
						time.AfterFunc(after, func() {
							for _, id := range ids {
								becomes.of(n, id)
							}
						})
						began := time.Now()
						done := make(chan struct{})
						for _, id := range ids {
							go func() {
								defer func() { done <- struct{}{} }()
								_, err := n.Await(qodtest.WithTimeout(t, 5*time.Minute), qod.Ref{ID: id})
								if becomes.reason == 0 && err != nil {
									t.Error(err)
								} else if becomes.reason != 0 {
									qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, becomes.reason)
								}
							}()
						}
						for range ids {
							<-done
						}
						spent := time.Since(began)
						if late := spent - after; late > test.late {
							t.Errorf("noticed %v late, want at most %v", late, test.late)
						}
						// Four lists a second, and one read of each session in four seconds.
						most := 16 + int(4*spent/time.Second) + test.waits*(2+int(spent/(4*time.Second)))
						if count := len(n.Requests()); count > most {
							t.Errorf("%d requests in %v, want at most %d", count, spent, most)
						}
					})
				})
			}
		}
	}
}

// No list ends a wait: neither one that says AVAILABLE of a session that has ended since, nor one
// that does not show a session that is live.
func TestAwaitIsEndedByNoList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lists  func(info map[string]any) bool
		reason qod.WaitReason // 0: available
		status qod.Status     // that was last known
		from   time.Duration
	}{
		"that says AVAILABLE too early": {func(info map[string]any) bool {
			info["qosStatus"], info["startedAt"], info["expiresAt"] = "AVAILABLE", "2000-01-01T00:00:00Z", "2000-01-01T01:00:00Z"
			return true
		}, 0, qod.StatusAvailable, 30 * time.Second},
		"that says UNAVAILABLE":           {setListedField("qosStatus", "UNAVAILABLE"), 0, qod.StatusAvailable, 30 * time.Second},
		"that does not show it":           {func(map[string]any) bool { return false }, 0, qod.StatusAvailable, 30 * time.Second},
		"that says REQUESTED for ever":    {setListedField("qosStatus", "REQUESTED"), 0, qod.StatusAvailable, 30 * time.Second},
		"that shows it with another name": {setListedField("sessionId", qodtest.SessionID), 0, qod.StatusAvailable, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Provisioning: 30 * time.Second}, Intercept: rewriteListed(nil, test.lists),
			}, func(t *testing.T, n *qodtest.Network) {
				n.T = t
				n.ReadAll(n.SeedFleet(4)) // from now on lists are asked for
				s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
				var got qod.Session
				var err error
				spent := qodtest.Elapsed(func() { got, err = n.Await(qodtest.WithTimeout(t, 5*time.Minute), qodtest.Ref(s)) })
				if err != nil {
					t.Error(err)
				}
				qodtest.Equal(t, "status", got.Status, test.status)
				if spent < test.from-time.Second || spent > test.from+6*time.Second {
					t.Errorf("it took %v", spent)
				}
			})
		})
	}
}

// Where something between us and the API answers reads with a 404 while the list shows the session,
// the wait continues: a list does not prove its status.
func TestAwaitBehindAGatewayThatDeniesIt(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		var notFoundOnGet atomic.Bool
		notFoundOnGet.Store(true)
		n.Intercept = func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.Method == http.MethodGet && !qodtest.IsList(r) && notFoundOnGet.Load() && r.Header.Get("Authorization") != "" {
				return qodtest.Response(r, http.StatusNotFound, qodtest.JSON, `{"message":"no Route matched with those values"}`), nil
			}
			return next.RoundTrip(r)
		}
		time.AfterFunc(20*time.Second, func() { notFoundOnGet.Store(false) })
		var err error
		spent := qodtest.Elapsed(func() { _, err = n.Await(qodtest.WithTimeout(t, 5*time.Minute), qodtest.Ref(s)) })
		if err != nil || spent < 20*time.Second || spent > 24*time.Second {
			t.Errorf("%v after %v", err, spent)
		}
	})
}

// A wait whose last poll got a 404 without proof ends at its deadline, with a last read of the
// session itself.
func TestAwaitOfWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
		n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[0].Effect)
		n.InjectFault(sandbox.OpList, -1, unavailable)
		_, err := n.Await(qodtest.WithTimeout(t, time.Minute), qodtest.Ref(s))
		qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitTimeout)
		_ = qodtest.ErrorAs[*qod.UnprovenError](t, err)
		qodtest.Equal(t, "gone", qod.IsGone(err), false)
		requests := n.Requests()
		qodtest.Equal(t, "the last request", requests[len(requests)-1].Operation, sandbox.OpRead)
	})
}
