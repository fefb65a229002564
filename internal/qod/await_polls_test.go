// Waits share lists as reads do: many waits make few requests, and no list alone ends one.
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

// All waits of a process together make no more requests than a single one could, whether or not
// lists can answer them.
func TestAwaitSharesPolls(t *testing.T) {
	t.Parallel()
	refusing := func(status int) func(*qodtest.Network) {
		return func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(status, "")) }
	}
	for name, test := range map[string]pollCase{
		"confirmed by lists":            {},
		"by lists that show no device":  {intercept: rewriteListed(nil, dropField("device"))},
		"while lists are refused":       {arrange: refusing(403), byGets: true},
		"by lists that show too little": {intercept: rewriteListed(nil, dropField("qosProfile")), byGets: true, spare: 2}, // a first look, in both
		"while lists fail":              {arrange: refusing(400), byGets: true, spare: 1},                                 // what is there before the POST
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.sharePolls(t)
		})
	}
}

// pollCase is how a fleet of waits polls.
type pollCase struct {
	arrange   func(*qodtest.Network)
	intercept qodtest.Interceptor
	byGets    bool // lists confirm nothing
	spare     int  // requests for each that are not counted
}

// No wait is answered by a list from before it began.
func TestAwaitLooksAnew(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: time.Minute}}, func(t *testing.T, n *qodtest.Network) {
		n.ReadAll(n.SeedFleet(10))
		s := n.SeedSession(sandbox.Session{})
		n.Revoke(s.ID)
		n.ReadAll(n.SeedFleet(1)) // listed a moment ago, without this one
		before := n.Count(sandbox.OpList)
		e := qodtest.ErrorAs[*qod.WaitError](t, func() error { _, err := n.Await(t.Context(), qodtest.Ref(s)); return err }())
		qodtest.Equal(t, "reason", e.Reason, qod.WaitUnavailable)
		qodtest.Equal(t, "lists", n.Count(sandbox.OpList), before+1)
	})
}

// A session that is not ready in time is replaced, which costs another one, so it is read once
// more.
func TestAwaitLooksOnceMoreWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		happens func(n *qodtest.Network, id string)
		reason  qod.WaitReason
		within  time.Duration
	}{
		"ready": {happens: func(n *qodtest.Network, id string) {
			n.Edit(id, func(s *sandbox.Session) { s.Status = sandbox.StatusAvailable })
		}},
		"refused":     {happens: func(n *qodtest.Network, id string) { n.Revoke(id) }, reason: qod.WaitUnavailable},
		"not ready":   {happens: func(*qodtest.Network, string) {}, reason: qod.WaitTimeout},
		"gone":        {happens: func(n *qodtest.Network, id string) { n.Remove(id) }, reason: qod.WaitTimeout},
		"unreachable": {happens: func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpRead, -1, sandbox.HangBeforeCommit()) }, reason: qod.WaitTimeout, within: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: time.Hour}}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
				timeout := time.Minute
				// Between the last poll, less than two and a half seconds earlier, and the end.
				time.AfterFunc(timeout-time.Millisecond, func() { test.happens(n, s.ID) })
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Await(qodtest.WithTimeout(t, timeout), qodtest.Ref(s)) })
				if test.reason == 0 {
					if err != nil {
						t.Error(err)
					}
				} else {
					qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, test.reason)
				}
				if spent > timeout+test.within+50*time.Millisecond {
					t.Errorf("took %v", spent)
				}
			})
		})
	}
	t.Run("not after an interrupt", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: time.Hour}}, func(t *testing.T, n *qodtest.Network) {
			s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
			var last atomic.Int64
			n.Before(sandbox.OpRead, func(int, *http.Request) { last.Store(time.Now().UnixNano()) })
			cancelled := time.Now().Add(time.Minute)
			_, err := n.Await(qodtest.CancelAfter(t, time.Minute), qodtest.Ref(s))
			qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitInterrupted)
			if last.Load() >= cancelled.UnixNano() {
				t.Error("it was asked for once more")
			}
		})
	})
}

func (of pollCase) sharePolls(t *testing.T) {
	t.Helper()
	for _, count := range []int{1, 4, 5, 10, 60} {
		for name, provisioning := range map[string]time.Duration{"in no time": 0, "in 3 seconds": 3 * time.Second, "in a minute": time.Minute} {
			if provisioning == time.Minute {
				count = min(count, 20) // ten at a time: the second ten find what the first have left
			}
			t.Run(fmt.Sprintf("%d %s", count, name), func(t *testing.T) {
				t.Parallel()
				config := sandbox.Config{Provisioning: provisioning, Latency: 50 * time.Millisecond}
				qodtest.InBubble(t, qodtest.Options{Sandbox: config, Intercept: of.intercept}, func(t *testing.T, n *qodtest.Network) {
					if of.arrange != nil {
						of.arrange(n)
					}
					spent := qodtest.Elapsed(func() {
						numbers := make([]string, count)
						for i := range numbers {
							numbers[i] = fmt.Sprintf("+346%08d", i)
						}
						qodtest.InParallel(numbers, func(number string) {
							spec := qodtest.Spec()
							spec.Device.PhoneNumber = number
							s, err := n.Create(t.Context(), spec)
							if err == nil {
								s, err = n.Await(t.Context(), qod.Ref{ID: s.ID, Device: spec.Device, QoSProfile: spec.QoSProfile})
							}
							if err != nil || s.Status != qod.StatusAvailable {
								t.Errorf("%v, %v", s, err)
							}
						})
					})
					others, most := len(n.Requests())-n.Count(sandbox.OpCreate), 16+int(4*spent/time.Second)+count*of.spare
					late := 1200 * time.Millisecond
					if of.byGets {
						late = 7 * time.Second
						if provisioning == 0 {
							most += count // each is looked at as soon as it is there
						}
					} else {
						// A read of the session itself ends each wait, since no list does, and one
						// every four seconds sees what an old list does not show.
						most += count * (1 + int(provisioning/(4*time.Second)))
					}
					if others > most {
						t.Errorf("%d calls besides the POSTs in %v, want at most %d", others, spent, most)
					}
					rounds := int64((count + 9) / 10)
					if most := time.Duration(rounds * int64(provisioning*9/8+late)); spent > most {
						t.Errorf("took %v, want at most %v", spent, most)
					}
				})
			})
		}
	}
}
