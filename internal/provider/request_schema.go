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

// deviceIdentifiers are the attributes that name a device, of which one is enough.
var deviceIdentifiers = []string{"phone_number", "network_access_identifier", "ipv4_address", "ipv6_address"}

var (
	ipv4Types   = map[string]attr.Type{"public_address": types.StringType, "public_port": validators.WholeNumberType{}}
	deviceTypes = map[string]attr.Type{"phone_number": types.StringType, "network_access_identifier": types.StringType, "ipv4_address": types.ObjectType{AttrTypes: ipv4Types}, "ipv6_address": types.StringType}
	serverTypes = map[string]attr.Type{"ipv4_address": types.StringType, "ipv6_address": types.StringType}
)

// requestAttributes are what every resource that reserves sessions can ask for, see requestModel, and
// those of its own. The resource is what a change of one replaces.
func requestAttributes(resource string, own map[string]schema.Attribute) map[string]schema.Attribute {
	all := map[string]schema.Attribute{
		"device": schema.SingleNestedAttribute{
			MarkdownDescription: "Device to reserve quality for, by at least one of its identifiers. Changing one replaces the " + resource + ".",
			Required:            true,
			Validators:          []validator.Object{validators.AtLeastOneOf(deviceIdentifiers...)},
			Attributes: map[string]schema.Attribute{
				"phone_number": schema.StringAttribute{
					MarkdownDescription: "Phone number in E.164 form with its plus, such as `+34600000000`. Quote it: YAML and spreadsheets drop the plus.",
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
							MarkdownDescription: "Public port, from 0 to 65535. Behind carrier-grade NAT the address alone does not name a device.",
							Optional:            true,
							CustomType:          validators.WholeNumberType{},
							Validators:          []validator.Int64{validators.Int64Between(0, 65535, "")},
						},
					},
				},
				"ipv6_address": schema.StringAttribute{
					MarkdownDescription: "IPv6 address of the device, such as `2001:db8::10`. Another spelling of the same address changes nothing.",
					Optional:            true,
					Validators:          []validator.String{validators.DeviceIPv6},
				},
			},
		},
		"application_server": schema.SingleNestedAttribute{
			MarkdownDescription: "Far end of the traffic, by at least one address or CIDR block. Not set: any. Changing it replaces the " + resource + ".",
			Optional:            true,
			Validators:          []validator.Object{validators.AtLeastOneOf("ipv4_address", "ipv6_address")},
			Attributes: map[string]schema.Attribute{
				"ipv4_address": schema.StringAttribute{
					MarkdownDescription: "IPv4 address or CIDR block, such as `198.51.100.0/24`.",
					Optional:            true,
					Validators:          []validator.String{validators.ServerIPv4},
				},
				"ipv6_address": schema.StringAttribute{
					MarkdownDescription: "IPv6 address or CIDR block, such as `2001:db8::/32`.",
					Optional:            true,
					Validators:          []validator.String{validators.ServerIPv6},
				},
			},
		},
		"qos_profile": schema.StringAttribute{
			MarkdownDescription: "QoS profile: `QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`. Changing it replaces the " + resource + ", and so does a network that changes it.",
			Required:            true,
			Validators:          []validator.String{validators.ProfileName},
		},
		"notification_url": schema.StringAttribute{
			MarkdownDescription: "Absolute `https` or `http` URL that the network tells of status changes. Changing it replaces the " + resource + ".",
			Optional:            true,
			Validators:          []validator.String{validators.WebhookURL},
		},
		"notification_auth_token": schema.StringAttribute{
			MarkdownDescription: "Bearer token that the network sends to `notification_url`. Write-only: it is in no plan and no state, " +
				"so Terraform cannot see that it changed. Give a new one together with a new `notification_auth_token_version`. " +
				"Take it from the environment or an ephemeral variable: Terraform puts literals into saved plans.",
			Optional: true,
			// Not Sensitive as well: what is never stored needs no hiding, and each mark in a state is
			// written with every snapshot of it (a tenth of the time to apply a thousand sessions).
			WriteOnly: true,
			Validators: []validator.String{
				validators.BearerToken,
				validators.AlsoRequires("notification_url", "there is nobody to send the token to"),
			},
		},
		"notification_auth_token_version": schema.Int64Attribute{
			MarkdownDescription: "Number of the `notification_auth_token`, from 0. Changing it replaces the " + resource + ", with the token of the configuration.",
			Optional:            true,
			CustomType:          validators.WholeNumberType{},
			Validators: []validator.Int64{
				validators.Int64Between(0, 1<<53, ""),
				validators.AlsoRequires("notification_auth_token", "there is no token to number"),
			},
		},
		"wait_for_available": schema.BoolAttribute{
			MarkdownDescription: "Wait until the network reports `AVAILABLE`. Default: `true`. " +
				"With `false`, an apply succeeds as soon as the session is requested.",
			Optional: true,
		},
	}
	maps.Copy(all, own)
	return all
}

// timeoutsAttribute limits operations, each with a timeoutAttribute.
func timeoutsAttribute(operations map[string]schema.Attribute) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Time allowed to each operation.",
		Optional:            true,
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
