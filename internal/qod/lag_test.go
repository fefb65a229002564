// Replicas learn of a session only a while after its creation. Until it is a minute old, no 404
// about it is believed at once, by a read, a delete or a wait.
package qod_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Whichever operations lag, a session that is seconds old is found, deleted and waited for.
func TestLag(t *testing.T) {
	t.Parallel()
	lagging := map[string][]sandbox.Operation{
		"GET": {sandbox.OpRead}, "DELETE": {sandbox.OpDelete}, "lists": {sandbox.OpList},
		"GET and lists":         {sandbox.OpRead, sandbox.OpList},
		"DELETE and lists":      {sandbox.OpDelete, sandbox.OpList},
		"GET, DELETE and lists": {sandbox.OpRead, sandbox.OpDelete, sandbox.OpList},
	}
	for verb, asker := range operationCases() {
		for what, ops := range lagging {
			for _, lag := range []time.Duration{25 * time.Second, 30 * time.Second, 45 * time.Second} {
				for _, own := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s, %s lag %v, made by this process: %v", verb, what, lag, own), func(t *testing.T) {
						t.Parallel()
						qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
							n.T = t
							for _, op := range ops {
								n.Lag(op, lag)
							}
							ref := qod.Ref{MadeAt: time.Now()}
							if own {
								s, err := n.Create(t.Context(), qodtest.Spec())
								if err != nil {
									t.Fatal(err)
								}
								ref = qod.Ref{ID: s.ID}
							} else {
								ref.ID = n.SeedSession(sandbox.Session{}).ID
							}
							time.Sleep(5 * time.Second)
							var err error
							spent := qodtest.Elapsed(func() { err = asker.ask(qodtest.WithTimeout(t, 2*time.Minute), n, ref) })
							if err != nil {
								t.Errorf("after %v: %v", spent, err)
							}
							if deletes := asker.op == sandbox.OpDelete; deletes != (len(n.Ledger()) == 0) {
								t.Errorf("on the network: %v", qodtest.IDs(n.Ledger()))
							}
							if spent > lag+6*time.Second {
								t.Errorf("it took %v", spent)
							}
							if count := n.Count(asker.op); count > 40 {
								t.Errorf("%d requests", count)
							}
						})
					})
				}
			}
		}
	}
}

// An interrupt ends the search within a second and leaves the session in state: nothing proves that
// it is gone.
func TestLagInterrupted(t *testing.T) {
	t.Parallel()
	for verb, asker := range operationCases() {
		for name, says := range map[string]sandbox.Effect{"a 404": notFound, "silence": sandbox.HangBeforeCommit()} {
			t.Run(verb+", "+name, func(t *testing.T) {
				t.Parallel()
				for _, after := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 10 * time.Second, 59500 * time.Millisecond} {
					qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
						n.T = t
						s := n.SeedSession(sandbox.Session{})
						n.Lag(sandbox.OpList, time.Hour) // what a list shows is there, and nothing is looked for
						n.InjectFault(asker.op, 1, notFound)
						n.InjectFault(asker.op, -1, says)
						var err error
						spent := qodtest.Elapsed(func() { err = asker.ask(qodtest.CancelAfter(t, after), n, qod.Ref{ID: s.ID, MadeAt: time.Now()}) })
						if spent > after+time.Second {
							t.Errorf("it went on for %v", spent-after)
						}
						if err == nil || qod.IsGone(err) {
							t.Errorf("error: %v", err)
						}
						if !asker.reads && asker.op == sandbox.OpRead {
							qodtest.Equal(t, "the wait ended for", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitInterrupted)
						} else if e := qodtest.ErrorAs[*qod.InterruptedError](t, err); e.Timeout || !e.Sent {
							t.Errorf("%+v", e)
						}
					})
				}
			})
		}
	}
}

// A session is new by the server's clock, from when it was created; by this machine's clock where
// the server shows none.
func TestLagByWhichClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		network sandbox.Config
		age     time.Duration // of the session
		silent  bool          // the API's answers have no Date
		unknown bool          // when it was made
		young   bool
	}{
		"seconds old":                               {age: 10 * time.Second, young: true},
		"two minutes old":                           {age: 2 * time.Minute},
		"the server is 6 h ahead":                   {network: sandbox.Config{Clock: clockAhead(6 * time.Hour)}, age: 10 * time.Second, young: true},
		"the server is 6 h behind":                  {network: sandbox.Config{Clock: clockAhead(-6 * time.Hour)}, age: 10 * time.Second, young: true},
		"two minutes old, the server is 6 h ahead":  {network: sandbox.Config{Clock: clockAhead(6 * time.Hour)}, age: 2 * time.Minute},
		"two minutes old, the server is 6 h behind": {network: sandbox.Config{Clock: clockAhead(-6 * time.Hour)}, age: 2 * time.Minute},
		"no clock, seconds old":                     {silent: true, age: 10 * time.Second, young: true},
		"no clock, two minutes old":                 {silent: true, age: 2 * time.Minute},
		"made nobody knows when":                    {unknown: true, age: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				made := time.Now()
				if test.network.Clock != nil {
					made = test.network.Clock.Now()
				}
				s := n.SeedSession(sandbox.Session{})
				n.Remove(s.ID)
				if test.silent {
					n.InjectFault("", -1, sandbox.Header("Date", ""))
				}
				ref := qod.Ref{ID: s.ID, MadeAt: made}
				if test.unknown {
					ref.MadeAt = time.Time{}
				}
				time.Sleep(test.age)
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Read(t.Context(), ref) })
				qodtest.Equal(t, "gone", qod.IsGone(err), true)
				till := time.Minute - test.age
				switch {
				case test.young && (spent < till-time.Second || spent > till+7*time.Second):
					t.Errorf("it took %v to conclude, want until it is a minute old", spent)
				case !test.young && spent > time.Second:
					t.Errorf("it took %v to conclude", spent)
				}
			})
		})
	}
}

// A session that was created in the future, according to a clock that was wrong, delays nothing for
// longer than a minute; and nothing at all if the clock is hours off.
func TestLagIsBounded(t *testing.T) {
	t.Parallel()
	for made, most := range map[time.Duration]time.Duration{
		50 * time.Second: 66 * time.Second, time.Hour: time.Second, -time.Hour: time.Second,
	} {
		t.Run(made.String(), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.Remove(s.ID)
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Read(t.Context(), qod.Ref{ID: s.ID, MadeAt: time.Now().Add(made)}) })
				if !qod.IsGone(err) || spent > most {
					t.Errorf("%v after %v", err, spent)
				}
			})
		})
	}
}

// A wait that times out meanwhile reports the answer that it got.
func TestLagLongerThanAWait(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
		n.Lag(sandbox.OpRead, time.Minute)
		_, err := n.Await(qodtest.WithTimeout(t, 30*time.Second), qod.Ref{ID: s.ID, MadeAt: time.Now()})
		qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitTimeout)
		qodtest.Equal(t, "answer", qodtest.ErrorAs[*qod.Error](t, err).Status, 404)
	})
}

// Past its end, nothing is waited for, however new the session is.
func TestLagOfAShortSession(t *testing.T) {
	t.Parallel()
	for verb, asker := range operationCases() {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.T = t
				s := n.SeedSession(sandbox.Session{Duration: 10})
				ref := qod.Ref{ID: s.ID, MadeAt: time.Now(), ExpiresAt: s.ExpiresAt}
				time.Sleep(12 * time.Second)
				var err error
				spent := qodtest.Elapsed(func() { err = asker.ask(t.Context(), n, ref) })
				if !qod.IsGone(err) || spent > 2*time.Second {
					t.Errorf("%v after %v", err, spent)
				}
			})
		})
	}
}

// A fleet that is new and gone is looked for in parallel, and one list is enough for all.
func TestLagOfAFleet(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		ids, made := n.SeedFleet(10), time.Now()
		for _, id := range ids {
			n.Remove(id)
		}
		spent := qodtest.Elapsed(func() {
			qodtest.InParallel(ids, func(id string) {
				if _, err := n.Read(t.Context(), qod.Ref{ID: id, MadeAt: made}); !qod.IsGone(err) {
					t.Error(err)
				}
			})
		})
		if spent > 66*time.Second {
			t.Errorf("it took %v", spent)
		}
		if count := n.Count(sandbox.OpRead); count > 10*17 {
			t.Errorf("%d gets", count)
		}
		if count := n.Count(sandbox.OpList); count > 3 {
			t.Errorf("%d lists", count)
		}
	})
}

// Credentials that are refused for good end the search, which cannot find anything with them.
func TestLagEndsWithTheCredentials(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.AccessToken = "ready" }}, func(t *testing.T, n *qodtest.Network) {
		n.AcceptToken("ready", sandbox.DefaultClient.ID)
		s := n.SeedSession(sandbox.Session{})
		n.Lag(sandbox.OpList, time.Hour)
		n.InjectFault(sandbox.OpRead, 2, notFound)
		n.InjectFault(sandbox.OpRead, -1, sandbox.Status(401, ""))
		var err error
		spent := qodtest.Elapsed(func() {
			_, err = n.Read(context.WithoutCancel(t.Context()), qod.Ref{ID: s.ID, MadeAt: time.Now()})
		})
		qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, 401)
		if spent > 12*time.Second {
			t.Errorf("it went on for %v", spent)
		}
	})
}
