// Proves that a reservation lets go of its session only by proof, and takes back the one that it
// lost sight of, and no other.

package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var denied = sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)}

// A 404 that is not the API's word ends no state, whatever it looks like and whatever was asked:
// where a list can be had, that is believed; where none can, the run is red and the state as it
// was.
func TestReservation_foreignNotFound(t *testing.T) {
	t.Parallel()
	for _, gateway := range sandbox.ForeignNotFound {
		answers := func(network *acctest.Network, times int, ops ...sandbox.Operation) {
			for _, op := range ops {
				network.Fail(sandbox.Fault{Operation: op, Times: times, Effect: gateway.Effect})
			}
		}
		shorter := match(attrs{"ends_at": "2028-03-01T00:10:00Z"})
		t.Run(gateway.Name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			id := r.Text("session_id")
			unharmed := func(what string, left acctest.Result, summary string, says ...string) {
				t.Helper()
				acctest.ContainsAll(t, left.Errors(), append(says, summary, id))
				if !left.Equal(r) || network.Writes() != "POST" || len(network.SessionIDs()) != 1 {
					t.Errorf("%s: sent was %s, and the state has %v", what, network.Writes(), left.Values)
				}
			}
			for what, injectFault := range map[string]func(){
				"for all":                func() { answers(network, -1, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete) },
				"where lists are denied": func() { answers(network, -1, sandbox.OpRead, sandbox.OpDelete); network.Fail(denied) },
			} {
				network.Advance(2 * time.Minute)
				injectFault()
				c := network.Client().Reservations()
				unharmed("read "+what, c.Refresh(r), "Unable to Read QoS Reservation", "404 Not Found", "does not prove that the session is gone")
				unharmed("update "+what, c.Apply(c.Plan(r, shorter)), "Unable to Update QoS Reservation", "404 Not Found")
				network.Heal()
			}
			// The list is believed.
			answers(network, -1, sandbox.OpRead)
			network.ExpectNoChange(r, match(nil), "AVAILABLE")
			network.Heal()
			// A delete that is answered so goes on while a list shows the session.
			answers(network, -1, sandbox.OpDelete)
			left := network.Client().Reservations().Destroy(r)
			acctest.ContainsAll(t, left.Errors(), []string{"Unable to Delete QoS Reservation", "The list of sessions, however, still shows the session", "may still be live and billed", id})
			if !left.Equal(r) || len(network.SessionIDs()) != 1 {
				t.Errorf("the state has %v, the network %v", left.Values, network.SessionIDs())
			}
			network.Heal()
			answers(network, 2, sandbox.OpDelete)
			if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 || len(network.SessionIDs()) > 0 {
				t.Errorf("the network has %v; %s", network.SessionIDs(), acctest.Describe(gone.Diagnostics))
			}
		}))
	}
}

// A node of the API that has not heard yet of a session makes nobody let go of it: what is younger
// than a minute is asked for again.
func TestReservation_laggingNode(t *testing.T) {
	t.Parallel()
	made := func(network *acctest.Network) acctest.State {
		return network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
	}
	t.Run("reads", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := made(network)
		network.Lag(sandbox.OpRead, 30*time.Second)
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
	}))
	t.Run("reads and lists", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := made(network)
		network.Lag(sandbox.OpRead, 50*time.Second)
		network.Lag(sandbox.OpList, 50*time.Second)
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
	}))
	t.Run("deletes", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := made(network)
		for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
			network.Lag(op, 50*time.Second)
		}
		if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 || len(network.SessionIDs()) > 0 {
			t.Errorf("the network has %v; %s", network.SessionIDs(), acctest.Describe(gone.Diagnostics))
		}
	}))
}

// A session that the API is busy with is deleted as soon as it can be.
func TestReservation_deleteBusy(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"409": 409, "423": 423, "425": 425, "429": 429} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			busy := func() {
				network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: 3, Effect: sandbox.Status(status, `{"code":"CONFLICT"}`)})
			}
			busy()
			later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
			r = network.Expect(network.Run(r, later), "SCHEDULED", "DELETE DELETE DELETE DELETE")
			network.AtMatch(2 * time.Hour)
			r = network.Expect(network.Run(r, later), "AVAILABLE", "POST")
			busy()
			if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 || len(network.SessionIDs()) > 0 {
				t.Errorf("the network has %v; %s", network.SessionIDs(), acctest.Describe(gone.Diagnostics))
			}
		}))
	}
}

// A network that shows a session as AVAILABLE past its own end has it no more: what is left of the
// window is reserved anew.
func TestReservation_availablePastItsEnd(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		config := match(attrs{"ends_at": "2028-03-03T20:15:00Z"})
		first := network.Run(acctest.State{}, config).State
		network.AtMatch(24*time.Hour + time.Minute)
		// It lingers: the network goes on to show what it has ended.
		old := network.Seed(sandbox.Session{ID: first.Text("session_id"), Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 3600})
		network.Echo(func(info map[string]any) {
			if info["sessionId"] == old.ID {
				info["startedAt"], info["expiresAt"] = first.Text("started_at"), first.Text("expires_at")
			}
		})
		again := network.Run(first, config)
		r := network.Expect(again, "AVAILABLE", "DELETE POST")
		if r.Text("session_id") == old.ID || r.Text("id") != first.Text("id") {
			t.Errorf("the state has %v", r.Values)
		}
		network.ExpectNoChange(r, config, "AVAILABLE")
		// By a clock that this machine's contradicts it is not over.
		network.Echo(nil)
		network.SkewDate(off(25 * time.Hour))
		expectErrors(network, network.Run(r, config), "Unable to Read QoS Reservation", "One of them is wrong")
		network.Expect(acctest.Run{State: r, Diagnostics: nil}, "AVAILABLE", "")
	})(t)
}

// loseSession is a reservation whose session has disappeared before its end, and has been let go
// of.
func loseSession(network *acctest.Network, config attrs) (r acctest.State, session sandbox.Session) {
	network.T.Helper()
	r = network.Expect(network.Run(acctest.State{}, config), "AVAILABLE", "POST")
	network.AtMatch(2 * time.Minute)
	session = network.Ledger()[0]
	network.Remove(session.ID)
	read := network.Client().Reservations().Refresh(r)
	if got := read.Warnings(); len(got) != 1 || acctest.HasError(read.Diagnostics) {
		network.T.Fatalf("it says: %s", acctest.Describe(read.Diagnostics))
	}
	acctest.ContainsAll(network.T, read.Warnings()[0], []string{"QoS Session " + session.ID + " Gone Before Its End", "the reservation takes it back"})
	if read.Text("status") != "DUE" || !read.Values["session_id"].IsNull() {
		network.T.Fatalf("the state has %v", read.Values)
	}
	return read.State, session
}

// A session that disappeared before its end, and shows up again, is the reservation's again: by a
// read, or by the conflict that it causes. Another one of the device never is.
func TestReservation_takenBack(t *testing.T) {
	t.Parallel()
	t.Run("by a read", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Seed(session)
		back := network.Run(r, match(nil))
		r = network.Expect(back, "AVAILABLE", "")
		if r.Text("session_id") != session.ID || len(back.Diagnostics) > 0 {
			t.Errorf("the state has %v; %s", r.Values, acctest.Describe(back.Diagnostics))
		}
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
		if lost := decodePrivate(r.Private).Lost; lost.ID != "" {
			t.Errorf("it is remembered as lost: %v", lost)
		}
	}))
	t.Run("by a conflict", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Before(sandbox.OpCreate, once(func() { network.Seed(session) }))
		back := network.Run(r, match(nil))
		if got := back.Text("session_id"); got != session.ID || back.Text("status") != "AVAILABLE" || back.Errors() != "" {
			t.Errorf("the state has %v; %s", back.Values, acctest.Describe(back.Diagnostics))
		}
		network.ExpectNoChange(back.State, match(nil), "AVAILABLE")
	}))
	t.Run("by a conflict, while it is requested", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Before(sandbox.OpCreate, once(func() {
			network.Seed(session)
			keepRequested(network, 4)
		}))
		back := network.Run(r, match(nil))
		if got := back.Text("session_id"); got != session.ID || back.Text("status") != "AVAILABLE" || back.Errors() != "" {
			t.Errorf("the state has %v; %s", back.Values, acctest.Describe(back.Diagnostics))
		}
		network.ExpectNoChange(back.State, match(nil), "AVAILABLE")
	}))
	t.Run("not another one of the device", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, _ := loseSession(network, match(nil))
		other := network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600})
		refused := network.Run(r, match(nil))
		expectErrors(network, refused, "Unable to Update QoS Reservation", "already has a session for this device", other.ID, "does not adopt this one")
		if refused.Text("status") != "DUE" || !refused.Values["session_id"].IsNull() {
			t.Errorf("the state has %v", refused.Values)
		}
		if decodePrivate(refused.Private).Lost.ID == "" {
			t.Error("the lost one is forgotten")
		}
	}))
	t.Run("not after another one was reserved", acc.InBubble(0, sandbox.Config{SeveralPerDevice: true}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		again := network.Run(r, match(nil))
		if again.Sent != "POST" || again.Text("session_id") == session.ID || decodePrivate(again.Private).Lost.ID != "" {
			t.Errorf("sent was %s, the state has %v; %s", again.Sent, again.Values, acctest.Describe(again.Diagnostics))
		}
	}))
	t.Run("outside of a window that was moved", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		r = network.Expect(network.Run(r, later), "SCHEDULED", "")
		network.Seed(session)
		r = network.Expect(network.Run(r, later), "SCHEDULED", "DELETE")
		network.ExpectNoChange(r, later, "SCHEDULED")
	}))
	t.Run("forgotten after its end", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		shorter := match(attrs{"ends_at": "2028-02-29T21:15:00Z"})
		r, _ := loseSession(network, shorter)
		network.AtMatch(time.Hour + time.Minute)
		r = network.Expect(network.Run(r, shorter), "ENDED", "")
		if decodePrivate(r.Private).Lost.ID != "" {
			t.Error("it is remembered after its end")
		}
		requests := len(network.Requests())
		network.ExpectNoChange(r, shorter, "ENDED")
		if got := len(network.Requests()) - requests; got > 0 {
			t.Errorf("%d requests were sent for what is over", got)
		}
	}))
}

// A destroy deletes the session that was lost sight of if it is back, and never fails for it.
func TestReservation_destroysTheLost(t *testing.T) {
	t.Parallel()
	t.Run("back again", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Seed(session)
		if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 || len(network.SessionIDs()) > 0 {
			t.Errorf("the network has %v; %s", network.SessionIDs(), acctest.Describe(gone.Diagnostics))
		}
	}))
	t.Run("still gone", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		gone := network.Client().Reservations().Destroy(r)
		if gone.Values != nil || acctest.HasError(gone.Diagnostics) {
			t.Errorf("it says: %s", acctest.Describe(gone.Diagnostics))
		}
		// Terraform shows no warning of the refresh of a destroy, but this one.
		acctest.ContainsAll(t, strings.Join(gone.Warnings(), ""), []string{"QoS Session " + session.ID + " Gone Before Its End"})
	}))
	t.Run("after its end, and the API is down", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, _ := loseSession(network, match(nil))
		network.AtMatch(5 * time.Hour)
		network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()})
		if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 {
			t.Errorf("it says: %s", acctest.Describe(gone.Diagnostics))
		}
	}))
	t.Run("back again, by a machine whose clock is a day ahead", acc.InBubble(0, sandbox.Config{Clock: acctest.ClockAhead(-24 * time.Hour)}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Seed(session)
		if gone := network.Client().Reservations().Destroy(r); gone.Values != nil || len(gone.Diagnostics) > 0 || len(network.SessionIDs()) > 0 {
			t.Errorf("the network has %v; %s", network.SessionIDs(), acctest.Describe(gone.Diagnostics))
		}
	}))
	t.Run("the API is down", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, match(nil))
		network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()})
		gone := network.Client().Reservations().Destroy(r)
		if gone.Values != nil || acctest.HasError(gone.Diagnostics) {
			t.Errorf("it says: %s", acctest.Describe(gone.Diagnostics))
		}
		acctest.ContainsAll(t, strings.Join(gone.Warnings(), ""), []string{"QoS Session " + session.ID, "until it disappeared from the network, before its end", session.ID})
	}))
}
