// A thousand creates cost little more than their POSTs: they share lists, and each finds its own
// session among those of the others.
package qod_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A burst of creates makes one list, and so does a burst of conflicts.
func TestCreateSharesItsLooks(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: 50 * time.Millisecond}}, func(t *testing.T, n *qodtest.Network) {
		const burst = 100
		all := func(check func(s qod.Session, err error)) {
			var wg sync.WaitGroup
			for i := range burst {
				wg.Go(func() {
					spec := qodtest.Spec()
					spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", i)
					check(n.Create(t.Context(), spec))
				})
			}
			wg.Wait()
		}
		for i := range burst { // other sessions than ours, that can be seen
			n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: fmt.Sprintf("+346000%05d", i)}})
		}
		all(func(_ qod.Session, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) })
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 3*burst)
		if count := n.Count(sandbox.OpList); count > 16 { // one each 250 ms, while there are any
			t.Errorf("%d lists", count)
		}
		posts := n.Count(sandbox.OpCreate)
		for _, s := range n.Ledger() {
			n.Remove(s.ID)
		}
		time.Sleep(time.Minute)
		before := n.Count(sandbox.OpList)
		all(func(s qod.Session, err error) {
			if err != nil || s.ID == "" {
				t.Errorf("%q, %v", s.ID, err)
			}
		})
		qodtest.Equal(t, "POSTs of the second burst", n.Count(sandbox.OpCreate)-posts, burst)
		qodtest.Equal(t, "lists of the second burst", n.Count(sandbox.OpList)-before, 1)
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 1)
	})
}

// A thousand creates, as many at a time as Terraform makes, make some ten lists: with everything
// else that an apply needs, that is at most sixteen requests besides the POSTs.
func TestCreateLooksLessInALongBurst(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: 50 * time.Millisecond, Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		began := time.Now()
		var wg sync.WaitGroup
		for lane := range 10 {
			wg.Go(func() {
				for i := range 100 {
					spec := qodtest.Spec()
					spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", 100*lane+i)
					if _, err := n.Create(t.Context(), spec); err != nil {
						t.Error(err)
					}
					time.Sleep(130 * time.Millisecond) // which Terraform takes to write its state
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took < 15*time.Second {
			t.Errorf("the burst took %v, which proves nothing", took)
		}
		if others := n.Count(sandbox.OpList) + n.Count(sandbox.OpToken) + n.Count(sandbox.OpDiscovery) + n.Count(sandbox.OpRead); others > 16 {
			t.Errorf("%d calls besides the POSTs", others)
		}
	})
}

// After one list has failed, later creates still get a snapshot; and where lists fail for good,
// each create is delayed by one try at most.
func TestCreateBehindAFailedList(t *testing.T) {
	t.Parallel()
	reserve := func(t *testing.T, n *qodtest.Network, number int) time.Duration {
		spec := qodtest.Spec()
		spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", number)
		return qodtest.Elapsed(func() {
			if s, err := n.Create(t.Context(), spec); err != nil || s.ID == "" {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, 1, sandbox.Status(400, ""))
			reserve(t, n, 1)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			n.Echo(withoutFields("startedAt")) // found only by what was there before
			reserve(t, n, 2)
			qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 2)
		})
	})
	t.Run("for good", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, unavailable)
			reserve(t, n, 1)
			before := n.Count(sandbox.OpList)
			if d := reserve(t, n, 2); d > 500*time.Millisecond {
				t.Errorf("the second create took %v", d)
			}
			qodtest.Equal(t, "lists for the second create", n.Count(sandbox.OpList)-before, 1)
		})
	})
	t.Run("a list that hangs", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			ids := n.SeedFleet(5)
			n.ReadAll(ids[:4])
			n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit())
			reserve(t, n, 1)
			if d := qodtest.Elapsed(func() { n.ReadAll(ids[4:]) }); d > time.Second {
				t.Errorf("the read behind it took %v", d)
			}
		})
	})
}

// A thousand creates whose answers are all lost find each its own session.
func TestCreateTellsItsOwnApart(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		const burst = 100
		n.InjectFault(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]string{}
		for i := range burst {
			wg.Go(func() {
				spec := qodtest.Spec()
				spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", i)
				s, err := n.Create(t.Context(), spec)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got[s.ID] = spec.Device.PhoneNumber
			})
		}
		wg.Wait()
		qodtest.Equal(t, "sessions", len(got), burst)
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), burst)
		for _, s := range n.Ledger() {
			qodtest.Equal(t, "device of "+s.ID, got[s.ID], s.Device.PhoneNumber)
		}
		if count := n.Count(sandbox.OpList); count > 5 {
			t.Errorf("%d lists", count)
		}
	})
}
