package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// resourcePlan is what planning a resource decides.
type resourcePlan[M any] struct {
	planned M
	replace path.Paths
	warnings   diag.Diagnostics // warnings
}

// modifyPlan refuses what the API cannot express, and has decide, which is pure, plan from configuration,
// prior state (nil for none), what its record knows, and the provider's endpoint. There is no plan where
// something was refused, or for a destroy.
func modifyPlan[M interface {
	toSpec(token types.String) qod.Spec
}](
	ctx context.Context, api qod.Sessions, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
	decide func(config M, prior *M, private sessionPrivate, endpoint types.String) resourcePlan[M],
) (planned M, ok bool) {
	if req.Plan.Raw.IsNull() {
		return planned, false
	}
	var config M
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return planned, false
	}
	if resp.Diagnostics.Append(diagnostics.Problems(api.Check(config.toSpec(types.StringNull())))...); resp.Diagnostics.HasError() {
		return planned, false
	}
	var prior *M
	var private sessionPrivate
	if !req.State.Raw.IsNull() {
		prior = new(M)
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
		var diags diag.Diagnostics
		private, diags = loadPrivate(ctx, req.Private)
		if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
			return planned, false
		}
	}
	plan := decide(config, prior, private, endpointOf(api))
	resp.RequiresReplace = append(resp.RequiresReplace, plan.replace...)
	resp.Diagnostics.Append(plan.warnings...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan.planned)...)
	return plan.planned, !resp.Diagnostics.HasError()
}

// planner compares attributes that reach the API.
type planner struct {
	imported bool
	replace  path.Paths
	adopted  []string
	unknown  []string // that replace because they are not known yet
}

// request plans what a session is asked for. The token has a version to compare.
func (p *planner) request(config, prior requestModel) requestModel {
	return requestModel{
		Device:                       p.device(config.Device, prior.Device),
		ApplicationServer:            p.object(path.Root("application_server"), config.ApplicationServer, prior.ApplicationServer),
		QoSProfile:                   planAttribute(p, path.Root("qos_profile"), config.QoSProfile, prior.QoSProfile),
		NotificationURL:              planAttribute(p, path.Root("notification_url"), config.NotificationURL, prior.NotificationURL),
		NotificationAuthToken:        types.StringNull(),
		NotificationAuthTokenVersion: planAttribute(p, path.Root("notification_auth_token_version"), config.NotificationAuthTokenVersion, prior.NotificationAuthTokenVersion),
		WaitForAvailable:             config.WaitForAvailable,
	}
}

// planAttribute is attribute with the type of what it is given.
func planAttribute[T attr.Value](p *planner, at path.Path, config, prior T) T {
	v, _ := p.attribute(at, config, prior).(T)
	return v
}

// attribute plans one attribute: as it was when it means the same, adopted after an import, or
// else a replacement.
func (p *planner) attribute(at path.Path, config, prior attr.Value) attr.Value {
	switch {
	case config.Equal(prior):
		return config
	case sameAddress(config, prior):
		return prior
	case p.imported && prior.IsNull():
		p.adopted = append(p.adopted, at.String())
		return config
	}
	if config.IsUnknown() {
		p.unknown = append(p.unknown, at.String())
	}
	p.replace = append(p.replace, at)
	return config
}

// object plans an object member by member, so that the plan names what replaces the session.
func (p *planner) object(at path.Path, config, prior types.Object) types.Object {
	if !isSet(config) || !isSet(prior) {
		return planAttribute(p, at, config, prior)
	}
	members := config.Attributes()
	before := prior.Attributes()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if inner, ok := members[name].(types.Object); ok {
			was, _ := before[name].(types.Object)
			members[name] = p.object(at.AtName(name), inner, was)
			continue
		}
		members[name] = p.attribute(at.AtName(name), members[name], before[name])
	}
	return types.ObjectValueMust(config.AttributeTypes(context.Background()), members)
}

// device plans the device. After an import the API may have shown identifiers that the
// configuration leaves out, or spell one differently (a phone number without its plus); where the
// two prove to be one device, the configuration stands without touching the session.
func (p *planner) device(config, prior types.Object) types.Object {
	at := path.Root("device")
	if p.imported && isSet(config) && isSet(prior) && toDevice(config).Matches(toDevice(prior)) {
		prior = asConfigured(prior, config)
	}
	return p.object(at, config, prior)
}

// asConfigured drops from prior what config leaves out, and spells the rest as config does. A
// re-spelled address is left to sameAddress, which plans no change at all.
func asConfigured(prior, config types.Object) types.Object {
	kept := prior.Attributes()
	for name, v := range config.Attributes() {
		inner, _ := v.(types.Object)
		was, _ := kept[name].(types.Object)
		switch {
		case v.IsNull():
			kept[name] = v
		case isSet(inner) && isSet(was):
			kept[name] = asConfigured(was, inner)
		case isSet(v) && isSet(kept[name]) && !sameAddress(v, kept[name]):
			kept[name] = v
		}
	}
	return types.ObjectValueMust(prior.AttributeTypes(context.Background()), kept)
}

func sameAddress(a, b attr.Value) bool {
	x, ok := a.(types.String)
	y, alsoOK := b.(types.String)
	return ok && alsoOK && isSet(x) && isSet(y) && qod.SameAddress(x.ValueString(), y.ValueString())
}

func (p *planner) notes() diag.Diagnostics {
	var notes diag.Diagnostics
	if len(p.adopted) > 0 {
		notes.Append(diagnostics.AdoptsConfiguration(p.adopted))
	}
	return notes
}

// unknowns warns of what replaces a resource only because a value is not known yet: it may turn out to be
// what it was, when the live session has been cut already. With anything else that replaces it, the values
// make no difference.
func (p *planner) unknowns(resource string) diag.Diagnostics {
	if len(p.unknown) == 0 || len(p.unknown) < len(p.replace) {
		return nil
	}
	return diag.Diagnostics{diagnostics.ReplacedForUnknown(resource, p.unknown)}
}
