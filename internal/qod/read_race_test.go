// Whatever is read, listed, waited for and changed at the same time, a read returns only a state
// that the session had within the last ten seconds, and never one from before this process changed
// it.
package qod_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// truth is which states a session had on the network, and since when.
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

// Whatever happens to a session after a list, no read is out of date for longer than ten seconds or
// across a change by this process, and none shows a session beyond its own end.
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
				// The change and its record must not be separated.
				mutex := make(chan struct{}, 1)
				wg.Go(func() { // the network
					for stop.Err() == nil {
						id := seeded[network.IntN(len(seeded))]
						mutex <- struct{}{}
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
						<-mutex
						time.Sleep(time.Duration(network.IntN(1500)) * time.Millisecond)
					}
				})
				mine := chance(100)
				wg.Go(func() { // this process
					for count := 0; stop.Err() == nil; count++ {
						ids := tr.ids()
						id := ids[mine.IntN(len(ids))]
						mutex <- struct{}{}
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
						<-mutex
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

// becomes records the state of a session from now on, and drops the states recorded for later.
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

// lives records a session that ends by itself.
func (tr *truth) lives(id string, until time.Time) {
	tr.becomes(id, "AVAILABLE")
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.history[id] = append(tr.history[id], moment{until, "gone"})
}

// wrote records that this process has changed a session.
func (tr *truth) wrote(id string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.written[id] = time.Now()
}

// ids are the ids of all sessions so far.
func (tr *truth) ids() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.order)
}

// allows reports whether a session was in a state at any time from from to till.
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
