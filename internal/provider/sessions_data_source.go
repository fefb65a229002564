package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
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

// listedSchema is the schema of one session in the list.
func listedSchema() schema.NestedAttributeObject {
	listed := schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"id": schema.StringAttribute{MarkdownDescription: "Identifier of the session.", Computed: true},
		"device": deviceSchema(computedDevice,
			"Device as the API shows it, possibly with fewer or other identifiers than were requested. Null if the API shows none."),
		"qos_profile":              schema.StringAttribute{MarkdownDescription: "QoS profile.", Computed: true},
		"qos_status":               schema.StringAttribute{MarkdownDescription: "Status.", Computed: true},
		"status_info":              schema.StringAttribute{MarkdownDescription: "Why the session is `UNAVAILABLE`, where the API says it.", Computed: true},
		"device_ports":             portsSchema(true, "Ports of the device that the session is for. Null if the API shows none."),
		"application_server":       applicationServerSchema(true, "Application server. Null if the API shows none; the default API never does."),
		"application_server_ports": portsSchema(true, "Ports of the application server that the session is for. Null if the API shows none."),
		"started_at":               schema.StringAttribute{MarkdownDescription: "Start of the session (RFC 3339, UTC).", Computed: true},
		"expires_at":               schema.StringAttribute{MarkdownDescription: "End of the session (RFC 3339, UTC).", Computed: true},
		"duration":                 schema.Int64Attribute{MarkdownDescription: "Seconds granted.", Computed: true, CustomType: validators.WholeNumberType{}},
	}}
	listed.CustomType = types.ObjectType{AttrTypes: memberTypes(listed.Type())} // as in withType
	return listed
}

// listedType is the type of one session in the list as Terraform encodes it. To convert ten
// thousand structs, and to validate them again, takes the framework two seconds.
var listedType = listedSchema().Type().TerraformType(context.Background())

func (d *sessionsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_sessions"
}

func (d *sessionsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.api = apiFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *sessionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the sessions that the credentials can see: all that are requested, available, or unavailable and not deleted yet. " +
			"An empty list is a valid result. The list is read at plan time, so it shows sessions as they were before the same apply changes them.",
		Attributes: filterAttributes(),
	}
	listed := listedSchema()
	resp.Schema.Attributes["sessions"] = schema.ListNestedAttribute{
		MarkdownDescription: "Sessions in the order in which they started, those without a start last, then by `id`.",
		Computed:            true,
		NestedObject:        listed,
		CustomType:          types.ListType{ElemType: listed.Type()},
	}
	resp.Schema.Attributes["read_at"] = schema.StringAttribute{
		MarkdownDescription: "Time of the list by the API's clock, to within some seconds (RFC 3339, UTC). Null if its answers show no time, or disagree about it.",
		Computed:            true,
	}
}

// ValidateConfig refuses a filter that can match nothing.
func (d *sessionsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(validateFilter(ctx, req.Config)...)
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var filter sessionsFilter
	found, diags := listSessions(ctx, d.api, req.Config, &filter)
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
		shown = append(shown, toListed(ctx, s))
	}
	attributes["read_at"] = textOrNull(instantOrNull(estimateNow(d.api)).ValueString())
	attributes["sessions"] = tftypes.NewValue(tftypes.List{ElementType: listedType}, shown)
	resp.State.Raw = tftypes.NewValue(req.Config.Raw.Type(), attributes)
}

func toListed(ctx context.Context, s qod.Session) tftypes.Value {
	seconds := tftypes.NewValue(tftypes.Number, nil)
	if s.Seconds > 0 {
		seconds = tftypes.NewValue(tftypes.Number, s.Seconds)
	}
	return tftypes.NewValue(listedType, map[string]tftypes.Value{
		"id":                       textOrNull(s.ID),
		"device":                   raw(ctx, fromDevice(s.Device)),
		"device_ports":             raw(ctx, fromPorts(s.DevicePorts)),
		"application_server":       raw(ctx, fromApplicationServer(s.ApplicationServer)),
		"application_server_ports": raw(ctx, fromPorts(s.ApplicationServerPorts)),
		"qos_profile":              textOrNull(s.QoSProfile),
		"qos_status":               textOrNull(string(s.Status)),
		"status_info":              textOrNull(s.StatusInfo),
		"started_at":               textOrNull(instantOrNull(s.StartedAt).ValueString()),
		"expires_at":               textOrNull(instantOrNull(s.ExpiresAt).ValueString()),
		"duration":                 seconds,
	})
}

// raw is a value as Terraform encodes it.
func raw(ctx context.Context, o types.Object) tftypes.Value {
	encoded, err := o.ToTerraformValue(ctx)
	if err != nil {
		panic(err) // it can fail for other types only
	}
	return encoded
}

func textOrNull(s string) tftypes.Value {
	if s == "" {
		return tftypes.NewValue(tftypes.String, nil)
	}
	return tftypes.NewValue(tftypes.String, s)
}
