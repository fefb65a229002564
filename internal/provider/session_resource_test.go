package provider

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// A session's life: one POST makes it, and it is available when the apply is over; one that is
// gone or has ended is planned anew; and destroying one that has vanished since the plan succeeds.
func TestSession_life(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	vanish := func() { network.RemovePastLag(network.SessionIDs()...) }
	fromNow := func(attribute string, later time.Duration) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New(attribute), knownvalue.StringFunc(func(shown string) error {
			at, err := time.Parse(time.RFC3339, shown)
			if now := network.Clock.Now(); err == nil && at.Sub(now.Add(later)).Abs() > time.Minute {
				err = fmt.Errorf("it is %s at %s, want %s from then", shown, now.UTC().Format(time.RFC3339), later)
			}
			return err
		}))
	}
	isNew := plancheck.ExpectResourceAction("qod_session.camera", plancheck.ResourceActionCreate)
	network.Test(
		network.ApplyStep(network.HCL(camera),
			statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New("id"), knownvalue.StringRegexp(uuidForm)),
			cameraHas("qos_status", "AVAILABLE"),
			fromNow("started_at", 0),
			fromNow("expires_at", time.Hour),
		),
		acctest.Before(vanish, acctest.WithPlanChecks(network.ApplyStep(network.HCL(camera)), isNew)),
		acctest.Before(func() { network.Advance(time.Hour) }, acctest.WithPlanChecks(
			network.ApplyStep(network.HCL(camera), fromNow("started_at", 0)), isNew)),
		resource.TestStep{Config: network.HCL(camera), Destroy: true, ConfigPlanChecks: resource.ConfigPlanChecks{
			PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("qod_session.camera", plancheck.ResourceActionDestroy),
				acctest.BetweenPlanAndApply(vanish),
			},
		}},
	)
	if n := network.Count(sandbox.OpCreate); n != 3 {
		t.Errorf("%d POSTs, want one for each of the three sessions", n)
	}
	if releases := network.Requests(sandbox.OpDelete); len(releases) != 1 || releases[0].Status != 404 {
		t.Errorf("DELETEs: %v, want the one that found nothing", releases)
	}
}

// What the network changes in a session is shown and replaces it, for that reason and no other,
// and the DELETE goes first: an UNAVAILABLE session blocks its device.
func TestSession_changedByNetwork(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	onNetwork := func(change func(id string)) func() {
		return func() { change(network.SessionIDs()[0]) }
	}
	shown := func(attribute, value string) plancheck.PlanCheck {
		return showsBefore{"qod_session.camera", attribute, value}
	}
	network.Test(
		network.ApplyStep(network.HCL(camera)),
		acctest.Before(onNetwork(func(id string) { network.Revoke(id) }), acctest.WithPlanChecks(
			network.ApplyStep(network.HCL(camera), cameraHas("qos_status", "AVAILABLE")),
			acctest.ExpectReplacement("qod_session.camera", "qos_status"), shown("qos_status", "UNAVAILABLE"),
			plancheck.ExpectUnknownValue("qod_session.camera", tfjsonpath.New("qos_status")))),
		acctest.Before(onNetwork(func(id string) { network.Edit(id, func(s *sandbox.Session) { s.QoSProfile = "QOS_S" }) }), acctest.WithPlanChecks(
			network.ApplyStep(network.HCL(camera), cameraHas("qos_profile", "QOS_L")),
			acctest.ExpectReplacement("qod_session.camera", "qos_profile"), shown("qos_profile", "QOS_S"))),
	)
	if got, want := network.Writes(), "POST DELETE POST DELETE POST DELETE"; got != want {
		t.Errorf("requests that change something: %s, want %s", got, want)
	}
}

// Values that are not known at plan time fail no plan, and what comes of them is what is asked
// for: single values, a whole device, and values that only may have changed.
func TestSession_unknownValues(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	config := func(event string) string {
		return network.HCL(fmt.Sprintf(`
resource "terraform_data" "event" {
  input = {
    name    = %q
    phone   = "+34600000010"
    profile = "QOS_E"
    seconds = 5400
    device  = { ipv6_address = "2001:db8::10" }
  }
}

resource "qod_session" "camera" {
  device      = { phone_number = terraform_data.event.output.phone }
  qos_profile = terraform_data.event.output.profile
  duration    = terraform_data.event.output.seconds
}

resource "qod_session" "drone" {
  device             = terraform_data.event.output.device
  application_server = { ipv4_address = terraform_data.event.output.name == "" ? null : "198.51.100.7" }
  qos_profile        = "QOS_S"
  duration           = 60
  wait_for_available = terraform_data.event.output.name != ""
}
`, event))
	}
	network.Test(
		acctest.WithPlanChecks(network.ApplyStep(config("final"), cameraHas("qos_profile", "QOS_E"),
			statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New("duration"), knownvalue.Int64Exact(5400)),
			statecheck.ExpectKnownValue("qod_session.drone", tfjsonpath.New("device").AtMapKey("ipv6_address"), knownvalue.StringExact("2001:db8::10")),
			statecheck.ExpectKnownValue("qod_session.drone", tfjsonpath.New("application_server").AtMapKey("ipv4_address"), knownvalue.StringExact("198.51.100.7")),
		), plancheck.ExpectUnknownValue("qod_session.camera", tfjsonpath.New("device").AtMapKey("phone_number"))),
		acctest.WithPlanChecks(network.ApplyStep(config("replay"), cameraHas("qos_profile", "QOS_E")),
			acctest.ExpectReplacement("qod_session.camera", "device.phone_number", "duration", "qos_profile")),
	)
}

// A provider whose endpoint is not known yet plans what needs no call, and says so where a call
// is needed; nothing is lost over it.
func TestSession_unknownEndpoint(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{})
	config := func(event string) string {
		return `
resource "terraform_data" "gateway" {
  input = { event = "` + event + `", endpoint = "` + network.Endpoint() + `" }
}

provider "qod" {
  endpoint      = terraform_data.gateway.output.endpoint
  client_id     = "` + sandbox.DefaultClient.ID + `"
  client_secret = "` + sandbox.DefaultClient.Secret + `"
}
` + camera
	}
	network.Test(
		network.ApplyStep(config("final")),
		resource.TestStep{Config: config("replay"), ExpectError: acctest.MessagePattern("its endpoint depends on a resource that has not been created yet")},
		acctest.WithPlanChecks(network.ApplyStep(config("final")), plancheck.ExpectEmptyPlan()),
	)
	if n := network.Count(sandbox.OpCreate); n != 1 {
		t.Errorf("%d POSTs, want 1", n)
	}
}

// A create that ends badly leaves what the network holds, tainted: the network ended the session
// while it was waited for, made it with another profile, or took too long. The next apply deletes
// it and asks again.
func TestSession_tainted(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	config := network.HCL(`
resource "qod_session" "revoked" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  duration    = 3601
}

resource "qod_session" "other_profile" {
  device      = { phone_number = "+34600000020" }
  qos_profile = "QOS_L"
  duration    = 3602
}

resource "qod_session" "slow" {
  device      = { phone_number = "+34600000030" }
  qos_profile = "QOS_L"
  duration    = 3603
  timeouts    = { create = "3s" }
}
`)
	network.Before(sandbox.OpRead, func(int, *http.Request) {
		for _, s := range network.Ledger() {
			if s.Duration == 3601 && network.Count(sandbox.OpDelete) == 0 {
				network.Revoke(s.ID)
			}
		}
	})
	network.Echo(func(info map[string]any) {
		switch info["duration"] {
		case 3602.0:
			info["qosProfile"] = "QOS_S"
		case 3603.0:
			info["qosStatus"] = "REQUESTED"
		}
	})
	network.Test(
		resource.TestStep{Config: config, ExpectError: acctest.MessagePattern("Unable to Create QoS Session")},
		acctest.Before(func() { network.Echo(nil) }, acctest.WithPlanChecks(network.ApplyStep(config),
			acctest.ExpectReplacement("qod_session.revoked"), acctest.ExpectReplacement("qod_session.other_profile"), acctest.ExpectReplacement("qod_session.slow"))),
	)
	if posts, releases := network.Count(sandbox.OpCreate), network.Count(sandbox.OpDelete); posts != 6 || releases != 6 {
		t.Errorf("%d POSTs and %d DELETEs, want 6 of each", posts, releases)
	}
}

// showsBefore expects a text attribute to have been read from the network before planning.
type showsBefore struct{ address, attribute, value string }

func (s showsBefore) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, rc := range req.Plan.ResourceChanges {
		if before, ok := rc.Change.Before.(map[string]any); ok && rc.Address == s.address && before[s.attribute] == s.value {
			return
		}
	}
	resp.Error = fmt.Errorf("the plan does not show %s of %s as %q", s.attribute, s.address, s.value)
}
