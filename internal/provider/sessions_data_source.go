package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ datasource.DataSourceWithConfigure      = (*sessionsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*sessionsDataSource)(nil)
)

type sessionsDataSource struct{ api qod.Sessions }

func newSessionsDataSource() datasource.DataSource { return &sessionsDataSource{} }

// Types of one of the sessions, as Terraform has them. The framework takes two seconds to make such values
// of ten thousand structs, and to look through them again.
var (
	listedIPv4Type   = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"public_address": tftypes.String, "public_port": tftypes.Number}}
	listedDeviceType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"phone_number": tftypes.String, "network_access_identifier": tftypes.String, "ipv4_address": listedIPv4Type, "ipv6_address": tftypes.String,
	}}
	listedType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"id": tftypes.String, "device": listedDeviceType, "qos_profile": tftypes.String, "qos_status": tftypes.String,
		"started_at": tftypes.String, "expires_at": tftypes.String, "duration": tftypes.Number,
	}}
)

func (d *sessionsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_sessions"
}

func (d *sessionsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.api = sessionsFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *sessionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the sessions that the credentials can see: all that are requested, available, or unavailable and not deleted yet. " +
			"None is a result, not an error. It is read while planning: next to sessions that the same apply changes, it shows what was before.",
		Attributes: filterAttributes(),
	}
	resp.Schema.Attributes["sessions"] = schema.ListNestedAttribute{
		MarkdownDescription: "Sessions in the order they started, those without a start last, then by `id`.",
		Computed:            true,
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"id": schema.StringAttribute{MarkdownDescription: "Identifier of the session.", Computed: true},
				"device": schema.SingleNestedAttribute{
					MarkdownDescription: "Device as the API shows it, perhaps with fewer or other identifiers than it was given. Null when it shows none.",
					Computed:            true,
					Attributes: map[string]schema.Attribute{
						"phone_number":              schema.StringAttribute{MarkdownDescription: "Phone number.", Computed: true},
						"network_access_identifier": schema.StringAttribute{MarkdownDescription: "Network access identifier.", Computed: true},
						"ipv4_address": schema.SingleNestedAttribute{
							MarkdownDescription: "IPv4 address.",
							Computed:            true,
							Attributes: map[string]schema.Attribute{
								"public_address": schema.StringAttribute{MarkdownDescription: "Public IPv4 address.", Computed: true},
								"public_port":    schema.Int64Attribute{MarkdownDescription: "Public port.", Computed: true, CustomType: validators.WholeNumberType{}},
							},
						},
						"ipv6_address": schema.StringAttribute{MarkdownDescription: "IPv6 address.", Computed: true},
					},
				},
				"qos_profile": schema.StringAttribute{MarkdownDescription: "QoS profile.", Computed: true},
				"qos_status":  schema.StringAttribute{MarkdownDescription: "Status.", Computed: true},
				"started_at":  schema.StringAttribute{MarkdownDescription: "Start of the session (RFC 3339, UTC).", Computed: true},
				"expires_at":  schema.StringAttribute{MarkdownDescription: "End of the session (RFC 3339, UTC).", Computed: true},
				"duration":    schema.Int64Attribute{MarkdownDescription: "Seconds granted.", Computed: true, CustomType: validators.WholeNumberType{}},
			},
		},
	}
}

// ValidateConfig refuses what no read would answer.
func (d *sessionsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(validFilter(ctx, req.Config)...)
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var filter sessionsFilter
	found, diags := listed(ctx, d.api, req.Config, &filter)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var attributes map[string]tftypes.Value
	if err := req.Config.Raw.As(&attributes); err != nil {
		panic(err) // the framework has read it before
	}
	shown := make([]tftypes.Value, 0, len(found))
	for _, s := range found {
		shown = append(shown, toListed(s))
	}
	attributes["sessions"] = tftypes.NewValue(tftypes.List{ElementType: listedType}, shown)
	resp.State.Raw = tftypes.NewValue(req.Config.Raw.Type(), attributes)
}

func toListed(s qod.Session) tftypes.Value {
	return tftypes.NewValue(listedType, map[string]tftypes.Value{
		"id":          textOrNull(s.ID),
		"device":      toListedDevice(s.Device),
		"qos_profile": textOrNull(s.QoSProfile),
		"qos_status":  textOrNull(string(s.Status)),
		"started_at":  textOrNull(instantOrNull(s.StartedAt).ValueString()),
		"expires_at":  textOrNull(instantOrNull(s.ExpiresAt).ValueString()),
		"duration":    numberOrNull(s.Seconds, s.Seconds > 0),
	})
}

func toListedDevice(d qod.Device) tftypes.Value {
	if d.IsZero() {
		return tftypes.NewValue(listedDeviceType, nil)
	}
	ipv4 := tftypes.NewValue(listedIPv4Type, nil)
	if d.IPv4Address != nil {
		port := d.IPv4Address.PublicPort
		number := numberOrNull(0, false)
		if port != nil {
			number = numberOrNull(*port, true)
		}
		ipv4 = tftypes.NewValue(listedIPv4Type, map[string]tftypes.Value{
			"public_address": tftypes.NewValue(tftypes.String, d.IPv4Address.PublicAddress),
			"public_port":    number,
		})
	}
	return tftypes.NewValue(listedDeviceType, map[string]tftypes.Value{
		"phone_number":              textOrNull(d.PhoneNumber),
		"network_access_identifier": textOrNull(d.NetworkAccessIdentifier),
		"ipv4_address":              ipv4,
		"ipv6_address":              textOrNull(d.IPv6Address),
	})
}

func textOrNull(s string) tftypes.Value {
	if s == "" {
		return tftypes.NewValue(tftypes.String, nil)
	}
	return tftypes.NewValue(tftypes.String, s)
}

func numberOrNull(n int64, known bool) tftypes.Value {
	if !known {
		return tftypes.NewValue(tftypes.Number, nil)
	}
	return tftypes.NewValue(tftypes.Number, n)
}
