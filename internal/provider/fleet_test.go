// Counts what a fleet costs through a real CLI and the built binary: requests, connections, tokens.
// Time and memory are what make bench measures.

package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// spent are the requests that a command made.
type spent []sandbox.Request

// applySpending runs the CLI and counts.
func applySpending(c *acctest.CLI, args ...string) spent {
	c.Network.T.Helper()
	before := len(c.Network.Requests())
	c.Must(0, append(args, "-no-color", "-input=false")...)
	return c.Network.Requests()[before:]
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

// expectAtMost fails the test for a count above what is promised.
func expectAtMost(network *acctest.Network, what string, got, most int) {
	network.T.Helper()
	if got > most {
		network.T.Errorf("%s: %d, promised are at most %d", what, got, most)
	}
}

func expectExactly(network *acctest.Network, what string, got, want int) {
	network.T.Helper()
	if got != want {
		network.T.Errorf("%s: %d, want %d", what, got, want)
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
			network := acc.NewNetwork(t, sandbox.Config{Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
			c := network.CLI(fleet(n))

			apply := applySpending(c, "apply", "-auto-approve")
			expectExactly(network, "POSTs", apply.on(sandbox.OpCreate), n)
			expectAtMost(network, "other calls of the apply", len(apply)-n, 16)
			expectAtMost(network, "connections of the apply", apply.connections(), 10)
			expectExactly(network, "tokens of the apply", apply.on(sandbox.OpToken), 1)
			expectAtMost(network, "discoveries of the apply", apply.on(sandbox.OpDiscovery), 1)

			plan := applySpending(c, "plan", "-detailed-exitcode")
			expectExactly(network, "tokens of the plan", plan.on(sandbox.OpToken), 1)
			expectAtMost(network, "discoveries of the plan", plan.on(sandbox.OpDiscovery), 1)
			expectAtMost(network, "connections of the plan", plan.connections(), 10)
			if n == 1 {
				expectExactly(network, "gets of the plan", plan.on(sandbox.OpRead), 1)
				expectExactly(network, "lists of the plan", plan.on(sandbox.OpList), 0)
			} else {
				expectAtMost(network, "calls of the plan", len(plan), 12)
			}

			// What the network took away is read as gone, and costs a get of its own.
			lost := network.Ledger()[0]
			gone := lost.ID
			network.RemovePastLag(gone)
			again := applySpending(c, "plan")
			expectAtMost(network, "calls of a plan with one session gone", len(again), 13)
			expectExactly(network, "its gets of what is gone", countPath(again, "/v1/qod/sessions/"+gone), 1)
			network.Seed(lost)

			// A destroy is two provider processes: one refreshes, one releases.
			destroy := applySpending(c, "destroy", "-auto-approve")
			expectExactly(network, "DELETEs", destroy.on(sandbox.OpDelete), n)
			expectAtMost(network, "other calls of the destroy", len(destroy)-n, 16)
			expectAtMost(network, "connections of the destroy", destroy.connections(), 2*10)
			expectAtMost(network, "tokens of the destroy", destroy.on(sandbox.OpToken), 2)
			expectAtMost(network, "discoveries of the destroy", destroy.on(sandbox.OpDiscovery), 2)
			expectExactly(network, "sessions left", len(network.Ledger()), 0)
		})
	}
}

// However many sessions the data source shows, it asks for one list.
func TestFleet_dataSource(t *testing.T) {
	acctest.AnyCLI(t)
	const n = 1000
	network := acc.NewNetwork(t, sandbox.Config{})
	for range n {
		network.Seed(sandbox.Session{})
	}
	c := network.CLI("data \"qod_sessions\" \"all\" {}\noutput \"n\" { value = length(data.qod_sessions.all.sessions) }\n")
	apply := applySpending(c, "apply", "-auto-approve")
	expectExactly(network, "lists", apply.on(sandbox.OpList), 1)
	expectAtMost(network, "other calls", len(apply)-1, 2)
	if got := c.Must(0, "output", "n"); got != fmt.Sprint(n) {
		t.Errorf("the data source shows %s sessions, want %d", got, n)
	}
}

// A fleet of reservations costs what one of sessions does, and one that is yet to open next to
// nothing.
func TestFleet_reservations(t *testing.T) {
	acctest.AnyCLI(t)
	const n = 40
	network := acc.NewNetwork(t, sandbox.Config{Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
	reserved := func(starts string) string {
		return strings.NewReplacer("qod_session", "qod_reservation", "duration    = 3600", fmt.Sprintf("starts_at   = %q\n  ends_at     = \"2999-01-01T00:00:00Z\"", starts)).Replace(fleet(n))
	}
	c := network.CLI(reserved("2998-01-01T00:00:00Z"))
	expectExactly(network, "calls of the plan of what is new", len(applySpending(c, "plan")), 0)
	merged := applySpending(c, "apply", "-auto-approve")
	// A process that is to know the time asks for two lists: one shows it, another confirms it.
	expectExactly(network, "lists of the apply before the window", merged.on(sandbox.OpList), 2)
	expectAtMost(network, "calls of the apply before the window", len(merged), 2+2)
	expectAtMost(network, "calls of a plan before the window", len(applySpending(c, "plan", "-detailed-exitcode")), 2+2)

	c.Configure(reserved("2000-01-01T00:00:00Z"))
	opened := applySpending(c, "apply", "-auto-approve")
	expectExactly(network, "POSTs", opened.on(sandbox.OpCreate), n)
	expectAtMost(network, "other calls of the apply", len(opened)-n, 16)
	expectAtMost(network, "calls of a plan", len(applySpending(c, "plan", "-detailed-exitcode")), 12)
	c.ExpectInSync()

	gone := network.SessionIDs()[0]
	network.RemovePastLag(gone)
	again := applySpending(c, "plan")
	expectAtMost(network, "calls of a plan with one session gone", len(again), 13)
	expectExactly(network, "its gets of what is gone", countPath(again, "/v1/qod/sessions/"+gone), 1)

	destroy := applySpending(c, "destroy", "-auto-approve")
	expectExactly(network, "DELETEs", destroy.on(sandbox.OpDelete), n) // also of the one that was lost sight of: it may be back
	expectAtMost(network, "other calls of the destroy", len(destroy)-n, 16)
	expectExactly(network, "sessions left", len(network.Ledger()), 0)
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
