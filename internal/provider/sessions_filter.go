package provider

import (
	"context"
	"errors"

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

// sessionsFilter filters the sessions of the data source and of the list resource.
type sessionsFilter struct {
	Device     types.Object `tfsdk:"device"`
	QoSProfile types.String `tfsdk:"qos_profile"`
	QoSStatus  types.String `tfsdk:"qos_status"`
}

func filterAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"device": deviceSchema(filterDevice, "Device whose sessions to list: those that match at least one of these identifiers and conflict with none. "+
			"Default: any device. Required with `camara-v1`, which lists the sessions of one device, and with a `grant` that gets an access token for each device. `camara-v0` has no list."),
		"qos_profile": schema.StringAttribute{
			MarkdownDescription: "QoS profile of the sessions to list: " + profileNames() + ". With `camara-v1`, one of the operator's profiles. Default: any profile.",
			Optional:            true,
			Validators:          []validator.String{profileName()},
		},
		"qos_status": schema.StringAttribute{
			MarkdownDescription: "Status of the sessions to list: `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`. Default: any status.",
			Optional:            true,
			Validators:          []validator.String{validators.OneOf("REQUESTED", "AVAILABLE", "UNAVAILABLE")},
		},
	}
}

// validateFilter refuses a profile that no API has, which would match nothing without a word. It is
// checked in validation, because a read may have to wait for the apply.
func validateFilter(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var profile types.String
	diags := config.GetAttribute(ctx, path.Root("qos_profile"), &profile)
	diags.Append(diagnostics.Problems(problemsEverywhere(ofProfile(profile.ValueString())))...)
	return diags
}

// listSessions reads the filter from a configuration, and lists the sessions that match it.
func listSessions(ctx context.Context, api qod.Sessions, config tfsdk.Config, filter *sessionsFilter) ([]qod.Session, diag.Diagnostics) {
	var diags diag.Diagnostics
	diags.Append(config.GetAttribute(ctx, path.Root("device"), &filter.Device)...)
	diags.Append(config.GetAttribute(ctx, path.Root("qos_profile"), &filter.QoSProfile)...)
	diags.Append(config.GetAttribute(ctx, path.Root("qos_status"), &filter.QoSStatus)...)
	device := toDevice(filter.Device)
	diags.Append(diagnostics.Problems(api.Check(ofDevice(filter.QoSProfile.ValueString(), device)))...)
	if diags.HasError() {
		return nil, diags
	}
	found, err := api.List(ctx, qod.Filter{
		Device:     device,
		QoSProfile: filter.QoSProfile.ValueString(),
		Status:     qod.Status(filter.QoSStatus.ValueString()),
	})
	if part, ok := errors.AsType[*qod.IncompleteListError](err); ok {
		diags.Append(diagnostics.ListIncomplete(part, len(found)))
	} else if err != nil {
		diags.Append(diagnostics.ListFailed(err))
	}
	return found, diags
}
