// Proves what Terraform's own life-cycle features do to sessions: the sensible outcome, and a
// network that holds what the state holds, after each.

package provider

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// with is the camera with more in its block.
func with(more string) string {
	return strings.Replace(camera, "duration    = 3600\n", "duration    = 3600\n"+more+"\n", 1)
}

// cameraFor is the camera with another profile, which replaces the session.
func cameraFor(profile string) string { return strings.Replace(camera, "QOS_L", profile, 1) }

// countWrites counts the requests that change the network.
func countWrites(network *acctest.Network) int {
	return network.Count(sandbox.OpCreate) + network.Count(sandbox.OpDelete)
}

const apply, plan, auto, plainly = "apply", "plan", "-auto-approve", "-no-color"

func TestLifecycle(t *testing.T) {
	t.Parallel()
	tofu := acctest.IsOpenTofu(t)
	for name, test := range map[string]func(*testing.T, *acctest.Network, *acctest.CLI, *sandbox.OffsetClock){
		"create_before_destroy cannot replace, and the old session is untouched": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Configure(with("lifecycle { create_before_destroy = true }"))
			c.Apply()
			before := network.SessionIDs()
			c.Configure(strings.Replace(with("lifecycle { create_before_destroy = true }"), "QOS_L", "QOS_M", 1))
			if text := c.Must(1, apply, auto, plainly); !strings.Contains(text, "create_before_destroy") {
				t.Errorf("the conflict does not name its cause:\n%s", text)
			}
			c.ExpectInSync()
			if after := network.SessionIDs(); len(after) != 1 || after[0] != before[0] {
				t.Errorf("sessions %v, want the old one %v", after, before)
			}
		},
		"create_before_destroy on a dependent spreads to the session, and the error says so": func(t *testing.T, _ *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			dependent := "\nresource \"terraform_data\" \"encoder\" {\n  triggers_replace = qod_session.camera.id\n  lifecycle { create_before_destroy = true }\n}\n"
			c.Configure(camera + dependent)
			c.Apply()
			c.Configure(cameraFor("QOS_M") + dependent)
			if text := c.Must(1, apply, auto, plainly); !strings.Contains(text, "and in resources that depend on this one") {
				t.Errorf("the conflict does not name its cause:\n%s", text)
			}
			c.ExpectInSync()
		},
		"prevent_destroy keeps the session": func(_ *testing.T, _ *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Configure(with("lifecycle { prevent_destroy = true }"))
			c.Apply()
			c.Must(1, "destroy", auto, plainly)
			c.ExpectInSync()
			c.Configure(camera)
		},
		"fifty resources with one device make one session at any parallelism": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Configure(with("count = 50"))
			if text := c.Must(1, apply, auto, plainly, "-parallelism=100"); strings.Count(text, "two elements of a for_each, have this device") != 49 {
				t.Errorf("not all of the other 49 say why:\n%s", text)
			}
			c.ExpectInSync()
			if posts, sessions := network.Count(sandbox.OpCreate), len(network.SessionIDs()); posts != 50 || sessions != 1 {
				t.Errorf("%d POSTs and %d sessions, want 50 and 1", posts, sessions)
			}
		},
		"removed forgets the session and leaves it on the network": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			c.Configure("removed {\n  from = qod_session.camera\n  lifecycle { destroy = false }\n}\n")
			c.Must(0, apply, auto, plainly)
			if ids := network.SessionIDs(); len(ids) != 1 || len(c.SessionIDs()) != 0 {
				t.Errorf("sessions %v on the network, want one, and none in state", ids)
			}
			network.Remove(network.SessionIDs()[0])
		},
		"moved costs no write": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			before := countWrites(network)
			c.Configure(strings.Replace(camera, `"camera"`, `"main"`, 1) + "\nmoved {\n  from = qod_session.camera\n  to   = qod_session.main\n}\n")
			c.Apply()
			if n := countWrites(network) - before; n != 0 {
				t.Errorf("the move made %d writes, want none", n)
			}
		},
		"-target reserves only what is named": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Configure(camera + strings.NewReplacer(`"camera"`, `"other"`, "0010", "0011").Replace(camera))
			c.Must(0, apply, auto, plainly, "-target=qod_session.camera")
			c.ExpectInSync()
			if n := len(network.SessionIDs()); n != 1 {
				t.Errorf("%d sessions, want 1", n)
			}
			c.Apply()
		},
		"-replace deletes before it creates": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			old := network.SessionIDs()[0]
			c.Apply("-replace=qod_session.camera")
			if network.SessionIDs()[0] == old || network.Count(sandbox.OpCreate) != 2 || network.Count(sandbox.OpDelete) != 1 {
				t.Errorf("%d POSTs and %d DELETEs, want 2 and 1", network.Count(sandbox.OpCreate), network.Count(sandbox.OpDelete))
			}
		},
		"-refresh-only reads, and forgets what is gone": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			before := countWrites(network)
			c.Must(0, apply, "-refresh-only", auto, plainly)
			c.ExpectInSync()
			network.RemovePastLag(network.SessionIDs()[0])
			c.Must(0, apply, "-refresh-only", auto, plainly)
			c.ExpectInSync()
			if n := countWrites(network) - before; n != 0 {
				t.Errorf("-refresh-only made %d writes, want none", n)
			}
		},
		"-refresh=false plans and destroys without a look": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(500, "")})
			reads := network.Count(sandbox.OpRead)
			c.Must(0, plan, "-refresh=false", "-detailed-exitcode", plainly)
			c.Must(0, "destroy", "-refresh=false", auto, plainly)
			c.ExpectInSync()
			if n := network.Count(sandbox.OpRead) - reads; n != 0 {
				t.Errorf("%d reads, want none", n)
			}
			network.Heal()
		},
		"ignore_changes leaves the session as it is": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Apply()
			before := countWrites(network)
			c.Configure(strings.Replace(with("lifecycle { ignore_changes = [qos_profile] }"), "QOS_L", "QOS_M", 1))
			c.Apply()
			if n := countWrites(network) - before; n != 0 {
				t.Errorf("ignored changes made %d writes, want none", n)
			}
		},
		"a saved plan applied late creates what it said": func(_ *testing.T, _ *acctest.Network, c *acctest.CLI, clock *sandbox.OffsetClock) {
			c.Must(0, plan, "-out=late.tfplan", plainly)
			clock.Advance(48 * time.Hour)
			c.Must(0, apply, plainly, "late.tfplan")
			c.ExpectInSync()
		},
		"a saved replacement applied after the session ended creates the new one": func(t *testing.T, network *acctest.Network, c *acctest.CLI, clock *sandbox.OffsetClock) {
			c.Apply()
			c.Configure(cameraFor("QOS_M"))
			c.Must(0, plan, "-out=late.tfplan", plainly)
			clock.Advance(48 * time.Hour)
			c.Must(0, apply, plainly, "late.tfplan")
			c.ExpectInSync()
			if n := len(network.SessionIDs()); n != 1 {
				t.Errorf("%d sessions, want 1", n)
			}
		},
		"terraform test with a mocked provider makes no request": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Write("camera.tftest.hcl", `
mock_provider "qod" {
  mock_resource "qod_session" {
    defaults = { qos_status = "AVAILABLE", started_at = "2028-02-29T20:15:00Z", expires_at = "2028-02-29T21:15:00Z" }
  }
}

run "reserves" {
  assert {
    condition     = qod_session.camera.qos_status == "AVAILABLE"
    error_message = "not available"
  }
}
`)
			c.Must(0, "test", plainly)
			if n := len(network.Requests()); n != 0 {
				t.Errorf("%d requests, want none", n)
			}
		},
		"OpenTofu's destroy = false leaves the session, and its replacement names the cause": func(t *testing.T, network *acctest.Network, c *acctest.CLI, _ *sandbox.OffsetClock) {
			c.Configure(with("lifecycle { destroy = false }"))
			c.Apply()
			c.Configure(strings.Replace(with("lifecycle { destroy = false }"), "QOS_L", "QOS_M", 1))
			if text := c.Must(1, apply, auto, plainly); !strings.Contains(text, "destroy = false") {
				t.Errorf("the conflict does not name its cause:\n%s", text)
			}
			for _, id := range network.SessionIDs() {
				network.Remove(id)
			}
			c.Configure("")
		},
	} {
		if strings.HasPrefix(name, "OpenTofu's") && !tofu {
			continue // Terraform has no such argument
		}
		t.Run(name, func(t *testing.T) {
			clock := sandbox.NewOffsetClock(acctest.KickOff)
			network := acc.NewNetwork(t, sandbox.Config{Clock: clock})
			c := network.CLI(camera)
			test(t, network, c, clock)
			if files, _ := filepath.Glob(filepath.Join(c.Dir, "terraform.tfstate")); len(files) > 0 {
				c.Destroy()
			}
		})
	}
}
