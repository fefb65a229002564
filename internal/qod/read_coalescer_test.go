// Reads of a fleet share lists. A list may confirm that a session is healthy, for ten seconds and
// not across a change by this process; where money is at stake, the session itself is read.
// Everything here counts requests, in the time of a bubble.
package qod_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
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

// A client with many sessions does not make the plan of a few expensive.
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

// A refresh of ten thousand sessions makes one list for every ten seconds that Terraform itself
// takes.
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

// No list from before this process changed a session, or tried to, is used for it.
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

// A list in flight while a session is deleted is not used for it, not even by a read that waits for
// that list.
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

// A session that this process created is read from lists that started since.
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

// rewriteListed changes what lists show of a session (nil: of every session), and nothing else.
func rewriteListed(id *string, change func(info map[string]any) bool) qodtest.Interceptor {
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

func dropField(name string) func(map[string]any) bool {
	return func(info map[string]any) bool { delete(info, name); return true }
}

func setListedField(name string, value any) func(map[string]any) bool {
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
		"as it is":                              {qod.Ref{}, setListedField("nothing", true), 0},
		"absent":                                {qod.Ref{}, func(map[string]any) bool { return false }, 1},
		"unavailable":                           {qod.Ref{}, setListedField("qosStatus", "UNAVAILABLE"), 1},
		"unknown":                               {qod.Ref{}, setListedField("qosStatus", "PAUSED"), 1},
		"no status":                             {qod.Ref{}, dropField("qosStatus"), 1},
		"no profile":                            {qod.Ref{}, dropField("qosProfile"), 1},
		"the profile that is known":             {profile, setListedField("nothing", true), 0},
		"another profile":                       {profile, setListedField("qosProfile", "QOS_S"), 1},
		"any profile, where none is known":      {device, setListedField("qosProfile", "QOS_S"), 0},
		"no device":                             {qod.Ref{}, dropField("device"), 1},
		"no device, where the profile is known": {profile, dropField("device"), 0},
		"no device, where it is known":          {device, dropField("device"), 0},
		"another device than is known":          {device, setListedField("device", map[string]any{"phoneNumber": qodtest.Phone}), 1},
		"no start":                              {qod.Ref{}, dropField("startedAt"), 1},
		"no end":                                {qod.Ref{}, dropField("expiresAt"), 1},
		"over":                                  {qod.Ref{}, setListedField("expiresAt", "1999-12-31T23:59:59Z"), 1},
		"no usable end":                         {qod.Ref{}, setListedField("expiresAt", "tomorrow"), 1},
		"another id":                            {qod.Ref{}, setListedField("sessionId", qodtest.SessionID), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var id string
			qodtest.InBubble(t, qodtest.Options{Intercept: rewriteListed(&id, test.change)}, func(t *testing.T, n *qodtest.Network) {
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

// A list that failed does not invalidate the one before it.
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

// A list that never ends costs a read ten seconds, once.
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

// A list that is older than ten seconds when it arrives is not believed.
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

// A panic during a list leaves no empty list behind.
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

// A caller that gives up does not take the list from the others.
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
