package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// deviceKind is what a device is for in a schema. All three have the same attributes.
type deviceKind int

const (
	requestedDevice deviceKind = iota // of a resource: the device to reserve quality for
	filterDevice                      // of a list: the device whose sessions to show
	computedDevice                    // of a listed session: the device as the API shows it
)

// The types of a device and its IPv4 address, as the framework has them.
var (
	deviceTypes = attributeTypes(deviceSchema(computedDevice, ""))
	ipv4Types   = memberTypes(deviceTypes["ipv4_address"])
)

// deviceSchema is the one schema of a device, for resources, filters and lists alike.
func deviceSchema(kind deviceKind, description string) schema.SingleNestedAttribute {
	port := "Public port, from 0 to 65535."
	switch kind {
	case requestedDevice:
		port += " Behind carrier-grade NAT, the address alone does not identify a device."
	case filterDevice:
		port += " Default: any port."
	case computedDevice:
	}
	computed := kind == computedDevice
	identifier := func(description string, checks ...validator.String) schema.StringAttribute {
		if computed {
			checks = nil
		}
		return schema.StringAttribute{
			MarkdownDescription: description, Optional: !computed, Computed: computed, Validators: checks,
		}
	}
	publicAddress := identifier("Public IPv4 address, such as `198.51.100.10`.", validators.DeviceIPv4)
	publicAddress.Required, publicAddress.Optional = !computed, false
	publicPort := schema.Int64Attribute{
		MarkdownDescription: port, Optional: !computed, Computed: computed, CustomType: validators.WholeNumberType{},
	}
	device := schema.SingleNestedAttribute{
		MarkdownDescription: description,
		Required:            kind == requestedDevice,
		Optional:            kind == filterDevice,
		Computed:            computed,
	}
	if !computed {
		publicPort.Validators = []validator.Int64{validators.Int64Between(0, 65535, "")}
		device.Validators = []validator.Object{validators.AtLeastOneOf(
			"phone_number", "network_access_identifier", "ipv4_address", "ipv6_address",
		)}
	}
	device.Attributes = map[string]schema.Attribute{
		"phone_number": identifier("Phone number in E.164 format with a leading plus, such as `+34600000000`. "+
			"Quote it: YAML and spreadsheets drop the plus.", validators.PhoneNumber),
		"network_access_identifier": identifier("Network access identifier, such as `device@example.com`.",
			validators.NetworkAccessIdentifier),
		"ipv4_address": withType(schema.SingleNestedAttribute{
			MarkdownDescription: "IPv4 address of the device as seen from the internet.",
			Optional:            !computed,
			Computed:            computed,
			Attributes: map[string]schema.Attribute{
				"public_address": publicAddress,
				"public_port":    publicPort,
				"private_address": identifier("Private IPv4 address that the network gave the device, such as `10.0.0.10`. Only with CAMARA's APIs (`camara-v1`, `camara-v0`), "+
					"which need it or `public_port`.", validators.PrivateIPv4),
			},
		}),
		"ipv6_address": identifier("IPv6 address, such as `2001:db8::10`. "+
			"Equivalent notations of an address are treated as equal.", validators.DeviceIPv6),
	}
	return withType(device)
}

// toDevice is the device of a configuration or a state; without one, it is zero.
func toDevice(o types.Object) qod.Device {
	if !isSet(o) {
		return qod.Device{}
	}
	ipv4, _ := o.Attributes()["ipv4_address"].(types.Object)
	return qod.Device{
		PhoneNumber:             stringAt(o, "phone_number").ValueString(),
		NetworkAccessIdentifier: stringAt(o, "network_access_identifier").ValueString(),
		IPv4Address:             toIPv4Address(ipv4),
		IPv6Address:             stringAt(o, "ipv6_address").ValueString(),
	}
}

func toIPv4Address(o types.Object) *qod.IPv4Address {
	if !isSet(o) {
		return nil
	}
	address := qod.IPv4Address{
		PublicAddress: stringAt(o, "public_address").ValueString(), PublicPort: nil,
		PrivateAddress: stringAt(o, "private_address").ValueString(),
	}
	if port, ok := o.Attributes()["public_port"].(validators.WholeNumber); ok && isSet(port) {
		address.PublicPort = port.ValueInt64Pointer()
	}
	return &address
}

// fromDevice is the device as an API shows it; null for none.
func fromDevice(d qod.Device) types.Object {
	if d.IsZero() {
		return types.ObjectNull(deviceTypes)
	}
	ipv4 := types.ObjectNull(ipv4Types)
	if d.IPv4Address != nil {
		port := validators.NullWholeNumber()
		if d.IPv4Address.PublicPort != nil {
			port = validators.NewWholeNumber(*d.IPv4Address.PublicPort)
		}
		ipv4 = types.ObjectValueMust(ipv4Types, map[string]attr.Value{
			"public_address":  types.StringValue(d.IPv4Address.PublicAddress),
			"public_port":     port,
			"private_address": stringOrNull(d.IPv4Address.PrivateAddress),
		})
	}
	return types.ObjectValueMust(deviceTypes, map[string]attr.Value{
		"phone_number":              stringOrNull(d.PhoneNumber),
		"network_access_identifier": stringOrNull(d.NetworkAccessIdentifier),
		"ipv4_address":              ipv4,
		"ipv6_address":              stringOrNull(d.IPv6Address),
	})
}

// withType is the attribute with its type written down. The framework composes the type of a nested
// attribute anew for every value that it visits, which is most of the cost of a long list.
func withType(nested schema.SingleNestedAttribute) schema.SingleNestedAttribute {
	nested.CustomType = types.ObjectType{AttrTypes: attributeTypes(nested)}
	return nested
}

// attributeTypes are the types of the attributes in a nested attribute.
func attributeTypes(nested schema.SingleNestedAttribute) map[string]attr.Type {
	return memberTypes(nested.GetType())
}

// memberTypes are the types of the members of an object.
func memberTypes(object attr.Type) map[string]attr.Type {
	typed, _ := object.(attr.TypeWithAttributeTypes)
	return typed.AttributeTypes()
}
