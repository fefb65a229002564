package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const camera = `
resource "qod_session" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  duration    = 3600
}
`

func TestSession_basic(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.test(
		w.apply(w.hcl(camera),
			statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New("qos_status"), knownvalue.StringExact("AVAILABLE")),
		),
		resource.TestStep{ResourceName: "qod_session.camera", ImportState: true, ImportStateVerify: true},
	)
}
