// What a record knows of its session beyond its attributes outlives what it has to, and nothing else.

package provider

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// When a session was made is known from the first record on, and no read makes it younger: where the API
// shows no end, that alone bounds its life.
func TestSession_madeAtIsKept(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: 12 * time.Hour})
	made := w.core().created(hour(attrs{"wait_for_available": false}))
	before := decodePrivate(made.private).MadeAt
	if now := w.clock.Now(); before.IsZero() || now.Sub(before).Abs() > 5*time.Second {
		t.Fatalf("made at %s, want about %s", before, now)
	}
	for range 3 {
		w.advance(time.Hour)
		read := w.core().refresh(made)
		if after := decodePrivate(read.private).MadeAt; !after.Equal(before) {
			t.Errorf("a read changes %s to %s", before, after)
		}
		made = read.record
	}
}

// The next session of a reservation is as old as it is, and not as its predecessor.
func TestReservation_newSessionHasAMemoryOfItsOwn(t *testing.T) {
	s := newSeason(t, 0, sandbox.Config{})
	first := s.pass(record{}, match(nil))
	s.at(2 * time.Hour)
	s.Revoke(first.text("session_id"))
	second := s.pass(first.record, match(nil))
	old, young := decodePrivate(first.private), decodePrivate(second.private)
	if second.text("session_id") == first.text("session_id") || refused(second.tfdiags) {
		t.Fatalf("%v; %s", second.values, printed(second.tfdiags))
	}
	if age := young.MadeAt.Sub(old.MadeAt); age < time.Hour || young.Expired || young.Lost.ID != "" {
		t.Errorf("the new session is remembered as %+v, after %+v", young, old)
	}
}

// An import adopts the configuration once. The update that does so sends nothing, and ends it.
func TestSession_adoptionEnds(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	imported := c.adopt(w.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}}).ID)
	if !decodePrivate(imported.private).Imported {
		t.Fatal("the import is not remembered")
	}
	first, other := hour(attrs{"notification_url": "https://example.com/a"}), hour(attrs{"notification_url": "https://example.com/b"})
	requests := len(w.Requests())
	adopted := c.apply(c.plan(imported.record, first))
	if n := len(w.Requests()) - requests; n != 0 || refused(adopted.tfdiags) {
		t.Errorf("%d requests were made; %s", n, printed(adopted.tfdiags))
	}
	if decodePrivate(adopted.private).Imported {
		t.Error("the adoption does not end")
	}
	if p := c.plan(adopted.record, other); len(p.replace) != 1 {
		t.Errorf("another value replaces for %v", p.replace)
	}
}

// remembering is a record with another private state.
func (r record) remembering(t *testing.T, m sessionPrivate) record {
	t.Helper()
	value, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if r.private, err = json.Marshal(map[string][]byte{privateKey: value}); err != nil {
		t.Fatal(err)
	}
	return r
}

// So it is for a reservation.
func TestReservation_adoptionEnds(t *testing.T) {
	s := newSeason(t, 0, sandbox.Config{})
	seeded := s.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}, Duration: 4 * 3600})
	c := s.core().reservations()
	imported := c.adopt(seeded.ID)
	first := match(attrs{"notification_url": "https://example.com/a"})
	took := s.pass(imported.record, first)
	if took.sent != "" || refused(took.tfdiags) || decodePrivate(took.private).Imported {
		t.Errorf("it sent %q, and remembers %+v; %s", took.sent, decodePrivate(took.private), printed(took.tfdiags))
	}
	// An update that is no work for the network ends it, too, where another one did not.
	left := decodePrivate(took.private)
	left.Imported = true
	waits := s.pass(took.remembering(t, left), match(attrs{"notification_url": "https://example.com/a", "wait_for_available": true}))
	if waits.sent != "" || decodePrivate(waits.private).Imported {
		t.Errorf("it sent %q, and remembers %+v; %s", waits.sent, decodePrivate(waits.private), printed(waits.tfdiags))
	}
}
