// Proves that a reservation lets go of its session only by proof, and takes back the one that it lost
// sight of, and no other.

package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var denied = sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)}

// A 404 that is not the API's word ends no record, whatever it looks like and whatever was asked: where a
// list can be had, that is believed; where none can, the run is red and the state as it was.
func TestReservation_foreignNotFound(t *testing.T) {
	t.Parallel()
	for _, gateway := range sandbox.ForeignNotFound {
		answers := func(s season, times int, ops ...sandbox.Operation) {
			for _, op := range ops {
				s.Fail(sandbox.Fault{Operation: op, Times: times, Effect: gateway.Effect})
			}
		}
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		t.Run(gateway.Name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
			id := r.text("session_id")
			unharmed := func(what string, left result, summary string, says ...string) {
				t.Helper()
				containsAll(t, left.errors(), append(says, summary, id))
				if !left.is(r) || s.writes() != "POST" || len(s.ids()) != 1 {
					t.Errorf("%s: sent was %s, and the state has %v", what, s.writes(), left.values)
				}
			}
			for what, spoil := range map[string]func(){
				"for all":                func() { answers(s, -1, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete) },
				"where lists are denied": func() { answers(s, -1, sandbox.OpRead, sandbox.OpDelete); s.Fail(denied) },
			} {
				s.advance(2 * time.Minute)
				spoil()
				c := s.core().reservations()
				unharmed("read "+what, c.refresh(r), "Unable to Read QoS Reservation", "404 Not Found", "does not prove that the session is gone")
				unharmed("update "+what, c.apply(c.plan(r, longer)), "Unable to Update QoS Reservation", "404 Not Found")
				s.Heal()
			}
			// The list is believed.
			answers(s, -1, sandbox.OpRead)
			s.idle(r, match(nil), "AVAILABLE")
			s.Heal()
			// A delete that is answered so goes on while a list shows the session.
			answers(s, -1, sandbox.OpDelete)
			left := s.core().reservations().destroy(r)
			containsAll(t, left.errors(), []string{"Unable to Delete QoS Reservation", "But the list of sessions still shows the session", "may still be live and billed", id})
			if !left.is(r) || len(s.ids()) != 1 {
				t.Errorf("the state has %v, the network %v", left.values, s.ids())
			}
			s.Heal()
			answers(s, 2, sandbox.OpDelete)
			if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 || len(s.ids()) > 0 {
				t.Errorf("the network has %v; %s", s.ids(), printed(gone.tfdiags))
			}
		}))
	}
}

// A node of the API that has not heard yet of a session makes nobody let go of it: what is younger than a
// minute is asked for again.
func TestReservation_laggingNode(t *testing.T) {
	t.Parallel()
	made := func(s season) record {
		return s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
	}
	t.Run("reads", inSeason(0, sandbox.Config{}, func(_ *testing.T, s season) {
		r := made(s)
		s.Lag(sandbox.OpRead, 30*time.Second)
		s.idle(r, match(nil), "AVAILABLE")
	}))
	t.Run("reads and lists", inSeason(0, sandbox.Config{}, func(_ *testing.T, s season) {
		r := made(s)
		s.Lag(sandbox.OpRead, 50*time.Second)
		s.Lag(sandbox.OpList, 50*time.Second)
		s.idle(r, match(nil), "AVAILABLE")
	}))
	t.Run("deletes", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := made(s)
		for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
			s.Lag(op, 50*time.Second)
		}
		if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 || len(s.ids()) > 0 {
			t.Errorf("the network has %v; %s", s.ids(), printed(gone.tfdiags))
		}
	}))
}

// A session that the API is busy with is deleted as soon as it can be.
func TestReservation_deleteBusy(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"409": 409, "423": 423, "425": 425, "429": 429} {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
			busy := func() {
				s.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: 3, Effect: sandbox.Status(status, `{"code":"CONFLICT"}`)})
			}
			busy()
			later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
			r = s.is(s.pass(r, later), "SCHEDULED", "DELETE DELETE DELETE DELETE")
			s.at(2 * time.Hour)
			r = s.is(s.pass(r, later), "AVAILABLE", "POST")
			busy()
			if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 || len(s.ids()) > 0 {
				t.Errorf("the network has %v; %s", s.ids(), printed(gone.tfdiags))
			}
		}))
	}
}

// A network that shows a session as AVAILABLE past its own end has it no more: what is left of the window
// is reserved anew.
func TestReservation_availablePastItsEnd(t *testing.T) {
	inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		config := match(attrs{"ends_at": "2028-03-03T20:15:00Z"})
		first := s.pass(record{}, config).record
		s.at(24*time.Hour + time.Minute)
		// It lingers: the network goes on to show what it has ended.
		old := s.Seed(sandbox.Session{ID: first.text("session_id"), Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 3600})
		s.Echo(func(info map[string]any) {
			if info["sessionId"] == old.ID {
				info["startedAt"], info["expiresAt"] = first.text("started_at"), first.text("expires_at")
			}
		})
		again := s.pass(first, config)
		r := s.is(again, "AVAILABLE", "DELETE POST")
		if r.text("session_id") == old.ID || r.text("id") != first.text("id") {
			t.Errorf("the state has %v", r.values)
		}
		s.idle(r, config, "AVAILABLE")
		// By a clock that this machine's contradicts it is not over.
		s.Echo(nil)
		s.SkewDate(off(25 * time.Hour))
		s.failsWith(s.pass(r, config), "Unable to Read QoS Reservation", "One of them is wrong")
		s.is(pass{record: r, tfdiags: nil}, "AVAILABLE", "")
	})(t)
}

// lost is a reservation whose session has disappeared before its end, and has been let go of.
func (s season) lost(config attrs) (r record, session sandbox.Session) {
	s.t.Helper()
	r = s.is(s.pass(record{}, config), "AVAILABLE", "POST")
	s.at(2 * time.Minute)
	session = s.Ledger()[0]
	s.Remove(session.ID)
	read := s.core().reservations().refresh(r)
	if got := read.warnings(); len(got) != 1 || refused(read.tfdiags) {
		s.t.Fatalf("it says: %s", printed(read.tfdiags))
	}
	containsAll(s.t, read.warnings()[0], []string{"QoS Session " + session.ID + " Gone Before Its End", "the reservation takes it back"})
	if read.text("status") != "DUE" || !read.values["session_id"].IsNull() {
		s.t.Fatalf("the state has %v", read.values)
	}
	return read.record, session
}

// A session that disappeared before its end, and shows up again, is the reservation's again: by a read, or
// by the conflict that it causes. Another one of the device never is.
func TestReservation_takenBack(t *testing.T) {
	t.Parallel()
	t.Run("by a read", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Seed(session)
		back := s.pass(r, match(nil))
		r = s.is(back, "AVAILABLE", "")
		if r.text("session_id") != session.ID || len(back.tfdiags) > 0 {
			t.Errorf("the state has %v; %s", r.values, printed(back.tfdiags))
		}
		s.idle(r, match(nil), "AVAILABLE")
		if lost := decodePrivate(r.private).Lost; lost.ID != "" {
			t.Errorf("it is remembered as lost: %v", lost)
		}
	}))
	t.Run("by a conflict", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Before(sandbox.OpCreate, once(func() { s.Seed(session) }))
		back := s.pass(r, match(nil))
		if got := back.text("session_id"); got != session.ID || back.text("status") != "AVAILABLE" || back.errors() != "" {
			t.Errorf("the state has %v; %s", back.values, printed(back.tfdiags))
		}
		s.idle(back.record, match(nil), "AVAILABLE")
	}))
	t.Run("by a conflict, while it is requested", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Before(sandbox.OpCreate, once(func() {
			s.Seed(session)
			s.slow(4)
		}))
		back := s.pass(r, match(nil))
		if got := back.text("session_id"); got != session.ID || back.text("status") != "AVAILABLE" || back.errors() != "" {
			t.Errorf("the state has %v; %s", back.values, printed(back.tfdiags))
		}
		s.idle(back.record, match(nil), "AVAILABLE")
	}))
	t.Run("not another one of the device", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, _ := s.lost(match(nil))
		other := s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600})
		refused := s.pass(r, match(nil))
		s.failsWith(refused, "Unable to Update QoS Reservation", "already has a session for this device", other.ID, "never takes over")
		if refused.text("status") != "DUE" || !refused.values["session_id"].IsNull() {
			t.Errorf("the state has %v", refused.values)
		}
		if decodePrivate(refused.private).Lost.ID == "" {
			t.Error("the lost one is forgotten")
		}
	}))
	t.Run("not after another one was reserved", inSeason(0, sandbox.Config{SeveralPerDevice: true}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		again := s.pass(r, match(nil))
		if again.sent != "POST" || again.text("session_id") == session.ID || decodePrivate(again.private).Lost.ID != "" {
			t.Errorf("sent was %s, the state has %v; %s", again.sent, again.values, printed(again.tfdiags))
		}
	}))
	t.Run("outside of a window that was moved", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		r = s.is(s.pass(r, later), "SCHEDULED", "")
		s.Seed(session)
		r = s.is(s.pass(r, later), "SCHEDULED", "DELETE")
		s.idle(r, later, "SCHEDULED")
	}))
	t.Run("forgotten after its end", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		shorter := match(attrs{"ends_at": "2028-02-29T21:15:00Z"})
		r, _ := s.lost(shorter)
		s.at(time.Hour + time.Minute)
		r = s.is(s.pass(r, shorter), "ENDED", "")
		if decodePrivate(r.private).Lost.ID != "" {
			t.Error("it is remembered after its end")
		}
		requests := len(s.Requests())
		s.idle(r, shorter, "ENDED")
		if got := len(s.Requests()) - requests; got > 0 {
			t.Errorf("%d requests were sent for what is over", got)
		}
	}))
}

// A destroy deletes the session that was lost sight of if it is back, and never fails for it.
func TestReservation_destroysTheLost(t *testing.T) {
	t.Parallel()
	t.Run("back again", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Seed(session)
		if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 || len(s.ids()) > 0 {
			t.Errorf("the network has %v; %s", s.ids(), printed(gone.tfdiags))
		}
	}))
	t.Run("still gone", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		gone := s.core().reservations().destroy(r)
		if gone.values != nil || refused(gone.tfdiags) {
			t.Errorf("it says: %s", printed(gone.tfdiags))
		}
		// Terraform shows no warning of the refresh of a destroy, but this one.
		containsAll(t, strings.Join(gone.warnings(), ""), []string{"QoS Session " + session.ID + " Gone Before Its End"})
	}))
	t.Run("after its end, and the API is down", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, _ := s.lost(match(nil))
		s.at(5 * time.Hour)
		s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()})
		if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 {
			t.Errorf("it says: %s", printed(gone.tfdiags))
		}
	}))
	t.Run("back again, by a machine whose clock is a day ahead", inSeason(0, sandbox.Config{Clock: clockOff(-24 * time.Hour)}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Seed(session)
		if gone := s.core().reservations().destroy(r); gone.values != nil || len(gone.tfdiags) > 0 || len(s.ids()) > 0 {
			t.Errorf("the network has %v; %s", s.ids(), printed(gone.tfdiags))
		}
	}))
	t.Run("the API is down", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r, session := s.lost(match(nil))
		s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()})
		gone := s.core().reservations().destroy(r)
		if gone.values != nil || refused(gone.tfdiags) {
			t.Errorf("it says: %s", printed(gone.tfdiags))
		}
		containsAll(t, strings.Join(gone.warnings(), ""), []string{"QoS Session " + session.ID, "until it disappeared from the network before its end", session.ID})
	}))
}
