// A session is taken over only if it is the one that was asked for, as far as the API can show. What a
// list that lags did not show before, what somebody else made meanwhile, and what was another answer is
// named in an error, and left alone.
package qod_test

import (
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

// theirs is a session as another pipeline of the same client asks for it.
var theirs = sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E", Duration: 3600}

// Another pipeline has made a session for the device a moment ago, and the list has not heard of it.
// When it does, that is no sign that it is ours: our POST was never processed.
func TestCreateAdoptsNothingOfOthersBehindAListThatLags(t *testing.T) {
	for _, lag := range []time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second} {
		t.Run(lag.String(), func(t *testing.T) {
			since := func(age time.Duration, then func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
				return func(t *testing.T, n *qodtest.Network) {
					n.Lag(sandbox.OpList, lag)
					n.SeedSession(theirs)
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
			play(t, map[string]scenario{
				"it shows no start": {
					Options: qodtest.Options{Sandbox: slowly}, arrange: before(creates(sandbox.HangBeforeCommit())), posts: -1, check: nothing,
				},
				// Date and startedAt tell two seconds apart.
				"it shows its start": {arrange: since(3*time.Second, creates(sandbox.HangBeforeCommit())), posts: -1, check: nothing},
				"the POST is refused by the network, and the answer is lost": {
					Options: qodtest.Options{Sandbox: slowly}, arrange: before(creates(sandbox.StatusAfterCommit(502, ""))), posts: -1, check: nothing,
				},
				// An older session is no sign that the list is up to date.
				"an older session is listed": {
					Options: qodtest.Options{Sandbox: slowly},
					arrange: func(t *testing.T, n *qodtest.Network) {
						n.Seed(sandbox.Session{})
						time.Sleep(time.Minute)
						before(creates(sandbox.HangBeforeCommit()))(t, n)
					},
					posts: -1, check: nothing,
				},
				// It is one of the first four of this process, whose creates are known to the second.
				"this process has made another a moment before": {
					Options: qodtest.Options{Sandbox: slowly},
					arrange: func(t *testing.T, n *qodtest.Network) {
						before(func(t *testing.T, n *qodtest.Network) {
							spec := qodtest.Spec()
							spec.Device.PhoneNumber = "+34600000002"
							if _, err := n.Create(t.Context(), spec); err != nil {
								t.Fatal(err)
							}
							creates(sandbox.HangBeforeCommit())(t, n)
						})(t, n)
					},
					posts: -1, check: nothing,
				},
			})
		})
	}
}

// What shows another length, profile or device than was asked for, or a start from before, is not ours.
func TestCreateAdoptsOnlyWhatWasAskedFor(t *testing.T) {
	// beside has a session appear while the answer to our POST, which does nothing, is lost.
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
	play(t, map[string]scenario{
		"as it was asked for": {arrange: creates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"shorter than asked": {arrange: func(t *testing.T, n *qodtest.Network) {
			n.Echo(set2("duration", 1800))
			creates(sandbox.DropAfterCommit())(t, n)
		}, posts: 1, made: true},
		"without its length": {arrange: func(t *testing.T, n *qodtest.Network) {
			n.Echo(without("duration"))
			creates(sandbox.DropAfterCommit())(t, n)
		}, posts: 1, made: true},
		"longer than asked":    {arrange: beside(sandbox.Session{Duration: 3601}), posts: 1, other: 1, check: unresolved(1, 1)},
		"another profile":      {arrange: beside(sandbox.Session{QoSProfile: "QOS_L"}), posts: 1, other: 1, check: unresolved(1, 1)},
		"started an hour ago":  {arrange: beside(sandbox.Session{StartedAt: qodtest.BubbleStart.Add(-time.Hour), ExpiresAt: qodtest.BubbleStart.Add(time.Hour), Duration: 3600}), posts: 1, other: 1, check: unresolved(1, 1)},
		"another phone number": {arrange: beside(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}}), posts: 2, made: true, other: 1},
	})
}

// set2 changes a field of what is echoed.
func set2(name string, value any) func(map[string]any) {
	return func(info map[string]any) { info[name] = value }
}

// A gateway mixes up the answers to two creates of one run: each shows the other's device. Neither is
// believed, and both get the session that is theirs.
func TestCreateOfAnswersThatAreMixedUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		network sandbox.Config
		witness bool
		adopted bool // or else named in an error
	}{
		"available at once":         {network: sandbox.Config{Provisioning: sandbox.Instant}, adopted: true},
		"available at the look":     {adopted: true},
		"no start, a list to trust": {network: slowly, witness: true, adopted: true},
		"no start, any list":        {network: slowly},
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

// The same holds for a read: what shows another device is nobody's answer.
func TestReadOfAnswersThatAreMixedUp(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		spec, other := qodtest.Spec(), qodtest.Spec()
		other.Device.PhoneNumber = "+34600000002"
		var refs []qod.Ref
		for _, s := range []qod.Spec{spec, other} {
			made, err := n.Create(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, qod.Ref{ID: made.ID, Device: s.Device})
		}
		n.InjectFault(sandbox.OpRead, 2, sandbox.SwapAnswers())
		qodtest.InParallel(refs, func(ref qod.Ref) {
			s, err := n.Read(t.Context(), ref)
			if err != nil || !ref.Device.Matches(s.Device) {
				t.Errorf("%v, %v", s, err)
			}
		})
		qodtest.Equal(t, "gets", n.Count(sandbox.OpRead), 4)
	})
}

// Lists that a cache answers, or that are parts, are of no use to who looks for a lost session: it is
// looked for on, and named as possible where there is no better one.
func TestCreateLooksByListsThatAreWholeAndNew(t *testing.T) {
	scenarios := map[string]scenario{}
	for name, effect := range map[string]sandbox.Effect{
		"an old list with its Age":     sandbox.Header("Age", "120"),
		"an empty list out of a cache": sandbox.Status(200, "[]", "Age", "1"),
		"an empty part":                sandbox.Status(206, "[]"),
		"less than the total":          sandbox.Status(200, "[]", "X-Total-Count", "1"),
		"a page that leads elsewhere":  sandbox.Status(200, "[]", "Link", `<https://elsewhere.example/?page=2>; rel="next"`),
	} {
		scenarios[name+", once"] = scenario{arrange: both(sandbox.DropAfterCommit(), 1, effect), posts: 1, made: true}
		scenarios[name+", for a while"] = scenario{arrange: both(sandbox.DropAfterCommit(), 4, effect), posts: 1, made: true}
		scenarios[name+", for ever"] = scenario{
			arrange: both(sandbox.DropAfterCommit(), -1, effect), posts: 1, left: 1, till: 35 * time.Second,
			check: unresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.LookErr == nil || !strings.Contains(e.LookErr.Error(), "list") {
					t.Errorf("it does not say why it was not found: %v", e.LookErr)
				}
			}),
		}
		// Nor does a snapshot of that kind say that a session was not there before.
		scenarios[name+", before the POST"] = scenario{
			Options: qodtest.Options{Sandbox: slowly},
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, 1, effect)
				n.SeedSession(theirs)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangBeforeCommit())
			},
			posts: -1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				if !qodtest.IsError[*qod.UnresolvedError](err) && !qodtest.IsError[*qod.ConflictError](err) {
					t.Error(err)
				}
			},
		}
	}
	// The cache has the list from before the POST, and says so a second later.
	scenarios["the list of before"] = scenario{
		arrange: func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, sandbox.Cached())
			creates(sandbox.DropAfterCommit())(t, n)
		},
		posts: 1, left: 1, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err) },
	}
	scenarios["the list of before, by a cache that heeds no-cache"] = scenario{
		arrange: func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, sandbox.CachedUnlessNoCache())
			creates(sandbox.DropAfterCommit())(t, n)
		},
		posts: 1, made: true,
	}
	play(t, scenarios)
}

// Pages are no obstacle: the session is found on whichever it is.
func TestCreateFindsTheSessionOnALaterPage(t *testing.T) {
	play(t, map[string]scenario{"the third of three": {
		Options: qodtest.Options{Sandbox: sandbox.Config{PageSize: 2}},
		arrange: func(t *testing.T, n *qodtest.Network) { n.SeedFleet(5); creates(sandbox.DropAfterCommit())(t, n) },
		posts:   1, made: true,
	}})
}

// Two creates whose answers are lost never take over one session: what one has adopted is its own.
func TestCreateAdoptsASessionOnce(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
		// One phone, by two devices that have nothing in common for this process; the network knows.
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

// A 401 comes before anything is done, or should. A list shows whether it did.
func TestCreateBehindARefusedToken(t *testing.T) {
	twice := func(t *testing.T, n *qodtest.Network, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 2)
	}
	play(t, map[string]scenario{
		"nothing was made": {arrange: creates(sandbox.Status(401, "")), posts: 2, made: true, check: twice},
		"one was made":     {arrange: creates(sandbox.StatusAfterCommit(401, "")), posts: 1, made: true, check: twice},
		"one was made that shows no start": {
			Options: qodtest.Options{Sandbox: slowly}, arrange: creates(sandbox.StatusAfterCommit(401, "")), posts: 1, left: 1, check: unresolved(1, 1),
		},
		"one was made that shows no start, behind a list to trust": {
			Options: qodtest.Options{Sandbox: slowly}, arrange: withWitness(creates(sandbox.StatusAfterCommit(401, ""))), posts: 1, made: true,
		},
		"the API has no list": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, ""))
				creates(sandbox.Status(401, ""))(t, n)
			}, posts: 2, made: true, check: twice,
		},
		"the list is down": {
			arrange: both(sandbox.Status(401, ""), -1, down), posts: 1, check: unresolved(0, 1),
		},
		"the list is down, and one was made": {
			arrange: both(sandbox.StatusAfterCommit(401, ""), -1, down), posts: 1, left: 1, check: unresolved(0, 1),
		},
		"the second POST is lost": {
			arrange: creates(sandbox.Status(401, ""), sandbox.DropAfterCommit()), posts: 2, made: true,
		},
		"refused twice": {arrange: creates(sandbox.Status(401, ""), sandbox.Status(401, "")), posts: 2, check: refused(401)},
	})
}
