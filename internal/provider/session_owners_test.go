// Proves that one session held by two resources is said, once for each session and by the second of
// them, and that destroying both ends well.

package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSessionOwners(t *testing.T) {
	t.Parallel()
	owners := new(sessionOwners)
	for _, step := range []struct {
		session, owner string
		want           bool
	}{
		{lostID, "north", false}, {lostID, "north", false}, {secondID, "south", false},
		{lostID, "south", true}, {lostID, "south", true}, {lostID, "north", false},
	} {
		if got := owners.heldByAnother(step.session, step.owner); got != step.want {
			t.Errorf("%s by %s: %t", step.session, step.owner, got)
		}
	}
	if (*sessionOwners)(nil).heldByAnother(lostID, "north") {
		t.Error("without a provider something was seen")
	}
	if one, other := newOwner(), newOwner(); one == other {
		t.Error("two owners are one")
	}
}

// heldTwice checks that the one thing said is that a session is held by two resources.
func heldTwice(t *testing.T, said acctest.Diagnostics, id string) {
	t.Helper()
	warned := said.Warnings()
	if len(warned) != 1 || len(said) != 1 {
		t.Fatalf("want one warning, got: %s", acctest.Describe(said))
	}
	acctest.ContainsAll(t, warned[0], []string{"QoS Session " + id + " Held by Two Resources: ", "terraform state rm 'ADDRESS'", "removed block", "Session: " + id})
}

// Whichever of the two is seen second says it, whatever kind of resource it is, at an import and at
// every read. One that is read again says nothing.
func TestSession_heldTwice(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
	made := network.Client().MustCreate(hour(nil))
	id := made.Text("id")
	unowned := made
	unowned.Private = privateOf(sessionPrivate{Origin: decodePrivate(made.Private).Origin})
	imports := map[string]func(c *acctest.ProtocolClient) *acctest.ProtocolClient{
		"as a session":     func(c *acctest.ProtocolClient) *acctest.ProtocolClient { return c },
		"as a reservation": (*acctest.ProtocolClient).Reservations,
	}
	for name, as := range imports {
		c := network.Client()
		for range 2 {
			if read := c.Refresh(made); len(read.Diagnostics) > 0 {
				t.Errorf("%s: alone it says %s", name, acctest.Describe(read.Diagnostics))
			}
		}
		second := as(c).Import(id)
		heldTwice(t, second.Diagnostics, id)
		heldTwice(t, as(c).Refresh(second.State).Diagnostics, id)

		c = network.Client() // another run, in which Terraform reads them in another order
		if read := as(c).Refresh(second.State); len(read.Diagnostics) > 0 {
			t.Errorf("%s: read first it says %s", name, acctest.Describe(read.Diagnostics))
		}
		heldTwice(t, c.Refresh(made).Diagnostics, id)
		heldTwice(t, c.Refresh(unowned).Diagnostics, id)

		// A provider that is debugged lives on, and what was only planned is imported again.
		c.Configure(attrs{"endpoint": network.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret})
		if again := as(c).Import(id); len(again.Diagnostics) > 0 {
			t.Errorf("%s: configured again it says %s", name, acctest.Describe(again.Diagnostics))
		}
	}
	read := network.Client().Refresh(unowned)
	if owner := decodePrivate(read.Private).Owner; owner == "" || len(read.Diagnostics) > 0 {
		t.Errorf("a read gives it the owner %q; %s", owner, acctest.Describe(read.Diagnostics))
	}
}

// Sessions that a list confirms are no exception.
func TestFastPath_heldTwice(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewManualClock(acctest.KickOff), Provisioning: sandbox.Instant})
	made := network.Client().MustCreate(hour(nil))
	other := network.Client().Import(made.Text("id")).State
	c := clientThatLists(network)
	behind := fastPathOf(c)
	c.Server = fastPath{deaf{behind.framework}, behind.provider}
	if read := c.Refresh(made); len(read.Diagnostics) > 0 { // not asked of the framework, or it would have failed
		t.Errorf("alone it says %s", acctest.Describe(read.Diagnostics))
	}
	c.Server = behind
	heldTwice(t, c.Refresh(other).Diagnostics, made.Text("id"))
	if read := c.Refresh(made); len(read.Diagnostics) > 0 {
		t.Errorf("the first one says %s", acctest.Describe(read.Diagnostics))
	}
}

// A record keeps its owner, as long as it is the same resource.
func TestSessionOwners_stay(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{Provisioning: sandbox.Instant})
	owner := func(r acctest.State) string { return decodePrivate(r.Private).Owner }
	keeps := func(what string, before, after acctest.State) {
		t.Helper()
		if owner(before) == "" || owner(after) != owner(before) {
			t.Errorf("%s: the owner was %q and is %q", what, owner(before), owner(after))
		}
	}
	c := network.Client()
	session := c.MustCreate(hour(attrs{"device": attrs{"phone_number": "+34600000011"}}))
	keeps("a read", session, c.Refresh(session).State)
	waits := hour(attrs{"device": attrs{"phone_number": "+34600000011"}, "wait_for_available": true})
	keeps("an update", session, c.Apply(c.Plan(session, waits)).State)

	scheduled := network.Run(acctest.State{}, match(nil))
	network.AtMatch(0)
	first := network.Run(scheduled.State, match(nil))
	keeps("a read of a reservation", first.State, network.Client().Reservations().Refresh(first.State).State)
	network.RemovePastLag(first.Text("session_id"))
	lost := network.Client().Reservations().Refresh(first.State)
	keeps("a session that is gone", first.State, lost.State)
	next := network.Run(lost.State, match(nil))
	if next.Text("session_id") == first.Text("session_id") || next.Text("session_id") == "" {
		t.Fatalf("it holds %q; %s", next.Text("session_id"), acctest.Describe(next.Diagnostics))
	}
	keeps("the next session", first.State, next.State)
	network.Revoke(next.Text("session_id"))
	keeps("the one after that", first.State, network.Run(next.State, match(nil)).State)
}

// What a person sees, with a real CLI: at the import, at every later plan, and not any more when
// one of the two is forgotten; and a destroy of both is green.
func TestSession_heldTwiceCLI(t *testing.T) {
	t.Parallel()
	ends := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, test := range map[string]struct{ address, block string }{
		"as a session":     {"qod_session.copy", acctest.SessionBlock("copy", "", 3600)},
		"as a reservation": {"qod_reservation.copy", "resource \"qod_reservation\" \"copy\" {\n  device = { phone_number = \"+34610003600\" }\n  qos_profile = \"QOS_L\"\n  ends_at = \"" + ends + "\"\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := network.CLI(acctest.SessionBlock("camera", "", 3600))
			c.Apply()
			id := network.SessionIDs()[0]
			warning := "Warning: QoS Session " + id + " Held by Two Resources"
			both := acctest.SessionBlock("camera", "", 3600) + test.block
			plainly := []string{"-no-color", "-input=false"}

			c.Configure(both + "import {\n  to = " + test.address + "\n  id = \"" + id + "\"\n}\n")
			if said := c.Must(0, append([]string{"apply", "-auto-approve"}, plainly...)...); strings.Count(said, warning) != 1 {
				t.Errorf("the import says:\n%s", said)
			}
			c.Configure(both)
			if said := c.Must(0, append([]string{"plan", "-detailed-exitcode"}, plainly...)...); strings.Count(said, warning) != 1 {
				t.Errorf("the next plan says:\n%s", said)
			}
			kept := c.Must(0, "state", "pull")
			c.Must(0, "state", "rm", test.address)
			c.Configure(acctest.SessionBlock("camera", "", 3600))
			if said := c.Plan(0); strings.Contains(said, "Held by") {
				t.Errorf("one that is forgotten is held:\n%s", said)
			}
			c.ExpectInSync()

			c.Write("both.tfstate", kept)
			c.Must(0, "state", "push", "-force", "both.tfstate")
			c.Configure(both)
			if said := c.Must(0, append([]string{"destroy", "-auto-approve"}, plainly...)...); !strings.Contains(said, "2 destroyed") {
				t.Errorf("the destroy says:\n%s", said)
			}
			c.ExpectInSync()
		})
	}
}
