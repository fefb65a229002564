package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var _ datasource.DataSourceWithConfigure = (*sessionsDataSource)(nil)

type sessionsDataSource struct{ api qod.Sessions }

func newSessionsDataSource() datasource.DataSource { return &sessionsDataSource{} }

type sessionsModel struct {
	Device     types.Object `tfsdk:"device"`
	QoSProfile types.String `tfsdk:"qos_profile"`
	QoSStatus  types.String `tfsdk:"qos_status"`
	Sessions   types.List   `tfsdk:"sessions"`
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
			"None is a result, not an error.",
		Attributes: map[string]schema.Attribute{
			"device": schema.SingleNestedAttribute{
				MarkdownDescription: "Device whose sessions to list: those that show at least one of these identifiers and contradict none. Default: any device.",
				Optional:            true,
				Validators:          []validator.Object{oneOf(deviceIdentifiers...)},
				Attributes: map[string]schema.Attribute{
					"phone_number": schema.StringAttribute{
						MarkdownDescription: "Phone number in E.164 form with its plus, such as `+34600000000`.",
						Optional:            true,
						Validators:          []validator.String{phoneNumber},
					},
					"network_access_identifier": schema.StringAttribute{
						MarkdownDescription: "Network access identifier, such as `device@example.com`.",
						Optional:            true,
						Validators:          []validator.String{networkAccessIdentifier},
					},
					"ipv4_address": schema.SingleNestedAttribute{
						MarkdownDescription: "IPv4 address of the device as the internet sees it.",
						Optional:            true,
						Attributes: map[string]schema.Attribute{
							"public_address": schema.StringAttribute{
								MarkdownDescription: "Public IPv4 address, such as `198.51.100.10`.",
								Required:            true,
								Validators:          []validator.String{address(4, false, true)},
							},
							"public_port": schema.Int64Attribute{
								MarkdownDescription: "Public port, from 0 to 65535. Default: any.",
								Optional:            true,
								CustomType:          wholeNumberType{},
								Validators:          []validator.Int64{between(0, 65535, "")},
							},
						},
					},
					"ipv6_address": schema.StringAttribute{
						MarkdownDescription: "IPv6 address, such as `2001:db8::10`, in any spelling.",
						Optional:            true,
						Validators:          []validator.String{address(6, false, true)},
					},
				},
			},
			"qos_profile": schema.StringAttribute{
				MarkdownDescription: "QoS profile to list: `QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`. Default: any.",
				Optional:            true,
				Validators:          []validator.String{profileName},
			},
			"qos_status": schema.StringAttribute{
				MarkdownDescription: "Status to list: `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`. Default: any.",
				Optional:            true,
				Validators:          []validator.String{sessionStatus},
			},
			"sessions": schema.ListNestedAttribute{
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
			},
		},
	}
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer catch(&resp.Diagnostics)
	var model sessionsModel
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("device"), &model.Device)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("qos_profile"), &model.QoSProfile)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("qos_status"), &model.QoSStatus)...)
	// A profile that does not exist would list nothing for ever, and nobody would know why.
	resp.Diagnostics.Append(problems(d.api.Check(qod.Spec{QoSProfile: model.QoSProfile.ValueString()}))...)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.api.List(ctx, qod.Filter{
		Device:     toDevice(model.Device),
		QoSProfile: model.QoSProfile.ValueString(),
		Status:     qod.Status(model.QoSStatus.ValueString()),
	})
	if err != nil {
		resp.Diagnostics.Append(listFailed(err))
		return
	}
	listed := make([]attr.Value, 0, len(found))
	for _, s := range found {
		listed = append(listed, toListed(s))
	}
	model.Sessions = types.ListValueMust(types.ObjectType{AttrTypes: listedTypes}, listed)
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
