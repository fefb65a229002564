// Proves that a create whose answer is lost ends with the one session it made, or says which two it
// may have made.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A fault of the network at the one moment when a session could be lost, the answer to its POST,
// costs nothing: the session is found again and there is no second POST.
func TestSession_lostAnswer(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropAfterCommit()})
		made := c.MustCreate(hour(nil))
		if ids := network.SessionIDs(); len(ids) != 1 || made.Text("id") != ids[0] || made.Text("qos_status") != "AVAILABLE" {
			t.Errorf("state has %v, the network %v", made.Values, ids)
		}
		if got := network.Writes(); got != "POST" {
			t.Errorf("requests that change something: %s, want one POST", got)
		}
	})(t)
}

// The answer to a POST is lost, lists lag behind it, and the network would take a second session
// for the device. It has one in the end that the state has, or the error names both.
func TestSession_lostAnswerAndLaggingList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lost sandbox.Effect
		lag  time.Duration
		says []string // of the error; none: there is one session
	}{
		"for a moment":              {lost: sandbox.DropAfterCommit(), lag: 3 * time.Second},
		"for a moment, after a 502": {lost: sandbox.StatusAfterCommit(502, ""), lag: 3 * time.Second},
		"longer than anybody can wait": {lost: sandbox.DropAfterCommit(), lag: time.Hour, says: []string{
			"Unable to Create QoS Session: ", "may have created two sessions", "The later session is in the state", "tainted", "May be billed until: ", "x-correlator: ",
		}},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{SeveralPerDevice: true}, func(t *testing.T, network *acctest.Network) {
			network.Lag(sandbox.OpList, test.lag)
			network.Lag(sandbox.OpCreate, test.lag)
			network.InjectFault(sandbox.OpCreate, 1, test.lost)
			config := attrs{"max_retries": 2}
			if test.says != nil {
				config["request_timeout"] = "1s" // which bounds how long it is looked for
			}
			made := network.ClientWith(config).Create(hour(attrs{"timeouts": attrs{"create": "8s"}}))
			if test.says == nil {
				if len(made.Diagnostics) > 0 {
					t.Errorf("it says: %s", acctest.Describe(made.Diagnostics))
				}
				expectSessions(network, made.State)
				return
			}
			acctest.ContainsAll(t, made.Errors(), test.says)
			if !slices.Contains(network.SessionIDs(), made.Text("id")) || !strings.Contains(made.Errors(), "Session: "+made.Text("id")) {
				t.Errorf("the state has %q, the network %v; %s", made.Text("id"), network.SessionIDs(), acctest.Describe(made.Diagnostics))
			}
		}))
	}
}
