// Proves what an import makes of a session that a reservation takes over, and what drift and other
// origins do to it.

package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// An import takes over a session, and its window from the configuration, without buying anything.
func TestReservation_import(t *testing.T) {
	t.Parallel()
	seed := func(network *acctest.Network) string {
		return network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600}).ID
	}
	adopted := func(network *acctest.Network, id string) acctest.State {
		network.T.Helper()
		got := network.Client().Reservations().Import(id)
		if len(got.Diagnostics) > 0 || got.Text("id") != id || got.Text("session_id") != id || got.Text("status") != "AVAILABLE" || got.Text("qos_profile") != "QOS_L" {
			network.T.Fatalf("imported is %v; %s", got.Values, acctest.Describe(got.Diagnostics))
		}
		return got.State
	}
	t.Run("inside its window", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := seed(network)
		r := network.Expect(network.Run(adopted(network, id), match(nil)), "AVAILABLE", "")
		if r.Text("id") != id || r.Text("ends_at") != matchEnds {
			t.Errorf("the state has %v", r.Values)
		}
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
		network.AtMatch(time.Hour)
		revokeAll(network)
		r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
		if r.Text("id") != id || r.Text("session_id") == id {
			t.Errorf("id is %s, session_id %s", r.Text("id"), r.Text("session_id"))
		}
	}))
	t.Run("outside of its window", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		cut := network.Run(adopted(network, seed(network)), match(nil))
		network.Expect(cut, "SCHEDULED", "DELETE")
		acctest.ContainsAll(t, strings.Join(cut.Warnings(), ""), []string{"Imported QoS Session Deleted", "lay outside the window"})
	}))
	// An import reserves nothing, and says which apply does.
	t.Run("of a session to be replaced by a longer one", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		config := match(attrs{"ends_at": anHourOn, "replace_to_extend": true})
		r := adopted(network, seed(network))
		p := network.Client().Reservations().Plan(r, config)
		acctest.ContainsAll(t, strings.Join(p.Warnings(), "\n"), []string{"QoS Session Ends Before Its Window", "to end at " + anHourOn, "Apply twice"})
		first := network.Run(r, config)
		acctest.ContainsAll(t, strings.Join(first.Warnings(), "\n"), []string{"the next apply replaces the session"})
		r = network.Expect(network.Run(network.Expect(first, "AVAILABLE", ""), config), "AVAILABLE", "DELETE POST")
		network.ExpectNoChange(r, config, "AVAILABLE")
	}))
	t.Run("unavailable", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := adopted(network, seed(network))
		revokeAll(network)
		r = network.Expect(network.Run(r, match(nil)), "UNAVAILABLE", "")
		network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
	}))
	t.Run("gone before the window is adopted", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := seed(network)
		r := adopted(network, id)
		c := network.Client().Reservations()
		p := c.Plan(r, match(nil))
		network.Remove(id)
		made := network.Client().Reservations().Apply(p)
		if made.Text("status") != "DUE" || !made.Values["session_id"].IsNull() || acctest.HasError(made.Diagnostics) || network.Writes() != "" {
			t.Errorf("it is %s, sent %s; %s", made.Text("status"), network.Writes(), acctest.Describe(made.Diagnostics))
		}
		acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"QoS Reservation Without Session", "an import reserves nothing"})
		network.Expect(network.Run(made.State, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("gone while it is waited for", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := adopted(network, seed(network))
		keepRequested(network, 1000)
		network.Before(sandbox.OpRead, func(n int, _ *http.Request) {
			if n > 3 { // those of the import, the refresh, and the update before it waits
				for _, id := range network.SessionIDs() {
					network.Remove(id)
				}
			}
		})
		vanished := network.Run(r, match(nil))
		expectErrors(network, vanished, "The session disappeared", "The next apply requests a new one")
		if vanished.Text("status") != "DUE" || vanished.Text("ends_at") != matchEnds {
			t.Fatalf("the state has %v", vanished.Values)
		}
	}))
	t.Run("gone before the next plan", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		id := seed(network)
		r := adopted(network, id)
		network.Remove(id)
		r = network.Expect(network.Run(r, match(nil)), "DUE", "")
		network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("where there is none", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		got := network.Client().Reservations().Import(lostID)
		acctest.ContainsAll(t, got.Errors(), []string{"Unable to Import QoS Reservation", "does not exist", "A reservation without a session needs no import"})
	}))
	t.Run("by what is no id", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		resp, err := network.Client().Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: "qod_reservation", ID: "../../admin"})
		if err != nil || !acctest.HasError(resp.Diagnostics) || len(network.Requests()) > 0 {
			t.Errorf("%v, %s, %d requests", err, acctest.Describe(resp.Diagnostics), len(network.Requests()))
		}
	}))
}

// A profile that the network changes is drift while its session is in use, and nobody's concern
// when that is over: what is over stays inert, and what is due is reserved in place.
func TestReservation_drift(t *testing.T) {
	t.Parallel()
	drift := func(network *acctest.Network) {
		for _, id := range network.SessionIDs() {
			network.Edit(id, func(session *sandbox.Session) { session.QoSProfile = "QOS_S" })
		}
	}
	t.Run("in use", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		drift(network)
		replaced := network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
		if replaced.Text("id") == r.Text("id") || replaced.Text("qos_profile") != "QOS_L" {
			t.Errorf("the state has %v", replaced.Values)
		}
		network.ExpectNoChange(replaced, match(nil), "AVAILABLE")
	}))
	t.Run("outside the window", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		shorter := match(attrs{"ends_at": "2028-02-29T22:15:00Z"})
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		r = network.Expect(network.Run(r, shorter), "AVAILABLE", "")
		network.AtMatch(2 * time.Hour)
		drift(network)
		over := network.Expect(network.Run(r, shorter), "ENDED", "DELETE")
		if over.Text("id") != r.Text("id") {
			t.Error("it was replaced for a session that is over")
		}
		network.ExpectNoChange(over, shorter, "ENDED")
	}))
	for name, end := range map[string]func(network *acctest.Network){
		"gone":        func(network *acctest.Network) { network.Remove(network.SessionIDs()[0]) },
		"unavailable": func(network *acctest.Network) { revokeAll(network) },
	} {
		t.Run("recorded, then "+name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			drift(network)
			seen := network.Client().Reservations().Refresh(r) // as -refresh-only records it
			if seen.Text("qos_profile") != "QOS_S" {
				t.Fatalf("the drift is not shown: %v", seen.Values)
			}
			end(network)
			again := network.Run(seen.State, match(nil))
			if again.Text("status") != "AVAILABLE" || again.Text("id") != r.Text("id") || again.Text("qos_profile") != "QOS_L" {
				t.Errorf("the state has %v; %s", again.Values, acctest.Describe(again.Diagnostics))
			}
		}))
	}
	t.Run("recorded, then ended", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		drift(network)
		seen := network.Client().Reservations().Refresh(r)
		network.AtMatch(4 * time.Hour)
		network.ExpectNoChange(seen.State, match(nil), "ENDED")
	}))
}

// The 404 of another origin proves nothing of a session, but a reservation without one moves
// freely.
func TestReservation_origins(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
		other := func() *acctest.ProtocolClient {
			return network.ClientAs(network.Endpoint(), otherClient).Reservations()
		}
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		read := other().Refresh(r)
		acctest.ContainsAll(t, read.Errors(), []string{"Unable to Read QoS Reservation", "terraform state rm", `qod_reservation.camera["north"]`, "(client " + otherClient.ID + ")"})
		if !read.Equal(r) {
			t.Errorf("the state has changed to %v", read.Values)
		}
		gone := other().Destroy(r)
		acctest.ContainsAll(t, gone.Errors(), []string{"Unable to Delete QoS Reservation", "terraform state rm"})

		network.AtMatch(4 * time.Hour)
		ended := network.RunWith(other(), r, match(nil))
		if ended.Text("status") != "ENDED" || len(ended.Diagnostics) > 0 {
			t.Errorf("after its end it is %s; %s", ended.Text("status"), acctest.Describe(ended.Diagnostics))
		}
		if was, is := decodePrivate(r.Private).Origin, decodePrivate(ended.Private).Origin; was == "" || is != "" {
			t.Errorf("the origin is %q with a session, and %q without", was, is)
		}
		next := match(attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"})
		r = network.Expect(network.RunWith(other(), ended.State, next), "SCHEDULED", "")
		network.AtMatch(7 * 24 * time.Hour)
		r = network.Expect(network.Run(r, next), "AVAILABLE", "POST") // by the first client again
		network.ExpectNoChange(r, next, "AVAILABLE")
	})(t)
}
