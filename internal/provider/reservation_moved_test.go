// What a plan of a moved window shows of the session is what its apply does with it, whenever that
// runs and whatever has become of the session.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The session in a plan: unknown where the apply may buy one, else as it is, or null where the
// apply ends it.
const (
	mayBuy = "(known after apply)"
	kept   = "kept"
	ended  = "null"
)

// plannedSession is what a plan shows of the session.
func plannedSession(p acctest.Plan) string {
	switch id := p.Planned.Values["session_id"]; {
	case !id.IsKnown():
		return mayBuy
	case id.Equal(p.Prior.Values["session_id"]):
		return kept
	case id.IsNull():
		return ended
	}
	return "another"
}

// An apply buys nothing that its plan does not show, neither at once nor late, and neither after
// the session is gone nor after the network has ended it. The machine's clock is a month behind the
// API's or ahead of it, and decides nothing of the plan, nor of what the apply makes of it again.
func TestReservation_movedWindow(t *testing.T) {
	t.Parallel()
	const (
		later, earlier, past = "2028-03-01T01:15:00Z", "2028-02-29T22:15:00Z", "2028-02-29T20:45:00Z"
		deleted              = "Live QoS Session Is Deleted"
		gap                  = "QoS Session Ends Before Its Window"
	)
	tests := map[string]struct {
		to     attrs
		shows  string // the plan; with camara, where that differs
		camara string
		warns  string
		status string // of an apply at once
	}{
		"no change":               {shows: kept, status: "AVAILABLE"},
		"end later":               {to: attrs{"ends_at": later}, shows: kept, warns: gap, status: "AVAILABLE"},
		"end later, replaced":     {to: attrs{"ends_at": later, "replace_to_extend": true}, shows: mayBuy, camara: kept, status: "AVAILABLE"},
		"end earlier, ahead":      {to: attrs{"ends_at": earlier}, shows: kept, status: "AVAILABLE"},
		"end earlier, past":       {to: attrs{"ends_at": past}, shows: ended, warns: deleted, status: "ENDED"},
		"start earlier":           {to: attrs{"starts_at": "2028-02-29T19:15:00Z"}, shows: kept, status: "AVAILABLE"},
		"start left out":          {to: attrs{"starts_at": nil}, shows: kept, status: "AVAILABLE"},
		"start later, past":       {to: attrs{"starts_at": past}, shows: kept, status: "AVAILABLE"},
		"start minutes ahead":     {to: attrs{"starts_at": "2028-02-29T21:19:00Z"}, shows: kept, status: "AVAILABLE"},
		"start an hour ahead":     {to: attrs{"starts_at": earlier}, shows: ended, warns: deleted, status: "SCHEDULED"},
		"both earlier":            {to: attrs{"starts_at": "2028-02-29T19:15:00Z", "ends_at": earlier}, shows: kept, status: "AVAILABLE"},
		"both earlier, past":      {to: attrs{"starts_at": "2028-02-29T19:15:00Z", "ends_at": past}, shows: ended, warns: deleted, status: "ENDED"},
		"start later, end sooner": {to: attrs{"starts_at": past, "ends_at": earlier}, shows: kept, status: "AVAILABLE"},
		"both later, ahead":       {to: attrs{"starts_at": earlier, "ends_at": later}, shows: ended, warns: deleted, status: "SCHEDULED"},
		"next week":               {to: attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"}, shows: ended, warns: deleted, status: "SCHEDULED"},
	}
	fates := map[string]func(network *acctest.Network){
		"at once":      func(*acctest.Network) {},
		"late":         func(network *acctest.Network) { network.AtMatch(2*time.Hour + time.Minute) },
		"much later":   func(network *acctest.Network) { network.AtMatch(9 * time.Hour) },
		"session gone": func(network *acctest.Network) { network.RemovePastLag(network.SessionIDs()...) },
		"gone, and late": func(network *acctest.Network) {
			network.RemovePastLag(network.SessionIDs()...)
			network.AtMatch(2*time.Hour + time.Minute)
		},
		"session ended": func(network *acctest.Network) { revokeAll(network) },
	}
	for api, ahead := range map[sandbox.API]time.Duration{sandbox.OpenGateway: 30 * 24 * time.Hour, sandbox.CAMARAV1: -30 * 24 * time.Hour} {
		for name, test := range tests {
			for fate, befalls := range fates {
				if api == sandbox.CAMARAV1 && fate != "at once" && fate != "gone, and late" {
					continue
				}
				config := sandbox.Config{API: api, Clock: acctest.ClockAhead(ahead)}
				t.Run(string(api)+", "+name+", "+fate, acc.InBubble(0, config, func(t *testing.T, network *acctest.Network) {
					at := broadcast("QOS_L", 4)
					r := network.Run(acctest.State{}, at).State
					network.AtMatch(time.Hour)
					c := network.Client().Reservations()
					to := at
					for attribute, value := range test.to {
						to = to.With(attribute, value)
					}
					p := c.Plan(c.Refresh(r).State, to)
					want, warns := test.shows, test.warns
					if api == sandbox.CAMARAV1 && test.camara != "" {
						want = test.camara
					}
					if api == sandbox.CAMARAV1 && warns == gap {
						warns = ""
					}
					if got := plannedSession(p); got != want {
						t.Fatalf("the plan shows %s, want %s", got, want)
					}
					warned := strings.Join(p.Warnings(), "\n")
					if (warned == "") != (warns == "") || !strings.Contains(warned, warns) {
						t.Errorf("the plan warns %q, want %q", warned, warns)
					}
					befalls(network)
					// The apply makes the plan once more, in a process that has asked nobody.
					apply := network.Client().Reservations()
					if again := apply.Plan(p.Prior, to); !again.Planned.Equal(p.Planned) || !slices.Equal(again.Warnings(), p.Warnings()) {
						t.Errorf("made once more, the plan is other:\n%s\n%s", again.Planned.Diff(p.Planned), acctest.Describe(again.Diagnostics))
					}
					made := apply.Apply(p)
					bought := strings.Count(network.Writes(), "POST") - 1
					switch failed := acctest.HasError(made.Diagnostics); {
					case want != mayBuy && bought > 0, bought > 1:
						t.Errorf("the plan shows %s, and the apply bought %d", want, bought)
					case failed && fate == "at once":
						t.Errorf("the apply says: %s", acctest.Describe(made.Diagnostics))
					case !failed && want == ended && !made.Values["session_id"].IsNull(), !failed && want == kept && made.Text("session_id") != r.Text("session_id"):
						t.Errorf("the plan shows %s, and the state has %s", want, made.Text("session_id"))
					case fate == "at once" && made.Text("status") != test.status:
						t.Errorf("it is %s, want %s", made.Text("status"), test.status)
					}
					// A later run has the rest, and the one after it nothing.
					next := network.Run(made.State, to)
					if next.Errors() != "" {
						t.Errorf("the next run says: %s", acctest.Describe(next.Diagnostics))
					}
					if held := strings.Join(network.SessionIDs(), " "); next.Text("session_id") != held {
						t.Errorf("session_id is %q, the network holds %q", next.Text("session_id"), held)
					}
					network.ExpectNoChange(next.State, to, next.Text("status"))
				}))
			}
		}
	}
}

// A plan that keeps the session of a window that has ended by the time of the apply says so, and
// the next one ends it. One that ends a session which is inside the window by then ends nothing.
func TestReservation_movedWindowAppliedLate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		to           attrs
		says         string
		status, sent string // of the next run
	}{
		"the end has passed": {
			to: attrs{"ends_at": "2028-02-29T22:15:00Z"}, says: "QoS Session Still Live After Its Window: The window closed at 2028-02-29T22:15:00Z", status: "ENDED", sent: "DELETE",
		},
		"the start has passed": {
			to: attrs{"starts_at": "2028-02-29T22:15:00Z"}, says: "Unable to Update QoS Reservation: The plan ends a session that was outside the new window. Now it is inside", status: "AVAILABLE",
		},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			network.AtMatch(time.Hour)
			c := network.Client().Reservations()
			p := c.Plan(c.Refresh(r).State, match(test.to))
			network.AtMatch(2*time.Hour + time.Minute)
			made := network.Client().Reservations().Apply(p)
			if said := acctest.Describe(made.Diagnostics); made.Text("session_id") != r.Text("session_id") || network.Writes() != "POST" {
				t.Errorf("the state has %v, sent %s; %s", made.Values, network.Writes(), said)
			}
			acctest.ContainsAll(t, strings.Join(made.Warnings(), "\n")+made.Errors(), []string{test.says})
			r = network.Expect(network.Run(made.State, match(test.to)), test.status, test.sent)
			network.ExpectNoChange(r, match(test.to), test.status)
		}))
	}
}
