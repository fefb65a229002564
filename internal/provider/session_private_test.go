// What a state knows of its session beyond its attributes outlives what it has to, and nothing
// else.

package provider

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// When a session was made is known from the first record on, and no read makes it younger: where
// the API shows no end, that alone bounds its life.
func TestSession_madeAtIsKept(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: 12 * time.Hour})
	made := network.Client().MustCreate(hour(attrs{"wait_for_available": false}))
	before := decodePrivate(made.Private).MadeAt
	if now := network.Clock.Now(); before.IsZero() || now.Sub(before).Abs() > 5*time.Second {
		t.Fatalf("made at %s, want about %s", before, now)
	}
	for range 3 {
		network.Advance(time.Hour)
		read := network.Client().Refresh(made)
		if after := decodePrivate(read.Private).MadeAt; !after.Equal(before) {
			t.Errorf("a read changes %s to %s", before, after)
		}
		made = read.State
	}
}

// The next session of a reservation is as old as it is, and not as its predecessor.
func TestReservation_newSessionHasAMemoryOfItsOwn(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	first := network.Run(acctest.State{}, match(nil))
	network.AtMatch(2 * time.Hour)
	network.Revoke(first.Text("session_id"))
	second := network.Run(first.State, match(nil))
	old, young := decodePrivate(first.Private), decodePrivate(second.Private)
	if second.Text("session_id") == first.Text("session_id") || acctest.HasError(second.Diagnostics) {
		t.Fatalf("%v; %s", second.Values, acctest.Describe(second.Diagnostics))
	}
	if age := young.MadeAt.Sub(old.MadeAt); age < time.Hour || young.Expired || young.Lost.ID != "" {
		t.Errorf("the new session is remembered as %+v, after %+v", young, old)
	}
}

// An import adopts the configuration once. The update that does so sends nothing, and ends it.
func TestSession_adoptionEnds(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	imported := c.Import(network.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}}).ID)
	if !decodePrivate(imported.Private).Imported {
		t.Fatal("the import is not remembered")
	}
	first, other := hour(attrs{"notification_url": "https://example.com/a"}), hour(attrs{"notification_url": "https://example.com/b"})
	requests := len(network.Requests())
	adopted := c.Apply(c.Plan(imported.State, first))
	if n := len(network.Requests()) - requests; n != 0 || acctest.HasError(adopted.Diagnostics) {
		t.Errorf("%d requests were made; %s", n, acctest.Describe(adopted.Diagnostics))
	}
	if decodePrivate(adopted.Private).Imported {
		t.Error("the adoption does not end")
	}
	if p := c.Plan(adopted.State, other); len(p.Replace) != 1 {
		t.Errorf("another value replaces for %v", p.Replace)
	}
}

// withPrivate is a state with another private state.
func withPrivate(r acctest.State, t *testing.T, m sessionPrivate) acctest.State {
	t.Helper()
	value, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Private, err = json.Marshal(map[string][]byte{privateKey: value}); err != nil {
		t.Fatal(err)
	}
	return r
}

// So it is for a reservation.
func TestReservation_adoptionEnds(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	seeded := network.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}, Duration: 4 * 3600})
	c := network.Client().Reservations()
	imported := c.Import(seeded.ID)
	first := match(attrs{"notification_url": "https://example.com/a"})
	took := network.Run(imported.State, first)
	if took.Sent != "" || acctest.HasError(took.Diagnostics) || decodePrivate(took.Private).Imported {
		t.Errorf("it sent %q, and remembers %+v; %s", took.Sent, decodePrivate(took.Private), acctest.Describe(took.Diagnostics))
	}
	// An update that is no work for the network ends it, too, where another one did not.
	left := decodePrivate(took.Private)
	left.Imported = true
	waits := network.Run(withPrivate(took.State, t, left), match(attrs{"notification_url": "https://example.com/a", "wait_for_available": true}))
	if waits.Sent != "" || decodePrivate(waits.Private).Imported {
		t.Errorf("it sent %q, and remembers %+v; %s", waits.Sent, decodePrivate(waits.Private), acctest.Describe(waits.Diagnostics))
	}
}
