// Proves that a delete which may not have worked keeps the session in state, that one which is
// refused for now is repeated, and that a device which the network still holds is waited for.

package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A DELETE that may not have worked keeps the session in state, since it may be billed; one of
// what is gone, or whose answer was lost, ends with the session gone.
func TestSession_deleteFails(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
		for name, effect := range map[string]sandbox.Effect{
			"404 with a web page": sandbox.Status(404, page, "Content-Type", "text/html"),
			"403":                 sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
			"500":                 sandbox.Status(500, ""),
			"a redirect":          sandbox.Redirect(307, "https://login.example.com/"),
			"a cut connection":    sandbox.DropBeforeCommit(),
		} {
			// As often as the client asks: net/http repeats by itself what never reached a server.
			network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: effect, Times: -1})
			left := c.Destroy(made)
			network.Heal()
			if !left.Equal(made) {
				t.Errorf("%s: the state has changed to %v", name, left.Values)
			}
			acctest.ContainsAll(t, left.Errors(), []string{"Unable to Delete QoS Session: ", "Session: " + made.Text("id")})
			if ids := network.SessionIDs(); len(ids) != 1 {
				t.Fatalf("%s: the network has %v", name, ids)
			}
		}

		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(500, "")})
		if left := c.Destroy(made); left.Values == nil || !acctest.HasError(left.Diagnostics) {
			t.Errorf("a lost answer: want an error, got %v; %s", left.Values, acctest.Describe(left.Diagnostics))
		}
		network.ExpectGoneWarning(network.ClientPastLag().Destroy(made), made.Text("id"))
	})(t)
}

// A DELETE that is not answered ends with the time allowed, and keeps the session in state.
func TestSession_deleteTimesOut(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "300ms"}}))
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.HangBeforeCommit()})
		left := c.Destroy(made)
		if !left.Equal(made) {
			t.Errorf("the state has changed to %v", left.Values)
		}
		acctest.ContainsAll(t, left.Errors(), []string{"Unable to Delete QoS Session: ", "in the time allowed", "Session: " + made.Text("id")})
	})(t)
}

// A delete that is refused for now is repeated.
func TestSession_busyDelete(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 423, 425, 429} {
		t.Run(fmt.Sprint(status), acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			c := network.Client()
			made := c.MustCreate(hour(nil))
			network.InjectFault(sandbox.OpDelete, 2, sandbox.Status(status, `{"code": "BUSY", "message": "not now"}`))
			if left := c.Destroy(made); left.Values != nil || len(left.Diagnostics) > 0 {
				t.Errorf("%v; %s", left.Values, acctest.Describe(left.Diagnostics))
			}
			expectSessions(network)
		}))
	}
	t.Run("for too long", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
		network.InjectFault(sandbox.OpDelete, -1, sandbox.Status(423, `{"code": "BUSY", "message": "not now"}`))
		expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "in the time allowed (timeouts.delete)", "does not delete the session yet (423 Locked)", "not now")
		expectSessions(network, made)
	}))
}

// The network holds the device for a while after it has said that the old session is deleted.
func TestSession_deviceHeldAfterDelete(t *testing.T) {
	t.Parallel()
	t.Run("for a while", acc.InBubble(0, sandbox.Config{HoldAfterDelete: 50 * time.Second}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		old := c.MustCreate(hour(nil))
		if left := c.Destroy(old); len(left.Diagnostics) > 0 {
			t.Fatal(acctest.Describe(left.Diagnostics))
		}
		made := c.Create(hour(attrs{"duration": 1800}))
		if len(made.Diagnostics) > 0 {
			t.Errorf("it says: %s", acctest.Describe(made.Diagnostics))
		}
		expectSessions(network, made.State)
	}))
	t.Run("for too long", acc.InBubble(0, sandbox.Config{HoldAfterDelete: time.Hour}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		old := c.MustCreate(hour(nil))
		c.Destroy(old)
		made := c.Create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
		acctest.ContainsAll(t, made.Errors(), []string{"This run has deleted, or is deleting, a session for this device", "Deleted session: " + old.Text("id"), "apply again in a few minutes"})
		if strings.Contains(made.Errors(), "another team") || made.Values != nil {
			t.Errorf("%v; %s", made.Values, acctest.Describe(made.Diagnostics))
		}
		expectSessions(network)
	}))
}
