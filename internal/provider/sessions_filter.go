package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// sessionsFilter narrows a list of sessions, in the data source and in the list resource.
type sessionsFilter struct {
	Device     types.Object `tfsdk:"device"`
	QoSProfile types.String `tfsdk:"qos_profile"`
	QoSStatus  types.String `tfsdk:"qos_status"`
}

func filterAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"device": schema.SingleNestedAttribute{
			MarkdownDescription: "Device whose sessions to list: those that show at least one of these identifiers and contradict none. Default: any device.",
			Optional:            true,
			Validators:          []validator.Object{validators.AtLeastOneOf(deviceIdentifiers...)},
			Attributes: map[string]schema.Attribute{
				"phone_number": schema.StringAttribute{
					MarkdownDescription: "Phone number in E.164 form with its plus, such as `+34600000000`.",
					Optional:            true,
					Validators:          []validator.String{validators.PhoneNumber},
				},
				"network_access_identifier": schema.StringAttribute{
					MarkdownDescription: "Network access identifier, such as `device@example.com`.",
					Optional:            true,
					Validators:          []validator.String{validators.NetworkAccessIdentifier},
				},
				"ipv4_address": schema.SingleNestedAttribute{
					MarkdownDescription: "IPv4 address of the device as the internet sees it.",
					Optional:            true,
					Attributes: map[string]schema.Attribute{
						"public_address": schema.StringAttribute{
							MarkdownDescription: "Public IPv4 address, such as `198.51.100.10`.",
							Required:            true,
							Validators:          []validator.String{validators.DeviceIPv4},
						},
						"public_port": schema.Int64Attribute{
							MarkdownDescription: "Public port, from 0 to 65535. Default: any.",
							Optional:            true,
							CustomType:          validators.WholeNumberType{},
							Validators:          []validator.Int64{validators.Int64Between(0, 65535, "")},
						},
					},
				},
				"ipv6_address": schema.StringAttribute{
					MarkdownDescription: "IPv6 address, such as `2001:db8::10`, in any spelling.",
					Optional:            true,
					Validators:          []validator.String{validators.DeviceIPv6},
				},
			},
		},
		"qos_profile": schema.StringAttribute{
			MarkdownDescription: "QoS profile to list: `QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`. Default: any.",
			Optional:            true,
			Validators:          []validator.String{validators.ProfileName},
		},
		"qos_status": schema.StringAttribute{
			MarkdownDescription: "Status to list: `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`. Default: any.",
			Optional:            true,
			Validators:          []validator.String{validators.OneOf("REQUESTED", "AVAILABLE", "UNAVAILABLE")},
		},
	}
}

// validFilter refuses a profile that does not exist: it would list nothing for ever, and nobody would
// know why. It is asked while validating, since a read may have to wait for the apply.
func validFilter(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var profile types.String
	diags := config.GetAttribute(ctx, path.Root("qos_profile"), &profile)
	diags.Append(diagnostics.Problems(qod.Check(qod.Spec{QoSProfile: profile.ValueString()}))...)
	return diags
}

// listed reads the filter from a configuration, and lists the sessions that pass it.
func listed(ctx context.Context, api qod.Sessions, config tfsdk.Config, filter *sessionsFilter) ([]qod.Session, diag.Diagnostics) {
	var diags diag.Diagnostics
	diags.Append(config.GetAttribute(ctx, path.Root("device"), &filter.Device)...)
	diags.Append(config.GetAttribute(ctx, path.Root("qos_profile"), &filter.QoSProfile)...)
	diags.Append(config.GetAttribute(ctx, path.Root("qos_status"), &filter.QoSStatus)...)
	if diags.HasError() {
		return nil, diags
	}
	found, err := api.List(ctx, qod.Filter{
		Device:     toDevice(filter.Device),
		QoSProfile: filter.QoSProfile.ValueString(),
		Status:     qod.Status(filter.QoSStatus.ValueString()),
	})
	if part, ok := asError[*qod.IncompleteListError](err); ok {
		diags.Append(diagnostics.ListIncomplete(part, len(found)))
	} else if err != nil {
		diags.Append(diagnostics.ListFailed(err))
	}
	return found, diags
}
