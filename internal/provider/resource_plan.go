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
	planned  M
	replace  path.Paths
	warnings diag.Diagnostics
}

// plannedAPI is what planning knows of the API that is configured.
type plannedAPI struct {
	endpoint  types.String // unknown while the provider's configuration is
	canExtend bool         // a session that exists
}

// modifyPlan refuses what the API cannot express, and lets decide plan the rest. That function is
// pure: it gets the configuration, the prior state (nil for none), the private state, and what it
// may know of the API. ok is false for a destroy, and where something was refused.
func modifyPlan[M interface {
	toSpec(token types.String) qod.Spec
	configuredToken() types.String
}](
	ctx context.Context, api qod.Sessions, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
	decide func(config M, prior *M, private sessionPrivate, api plannedAPI) resourcePlan[M],
) (planned M, ok bool) {
	if req.Plan.Raw.IsNull() {
		return planned, false
	}
	var config M
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return planned, false
	}
	spec := config.toSpec(config.configuredToken())
	if resp.Diagnostics.Append(diagnostics.Problems(api.Check(spec))...); resp.Diagnostics.HasError() {
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
	plan := decide(config, prior, private, plannedAPI{endpointOf(api), api.Limits().CanExtend})
	resp.RequiresReplace = append(resp.RequiresReplace, plan.replace...)
	resp.Diagnostics.Append(plan.warnings...)
	if api.Limits().PerFlow && (prior == nil || len(plan.replace) > 0) {
		resp.Diagnostics.Append(warnOfAllServers(spec.ApplicationServer)...)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan.planned)...)
	return plan.planned, !resp.Diagnostics.HasError()
}

// planner plans the arguments that reach the API, and collects what they lead to.
type planner struct {
	imported bool
	replace  path.Paths // what replaces the resource
	unknown  []string   // of these, what does so because its value is not known yet
	adopted  []string   // what an imported resource takes from the configuration
	leftOut  []string   // what an imported session has, and the configuration leaves out
}

// planAttribute is planner.attribute with the type of its values. What an imported session shows,
// and the configuration leaves out, does not replace it either; see withoutLeftOut.
func planAttribute[T attr.Value](p *planner, at path.Path, config, prior T) T {
	if p.imported && config.IsNull() && !prior.IsNull() {
		p.leftOut = append(p.leftOut, at.String())
		return config
	}
	v, _ := p.attribute(at, config, prior).(T)
	return v
}

// attribute plans one attribute. It keeps the prior value if that means the same, takes the
// configured one without a replacement after an import that left it null, and otherwise replaces
// the resource.
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

// object plans an object attribute by attribute, so that the plan names what replaces the resource.
func (p *planner) object(at path.Path, config, prior types.Object) types.Object {
	if !isSet(config) || !isSet(prior) {
		return planAttribute(p, at, config, prior)
	}
	planned := config.Attributes()
	priors := prior.Attributes()
	for _, name := range slices.Sorted(maps.Keys(planned)) {
		if nested, ok := planned[name].(types.Object); ok {
			nestedPrior, _ := priors[name].(types.Object)
			planned[name] = p.object(at.AtName(name), nested, nestedPrior)
			continue
		}
		planned[name] = p.attribute(at.AtName(name), planned[name], priors[name])
	}
	return types.ObjectValueMust(config.AttributeTypes(context.Background()), planned)
}

// device plans the device. An API may show an imported session with identifiers that the
// configuration leaves out, or spell them differently (a phone number without its plus). If both
// are the same device, the configuration stands, and the session is left alone.
func (p *planner) device(config, prior types.Object) types.Object {
	if p.imported && isSet(config) && isSet(prior) && toDevice(config).Matches(toDevice(prior)) {
		prior = asConfigured(prior, config)
	}
	return p.object(path.Root("device"), config, prior)
}

// asConfigured is prior without what config leaves out, and with the spelling of config. Addresses
// keep theirs, since sameAddress plans no change of them at all.
func asConfigured(prior, config types.Object) types.Object {
	result := prior.Attributes()
	for name, configured := range config.Attributes() {
		nested, _ := configured.(types.Object)
		nestedPrior, _ := result[name].(types.Object)
		switch {
		case configured.IsNull():
			result[name] = configured
		case isSet(nested) && isSet(nestedPrior):
			result[name] = asConfigured(nestedPrior, nested)
		case isSet(configured) && isSet(result[name]) && !sameAddress(configured, result[name]):
			result[name] = configured
		}
	}
	return types.ObjectValueMust(prior.AttributeTypes(context.Background()), result)
}

// withoutLeftOut is the prior value of an imported attribute without what the configuration leaves
// out: the configuration stands, the session is left alone, and a warning says so.
func (p *planner) withoutLeftOut(at path.Path, config, prior types.Object) types.Object {
	switch {
	case !p.imported || prior.IsNull():
		return prior
	case config.IsNull():
		p.leftOut = append(p.leftOut, at.String())
		return config
	}
	members := prior.Attributes()
	for _, name := range slices.Sorted(maps.Keys(config.Attributes())) {
		if configured := config.Attributes()[name]; configured.IsNull() && !members[name].IsNull() {
			p.leftOut = append(p.leftOut, at.AtName(name).String())
			members[name] = configured
		}
	}
	return types.ObjectValueMust(prior.AttributeTypes(context.Background()), members)
}

func sameAddress(a, b attr.Value) bool {
	x, ok := a.(types.String)
	y, alsoOK := b.(types.String)
	return ok && alsoOK && isSet(x) && isSet(y) && qod.SameAddress(x.ValueString(), y.ValueString())
}

// warnings are those of what was planned for a resource, which is "session" or "reservation". An
// unknown value may turn out to be what it was, after the live session has been cut for it. With a
// second reason for the replacement that makes no difference.
func (p *planner) warnings(resource string) (warnings diag.Diagnostics) {
	if len(p.unknown) > 0 && len(p.unknown) == len(p.replace) {
		warnings.Append(diagnostics.ReplacedForUnknown(resource, p.unknown))
	}
	if len(p.replace) > 0 {
		return warnings
	}
	if len(p.adopted) > 0 {
		warnings.Append(diagnostics.AdoptsConfiguration(p.adopted))
	}
	if len(p.leftOut) > 0 {
		warnings.Append(diagnostics.LeavesOutImported(p.leftOut))
	}
	return warnings
}
