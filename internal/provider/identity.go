package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Both resources have the same identity, and the same version of it: OpenTofu 1.12 leaves an
// identity and its version as they are when a moved block makes a resource of the other type, and
// refuses a version that is newer than the type's.

// identityDevice is the attribute of an identity that has the device.
const identityDevice = "device"

// identityVersion is the version of the identity: 0 had no device.
const identityVersion = 1

var (
	_ resource.ResourceWithIdentity        = (*sessionResource)(nil)
	_ resource.ResourceWithIdentity        = (*reservationResource)(nil)
	_ resource.ResourceWithUpgradeIdentity = (*sessionResource)(nil)
	_ resource.ResourceWithUpgradeIdentity = (*reservationResource)(nil)
)

// identityBehavior lets the id of an identity be put right. It never changes, but for a reservation
// that OpenTofu has moved to a qod_session: the identity is still the reservation's.
var identityBehavior = resource.ResourceBehavior{MutableIdentity: true}

// identityType is the type of an identity as Terraform encodes it.
var identityType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"id": tftypes.String, identityDevice: tftypes.String}}

// identityModel is an identity. The device is set when the resource is created or imported, and
// never changes.
type identityModel struct {
	ID     types.String `tfsdk:"id"`
	Device types.String `tfsdk:"device"`
}

// IdentitySchema describes the identity of a session.
func (r *sessionResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Identifier that the network assigned to the session.")
}

// IdentitySchema describes the identity of a reservation.
func (r *reservationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Identifier of the reservation. An import needs that of its session (session_id), which becomes the reservation's.")
}

func identitySchema(id string) identityschema.Schema {
	return identityschema.Schema{Version: identityVersion, Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: id},
		identityDevice: identityschema.StringAttribute{
			OptionalForImport: true,
			Description: "Device of the session: a phone number, an IPv4 address, which may have its port, or an IPv6 address. " +
				"An import needs it where each access token is for one device (grant).",
		},
	}}
}

// UpgradeIdentity reads what was written with version 0. Some builds wrote the device with it.
func (r *apiResource) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	return map[int64]resource.IdentityUpgrader{0: {
		IdentityUpgrader: func(ctx context.Context, req resource.UpgradeIdentityRequest, resp *resource.UpgradeIdentityResponse) {
			resp.Diagnostics.Append(resp.Identity.Set(ctx, readIdentity(req.RawIdentity))...)
		},
	}}
}

// readIdentity reads an identity as a state has it. It is empty if the state has none, of which
// Terraform asks for an upgrade all the same, or if it cannot be read: the next read sets the id.
func readIdentity(raw *tfprotov6.RawState) identityModel {
	var stored struct {
		ID     *string `json:"id"`
		Device *string `json:"device"`
	}
	if raw == nil || json.Unmarshal(raw.JSON, &stored) != nil {
		return identityModel{}
	}
	return identityModel{ID: types.StringPointerValue(stored.ID), Device: types.StringPointerValue(stored.Device)}
}

// setIdentity sets the identity of a resource that was created or imported.
func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String, device qod.Device) diag.Diagnostics {
	return identity.Set(ctx, identityModel{ID: id, Device: stringOrNull(importDevice(device))})
}

// keepIdentity sets the id of an identity that a state before Terraform 1.12 does not have, and
// leaves its device.
func keepIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	return identity.SetAttribute(ctx, path.Root("id"), id)
}

// moveIdentity sets the identity of a resource that was of the other type.
func moveIdentity(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse, id types.String) diag.Diagnostics {
	return resp.TargetIdentity.Set(ctx, identityModel{ID: id, Device: readIdentity(req.SourceIdentity).Device})
}

// encodeIdentity encodes the identity of a session, of which the id is known; without one, it is
// null.
func encodeIdentity(id string) *tfprotov6.ResourceIdentityData {
	var attributes any
	if id != "" {
		attributes = map[string]tftypes.Value{"id": tftypes.NewValue(tftypes.String, id), identityDevice: tftypes.NewValue(tftypes.String, nil)}
	}
	value, _ := tfprotov6.NewDynamicValue(identityType, tftypes.NewValue(identityType, attributes)) // it can fail for other types only
	return &tfprotov6.ResourceIdentityData{IdentityData: &value}
}

// identifiedBy is the id of the session in an identity; empty if it has none.
func identifiedBy(identity *tfprotov6.ResourceIdentityData) string {
	if identity.IdentityData == nil {
		return ""
	}
	var attributes map[string]tftypes.Value
	var id *string
	value, err := identity.IdentityData.Unmarshal(identityType)
	if err != nil || value.As(&attributes) != nil || attributes["id"].As(&id) != nil || id == nil {
		return ""
	}
	return *id
}
