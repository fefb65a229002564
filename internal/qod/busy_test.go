// Rate-limited is not refused: a 429 proves that nothing happened. All requests of a process slow
// down together, and are retried until the time of each operation is up. Without a 429, no request
// is delayed.
package qod_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// rateLimit is a gateway that passes a number of requests in any period and answers the others with
// a 429.
type rateLimit struct {
	most   int
	period time.Duration
	strict bool     // what it refuses counts, too
	header []string // of a refusal

	mu       sync.Mutex
	passedAt []time.Time // of late
	passed   int
	refused  int
	last     time.Time     // when the last request came
	crowded  time.Time     // when the first one was refused
	closest  time.Duration // the least time between two, a second after that
}

// pass reports whether the gateway passes a request now.
func (l *rateLimit) pass() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.crowded.IsZero() && now.Sub(l.crowded) > time.Second && (l.closest == 0 || now.Sub(l.last) < l.closest) {
		l.closest = now.Sub(l.last)
	}
	l.last = now
	l.passedAt = slices.DeleteFunc(l.passedAt, func(at time.Time) bool { return now.Sub(at) >= l.period })
	if len(l.passedAt) >= l.most {
		l.refused++
		if l.crowded.IsZero() {
			l.crowded = now
		}
		if l.strict {
			l.passedAt = append(l.passedAt, now)
		}
		return false
	}
	l.passedAt = append(l.passedAt, now)
	l.passed++
	return true
}

// intercept puts the gateway before the API, but not before the token endpoint.
func (l *rateLimit) intercept(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
	if r.URL.Path == "/oauth/token" || r.URL.Path == "/.well-known/openid-configuration" || l.pass() {
		return next.RoundTrip(r)
	}
	refusal := qodtest.Response(r, http.StatusTooManyRequests, qodtest.JSON, "")
	for i := 0; i+1 < len(l.header); i += 2 {
		refusal.Header.Set(l.header[i], l.header[i+1])
	}
	return refusal, nil
}

// tenAtATime does something n times, ten at a time, as Terraform does.
func tenAtATime(count int, do func(i int) error) []error {
	errs := make([]error, count)
	next := make(chan int)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	wg.Wait()
	return errs
}

// createFleet creates and deletes a fleet, each session within the default timeouts.
func createFleet(t *testing.T, n *qodtest.Network, devices int) {
	t.Helper()
	ids := make([]string, devices)
	for i, err := range tenAtATime(devices, func(i int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		spec := qodtest.Spec()
		spec.Device.PhoneNumber = fmt.Sprintf("+346000001%02d", i)
		s, err := n.Create(ctx, spec)
		if ids[i] = s.ID; err != nil {
			return err
		}
		s, err = n.Await(ctx, qod.Ref{ID: s.ID, Device: spec.Device})
		if err == nil && s.Status != qod.StatusAvailable {
			err = fmt.Errorf("it is %s", s.Status)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("create %d: %v", i, err)
		}
	}
	slices.Sort(ids)
	if live := qodtest.IDs(n.Ledger()); !slices.Equal(live, ids) {
		t.Errorf("on the network %d, returned %d", len(live), len(ids))
	}
	for i, err := range tenAtATime(devices, func(i int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		return n.Delete(ctx, qod.Ref{ID: ids[i]})
	}) {
		if err != nil {
			t.Errorf("delete %d: %v", i, err)
		}
	}
	qodtest.Equal(t, "left on the network", len(n.Ledger()), 0)
}

func TestFleetAtARateLimit(t *testing.T) {
	t.Parallel()
	const devices = 40
	for name, limit := range map[string]*rateLimit{
		"five a second":                    {most: 5, period: time.Second},
		"two a second":                     {most: 2, period: time.Second},
		"one a second":                     {most: 1, period: time.Second},
		"five a second, with Retry-After":  {most: 5, period: time.Second, header: []string{"Retry-After", "1"}},
		"one a second, with Retry-After":   {most: 1, period: time.Second, header: []string{"Retry-After", "1"}},
		"three a second, refusals counted": {most: 3, period: time.Second, strict: true},
		"thirty a minute":                  {most: 30, period: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: 2 * time.Second}, Intercept: limit.intercept}, func(t *testing.T, n *qodtest.Network) {
				spent := qodtest.Elapsed(func() { createFleet(t, n, devices) })
				// A POST, a list that finds its session, and a DELETE for each.
				const least = 3 * devices
				if all := limit.passed + limit.refused; all > 5*least/2 {
					t.Errorf("%d requests, of which %d were refused", all, limit.refused)
				}
				// The lists that a wait relies on, and the read that ends it, count as requests
				// too.
				if needed := least * limit.period / time.Duration(limit.most); spent > 5*needed/2 {
					t.Errorf("it took %v, where %v would do", spent, needed)
				}
				// No request starts before its slot, whatever its operation.
				if limit.period == time.Second && limit.closest < 100*time.Millisecond {
					t.Errorf("two requests within %v", limit.closest)
				}
			})
		})
	}
}

// The same over sockets, eight times as fast.
func TestFleetAtARateLimitOnSockets(t *testing.T) {
	t.Parallel()
	network := sandbox.New(sandbox.Config{})
	network.AcceptToken("ready", sandbox.DefaultClient.ID)
	limit := &rateLimit{most: 8, period: 200 * time.Millisecond}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !limit.pass() {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		network.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() { network.Close(); server.Close() })
	n := clientOf(t, server.URL+"/v1", staticToken)
	n.Sandbox = network
	const devices = 20
	createFleet(t, n, devices)
	if all := limit.passed + limit.refused; limit.refused == 0 || all > 2*3*devices {
		t.Errorf("%d requests, of which %d were refused", all, limit.refused)
	}
}

// An API without a rate limit is called at once, and so is one whose token endpoint is
// rate-limited.
func TestNothingIsHeldUpWithoutA429(t *testing.T) {
	t.Parallel()
	const latency = 10 * time.Millisecond
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: latency}}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, 2, sandbox.Status(429, ""))
		mustList(t, n)
		for range 10 {
			qodtest.Equal(t, "spent", qodtest.Elapsed(func() {
				for _, err := range concurrently(100, func() error { return list(t, n) }) {
					if err != nil {
						t.Error(err)
					}
				}
			}), latency)
		}
	})
}

// A 429 does not count as one of the retries.
func TestBusyIsOutlasted(t *testing.T) {
	t.Parallel()
	for op, verb := range operations {
		for name, header := range map[string][]string{"429": nil, "429 with Retry-After": {"Retry-After", "2"}} {
			t.Run(string(op)+" "+name, func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }}, func(t *testing.T, n *qodtest.Network) {
					s := n.SeedSession(sandbox.Session{})
					n.InjectFault(sandboxOperation(op), 10, sandbox.Status(429, "", header...))
					if err := verb(qodtest.WithTimeout(t, 2*time.Minute), n, s.ID); err != nil {
						t.Error(err)
					}
					qodtest.Equal(t, "requests", n.Count(sandboxOperation(op)), 11)
					tries := 0
					for _, e := range n.Events() {
						if e.Operation == op {
							tries++
							// A shared list is not retried for each of its callers.
							qodtest.Equal(t, "attempt", e.Attempt, map[bool]int{false: tries, true: 1}[op == qod.OperationList])
						}
					}
				})
			})
		}
	}
	for _, op := range []qod.Operation{qod.OperationRead, qod.OperationList, qod.OperationDelete} {
		t.Run(string(op)+" 503", func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandboxOperation(op), 10, sandbox.Status(503, "", "Retry-After", "2"))
				if err := operations[op](qodtest.WithTimeout(t, 2*time.Minute), n, s.ID); err != nil {
					t.Error(err)
				}
				qodtest.Equal(t, "requests", n.Count(sandboxOperation(op)), 11)
				n.InjectFault(sandboxOperation(op), 1, sandbox.Status(503, ""))
				if err := operations[op](qodtest.WithTimeout(t, 2*time.Minute), n, s.ID); err == nil {
					t.Error("a 503 that names no time may be broken, and is counted")
				}
			})
		})
	}
}

// An API that is rate-limiting forever is reported as such at the deadline of the operation.
func TestBusyForEver(t *testing.T) {
	t.Parallel()
	for op, verb := range operations {
		for name, test := range map[string]struct {
			header  []string
			timeout time.Duration // 0: none
		}{
			"": {timeout: time.Minute}, ", Retry-After": {[]string{"Retry-After", "1"}, time.Minute}, ", without an end": {},
		} {
			t.Run(string(op)+name, func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					s := n.SeedSession(sandbox.Session{})
					n.InjectFault(sandboxOperation(op), -1, sandbox.Status(429, `{"code":"TOO_MANY_REQUESTS"}`, test.header...))
					ctx, end := t.Context(), 2*time.Minute
					if test.timeout > 0 {
						ctx, end = qodtest.WithTimeout(t, test.timeout), test.timeout
					}
					var err error
					spent := qodtest.Elapsed(func() { err = verb(ctx, n, s.ID) })
					e := qodtest.ErrorAs[*qod.Error](t, err)
					qodtest.Equal(t, "status", e.Status, 429)
					qodtest.Equal(t, "code", e.Code, "TOO_MANY_REQUESTS")
					if qodtest.IsError[*qod.InterruptedError](err) || qodtest.IsError[*qod.UnresolvedError](err) {
						t.Errorf("%v", err)
					}
					if spent < end-15*time.Second || spent > end+15*time.Second || test.timeout > 0 && spent > end {
						t.Errorf("it went on for %v", spent)
					}
					if count := n.Count(sandboxOperation(op)); count < 8 || count > 60 {
						t.Errorf("%d requests", count)
					}
				})
			})
		}
	}
}

// A request that is repeated with a new token waits for a slot like any other.
func TestReplayKeepsToThePace(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpRead, 1, sandbox.Status(429, ""))
		mustList(t, n)
		n.InjectFault(sandbox.OpRead, 1, sandbox.Status(401, ""))
		mustList(t, n)
		reads := n.Requests(sandbox.OpRead)
		if apart := reads[3].At.Sub(reads[2].At); apart < 100*time.Millisecond {
			t.Errorf("it follows the one that was refused after %v", apart)
		}
	})
}

// A create that waits for its slot has sent nothing: an interrupt ends it at once.
func TestInterruptWhileItIsBusy(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, -1, sandbox.Status(429, "", "Retry-After", "1"))
		ctx := qodtest.CancelAfter(t, time.Minute)
		var err error
		qodtest.Equal(t, "spent", qodtest.Elapsed(func() { err = operations[qod.OperationCreate](ctx, n, "") }), time.Minute)
		qodtest.Equal(t, "timeout", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, false)
	})
}
