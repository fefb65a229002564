// Proves when a 404 means that a session is gone: not from a gateway, a replica that lags or
// another client, and past its end also without a list.

package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A gateway that has lost its route to the API answers 404 by itself. In no shape is that the API's
// word that a session is gone.
func TestSession_gatewayNotFound(t *testing.T) {
	t.Parallel()
	const unproven = "does not prove that the session is gone"
	for _, gateway := range sandbox.ForeignNotFound {
		t.Run(gateway.Name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 8, nil)

			// A list still comes through.
			network.InjectFault(sandbox.OpRead, -1, gateway.Effect)
			c := network.ClientPastLag()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i])
			}

			// Nothing does.
			network.InjectFault(sandbox.OpList, -1, gateway.Effect)
			c = network.Client()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i], "Unable to Read QoS Session: ", unproven, "The list of sessions could not settle it either", "Status: 404 Not Found")
			}
			network.InjectFault(sandbox.OpDelete, -1, gateway.Effect)
			c = network.Client()
			for i, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				expectKept(c, left, made[i], "Unable to Delete QoS Session: ", unproven, "may still be live and billed")
			}

			// Only deletes do not.
			network.Heal()
			network.InjectFault(sandbox.OpDelete, -1, gateway.Effect)
			c = network.Client()
			hasty := withDeleteTimeout(c, made[0], "1s")
			expectKept(c, c.Destroy(hasty), hasty, "Unable to Delete QoS Session: ", "The list of sessions, however, still shows the session")
			expectSessions(network, made...)

			// One answer in passing costs nothing.
			network.Heal()
			network.InjectFault(sandbox.OpDelete, 1, gateway.Effect)
			for _, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				if left.Values != nil || len(left.Diagnostics) > 0 {
					t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
				}
			}
			expectSessions(network)
		}))
	}
}

// The node that answers has not heard of a session that is seconds old, and says so in the API's
// own words.
func TestSession_replicaLags(t *testing.T) {
	t.Parallel()
	for name, operations := range map[string][]sandbox.Operation{
		"of a read":     {sandbox.OpRead},
		"of a delete":   {sandbox.OpDelete},
		"of everything": {sandbox.OpRead, sandbox.OpList, sandbox.OpDelete},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 8, nil)
			for _, op := range operations {
				network.Lag(op, 6*time.Second)
			}
			c := network.Client()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i])
			}
			expectSessions(network, made...)
			c = network.Client()
			for _, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				if left.Values != nil || len(left.Diagnostics) > 0 {
					t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
				}
			}
			expectSessions(network)
		}))
	}
}

// 410 is gone, said in another word: past the end it is proof, before it is an answer like a 404.
func TestSession_saidToBeGone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 410} {
		for name, list := range map[string]sandbox.Effect{"": {}, ", no list": sandbox.Status(403, ""), ", lists fail": sandbox.Status(503, "")} {
			t.Run(fmt.Sprint(status, name), func(t *testing.T) {
				// Not in a bubble: its clocks would agree.
				network := acc.NewNetwork(t, sandbox.Config{})
				made := network.Client().MustCreate(hour(nil))
				network.InjectFault(sandbox.OpRead, -1, sandbox.Status(status, ""))
				network.InjectFault(sandbox.OpDelete, -1, sandbox.Status(status, ""))
				if name != "" {
					network.InjectFault(sandbox.OpList, -1, list)
					c := network.ClientPastLag()
					expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ", "does not prove that the session is gone")
					expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "does not prove that the session is gone")
					expectSessions(network, made)
				}
				network.Advance(2 * time.Hour)
				c := network.Client()
				if name == ", lists fail" {
					// One answer is no clock, and no list confirms it; the next answer does.
					expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ")
				}
				for operation, left := range map[string]acctest.Result{"refresh": c.Refresh(made), "destroy": c.Destroy(made)} {
					if left.Values != nil || len(left.Diagnostics) > 0 {
						t.Errorf("%s past its end: %v; %s", operation, left.Values, acctest.Describe(left.Diagnostics))
					}
				}
				expectSessions(network)
			})
		}
	}
}

// However new a session is, another client's 404 proves nothing, and is not waited for to change.
func TestSession_newAndOfAnotherClient(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
		made := network.Client().MustCreate(hour(nil))
		c := network.ClientAs(network.Endpoint(), otherClient)
		began := time.Now()
		expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ", "it was created at "+network.Endpoint())
		expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "it was created at "+network.Endpoint())
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		expectSessions(network, made)
	})(t)
}

// State that Terraform wrote before it knew identities has none; a session that is gone, or not,
// is read all the same.
func TestSession_readWithoutIdentity(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(nil))
		made.Identity = nil
		if read := c.Refresh(made); !read.Equal(made) || len(read.Diagnostics) > 0 {
			t.Errorf("live: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
		network.RemovePastLag(made.Text("id"))
		network.ExpectGoneWarning(network.Client().Refresh(made), made.Text("id"))
	})(t)
}
