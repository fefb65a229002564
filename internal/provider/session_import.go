package provider

import (
	"context"
	"net/netip"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// What a session is imported by is its id or, where each access token is for one device, its id and
// the device: "3fa85f64-5717-4562-b3fc-2c963f66afa6,+34600000010". Without the device there would
// be no token to read the session with. The longer form is taken everywhere.

// ImportState imports a session. The read that follows fills the state.
func (r *sessionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	importState(ctx, r.api, req, resp)
}

// importState begins an import of a session by its id, by its id and device, or by an identity: the
// first read finds it.
func importState(ctx context.Context, api qod.Sessions, req resource.ImportStateRequest, resp *resource.ImportStateResponse) (id string) {
	id, named := splitImportID(req.ID)
	byIdentity := req.ID == "" && req.Identity != nil
	if byIdentity && !req.Identity.Raw.IsNull() { // null where an empty id was given: Terraform then asks with neither
		var given identityModel
		resp.Diagnostics.Append(req.Identity.Get(ctx, &given)...)
		id, named = given.ID.ValueString(), given.Device.ValueStringPointer()
	}
	var device qod.Device
	valid := true
	if named != nil {
		device, valid = parseImportDevice(*named)
	}
	resp.Diagnostics.Append(diagnostics.CheckImportID(id)...)
	switch {
	case resp.Diagnostics.HasError():
	case named == nil && api.Limits().PerDevice:
		resp.Diagnostics.Append(diagnostics.ImportNeedsDevice(id))
	case !valid:
		resp.Diagnostics.Append(diagnostics.ImportDeviceInvalid(id, *named))
	}
	if resp.Diagnostics.HasError() {
		return ""
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	if !device.IsZero() {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("device"), fromDevice(device))...)
	}
	resp.Diagnostics.Append(sessionPrivate{Imported: true}.save(ctx, resp.Private)...)
	if !byIdentity { // which stays as it was given
		resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, types.StringValue(id), device)...)
	}
	return id
}

// splitImportID takes apart an id and a device, with a comma between them, which neither contains.
func splitImportID(given string) (id string, device *string) {
	id, text, long := strings.Cut(given, ",")
	if !long {
		return given, nil
	}
	return strings.TrimSpace(id), new(strings.TrimSpace(text))
}

// parseImportDevice is the device of an import: a phone number, an IPv4 address, which may have its
// port, or an IPv6 address.
func parseImportDevice(text string) (device qod.Device, valid bool) {
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		bare = strings.TrimSuffix(inner, "]")
	}
	address, err := netip.ParseAddr(bare)
	endpoint, noEndpoint := netip.ParseAddrPort(text)
	var v4 qod.IPv4Address
	switch {
	case err == nil && address.Is4():
		v4.PublicAddress = bare
		device.IPv4Address = &v4
		return device, bare == text
	case err == nil:
		device.IPv6Address = bare
		return device, address.Zone() == ""
	case noEndpoint == nil && endpoint.Addr().Is4():
		v4.PublicAddress, v4.PublicPort = endpoint.Addr().String(), new(int64(endpoint.Port()))
		device.IPv4Address = &v4
		return device, true
	}
	device.PhoneNumber = text
	return device, validators.PhoneNumber.Problem(text) == ""
}

// importDevice is a device as an import names it; empty where it cannot.
func importDevice(d qod.Device) string {
	v4 := d.IPv4Address
	switch {
	case d.PhoneNumber != "":
		return d.PhoneNumber
	case v4 == nil:
		return d.IPv6Address
	case v4.PublicPort == nil:
		return v4.PublicAddress
	}
	address, err := netip.ParseAddr(v4.PublicAddress)
	if err != nil {
		return v4.PublicAddress
	}
	return netip.AddrPortFrom(address, uint16(*v4.PublicPort)).String() //nolint:gosec // a validator bounds it
}
