// Proves what pipelines rely on of a reservation, with a real CLI: exit codes, plans, requests.

package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// cameras is a fleet of three with one window.
func cameras(starts, ends string) string {
	return fmt.Sprintf(`
resource "qod_reservation" "camera" {
  for_each = { north = "+34600000041", south = "+34600000042", goal = "+34600000043" }

  device      = { phone_number = each.value }
  qos_profile = "QOS_L"
  starts_at   = %q
  ends_at     = %q
}
`, starts, ends)
}

func (c *cli) reservationIDs() map[string]string {
	c.w.t.Helper()
	ids := map[string]string{}
	for _, r := range c.state().Resources {
		if r.Type == "qod_reservation" {
			ids[r.Address], _ = r.AttributeValues["id"].(string)
		}
	}
	return ids
}

// The life of an event, as its pipeline sees it.
func TestReservation_event(t *testing.T) {
	s := acc.newSeason(t, 4*24*time.Hour, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds) + "\nvariable \"other\" {\n  default = 0\n}\n\nresource \"terraform_data\" \"other\" {\n  input = var.other\n}\n")

	said := c.sends(nothing, 0, applies...)
	containsAll(t, said, []string{"Reservation Window Is Not Open Yet", "opens at " + matchStarts})
	ids := c.reservationIDs()
	for day := range 3 {
		s.at(time.Duration(day-3) * 24 * time.Hour)
		said := c.sends(nothing, 0, append(applies, fmt.Sprintf("-var=other=%d", day))...) // somebody else's change
		if strings.Contains(said, "# qod_reservation") {
			t.Errorf("an unrelated apply touches the reservations:\n%s", said)
		}
	}
	c.configure(cameras(matchStarts, matchEnds))
	c.sends(nothing, 0, applies...)
	s.at(-8 * time.Minute)
	c.planned(0)

	s.at(0)
	if said := c.planned(2); !strings.Contains(said, `"DUE" -> (known after apply)`) {
		t.Errorf("the plan does not show why:\n%s", said)
	}
	c.sends("3 POST 0 DELETE", 0, applies...)
	c.planned(0)

	s.at(time.Hour)
	live := s.ids()
	s.Revoke(live[0])
	s.Remove(live[1])
	c.sends("2 POST 1 DELETE", 0, applies...)
	c.planned(0)
	kept := 0
	for _, id := range s.ids() {
		if id == live[0] || id == live[1] || id == live[2] {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d sessions were kept, want the one that was well", kept)
	}

	c.configure(cameras(matchStarts, "2028-03-01T01:15:00Z"))
	c.sends(nothing, 0, applies...)
	c.configure(cameras(matchStarts, "2028-02-29T22:15:00Z"))
	c.sends(nothing, 0, applies...)
	c.planned(0)
	s.at(2 * time.Hour)
	c.planned(2)
	c.sends("0 POST 3 DELETE", 0, applies...)
	c.planned(0)
	s.at(30 * 24 * time.Hour)
	c.planned(0)

	c.configure(cameras("2028-04-07T20:15:00Z", "2028-04-08T00:15:00Z"))
	c.sends(nothing, 0, applies...)
	c.planned(0)
	for address, id := range c.reservationIDs() {
		if ids[address] != id {
			t.Errorf("the id of %s has changed", address)
		}
	}
	c.sends(nothing, 0, "destroy", "-auto-approve")
}

// A window that was over before anything was made warns, and never keeps a destroy from its work.
func TestReservation_neverMade(t *testing.T) {
	s := acc.newSeason(t, 0, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds))
	s.at(5 * time.Hour)
	c.planned(2)
	c.sends(nothing, 0, "destroy", "-auto-approve")
	if said := c.sends(nothing, 0, applies...); !strings.Contains(said, "Reservation Window Has Ended") {
		t.Errorf("the apply does not warn:\n%s", said)
	}
	c.planned(0)
	c.sends(nothing, 0, "destroy", "-auto-approve")
}

// What the network was too slow for is red, not tainted, and goes on by itself.
func TestReservation_slow(t *testing.T) {
	s := acc.newSeason(t, time.Hour, sandbox.Config{})
	config := strings.Replace(cameras(matchStarts, matchEnds), "ends_at", "timeouts = { update = \"4s\" }\n  ends_at", 1)
	c := s.cli(config)
	c.sends(nothing, 0, applies...)
	s.at(0)
	s.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" })
	said := c.sends("3 POST 0 DELETE", 1, applies...)
	containsAll(t, said, []string{"Unable to Update QoS Reservation", "The next apply resumes the wait"})
	for _, r := range c.state().Resources {
		if r.Tainted {
			t.Errorf("%s is tainted", r.Address)
		}
	}
	s.Echo(nil)
	c.sends(nothing, 0, applies...) // a refresh finds them available
	c.planned(0)
	c.sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// A state that was lost during the event comes back from the network, without a POST.
func TestReservation_recovers(t *testing.T) {
	s := acc.newSeason(t, 0, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds))
	c.sends("3 POST 0 DELETE", 0, applies...)
	c.write("terraform.tfstate", "")
	c.configure(cameras(matchStarts, matchEnds) + `
data "qod_sessions" "live" {}

import {
  for_each = { for s in data.qod_sessions.live.sessions : { "+34600000041" = "north", "+34600000042" = "south", "+34600000043" = "goal" }[s.device.phone_number] => s.id }
  to       = qod_reservation.camera[each.key]
  id       = each.value
}
`)
	if said := c.planned(2); !strings.Contains(said, "3 to import, 0 to add, 3 to change, 0 to destroy") {
		t.Errorf("the plan is another one:\n%s", said)
	}
	c.sends(nothing, 0, applies...)
	c.planned(0)
	c.sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// Workflows of Terraform that bypass a refresh, or leave something out, stay within what was planned.
func TestReservation_workflows(t *testing.T) {
	t.Parallel()
	one := func(starts, ends string) string {
		return fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34600000041\" }\n  qos_profile = \"QOS_L\"\n  starts_at = %s\n  ends_at = %s\n}\n", starts, ends)
	}
	starts, ends := fmt.Sprintf("%q", matchStarts), fmt.Sprintf("%q", matchEnds)
	scheduled := func(t *testing.T) (*world, *cli) {
		t.Helper()
		s := acc.newSeason(t, time.Hour, sandbox.Config{})
		c := s.cli(one(starts, ends))
		c.sends(nothing, 0, applies...)
		return s, c
	}
	t.Run("a plan applied after the window", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.planned(2, "-out=tfplan")
		s.at(4 * time.Hour)
		if said := c.sends(nothing, 0, "apply", "tfplan"); !strings.Contains(said, "Reservation Window Has Ended") {
			t.Errorf("it does not say why nothing was reserved:\n%s", said)
		}
		c.planned(0)
	})
	t.Run("a plan to create applied after the window", func(t *testing.T) {
		s := acc.newSeason(t, 0, sandbox.Config{})
		c := s.cli(one(starts, ends))
		c.planned(2, "-out=tfplan")
		s.at(4 * time.Hour)
		c.sends(nothing, 0, "apply", "tfplan")
		c.planned(0)
	})
	t.Run("a plan made before and applied inside", func(t *testing.T) {
		s := acc.newSeason(t, time.Hour, sandbox.Config{})
		c := s.cli(one(starts, ends))
		c.planned(2, "-out=tfplan")
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, "apply", "tfplan")
		c.planned(0)
	})
	t.Run("-refresh=false", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.planned(0, "-refresh=false") // it was SCHEDULED when it was last looked at
		c.sends(nothing, 0, "apply", "-auto-approve", "-refresh=false")
		c.sends("1 POST 0 DELETE", 0, applies...)
		s.at(4 * time.Hour)
		c.sends("0 POST 1 DELETE", 0, "destroy", "-auto-approve", "-refresh=false")
	})
	t.Run("-refresh-only", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends(nothing, 0, "apply", "-auto-approve", "-refresh-only")
		if r := c.state().Resources[0]; r.AttributeValues["status"] != "DUE" {
			t.Errorf("status is %v", r.AttributeValues["status"])
		}
		c.sends("1 POST 0 DELETE", 0, "apply", "-auto-approve", "-refresh=false")
	})
	t.Run("-target", func(t *testing.T) {
		s := acc.newSeason(t, 0, sandbox.Config{})
		c := s.cli(cameras(matchStarts, matchEnds))
		c.sends("1 POST 0 DELETE", 0, "apply", "-auto-approve", `-target=qod_reservation.camera["goal"]`)
		c.sends("2 POST 0 DELETE", 0, applies...)
		c.planned(0)
	})
	t.Run("-replace takes the gap now", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		c.configure(one(starts, `"2028-03-01T01:15:00Z"`))
		c.sends(nothing, 0, applies...)
		c.sends("1 POST 1 DELETE", 0, "apply", "-auto-approve", "-replace=qod_reservation.camera")
		if expires := s.Ledger()[0].ExpiresAt; atKickOff.Add(5*time.Hour).Sub(expires).Abs() > 3*time.Second {
			t.Errorf("the session ends at %s", expires)
		}
	})
	t.Run("moved", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		c.configure(strings.Replace(one(starts, ends), `"camera"`, `"lens"`, 1) + "moved {\n  from = qod_reservation.camera\n  to = qod_reservation.lens\n}\n")
		c.sends(nothing, 0, applies...)
		c.planned(0)
	})
	t.Run("an end that is not known while planning", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		until := func(end string) string {
			return one(starts, "terraform_data.end.output") + fmt.Sprintf("resource \"terraform_data\" \"end\" {\n  input = %q\n}\n", end)
		}
		c.configure(until(matchEnds)) // the same in the end
		c.planned(2, "-out=tfplan")
		c.sends(nothing, 0, "apply", "tfplan")
		c.planned(0)
		c.configure(until("2028-03-01T01:15:00Z"))
		c.sends(nothing, 0, applies...)
		c.planned(0)
		c.configure(until("2028-02-29T20:15:00.5Z"))
		c.sends("0 POST 1 DELETE", 0, applies...)
		c.planned(0)
	})
	t.Run("an end that is not known, and the window is over", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(5 * time.Hour)
		c.configure(one(starts, "terraform_data.end.output") + fmt.Sprintf("resource \"terraform_data\" \"end\" {\n  input = %q\n}\n", matchEnds))
		c.planned(2, "-out=tfplan")
		c.sends(nothing, 0, "apply", "tfplan")
		c.planned(0)
	})
	t.Run("a profile that is not known while planning", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		c.configure(strings.Replace(one(starts, ends), `"QOS_L"`, "terraform_data.profile.output", 1) + "resource \"terraform_data\" \"profile\" {\n  input = \"QOS_L\"\n}\n")
		said := c.sends("1 POST 1 DELETE", 0, applies...)
		containsAll(t, said, []string{"Reservation Replaced for an Unknown Value", "qos_profile"})
		c.planned(0)
	})
	t.Run("another spelling of the same times", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		c.configure(one(`"2028-02-29T21:15:00+01:00"`, `"2028-02-29T19:15:00-05:00"`))
		c.planned(0)
		if r := c.state().Resources[0]; r.AttributeValues["starts_at"] != matchStarts || r.AttributeValues["ends_at"] != matchEnds {
			t.Errorf("the state has %v to %v, want the first spelling", r.AttributeValues["starts_at"], r.AttributeValues["ends_at"])
		}
	})
	t.Run("create_before_destroy", func(t *testing.T) {
		s, c := scheduled(t)
		s.at(0)
		c.sends("1 POST 0 DELETE", 0, applies...)
		c.configure(strings.Replace(one(starts, ends), "ends_at", "lifecycle {\n    create_before_destroy = true\n  }\n  ends_at", 1))
		said := c.must(1, "apply", "-auto-approve", "-no-color", "-replace=qod_reservation.camera")
		c.isLedger()
		containsAll(t, said, []string{"Unable to Create QoS Reservation", "create_before_destroy"})
	})
}

// Without the API, what is over and what is yet to come is planned, applied and destroyed all the same.
func TestReservationCLI_withoutTheAPI(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]sandbox.Fault{
		"the client is revoked": {Operation: sandbox.OpToken, Times: -1, Effect: sandbox.Status(401, `{"error":"invalid_client"}`)},
		"the API is down":       {Times: -1, Effect: sandbox.DropBeforeCommit()},
	} {
		t.Run(name, func(t *testing.T) {
			s := acc.newSeason(t, time.Hour, sandbox.Config{})
			past := strings.NewReplacer(`"camera"`, `"past"`, "+3460000004", "+3460000005").Replace(cameras("2028-02-29T18:00:00Z", "2028-02-29T19:00:00Z"))
			c := s.cli(cameras(matchStarts, matchEnds) + past)
			c.sends(nothing, 0, applies...)
			s.Fail(spoil)
			c.planned(0)
			said := c.sends(nothing, 0, applies...)
			containsAll(t, said, []string{"QoS Reservation Status Unknown", "The API's time is not known"})
			c.sends(nothing, 0, "destroy", "-auto-approve")
		})
	}
}

// The 404 of a gateway leaves the state as it was: nothing is destroyed, and the run is red.
func TestReservationCLI_foreignNotFound(t *testing.T) {
	s := acc.newSeason(t, 0, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds))
	c.sends("3 POST 0 DELETE", 0, applies...)
	s.advance(2 * time.Minute)
	for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
		s.Fail(sandbox.Fault{Operation: op, Times: -1, Effect: sandbox.ForeignNotFound[0].Effect})
	}
	c.sends(nothing, 1, applies...)
	for _, args := range [][]string{{"destroy", "-auto-approve"}, {"destroy", "-auto-approve", "-refresh=false"}} {
		said := c.must(1, append(args, "-no-color")...)
		containsAll(t, said, []string{"404 Not Found", "does not prove that the session is gone"})
		c.isLedger()
	}
	s.Heal()
	c.planned(0)
	c.sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// A session that disappeared and is there again is the reservation's again, with the id in private state
// alone.
func TestReservationCLI_takenBack(t *testing.T) {
	s := acc.newSeason(t, 0, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds))
	c.sends("3 POST 0 DELETE", 0, applies...)
	s.advance(2 * time.Minute)
	lost := s.Ledger()
	for _, session := range lost {
		s.Remove(session.ID)
	}
	said := c.sends(nothing, 0, "apply", "-auto-approve", "-refresh-only")
	for _, session := range lost {
		containsAll(t, said, []string{"QoS Session " + session.ID + " Gone Before Its End"})
		s.Seed(session)
	}
	c.must(2, "plan", "-detailed-exitcode", "-no-color", "-refresh=false")
	c.sends(nothing, 0, applies...)
	c.planned(0)
	c.sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// starts_at = timestamp(), on a runner that is forty seconds ahead of the API.
func TestReservationCLI_startsNow(t *testing.T) {
	s := acc.newWorld(t, sandbox.Config{Clock: clockOff(-40 * time.Second)})
	config := func(starts string) string {
		return fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34600000041\" }\n  qos_profile = \"QOS_L\"\n  starts_at = %s\n  ends_at = timeadd(timestamp(), \"4h\")\n}\n", starts)
	}
	c := s.cli(config("null"))
	c.sends("1 POST 0 DELETE", 0, applies...)
	live := s.ids()[0]
	c.configure(config("timestamp()"))
	for range 3 {
		said := c.sends(nothing, 0, applies...)
		containsAll(t, said, []string{"Reservation Window Unknown", "leave starts_at out"})
		if ids := s.ids(); len(ids) != 1 || ids[0] != live {
			t.Fatalf("the network has %v, want %s", ids, live)
		}
	}
	c.configure(config(`timeadd(timestamp(), "10m")`))
	said := c.sends("0 POST 1 DELETE", 0, applies...)
	containsAll(t, said, []string{"Reservation Window Is Not Open Yet"})
	c.sends(nothing, 0, "destroy", "-auto-approve")
}

// One node whose clock is hours behind buys too much: the run says so, the session is kept while the window
// is open, and the first run after it deletes it.
func TestReservationCLI_grantedBeyondTheWindow(t *testing.T) {
	s := acc.newSeason(t, 0, sandbox.Config{})
	c := s.cli(cameras(matchStarts, matchEnds))
	s.SkewDate(off(-6 * time.Hour))
	c.configure(strings.ReplaceAll(cameras(matchStarts, matchEnds), "starts_at ", "# starts_at "))
	said := c.sends("3 POST 0 DELETE", 0, applies...)
	containsAll(t, said, []string{"QoS Session Ends After Its Window", "the window closes at " + matchEnds})
	s.SkewDate(nil)
	c.planned(0)
	s.at(4*time.Hour + time.Minute)
	c.sends("0 POST 3 DELETE", 0, applies...)
	c.planned(0)
	c.sends(nothing, 0, "destroy", "-auto-approve")
}
