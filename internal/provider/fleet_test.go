// Counts what a fleet costs through a real CLI and the built binary: requests, connections, tokens.
// Times are for make bench.

package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// spent are the requests that a command made.
type spent []sandbox.Request

// spending runs the CLI and counts.
func (c *cli) spending(args ...string) spent {
	c.w.t.Helper()
	before := len(c.w.Requests())
	c.must(0, append(args, "-no-color", "-input=false")...)
	return c.w.Requests()[before:]
}

func (s spent) on(op sandbox.Operation) int {
	n := 0
	for _, r := range s {
		if r.Operation == op {
			n++
		}
	}
	return n
}

func (s spent) connections() int {
	distinct := map[string]bool{}
	for _, r := range s {
		distinct[r.Remote] = true
	}
	return len(distinct)
}

// atMost fails the test for a count above what is promised.
func (w *world) atMost(what string, got, most int) {
	w.t.Helper()
	if got > most {
		w.t.Errorf("%s: %d, promised are at most %d", what, got, most)
	}
}

func (w *world) exactly(what string, got, want int) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

func fleet(n int) string {
	return fmt.Sprintf(`
resource "qod_session" "camera" {
  count       = %d
  device      = { phone_number = format("+346%%08d", count.index) }
  qos_profile = "QOS_L"
  duration    = 3600
}
`, n)
}

func TestFleet(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
			c := w.cli(fleet(n))

			apply := c.spending("apply", "-auto-approve")
			w.exactly("POSTs", apply.on(sandbox.OpCreate), n)
			w.atMost("other calls of the apply", len(apply)-n, 16)
			w.atMost("connections of the apply", apply.connections(), 10)
			w.exactly("tokens of the apply", apply.on(sandbox.OpToken), 1)

			plan := c.spending("plan", "-detailed-exitcode")
			w.exactly("tokens of the plan", plan.on(sandbox.OpToken), 1)
			w.atMost("discoveries of the plan", plan.on(sandbox.OpDiscovery), 1)
			w.atMost("connections of the plan", plan.connections(), 10)
			if n == 1 {
				w.exactly("gets of the plan", plan.on(sandbox.OpRead), 1)
				w.exactly("lists of the plan", plan.on(sandbox.OpList), 0)
			} else {
				w.atMost("calls of the plan", len(plan), 12)
			}

			// What the network took away is read as gone, and costs a get of its own.
			gone := w.ids()[0]
			w.Remove(gone)
			again := c.spending("plan")
			w.atMost("calls of a plan with one session gone", len(again), 13)
			w.exactly("its gets of what is gone", countPath(again, "/v1/qod/sessions/"+gone), 1)
			if after := w.Seed(sandbox.Session{ID: gone, ExpiresAt: time.Now().Add(time.Hour)}); after.ID != gone {
				t.Fatalf("seeded %s", after.ID)
			}

			// A destroy is two provider processes: one refreshes, one releases.
			destroy := c.spending("destroy", "-auto-approve")
			w.exactly("DELETEs", destroy.on(sandbox.OpRelease), n)
			w.atMost("other calls of the destroy", len(destroy)-n, 16)
			w.atMost("connections of the destroy", destroy.connections(), 2*10)
			w.atMost("tokens of the destroy", destroy.on(sandbox.OpToken), 2)
			w.exactly("sessions left", len(w.Ledger()), 0)
		})
	}
}

func countPath(requests spent, path string) int {
	n := 0
	for _, r := range requests {
		if r.Path == path {
			n++
		}
	}
	return n
}
