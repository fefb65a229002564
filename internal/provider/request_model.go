package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// requestModel is what a session is asked for, in every resource that reserves sessions: see
// requestAttributes.
type requestModel struct {
	Device                       types.Object           `tfsdk:"device"`
	ApplicationServer            types.Object           `tfsdk:"application_server"`
	QoSProfile                   types.String           `tfsdk:"qos_profile"`
	NotificationURL              types.String           `tfsdk:"notification_url"`
	NotificationAuthToken        types.String           `tfsdk:"notification_auth_token"`
	NotificationAuthTokenVersion validators.WholeNumber `tfsdk:"notification_auth_token_version"`
	WaitForAvailable             types.Bool             `tfsdk:"wait_for_available"`
}

// waits reports whether AVAILABLE is to be waited for; not set means that it is.
func (m requestModel) waits() bool {
	return m.WaitForAvailable.IsNull() || m.WaitForAvailable.ValueBool()
}

// mayWait is waits while planning, when it need not be known yet.
func (m requestModel) mayWait() bool { return m.WaitForAvailable.IsUnknown() || m.waits() }

// toSpec translates what is configured, for how long is the resource's. The token comes from the
// configuration: a write-only value is in nothing else.
func (m requestModel) toSpec(token types.String) qod.Spec {
	spec := qod.Spec{
		Device:                toDevice(m.Device),
		QoSProfile:            m.QoSProfile.ValueString(),
		NotificationURL:       m.NotificationURL.ValueString(),
		NotificationAuthToken: token.ValueString(),
	}
	if isSet(m.ApplicationServer) {
		spec.ApplicationServer = &qod.ApplicationServer{
			IPv4Address: stringAt(m.ApplicationServer, "ipv4_address").ValueString(),
			IPv6Address: stringAt(m.ApplicationServer, "ipv6_address").ValueString(),
		}
	}
	return spec
}

// recordImported fills what an import has to take from the API.
func (m *requestModel) recordImported(s qod.Session) {
	if m.Device.IsNull() && !s.Device.IsZero() {
		m.Device = fromDevice(s.Device)
	}
}

func toDevice(o types.Object) qod.Device {
	if !isSet(o) {
		return qod.Device{}
	}
	d := qod.Device{
		PhoneNumber:             stringAt(o, "phone_number").ValueString(),
		NetworkAccessIdentifier: stringAt(o, "network_access_identifier").ValueString(),
		IPv6Address:             stringAt(o, "ipv6_address").ValueString(),
	}
	if v4, ok := o.Attributes()["ipv4_address"].(types.Object); ok && isSet(v4) {
		d.IPv4Address = &qod.IPv4Address{PublicAddress: stringAt(v4, "public_address").ValueString()}
		if port, ok := v4.Attributes()["public_port"].(validators.WholeNumber); ok && isSet(port) {
			d.IPv4Address.PublicPort = port.ValueInt64Pointer()
		}
	}
	return d
}

func fromDevice(d qod.Device) types.Object {
	v4 := types.ObjectNull(ipv4Types)
	if d.IPv4Address != nil {
		port := validators.NullWholeNumber()
		if d.IPv4Address.PublicPort != nil {
			port = validators.NewWholeNumber(*d.IPv4Address.PublicPort)
		}
		v4 = types.ObjectValueMust(ipv4Types, map[string]attr.Value{
			"public_address": types.StringValue(d.IPv4Address.PublicAddress),
			"public_port":    port,
		})
	}
	return types.ObjectValueMust(deviceTypes, map[string]attr.Value{
		"phone_number":              stringOrNull(d.PhoneNumber),
		"network_access_identifier": stringOrNull(d.NetworkAccessIdentifier),
		"ipv4_address":              v4,
		"ipv6_address":              stringOrNull(d.IPv6Address),
	})
}

func isSet(v attr.Value) bool { return !v.IsNull() && !v.IsUnknown() }

func stringAt(o types.Object, name string) types.String {
	if s, ok := o.Attributes()[name].(basetypes.StringValue); ok {
		return s
	}
	return types.StringNull()
}

func stringOrNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// instantOrNull writes a time as RFC 3339 in UTC, so that the API's time zone is no drift.
func instantOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
