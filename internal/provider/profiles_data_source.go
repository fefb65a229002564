package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var _ datasource.DataSourceWithConfigure = (*profilesDataSource)(nil)

// profilesDataSource is qod_profiles: the operator's profiles, with their limits.
type profilesDataSource struct{ api qod.Sessions }

func newProfilesDataSource() datasource.DataSource { return &profilesDataSource{} }

type profilesModel struct {
	Device   types.Object   `tfsdk:"device"`
	Name     types.String   `tfsdk:"name"`
	Status   types.String   `tfsdk:"status"`
	Profiles []profileModel `tfsdk:"profiles"`
}

type profileModel struct {
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	Status      types.String `tfsdk:"status"`

	MinDuration validators.WholeNumber `tfsdk:"min_duration"`
	MaxDuration validators.WholeNumber `tfsdk:"max_duration"`

	TargetMinUpstreamRate   validators.WholeNumber `tfsdk:"target_min_upstream_rate"`
	MaxUpstreamRate         validators.WholeNumber `tfsdk:"max_upstream_rate"`
	TargetMinDownstreamRate validators.WholeNumber `tfsdk:"target_min_downstream_rate"`
	MaxDownstreamRate       validators.WholeNumber `tfsdk:"max_downstream_rate"`
	PacketDelayBudget       validators.WholeNumber `tfsdk:"packet_delay_budget"`
}

func (d *profilesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_profiles"
}

func (d *profilesDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.api = apiFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *profilesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	number := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{MarkdownDescription: description + " Null if the API shows none.", Computed: true, CustomType: validators.WholeNumberType{}}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the operator's QoS profiles, with their limits. Only with CAMARA's APIs (`camara-v1`, `camara-v0`), whose operators offer profiles of their own. " +
			"Reading them needs a scope that sessions do not need: `qos-profiles:read` with `camara-v1`, which has a profiles API at `profiles_path`, " +
			"and `qod-profiles-read` with `camara-v0`. " +
			"Once they have been read, a plan warns of a `duration` or window that they do not allow.",
		Attributes: map[string]schema.Attribute{
			"device": deviceSchema(filterDevice, "Device whose profiles to list: those that it can use, identified by at least one of these attributes. Default: any device. `camara-v0` has the same profiles for all devices."),
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the profile to list. Default: any name.", Optional: true, Validators: []validator.String{profileName()},
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "Status of the profiles to list: `ACTIVE`, `INACTIVE` or `DEPRECATED`. New sessions can have only an `ACTIVE` one. Default: any status.",
				Optional:            true,
				Validators:          []validator.String{validators.OneOf("ACTIVE", "INACTIVE", "DEPRECATED")},
			},
			"profiles": schema.ListNestedAttribute{
				MarkdownDescription: "Profiles in the order in which the API lists them.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":                       schema.StringAttribute{MarkdownDescription: "Name, for `qos_profile`.", Computed: true},
					"description":                schema.StringAttribute{MarkdownDescription: "Description by the operator.", Computed: true},
					"status":                     schema.StringAttribute{MarkdownDescription: "Status.", Computed: true},
					"min_duration":               number("Shortest session, in seconds."),
					"max_duration":               number("Longest session, in seconds."),
					"target_min_upstream_rate":   number("Upstream rate that the network tries to maintain, in bits per second."),
					"max_upstream_rate":          number("Highest upstream rate, in bits per second."),
					"target_min_downstream_rate": number("Downstream rate that the network tries to maintain, in bits per second."),
					"max_downstream_rate":        number("Highest downstream rate, in bits per second."),
					"packet_delay_budget":        number("Longest one-way delay of packets, in milliseconds."),
				}},
			},
		},
	}
}

func (d *profilesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model profilesModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	found, err := d.api.Profiles(ctx, qod.ProfileFilter{
		Device: toDevice(model.Device), Name: model.Name.ValueString(), Status: model.Status.ValueString(),
	})
	if err != nil {
		resp.Diagnostics.Append(diagnostics.ProfilesFailed(err))
		return
	}
	model.Profiles = []profileModel{}
	for _, p := range found {
		model.Profiles = append(model.Profiles, profileModel{
			Name: types.StringValue(p.Name), Description: stringOrNull(p.Description), Status: stringOrNull(p.Status),
			MinDuration: positiveOrNull(p.MinSeconds), MaxDuration: positiveOrNull(p.MaxSeconds),
			TargetMinUpstreamRate: positiveOrNull(p.TargetMinUpstreamRate), MaxUpstreamRate: positiveOrNull(p.MaxUpstreamRate),
			TargetMinDownstreamRate: positiveOrNull(p.TargetMinDownstreamRate), MaxDownstreamRate: positiveOrNull(p.MaxDownstreamRate),
			PacketDelayBudget: positiveOrNull(p.PacketDelayBudget.Milliseconds()),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

func positiveOrNull(n int64) validators.WholeNumber {
	if n <= 0 {
		return validators.NullWholeNumber()
	}
	return validators.NewWholeNumber(n)
}
