// Proves what becomes of an extension that fails on its way, of a qod_session and of a
// qod_reservation alike: it is never requested twice for the same time, what is not granted stays
// planned, and the session is kept.

package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestExtension_faults(t *testing.T) {
	t.Parallel()
	slow := sandbox.Config{API: sandbox.CAMARAV1, Provisioning: time.Second}
	const notAllowed = `{"status":409,"code":"QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED","message":"Not in this state"}`
	fault := func(effect sandbox.Effect) func(*acctest.Network, string) {
		return func(n *acctest.Network, _ string) { n.InjectFault(sandbox.OpExtend, 1, effect) }
	}
	refused := func(status int, code string) func(*acctest.Network, string) {
		return fault(sandbox.Status(status, `{"code":"`+code+`","message":"Says the operator"}`))
	}
	during := func(happens func(n *acctest.Network, id string)) func(*acctest.Network, string) {
		return func(n *acctest.Network, id string) {
			n.OnRequest(sandbox.OpExtend, 1, func() { happens(n, id) })
		}
	}
	// A session of three hours is to last a fourth, or more, after two have passed.
	for name, test := range map[string]struct {
		arrange func(*acctest.Network, string)
		hours   int      // wanted; 0: four
		sent    string   // by the run
		lasts   int      // hours that the session lasts then
		says    []string // the error
		warns   []string // the warning, if there is no error
		next    string   // sent by the run after an error, which succeeds
	}{
		"granted":                  {arrange: func(*acctest.Network, string) {}, sent: "EXTEND", lasts: 4},
		"lost before the commit":   {arrange: fault(sandbox.DropBeforeCommit()), sent: "EXTEND EXTEND", lasts: 4},
		"lost after it":            {arrange: fault(sandbox.DropAfterCommit()), sent: "EXTEND", lasts: 4},
		"an error before it":       {arrange: fault(sandbox.Status(http.StatusServiceUnavailable, "")), sent: "EXTEND EXTEND", lasts: 4},
		"an error after it":        {arrange: fault(sandbox.StatusAfterCommit(http.StatusBadGateway, "")), sent: "EXTEND", lasts: 4},
		"half an answer":           {arrange: fault(sandbox.Truncate(20)), sent: "EXTEND", lasts: 4},
		"another answer":           {arrange: fault(sandbox.Answer(http.StatusOK, "text/html", "<html>")), sent: "EXTEND", lasts: 4},
		"sent twice by a proxy":    {arrange: fault(sandbox.Duplicate()), sent: "EXTEND", lasts: 5, warns: []string{"2028-03-01T01:1"}},
		"a token that has expired": {arrange: during(func(n *acctest.Network, _ string) { n.RevokeTokens() }), sent: "EXTEND EXTEND", lasts: 4},
		"too many requests":        {arrange: refused(http.StatusTooManyRequests, "TOO_MANY_REQUESTS"), sent: "EXTEND EXTEND", lasts: 4},
		"capped": {
			arrange: func(*acctest.Network, string) {}, hours: 8, sent: "EXTEND", lasts: 6,
			warns: []string{"network grants", "2028-03-01T02:15:0"},
		},
		"capped, and lost after the commit": {
			arrange: fault(sandbox.DropAfterCommit()), hours: 8, sent: "EXTEND", lasts: 6,
			warns: []string{"network grants", "2028-03-01T02:15:0"},
		},
		"refused, and it is REQUESTED": { // again, for an hour
			arrange: during(func(n *acctest.Network, id string) {
				n.Edit(id, func(s *sandbox.Session) { s.Status, s.Duration = sandbox.StatusRequested, 3600 })
			}),
			sent: "EXTEND EXTEND", lasts: 2, // from now on
		},
		"refused, and it is AVAILABLE": {
			arrange: fault(sandbox.Status(http.StatusConflict, notAllowed)), sent: "EXTEND", lasts: 3,
			says: []string{"(409)", "Not in this state", "SESSION_EXTENSION_NOT_ALLOWED"}, next: "EXTEND",
		},
		"refused, and it is UNAVAILABLE": {
			arrange: during(func(n *acctest.Network, id string) { n.Revoke(id) }), sent: "EXTEND", lasts: 3,
			says: []string{"(409)", "SESSION_EXTENSION_NOT_ALLOWED"}, next: "DELETE POST",
		},
		"refused, since it is gone": {
			arrange: during(func(n *acctest.Network, id string) { n.Remove(id) }), sent: "EXTEND",
			says: []string{"gone"}, next: "POST",
		},
		"refused as too long": {
			arrange: refused(http.StatusBadRequest, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"), hours: 8, sent: "EXTEND EXTEND", lasts: 6,
			warns: []string{"network grants", "2028-03-01T02:15:0"},
		},
		"refused for its scope": {
			arrange: refused(http.StatusForbidden, "PERMISSION_DENIED"), sent: "EXTEND", lasts: 3,
			says: []string{"quality-on-demand:sessions:update"}, next: "EXTEND",
		},
		"refused for the quota": {
			arrange: refused(http.StatusTooManyRequests, "QUOTA_EXCEEDED"), sent: "EXTEND", lasts: 3,
			says: []string{"QUOTA_EXCEEDED"}, next: "EXTEND",
		},
		"refused by a gateway without the path": {
			arrange: fault(sandbox.Status(http.StatusNotFound, `{"message":"no Route matched with those values"}`)), sent: "EXTEND", lasts: 3,
			says: []string{"no Route matched"}, next: "EXTEND",
		},
	} {
		for _, resource := range []string{"session", "reservation"} {
			t.Run(name+", "+resource, acc.InBubble(time.Hour, slow, func(t *testing.T, network *acctest.Network) {
				config, run := extendable(network, resource)
				network.AtMatch(0)
				r := run(acctest.State{}, config(3)).State
				r = run(r, config(3)).State
				id := network.SessionIDs()[0]
				network.AtMatch(2 * time.Hour)
				test.arrange(network, id)

				wanted := config(max(test.hours, 4))
				extended := run(r, wanted)
				if extended.Sent != test.sent {
					t.Errorf("the run sent %s, want %s; %s", extended.Sent, test.sent, acctest.Describe(extended.Diagnostics))
				}
				if ids := network.SessionIDs(); len(ids) > 1 || len(ids) == 1 && ids[0] != id {
					t.Errorf("the network has %v, and had %s", ids, id)
				}
				if test.lasts > 0 {
					network.ExpectDuration(time.Duration(test.lasts) * time.Hour)
				}
				switch {
				case len(test.says) > 0:
					acctest.ContainsAll(t, extended.Errors(), append(test.says, "Unable to Update", id))
					again := run(extended.State, wanted)
					if again.Sent != test.next || again.Errors() != "" {
						t.Errorf("the next run sent %q, want %q; %s", again.Sent, test.next, acctest.Describe(again.Diagnostics))
					}
					extended = run(again.State, wanted) // which learns of a new session that it is AVAILABLE
				case len(test.warns) > 0:
					network.ExpectOneWarning(extended, test.warns...)
				case len(extended.Diagnostics) > 0:
					t.Error(acctest.Describe(extended.Diagnostics))
				}
				if last := run(extended.State, wanted); last.Planned || len(last.Diagnostics) > 0 || len(network.SessionIDs()) != 1 {
					t.Errorf("the last plan is not empty, or the network has %v; %s", network.SessionIDs(), acctest.Describe(last.Diagnostics))
				}
				if strings.Contains(network.Writes(), "DELETE") != strings.Contains(test.next, "DELETE") {
					t.Errorf("sent: %s", network.Writes())
				}
			}))
		}
	}
}

// extendable is a resource that lasts for so many hours from kick-off, and a run of it, in a
// process of its own, that may try again.
func extendable(network *acctest.Network, resource string) (config func(hours int) attrs, run func(acctest.State, attrs) acctest.Run) {
	client := func() *acctest.ProtocolClient { return network.ClientWith(attrs{"max_retries": 2}) }
	if resource == "reservation" {
		config = func(hours int) attrs { return broadcast("live-uplink", hours) }
		return config, func(r acctest.State, config attrs) acctest.Run {
			return network.RunWith(client().Reservations(), r, config)
		}
	}
	config = func(hours int) attrs {
		return hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "qos_profile": "live-uplink", "duration": hours * 3600})
	}
	return config, func(r acctest.State, config attrs) acctest.Run { return network.RunWith(client(), r, config) }
}
