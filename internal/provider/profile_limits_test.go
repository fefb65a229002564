// Limits of profiles that the process has read are used at plan, as warnings, and at no cost.

package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestOutsideProfile(t *testing.T) {
	t.Parallel()
	session := func(profile string, seconds int) attrs {
		return attrs{
			"device": attrs{"phone_number": "+34600000010"}, "application_server": attrs{"ipv4_address": "198.51.100.7"},
			"qos_profile": profile, "duration": seconds,
		}
	}
	for name, test := range map[string]struct {
		prior, config attrs // a qod_reservation if it has a window
		unread        bool
		warns         []string
	}{
		"a session that is too long":         {config: session("live-uplink", 21601), warns: []string{"Outside the Limits of the QoS Profile", `at "duration"`, "live-uplink", "at most 21600 seconds", "is to last 21601", "refuses"}},
		"a session as long as is allowed":    {config: session("live-uplink", 21600)},
		"a session that is too short":        {config: session("live-uplink", 59), warns: []string{"Outside the Limits", `at "duration"`, "at least 60 seconds", "only 59"}},
		"another profile":                    {config: session("QOS_E", 21601)},
		"a profile that is not known yet":    {config: session("", 21601).With("qos_profile", acctest.Unknown{})},
		"profiles that nobody has read":      {config: session("live-uplink", 21601), unread: true},
		"an extension":                       {prior: session("live-uplink", 3600), config: session("live-uplink", 86400), warns: []string{`at "duration"`, "at most 21600 seconds", "is to last 86400", "extends the session only as far"}},
		"a replacement":                      {prior: session("QOS_L", 86400), config: session("live-uplink", 86400), warns: []string{"at most 21600 seconds", "refuses"}},
		"nothing new":                        {prior: session("live-uplink", 3600), config: session("live-uplink", 3600)},
		"a window that is too long":          {config: broadcast("live-uplink", 8), warns: []string{`at "ends_at"`, "at most 21600 seconds", "the window lasts 28800", "Schedule runs"}},
		"a window that is moved out of it":   {prior: broadcast("live-uplink", 3), config: broadcast("live-uplink", 8), warns: []string{"the window lasts 28800"}},
		"a window as before":                 {prior: broadcast("live-uplink", 8), config: broadcast("live-uplink", 8)},
		"a window without a start":           {config: broadcast("live-uplink", 8).With("starts_at", nil)},
		"a window, replaced for the profile": {prior: broadcast("QOS_L", 8), config: broadcast("live-uplink", 8), warns: []string{"the window lasts 28800"}},
	} {
		t.Run(name, acc.InBubble(2*time.Hour, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
			var prior acctest.State
			of := func(c *acctest.ProtocolClient) *acctest.ProtocolClient {
				if test.config["ends_at"] != nil {
					return c.Reservations()
				}
				return c
			}
			if test.prior != nil {
				prior = of(network.Client()).Create(test.prior).State
			}
			c := network.Client()
			if !test.unread {
				if _, diags := c.ReadDataSource("qod_profiles", attrs{}); len(diags) > 0 {
					t.Fatal(acctest.Describe(diags))
				}
			}
			asked := len(network.Requests())
			p := of(c).Plan(prior, test.config)
			if sent := len(network.Requests()) - asked; sent > 0 || p.Errors() != "" {
				t.Errorf("it sent %d requests; %s", sent, p.Errors())
			}
			var said []string
			for _, d := range p.Diagnostics {
				if strings.Contains(d.Summary, "Outside the Limits") {
					said = append(said, acctest.Describe(acctest.Diagnostics{d}))
				}
			}
			if len(said) != min(1, len(test.warns)) {
				t.Errorf("it warns %q", said)
			}
			acctest.ContainsAll(t, strings.Join(said, ""), test.warns)
		}))
	}
}
