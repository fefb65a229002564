// The answer to a POST is lost and lists lag behind, so that the session it made does not show. Where
// the network takes a second one for the device, a create is never green with two.
package qod_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestCreateIsNeverGreenWithTwo(t *testing.T) {
	t.Parallel()
	networks := map[string]struct {
		config sandbox.Config
		lag    []sandbox.Operation // besides lists
	}{
		"a network of several sessions a device":   {config: sandbox.Config{SeveralPerDevice: true}},
		"the same, without a start":                {config: sandbox.Config{SeveralPerDevice: true, Provisioning: time.Hour}},
		"a network whose conflicts lag with lists": {lag: []sandbox.Operation{sandbox.OpCreate}},
	}
	losses := map[string]sandbox.Effect{
		"dropped": sandbox.DropAfterCommit(), "502": sandbox.StatusAfterCommit(502, ""), "hangs": sandbox.HangAfterCommit(),
	}
	around := map[string]func(*testing.T, *qodtest.Network){
		"nothing else":                  func(*testing.T, *qodtest.Network) {},
		"an older session":              func(_ *testing.T, n *qodtest.Network) { n.Seed(sandbox.Session{}); time.Sleep(2 * time.Minute) },
		"one that was made just before": withWitness(func(*testing.T, *qodtest.Network) {}),
	}
	for what, network := range networks {
		for how, loss := range losses {
			for besides, arrange := range around {
				for _, lag := range []time.Duration{0, 3 * time.Second, 14 * time.Second, time.Minute} {
					t.Run(fmt.Sprintf("%s, %s, %s, lists lag %v", what, how, besides, lag), func(t *testing.T) {
						t.Parallel()
						for _, budget := range []time.Duration{5 * time.Minute, 20 * time.Second} {
							qodtest.InBubble(t, qodtest.Options{Sandbox: network.config}, func(t *testing.T, n *qodtest.Network) {
								arrange(t, n)
								before := len(n.Ledger())
								for _, op := range append(network.lag, sandbox.OpList) {
									n.Lag(op, lag)
								}
								n.InjectFault(sandbox.OpCreate, 1, loss)
								s, err := n.Create(qodtest.WithTimeout(t, budget), qodtest.Spec())
								made := len(n.Ledger()) - before
								switch unresolved := qodtest.IsError[*qod.UnresolvedError](err); {
								case made > 1 && !unresolved:
									t.Errorf("%d sessions, and %v", made, err)
								case made > 2:
									t.Errorf("%d sessions", made)
								case err == nil && (s.ID == "" || made != 1):
									t.Errorf("green with %q, and %d sessions", s.ID, made)
								case err != nil && !unresolved:
									t.Errorf("it does not say that one may exist: %v", err)
								case made > 1 && budget > time.Minute && s.ID != "":
									// There was time enough to see both.
									e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
									qodtest.Equal(t, "the other is named", len(e.Candidates), 1)
									qodtest.Equal(t, "the one that is kept", e.Kept, s.ID)
								case lag <= 3*time.Second && network.config.Provisioning == 0 && err != nil:
									t.Errorf("a list that lags %v hid it: %v", lag, err)
								}
							})
						}
					})
				}
			}
		}
	}
}

// Behind a lost answer, a POST that succeeds is not the end: the create looks until the list shows the
// second session, since one that lags shows neither.
func TestCreateLooksForASecondSession(t *testing.T) {
	// twice has the first POST committed, unseen until its lag is over, and the second one answered.
	twice := func(more func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
		return func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 14*time.Second)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			if more != nil {
				more(t, n)
			}
		}
	}
	afterSecond := func(f func(n *qodtest.Network)) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
				if nth == 2 {
					f(n)
				}
			})
		}
	}
	several := qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}}
	second := func(candidates int) func(*testing.T, *qodtest.Network, error) {
		return func(t *testing.T, _ *qodtest.Network, err error) {
			t.Helper()
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			qodtest.Equal(t, "candidates", len(e.Candidates), candidates)
			qodtest.Equal(t, "one is kept", e.Kept != "", true)
			if candidates == 0 && e.LookErr == nil {
				t.Error("it does not say why it could not look")
			}
		}
	}
	play(t, map[string]scenario{
		"the list shows both in time": {Options: several, arrange: twice(nil), posts: 2, made: true, left: 1, check: second(1)},
		"the list shows them too late": {
			Options: several, budget: 20 * time.Second, arrange: twice(func(_ *testing.T, n *qodtest.Network) { n.Lag(sandbox.OpList, time.Hour) }),
			posts: 2, made: true, left: 1, till: 26 * time.Second, check: second(0),
		},
		"the list fails from then on": {
			Options: several, budget: time.Minute, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, down) })),
			posts: 2, made: true, left: 1, check: second(0),
		},
		"the list is refused from then on": {
			Options: several, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, "")) })),
			posts: 2, made: true, left: 1, till: 20 * time.Second, check: second(0),
		},
		"the list comes from a cache from then on": {
			Options: several, budget: time.Minute, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Header("Age", "9")) })),
			posts: 2, made: true, left: 1, check: second(0),
		},
		"the first made none": {
			Options: several, arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Lag(sandbox.OpList, 14*time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			}, posts: 2, made: true, till: 40 * time.Second,
		},
		// A list may lag: a session of the device that began well before our POST is nobody's second.
		"an older session of the device shows late": {
			Options: several, arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Lag(sandbox.OpList, 25*time.Second)
				n.SeedSession(sandbox.Session{})
				time.Sleep(5 * time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			}, posts: 2, made: true,
		},
		// Nobody else's either.
		"another device's session appears": {
			Options: several, arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
				afterSecond(func(n *qodtest.Network) { n.Seed(sandbox.Session{}) })(t, n)
			}, posts: 2, made: true, other: 1,
		},
		// What was made first is still there to be paid for.
		"the second answer shows a session that was there before": {
			Options: several, arrange: func(t *testing.T, n *qodtest.Network) {
				there := n.SeedSession(sandbox.Session{})
				n.Lag(sandbox.OpList, 0)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(200, `{"sessionId":"`+there.ID+`"}`))
			}, posts: 2, check: func(t *testing.T, _ *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
	})
}

// An interrupt does not keep a create from one last look for the second session.
func TestCreateLooksForASecondSessionAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}}, func(t *testing.T, n *qodtest.Network) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n.Lag(sandbox.OpList, 14*time.Second)
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		n.InjectFault(sandbox.OpCreate, 1, sandbox.Delay(20*time.Second))
		var interrupted time.Time
		n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
			if nth == 2 {
				interrupted = time.Now().Add(5 * time.Second)
				time.AfterFunc(5*time.Second, cancel)
			}
		})
		s, err := n.Create(ctx, qodtest.Spec())
		e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
		qodtest.Equal(t, "the other is named", len(e.Candidates), 1)
		if s.ID == "" || e.Kept != s.ID {
			t.Errorf("kept %q, returned %q", e.Kept, s.ID)
		}
		if late := time.Since(interrupted); late > 21*time.Second {
			t.Errorf("it went on for %v", late)
		}
	})
}
