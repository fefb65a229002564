package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Whatever the API leaves out, adds or spells differently, the second plan is empty and the state
// has what was configured; and so it is when a user spells the same address differently later.
// One resource a row.
func TestSession_echoes(t *testing.T) {
	acctest.AnyCLI(t)
	type info = map[string]any
	const (
		phone = `device = { phone_number = "+34600000010" }`
		all   = `device = {
			phone_number              = %q
			network_access_identifier = %q
			ipv4_address              = { public_address = %q, public_port = 5060 }
			ipv6_address              = %q
		}`
		started, ends = "2028-02-29T20:15:00Z", "2028-02-29T21:15:00Z"
	)
	// four are all identifiers of a device of its own.
	four := func(n int) string {
		return fmt.Sprintf(all, fmt.Sprintf("+3462%07d", n), fmt.Sprintf("camera%d@example.com", n), fmt.Sprintf("203.0.113.%d", n), fmt.Sprintf("2001:db8::%d", n))
	}
	in := func(i info, name string) info {
		inner, _ := i[name].(info)
		return inner
	}
	only := func(member string) func(info) {
		return func(i info) { i["device"] = info{member: in(i, "device")[member]} }
	}
	rows := map[string]struct {
		config string
		echo   func(info)
		later  string // the configuration of a later run; empty: the same
		checks map[string]string
	}{
		"phone_number":              {config: phone},
		"network_access_identifier": {config: `device = { network_access_identifier = "camera@example.com" }`},
		"ipv4_address":              {config: `device = { ipv4_address = { public_address = "203.0.113.1" } }`},
		"ipv4_address_with_port":    {config: `device = { ipv4_address = { public_address = "203.0.113.2", public_port = 0 } }`},
		"ipv6_address":              {config: `device = { ipv6_address = "2001:db8::1" }`},
		"all_identifiers":           {config: four(10)},

		"more_identifiers": {echo: func(i info) {
			device := in(i, "device")
			device["networkAccessIdentifier"], device["ipv6Address"] = "line@operator.example", "2001:db8::ffff"
			device["ipv4Address"] = info{"publicAddress": "203.0.113.200", "publicPort": 1}
		}},
		"another_port": {
			config: `device = { ipv4_address = { public_address = "203.0.113.3" } }`,
			echo:   func(i info) { in(in(i, "device"), "ipv4Address")["publicPort"] = 40000 },
		},
		"no_port":              {config: four(11), echo: func(i info) { delete(in(in(i, "device"), "ipv4Address"), "publicPort") }},
		"one_identifier":       {config: four(12), echo: only("phoneNumber")},
		"one_other_identifier": {config: four(13), echo: only("ipv6Address")},
		"no_device":            {config: four(14), echo: func(i info) { delete(i, "device") }},
		"null_device":          {config: four(15), echo: func(i info) { i["device"] = nil }},
		"empty_device":         {config: four(16), echo: func(i info) { i["device"] = info{} }},
		"phone_without_plus": {echo: func(i info) {
			phone, _ := in(i, "device")["phoneNumber"].(string)
			in(i, "device")["phoneNumber"] = strings.TrimPrefix(phone, "+")
		}},
		"ipv6_spelled_out": {
			config: `device = { ipv6_address = "2001:db8::2" }`,
			echo:   func(i info) { in(i, "device")["ipv6Address"] = "2001:0DB8:0000:0000:0000:0000:0000:0002" },
		},

		"more_fields": {echo: func(i info) {
			i["statusInfo"], i["links"] = nil, []any{info{"href": "/"}}
			in(i, "device")["imsi"] = 1
			i["notificationUrl"], i["applicationServer"] = "https://example.org", info{"ipv4Address": "0.0.0.0"}
		}},
		"fewer_fields":    {echo: func(i info) { delete(i, "qosProfile"); delete(i, "duration"); delete(i, "device") }},
		"shorter":         {echo: func(i info) { i["duration"] = 60 }},
		"duration_string": {echo: func(i info) { i["duration"] = "3600" }},

		"other_zone": {
			echo: func(i info) {
				i["startedAt"], i["expiresAt"] = "2028-03-01T01:45:00+05:30", "2028-02-29t16:15:00.000-05:00"
			},
			checks: map[string]string{"started_at": started, "expires_at": ends},
		},
		"epoch_seconds": {
			echo: func(i info) {
				i["startedAt"], i["expiresAt"] = acctest.KickOff.Unix(), fmt.Sprint(acctest.KickOff.Add(time.Hour).Unix())
			},
			checks: map[string]string{"started_at": started, "expires_at": ends},
		},
		"no_times": {
			echo:   func(i info) { delete(i, "startedAt"); i["expiresAt"] = nil },
			checks: map[string]string{"started_at": "", "expires_at": ""},
		},
		"unreadable_times": {
			echo:   func(i info) { i["startedAt"], i["expiresAt"] = "soon", info{} },
			checks: map[string]string{"started_at": "", "expires_at": ""},
		},

		"user_spells_device": {
			config: `device = { ipv6_address = "2001:db8::3" }`,
			later:  `device = { ipv6_address = "2001:0DB8:0:0:0:0:0:3" }`,
		},
		"both_spell_device": {
			config: `device = { ipv6_address = "2001:db8::4" }`,
			echo:   func(i info) { in(i, "device")["ipv6Address"] = "2001:DB8:0::4" },
			later:  `device = { ipv6_address = "2001:db8:0:0:0:0:0:4" }`,
		},
		// Write-only: nobody can tell that it changed, which is what its version is for.
		"another_token": {
			config: "notification_url = \"https://example.com/qod\"\nnotification_auth_token = \"one\"",
			later:  "notification_url = \"https://example.com/qod\"\nnotification_auth_token = \"two\"",
		},
		"user_spells_server": {
			config: `application_server = { ipv4_address = "198.51.100.0/24", ipv6_address = "2001:db8::/32" }`,
			later:  `application_server = { ipv4_address = "198.51.100.77/24", ipv6_address = "2001:DB8:0::7/32" }`,
		},
	}
	network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewManualClock(acctest.KickOff)})
	var first, second string
	echoes := map[float64]func(info){}
	checks := []statecheck.StateCheck{
		statecheck.ExpectKnownValue("qod_session.more_identifiers", tfjsonpath.New("device"), knownvalue.ObjectExact(map[string]knownvalue.Check{
			"phone_number": knownvalue.NotNull(), "network_access_identifier": knownvalue.Null(), "ipv4_address": knownvalue.Null(), "ipv6_address": knownvalue.Null(),
		})),
	}
	for name, row := range rows {
		n := 3600 + len(echoes) // seconds, by which the network tells the rows apart
		later := row.later
		if later == "" {
			later = row.config
		}
		first += acctest.SessionBlock(name, row.config, n)
		second += acctest.SessionBlock(name, later, n)
		echoes[float64(n)] = row.echo
		for attribute, value := range row.checks {
			expected := knownvalue.Check(knownvalue.StringExact(value))
			if value == "" {
				expected = knownvalue.Null()
			}
			checks = append(checks, statecheck.ExpectKnownValue("qod_session."+name, tfjsonpath.New(attribute), expected))
		}
		checks = append(checks, statecheck.ExpectKnownValue("qod_session."+name, tfjsonpath.New("duration"), knownvalue.Int64Exact(int64(n))))
	}
	network.Echo(func(i info) {
		seconds, _ := i["duration"].(float64)
		if echo := echoes[seconds]; echo != nil {
			echo(i)
		}
	})
	network.Test(
		network.ApplyStep(network.HCL(first), checks...),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(second)), plancheck.ExpectEmptyPlan()),
	)
	if n := network.Count(sandbox.OpCreate); n != len(rows) {
		t.Errorf("%d POSTs for %d sessions", n, len(rows))
	}
}
