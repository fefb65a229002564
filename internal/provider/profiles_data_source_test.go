package provider

import (
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The data source shows the operator's profiles with their limits, in seconds and bits per second,
// and narrows them by each filter.
func TestProfiles(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	network.Test(resource.TestStep{
		Config: network.HCL(`
data "qod_profiles" "all" {}
data "qod_profiles" "named" { name = "live-uplink" }
data "qod_profiles" "inactive" { status = "INACTIVE" }
data "qod_profiles" "none" { name = "no-such-profile" }
data "qod_profiles" "of_device" { device = { phone_number = "+34600000010" } }
`),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.qod_profiles.all", tfjsonpath.New("profiles"), knownvalue.ListSizeExact(8)),
			statecheck.ExpectKnownValue("data.qod_profiles.of_device", tfjsonpath.New("profiles"), knownvalue.ListSizeExact(8)),
			statecheck.ExpectKnownValue("data.qod_profiles.none", tfjsonpath.New("profiles"), knownvalue.ListSizeExact(0)),
			statecheck.ExpectKnownValue("data.qod_profiles.named", tfjsonpath.New("profiles"), knownvalue.ListExact([]knownvalue.Check{
				knownvalue.ObjectExact(map[string]knownvalue.Check{
					"name": knownvalue.StringExact("live-uplink"), "description": knownvalue.StringExact("Uplink of a live camera"), "status": knownvalue.StringExact("ACTIVE"),
					"min_duration": knownvalue.Int64Exact(60), "max_duration": knownvalue.Int64Exact(6 * 3600),
					"target_min_upstream_rate": knownvalue.Null(), "max_upstream_rate": knownvalue.Int64Exact(40e6),
					"target_min_downstream_rate": knownvalue.Null(), "max_downstream_rate": knownvalue.Int64Exact(5e6),
					"packet_delay_budget": knownvalue.Null(),
				}),
			})),
			statecheck.ExpectKnownValue("data.qod_profiles.inactive", tfjsonpath.New("profiles").AtSliceIndex(0).AtMapKey("name"), knownvalue.StringExact("retired")),
		},
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
	})
}

// Profiles that cannot be had are an error that says why, and reservations do without them.
func TestProfiles_fail(t *testing.T) {
	network := acc.NewNetwork(t, camaraNetwork)
	read := func(c *acctest.ProtocolClient) string {
		_, diags := c.ReadDataSource("qod_profiles", attrs{})
		return acctest.Describe(diags)
	}
	network.InjectFault(sandbox.OpProfiles, 1, sandbox.Status(http.StatusForbidden, `{"status":403,"code":"PERMISSION_DENIED","message":"No"}`))
	c := network.Client()
	acctest.ContainsAll(t, read(c), []string{"Unable to List QoS Profiles", "qos-profiles:read"})
	acctest.ContainsAll(t, read(network.ClientWith(attrs{"profiles_path": "/elsewhere"})), []string{"Unable to List QoS Profiles", "profiles_path (QOD_PROFILES_PATH)"})

	elsewhere := acc.StartNetwork(t, sandbox.Config{})
	acctest.ContainsAll(t, read(elsewhere.Client()), []string{"Unable to List QoS Profiles", "QOS_E, QOS_S, QOS_M, QOS_L"})
	if asked := len(elsewhere.Requests()); asked > 0 {
		t.Errorf("an API without profiles was asked %d times", asked)
	}
}
