// Proves what pipelines rely on of a reservation, with a real CLI: exit codes, plans, requests.

package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
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

func reservationIDs(c *acctest.CLI) map[string]string {
	c.Network.T.Helper()
	ids := map[string]string{}
	for _, r := range c.State().Resources {
		if r.Type == "qod_reservation" {
			ids[r.Address], _ = r.AttributeValues["id"].(string)
		}
	}
	return ids
}

// The life of an event, as its pipeline sees it.
func TestReservation_event(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 4*24*time.Hour, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds) + "\nvariable \"other\" {\n  default = 0\n}\n\nresource \"terraform_data\" \"other\" {\n  input = var.other\n}\n")

	said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	acctest.ContainsAll(t, said, []string{"Reservation Window Is Not Open Yet", "opens at " + matchStarts})
	ids := reservationIDs(c)
	for day := range 3 {
		network.AtMatch(time.Duration(day-3) * 24 * time.Hour)
		said := c.Sends(acctest.NoWrites, 0, append(acctest.ApplyCommand, fmt.Sprintf("-var=other=%d", day))...) // somebody else's change
		if strings.Contains(said, "# qod_reservation") {
			t.Errorf("an unrelated apply touches the reservations:\n%s", said)
		}
	}
	c.Configure(cameras(matchStarts, matchEnds))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(-8 * time.Minute)
	c.Plan(0)

	network.AtMatch(0)
	if said := c.Plan(2); !strings.Contains(said, `"DUE" -> (known after apply)`) {
		t.Errorf("the plan does not show why:\n%s", said)
	}
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)

	network.AtMatch(time.Hour)
	live := network.SessionIDs()
	network.Revoke(live[0])
	network.Remove(live[1])
	c.Sends("2 POST 1 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	kept := 0
	for _, id := range network.SessionIDs() {
		if id == live[0] || id == live[1] || id == live[2] {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d sessions were kept, want the one that was well", kept)
	}

	c.Configure(cameras(matchStarts, "2028-03-01T01:15:00Z"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Configure(cameras(matchStarts, "2028-02-29T22:15:00Z"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	network.AtMatch(2 * time.Hour)
	c.Plan(2)
	c.Sends("0 POST 3 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	network.AtMatch(30 * 24 * time.Hour)
	c.Plan(0)

	c.Configure(cameras("2028-04-07T20:15:00Z", "2028-04-08T00:15:00Z"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	for address, id := range reservationIDs(c) {
		if ids[address] != id {
			t.Errorf("the id of %s has changed", address)
		}
	}
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
}

// A window that was over before anything was made warns, and never keeps a destroy from its work.
func TestReservation_neverMade(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds))
	network.AtMatch(5 * time.Hour)
	c.Plan(2)
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
	if said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...); !strings.Contains(said, "Reservation Window Has Ended") {
		t.Errorf("the apply does not warn:\n%s", said)
	}
	c.Plan(0)
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
}

// What the network was too slow for is red, not tainted, and goes on by itself.
func TestReservation_slow(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
	config := strings.Replace(cameras(matchStarts, matchEnds), "ends_at", "timeouts = { update = \"4s\" }\n  ends_at", 1)
	c := network.CLI(config)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(0)
	network.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" })
	said := c.Sends("3 POST 0 DELETE", 1, acctest.ApplyCommand...)
	acctest.ContainsAll(t, said, []string{"Unable to Update QoS Reservation", "The next apply resumes the wait"})
	for _, r := range c.State().Resources {
		if r.Tainted {
			t.Errorf("%s is tainted", r.Address)
		}
	}
	network.Echo(nil)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...) // a refresh finds them available
	c.Plan(0)
	c.Sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// A state that was lost during the event comes back from the network, without a POST.
func TestReservation_recovers(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds))
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Write("terraform.tfstate", "")
	c.Configure(cameras(matchStarts, matchEnds) + `
data "qod_sessions" "live" {}

import {
  for_each = { for s in data.qod_sessions.live.sessions : { "+34600000041" = "north", "+34600000042" = "south", "+34600000043" = "goal" }[s.device.phone_number] => s.id }
  to       = qod_reservation.camera[each.key]
  id       = each.value
}
`)
	if said := c.Plan(2); !strings.Contains(said, "3 to import, 0 to add, 3 to change, 0 to destroy") {
		t.Errorf("the plan is another one:\n%s", said)
	}
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	c.Sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// Workflows of Terraform that bypass a refresh, or leave something out, stay within what was
// planned.
func TestReservation_workflows(t *testing.T) {
	t.Parallel()
	one := func(starts, ends string) string {
		return fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34600000041\" }\n  qos_profile = \"QOS_L\"\n  starts_at = %s\n  ends_at = %s\n}\n", starts, ends)
	}
	starts, ends := fmt.Sprintf("%q", matchStarts), fmt.Sprintf("%q", matchEnds)
	scheduled := func(t *testing.T) (*acctest.Network, *acctest.CLI) {
		t.Helper()
		network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
		c := network.CLI(one(starts, ends))
		c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		return network, c
	}
	t.Run("a plan applied after the window", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Plan(2, "-out=tfplan")
		network.AtMatch(4 * time.Hour)
		if said := c.Sends(acctest.NoWrites, 0, "apply", "tfplan"); !strings.Contains(said, "Reservation Window Has Ended") {
			t.Errorf("it does not say why nothing was reserved:\n%s", said)
		}
		c.Plan(0)
	})
	t.Run("a plan to create applied after the window", func(t *testing.T) {
		network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
		c := network.CLI(one(starts, ends))
		c.Plan(2, "-out=tfplan")
		network.AtMatch(4 * time.Hour)
		c.Sends(acctest.NoWrites, 0, "apply", "tfplan")
		c.Plan(0)
	})
	t.Run("a plan made before and applied inside", func(t *testing.T) {
		network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
		c := network.CLI(one(starts, ends))
		c.Plan(2, "-out=tfplan")
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, "apply", "tfplan")
		c.Plan(0)
	})
	t.Run("-refresh=false", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Plan(0, "-refresh=false") // it was SCHEDULED when it was last looked at
		c.Sends(acctest.NoWrites, 0, "apply", "-auto-approve", "-refresh=false")
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		network.AtMatch(4 * time.Hour)
		c.Sends("0 POST 1 DELETE", 0, "destroy", "-auto-approve", "-refresh=false")
	})
	t.Run("-refresh-only", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends(acctest.NoWrites, 0, "apply", "-auto-approve", "-refresh-only")
		if r := c.State().Resources[0]; r.AttributeValues["status"] != "DUE" {
			t.Errorf("status is %v", r.AttributeValues["status"])
		}
		c.Sends("1 POST 0 DELETE", 0, "apply", "-auto-approve", "-refresh=false")
	})
	// Terraform ends with 2 even where it says that there are no changes; OpenTofu with 0.
	t.Run("plan -refresh-only at quiet moments", func(t *testing.T) {
		network, c := scheduled(t)
		quiet := func(status string) {
			t.Helper()
			said := c.Run("plan", "-refresh-only", "-detailed-exitcode", "-no-color", "-input=false")
			if r := c.State().Resources[0]; r.AttributeValues["status"] != status {
				t.Errorf("it is %v, want %s", r.AttributeValues["status"], status)
			}
			wrongCode := said.Code != 0 && (said.Code != 2 || acctest.IsOpenTofu(t))
			if wrongCode || !strings.Contains(said.Text, "No changes.") || strings.Contains(said.Text, "qod_reservation.camera has changed") {
				t.Errorf("%s: exit code %d: %s", status, said.Code, said.Text)
			}
		}
		quiet("SCHEDULED")
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		quiet("AVAILABLE")
		network.AtMatch(4 * time.Hour)
		c.Must(0, acctest.ApplyCommand...)
		quiet("ENDED")
	})
	// The device passes from one reservation to the other within a run, whichever comes first.
	t.Run("windows of one device that touch", func(t *testing.T) {
		network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
		const between = `"2028-02-29T22:15:00Z"`
		conflict := regexp.MustCompile(`\b409\b`) // an id may have these digits
		c := network.CLI(one(starts, between) + strings.Replace(one(between, ends), `"camera"`, `"next"`, 1))
		c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		network.AtMatch(2 * time.Hour)
		if said := c.Must(0, append(acctest.ApplyCommand, "-no-color")...); conflict.MatchString(said) {
			t.Errorf("it says: %s", said)
		}
		c.ExpectInSync()
		c.Plan(0)
		for _, r := range c.State().Resources {
			if want := map[string]string{"camera": "ENDED", "next": "AVAILABLE"}[r.Name]; r.AttributeValues["status"] != want {
				t.Errorf("%s is %v, want %s", r.Address, r.AttributeValues["status"], want)
			}
		}
	})
	t.Run("-target", func(t *testing.T) {
		network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
		c := network.CLI(cameras(matchStarts, matchEnds))
		c.Sends("1 POST 0 DELETE", 0, "apply", "-auto-approve", `-target=qod_reservation.camera["goal"]`)
		c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Plan(0)
	})
	t.Run("-replace takes the gap now", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Configure(one(starts, `"2028-03-01T01:15:00Z"`))
		c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		c.Sends("1 POST 1 DELETE", 0, "apply", "-auto-approve", "-replace=qod_reservation.camera")
		if expires := network.Ledger()[0].ExpiresAt; acctest.KickOff.Add(5*time.Hour).Sub(expires).Abs() > 3*time.Second {
			t.Errorf("the session ends at %s", expires)
		}
	})
	t.Run("moved", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Configure(strings.Replace(one(starts, ends), `"camera"`, `"lens"`, 1) + "moved {\n  from = qod_reservation.camera\n  to = qod_reservation.lens\n}\n")
		c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		c.Plan(0)
	})
	t.Run("an end that is not known while planning", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		until := func(end string) string {
			return one(starts, "terraform_data.end.output") + fmt.Sprintf("resource \"terraform_data\" \"end\" {\n  input = %q\n}\n", end)
		}
		c.Configure(until(matchEnds)) // the same in the end
		c.Plan(2, "-out=tfplan")
		c.Sends(acctest.NoWrites, 0, "apply", "tfplan")
		c.Plan(0)
		c.Configure(until("2028-03-01T01:15:00Z"))
		c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		c.Plan(0)
		c.Configure(until("2028-02-29T20:15:00.5Z"))
		c.Sends("0 POST 1 DELETE", 0, acctest.ApplyCommand...)
		c.Plan(0)
	})
	t.Run("an end that is not known, and the window is over", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(5 * time.Hour)
		c.Configure(one(starts, "terraform_data.end.output") + fmt.Sprintf("resource \"terraform_data\" \"end\" {\n  input = %q\n}\n", matchEnds))
		c.Plan(2, "-out=tfplan")
		c.Sends(acctest.NoWrites, 0, "apply", "tfplan")
		c.Plan(0)
	})
	t.Run("a profile that is not known while planning", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Configure(strings.Replace(one(starts, ends), `"QOS_L"`, "terraform_data.profile.output", 1) + "resource \"terraform_data\" \"profile\" {\n  input = \"QOS_L\"\n}\n")
		said := c.Sends("1 POST 1 DELETE", 0, acctest.ApplyCommand...)
		acctest.ContainsAll(t, said, []string{"Reservation Replaced for an Unknown Value", "qos_profile"})
		c.Plan(0)
	})
	t.Run("another spelling of the same times", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Configure(one(`"2028-02-29T21:15:00+01:00"`, `"2028-02-29T19:15:00-05:00"`))
		c.Plan(0)
		if r := c.State().Resources[0]; r.AttributeValues["starts_at"] != matchStarts || r.AttributeValues["ends_at"] != matchEnds {
			t.Errorf("the state has %v to %v, want the first spelling", r.AttributeValues["starts_at"], r.AttributeValues["ends_at"])
		}
	})
	t.Run("create_before_destroy", func(t *testing.T) {
		network, c := scheduled(t)
		network.AtMatch(0)
		c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
		c.Configure(strings.Replace(one(starts, ends), "ends_at", "lifecycle {\n    create_before_destroy = true\n  }\n  ends_at", 1))
		said := c.Must(1, "apply", "-auto-approve", "-no-color", "-replace=qod_reservation.camera")
		c.ExpectInSync()
		acctest.ContainsAll(t, said, []string{"Unable to Create QoS Reservation", "create_before_destroy"})
	})
}

// Without the API, what is over and what is yet to come is planned, applied and destroyed all the
// same.
func TestReservationCLI_withoutTheAPI(t *testing.T) {
	acctest.AnyCLI(t)
	t.Parallel()
	for name, injectFault := range map[string]sandbox.Fault{
		"the client is revoked": {Operation: sandbox.OpToken, Times: -1, Effect: sandbox.Status(401, `{"error":"invalid_client"}`)},
		"the API is down":       {Times: -1, Effect: sandbox.DropBeforeCommit()},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
			past := strings.NewReplacer(`"camera"`, `"past"`, "+3460000004", "+3460000005").Replace(cameras("2028-02-29T18:00:00Z", "2028-02-29T19:00:00Z"))
			c := network.CLI(cameras(matchStarts, matchEnds) + past)
			c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
			network.Fail(injectFault)
			c.Plan(0)
			said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
			acctest.ContainsAll(t, said, []string{"QoS Reservation Status Unknown", "could not establish the API's time"})
			c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
		})
	}
}

// The 404 of a gateway leaves the state as it was: nothing is destroyed, and the run is red.
func TestReservationCLI_foreignNotFound(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds))
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	network.Advance(2 * time.Minute)
	for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
		network.Fail(sandbox.Fault{Operation: op, Times: -1, Effect: sandbox.ForeignNotFound[0].Effect})
	}
	c.Sends(acctest.NoWrites, 1, acctest.ApplyCommand...)
	for _, args := range [][]string{{"destroy", "-auto-approve"}, {"destroy", "-auto-approve", "-refresh=false"}} {
		said := c.Must(1, append(args, "-no-color")...)
		acctest.ContainsAll(t, said, []string{"404 Not Found", "does not prove that the session is gone"})
		c.ExpectInSync()
	}
	network.Heal()
	c.Plan(0)
	c.Sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// A session that disappeared and is there again is the reservation's again, with the id in private
// state alone.
func TestReservationCLI_takenBack(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds))
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	network.Advance(2 * time.Minute)
	lost := network.Ledger()
	for _, session := range lost {
		network.Remove(session.ID)
	}
	said := c.Sends(acctest.NoWrites, 0, "apply", "-auto-approve", "-refresh-only")
	for _, session := range lost {
		acctest.ContainsAll(t, said, []string{"QoS Session " + session.ID + " Gone Before Its End"})
		network.Seed(session)
	}
	c.Must(2, "plan", "-detailed-exitcode", "-no-color", "-refresh=false")
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	c.Sends("0 POST 3 DELETE", 0, "destroy", "-auto-approve")
}

// starts_at = timestamp(), on a runner that is forty seconds ahead of the API.
func TestReservationCLI_startsNow(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{Clock: acctest.ClockAhead(-40 * time.Second)})
	config := func(starts string) string {
		return fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34600000041\" }\n  qos_profile = \"QOS_L\"\n  starts_at = %s\n  ends_at = timeadd(timestamp(), \"4h\")\n}\n", starts)
	}
	c := network.CLI(config("null"))
	c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
	live := network.SessionIDs()[0]
	c.Configure(config("timestamp()"))
	for range 3 {
		said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
		acctest.ContainsAll(t, said, []string{"Reservation Window Unknown", "leave starts_at out"})
		if ids := network.SessionIDs(); len(ids) != 1 || ids[0] != live {
			t.Fatalf("the network has %v, want %s", ids, live)
		}
	}
	c.Configure(config(`timeadd(timestamp(), "10m")`))
	said := c.Sends("0 POST 1 DELETE", 0, acctest.ApplyCommand...)
	acctest.ContainsAll(t, said, []string{"Reservation Window Is Not Open Yet"})
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
}

// One node whose clock is hours behind buys too much: the run says so, the session is kept while
// the window is open, and the first run after it deletes it.
func TestReservationCLI_grantedBeyondTheWindow(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := network.CLI(cameras(matchStarts, matchEnds))
	network.SkewDate(off(-6 * time.Hour))
	c.Configure(strings.ReplaceAll(cameras(matchStarts, matchEnds), "starts_at ", "# starts_at "))
	said := c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	acctest.ContainsAll(t, said, []string{"QoS Session Ends After Its Window", "the window closes at " + matchEnds})
	network.SkewDate(nil)
	c.Plan(0)
	network.AtMatch(4*time.Hour + time.Minute)
	c.Sends("0 POST 3 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
}
