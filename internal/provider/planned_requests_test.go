// Two resources that cannot both have what they want are warned of in the plan.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestPlannedRequests(t *testing.T) {
	t.Parallel()
	reservation := func(starts, ends string) attrs {
		return match(attrs{"starts_at": starts, "ends_at": ends})
	}
	session := attrs{"device": attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L", "duration": 3600}
	// With CAMARA's API, a flow is that to a server by ports.
	to := func(server string, ports any) attrs {
		return match(attrs{"application_server": attrs{"ipv4_address": server}, "application_server_ports": ports})
	}
	single := func(ports ...any) attrs { return attrs{"ports": ports} }
	for name, test := range map[string]struct {
		first, second attrs
		network       sandbox.Config
		session       bool // the second resource is a qod_session
		warns         []string
	}{
		"windows that overlap": {
			first: reservation("2028-03-01T20:30:00Z", "2028-03-01T23:30:00Z"), second: reservation("2028-03-01T22:30:00Z", "2028-03-02T01:30:00Z"),
			warns: []string{"this one lasts from 2028-03-01T22:30:00Z to 2028-03-02T01:30:00Z", "the other from 2028-03-01T20:30:00Z to 2028-03-01T23:30:00Z"},
		},
		"windows that touch": {
			first: reservation("2028-03-01T20:30:00Z", "2028-03-01T23:30:00Z"), second: reservation("2028-03-01T23:30:00Z", "2028-03-02T01:30:00Z"),
		},
		"no start": {
			first: match(attrs{"starts_at": nil}), second: match(nil), warns: []string{"the other until " + matchEnds},
		},
		"the number spelled with another identifier beside it": {
			first: match(nil), second: match(attrs{"device": attrs{"phone_number": "+34600000010", "ipv4_address": attrs{"public_address": "198.51.100.7"}}}),
			warns: []string{"overlap"},
		},
		"another device": {
			first: match(nil), second: match(attrs{"device": attrs{"phone_number": "+34600000011"}}),
		},
		"two servers, where a device has one session": {
			first:  match(attrs{"application_server": attrs{"ipv4_address": "198.51.100.1"}}),
			second: match(attrs{"application_server": attrs{"ipv4_address": "198.51.100.2"}}),
			warns:  []string{"A device can have only one session at a time"},
		},
		"two servers, where each flow has one": {
			network: camaraNetwork, first: to("198.51.100.1", nil), second: to("198.51.100.2", nil),
		},
		"a server of a block": {
			network: camaraNetwork, first: to("198.51.100.0/24", nil), second: to("198.51.100.2", nil),
			warns: []string{"the same traffic of the same device"},
		},
		"a server outside of the block": {
			network: camaraNetwork, first: to("198.51.100.0/25", nil), second: to("198.51.100.200", nil),
		},
		"a port of a range": {
			network: camaraNetwork, first: to("198.51.100.1", attrs{"ranges": []any{attrs{"from": 5000, "to": 5010}}}), second: to("198.51.100.1", single(22, 5010)),
			warns: []string{"the same traffic"},
		},
		"other ports": {
			network: camaraNetwork, first: to("198.51.100.1", attrs{"ranges": []any{attrs{"from": 5000, "to": 5010}}}), second: to("198.51.100.1", single(22, 5011)),
		},
		"all ports and one": {
			network: camaraNetwork, first: to("198.51.100.1", nil), second: to("198.51.100.1", single(22)), warns: []string{"the same traffic"},
		},
		"a server that is not known yet": {
			network: camaraNetwork, first: to("198.51.100.1", nil), second: match(attrs{"application_server": acctest.Unknown{}}),
		},
		"a port that is not known yet": {
			network: camaraNetwork, first: to("198.51.100.1", single(22)), second: to("198.51.100.1", single(acctest.Unknown{})),
		},
		"a server that is not known yet, where a device has one session": {
			first: match(nil), second: match(attrs{"application_server": acctest.Unknown{}}), warns: []string{"overlap"},
		},
		"a session in the window":     {first: match(nil), second: session, session: true, warns: []string{"overlap"}},
		"a session before the window": {first: reservation("2028-03-01T20:30:00Z", "2028-03-01T23:30:00Z"), second: session, session: true},
	} {
		t.Run(name, acc.InBubble(0, test.network, func(t *testing.T, network *acctest.Network) {
			sessions := network.Client()
			reservations := sessions.Reservations()
			if first := reservations.Plan(acctest.State{}, test.first); len(first.Warnings()) > 0 {
				t.Errorf("the first one is warned of: %s", acctest.Describe(first.Diagnostics))
			}
			second := reservations
			if test.session {
				second = sessions
			}
			p := second.Plan(acctest.State{}, test.second)
			warned := strings.Join(p.Warnings(), "\n")
			if (warned == "") != (test.warns == nil) {
				t.Errorf("it warns: %q", warned)
			}
			acctest.ContainsAll(t, warned, test.warns)
		}))
	}
}

// A resource that is planned twice, since it is replaced or since the provider is debugged, is one
// resource.
func TestPlannedRequests_itself(t *testing.T) {
	acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
		c := network.Client().Reservations()
		for range 2 {
			if p := c.Plan(r, match(nil)); len(p.Diagnostics) > 0 {
				t.Error(acctest.Describe(p.Diagnostics))
			}
		}
		other := match(attrs{"qos_profile": "QOS_S"})
		if p := c.Plan(r, other); len(p.Diagnostics) > 0 || len(p.Replace) == 0 {
			t.Errorf("%v, %s", p.Replace, acctest.Describe(p.Diagnostics))
		}
		if p := c.Plan(acctest.State{}, other); len(p.Diagnostics) > 0 {
			t.Error(acctest.Describe(p.Diagnostics))
		}
	})(t)
}

// A session that is as it was is planned without the framework, and counts all the same, whichever
// of the two is planned first.
func TestPlannedRequests_unchangedSession(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		config := acctest.Attrs{"device": acctest.Attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L", "duration": 3600}
		r := network.Client().MustCreate(config)
		for _, sessionFirst := range []bool{true, false} {
			c := network.Client()
			var warned []string
			plans := []func(){
				func() { warned = append(warned, c.Plan(r, config).Warnings()...) },
				func() { warned = append(warned, c.Reservations().Plan(acctest.State{}, match(nil)).Warnings()...) },
			}
			if !sessionFirst {
				slices.Reverse(plans)
			}
			for _, plan := range plans {
				plan()
			}
			if len(warned) != 1 || !strings.Contains(warned[0], "overlap") {
				t.Errorf("session first: %t: it warns %q", sessionFirst, warned)
			}
		}
	})(t)
}

// Two flows of one device are two, also where both are as they were and planned without the
// framework.
func TestPlannedRequests_unchangedFlows(t *testing.T) {
	acc.InBubble(0, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		config := func(port int) attrs {
			return hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "application_server_ports": attrs{"ports": []any{port}}})
		}
		var held []acctest.State
		for _, port := range []int{443, 22} {
			held = append(held, network.Client().MustCreate(config(port)))
		}
		c := network.Client()
		for i, port := range []int{443, 22} {
			c.ExpectEmptyPlan(held[i], config(port))
		}
		if p := c.Plan(acctest.State{}, config(443)); len(p.Warnings()) != 1 {
			t.Errorf("a third one for the flow of the first: %q", p.Warnings())
		}
	})(t)
}

// What a replacement is planned as again is not warned of again, so its first plan warns.
func TestPlannedRequests_replacement(t *testing.T) {
	acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
		another := match(attrs{"device": attrs{"phone_number": "+34600000011"}})
		c := network.Client().Reservations()
		if p := c.Plan(acctest.State{}, another); len(p.Diagnostics) > 0 {
			t.Error(acctest.Describe(p.Diagnostics))
		}
		p := c.Plan(r, another)
		if warned := strings.Join(p.Warnings(), "\n"); len(p.Replace) == 0 || !strings.Contains(warned, "overlap") {
			t.Errorf("%v, it warns: %q", p.Replace, warned)
		}
	})(t)
}

// A new session starts now by the API's clock, as soon as an answer has shown it.
func TestPlannedRequests_clock(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant, Clock: acctest.ClockAhead(30 * 24 * time.Hour)}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		c.MustCreate(cameraOf(1, nil))
		c.Reservations().Plan(acctest.State{}, match(nil))
		session := attrs{"device": attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L", "duration": 3600}
		if warned := c.Plan(acctest.State{}, session).Warnings(); len(warned) != 1 || !strings.Contains(warned[0], "this one lasts from 2028-02-29T20:15:") {
			t.Errorf("it warns %q", warned)
		}
	})(t)
}
