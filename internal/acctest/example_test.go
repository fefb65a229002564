// A first acceptance test, to copy and to change.

package acctest_test

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// In internal/provider these two are there already.

func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }

var acc acctest.Provider = provider.NewServer

// With a real Terraform or OpenTofu: what a user sees. ApplyStep also checks that the sessions in
// state are those on the network, and that the next plan is empty; Test, that nothing is left in
// the end.
func TestSession_profile(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	profile := func(want string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New("qos_profile"), knownvalue.StringExact(want))
	}
	medium := network.HCL(acctest.SessionBlock("camera", `qos_profile = "QOS_M"`, 3600))
	large := network.HCL(acctest.SessionBlock("camera", `qos_profile = "QOS_L"`, 3600))
	network.Test(
		network.ApplyStep(medium, profile("QOS_M")),
		acctest.WithPlanChecks(network.ApplyStep(large, profile("QOS_L")),
			acctest.ExpectReplacement("qod_session.camera", "qos_profile")),
	)
	if got, want := network.Writes(), "POST DELETE POST DELETE"; got != want {
		t.Errorf("requests that change something: %s, want %s", got, want)
	}
}

// Through the protocol: milliseconds a row, for tables of what the network does wrong.
func TestSession_serverErrors(t *testing.T) {
	t.Parallel()
	config := acctest.Attrs{
		"device": acctest.Attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L", "duration": 3600,
	}
	for name, effect := range map[string]sandbox.Effect{
		"500":            sandbox.Status(500, ""),
		"half an answer": sandbox.Truncate(20),
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{})
			client := network.Client()
			session := client.MustCreate(config)

			network.InjectFault(sandbox.OpRead, 1, effect)
			read := client.Refresh(session)
			if !acctest.HasError(read.Diagnostics) || !read.Equal(session) {
				t.Errorf("state %v; %s", read.Values, acctest.Describe(read.Diagnostics))
			}
			acctest.ContainsAll(t, read.Errors(), []string{"Unable to Read QoS Session", session.Text("id")})
		})
	}
}
