// Proves that CAMARA's API does the provider's main job, on a real CLI, and what only that API has.

package provider

import (
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// uplink is a camera's session for one server and some of its ports.
const uplink = `
resource "qod_session" "uplink" {
  device                   = { phone_number = "+34600000010" }
  application_server       = { ipv4_address = "198.51.100.7" }
  application_server_ports = { ports = [443], ranges = [{ from = 5000, to = 5010 }] }
  qos_profile              = "live-uplink"
  duration                 = 3600
}
`

// control is the same camera's session for another port.
const control = `
resource "qod_session" "control" {
  device                   = { phone_number = "+34600000010" }
  application_server       = { ipv4_address = "198.51.100.7" }
  application_server_ports = { ports = [22] }
  qos_profile              = "QOS_E"
  duration                 = 3600
}
`

var camaraNetwork = sandbox.Config{API: sandbox.CAMARAV1}

// A session is created, replaced, imported and destroyed, and every second plan is empty.
func TestCAMARA_life(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	network.Test(
		network.ApplyStep(network.HCL(uplink)),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(strings.Replace(uplink, "live-uplink", "QOS_M", 1))),
			acctest.ExpectReplacement("qod_session.uplink", "qos_profile")),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(strings.Replace(uplink, "443", "8443", 1))),
			acctest.ExpectReplacement("qod_session.uplink", "application_server_ports", "qos_profile")),
		resource.TestStep{ResourceName: "qod_session.uplink", ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: "qod_session.uplink", ImportState: true, ImportStateKind: resource.ImportBlockWithID},
	)
}

// A device has a session for each flow, and one of them may follow another before that ends.
func TestCAMARA_flows(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	first := strings.Replace(uplink, "duration ", "lifecycle { create_before_destroy = true }\n  duration ", 1)
	moved := strings.Replace(first, "198.51.100.7", "198.51.100.8", 1)
	network.Test(
		network.ApplyStep(network.HCL(first+control)),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(moved+control)),
			plancheck.ExpectResourceAction("qod_session.uplink", plancheck.ResourceActionCreateBeforeDestroy)),
	)
}

// A configuration that both APIs can express is good for both without a change.
func TestCAMARA_movesBetweenAPIs(t *testing.T) {
	acctest.AnyCLI(t)
	t.Parallel()
	const portable = `
variable "qos_profile" {
  type = string
}

resource "qod_session" "camera" {
  device             = { phone_number = "+34600000010" }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = var.qos_profile
  duration           = 3600
}

resource "qod_reservation" "drone" {
  device             = { phone_number = "+34600000020" }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = var.qos_profile
  starts_at          = "2020-01-01T00:00:00Z"
  ends_at            = timeadd(plantimestamp(), "2h")

  lifecycle {
    ignore_changes = [ends_at]
  }
}
`
	for api, profile := range map[sandbox.API]string{sandbox.OpenGateway: "QOS_L", sandbox.CAMARAV1: "live-uplink"} {
		t.Run(string(api), func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{API: api})
			c := network.CLI(portable, "TF_VAR_qos_profile="+profile)
			c.Apply()
			c.ExpectInSync()
			c.Plan(0)
			c.Destroy()
			if left := network.SessionIDs(); len(left) > 0 {
				t.Errorf("sessions left: %v", left)
			}
		})
	}
}

// lasting is the camera's session with another duration.
func lasting(seconds int) string {
	return strings.Replace(uplink, "3600", strconv.Itoa(seconds), 1)
}

// A longer duration is one extension in place. What the network grants is recorded; if that is less
// than was asked for, one warning says so, and the next plan is empty.
func TestCAMARA_extendsSession(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	c := network.CLI(uplink)
	c.Apply()
	before := network.SessionIDs()

	c.Configure(lasting(7200))
	if text := c.Plan(2); !strings.Contains(text, "# qod_session.uplink will be updated in-place") || !strings.Contains(text, "0 to destroy") {
		t.Errorf("the extension is not planned in place:\n%s", text)
	}
	c.Sends("0 POST 0 DELETE 1 EXTEND", 0, acctest.ApplyCommand...)
	c.Plan(0)
	if s := network.Ledger()[0]; s.Duration != 7200 || s.ID != before[0] {
		t.Errorf("%s lasts %d seconds, want %s for 7200", s.ID, s.Duration, before[0])
	}

	// The profile allows six hours.
	c.Configure(lasting(86400))
	text := c.Sends("0 POST 0 DELETE 1 EXTEND", 0, acctest.ApplyCommand...)
	if strings.Count(text, "QoS Session Extended by Less Than Requested") != 1 {
		t.Errorf("not one warning of a short extension:\n%s", text)
	}
	c.Plan(0)
	if s := network.Ledger()[0]; s.Duration != 6*3600 {
		t.Errorf("it lasts %d seconds", s.Duration)
	}

	c.Configure(uplink) // a shorter one
	c.Sends("1 POST 1 DELETE", 0, acctest.ApplyCommand...)
	c.Destroy()
}

// An event that runs over: extra time is an extension of the live session in place.
func TestCAMARA_event(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Hour, camaraNetwork)
	event := func(ends time.Duration) string {
		return fmt.Sprintf(`
resource "qod_reservation" "uplink" {
  for_each = { north = "+34600000041", south = "+34600000042" }

  device             = { phone_number = each.value }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = "live-uplink"
  starts_at          = %q
  ends_at            = %q
}
`, matchStarts, acctest.KickOff.Add(ends).Format(time.RFC3339))
	}
	c := network.CLI(event(3 * time.Hour))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(0)
	c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)

	network.AtMatch(2 * time.Hour)
	c.Configure(event(4 * time.Hour))
	planned := c.Plan(2)
	acctest.ContainsAll(t, planned, []string{"will be updated in-place", "0 to add, 2 to change, 0 to destroy", "~ expires_at"})
	for _, kept := range []string{"~ session_id", "~ status", "~ started_at", "~ sessions"} {
		if strings.Contains(planned, kept) {
			t.Errorf("the plan to extend has %q:\n%s", kept, planned)
		}
	}
	c.Sends("0 POST 0 DELETE 2 EXTEND", 0, acctest.ApplyCommand...)
	c.Plan(0)

	network.AtMatch(4*time.Hour + time.Minute)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...) // the sessions have ended by themselves
	c.Destroy()
}

// An extension that fails leaves the duration that the session was requested for in the state, with
// the API's code in the error. After a lost answer, the next apply asks for nothing twice.
func TestCAMARA_extensionFails(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	config := func(seconds int) attrs {
		return attrs{
			"device": attrs{"phone_number": "+34600000010"}, "application_server": attrs{"ipv4_address": "198.51.100.7"},
			"qos_profile": "QOS_L", "duration": seconds,
		}
	}
	seconds := func(s acctest.State) int64 {
		var n big.Float
		if err := s.Values["duration"].As(&n); err != nil {
			t.Fatal(err)
		}
		whole, _ := n.Int64()
		return whole
	}
	c := network.Client()
	state := c.MustCreate(config(3600))
	state = c.Refresh(state).State

	network.InjectFault(sandbox.OpExtend, 1, sandbox.Status(http.StatusConflict,
		`{"status":409,"code":"QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED","message":"Not now"}`))
	refused := c.Apply(c.Plan(state, config(7200)))
	acctest.ContainsAll(t, refused.Diagnostics.Errors(), []string{"Unable to Update QoS Session", "Not now", "SESSION_EXTENSION_NOT_ALLOWED", network.SessionIDs()[0]})
	if seconds(refused.State) != 3600 || network.Count(sandbox.OpExtend) != 1 {
		t.Errorf("after %d requests the duration is %d", network.Count(sandbox.OpExtend), seconds(refused.State))
	}

	network.InjectFault(sandbox.OpExtend, 1, sandbox.DropAfterCommit())
	done := c.Apply(c.Plan(refused.State, config(7200)))
	if len(done.Diagnostics) > 0 || seconds(done.State) != 7200 || network.Ledger()[0].Duration != 7200 || network.Count(sandbox.OpExtend) != 2 {
		t.Errorf("after a lost answer and %d requests it lasts %d seconds: %s", network.Count(sandbox.OpExtend), network.Ledger()[0].Duration, acctest.Describe(done.Diagnostics))
	}
	c.ExpectEmptyPlan(c.Refresh(done.State).State, config(7200))
}

// A session that lasts long enough already, since the network granted more than was asked for, is
// not extended, and nothing is said of an extension that was sent twice.
func TestCAMARA_extensionNotNeeded(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	config := func(seconds int) attrs {
		return hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "duration": seconds})
	}
	c := network.Client()
	state := c.MustCreate(config(3600))
	network.Edit(network.SessionIDs()[0], func(s *sandbox.Session) {
		s.Duration, s.ExpiresAt = 7200, s.StartedAt.Add(2*time.Hour)
	})
	done := c.Apply(c.Plan(c.Refresh(state).State, config(5400)))
	if len(done.Diagnostics) > 0 || network.Count(sandbox.OpExtend) > 0 {
		t.Errorf("%d extensions; %s", network.Count(sandbox.OpExtend), acctest.Describe(done.Diagnostics))
	}
	c.ExpectEmptyPlan(c.Refresh(done.State).State, config(5400))
}

// This API lists the sessions of one device: with it, the data source works as ever, and without it
// nothing is sent.
func TestCAMARA_listsByDevice(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	mine := network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}})
	network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000020"}})
	c := network.Client()
	_, diags := c.ReadDataSource("qod_sessions", attrs{})
	acctest.ContainsAll(t, acctest.Describe(diags), []string{"Unable to List QoS Sessions", "one device at a time", "Set device"})
	for refusal, device := range map[string]attrs{
		"device.network_access_identifier must be left out": {"network_access_identifier": "a@b.test"},
		"device.ipv4_address must be given with":            {"ipv4_address": attrs{"public_address": "198.51.100.30"}},
	} {
		_, diags := c.ReadDataSource("qod_sessions", attrs{"device": device})
		acctest.ContainsAll(t, acctest.Describe(diags), []string{refusal})
	}
	if asked := len(network.Requests()); asked > 0 {
		t.Errorf("%d requests", asked)
	}
	read, diags := c.ReadDataSource("qod_sessions", attrs{"device": attrs{"phone_number": "+34600000010"}})
	if text := fmt.Sprint(read["sessions"]); len(diags) > 0 || !strings.Contains(text, mine.ID) || strings.Contains(text, "+34600000020") {
		t.Errorf("listed: %s; diagnostics: %s", text, acctest.Describe(diags))
	}
}

// A plan that requests a session for all servers warns of it, once; where a device has one session
// at a time whatever it is for, there is nothing to warn of.
func TestCAMARA_allServers(t *testing.T) {
	t.Parallel()
	const summary = "QoS Session for All Servers"
	config := hour(attrs{"application_server": attrs{"ipv4_address": "0.0.0.0/0"}})
	for api, want := range map[sandbox.API]bool{sandbox.CAMARAV1: true, sandbox.OpenGateway: false} {
		network := acc.StartNetwork(t, sandbox.Config{API: api})
		c := network.Client()
		planned := c.Plan(acctest.State{}, config)
		if got := strings.Contains(acctest.Describe(planned.Diagnostics), summary); got != want {
			t.Errorf("%s: warned %t, want %t", api, got, want)
		}
		state := c.Refresh(c.Apply(planned).State).State
		c.ExpectEmptyPlan(state, config)
		if again := c.Plan(state, config); strings.Contains(acctest.Describe(again.Diagnostics), summary) {
			t.Errorf("%s: a plan without a change warns again", api)
		}
	}
}

// Where sessions are listed by device only, an apply costs a list and a create for each, a refresh
// a read and a destroy a delete, and what a process costs anyway; all of it over as many
// connections as Terraform has operations at a time.
func TestCAMARA_fleet(t *testing.T) {
	t.Parallel()
	const atATime, more = 10, 4
	ends := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	for _, resource := range []string{"session", "reservation"} {
		for _, n := range []int{1, 10, 100} {
			t.Run(fmt.Sprint(n, " ", resource), func(t *testing.T) {
				network := acc.NewNetwork(t, sandbox.Config{API: sandbox.CAMARAV1, Latency: 5 * time.Millisecond, Provisioning: sandbox.Instant})
				config := func(i int) attrs {
					c := cameraOf(i, attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}})
					if resource == "reservation" {
						delete(c, "duration")
						c["ends_at"] = ends
					}
					return c
				}
				states := make([]acctest.State, n)
				var all []int
				for i := range n {
					all = append(all, i)
				}
				// inOneProcess does something with each of them, and counts.
				inOneProcess := func(what string, most int, do func(c *acctest.ProtocolClient, i int)) spent {
					c, before := network.Client(), len(network.Requests())
					if resource == "reservation" {
						c = c.Reservations()
					}
					qodtest.InParallel(all, func(i int) { do(c, i) })
					sent := spent(network.Requests()[before:])
					expectAtMost(network, "requests of the "+what, len(sent), most)
					expectAtMost(network, "connections of the "+what, sent.connections(), atATime)
					expectAtMost(network, "tokens of the "+what, sent.on(sandbox.OpToken), 1)
					return sent
				}
				applied := inOneProcess("apply", 2*n+more, func(c *acctest.ProtocolClient, i int) {
					made := c.Create(config(i))
					if len(made.Diagnostics) > 0 {
						t.Errorf("create: %s", acctest.Describe(made.Diagnostics))
					}
					states[i] = made.State
				})
				expectExactly(network, "POSTs", applied.on(sandbox.OpCreate), n)
				inOneProcess("refresh", n+more, func(c *acctest.ProtocolClient, i int) {
					read := c.Refresh(states[i])
					if len(read.Diagnostics) > 0 {
						t.Errorf("read: %s", acctest.Describe(read.Diagnostics))
					}
					c.ExpectEmptyPlan(read.State, config(i))
					states[i] = read.State
				})
				expectExactly(network, "sessions", len(network.SessionIDs()), n)
				inOneProcess("destroy", n+more, func(c *acctest.ProtocolClient, i int) {
					if gone := c.Destroy(states[i]); len(gone.Diagnostics) > 0 {
						t.Errorf("delete: %s", acctest.Describe(gone.Diagnostics))
					}
				})
				expectExactly(network, "sessions left", len(network.Ledger()), 0)
			})
		}
	}
}

// What only this API refuses of a webhook is refused by the plan, at its attribute.
func TestCAMARA_webhookChecks(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	const url = "https://hook.example/qod"
	for name, test := range map[string]struct{ url, token, at, allowed string }{
		"http":         {url: "http://hook.example/qod", at: "notification_url", allowed: "begins with https://"},
		"in capitals":  {url: "HTTPS://hook.example/qod", at: "notification_url", allowed: "in lower case"},
		"a long URL":   {url: url + "?" + strings.Repeat("x", 2048), at: "notification_url", allowed: "at most 2048 characters"},
		"a long token": {url: url, token: strings.Repeat("x", 4097), at: "notification_auth_token", allowed: "at most 4096 characters"},
	} {
		config := hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "notification_url": test.url})
		if test.token != "" {
			config["notification_auth_token"] = test.token
		}
		diags := network.Client().Plan(acctest.State{}, config).Diagnostics
		if len(diags) != 1 || acctest.PathString(diags[0].Attribute) != test.at {
			t.Fatalf("%s: want one error at %s: %s", name, test.at, acctest.Describe(diags))
		}
		acctest.ContainsAll(t, diags.Errors(), []string{test.allowed})
		if strings.Contains(diags.Errors(), "xxx") {
			t.Errorf("%s: the error repeats the value: %s", name, diags.Errors())
		}
	}
	if asked := len(network.Requests()); asked > 0 {
		t.Errorf("%d requests", asked)
	}
}
