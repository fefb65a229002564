// Proves that a reservation's session is extended in place where the API can: as soon as its window
// is moved, and in time where the window is longer than the API grants at once.

package provider

import (
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// broadcast is a reservation from kick-off for so many hours.
func broadcast(profile string, hours int) attrs {
	return match(attrs{
		"application_server": attrs{"ipv4_address": "198.51.100.7"}, "qos_profile": profile,
		"ends_at": acctest.KickOff.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339),
	})
}

// Extra time is one extension in place, whether or not the configuration would have it replaced
// elsewhere. An earlier end cuts nothing.
func TestReservation_extraTime(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]attrs{"as it is": nil, "replace_to_extend": {"replace_to_extend": true}} {
		t.Run(name, acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
			config := func(hours int) attrs {
				c := broadcast("live-uplink", hours)
				maps.Copy(c, more)
				return c
			}
			r := createScheduled(network, config(3))
			r = network.Expect(network.Run(r, config(3)), "AVAILABLE", "POST")
			id := r.Text("session_id")
			network.AtMatch(2 * time.Hour)
			extended := network.Run(r, config(4))
			r = network.Expect(extended, "AVAILABLE", "EXTEND")
			if len(extended.Diagnostics) > 0 || r.Text("session_id") != id {
				t.Errorf("another session, or diagnostics: %s", acctest.Describe(extended.Diagnostics))
			}
			network.ExpectDuration(4 * time.Hour)
			r = network.ExpectNoChange(r, config(4), "AVAILABLE")

			// The profile allows six hours: one warning, and nothing is asked twice.
			capped := network.Run(r, config(8))
			r = network.Expect(capped, "AVAILABLE", "EXTEND")
			network.ExpectOneWarning(capped, "QoS Session Ends Before Its Window", "The network grants no more at a time", id)
			network.ExpectDuration(6 * time.Hour)
			r = network.ExpectNoChange(r, config(8), "AVAILABLE")

			r = network.Run(r, config(5)).State
			if s := network.Ledger()[0]; s.ID != id || s.Duration < 6*3600-5 {
				t.Errorf("an earlier end has cut the session to %d seconds", s.Duration)
			}
			network.AtMatch(5 * time.Hour)
			network.Expect(network.Run(r, config(5)), "ENDED", "DELETE")
		}))
	}
}

// refusing is a network that refuses what is beyond a limit, in place of granting as much as it
// allows.
func refusing(network sandbox.Config) sandbox.Config {
	network.ExtendRefuses = true
	return network
}

// A window of 60 hours, where a session is granted for 24 at a time, is covered by the runs of a
// loop: without a gap where the gateway extends, and with one session after the other where it does
// not.
func TestReservation_longWindow(t *testing.T) {
	t.Parallel()
	const pass = 2 * time.Hour
	for name, test := range map[string]struct {
		network  sandbox.Config
		profile  string
		sent     string // by all passes until the end of the window
		sessions int
	}{
		"the limit is for what remains":       {sandbox.Config{API: sandbox.CAMARAV1, ExtendRemaining: true}, "QOS_L", "POST EXTEND EXTEND EXTEND", 1},
		"the limit is for it with 0.10":       {v0Network, "QOS_L", "POST EXTEND EXTEND EXTEND", 1},
		"the limit is for the whole session":  {camaraNetwork, "QOS_L", "POST EXTEND POST EXTEND POST", 3},
		"it refuses what is beyond the limit": {refusing(camaraNetwork), "QOS_L", "POST EXTEND EXTEND POST EXTEND POST", 3},
		"the same, and the limit is for what remains": {refusing(sandbox.Config{API: sandbox.CAMARAV1, ExtendRemaining: true}), "QOS_L",
			"POST EXTEND EXTEND EXTEND EXTEND EXTEND", 1},
		"the same with 0.10":                  {refusing(v0Network), "QOS_L", "POST EXTEND EXTEND EXTEND EXTEND EXTEND", 1},
		"the profile allows the whole window": {camaraNetwork, "long-event", "POST EXTEND", 1},
	} {
		t.Run(name, acc.InBubble(time.Hour, test.network, func(t *testing.T, network *acctest.Network) {
			config := broadcast(test.profile, 60)
			r := createScheduled(network, config)
			ids := map[string]bool{}
			for at := time.Duration(0); at < 60*time.Hour; at += pass {
				network.AtMatch(at)
				run := network.Run(r, config)
				if r = run.State; run.Errors() != "" || r.Text("status") != "AVAILABLE" {
					t.Fatalf("after %s it is %s: %s", at, r.Text("status"), acctest.Describe(run.Diagnostics))
				}
				if run.Sent != "" {
					r = network.ExpectNoChange(r, config, "AVAILABLE")
				}
				ids[r.Text("session_id")] = true
			}
			if got := network.Writes(); got != test.sent || len(ids) != test.sessions {
				t.Errorf("the loop sent %q for %d sessions, want %q for %d", got, len(ids), test.sent, test.sessions)
			}
			network.AtMatch(60*time.Hour + time.Minute)
			network.Run(r, config)
			if left := network.SessionIDs(); len(left) > 0 {
				t.Errorf("left after the window: %v", left)
			}
		}))
	}
}

// What fails is red and stays planned, the status says so, and the session is kept.
func TestReservation_extensionFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		says   []string
		next   string
	}{
		"refused": {
			sandbox.Status(http.StatusConflict, `{"status":409,"code":"QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED","message":"Not now"}`),
			[]string{"Unable to Update QoS Reservation", "Not now", "SESSION_EXTENSION_NOT_ALLOWED"}, "EXTEND",
		},
		"not allowed": {
			sandbox.Status(http.StatusForbidden, `{"status":403,"code":"PERMISSION_DENIED","message":"No"}`),
			[]string{"Unable to Update QoS Reservation", "quality-on-demand:sessions:update"}, "EXTEND",
		},
		"lost after the commit": {effect: sandbox.DropAfterCommit()},
	} {
		t.Run(name, acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
			r := createScheduled(network, broadcast("QOS_L", 3))
			r = network.Expect(network.Run(r, broadcast("QOS_L", 3)), "AVAILABLE", "POST")
			network.AtMatch(2 * time.Hour)
			network.InjectFault(sandbox.OpExtend, 1, test.effect)
			config := broadcast("QOS_L", 4)
			run := network.Run(r, config)
			if len(test.says) == 0 {
				r = network.Expect(run, "AVAILABLE", "EXTEND")
			} else {
				r = network.Expect(run, "EXPIRING", "EXTEND")
				acctest.ContainsAll(t, run.Errors(), append(test.says, r.Text("session_id")))
				acctest.ContainsAll(t, acctest.Describe(run.Diagnostics), []string{"It was not extended", "Run Terraform again before the session ends"})
				r = network.Expect(network.Run(r, config), "AVAILABLE", test.next)
			}
			network.ExpectDuration(4 * time.Hour)
			network.ExpectNoChange(r, config, "AVAILABLE")
			if strings.Contains(network.Writes(), "DELETE") {
				t.Error("the session was deleted")
			}
		}))
	}
}

// An imported session that ends before its window is extended by the first apply: it cuts and buys
// nothing else, and the second plan is empty.
func TestReservation_importExtends(t *testing.T) {
	acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
		network.AtMatch(0)
		seeded := network.Seed(sandbox.Session{
			Device: sandbox.Device{PhoneNumber: "+34600000010"}, ApplicationServer: &sandbox.ApplicationServer{IPv4Address: "198.51.100.7"},
			QoSProfile: "QOS_L", Duration: 3600,
		})
		config := broadcast("QOS_L", 3)
		imported := network.Client().Reservations().Import(seeded.ID)
		run := network.Run(imported.State, config)
		r := network.Expect(run, "AVAILABLE", "EXTEND")
		if text := acctest.Describe(run.Diagnostics); strings.Contains(text, "replace") {
			t.Errorf("it speaks of a replacement: %s", text)
		}
		network.ExpectDuration(3 * time.Hour)
		network.ExpectNoChange(r, config, "AVAILABLE")
	})(t)
}

// A plan that only extends a session shows it as it is: nothing is left open but its end and what
// that makes in seconds.
func TestPlanReservation_extends(t *testing.T) {
	t.Parallel()
	text := types.StringValue
	var (
		later    = withWindow(text(matchStarts), text("2028-03-01T01:15:00Z"))
		tomorrow = withWindow(text("2028-03-01T00:30:00Z"), text("2028-03-01T04:15:00Z"))
		imported = withWindow(types.StringNull(), types.StringNull())
		none     = func(*reservationModel) {}
		noStart  = func(m *reservationModel) { m.StartedAt = types.StringNull() }
	)
	for name, test := range map[string]struct {
		config, prior func(*reservationModel)
		unknown       string // of the session
	}{
		"a later end":                       {later, none, "ExpiresAt GrantedSeconds"},
		"a later end and an earlier start":  {withWindow(types.StringNull(), text("2028-03-01T01:15:00Z")), none, "ExpiresAt GrantedSeconds"},
		"EXPIRING":                          {none, withStatus("EXPIRING"), "ExpiresAt GrantedSeconds"},
		"a later end, EXPIRING":             {later, withStatus("EXPIRING"), "ExpiresAt GrantedSeconds"},
		"a start that the API has not told": {later, noStart, "StartedAt ExpiresAt Sessions GrantedSeconds"},
		"an earlier end":                    {withWindow(text(matchStarts), text("2028-02-29T23:15:00Z")), none, "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
		"a window that may not be open":     {tomorrow, none, "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
		"REQUESTED":                         {later, withStatus("REQUESTED"), "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
		"UNAVAILABLE":                       {later, withStatus("UNAVAILABLE"), "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
		"imported":                          {later, imported, "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
		"an end that is not known":          {withWindow(text(matchStarts), types.StringUnknown()), none, "SessionID Status StatusInfo StartedAt ExpiresAt Sessions GrantedSeconds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, prior := fullReservation(), appliedReservation()
			test.config(&config)
			test.prior(&prior)
			planned := planReservation(config, &prior, sessionPrivate{}, camaraAPI).planned
			var unknown []string
			for _, field := range []string{"SessionID", "Status", "StatusInfo", "StartedAt", "ExpiresAt", "Sessions", "GrantedSeconds"} {
				value := func(m reservationModel) attr.Value {
					v, _ := reflect.TypeAssert[attr.Value](reflect.ValueOf(m).FieldByName(field))
					return v
				}
				if value(planned).IsUnknown() {
					unknown = append(unknown, field)
				} else if field == "Status" && planned.Status.ValueString() != "AVAILABLE" || field != "Status" && !value(planned).Equal(value(prior)) {
					t.Errorf("%s is planned as %s, and was %s", field, value(planned), value(prior))
				}
			}
			if got := strings.Join(unknown, " "); got != test.unknown {
				t.Errorf("not known are %q, want %q", got, test.unknown)
			}
		})
	}
}

// A plan to extend a session buys no other one, whatever happens before it is applied. The apply is
// an error then, and the next plan reserves what is missing.
func TestReservation_extensionAfterChange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		happens func(*acctest.Network, string)
		status  string // then
		next    string // sent by the next run
	}{
		"gone":                       {func(n *acctest.Network, id string) { n.Remove(id) }, "DUE", "POST"},
		"UNAVAILABLE":                {func(n *acctest.Network, id string) { n.Revoke(id) }, "UNAVAILABLE", "DELETE POST"},
		"past its end":               {func(n *acctest.Network, _ string) { n.AtMatch(3*time.Hour + 10*time.Minute) }, "DUE", "POST"},
		"past the end of its window": {func(n *acctest.Network, _ string) { n.AtMatch(5 * time.Hour) }, "ENDED", ""},
		"gone while it is extended": {func(n *acctest.Network, id string) {
			n.OnRequest(sandbox.OpExtend, 1, func() { n.Remove(id) })
		}, "DUE", "POST"},
		"UNAVAILABLE while it is extended": {func(n *acctest.Network, id string) {
			n.OnRequest(sandbox.OpExtend, 1, func() { n.Revoke(id) })
		}, "EXPIRING", "DELETE POST"},
	} {
		t.Run(name, acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
			r := createScheduled(network, broadcast("QOS_L", 3))
			r = network.Expect(network.Run(r, broadcast("QOS_L", 3)), "AVAILABLE", "POST")
			id := r.Text("session_id")
			network.AtMatch(2 * time.Hour)
			config := broadcast("QOS_L", 4)
			plan := network.Client().Reservations().Plan(r, config)
			if plan.Planned.Text("session_id") != id {
				t.Fatalf("the plan is not to extend %s", id)
			}
			test.happens(network, id)
			applied := network.Client().Reservations().Apply(plan)
			acctest.ContainsAll(t, applied.Errors(), []string{"Unable to Update QoS Reservation", id})
			if strings.Contains(network.Writes(), "POST POST") || strings.Contains(network.Writes(), "DELETE") {
				t.Errorf("it sent %s", network.Writes())
			}
			next := network.Run(applied.State, config)
			if test.next == "" {
				r = network.Expect(next, "ENDED", "")
			} else {
				r = network.Expect(next, "AVAILABLE", test.next)
			}
			network.ExpectNoChange(r, config, r.Text("status"))
			if got := applied.Text("status"); got != test.status {
				t.Errorf("after the apply, the status was %s, want %s", got, test.status)
			}
		}))
	}
}

// What a plan shows of a session that is extended stays, even if the network says something else of
// it by then: Terraform insists, and the next refresh shows it.
func TestReservation_extensionAnswersDiffer(t *testing.T) {
	acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
		r := createScheduled(network, broadcast("QOS_L", 3))
		r = network.Expect(network.Run(r, broadcast("QOS_L", 3)), "AVAILABLE", "POST")
		network.AtMatch(2 * time.Hour)
		config := broadcast("QOS_L", 4)
		plan := network.Client().Reservations().Plan(r.With("started_at", "2028-02-29T20:15:59Z"), config)
		if applied := network.Client().Reservations().Apply(plan); len(applied.Diagnostics) > 0 {
			t.Error(acctest.Describe(applied.Diagnostics))
		}
		network.ExpectDuration(4 * time.Hour)
	})(t)
}
