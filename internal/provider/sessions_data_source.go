package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ datasource.DataSourceWithConfigure      = (*sessionsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*sessionsDataSource)(nil)
)

type sessionsDataSource struct{ api qod.Sessions }

func newSessionsDataSource() datasource.DataSource { return &sessionsDataSource{} }

type sessionsModel struct {
	sessionsFilter
	Sessions types.List `tfsdk:"sessions"`
}

// listedTypes are those of one of the sessions. They are values and no struct: the framework takes a
// second to read ten thousand structs by their tags.
var listedTypes = map[string]attr.Type{
	"id":          types.StringType,
	"device":      types.ObjectType{AttrTypes: deviceTypes},
	"qos_profile": types.StringType,
	"qos_status":  types.StringType,
	"started_at":  types.StringType,
	"expires_at":  types.StringType,
	"duration":    wholeNumberType{},
}

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
								"public_port":    schema.Int64Attribute{MarkdownDescription: "Public port.", Computed: true, CustomType: wholeNumberType{}},
							},
						},
						"ipv6_address": schema.StringAttribute{MarkdownDescription: "IPv6 address.", Computed: true},
					},
				},
				"qos_profile": schema.StringAttribute{MarkdownDescription: "QoS profile.", Computed: true},
				"qos_status":  schema.StringAttribute{MarkdownDescription: "Status.", Computed: true},
				"started_at":  schema.StringAttribute{MarkdownDescription: "Start of the session (RFC 3339, UTC).", Computed: true},
				"expires_at":  schema.StringAttribute{MarkdownDescription: "End of the session (RFC 3339, UTC).", Computed: true},
				"duration":    schema.Int64Attribute{MarkdownDescription: "Seconds granted.", Computed: true, CustomType: wholeNumberType{}},
			},
		},
	}
}

// ValidateConfig refuses what no read would answer.
func (d *sessionsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(validFilter(ctx, req.Config)...)
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer catch(&resp.Diagnostics)
	var model sessionsModel
	found, diags := listed(ctx, d.api, req.Config, &model.sessionsFilter)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	shown := make([]attr.Value, 0, len(found))
	for _, s := range found {
		shown = append(shown, toListed(s))
	}
	model.Sessions = types.ListValueMust(types.ObjectType{AttrTypes: listedTypes}, shown)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

func toListed(s qod.Session) types.Object {
	device, duration := types.ObjectNull(deviceTypes), nullWholeNumber()
	if !s.Device.IsZero() {
		device = fromDevice(s.Device)
	}
	if s.Seconds > 0 {
		duration = newWholeNumber(s.Seconds)
	}
	return types.ObjectValueMust(listedTypes, map[string]attr.Value{
		"id":          types.StringValue(s.ID),
		"device":      device,
		"qos_profile": stringOrNull(s.QoSProfile),
		"qos_status":  stringOrNull(string(s.Status)),
		"started_at":  instantOrNull(s.StartedAt),
		"expires_at":  instantOrNull(s.ExpiresAt),
		"duration":    duration,
	})
}
