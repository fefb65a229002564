// Proves that one session held by two resources is said, once for each session and by the second of them,
// and that destroying both ends well.

package provider

import (
	"strings"
	"testing"
	"time"

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
func heldTwice(t *testing.T, said tfdiags, id string) {
	t.Helper()
	warned := said.warnings()
	if len(warned) != 1 || len(said) != 1 {
		t.Fatalf("want one warning, got: %s", printed(said))
	}
	containsAll(t, warned[0], []string{"QoS Session " + id + " Held by Two Resources: ", "terraform state rm 'ADDRESS'", "removed block", "Session: " + id})
}

// Whichever of the two is seen second says it, whatever kind of resource it is, at an import and at every
// read. One that is read again says nothing.
func TestSession_heldTwice(t *testing.T) {
	s := newSeason(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
	made := s.core().created(hour(nil))
	id := made.text("id")
	unowned := made
	unowned.private = privateOf(sessionPrivate{Origin: decodePrivate(made.private).Origin})
	imports := map[string]func(c *core) *core{
		"as a session":     func(c *core) *core { return c },
		"as a reservation": (*core).reservations,
	}
	for name, as := range imports {
		c := s.core()
		for range 2 {
			if read := c.refresh(made); len(read.tfdiags) > 0 {
				t.Errorf("%s: alone it says %s", name, printed(read.tfdiags))
			}
		}
		second := as(c).adopt(id)
		heldTwice(t, second.tfdiags, id)
		heldTwice(t, as(c).refresh(second.record).tfdiags, id)

		c = s.core() // another run, in which Terraform reads them in another order
		if read := as(c).refresh(second.record); len(read.tfdiags) > 0 {
			t.Errorf("%s: read first it says %s", name, printed(read.tfdiags))
		}
		heldTwice(t, c.refresh(made).tfdiags, id)
		heldTwice(t, c.refresh(unowned).tfdiags, id)

		// A provider that is debugged lives on, and what was only planned is imported again.
		c.configure(attrs{"endpoint": s.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret})
		if again := as(c).adopt(id); len(again.tfdiags) > 0 {
			t.Errorf("%s: configured again it says %s", name, printed(again.tfdiags))
		}
	}
	read := s.core().refresh(unowned)
	if owner := decodePrivate(read.private).Owner; owner == "" || len(read.tfdiags) > 0 {
		t.Errorf("a read gives it the owner %q; %s", owner, printed(read.tfdiags))
	}
}

// Sessions that a list confirms are no exception.
func TestShortcut_heldTwice(t *testing.T) {
	w := newWorld(t, sandbox.Config{Clock: sandbox.NewManualClock(atKickOff), Provisioning: sandbox.Instant})
	made := w.core().created(hour(nil))
	other := w.core().adopt(made.text("id")).record
	c := w.refreshing()
	behind := c.fastPath()
	c.server = fastPath{deaf{behind.framework}, behind.provider}
	if read := c.refresh(made); len(read.tfdiags) > 0 { // not asked of the framework, or it would have failed
		t.Errorf("alone it says %s", printed(read.tfdiags))
	}
	c.server = behind
	heldTwice(t, c.refresh(other).tfdiags, made.text("id"))
	if read := c.refresh(made); len(read.tfdiags) > 0 {
		t.Errorf("the first one says %s", printed(read.tfdiags))
	}
}

// A record keeps its owner, as long as it is the same resource.
func TestSessionOwners_stay(t *testing.T) {
	s := newSeason(t, time.Hour, sandbox.Config{Provisioning: sandbox.Instant})
	owner := func(r record) string { return decodePrivate(r.private).Owner }
	keeps := func(what string, before, after record) {
		t.Helper()
		if owner(before) == "" || owner(after) != owner(before) {
			t.Errorf("%s: the owner was %q and is %q", what, owner(before), owner(after))
		}
	}
	c := s.core()
	session := c.created(hour(attrs{"device": attrs{"phone_number": "+34600000011"}}))
	keeps("a read", session, c.refresh(session).record)
	waits := hour(attrs{"device": attrs{"phone_number": "+34600000011"}, "wait_for_available": true})
	keeps("an update", session, c.apply(c.plan(session, waits)).record)

	scheduled := s.pass(record{}, match(nil))
	s.at(0)
	first := s.pass(scheduled.record, match(nil))
	keeps("a read of a reservation", first.record, s.core().reservations().refresh(first.record).record)
	s.removeOld(first.text("session_id"))
	lost := s.core().reservations().refresh(first.record)
	keeps("a session that is gone", first.record, lost.record)
	next := s.pass(lost.record, match(nil))
	if next.text("session_id") == first.text("session_id") || next.text("session_id") == "" {
		t.Fatalf("it holds %q; %s", next.text("session_id"), printed(next.tfdiags))
	}
	keeps("the next session", first.record, next.record)
	s.Revoke(next.text("session_id"))
	keeps("the one after that", first.record, s.pass(next.record, match(nil)).record)
}

// What a person sees, with a real CLI: at the import, at every later plan, and not any more when one of
// the two is forgotten; and a destroy of both is green.
func TestSession_heldTwiceCLI(t *testing.T) {
	t.Parallel()
	ends := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, test := range map[string]struct{ address, block string }{
		"as a session":     {"qod_session.copy", block("copy", "", 3600)},
		"as a reservation": {"qod_reservation.copy", "resource \"qod_reservation\" \"copy\" {\n  device = { phone_number = \"+34610003600\" }\n  qos_profile = \"QOS_L\"\n  ends_at = \"" + ends + "\"\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := w.cli(block("camera", "", 3600))
			c.apply()
			id := w.ids()[0]
			warning := "Warning: QoS Session " + id + " Held by Two Resources"
			both := block("camera", "", 3600) + test.block
			plainly := []string{"-no-color", "-input=false"}

			c.configure(both + "import {\n  to = " + test.address + "\n  id = \"" + id + "\"\n}\n")
			if said := c.must(0, append([]string{"apply", "-auto-approve"}, plainly...)...); strings.Count(said, warning) != 1 {
				t.Errorf("the import says:\n%s", said)
			}
			c.configure(both)
			if said := c.must(0, append([]string{"plan", "-detailed-exitcode"}, plainly...)...); strings.Count(said, warning) != 1 {
				t.Errorf("the next plan says:\n%s", said)
			}
			kept := c.must(0, "state", "pull")
			c.must(0, "state", "rm", test.address)
			c.configure(block("camera", "", 3600))
			if said := c.planned(0); strings.Contains(said, "Held by") {
				t.Errorf("one that is forgotten is held:\n%s", said)
			}
			c.isLedger()

			c.write("both.tfstate", kept)
			c.must(0, "state", "push", "-force", "both.tfstate")
			c.configure(both)
			if said := c.must(0, append([]string{"destroy", "-auto-approve"}, plainly...)...); !strings.Contains(said, "2 destroyed") {
				t.Errorf("the destroy says:\n%s", said)
			}
			c.isLedger()
		})
	}
}
