// Proves the main job on any endpoint: a session is reserved, shown, found, imported and released.
// "make testacc-remote" runs it on the API that QOD_* name, for the device in
// QOD_TEST_PHONE_NUMBER, and touches no session but the one it makes. Without QOD_ENDPOINT it runs
// on a sandbox, so that it is not first tried where it costs money.

package provider

import (
	"fmt"
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestRemote_life(t *testing.T) {
	provider, phone := `provider "qod" {}`, os.Getenv("QOD_TEST_PHONE_NUMBER")
	if os.Getenv("QOD_ENDPOINT") == "" {
		w := newWorld(t, sandbox.Config{})
		provider, phone = w.provider(""), "+34600000010"
		// As networks do, it shows the line by another name, too, and not how long it was asked for.
		w.Echo(func(info map[string]any) {
			info["device"].(map[string]any)["networkAccessIdentifier"] = "line@operator.example"
			delete(info, "duration")
		})
	}
	if phone == "" {
		t.Fatal("name a device of yours in QOD_TEST_PHONE_NUMBER: a session of one minute is made for it")
	}
	config := provider + fmt.Sprintf(`
resource "qod_session" "test" {
  device      = { phone_number = %q }
  qos_profile = "QOS_E"
  duration    = 60
}

data "qod_sessions" "test" {
  device     = { phone_number = %q }
  depends_on = [qod_session.test]
}
`, phone, phone)
	acceptance(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			{
				Config: config,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue("qod_session.test", tfjsonpath.New("qos_status"), knownvalue.StringExact("AVAILABLE")),
					statecheck.ExpectKnownValue("data.qod_sessions.test", tfjsonpath.New("sessions"), knownvalue.ListPartial(map[int]knownvalue.Check{
						0: knownvalue.ObjectPartial(map[string]knownvalue.Check{"qos_status": knownvalue.StringExact("AVAILABLE")}),
					})),
				},
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
			},
			{
				ResourceName: "qod_session.test", ImportState: true, ImportStateVerify: true,
				// An import takes these from the network, a create from the configuration.
				ImportStateVerifyIgnore: []string{"device", "duration"},
			},
		},
	})
}
