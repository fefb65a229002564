package acctest

import (
	"strings"
	"time"
)

// Run is what one run of Terraform did with a reservation.
type Run struct {
	State
	Planned bool   // whether there was anything to do
	Sent    string // the requests that change something: "POST DELETE"
	Diagnostics
}

// Run refreshes, plans and applies a reservation, in a provider process of its own.
func (n *Network) Run(r State, config Attrs) Run {
	n.T.Helper()
	return n.RunWith(n.Client().Reservations(), r, config)
}

// RunWith is Run in a given provider process.
func (n *Network) RunWith(c *ProtocolClient, r State, config Attrs) Run {
	n.T.Helper()
	run := n.runWith(c, r, config)
	if text := Describe(run.Diagnostics); strings.Contains(text, "34600000010") {
		n.T.Errorf("a diagnostic shows a whole phone number: %s", text)
	}
	for name, value := range run.Values {
		if !value.IsFullyKnown() {
			n.T.Errorf("%s is left unknown in state", name)
		}
	}
	return run
}

func (n *Network) runWith(c *ProtocolClient, r State, config Attrs) Run {
	n.T.Helper()
	before := len(strings.Fields(n.Writes()))
	run := Run{State: r}
	report := func(d Diagnostics) bool {
		run.Diagnostics = append(run.Diagnostics, d...)
		run.Sent = strings.Join(strings.Fields(n.Writes())[before:], " ")
		return !HasError(d)
	}
	if r.Values != nil {
		read := c.Refresh(r)
		if !report(read.Diagnostics) {
			return run
		}
		run.State = read.State
	}
	plan := c.Plan(run.State, config)
	if !report(plan.Diagnostics) {
		return run
	}
	run.Planned = run.Values == nil || len(plan.Replace) > 0 || !plan.Planned.Equal(run.State)
	if !run.Planned {
		return run
	}
	if len(plan.Replace) > 0 {
		gone := c.Destroy(run.State)
		run.State = gone.State
		if !report(gone.Diagnostics) {
			return run
		}
		plan = c.Plan(State{}, config)
	}
	made := c.Apply(plan)
	run.State = made.State
	report(made.Diagnostics)
	return run
}

// Expect checks the status of a reservation after a run and what the run sent, and that the session
// in state is the one that the network holds.
func (n *Network) Expect(run Run, status, sent string) State {
	n.T.Helper()
	if got := run.Text("status"); got != status || run.Sent != sent {
		n.T.Errorf("status %s, and the run sent %q; want %s and %q\n%s", got, run.Sent, status, sent, Describe(run.Diagnostics))
	}
	if got, want := run.Text("session_id"), strings.Join(n.SessionIDs(), " "); got != want {
		n.T.Errorf("session_id is %q, the network holds %q", got, want)
	}
	return run.State
}

// ExpectNoChange checks that a run has nothing to do and nothing to say.
func (n *Network) ExpectNoChange(r State, config Attrs, status string) State {
	n.T.Helper()
	run := n.Run(r, config)
	if run.Planned || len(run.Diagnostics) > 0 {
		n.T.Errorf("the run was to do nothing; something planned: %t; diagnostics: %s", run.Planned, Describe(run.Diagnostics))
	}
	return n.Expect(run, status, "")
}

// ExpectDuration checks that the only session was asked for what remained of its window, rounded
// down. The clock stands still, but for the moments that pass on the way, which a busy machine
// makes seconds.
func (n *Network) ExpectDuration(want time.Duration) {
	n.T.Helper()
	ledger := n.Ledger()
	if len(ledger) == 0 {
		n.T.Fatal("there is no session")
	}
	got := time.Duration(ledger[0].Duration) * time.Second
	if got > want || got < want-clockTolerance {
		n.T.Errorf("the session lasts %s, want %s", got, want)
	}
}

// ExpectOneWarning checks that a run gave one warning, with these texts in it, and no error.
func (n *Network) ExpectOneWarning(run Run, texts ...string) {
	n.T.Helper()
	warned := run.Warnings()
	if len(warned) != 1 || run.Errors() != "" {
		n.T.Fatalf("want one warning, got: %s", Describe(run.Diagnostics))
	}
	ContainsAll(n.T, warned[0], texts)
}
