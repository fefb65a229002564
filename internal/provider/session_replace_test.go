package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Every attribute that reaches the API replaces the session when it changes, is named in the plan
// as what forces that, and the DELETE goes before the POST. One resource a row; what a row does
// not say is the same before and after.
func TestSession_replaces(t *testing.T) {
	const (
		server = `application_server = { ipv4_address = "198.51.100.7" }`
		token  = `notification_url = "https://example.com/qod"
                  notification_auth_token = "a-token"`
	)
	rows := map[string]struct {
		before, after string
		paths         []string
	}{
		"phone_number":    {`device = { phone_number = "+34600000010" }`, `device = { phone_number = "+34600000011" }`, []string{"device.phone_number"}},
		"nai":             {`device = { network_access_identifier = "a@example.com" }`, `device = { network_access_identifier = "b@example.com" }`, []string{"device.network_access_identifier"}},
		"ipv6":            {`device = { ipv6_address = "2001:db8::10" }`, `device = { ipv6_address = "2001:db8::11" }`, []string{"device.ipv6_address"}},
		"ipv4":            {`device = { ipv4_address = { public_address = "203.0.113.10" } }`, `device = { ipv4_address = { public_address = "203.0.113.11" } }`, []string{"device.ipv4_address.public_address"}},
		"port":            {`device = { ipv4_address = { public_address = "203.0.113.20", public_port = 1 } }`, `device = { ipv4_address = { public_address = "203.0.113.20", public_port = 2 } }`, []string{"device.ipv4_address.public_port"}},
		"port_0":          {`device = { ipv4_address = { public_address = "203.0.113.30" } }`, `device = { ipv4_address = { public_address = "203.0.113.30", public_port = 0 } }`, []string{"device.ipv4_address.public_port"}},
		"identifier_more": {`device = { phone_number = "+34600000020" }`, `device = { phone_number = "+34600000020", ipv4_address = { public_address = "203.0.113.40" } }`, []string{"device.ipv4_address"}},
		"identifier_less": {`device = { phone_number = "+34600000030", ipv6_address = "2001:db8::20" }`, `device = { phone_number = "+34600000030" }`, []string{"device.ipv6_address"}},
		"server_ipv4":     {server, `application_server = { ipv4_address = "198.51.100.8" }`, []string{"application_server.ipv4_address"}},
		"server_ipv6":     {`application_server = { ipv6_address = "2001:db8::/32" }`, `application_server = { ipv6_address = "2001:db8::/33" }`, []string{"application_server.ipv6_address"}},
		"server_more":     {"", server, []string{"application_server"}},
		"server_less":     {server, "", []string{"application_server"}},
		"profile":         {`qos_profile = "QOS_E"`, `qos_profile = "QOS_M"`, []string{"qos_profile"}},
		"duration":        {`duration = 86399`, `duration = 86400`, []string{"duration"}},
		"url":             {`notification_url = "https://example.com/a"`, `notification_url = "http://example.com/a"`, []string{"notification_url"}},
		"url_more":        {"", `notification_url = "https://example.com/a"`, []string{"notification_url"}},
		"url_less":        {`notification_url = "https://example.com/a"`, "", []string{"notification_url"}},
		"version_more":    {token, token + "\nnotification_auth_token_version = 0", []string{"notification_auth_token_version"}},
		"token_version":   {token + "\nnotification_auth_token_version = 1", token + "\nnotification_auth_token_version = 2", []string{"notification_auth_token_version"}},
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	var first, second string
	var checks []plancheck.PlanCheck
	n := 0
	for name, row := range rows {
		n++
		first += acctest.SessionBlock(name, row.before, 3600+n)
		second += acctest.SessionBlock(name, row.after, 3600+n)
		checks = append(checks, acctest.ExpectReplacement("qod_session."+name, row.paths...))
	}
	// Each row has a duration of its own, which tells it apart on the network.
	row := func(seconds int) int { return min(seconds, 86399) }
	old := map[int]string{}
	network.Test(
		network.ApplyStep(network.HCL(first)),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(second)), append(checks, acctest.BetweenPlanAndApply(func() {
			for _, s := range network.Ledger() {
				old[row(s.Duration)] = s.ID
			}
		}))...),
	)
	deleted := map[string]bool{}
	replacement := network.Requests(sandbox.OpCreate, sandbox.OpDelete)[len(rows) : 3*len(rows)]
	for _, r := range replacement {
		if r.Method == http.MethodDelete {
			deleted[path.Base(r.Path)] = true
			continue
		}
		var asked struct{ Duration int }
		if err := json.Unmarshal(r.Body, &asked); err != nil {
			t.Fatal(err)
		}
		if id := old[row(asked.Duration)]; !deleted[id] {
			t.Errorf("POST %s came before the DELETE of %s", r.Body, id)
		}
	}
	if len(old) != len(rows) || len(deleted) != len(rows) {
		t.Errorf("%d sessions replaced with %d DELETEs, want %d", len(old), len(deleted), len(rows))
	}
}

// What never reaches the API changes in place, and no request is made for it.
func TestSession_updatesInPlace(t *testing.T) {
	rows := map[string]struct{ before, after string }{
		"wait_off":       {``, `wait_for_available = false`},
		"wait_on":        {`wait_for_available = false`, `wait_for_available = true`},
		"wait_unset":     {`wait_for_available = true`, ``},
		"timeouts":       {``, `timeouts = { create = "1m", delete = "1m" }`},
		"timeouts_other": {`timeouts = { create = "1m" }`, `timeouts = { create = "2m" }`},
		"timeouts_unset": {`timeouts = { delete = "1m" }`, ``},
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	// At once, also where nobody waits for it: the poll of a wait would be a request.
	network.Echo(func(info map[string]any) { info["qosStatus"] = sandbox.StatusAvailable })
	var first, second string
	var checks []plancheck.PlanCheck
	n := 0
	for name, row := range rows {
		n++
		first += acctest.SessionBlock(name, row.before, 3600+n)
		second += acctest.SessionBlock(name, row.after, 3600+n)
		checks = append(checks, plancheck.ExpectResourceAction("qod_session."+name, plancheck.ResourceActionUpdate))
	}
	quiet := &silence{network: network}
	network.Test(
		network.ApplyStep(network.HCL(first)),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(second), quiet), append(checks, acctest.BetweenPlanAndApply(quiet.begin))...),
	)
}

// silence is a state check that no request was made since it began.
type silence struct {
	network *acctest.Network
	since   int
}

func (s *silence) begin() { s.since = len(s.network.Requests()) }

func (s *silence) CheckState(_ context.Context, _ statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	for _, r := range s.network.Requests()[s.since:] {
		resp.Error = errors.Join(resp.Error, fmt.Errorf("unwanted request: %s %s", r.Method, r.Path))
	}
}

// A session that is replaced because a value is not known yet is a live one that is cut, perhaps
// for the same value: the plan says so.
func TestSession_replacedForAnUnknownValue(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(nil))
		p := c.Plan(made, hour(attrs{"qos_profile": acctest.Unknown{}, "duration": acctest.Unknown{}}))
		if !slices.Equal(p.Replace, []string{"duration", "qos_profile"}) {
			t.Errorf("the plan replaces for %v", p.Replace)
		}
		acctest.ContainsAll(t, strings.Join(p.Warnings(), "\n"), []string{"QoS Session Replaced for an Unknown Value: ", "qos_profile", "duration", "-target"})
		if known := c.Plan(made, hour(attrs{"qos_profile": "QOS_S"})); len(known.Diagnostics) > 0 {
			t.Errorf("of a value that is known it says: %s", acctest.Describe(known.Diagnostics))
		}
	})(t)
}
