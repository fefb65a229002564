// Proves what a person sees of the faults of a network, with the built binary and a real CLI: lost
// answers, gateways, busy deletes, rate limits, renamed keys.

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox/tlsserver"
)

// atOnce applies or destroys without questions.
func atOnce(command string, more ...string) []string {
	return append([]string{command, auto, plainly, "-input=false"}, more...)
}

// A gateway answers 404 in the API's place: while it does, every command is red and nothing leaves
// the state; when it has passed, all is as it was.
func TestSession_gatewayNotFound_cli(t *testing.T) {
	acctest.AnyCLI(t)
	t.Parallel()
	for _, gateway := range []int{0, 1} { // with a message, and empty
		t.Run(sandbox.ForeignNotFound[gateway].Name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := network.CLI(fleet(8))
			c.Apply()
			network.AdvancePastLag()

			network.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[gateway].Effect)
			network.InjectFault(sandbox.OpDelete, 1, sandbox.ForeignNotFound[gateway].Effect)
			c.Must(0, plan, "-detailed-exitcode", plainly) // lists show them
			network.InjectFault(sandbox.OpList, -1, sandbox.ForeignNotFound[gateway].Effect)
			for _, command := range [][]string{{plan, plainly}, atOnce(apply), atOnce("destroy")} {
				text := c.Must(1, command...)
				for _, id := range network.SessionIDs() {
					acctest.ContainsAll(t, text, []string{"Unable to Read QoS Session", "Session: " + id})
				}
				c.ExpectInSync()
			}
			network.InjectFault(sandbox.OpDelete, -1, sandbox.ForeignNotFound[gateway].Effect)
			text := c.Must(1, atOnce("destroy", "-refresh=false")...)
			acctest.ContainsAll(t, text, []string{"Unable to Delete QoS Session", "does not prove that the session is gone"})
			c.ExpectInSync()

			network.Heal()
			c.Must(0, plan, "-detailed-exitcode", plainly)
			c.Destroy()
		})
	}
}

// A session that somebody has deleted is named by the plan that finds it gone.
func TestSession_goneIsNamed_cli(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.CLI(camera)
	c.Apply()
	gone := network.SessionIDs()[0]
	network.RemovePastLag(gone)
	for _, command := range [][]string{{plan, plainly}, atOnce(apply)} {
		acctest.ContainsAll(t, c.Must(0, command...), []string{"QoS Session " + gone + " Gone Before Its End"})
	}
	c.ExpectInSync()
	c.Destroy()
}

// renaming has keys whose sessions are deleted under their old names and made under their new ones,
// side by side.
func renaming(n int, prefix string) string {
	return fmt.Sprintf(`
resource "qod_session" "camera" {
  for_each    = { for i in range(%d) : "%s-${i}" => format("+346%%08d", i) }
  device      = { phone_number = each.value }
  qos_profile = "QOS_L"
  duration    = 3600
}
`, n, prefix)
}

// Keys are renamed while a delete takes seconds. One apply makes it so, if there is a place for
// each create and each delete. If there may not be, the plan warns.
func TestSession_renamedKeys_cli(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys    int
		deletes time.Duration
		args    []string
		warned  bool
		mayFail bool
	}{
		"four, slowly":                 {keys: 4, deletes: 3 * time.Second},
		"thirty":                       {keys: 30, deletes: time.Second, warned: true, mayFail: true},
		"thirty, with a place for all": {keys: 30, deletes: time.Second, warned: true, args: []string{"-parallelism=60"}},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := network.CLI(renaming(test.keys, "before"))
			c.Apply()
			network.Before(sandbox.OpDelete, func(_ int, r *http.Request) {
				select {
				case <-time.After(test.deletes):
				case <-r.Context().Done():
				}
			})
			c.Configure(renaming(test.keys, "after"))
			renamed := c.Run(atOnce(apply, test.args...)...)
			if warned := strings.Count(renamed.Text, "Many Devices Pass to Other Resources"); (warned > 0) != test.warned || warned > 1 {
				t.Errorf("%d warnings in: %s", warned, renamed.Text)
			}
			if renamed.Code != 0 {
				// Creates that wait may take all of Terraform's ten places, so that no delete can
				// start: then some give up. Their text says what to do.
				if !test.mayFail || !strings.Contains(renamed.Text, "If you renamed the resource, apply again.") {
					t.Errorf("exit code %d: %s", renamed.Code, renamed.Text)
				}
				c.ExpectInSync()
			}
			c.Apply()
			if n := len(network.SessionIDs()); n != test.keys {
				t.Errorf("%d sessions, want %d", n, test.keys)
			}
		})
	}
}

// The API takes five requests a second, of a fleet of forty.
func TestSession_rateLimited_cli(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant, RateLimit: 5})
	c := network.CLI(fleet(40))
	c.Must(0, atOnce(apply)...)
	c.ExpectInSync()
	if n := len(network.SessionIDs()); n != 40 {
		t.Errorf("%d sessions, want 40", n)
	}
	c.Must(0, plan, "-detailed-exitcode", plainly)
	c.Destroy()
}

// A replacement waits for a network that holds the device for a moment.
func TestSession_deviceHeldAfterDelete_cli(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant, HoldAfterDelete: 3 * time.Second})
	c := network.CLI(camera)
	c.Apply()
	c.Configure(cameraFor("QOS_M"))
	c.Apply()
	c.Destroy()
}

// A session that is shown past its end is replaced; one that is so by a wrong clock is not.
func TestSession_availablePastItsEnd_cli(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.CLI(camera)
	c.Apply()
	network.AdvancePastLag()
	old := network.SessionIDs()[0]

	network.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
	acctest.ContainsAll(t, c.Must(1, atOnce(apply)...), []string{"the provider cannot tell", "Session: " + old})
	c.ExpectInSync()
	network.SkewDate(nil)
	c.Must(0, plan, "-detailed-exitcode", plainly)

	showAs(network, old, map[string]any{"expiresAt": time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)})
	c.Must(0, atOnce(apply)...)
	c.ExpectInSync()
	if ids := network.SessionIDs(); len(ids) != 1 || ids[0] == old {
		t.Errorf("the network has %v, want one that replaces %s", ids, old)
	}
	c.Must(0, plan, "-detailed-exitcode", plainly)
	c.Destroy()
}

// onTLS is a network whose sandbox speaks TLS, and HTTP/2 if that is asked for.
func onTLS(t *testing.T, http2 bool, config sandbox.Config) (*acctest.Network, string) {
	t.Helper()
	t.Parallel()
	start := tlsserver.StartHTTP1
	if http2 {
		start = tlsserver.Start
	}
	s := start(t, config)
	return acc.NetworkServedAt(t, s.Sandbox, s.Endpoint()), s.CertFile
}

// The answer to a POST is lost in each way that a connection can lose it, over both versions of
// HTTP: one POST, and the session that it made.
func TestSession_lostAnswer_cli(t *testing.T) {
	acctest.AnyCLI(t)
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"dropped":             sandbox.DropAfterCommit(),
		"502":                 sandbox.StatusAfterCommit(502, ""),
		"stream error":        sandbox.ResetStreamAfterCommit(sandbox.StreamProtocolError),
		"stream refused":      sandbox.ResetStreamAfterCommit(sandbox.StreamRefused),
		"connection given up": sandbox.GoAwayAfterCommit(),
	} {
		for _, http2 := range []bool{false, true} {
			if !http2 && (strings.HasPrefix(name, "stream") || strings.HasPrefix(name, "connection")) {
				continue // there are no streams
			}
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", name, http2), func(t *testing.T) {
				network, authorities := onTLS(t, http2, sandbox.Config{Provisioning: sandbox.Instant})
				c := network.CLI(camera, "SSL_CERT_FILE="+authorities)
				network.InjectFault(sandbox.OpCreate, 1, effect)
				c.Apply()
				if n := network.Count(sandbox.OpCreate); n != 1 {
					t.Errorf("%d POSTs, want 1", n)
				}
				c.Destroy()
			})
		}
	}
}
