// Proves that CAMARA's API does the provider's main job, on a real CLI, and what only that API has.

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
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
