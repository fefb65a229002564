// Proves what is left of a reservation when something fails on the way: what is known of the
// session, the work that stays planned, and what the error says.

package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// One that is created inside its window follows the rules of qod_session.
func TestReservation_createFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		injectFault func(*acctest.Network)
		more        attrs
		status      string // empty: nothing is in state
		says        []string
	}{
		"refused": {
			injectFault: func(network *acctest.Network) {
				network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"message":"not today"}`)})
			},
			says: []string{"Unable to Create QoS Reservation", "not today", "No session was created"},
		},
		"too slow": {
			injectFault: func(network *acctest.Network) { keepRequested(network, 1000) },
			more:        attrs{"timeouts": attrs{"create": "5s"}},
			status:      "REQUESTED",
			says:        []string{"Unable to Create QoS Reservation", "timeouts.create", "tainted", "untaint"},
		},
		"unavailable": {
			injectFault: func(network *acctest.Network) { network.Before(sandbox.OpRead, once(func() { revokeAll(network) })) },
			status:      "UNAVAILABLE",
			says:        []string{"Unable to Create QoS Reservation", "UNAVAILABLE", "tainted"},
		},
		"another profile": {
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosProfile"] = "QOS_S" })
			},
			status: "AVAILABLE",
			says:   []string{"Unable to Create QoS Reservation", "QOS_S instead of QOS_L", "tainted"},
		},
		"gone while it is waited for": {
			injectFault: func(network *acctest.Network) {
				keepRequested(network, 1)
				network.Before(sandbox.OpRead, func(int, *http.Request) {
					for _, id := range network.SessionIDs() {
						network.Remove(id)
					}
				})
			},
			says: []string{"Unable to Create QoS Reservation", "The session disappeared", "The next apply requests a new one"},
		},
	}
	for name, test := range tests {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			test.injectFault(network)
			failed := network.Run(acctest.State{}, match(test.more))
			network.Expect(failed, test.status, "POST")
			expectErrors(network, failed, test.says...)
			if (test.status == "") != (failed.Values == nil) {
				t.Errorf("the state has %v", failed.Values)
			}
		}))
	}
}

// An update that fails before its work is done leaves the window as it was, so that the work stays
// planned, and nothing of the session that is not known.
func TestReservation_moveFails(t *testing.T) {
	t.Parallel()
	t.Run("the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: -1, Effect: sandbox.Status(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := network.Run(r, later)
		expectErrors(network, failed, "Unable to Update QoS Reservation", "may still be live and billed", "this is safe")
		if failed.Text("status") != "AVAILABLE" && failed.Text("status") != "OVERDUE" || failed.Text("starts_at") != matchStarts || failed.Text("session_id") != network.SessionIDs()[0] {
			t.Errorf("the state has %v", failed.Values)
		}
		network.Heal()
		r = network.Expect(network.Run(failed.State, later), "SCHEDULED", "DELETE")
		network.ExpectNoChange(r, later, "SCHEDULED")
	}))
	t.Run("the answer to the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := network.Run(r, later)
		expectErrors(network, failed, "Unable to Update QoS Reservation", "may still be live and billed")
		if failed.Text("starts_at") != matchStarts || failed.Text("session_id") != r.Text("session_id") {
			t.Errorf("the state has %v", failed.Values)
		}
		r = network.Expect(network.Run(failed.State, later), "SCHEDULED", "")
		network.ExpectNoChange(r, later, "SCHEDULED")
	}))
	t.Run("the POST behind the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		revokeAll(network)
		network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{}`)})
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		failed := network.Run(r, longer)
		network.Expect(failed, "DUE", "DELETE POST")
		if failed.Text("ends_at") != matchEnds || !failed.Values["session_id"].IsNull() || !failed.Values["expires_at"].IsNull() {
			t.Errorf("the state has %v", failed.Values)
		}
		r = network.Expect(network.Run(failed.State, longer), "AVAILABLE", "POST")
		network.ExpectDuration(5 * time.Hour)
		network.ExpectNoChange(r, longer, "AVAILABLE")
	}))
	t.Run("interrupted before anything is sent", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := createScheduled(network, match(nil))
		c := network.Client().Reservations()
		r = c.Refresh(r).State
		p := c.Plan(r, match(nil))
		c = network.Client().Reservations()
		network.Before(sandbox.OpToken, once(func() { _, _ = c.Server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}) }))
		stopped := c.Apply(p)
		acctest.ContainsAll(t, stopped.Errors(), []string{"Unable to Update QoS Reservation", "interrupted"})
		if !stopped.Equal(r) || network.Writes() != "" {
			t.Errorf("sent was %q, the state has %v", network.Writes(), stopped.Values)
		}
	}))
	t.Run("the look", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		shorter := match(attrs{"ends_at": "2028-03-01T00:10:00Z"})
		c := network.Client().Reservations()
		p := c.Plan(c.Refresh(r).State, shorter)
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(403, "{}")})
		failed := c.Apply(p)
		acctest.ContainsAll(t, failed.Errors(), []string{"Unable to Update QoS Reservation", "The session may have changed or ended unnoticed"})
		if failed.Text("ends_at") != matchEnds || failed.Text("status") != "AVAILABLE" {
			t.Errorf("the state has %v", failed.Values)
		}
	}))
}

// Until when a session holds is said for every session that leaves some of its window, also where
// its end is not shown, and where the wait for it failed.
func TestReservation_endsEarly(t *testing.T) {
	t.Parallel()
	const anHourOn = "2028-03-01T01:15:00Z"
	t.Run("requested, and no end shown", acc.InBubble(0, sandbox.Config{Provisioning: time.Hour}, func(_ *testing.T, network *acctest.Network) {
		doNot := attrs{"wait_for_available": false}
		r := network.Expect(network.Run(acctest.State{}, match(doNot)), "REQUESTED", "POST")
		network.ExpectOneWarning(network.Run(r, match(doNot).With("ends_at", anHourOn)), "QoS Session Ends Before Its Window", "to end at "+anHourOn, "The live session ends at "+matchEnds)
	}))
	t.Run("the end is shown by the first answer alone", acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		first := true
		network.Echo(func(info map[string]any) {
			if !first {
				delete(info, "expiresAt")
				delete(info, "startedAt")
			}
			first = false
		})
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		if expires := r.Text("expires_at"); expires == "" || network.ExpectNoChange(r, match(nil), "AVAILABLE").Text("expires_at") != expires {
			t.Errorf("the end is forgotten")
		}
		network.ExpectOneWarning(network.Run(r, match(attrs{"ends_at": anHourOn})), "QoS Session Ends Before Its Window", "The live session ends at 2028-03-01T00:1")
	}))
	t.Run("the wait fails", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		keepRequested(network, 1000)
		made := network.Run(acctest.State{}, match(attrs{"ends_at": "2028-03-03T20:15:00Z", "timeouts": attrs{"create": "5s"}}))
		expectErrors(network, made, "timeouts.create")
		acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"QoS Session Ends Before Its Window", "until 2028-03-01T20:1"})
	}))
	t.Run("the window closes during the wait", acc.InBubble(time.Hour, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		config := match(attrs{"ends_at": "2028-02-29T20:15:30Z", "timeouts": attrs{"update": "1m"}})
		r := createScheduled(network, config)
		keepRequested(network, 1000)
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(429, "")})
		made := network.Run(r, config)
		expectErrors(network, made, "Its window has closed in the meantime, so the next apply deletes it")
	}))
}
