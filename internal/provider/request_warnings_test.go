package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A webhook token that expires before the end is warned of when the session is planned or extended,
// or the window moved, and not again.
func TestNotifiedUntil(t *testing.T) {
	t.Parallel()
	at := func(hours int) string {
		return acctest.KickOff.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339)
	}
	notified := func(config attrs, expires any) attrs {
		return config.With("notification_url", "https://example.com/qod").With("notification_auth_token", "a-token-of-twenty-chars").With("notification_auth_token_expires_at", expires)
	}
	session := func(hours int, expires any) attrs {
		return notified(hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "duration": hours * 3600}), expires)
	}
	window := func(hours int, expires any) attrs { return notified(broadcast("QOS_L", hours), expires) }
	for name, test := range map[string]struct {
		prior, config attrs
		warns         bool
	}{
		"a session":                    {config: session(3, at(2)), warns: true},
		"a session that ends before":   {config: session(1, at(2))},
		"no expiry":                    {config: session(3, nil)},
		"a session as before":          {prior: session(3, at(2)), config: session(3, at(2))},
		"an extension":                 {prior: session(1, at(2)), config: session(3, at(2)), warns: true},
		"a window":                     {config: window(3, at(2)), warns: true},
		"a window that ends before":    {config: window(1, at(2))},
		"a window as before":           {prior: window(3, at(2)), config: window(3, at(2))},
		"a window that is moved later": {prior: window(1, at(2)), config: window(3, at(2)), warns: true},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
			c := network.Client()
			if test.config["ends_at"] != nil {
				c = c.Reservations()
			}
			var prior acctest.State
			if test.prior != nil {
				prior = c.Create(test.prior).State
			}
			p := c.Plan(prior, test.config)
			if warned := strings.Contains(strings.Join(p.Warnings(), ""), "Notifications Stop Before the End"); warned != test.warns || p.Errors() != "" {
				t.Errorf("it says %s", acctest.Describe(p.Diagnostics))
			}
		}))
	}
}
