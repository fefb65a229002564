// A session is adopted only if it is the one that was requested, as far as the API can show. What a
// list that lags did not show before, what somebody else created meanwhile, and what another answer
// was about is named in an error and left alone.
package qod_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Another pipeline has created a session for the device a moment ago, and the list does not show it
// yet. When it does, that does not make it ours: our POST was never processed.
func TestCreateAdoptsNothingOfOthersBehindAListThatLags(t *testing.T) {
	for _, lag := range []time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second} {
		t.Run(lag.String(), func(t *testing.T) {
			since := func(age time.Duration, then func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
				return func(t *testing.T, n *qodtest.Network) {
					n.Lag(sandbox.OpList, lag)
					n.SeedSession(fromOtherPipeline)
					time.Sleep(age)
					then(t, n)
				}
			}
			before := func(then func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
				return since(time.Second, then)
			}
			nothing := func(t *testing.T, n *qodtest.Network, err error) {
				t.Helper()
				if !qodtest.IsError[*qod.UnresolvedError](err) && !qodtest.IsError[*qod.ConflictError](err) {
					t.Errorf("the error does not tell of the other session: %v", err)
				}
				if !slices.ContainsFunc(n.Ledger(), func(s sandbox.Session) bool { return s.Device.PhoneNumber == qodtest.Phone }) {
					t.Error("the other session is gone")
				}
			}
			runScenarios(t, map[string]scenario{
				"it shows no start": {
					Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: before(failCreates(sandbox.HangBeforeCommit())), posts: -1, check: nothing,
				},
				// Date and startedAt can distinguish times that are two seconds apart.
				"it shows its start": {arrange: since(3*time.Second, failCreates(sandbox.HangBeforeCommit())), posts: -1, check: nothing},
				"the POST is refused by the network, and the answer is lost": {
					Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: before(failCreates(sandbox.StatusAfterCommit(502, ""))), posts: -1, check: nothing,
				},
				// An older session does not prove that the list is up to date.
				"an older session is listed": {
					Options: qodtest.Options{Sandbox: slowProvisioning},
					arrange: func(t *testing.T, n *qodtest.Network) {
						n.Seed(sandbox.Session{})
						time.Sleep(time.Minute)
						before(failCreates(sandbox.HangBeforeCommit()))(t, n)
					},
					posts: -1, check: nothing,
				},
				// It is one of the first four of this process, whose times are known to the second.
				"this process has made another a moment before": {
					Options: qodtest.Options{Sandbox: slowProvisioning},
					arrange: func(t *testing.T, n *qodtest.Network) {
						before(func(t *testing.T, n *qodtest.Network) {
							spec := qodtest.Spec()
							spec.Device.PhoneNumber = "+34600000002"
							if _, err := n.Create(t.Context(), spec); err != nil {
								t.Fatal(err)
							}
							failCreates(sandbox.HangBeforeCommit())(t, n)
						})(t, n)
					},
					posts: -1, check: nothing,
				},
			})
		})
	}
}

// A session with another length, profile or device than requested, or with an earlier start, is not
// ours.
func TestCreateAdoptsOnlyWhatWasAskedFor(t *testing.T) {
	// beside makes a session appear while the answer to our POST, which does nothing, is lost.
	beside := func(s sandbox.Session) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
				if nth == 1 {
					n.SeedSession(s)
				}
			})
		}
	}
	runScenarios(t, map[string]scenario{
		"as it was asked for": {arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"shorter than asked": {arrange: func(t *testing.T, n *qodtest.Network) {
			n.Echo(setField("duration", 1800))
			failCreates(sandbox.DropAfterCommit())(t, n)
		}, posts: 1, made: true},
		"without its length": {arrange: func(t *testing.T, n *qodtest.Network) {
			n.Echo(withoutFields("duration"))
			failCreates(sandbox.DropAfterCommit())(t, n)
		}, posts: 1, made: true},
		"longer than asked":    {arrange: beside(sandbox.Session{Duration: 3601}), posts: 1, others: 1, check: wantUnresolved(1, 1)},
		"another profile":      {arrange: beside(sandbox.Session{QoSProfile: "QOS_L"}), posts: 1, others: 1, check: wantUnresolved(1, 1)},
		"started an hour ago":  {arrange: beside(sandbox.Session{StartedAt: qodtest.BubbleStart.Add(-time.Hour), ExpiresAt: qodtest.BubbleStart.Add(time.Hour), Duration: 3600}), posts: 1, others: 1, check: wantUnresolved(1, 1)},
		"another phone number": {arrange: beside(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}}), posts: 2, made: true, others: 1},
	})
}

// A gateway mixes up the answers to two creates of one run: each shows the other's device. Neither
// is believed, and both creates get their own session.
func TestCreateOfAnswersThatAreMixedUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		network sandbox.Config
		witness bool
		adopted bool // or else named in an error
	}{
		"available at once":         {network: sandbox.Config{Provisioning: sandbox.Instant}, adopted: true},
		"available at the look":     {adopted: true},
		"no start, a list to trust": {network: slowProvisioning, witness: true, adopted: true},
		"no start, any list":        {network: slowProvisioning},
	} {
		for _, pairs := range []int{1, 5} {
			t.Run(fmt.Sprintf("%s, %d pairs", name, pairs), func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
					if test.witness {
						withWitness(func(*testing.T, *qodtest.Network) {})(t, n)
					}
					n.InjectFault(sandbox.OpCreate, 2*pairs, sandbox.SwapAnswers())
					var wg sync.WaitGroup
					for i := range 2 * pairs {
						wg.Go(func() {
							spec := qodtest.Spec()
							spec.Device.PhoneNumber = fmt.Sprintf("+3460000010%d", i)
							s, err := n.Create(t.Context(), spec)
							if !test.adopted {
								e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
								qodtest.Equal(t, "candidates", len(e.Candidates), 1)
								qodtest.Equal(t, "the candidate's device", e.Candidates[0].Device.PhoneNumber, spec.Device.PhoneNumber)
								return
							}
							if err != nil {
								t.Error(err)
								return
							}
							for _, live := range n.Ledger() {
								if live.ID == s.ID {
									qodtest.Equal(t, "device", live.Device.PhoneNumber, spec.Device.PhoneNumber)
								}
							}
						})
					}
					wg.Wait()
					qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 2*pairs)
				})
			})
		}
	}
}

// Lists from a cache, and incomplete ones, are of no use to a create that looks for a lost session:
// it keeps looking, and reports the session as possible if there is no better list.
func TestCreateLooksByListsThatAreWholeAndNew(t *testing.T) {
	scenarios := map[string]scenario{}
	for name, effect := range map[string]sandbox.Effect{
		"an old list with its Age":     sandbox.Header("Age", "120"),
		"an empty list out of a cache": sandbox.Status(200, "[]", "Age", "1"),
		"an empty part":                sandbox.Status(206, "[]"),
		"less than the total":          sandbox.Status(200, "[]", "X-Total-Count", "1"),
		"a page that leads elsewhere":  sandbox.Status(200, "[]", "Link", `<https://elsewhere.example/?page=2>; rel="next"`),
	} {
		scenarios[name+", once"] = scenario{arrange: failCreateAndLists(sandbox.DropAfterCommit(), 1, effect), posts: 1, made: true}
		scenarios[name+", for a while"] = scenario{arrange: failCreateAndLists(sandbox.DropAfterCommit(), 4, effect), posts: 1, made: true}
		scenarios[name+", for ever"] = scenario{
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), -1, effect), posts: 1, leftBehind: 1, limit: 35 * time.Second,
			check: wantUnresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.ListErr == nil || !strings.Contains(e.ListErr.Error(), "list") {
					t.Errorf("it does not say why it was not found: %v", e.ListErr)
				}
			}),
		}
		// Nor does such a snapshot prove that a session did not exist before.
		scenarios[name+", before the POST"] = scenario{
			Options: qodtest.Options{Sandbox: slowProvisioning},
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, 1, effect)
				n.SeedSession(fromOtherPipeline)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangBeforeCommit())
			},
			posts: -1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				if !qodtest.IsError[*qod.UnresolvedError](err) && !qodtest.IsError[*qod.ConflictError](err) {
					t.Error(err)
				}
			},
		}
	}
	// The cache has the list from before the POST, as its Date shows a second later.
	scenarios["the list of before"] = scenario{
		arrange: func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, sandbox.Cached())
			failCreates(sandbox.DropAfterCommit())(t, n)
		},
		posts: 1, leftBehind: 1, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err) },
	}
	scenarios["the list of before, by a cache that heeds no-cache"] = scenario{
		arrange: func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, sandbox.CachedUnlessNoCache())
			failCreates(sandbox.DropAfterCommit())(t, n)
		},
		posts: 1, made: true,
	}
	runScenarios(t, scenarios)
}

// The session is found on whichever page it is.
func TestCreateFindsTheSessionOnALaterPage(t *testing.T) {
	runScenarios(t, map[string]scenario{"the third of three": {
		Options: qodtest.Options{Sandbox: sandbox.Config{PageSize: 2}},
		arrange: func(t *testing.T, n *qodtest.Network) { n.SeedFleet(5); failCreates(sandbox.DropAfterCommit())(t, n) },
		posts:   1, made: true,
	}})
}

// Two creates whose answers are lost never adopt the same session.
func TestCreateAdoptsASessionOnce(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
		// One phone, as two devices that have nothing in common for this process; only the network
		// knows.
		n.Echo(func(info map[string]any) {
			info["device"] = map[string]any{"phoneNumber": qodtest.Phone, "networkAccessIdentifier": "a@example.com"}
		})
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		got := make([]string, 2)
		var wg sync.WaitGroup
		for i, d := range []qod.Device{{PhoneNumber: qodtest.Phone}, {NetworkAccessIdentifier: "a@example.com"}} {
			wg.Go(func() {
				spec := qodtest.Spec()
				spec.Device = d
				s, err := n.Create(t.Context(), spec)
				if s.ID == "" && err == nil {
					t.Error("neither a session nor an error")
				}
				got[i] = s.ID
			})
		}
		wg.Wait()
		if got[0] == got[1] {
			t.Errorf("both have %q", got[0])
		}
	})
}

func TestCreateAdoptsOnlyWhatIsOurs(t *testing.T) {
	echo := func(change func(map[string]any)) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.Echo(change)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		}
	}
	// appears puts a session on the network while the POST is answered.
	appears := func(create sandbox.Effect, s sandbox.Session) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpCreate, 1, create)
			var once sync.Once
			n.Before(sandbox.OpList, func(int, *http.Request) {
				if n.Count(sandbox.OpCreate) > 0 {
					once.Do(func() { n.SeedSession(s) })
				}
			})
		}
	}
	anHourAgo := func() time.Time { return time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC) } // the bubble's
	runScenarios(t, map[string]scenario{
		"with startedAt, with a snapshot": {arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"without startedAt, with a snapshot that shows the newest": {
			Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: withWitness(failCreates(sandbox.DropAfterCommit())), posts: 1, made: true,
		},
		// The snapshot may lag: a session that it does not show may have existed before.
		"without startedAt, with a snapshot that shows nothing new": {
			Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1),
		},
		"with startedAt, without a snapshot": {arrange: failListsUntilCreate(sandbox.DropAfterCommit(), unavailable), posts: 1, made: true},
		"without startedAt, without a snapshot": {
			Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: failListsUntilCreate(sandbox.DropAfterCommit(), unavailable),
			posts: 1, leftBehind: 1, check: wantUnresolved(1, 1),
		},
		"without a snapshot, nothing made": {arrange: failListsUntilCreate(sandbox.DropBeforeCommit(), unavailable), posts: 2, made: true},
		"without a snapshot, nothing wrong": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, unavailable) }, posts: 1, made: true,
		},
		"without a snapshot, the list hangs": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit()) }, posts: 1, made: true,
			limit: 6 * time.Second,
		},
		// The first answer of all is the list that finds the session: its Date is the server's
		// clock.
		"without any answer before the POST": {arrange: failListsUntilCreate(sandbox.DropAfterCommit(), sandbox.DropBeforeCommit()), posts: 1, made: true},

		"it shows no device":       {arrange: echo(withoutFields("device")), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1)},
		"it shows an empty device": {arrange: echo(func(i map[string]any) { i["device"] = map[string]any{} }), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1)},
		"it shows no profile":      {arrange: echo(withoutFields("qosProfile")), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1)},
		"it shows another profile": {arrange: echo(func(i map[string]any) { i["qosProfile"] = "QOS_L" }), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1)},
		"it shows one identifier of two": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"phoneNumber": strings.TrimPrefix(qodtest.Phone, "+")}
			}),
			spec:  func(s *qod.Spec) { s.Device.IPv6Address = "2001:DB8:0::1" },
			posts: 1, made: true,
		},
		"it shows an identifier of another kind": {
			arrange: echo(func(i map[string]any) { i["device"] = map[string]any{"networkAccessIdentifier": "x@example.com"} }),
			posts:   1, leftBehind: 1, check: wantUnresolved(1, 1),
		},
		// Behind one address, only the port distinguishes one device from another.
		"it shows another's port": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"ipv4Address": map[string]any{"publicAddress": "203.0.113.7", "publicPort": 40000}}
			}),
			spec: withAddress(nil), posts: 1, leftBehind: 1, check: wantOneCandidate,
		},
		"it shows no port": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"ipv4Address": map[string]any{"publicAddress": "203.0.113.7"}}
			}),
			spec: withAddress(new(int64(40000))), posts: 1, leftBehind: 1, check: wantOneCandidate,
		},
		"it shows our port": {arrange: failCreates(sandbox.DropAfterCommit()), spec: withAddress(new(int64(40000))), posts: 1, made: true},
		// The last list is from before another pipeline's POST.
		"another's session came a while before the POST": {
			Options: qodtest.Options{Sandbox: slowProvisioning},
			arrange: func(t *testing.T, n *qodtest.Network) {
				spec := qodtest.Spec()
				spec.Device.PhoneNumber = "+34600000099"
				if _, err := n.Create(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E"})
				time.Sleep(8 * time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 3, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) },
		},
		"another's session came while the snapshot was under way": {
			Options: qodtest.Options{Sandbox: slowProvisioning},
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, 1, sandbox.Delay(4*time.Second))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
				n.Before(sandbox.OpCreate, func(int, *http.Request) {
					n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E"})
				})
			},
			posts: 1, others: 1, check: wantOneCandidate,
		},
		"two candidates": {
			arrange: appears(sandbox.DropAfterCommit(), sandbox.Session{}), posts: 1, leftBehind: 2, check: wantUnresolved(2, 1),
		},
		"another device's session appears": {
			arrange: appears(sandbox.DropBeforeCommit(), sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}}),
			posts:   2, made: true, others: 1,
		},
		"an older session of ours hides behind the 502": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 3, check: func(t *testing.T, _ *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
		"an older session, without a snapshot": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{StartedAt: anHourAgo(), ExpiresAt: anHourAgo().Add(24 * time.Hour)})
				failListsUntilCreate(sandbox.StatusAfterCommit(http.StatusBadGateway, ""), unavailable)(t, n)
			},
			posts: 3, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) },
		},
		// The conflict may be with the session of the lost answer, which lists need not show for a
		// minute.
		"an older session that cannot be seen": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{ClientID: "another team"})
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 7, limit: 100 * time.Second, check: func(t *testing.T, _ *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 0)
			},
		},
		"the look fails": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), -1, unavailable), posts: 1, leftBehind: 1,
			check: wantUnresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.ListErr == nil || !strings.Contains(e.ListErr.Error(), "503") {
					t.Errorf("the error of the look: %v", e.ListErr)
				}
			}),
		},
		"the look hangs": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), -1, sandbox.HangBeforeCommit()), posts: 1, leftBehind: 1,
			check: wantUnresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.ListErr == nil {
					t.Error("the error of the look is missing")
				}
			}),
		},
		"the look is asked to come back later than anybody waits": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), -1, sandbox.Status(503, `{"code":"BUSY"}`, "Retry-After", "86400")),
			posts:   1, leftBehind: 1,
			check: wantUnresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.ListErr == nil || !strings.Contains(e.ListErr.Error(), "BUSY") {
					t.Errorf("the error of the look: %v", e.ListErr)
				}
			}),
		},
		"it is seen late": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), 2, emptyList), posts: 1, made: true,
		},
		"it is seen only after the 409 that it causes": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				failCreateAndLists(sandbox.DropAfterCommit(), -1, emptyList)(t, n)
				n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
					if nth == 2 {
						n.Heal()
					}
				})
			},
			posts: 2, made: true,
		},
		"it is never seen": {
			arrange: failCreateAndLists(sandbox.DropAfterCommit(), -1, emptyList), posts: 7, leftBehind: 1, limit: 100 * time.Second,
			check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err) },
		},
		// The search takes no longer than one request may; a candidate must not be forgotten at its
		// end.
		"it shows no device, and the look is short": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 2 * time.Second }},
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Echo(withoutFields("device"))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
			},
			posts: 1, leftBehind: 1, check: wantUnresolved(1, 1),
		},
	})
}

// A list that lags shows the session of the first POST before that of the second: after it was
// adopted, the other one must be named.
func TestCreateAdoptsOneOfTwo(t *testing.T) {
	t.Parallel()
	several := qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}, Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Second }}
	t.Run("both were made", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 40*time.Second)
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.HangAfterCommit()})
			s, err := n.Create(t.Context(), qodtest.Spec())
			var lost *qod.UnresolvedError
			if made := n.Ledger(); len(made) != 2 || s.ID != made[0].ID || !errors.As(err, &lost) || lost.KeptID != s.ID ||
				len(lost.Candidates) != 1 || lost.Candidates[0].ID != made[1].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the second was not", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 40*time.Second)
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			s, err := n.Create(t.Context(), qodtest.Spec())
			if made := n.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the first was not", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			began := time.Now()
			s, err := n.Create(t.Context(), qodtest.Spec())
			if made := n.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	})
}
