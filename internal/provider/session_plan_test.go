// Proves what the plan of a session decides, as a table and without a CLI: nothing, an update that
// sends nothing, or a replacement, and because of which attributes. It also proves that Terraform
// accepts the plan, and that applying it decides the same again.

package provider

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Where the sessions of these tests were created, and what the provider is configured for now. A
// plan does not compare the two; it has one of them.
var (
	madeEndpoint       = types.StringValue("https://gateway.example/v1")
	configuredEndpoint = types.StringValue("https://other.example/v1")

	defaultAPI = plannedAPI{endpoint: configuredEndpoint}
	camaraAPI  = plannedAPI{endpoint: configuredEndpoint, canExtend: true}
)

// fullRequest sets every argument that the resources share.
func fullRequest() requestModel {
	return requestModel{
		Device: fromDevice(qod.Device{
			PhoneNumber: "+34611222333", NetworkAccessIdentifier: "jane.roe@carrier.tel",
			IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.77", PublicPort: new(int64(5060))}, IPv6Address: "2a02:9130::77",
		}),
		ApplicationServer:            serverOf("198.51.100.0/24", "2001:db8::/32"),
		QoSProfile:                   types.StringValue("QOS_L"),
		NotificationURL:              types.StringValue("https://example.com/qod"),
		NotificationAuthToken:        types.StringValue("hunter2"),
		NotificationAuthTokenVersion: validators.NewWholeNumber(1),
	}
}

// fullSession is a configuration that sets everything.
func fullSession() sessionModel {
	return sessionModel{
		requestModel: fullRequest(),
		Duration:     validators.NewWholeNumber(3600),
		Timeouts:     timeoutsOf("10m"),
		ID:           types.StringNull(), QoSStatus: types.StringNull(), StartedAt: types.StringNull(), ExpiresAt: types.StringNull(),
	}
}

// appliedSession is the state after fullSession was applied.
func appliedSession() sessionModel {
	m := fullSession()
	m.NotificationAuthToken = types.StringNull()
	m.ID = types.StringValue("3fa85f64-5717-4562-b3fc-2c963f66afa6")
	m.QoSStatus = types.StringValue("AVAILABLE")
	m.StartedAt, m.ExpiresAt = types.StringValue("2028-02-29T20:15:00Z"), types.StringValue("2028-02-29T21:15:00Z")
	m.Endpoint = madeEndpoint
	return m
}

// importedSession is the state after an import: what the API shows.
func importedSession() sessionModel {
	m := appliedSession()
	m.ApplicationServer = types.ObjectNull(serverTypes)
	m.NotificationURL, m.NotificationAuthTokenVersion = types.StringNull(), validators.NullWholeNumber()
	m.Timeouts = noTimeouts("create", "delete")
	return m
}

func serverOf(v4, v6 string) types.Object {
	return types.ObjectValueMust(serverTypes, map[string]attr.Value{"ipv4_address": stringOrNull(v4), "ipv6_address": stringOrNull(v6)})
}

func timeoutsOf(create string) timeouts.Value {
	return timeouts.Value{Object: types.ObjectValueMust(timeoutTypes("create", "delete"), map[string]attr.Value{"create": types.StringValue(create), "delete": types.StringNull()})}
}

// member returns the object with another value for a member.
func member(o types.Object, name string, v attr.Value) types.Object {
	members := o.Attributes()
	members[name] = v
	return types.ObjectValueMust(o.AttributeTypes(nil), members) //nolint:staticcheck // it needs no context
}

func inDevice(name string, v attr.Value) func(*sessionModel) {
	return func(m *sessionModel) { m.Device = member(m.Device, name, v) }
}

func inIPv4(name string, v attr.Value) func(*sessionModel) {
	return func(m *sessionModel) {
		address, _ := m.Device.Attributes()["ipv4_address"].(types.Object)
		m.Device = member(m.Device, "ipv4_address", member(address, name, v))
	}
}

func deviceIs(d qod.Device) func(*sessionModel) {
	return func(m *sessionModel) { m.Device = fromDevice(d) }
}

func serverIs(v4, v6 string) func(*sessionModel) {
	return func(m *sessionModel) {
		m.ApplicationServer = types.ObjectNull(serverTypes)
		if v4 != "" {
			m.ApplicationServer = serverOf(v4, v6)
		}
	}
}

func portsOf(ports ...int64) types.Object {
	var elements []attr.Value
	for _, port := range ports {
		elements = append(elements, validators.NewWholeNumber(port))
	}
	list := types.ListValueMust(validators.WholeNumberType{}, elements)
	return types.ObjectValueMust(portsTypes, map[string]attr.Value{"ports": list, "ranges": types.ListNull(rangesType)})
}

func portsAre(ports ...int64) func(*sessionModel) {
	return func(m *sessionModel) { m.DevicePorts, m.ApplicationServerPorts = portsOf(ports...), portsOf(ports...) }
}

func statusIs(status string) func(*sessionModel) {
	return func(m *sessionModel) {
		m.QoSStatus = stringOrNull(status)
		if status == "REQUESTED" {
			m.StartedAt, m.ExpiresAt = types.StringNull(), types.StringNull()
		}
	}
}

func waits(v types.Bool) func(*sessionModel) {
	return func(m *sessionModel) { m.WaitForAvailable = v }
}

func changes(all ...func(*sessionModel)) func(*sessionModel) {
	return func(m *sessionModel) {
		for _, change := range all {
			change(m)
		}
	}
}

func TestPlanSession(t *testing.T) {
	t.Parallel()
	const (
		nothing = "nothing"
		update  = "update"
		resume  = "resume"
	)
	var (
		phone    = types.StringValue("+34611222334")
		noString = types.StringNull()
		notYet   = types.StringUnknown()
		port     = validators.NewWholeNumber(5061)
		number   = validators.WholeNumber{Int64Value: basetypes.NewInt64Unknown()}
		imported = sessionPrivate{Imported: true}
		justOne  = qod.Device{PhoneNumber: "+34611222333"}
		other    = qod.Device{IPv6Address: "2a02:9130::77"}
	)
	const extend = "extend"
	longer := func(m *sessionModel) { m.Duration = validators.NewWholeNumber(3601) }
	for _, row := range []struct {
		name    string
		api     plannedAPI          // defaultAPI if left out
		config  func(*sessionModel) // changes fullSession
		prior   func(*sessionModel) // changes the state: appliedSession, or importedSession
		private sessionPrivate
		want    string // nothing, update, extend, resume, or the paths that replace
		adopts  string
		leftOut string // what the imported session has, and the configuration does not
		unknown string // what replaces it only because it is not known yet
	}{
		{name: "no change", want: nothing},
		{name: "another token, same version", config: func(m *sessionModel) { m.NotificationAuthToken = types.StringValue("hunter3") }, want: nothing},
		{name: "token left out, same version", config: func(m *sessionModel) { m.NotificationAuthToken = noString }, want: nothing},
		{name: "token not known, same version", config: func(m *sessionModel) { m.NotificationAuthToken = notYet }, want: nothing},
		{name: "status nobody has heard of", prior: statusIs("PAUSED"), want: nothing},
		{name: "no status", prior: statusIs(""), want: nothing},
		{name: "no endpoint", prior: func(m *sessionModel) { m.Endpoint = noString }, want: nothing},

		{name: "phone changed", config: inDevice("phone_number", phone), want: "device.phone_number"},
		{name: "phone left out", config: inDevice("phone_number", noString), want: "device.phone_number"},
		{name: "phone added", prior: inDevice("phone_number", noString), want: "device.phone_number"},
		{name: "access identifier changed", config: inDevice("network_access_identifier", types.StringValue("john.roe@carrier.tel")), want: "device.network_access_identifier"},
		{name: "access identifier in capitals", config: inDevice("network_access_identifier", types.StringValue("Jane.Roe@carrier.tel")), want: "device.network_access_identifier"},
		{name: "device IPv4 changed", config: inIPv4("public_address", types.StringValue("203.0.113.78")), want: "device.ipv4_address.public_address"},
		{name: "port changed", config: inIPv4("public_port", port), want: "device.ipv4_address.public_port"},
		{name: "port left out", config: inIPv4("public_port", validators.NullWholeNumber()), want: "device.ipv4_address.public_port"},
		{name: "device IPv4 left out", config: inDevice("ipv4_address", types.ObjectNull(ipv4Types)), want: "device.ipv4_address"},
		{name: "device IPv4 added", prior: inDevice("ipv4_address", types.ObjectNull(ipv4Types)), want: "device.ipv4_address"},
		{name: "device IPv6 changed", config: inDevice("ipv6_address", types.StringValue("2a02:9130::78")), want: "device.ipv6_address"},
		{name: "server IPv4 changed", config: func(m *sessionModel) { m.ApplicationServer = serverOf("198.51.100.0/25", "2001:db8::/32") }, want: "application_server.ipv4_address"},
		{name: "server IPv6 changed", config: func(m *sessionModel) { m.ApplicationServer = serverOf("198.51.100.0/24", "2001:db8::/33") }, want: "application_server.ipv6_address"},
		{name: "block for an address", config: func(m *sessionModel) { m.ApplicationServer = serverOf("198.51.100.0", "2001:db8::/32") }, want: "application_server.ipv4_address"},
		{name: "server left out", config: func(m *sessionModel) { m.ApplicationServer = types.ObjectNull(serverTypes) }, want: "application_server"},
		{name: "ports changed", prior: portsAre(443), config: portsAre(444), want: "device_ports application_server_ports"},
		{name: "ports left out", prior: portsAre(443), want: "device_ports application_server_ports"},
		{name: "ports added", config: portsAre(443), want: "device_ports application_server_ports"},
		{name: "ports in another order", prior: portsAre(443, 5060), config: portsAre(5060, 443), want: nothing},
		{name: "ports not known", prior: portsAre(443), config: func(m *sessionModel) {
			m.DevicePorts, m.ApplicationServerPorts = types.ObjectUnknown(portsTypes), portsOf(443)
		},
			want: "device_ports", unknown: "device_ports"},
		{name: "expiry of the token changed", config: func(m *sessionModel) {
			m.NotificationAuthTokenExpiresAt = validators.NewInstant(types.StringValue("2028-03-01T00:00:00Z"))
		}, want: "notification_auth_token_expires_at"},
		{name: "server added", prior: func(m *sessionModel) { m.ApplicationServer = types.ObjectNull(serverTypes) }, want: "application_server"},
		{name: "profile changed", config: func(m *sessionModel) { m.QoSProfile = types.StringValue("QOS_E") }, want: "qos_profile"},
		{name: "profile changed by the network", prior: func(m *sessionModel) { m.QoSProfile = types.StringValue("QOS_E") }, want: "qos_profile"},
		{name: "duration changed", config: func(m *sessionModel) { m.Duration = validators.NewWholeNumber(3601) }, want: "duration"},
		{name: "webhook changed", config: func(m *sessionModel) { m.NotificationURL = types.StringValue("https://example.com/qod2") }, want: "notification_url"},
		{name: "webhook left out", config: func(m *sessionModel) { m.NotificationURL = noString }, want: "notification_url"},
		{name: "token version changed", config: func(m *sessionModel) { m.NotificationAuthTokenVersion = validators.NewWholeNumber(2) }, want: "notification_auth_token_version"},
		{name: "token version lowered", config: func(m *sessionModel) { m.NotificationAuthTokenVersion = validators.NewWholeNumber(0) }, want: "notification_auth_token_version"},
		{name: "token version left out", config: func(m *sessionModel) { m.NotificationAuthTokenVersion = validators.NullWholeNumber() }, want: "notification_auth_token_version"},
		{name: "several changed", config: changes(inDevice("phone_number", phone), func(m *sessionModel) {
			m.QoSProfile, m.Duration = types.StringValue("QOS_E"), validators.NewWholeNumber(1)
		}),
			want: "device.phone_number qos_profile duration"},

		{name: "longer, and the API extends", api: camaraAPI, config: longer, want: extend},
		{name: "shorter, and the API extends", api: camaraAPI, config: func(m *sessionModel) { m.Duration = validators.NewWholeNumber(3599) }, want: "duration"},
		{name: "not known, and the API extends", api: camaraAPI, config: func(m *sessionModel) { m.Duration = number }, want: "duration", unknown: "duration"},
		{name: "longer and another profile", api: camaraAPI, config: changes(longer, func(m *sessionModel) { m.QoSProfile = types.StringValue("QOS_E") }), want: "qos_profile"},
		{name: "longer, UNAVAILABLE", api: camaraAPI, config: longer, prior: statusIs("UNAVAILABLE"), want: "qos_status"},
		{name: "longer, past its end", api: camaraAPI, config: longer, private: sessionPrivate{Expired: true}, want: "qos_status"},
		{name: "longer, REQUESTED", api: camaraAPI, config: longer, prior: statusIs("REQUESTED"), want: resume},
		{name: "longer, imported", api: camaraAPI, config: longer, private: imported, want: extend, adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported without a duration, and the API extends", api: camaraAPI, private: imported, prior: func(m *sessionModel) { m.Duration = validators.NullWholeNumber() }, want: update,
			adopts: "application_server, notification_url, notification_auth_token_version, duration"},

		{name: "waiting switched off", config: waits(types.BoolValue(false)), want: update},
		{name: "waiting spelled out", config: waits(types.BoolValue(true)), want: update},
		{name: "waiting no longer spelled out", prior: waits(types.BoolValue(true)), want: update},
		{name: "waiting not known", config: waits(types.BoolUnknown()), want: update},
		{name: "timeouts changed", config: func(m *sessionModel) { m.Timeouts = timeoutsOf("11m") }, want: update},
		{name: "timeouts left out", config: func(m *sessionModel) { m.Timeouts = noTimeouts("create", "delete") }, want: update},

		{name: "device IPv6 re-spelled", config: inDevice("ipv6_address", types.StringValue("2A02:9130:0:0:0:0:0:0077")), want: nothing},
		{name: "server block re-spelled", config: func(m *sessionModel) { m.ApplicationServer = serverOf("198.51.100.7/24", "2001:DB8:0::/32") }, want: nothing},
		{name: "re-spelled beside a change", config: changes(inDevice("ipv6_address", types.StringValue("2a02:9130:0::77")), waits(types.BoolValue(true))), want: update},
		{name: "re-spelled beside a replacement", config: changes(inDevice("ipv6_address", types.StringValue("2a02:9130:0::77")), inDevice("phone_number", phone)), want: "device.phone_number"},

		{name: "phone not known", config: inDevice("phone_number", notYet), want: "device.phone_number", unknown: "device.phone_number"},
		{name: "port not known", config: inIPv4("public_port", number), want: "device.ipv4_address.public_port", unknown: "device.ipv4_address.public_port"},
		{name: "device not known", config: func(m *sessionModel) { m.Device = types.ObjectUnknown(deviceTypes) }, want: "device", unknown: "device"},
		{name: "server not known", config: func(m *sessionModel) { m.ApplicationServer = types.ObjectUnknown(serverTypes) }, want: "application_server", unknown: "application_server"},
		{name: "profile not known", config: func(m *sessionModel) { m.QoSProfile = notYet }, want: "qos_profile", unknown: "qos_profile"},
		{name: "duration not known", config: func(m *sessionModel) { m.Duration = number }, want: "duration", unknown: "duration"},
		{name: "webhook not known", config: func(m *sessionModel) { m.NotificationURL = notYet }, want: "notification_url", unknown: "notification_url"},
		{name: "token version not known", config: func(m *sessionModel) { m.NotificationAuthTokenVersion = number }, want: "notification_auth_token_version", unknown: "notification_auth_token_version"},

		{name: "two not known", config: changes(inDevice("phone_number", notYet), func(m *sessionModel) { m.Duration = number }), want: "device.phone_number duration", unknown: "device.phone_number, duration"},
		{name: "one not known, one changed", config: changes(inDevice("phone_number", notYet), func(m *sessionModel) { m.Duration = validators.NewWholeNumber(1) }), want: "device.phone_number duration"},
		{name: "UNAVAILABLE, phone not known", prior: statusIs("UNAVAILABLE"), config: inDevice("phone_number", notYet), want: "device.phone_number qos_status"},

		{name: "UNAVAILABLE", prior: statusIs("UNAVAILABLE"), want: "qos_status"},
		{name: "UNAVAILABLE and changed", prior: statusIs("UNAVAILABLE"), config: func(m *sessionModel) { m.Duration = validators.NewWholeNumber(1) }, want: "duration qos_status"},
		{name: "UNAVAILABLE, waiting not wanted", prior: statusIs("UNAVAILABLE"), config: waits(types.BoolValue(false)), want: "qos_status"},
		{name: "UNAVAILABLE and imported", prior: statusIs("UNAVAILABLE"), private: imported, want: "qos_status"},

		{name: "REQUESTED", prior: statusIs("REQUESTED"), want: resume},
		{name: "REQUESTED, waiting spelled out", prior: changes(statusIs("REQUESTED"), waits(types.BoolValue(true))), config: waits(types.BoolValue(true)), want: resume},
		{name: "REQUESTED, waiting wanted now", prior: changes(statusIs("REQUESTED"), waits(types.BoolValue(false))), want: resume},
		{name: "REQUESTED, waiting not wanted", prior: changes(statusIs("REQUESTED"), waits(types.BoolValue(false))), config: waits(types.BoolValue(false)), want: nothing},
		{name: "REQUESTED, waiting no longer wanted", prior: statusIs("REQUESTED"), config: waits(types.BoolValue(false)), want: update},
		{name: "REQUESTED, waiting not known", prior: statusIs("REQUESTED"), config: waits(types.BoolUnknown()), want: resume},
		{name: "REQUESTED and changed", prior: statusIs("REQUESTED"), config: func(m *sessionModel) { m.Duration = validators.NewWholeNumber(1) }, want: "duration"},

		{name: "imported as configured", private: imported, config: func(m *sessionModel) {
			m.ApplicationServer, m.NotificationURL, m.NotificationAuthTokenVersion, m.Timeouts = types.ObjectNull(serverTypes), noString, validators.NullWholeNumber(), noTimeouts("create", "delete")
		}, want: nothing},
		{name: "imported", private: imported, want: update, adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported while REQUESTED", private: imported, prior: statusIs("REQUESTED"), want: resume, adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported without a duration", private: imported, prior: func(m *sessionModel) { m.Duration = validators.NullWholeNumber() }, want: update,
			adopts: "application_server, notification_url, notification_auth_token_version, duration"},
		{name: "imported without a profile", private: imported, prior: func(m *sessionModel) { m.QoSProfile = noString }, want: update,
			adopts: "application_server, qos_profile, notification_url, notification_auth_token_version"},
		{name: "imported without a device", private: imported, prior: func(m *sessionModel) { m.Device = types.ObjectNull(deviceTypes) }, want: update,
			adopts: "device, application_server, notification_url, notification_auth_token_version"},
		{name: "imported with fewer identifiers", private: imported, prior: deviceIs(justOne), want: update,
			adopts: "device.ipv4_address, device.ipv6_address, device.network_access_identifier, application_server, notification_url, notification_auth_token_version"},
		{name: "imported without the port", private: imported, prior: inIPv4("public_port", validators.NullWholeNumber()), want: update,
			adopts: "device.ipv4_address.public_port, application_server, notification_url, notification_auth_token_version"},
		{name: "imported, a value not known", private: imported, config: func(m *sessionModel) { m.NotificationURL = notYet }, want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported with more identifiers", private: imported, config: deviceIs(justOne), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported with a port", private: imported, config: inIPv4("public_port", validators.NullWholeNumber()), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported with a phone without plus", private: imported, prior: inDevice("phone_number", types.StringValue("34611222333")), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported with an access identifier in capitals", private: imported, prior: inDevice("network_access_identifier", types.StringValue("JANE.ROE@CARRIER.TEL")), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported with IPv6 spelled out", private: imported, prior: inDevice("ipv6_address", types.StringValue("2A02:9130:0:0:0:0:0:77")), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version"},
		{name: "imported another device", private: imported, prior: deviceIs(qod.Device{PhoneNumber: "+34611222334"}), want: "device.phone_number"},
		{name: "imported another port", private: imported, prior: inIPv4("public_port", port), want: "device.ipv4_address.public_port"},
		{name: "imported a device that shares nothing", private: imported, config: deviceIs(justOne), prior: deviceIs(other), want: "device.ipv6_address"},
		{name: "imported a device that contradicts in one", private: imported, prior: deviceIs(qod.Device{PhoneNumber: "+34611222333", IPv6Address: "2a02:9130::78"}), want: "device.ipv6_address"},
		{name: "imported with another duration", private: imported, config: func(m *sessionModel) { m.Duration = validators.NewWholeNumber(7200) }, want: "duration"},
		{name: "imported with another profile", private: imported, config: func(m *sessionModel) { m.QoSProfile = types.StringValue("QOS_E") }, want: "qos_profile"},
		{name: "imported with a server more", private: imported, prior: serverIs("198.51.100.0/24", "2001:db8::/32"), config: serverIs("198.51.100.0/24", ""), want: update,
			adopts: "notification_url, notification_auth_token_version", leftOut: "application_server.ipv6_address"},
		{name: "imported with a server", private: imported, prior: serverIs("198.51.100.0/24", "2001:db8::/32"), config: serverIs("", ""), want: update,
			adopts: "notification_url, notification_auth_token_version", leftOut: "application_server"},
		{name: "imported with a server less", private: imported, prior: serverIs("198.51.100.0/24", ""), want: update,
			adopts: "application_server.ipv6_address, notification_url, notification_auth_token_version"},
		{name: "imported with another server", private: imported, prior: serverIs("198.51.100.7", ""), want: "application_server.ipv4_address"},
		{name: "imported with ports", private: imported, prior: portsAre(443), want: update,
			adopts: "application_server, notification_url, notification_auth_token_version", leftOut: "device_ports, application_server_ports"},
		{name: "imported without ports", private: imported, config: portsAre(443), want: update,
			adopts: "device_ports, application_server, application_server_ports, notification_url, notification_auth_token_version"},
		{name: "imported with other ports", private: imported, prior: portsAre(443), config: portsAre(80, 443), want: "device_ports application_server_ports"},
		{name: "imported, device not known", private: imported, config: func(m *sessionModel) { m.Device = types.ObjectUnknown(deviceTypes) }, want: "device", unknown: "device"},

		{name: "not imported, with a phone without plus", prior: inDevice("phone_number", types.StringValue("34611222333")), want: "device.phone_number"},
		{name: "not imported, with more identifiers", config: deviceIs(justOne), want: "device.ipv4_address device.ipv6_address device.network_access_identifier"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			inputs := func() (config, prior sessionModel) {
				config, prior = fullSession(), appliedSession()
				if row.private.Imported {
					prior = importedSession()
					config.Timeouts = noTimeouts("create", "delete")
				}
				if row.config != nil {
					row.config(&config)
				}
				if row.prior != nil {
					row.prior(&prior)
				}
				return config, prior
			}
			config, prior := inputs()
			if row.api == (plannedAPI{}) {
				row.api = defaultAPI
			}
			plan := planSession(config, &prior, row.private, row.api)

			var replaced []string
			for _, p := range plan.replace {
				replaced = append(replaced, p.String())
			}
			switch {
			case len(replaced) > 0:
				if got := strings.Join(replaced, " "); got != row.want {
					t.Errorf("it is replaced because of %s, want %s", got, row.want)
				}
				if differ(plan.planned, sessionModel{ID: notYet, QoSStatus: notYet, StatusInfo: notYet, StartedAt: notYet, ExpiresAt: notYet, Endpoint: configuredEndpoint}, computed) != "" {
					t.Error("what only a new session can tell is taken from the old one")
				}
			case row.want == nothing:
				if at := differ(plan.planned, prior, all); at != "" {
					t.Errorf("%s is planned to change", at)
				}
			case row.want == update:
				if at := differ(plan.planned, prior, computed); at != "" {
					t.Errorf("%s is forgotten by an update that does not look", at)
				}
				if differ(plan.planned, prior, all) == "" {
					t.Error("nothing is planned to change")
				}
			case row.want == extend:
				if want := (sessionModel{ID: prior.ID, QoSStatus: prior.QoSStatus, StatusInfo: prior.StatusInfo, StartedAt: prior.StartedAt, ExpiresAt: notYet, Endpoint: madeEndpoint}); differ(plan.planned, want, computed) != "" {
					t.Errorf("%s is not planned as what an extension may change", differ(plan.planned, want, computed))
				}
			case row.want == resume:
				if differ(plan.planned, sessionModel{ID: prior.ID, QoSStatus: notYet, StatusInfo: notYet, StartedAt: notYet, ExpiresAt: notYet, Endpoint: madeEndpoint}, computed) != "" {
					t.Errorf("planned are %s, %s, %s, %s", plan.planned.ID, plan.planned.QoSStatus, plan.planned.StartedAt, plan.planned.ExpiresAt)
				}
			default:
				t.Errorf("it is not replaced, want %s", row.want)
			}
			if !plan.planned.NotificationAuthToken.IsNull() {
				t.Error("the token is planned")
			}
			checkPlanned(t, config, plan.planned, prior, computed...)
			checkWarnings(t, plan, row.adopts, row.leftOut, row.unknown)
			checkPure(t, plan, row.api, row.private, config, prior, inputs)
		})
	}
}

// checkWarnings compares what is warned of. The golden file of package diagnostics has the words.
func checkWarnings(t *testing.T, plan sessionPlan, adopts, leftOut, unknown string) {
	t.Helper()
	var want diag.Diagnostics
	if adopts != "" {
		want.Append(diagnostics.AdoptsConfiguration(strings.Split(adopts, ", ")))
	}
	if leftOut != "" {
		want.Append(diagnostics.LeavesOutImported(strings.Split(leftOut, ", ")))
	}
	if unknown != "" {
		want.Append(diagnostics.ReplacedForUnknown("session", strings.Split(unknown, ", ")))
	}
	if !plan.warnings.Equal(want) {
		t.Errorf("it warns %v, want %v", plan.warnings, want)
	}
}

func TestPlanSession_create(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sessionModel){
		"as configured": func(*sessionModel) {},
		"not known yet": func(m *sessionModel) {
			m.Device, m.QoSProfile = types.ObjectUnknown(deviceTypes), types.StringUnknown()
		},
		"without a wait":   waits(types.BoolValue(false)),
		"without a server": func(m *sessionModel) { m.ApplicationServer = types.ObjectNull(serverTypes) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := fullSession()
			change(&config)
			plan := planSession(config, nil, sessionPrivate{}, defaultAPI)
			want := config
			want.NotificationAuthToken = types.StringNull()
			want.ID, want.QoSStatus, want.StartedAt, want.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
			want.StatusInfo, want.Endpoint = types.StringUnknown(), configuredEndpoint
			if at := differ(plan.planned, want, all); at != "" || len(plan.replace) > 0 || len(plan.warnings) > 0 {
				t.Errorf("%s is not as configured, or %v, %v", at, plan.replace, plan.warnings)
			}
		})
	}
}

// An address in another spelling has to be planned as it was, or Terraform shows a change.
func TestPlanSession_keepsSpelling(t *testing.T) {
	t.Parallel()
	config, prior := fullSession(), appliedSession()
	config.Device = member(config.Device, "ipv6_address", types.StringValue("2A02:9130:0::77"))
	config.Duration = validators.NewWholeNumber(1)
	planned := planSession(config, &prior, sessionPrivate{}, defaultAPI).planned
	if got := stringAt(planned.Device, "ipv6_address").ValueString(); got != "2a02:9130::77" {
		t.Errorf("planned is %s", got)
	}
}

var (
	computed = []string{"ID", "QoSStatus", "StatusInfo", "StartedAt", "ExpiresAt", "Endpoint"}
	all      = fieldsOf(reflect.TypeFor[sessionModel]())
)

func fieldsOf(typ reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(typ) {
		if !field.Anonymous {
			names = append(names, field.Name)
		}
	}
	return names
}

// field is a field of a model.
func field(model reflect.Value, name string) attr.Value {
	v, _ := reflect.TypeAssert[attr.Value](model.FieldByName(name))
	return v
}

// differ names the first of the fields in which two models differ; empty for none.
func differ[M any](a, b M, fields []string) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for _, name := range fields {
		if !field(x, name).Equal(field(y, name)) {
			return name
		}
	}
	return ""
}

// checkPlanned checks what Terraform demands of a plan: an attribute is planned as configured, or
// as it was where both mean the same, and is null where it is left out.
func checkPlanned[M any](t *testing.T, config, planned, prior M, computed ...string) {
	t.Helper()
	c, p, was := reflect.ValueOf(config), reflect.ValueOf(planned), reflect.ValueOf(prior)
	for _, name := range fieldsOf(reflect.TypeFor[M]()) {
		if slices.Contains(computed, name) || name == "NotificationAuthToken" {
			continue
		}
		checkPlannedValue(t, name, field(c, name), field(p, name), field(was, name))
	}
}

func checkPlannedValue(t *testing.T, at string, config, planned, prior attr.Value) {
	t.Helper()
	c, isObject := config.(types.Object)
	p, alsoObject := planned.(types.Object)
	if isObject && alsoObject && isSet(c) && isSet(p) {
		was, _ := prior.(types.Object)
		for name, v := range c.Attributes() {
			checkPlannedValue(t, at+"."+name, v, p.Attributes()[name], was.Attributes()[name])
		}
		return
	}
	if !planned.Equal(config) && (config.IsNull() || prior == nil || !planned.Equal(prior)) {
		t.Errorf("%s is planned as %s: Terraform refuses that for %s", at, planned, config)
	}
}

// checkPure checks that planning changes none of its inputs, and that it decides the same again.
func checkPure(t *testing.T, plan sessionPlan, api plannedAPI, private sessionPrivate, config, prior sessionModel, inputs func() (sessionModel, sessionModel)) {
	t.Helper()
	freshConfig, freshPrior := inputs()
	if at := differ(config, freshConfig, all); at != "" {
		t.Errorf("planning changed %s of the configuration", at)
	}
	if at := differ(prior, freshPrior, all); at != "" {
		t.Errorf("planning changed %s of the state", at)
	}
	again := planSession(freshConfig, &freshPrior, private, api)
	if at := differ(plan.planned, again.planned, all); at != "" {
		t.Errorf("%s is planned differently the second time", at)
	}
	if !reflect.DeepEqual(plan.replace, again.replace) || !plan.warnings.Equal(again.warnings) {
		t.Error("the second plan decides differently")
	}
}
