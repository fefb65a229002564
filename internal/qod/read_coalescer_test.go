// Reads of a fleet share lists. A list may confirm that all is well, for ten seconds and not across a
// change of this process's own; what costs money is believed to a get only. Everything here counts
// requests, in virtual time.
package qod_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestReadCoalesces(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]struct{ gets, lists int }{
		1: {1, 0}, 4: {4, 0}, 5: {4, 1}, 10: {4, 1}, 100: {4, 1}, 1000: {4, 1},
	} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(count)
				n.ReadAll(ids)
				n.WantReads(want.gets, want.lists)
				n.ReadAll(ids)
				n.WantReads(2*want.gets, want.lists)
				qodtest.Equal(n.T, "tokens", n.Count(sandbox.OpToken), 1)
				qodtest.Equal(n.T, "discoveries", n.Count(sandbox.OpDiscovery), 1)
			})
		})
	}
}

// An account with many sessions does not make a plan of a few expensive.
func TestReadOfFewAmongMany(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
		n.ReadAll(n.SeedFleet(10_000)[:4])
		n.WantReads(4, 0)
	})
}

func TestReadSnapshotAges(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(10)
		n.ReadAll(ids[:4])
		n.ReadAll(ids[4:])
		n.WantReads(4, 1)
		time.Sleep(9 * time.Second)
		n.ReadAll(ids[4:])
		n.WantReads(4, 1)
		time.Sleep(time.Second)
		n.ReadAll(ids[4:])
		n.WantReads(4, 2)
	})
}

// A refresh of ten thousand costs a list every ten seconds that Terraform itself takes.
func TestReadOfManyForLong(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(104)
		began := time.Now()
		n.ReadAll(ids[:4])
		ids = ids[4:]
		qodtest.InParallel(make([]int, 10_000), func(int) {
			time.Sleep(60 * time.Millisecond)
			n.ReadAll(ids[rand.N(len(ids)):][:1]) //nolint:gosec // chance, not secrecy
		})
		if lists, most := n.Count(sandbox.OpList), 1+int(time.Since(began)/(10*time.Second)); lists > most || lists < 2 {
			n.T.Errorf("%d lists in %v, want at most %d", lists, time.Since(began), most)
		}
		if gets := n.Count(sandbox.OpRead); gets > 4 {
			n.T.Errorf("%d gets", gets)
		}
	})
}

// No list speaks for a session from before this process changed it, or tried to.
func TestReadAcrossOwnWrites(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect *sandbox.Effect
		gone   bool
		lists  int // for the read: one that began since the DELETE, and one that began since the 404 to the get
	}{
		"released":        {gone: true, lists: 1}, // the 204 proves it
		"answer lost":     {effect: new(sandbox.DropAfterCommit()), gone: true, lists: 2},
		"answer is a 500": {effect: new(sandbox.StatusAfterCommit(500, "")), gone: true, lists: 2},
		"not released":    {effect: new(sandbox.Status(500, "")), lists: 1},
		"refused":         {effect: new(sandbox.Status(403, "")), lists: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }}, func(t *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(10)
				n.ReadAll(ids[:4])
				n.ReadAll(ids[4:])
				if test.effect != nil {
					n.InjectFault(sandbox.OpDelete, 1, *test.effect)
				}
				err := n.Delete(t.Context(), qod.Ref{ID: ids[7]})
				qodtest.Equal(t, "released without an error", err == nil, test.effect == nil)
				_, err = n.Read(t.Context(), qod.Ref{ID: ids[7]})
				qodtest.Equal(t, "gone", qod.IsGone(err), test.gone)
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 1+test.lists)
				n.ReadAll(ids[8:])
				qodtest.Equal(t, "lists for the others", n.Count(sandbox.OpList), 1+test.lists)
			})
		})
	}
}

// The list that is under way while a session is released says nothing of it, also not to a read
// that waits for that list.
func TestReadWhileDeleting(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"a read behind it": 1100 * time.Millisecond, "a read before it": 500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(10)
				n.ReadAll(ids[:4])
				n.InjectFault(sandbox.OpList, 1, sandbox.Delay(2*time.Second))
				var wg sync.WaitGroup
				wg.Go(func() { n.ReadAll(ids[5:6]) })
				wg.Go(func() {
					time.Sleep(time.Second)
					if err := n.Delete(t.Context(), qod.Ref{ID: ids[9]}); err != nil {
						t.Error(err)
					}
				})
				wg.Go(func() {
					time.Sleep(after)
					if s, err := n.Read(t.Context(), qod.Ref{ID: ids[9]}); !qod.IsGone(err) {
						t.Errorf("%v, %v", s, err)
					}
				})
				wg.Wait()
			})
		})
	}
}

// A session that this process reserved is read from lists that started since.
func TestReadOfWhatWasCreated(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.ReadAll(n.SeedFleet(10))
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}
		n.ReadAll([]string{s.ID})
		n.WantReads(4, 2)
	})
}

// fromList changes what lists show of a session (nil: of each), and nothing else.
func fromList(id *string, change func(info map[string]any) bool) qodtest.Interceptor {
	return func(n *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || !qodtest.IsList(r) {
			return resp, err
		}
		var infos []map[string]any
		shown := []map[string]any{}
		if err := json.Unmarshal([]byte(qodtest.Body(n.T, resp)), &infos); err != nil {
			return nil, err
		}
		for _, info := range infos {
			if (id != nil && info["sessionId"] != *id) || change(info) {
				shown = append(shown, info)
			}
		}
		body, err := json.Marshal(shown)
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		return resp, err
	}
}

func drop(name string) func(map[string]any) bool {
	return func(info map[string]any) bool { delete(info, name); return true }
}

func set(name string, value any) func(map[string]any) bool {
	return func(info map[string]any) bool { info[name] = value; return true }
}

func TestReadConfirmsWhatCostsMoney(t *testing.T) {
	t.Parallel()
	profile, device := qod.Ref{QoSProfile: "QOS_E"}, qod.Ref{Device: qod.Device{PhoneNumber: "that of the session"}}
	for name, test := range map[string]struct {
		known  qod.Ref // but for the id
		change func(map[string]any) bool
		gets   int
	}{
		"as it is":                              {qod.Ref{}, set("nothing", true), 0},
		"absent":                                {qod.Ref{}, func(map[string]any) bool { return false }, 1},
		"unavailable":                           {qod.Ref{}, set("qosStatus", "UNAVAILABLE"), 1},
		"unknown":                               {qod.Ref{}, set("qosStatus", "PAUSED"), 1},
		"no status":                             {qod.Ref{}, drop("qosStatus"), 1},
		"no profile":                            {qod.Ref{}, drop("qosProfile"), 1},
		"the profile that is known":             {profile, set("nothing", true), 0},
		"another profile":                       {profile, set("qosProfile", "QOS_S"), 1},
		"any profile, where none is known":      {device, set("qosProfile", "QOS_S"), 0},
		"no device":                             {qod.Ref{}, drop("device"), 1},
		"no device, where the profile is known": {profile, drop("device"), 0},
		"no device, where it is known":          {device, drop("device"), 0},
		"another device than is known":          {device, set("device", map[string]any{"phoneNumber": qodtest.Phone}), 1},
		"no start":                              {qod.Ref{}, drop("startedAt"), 1},
		"no end":                                {qod.Ref{}, drop("expiresAt"), 1},
		"over":                                  {qod.Ref{}, set("expiresAt", "1999-12-31T23:59:59Z"), 1},
		"no usable end":                         {qod.Ref{}, set("expiresAt", "tomorrow"), 1},
		"another id":                            {qod.Ref{}, set("sessionId", qodtest.SessionID), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var id string
			qodtest.InBubble(t, qodtest.Options{Intercept: fromList(&id, test.change)}, func(t *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(10)
				id = ids[9]
				n.ReadAll(ids[:4])
				devices := map[string]string{}
				for _, s := range n.Ledger() {
					devices[s.ID] = s.Device.PhoneNumber
				}
				qodtest.InParallel(ids[4:], func(id string) {
					ref := test.known
					if ref.ID = id; !ref.Device.IsZero() {
						ref.Device.PhoneNumber = devices[id]
					}
					if s, err := n.Read(t.Context(), ref); err != nil || s.ID != id {
						t.Errorf("%v, %v", s, err)
					}
				})
				n.WantReads(4+test.gets, 1)
			})
		})
	}
}

func TestReadWithoutLists(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 405, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(status, ""))
				ids := n.SeedFleet(10)
				for range 10 {
					n.ReadAll(ids)
					time.Sleep(time.Minute)
				}
				n.WantReads(100, 1)
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Error(err)
				}
				n.WantReads(100, 1)
				if _, err := n.List(t.Context(), qod.Filter{}); err == nil {
					t.Error("the list that was asked for has no error")
				}
			})
		})
	}
	for name, effect := range map[string]sandbox.Effect{
		"500": sandbox.Status(500, ""), "503": sandbox.Status(503, "", "Retry-After", "600"), "400": sandbox.Status(400, ""),
		"dropped": sandbox.DropBeforeCommit(), "truncated": sandbox.Truncate(10), "HTML": sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, 1, effect)
				ids := n.SeedFleet(10)
				n.ReadAll(ids)
				n.WantReads(10, 1)
				time.Sleep(9 * time.Second)
				n.ReadAll(ids)
				n.WantReads(20, 1)
				time.Sleep(2 * time.Second)
				n.ReadAll(ids)
				n.WantReads(24, 2)
			})
		})
	}
}

// A list that failed takes nothing away from the one before it.
func TestReadBehindAFailedList(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(10)
		n.ReadAll(ids[:4])
		n.ReadAll(ids[4:])
		n.InjectFault(sandbox.OpList, 1, sandbox.Status(400, ""))
		if _, err := n.List(t.Context(), qod.Filter{}); err == nil {
			t.Error("the list has no error")
		}
		n.ReadAll(ids[4:])
		n.WantReads(4, 2)
	})
}

// A list that takes for ever costs a read ten seconds, once.
func TestReadWhileTheListHangs(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit())
		ids := n.SeedFleet(100)
		if d := qodtest.Elapsed(func() { n.ReadAll(ids) }); d > 12*time.Second {
			t.Errorf("took %v", d)
		}
		n.WantReads(100, 1)
	})
}

// What is older than ten seconds when it comes is not believed.
func TestReadOfASlowList(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(_ *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(10)
		n.ReadAll(ids[:4])
		n.InjectFault(sandbox.OpList, 1, sandbox.Delay(11*time.Second))
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 2 * time.Second)
				n.ReadAll(ids[5+i:][:1])
			})
		}
		wg.Wait()
		qodtest.Equal(n.T, "gets", n.Count(sandbox.OpRead), 9)
	})
}

// A fault while a list is taken leaves no empty list behind.
func TestReadAfterAFaultInAList(t *testing.T) {
	t.Parallel()
	var faults atomic.Int64
	qodtest.InBubble(t, qodtest.Options{Intercept: func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if qodtest.IsList(r) && faults.Add(1) == 1 {
			panic("a fault")
		}
		return next.RoundTrip(r)
	}}, func(_ *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(20)
		n.ReadAll(ids)
		n.ReadAll(ids)
		qodtest.Equal(n.T, "answered by a list", n.Count(sandbox.OpList), 1)
	})
}

// One that gives up takes the list from nobody.
func TestReadOfOneThatGivesUp(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(10)
		n.ReadAll(ids[:4])
		n.InjectFault(sandbox.OpList, 1, sandbox.Delay(2*time.Second))
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := n.Read(qodtest.CancelAfter(t, time.Second), qod.Ref{ID: ids[5]}); !qodtest.IsError[*qod.InterruptedError](err) {
				t.Errorf("%v", err)
			}
		})
		wg.Go(func() { n.ReadAll(ids[6:]) })
		wg.Wait()
		n.WantReads(4, 1)
	})
}

// All the waits of a process together ask for no more than one could, whatever lists are good for.
func TestAwaitSharesPolls(t *testing.T) {
	t.Parallel()
	refusing := func(status int) func(*qodtest.Network) {
		return func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(status, "")) }
	}
	for name, test := range map[string]waits{
		"confirmed by lists":            {},
		"by lists that show no device":  {wire: fromList(nil, drop("device"))},
		"while lists are refused":       {arrange: refusing(403), byGets: true},
		"by lists that show too little": {wire: fromList(nil, drop("qosProfile")), byGets: true, spare: 2}, // a first look, in both
		"while lists fail":              {arrange: refusing(400), byGets: true, spare: 1},                  // what is there before the POST
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.sharePolls(t)
		})
	}
}

// waits are those of a fleet.
type waits struct {
	arrange func(*qodtest.Network)
	wire    qodtest.Interceptor
	byGets  bool // lists confirm nothing
	spare   int  // requests for each that are not counted
}

func (of waits) sharePolls(t *testing.T) {
	t.Helper()
	for _, count := range []int{1, 4, 5, 10, 60} {
		for name, provisioning := range map[string]time.Duration{"in no time": 0, "in 3 seconds": 3 * time.Second, "in a minute": time.Minute} {
			t.Run(fmt.Sprintf("%d %s", count, name), func(t *testing.T) {
				t.Parallel()
				config := sandbox.Config{Provisioning: provisioning, Latency: 50 * time.Millisecond}
				qodtest.InBubble(t, qodtest.Options{Sandbox: config, Intercept: of.wire}, func(t *testing.T, n *qodtest.Network) {
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
						// A get ends each wait, since no list does, and one every four seconds sees what a
						// list that stands still does not show.
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

// No wait is answered by what was listed before it looked.
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

func TestListsKeepTheirDistance(t *testing.T) {
	t.Parallel()
	for latency, want := range map[time.Duration]time.Duration{
		10 * time.Millisecond: 250 * time.Millisecond, 100 * time.Millisecond: 250 * time.Millisecond, time.Second: 2 * time.Second,
	} {
		t.Run(latency.String(), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var started []time.Time
			var underWay atomic.Int64
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Latency: latency, Provisioning: time.Hour},
				Intercept: func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if qodtest.IsList(r) {
						if underWay.Add(1) > 1 {
							t.Error("two lists at a time")
						}
						defer underWay.Add(-1)
						mu.Lock()
						started = append(started, time.Now())
						mu.Unlock()
					}
					return next.RoundTrip(r)
				},
			}, func(t *testing.T, n *qodtest.Network) {
				ctx := qodtest.WithTimeout(t, 30*time.Second)
				var wg sync.WaitGroup
				for range 50 {
					id := n.Seed(sandbox.Session{Status: sandbox.StatusRequested}).ID
					wg.Go(func() { _, _ = n.Await(ctx, qod.Ref{ID: id}) })
				}
				wg.Wait()
			})
			if len(started) < 3 {
				t.Fatalf("%d lists", len(started))
			}
			for i := range started[1:] {
				if gap := started[i+1].Sub(started[i]); gap < want {
					t.Errorf("%v from one list to the next, want %v", gap, want)
				}
			}
		})
	}
}

// A session that is not ready in time costs its replacement, so it is asked for once more.
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
				budget := time.Minute
				// Between the last poll, which is under two and a half seconds before, and the end.
				time.AfterFunc(budget-time.Millisecond, func() { test.happens(n, s.ID) })
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Await(qodtest.WithTimeout(t, budget), qodtest.Ref(s)) })
				if test.reason == 0 {
					if err != nil {
						t.Error(err)
					}
				} else {
					qodtest.Equal(t, "reason", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, test.reason)
				}
				if spent > budget+test.within+50*time.Millisecond {
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

// truth is what a session was on the network, and since when.
type truth struct {
	mu      sync.Mutex
	history map[string][]moment
	order   []string             // of what there has been, by id
	written map[string]time.Time // when this process's last delete of it had ended
}

type moment struct {
	since time.Time
	state string // its status, or "gone"
}

// becomes notes what a session is from now on, and what was to become of it no longer.
func (tr *truth) becomes(id, state string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := time.Now()
	if tr.history[id] == nil {
		tr.order = append(tr.order, id)
	}
	past := slices.DeleteFunc(tr.history[id], func(m moment) bool { return m.since.After(now) })
	tr.history[id] = append(past, moment{now, state})
}

// lives notes a session that ends by itself.
func (tr *truth) lives(id string, until time.Time) {
	tr.becomes(id, "AVAILABLE")
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.history[id] = append(tr.history[id], moment{until, "gone"})
}

// wrote notes that this process has changed a session.
func (tr *truth) wrote(id string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.written[id] = time.Now()
}

// ids are those of all the sessions there have been.
func (tr *truth) ids() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.order)
}

// allows reports whether a session was in a state at some time from from to till.
func (tr *truth) allows(id, state string, from, till time.Time) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if w := tr.written[id]; w.After(from) && w.Before(till) {
		from = w
	}
	history := tr.history[id]
	for i, m := range history {
		over := i+1 < len(history) && history[i+1].since.Before(from)
		if m.state == state && !over && !m.since.After(till) {
			return true
		}
	}
	return false
}

// Whatever happens behind a snapshot's back, no read is wrong for longer than ten seconds, none across
// a change of this process, and none shows a session beyond its own end.
func TestReadRace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Provisioning: sandbox.Instant}, Client: func(c *qod.Config) { c.MaxRetries = 0 },
			}, func(t *testing.T, n *qodtest.Network) {
				tr := &truth{history: map[string][]moment{}, written: map[string]time.Time{}}
				chance := func(who uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, who)) } //nolint:gosec // chance, not secrecy
				appear := func(id string, random *rand.Rand) {
					s := n.Seed(sandbox.Session{ID: id, Duration: 5 + random.IntN(40)})
					tr.lives(s.ID, s.ExpiresAt)
				}
				network := chance(99)
				for range 30 {
					appear("", network)
				}
				seeded := tr.ids()
				stop := qodtest.WithTimeout(t, time.Minute)
				var wg sync.WaitGroup
				for i := range 10 {
					random := chance(uint64(i))
					wg.Go(func() {
						for stop.Err() == nil {
							ids := tr.ids()
							id := ids[random.IntN(len(ids))]
							began := time.Now()
							tr.mu.Lock()
							since := latest(began.Add(-10*time.Second), tr.written[id])
							tr.mu.Unlock()
							s, err := n.Read(t.Context(), qod.Ref{ID: id}) //nolint:contextcheck // stop ends the loop, not a call
							state := string(s.Status)
							if qod.IsGone(err) {
								state = "gone"
							} else if err != nil {
								t.Errorf("read: %v", err)
							}
							if !tr.allows(id, state, since, time.Now()) {
								t.Errorf("seed %d: %s is %s, read from %v to now; it was %v", seed, id, state, time.Since(began), tr.history[id])
							}
							// The server's clock is known to the second.
							if state == "AVAILABLE" && began.After(s.ExpiresAt.Add(time.Second)) {
								t.Errorf("seed %d: %s is %s %v after its end", seed, id, state, began.Sub(s.ExpiresAt))
							}
							time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
						}
					})
				}
				// What happens and what is noted of it go together.
				turn := make(chan struct{}, 1)
				wg.Go(func() { // the network
					for stop.Err() == nil {
						id := seeded[network.IntN(len(seeded))]
						turn <- struct{}{}
						switch network.IntN(3) {
						case 0:
							if n.Revoke(id) {
								tr.becomes(id, "UNAVAILABLE")
							}
						case 1:
							if n.Remove(id) {
								tr.becomes(id, "gone")
							}
						default: // it was away, and is back
							if !slices.ContainsFunc(n.Ledger(), func(s sandbox.Session) bool { return s.ID == id }) {
								appear(id, network)
							}
						}
						<-turn
						time.Sleep(time.Duration(network.IntN(1500)) * time.Millisecond)
					}
				})
				mine := chance(100)
				wg.Go(func() { // this process
					for count := 0; stop.Err() == nil; count++ {
						ids := tr.ids()
						id := ids[mine.IntN(len(ids))]
						turn <- struct{}{}
						if mine.IntN(2) == 0 {
							tr.becomes(id, "gone")
							if err := n.Delete(t.Context(), qod.Ref{ID: id}); err != nil && !qod.IsGone(err) { //nolint:contextcheck // stop ends the loop, not a call
								t.Errorf("release: %v", err)
							}
							tr.wrote(id)
						} else {
							spec := qodtest.Spec()
							spec.Device.PhoneNumber, spec.Seconds = fmt.Sprintf("+346%08d", count), 5+mine.Int64N(20)
							s, err := n.Create(t.Context(), spec) //nolint:contextcheck // stop ends the loop, not a call
							if err != nil {
								t.Errorf("reserve: %v", err)
							}
							tr.lives(s.ID, s.ExpiresAt)
							tr.wrote(s.ID)
						}
						<-turn
						time.Sleep(time.Duration(mine.IntN(3000)) * time.Millisecond)
					}
				})
				wg.Wait()
				if n.Count(sandbox.OpList) < 3 {
					t.Error("no lists were asked for")
				}
			})
		})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
