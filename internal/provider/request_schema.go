package provider

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

const (
	defaultCreateTimeout = 5 * time.Minute
	defaultUpdateTimeout = 5 * time.Minute
	defaultDeleteTimeout = 2 * time.Minute
	maxTimeout           = 24 * time.Hour
)

// requestAttributes are the arguments that every resource shares, see requestModel, and those of its
// own. The resource is the noun that descriptions use for it.
func requestAttributes(resource string, own map[string]schema.Attribute) map[string]schema.Attribute {
	replaces := "Changing this replaces the " + resource + "."
	all := map[string]schema.Attribute{
		"device": deviceSchema(requestedDevice, "Device to reserve quality for, identified by at least one of these attributes. "+replaces),
		"application_server": applicationServerSchema("Application server that the device communicates with: " +
			"at least one address or CIDR block. Default: any server. " + replaces),
		"qos_profile": schema.StringAttribute{
			MarkdownDescription: "QoS profile: `QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`. " + replaces + " So does a change made by the network.",
			Required:            true,
			Validators:          []validator.String{validators.ProfileName},
		},
		"notification_url": schema.StringAttribute{
			MarkdownDescription: "Absolute `https` or `http` URL that the network notifies of status changes. " + replaces,
			Optional:            true,
			Validators:          []validator.String{validators.WebhookURL},
		},
		"notification_auth_token": schema.StringAttribute{
			MarkdownDescription: "Bearer token that the network sends to `notification_url`. " +
				"Write-only: it is stored in neither plan nor state, so Terraform cannot detect that it has changed. " +
				"Increase `notification_auth_token_version` whenever it changes. " +
				"Supply it from the environment or an ephemeral variable, because Terraform stores literals in saved plans.",
			Optional: true,
			// Not Sensitive as well: what is never stored needs no hiding, and each mark in a state is
			// written with every snapshot of it (a tenth of the time to apply a thousand sessions).
			WriteOnly: true,
			Validators: []validator.String{
				validators.BearerToken,
				validators.AlsoRequires("notification_url", "the network sends the token to that URL"),
			},
		},
		"notification_auth_token_version": schema.Int64Attribute{
			MarkdownDescription: "Version of `notification_auth_token`, 0 or greater. Increase it whenever the token changes. " +
				replaces + " The new one uses the configured token.",
			Optional:   true,
			CustomType: validators.WholeNumberType{},
			Validators: []validator.Int64{
				validators.Int64Between(0, 1<<53, ""),
				validators.AlsoRequires("notification_auth_token", "it is the version of that token"),
			},
		},
		"wait_for_available": schema.BoolAttribute{
			MarkdownDescription: "Wait until the network reports the session as `AVAILABLE`. " +
				"With `false`, an apply succeeds as soon as the session has been requested. Default: `true`.",
			Optional: true,
		},
	}
	maps.Copy(all, own)
	return all
}

// timeoutsAttribute limits operations, each with a timeoutAttribute.
func timeoutsAttribute(operations map[string]schema.Attribute) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Time limits for operations.",
		Optional:            true,
		Validators:          []validator.Object{validators.NotEmpty()},
		CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutTypes(slices.Collect(maps.Keys(operations))...)}},
		Attributes:          operations,
	}
}

func timeoutTypes(operations ...string) map[string]attr.Type {
	members := map[string]attr.Type{}
	for _, name := range operations {
		members[name] = types.StringType
	}
	return members
}

// noTimeouts are those of a resource that limits none of the operations.
func noTimeouts(operations ...string) timeouts.Value {
	return timeouts.Value{Object: types.ObjectNull(timeoutTypes(operations...))}
}

func timeoutAttribute(what string, byDefault time.Duration) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: what + ", as a [duration](https://pkg.go.dev/time#ParseDuration) such as `\"10m\"`. Default: `\"" + validators.FormatDuration(byDefault) + "\"`.",
		Optional:            true,
		Validators:          []validator.String{validators.Duration(maxTimeout)},
	}
}
