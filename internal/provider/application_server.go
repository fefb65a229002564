package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// serverTypes are the types of an application server, as the framework has them.
var serverTypes = attributeTypes(applicationServerSchema(true, ""))

// applicationServerSchema is the one schema of a server, for arguments and, computed, for listed
// sessions.
func applicationServerSchema(computed bool, description string) schema.SingleNestedAttribute {
	address := func(description string, check validator.String) schema.StringAttribute {
		a := schema.StringAttribute{MarkdownDescription: description, Optional: !computed, Computed: computed}
		if !computed {
			a.Validators = []validator.String{check}
		}
		return a
	}
	server := schema.SingleNestedAttribute{
		MarkdownDescription: description,
		Optional:            !computed,
		Computed:            computed,
		Attributes: map[string]schema.Attribute{
			"ipv4_address": address("IPv4 address or CIDR block, such as `198.51.100.0/24`.", validators.ServerIPv4),
			"ipv6_address": address("IPv6 address or CIDR block, such as `2001:db8::/32`. "+
				"Equivalent notations of an address are treated as equal.", validators.ServerIPv6),
		},
	}
	if !computed {
		server.Validators = []validator.Object{validators.AtLeastOneOf("ipv4_address", "ipv6_address")}
	}
	return withType(server)
}

// server plans the application server.
func (p *planner) server(config, prior types.Object) types.Object {
	at := path.Root("application_server")
	return p.object(at, config, p.withoutLeftOut(at, config, prior))
}

// warnOfAllServers warns of a new session for all servers, which excludes all others of the device.
func warnOfAllServers(server *qod.ApplicationServer) (warnings diag.Diagnostics) {
	if server == nil {
		return nil
	}
	for name, address := range map[string]string{"ipv4_address": server.IPv4Address, "ipv6_address": server.IPv6Address} {
		if qod.ServesEverybody(address) {
			warnings.Append(diagnostics.ServesEverybody("application_server." + name))
		}
	}
	return warnings
}

// toApplicationServer is the application server of a configuration; nil without one.
func toApplicationServer(o types.Object) *qod.ApplicationServer {
	if !isSet(o) {
		return nil
	}
	return &qod.ApplicationServer{
		IPv4Address: stringAt(o, "ipv4_address").ValueString(),
		IPv6Address: stringAt(o, "ipv6_address").ValueString(),
	}
}

// fromApplicationServer is the server as an API shows it; null for none.
func fromApplicationServer(a *qod.ApplicationServer) types.Object {
	if a == nil {
		return types.ObjectNull(serverTypes)
	}
	return types.ObjectValueMust(serverTypes, map[string]attr.Value{
		"ipv4_address": stringOrNull(a.IPv4Address), "ipv6_address": stringOrNull(a.IPv6Address),
	})
}
