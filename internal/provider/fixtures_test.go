// What tests of this package share: configurations of sessions and reservations, and what they
// check of many.

package provider

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const camera = `
resource "qod_session" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  duration    = 3600
}
`

// cameraHas checks a text attribute of the camera's session.
func cameraHas(attribute, value string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New(attribute), knownvalue.StringExact(value))
}

// hour is a session of an hour, as a configuration.
func hour(more attrs) attrs {
	config := attrs{"device": attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L", "duration": 3600}
	maps.Copy(config, more)
	return config
}

// match is a reservation for four hours from kick-off, as a configuration.
func match(more attrs) attrs {
	config := attrs{
		"device": attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L",
		"starts_at": matchStarts, "ends_at": matchEnds,
	}
	maps.Copy(config, more)
	return config
}

// cameraOf is a session of an hour, for one of many devices.
func cameraOf(n int, more attrs) attrs {
	return hour(more).With("device.phone_number", fmt.Sprintf("+3462%07d", n))
}

// createCameras makes so many sessions, in one process.
func createCameras(network *acctest.Network, n int, more attrs) []acctest.State {
	network.T.Helper()
	c := network.Client()
	return sideBySide(n, func(i int) acctest.State {
		made := c.Create(cameraOf(i, more))
		if len(made.Diagnostics) > 0 {
			network.T.Errorf("create: %s", acctest.Describe(made.Diagnostics))
		}
		return made.State
	})
}

// sideBySide does something so many times at once, as Terraform does.
func sideBySide[T any](n int, do func(i int) T) []T {
	done := make([]T, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { done[i] = do(i) })
	}
	all.Wait()
	return done
}

// refreshAll is what a plan reads.
func refreshAll(c *acctest.ProtocolClient, states []acctest.State) []acctest.Result {
	c.T.Helper()
	return sideBySide(len(states), func(i int) acctest.Result { return c.Refresh(states[i]) })
}

// expectKept checks that an operation has left the state as it was; with what it says: nothing, or
// an error with these parts in which the session is named.
func expectKept(c *acctest.ProtocolClient, left acctest.Result, was acctest.State, says ...string) {
	c.T.Helper()
	if !left.Equal(was) {
		c.T.Errorf("the state has changed:\n%s", left.Diff(was))
	}
	if acctest.HasError(left.Diagnostics) != (len(says) > 0) || len(left.Diagnostics) > 1 {
		c.T.Errorf("it says: %s", acctest.Describe(left.Diagnostics))
	}
	for _, part := range append(says, "Session: "+was.Text("id")) {
		if len(says) > 0 && !strings.Contains(left.Errors(), part) {
			c.T.Errorf("%q is missing in: %s", part, acctest.Describe(left.Diagnostics))
		}
	}
}

// withDeleteTimeout is a state whose configuration gives a delete so much time.
func withDeleteTimeout(c *acctest.ProtocolClient, r acctest.State, deletes string) acctest.State {
	c.T.Helper()
	r.Values = maps.Clone(r.Values)
	r.Values["timeouts"] = c.Convert(r.Values["timeouts"].Type(), attrs{"delete": deletes})
	return r
}

// expectSessions checks that the network holds just the sessions of these states.
func expectSessions(network *acctest.Network, states ...acctest.State) {
	network.T.Helper()
	var inState []string
	for _, r := range states {
		if id := r.Text("id"); id != "" {
			inState = append(inState, strings.ToLower(id))
		}
	}
	slices.Sort(inState)
	if onNetwork := network.SessionIDs(); !slices.Equal(inState, onNetwork) {
		network.T.Errorf("state and network differ:\n  state:   %v\n  network: %v", inState, onNetwork)
	}
}

// showAs has the network show a session with another end, or anything else.
func showAs(network *acctest.Network, id string, changes map[string]any) {
	network.Echo(func(info map[string]any) {
		if info["sessionId"] == id {
			maps.Copy(info, changes)
		}
	})
}

// createScheduled is a reservation that was made before its window opened, which it does now.
func createScheduled(network *acctest.Network, config attrs) acctest.State {
	network.T.Helper()
	r := network.Expect(network.Run(acctest.State{}, config), "SCHEDULED", "")
	network.AtMatch(0)
	return r
}

// expectErrors checks the errors of a run.
func expectErrors(network *acctest.Network, p acctest.Run, texts ...string) {
	network.T.Helper()
	if p.Errors() == "" {
		network.T.Errorf("there is no error; %s", acctest.Describe(p.Diagnostics))
	}
	acctest.ContainsAll(network.T, p.Errors(), texts)
}

// keepRequested keeps the network's sessions REQUESTED for a number of looks.
func keepRequested(network *acctest.Network, looks int) {
	network.Echo(func(info map[string]any) {
		if looks--; looks >= 0 {
			info["qosStatus"] = "REQUESTED"
		}
	})
}

func revokeAll(network *acctest.Network) {
	for _, id := range network.SessionIDs() {
		network.Revoke(id)
	}
}

// once is a hook that runs for one request.
func once(f func()) func(int, *http.Request) {
	var begun atomic.Bool
	return func(int, *http.Request) {
		if begun.CompareAndSwap(false, true) {
			f()
		}
	}
}

const page = "<!DOCTYPE html><html><body>Please log in</body></html>"

// offline is the default API as far as it answers without a request, with nothing to object to.
// What a test is about, it adds.
type offline struct{ qod.Sessions }

func (offline) Check(qod.Spec) []qod.Problem            { return nil }
func (offline) Limits() qod.Limits                      { return qod.LimitsOf(qod.OpenGateway) }
func (offline) KnownProfile(string) (qod.Profile, bool) { return qod.Profile{}, false }
func (offline) Collide(a, b qod.Spec) bool              { return a.Device.Matches(b.Device) }
