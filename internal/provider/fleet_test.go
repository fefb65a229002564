// Counts what a fleet costs through a real CLI and the built binary: requests, connections, tokens.
// Time and memory are what make bench measures.

package provider

import (
	"fmt"
	"strings"
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
			w := acc.newWorld(t, sandbox.Config{Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
			c := w.cli(fleet(n))

			apply := c.spending("apply", "-auto-approve")
			w.exactly("POSTs", apply.on(sandbox.OpCreate), n)
			w.atMost("other calls of the apply", len(apply)-n, 16)
			w.atMost("connections of the apply", apply.connections(), 10)
			w.exactly("tokens of the apply", apply.on(sandbox.OpToken), 1)
			w.atMost("discoveries of the apply", apply.on(sandbox.OpDiscovery), 1)

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
			lost := w.Ledger()[0]
			gone := lost.ID
			w.removeOld(gone)
			again := c.spending("plan")
			w.atMost("calls of a plan with one session gone", len(again), 13)
			w.exactly("its gets of what is gone", countPath(again, "/v1/qod/sessions/"+gone), 1)
			w.Seed(lost)

			// A destroy is two provider processes: one refreshes, one releases.
			destroy := c.spending("destroy", "-auto-approve")
			w.exactly("DELETEs", destroy.on(sandbox.OpDelete), n)
			w.atMost("other calls of the destroy", len(destroy)-n, 16)
			w.atMost("connections of the destroy", destroy.connections(), 2*10)
			w.atMost("tokens of the destroy", destroy.on(sandbox.OpToken), 2)
			w.atMost("discoveries of the destroy", destroy.on(sandbox.OpDiscovery), 2)
			w.exactly("sessions left", len(w.Ledger()), 0)
		})
	}
}

// However many sessions the data source shows, it asks for one list.
func TestFleet_dataSource(t *testing.T) {
	const n = 10_000
	w := acc.newWorld(t, sandbox.Config{})
	for range n {
		w.Seed(sandbox.Session{})
	}
	c := w.cli("data \"qod_sessions\" \"all\" {}\noutput \"n\" { value = length(data.qod_sessions.all.sessions) }\n")
	apply := c.spending("apply", "-auto-approve")
	w.exactly("lists", apply.on(sandbox.OpList), 1)
	w.atMost("other calls", len(apply)-1, 2)
	if got := c.must(0, "output", "n"); got != fmt.Sprint(n) {
		t.Errorf("the data source shows %s sessions, want %d", got, n)
	}
}

// A fleet of reservations costs what one of sessions does, and one that is yet to open next to nothing.
func TestFleet_reservations(t *testing.T) {
	const n = 40
	w := acc.newWorld(t, sandbox.Config{Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
	reserved := func(starts string) string {
		return strings.NewReplacer("qod_session", "qod_reservation", "duration    = 3600", fmt.Sprintf("starts_at   = %q\n  ends_at     = \"2999-01-01T00:00:00Z\"", starts)).Replace(fleet(n))
	}
	c := w.cli(reserved("2998-01-01T00:00:00Z"))
	w.exactly("calls of the plan of what is new", len(c.spending("plan")), 0)
	merged := c.spending("apply", "-auto-approve")
	// A process that is to know the time asks for two lists: one shows it, another confirms it.
	w.exactly("lists of the apply before the window", merged.on(sandbox.OpList), 2)
	w.atMost("calls of the apply before the window", len(merged), 2+2)
	w.atMost("calls of a plan before the window", len(c.spending("plan", "-detailed-exitcode")), 2+2)

	c.configure(reserved("2000-01-01T00:00:00Z"))
	opened := c.spending("apply", "-auto-approve")
	w.exactly("POSTs", opened.on(sandbox.OpCreate), n)
	w.atMost("other calls of the apply", len(opened)-n, 16)
	w.atMost("calls of a plan", len(c.spending("plan", "-detailed-exitcode")), 12)
	c.isLedger()

	gone := w.ids()[0]
	w.removeOld(gone)
	again := c.spending("plan")
	w.atMost("calls of a plan with one session gone", len(again), 13)
	w.exactly("its gets of what is gone", countPath(again, "/v1/qod/sessions/"+gone), 1)

	destroy := c.spending("destroy", "-auto-approve")
	w.exactly("DELETEs", destroy.on(sandbox.OpDelete), n) // also of the one that was lost sight of: it may be back
	w.atMost("other calls of the destroy", len(destroy)-n, 16)
	w.exactly("sessions left", len(w.Ledger()), 0)
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
