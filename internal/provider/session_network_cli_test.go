// The faults of session_network_test.go that a person would meet, with the built binary and a real CLI.

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox/tlsserver"
)

// atOnce applies or destroys without questions.
func atOnce(command string, more ...string) []string {
	return append([]string{command, auto, plainly, "-input=false"}, more...)
}

// A gateway answers 404 in the API's place: while it does, every command is red and nothing leaves the
// state; when it has passed, all is as it was.
func TestSession_gatewayNotFound_cli(t *testing.T) {
	t.Parallel()
	for _, gateway := range []int{0, 1} { // with a message, and empty
		t.Run(sandbox.ForeignNotFound[gateway].Name, func(t *testing.T) {
			w := acc.newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := w.cli(fleet(8))
			c.apply()
			w.outgrowLag()

			w.spoil(sandbox.OpRead, -1, sandbox.ForeignNotFound[gateway].Effect)
			w.spoil(sandbox.OpDelete, 1, sandbox.ForeignNotFound[gateway].Effect)
			c.must(0, plan, "-detailed-exitcode", plainly) // lists show them
			w.spoil(sandbox.OpList, -1, sandbox.ForeignNotFound[gateway].Effect)
			for _, command := range [][]string{{plan, plainly}, atOnce(apply), atOnce("destroy")} {
				text := c.must(1, command...)
				for _, id := range w.ids() {
					containsAll(t, text, []string{"Unable to Read QoS Session", "Session: " + id})
				}
				c.isLedger()
			}
			w.spoil(sandbox.OpDelete, -1, sandbox.ForeignNotFound[gateway].Effect)
			text := c.must(1, atOnce("destroy", "-refresh=false")...)
			containsAll(t, text, []string{"Unable to Delete QoS Session", "does not prove that the session is gone"})
			c.isLedger()

			w.Heal()
			c.must(0, plan, "-detailed-exitcode", plainly)
			c.destroy()
		})
	}
}

// A session that somebody has deleted is named by the plan that finds it gone.
func TestSession_goneIsNamed_cli(t *testing.T) {
	w := acc.newWorld(t, sandbox.Config{})
	c := w.cli(camera)
	c.apply()
	gone := w.ids()[0]
	w.removeOld(gone)
	for _, command := range [][]string{{plan, plainly}, atOnce(apply)} {
		containsAll(t, c.must(0, command...), []string{"QoS Session " + gone + " Gone Before Its End"})
	}
	c.isLedger()
	c.destroy()
}

// renaming has keys whose sessions are deleted under their old names and made under their new ones, side
// by side.
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

// Keys are renamed while a delete takes seconds. One apply makes it so, at Terraform's own parallelism, as
// long as there is a place for each create and each delete.
func TestSession_renamedKeys_cli(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys    int
		deletes time.Duration
	}{"four, slowly": {4, 3 * time.Second}, "thirty": {30, time.Second}} {
		t.Run(name, func(t *testing.T) {
			w := acc.newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := w.cli(renaming(test.keys, "before"))
			c.apply()
			w.Before(sandbox.OpDelete, func(_ int, r *http.Request) {
				select {
				case <-time.After(test.deletes):
				case <-r.Context().Done():
				}
			})
			c.configure(renaming(test.keys, "after"))
			if renamed := c.run(atOnce(apply)...); renamed.code != 0 {
				// Creates that wait may take all of Terraform's ten places, so that no delete can start: then
				// some give up. Their text says what to do.
				if test.keys < 10 || !strings.Contains(renamed.text, "renamed without a moved block") {
					t.Errorf("exit code %d: %s", renamed.code, renamed.text)
				}
				c.isLedger()
			}
			c.apply()
			if n := len(w.ids()); n != test.keys {
				t.Errorf("%d sessions, want %d", n, test.keys)
			}
		})
	}
}

// The API takes five requests a second, of a fleet of forty.
func TestSession_rateLimited_cli(t *testing.T) {
	w := acc.newWorld(t, sandbox.Config{Provisioning: sandbox.Instant, RateLimit: 5})
	c := w.cli(fleet(40))
	c.must(0, atOnce(apply)...)
	c.isLedger()
	if n := len(w.ids()); n != 40 {
		t.Errorf("%d sessions, want 40", n)
	}
	c.must(0, plan, "-detailed-exitcode", plainly)
	c.destroy()
}

// A replacement waits for a network that holds the device for a moment.
func TestSession_deviceHeldAfterDelete_cli(t *testing.T) {
	w := acc.newWorld(t, sandbox.Config{Provisioning: sandbox.Instant, HoldAfterDelete: 3 * time.Second})
	c := w.cli(camera)
	c.apply()
	c.configure(cameraFor("QOS_M"))
	c.apply()
	c.destroy()
}

// A session that is shown past its end is replaced; one that is so by a wrong clock is not.
func TestSession_availablePastItsEnd_cli(t *testing.T) {
	w := acc.newWorld(t, sandbox.Config{})
	c := w.cli(camera)
	c.apply()
	w.outgrowLag()
	old := w.ids()[0]

	w.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
	containsAll(t, c.must(1, atOnce(apply)...), []string{"nothing can be concluded", "Session: " + old})
	c.isLedger()
	w.SkewDate(nil)
	c.must(0, plan, "-detailed-exitcode", plainly)

	w.shownAs(old, map[string]any{"expiresAt": time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)})
	c.must(0, atOnce(apply)...)
	c.isLedger()
	if ids := w.ids(); len(ids) != 1 || ids[0] == old {
		t.Errorf("the network has %v, want one that replaces %s", ids, old)
	}
	c.must(0, plan, "-detailed-exitcode", plainly)
	c.destroy()
}

// onTLS is a world whose sandbox speaks TLS, and HTTP/2 if that is asked for.
func onTLS(t *testing.T, http2 bool, config sandbox.Config) (*world, string) {
	t.Helper()
	t.Parallel()
	start := tlsserver.StartHTTP1
	if http2 {
		start = tlsserver.Start
	}
	s := start(t, config)
	return acc.servedAt(t, s.Sandbox, s.Endpoint()), s.CertFile
}

// The answer to a POST is lost in each way that a connection can lose it, over both versions of HTTP:
// one POST, and the session that it made.
func TestSession_lostAnswer_cli(t *testing.T) {
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
				w, authorities := onTLS(t, http2, sandbox.Config{Provisioning: sandbox.Instant})
				c := w.cli(camera, "SSL_CERT_FILE="+authorities)
				w.spoil(sandbox.OpCreate, 1, effect)
				c.apply()
				if n := w.Count(sandbox.OpCreate); n != 1 {
					t.Errorf("%d POSTs, want 1", n)
				}
				c.destroy()
			})
		}
	}
}
