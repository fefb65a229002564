package acctest

import (
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// State is what Terraform keeps of one resource. The zero value is that of a resource which is not
// in state.
type State struct {
	Values   map[string]tftypes.Value // by attribute name
	Private  []byte
	Identity *tfprotov6.ResourceIdentityData
}

// Text is an attribute that is a string. It is empty where that is null, or not known, or there is
// no state.
func (r State) Text(name string) string {
	var s string
	if v, ok := r.Values[name]; ok && v.IsKnown() && !v.IsNull() {
		_ = v.As(&s)
	}
	return s
}

// Equal reports whether two states have the same attributes and the same private state.
func (r State) Equal(other State) bool {
	return maps.EqualFunc(r.Values, other.Values, tftypes.Value.Equal) && string(r.Private) == string(other.Private)
}

// Diff is where the attributes of two states differ, for a person to read: - is other, + is r.
func (r State) Diff(other State) string {
	texts := func(state State) map[string]string {
		texts := map[string]string{}
		for name, value := range state.Values {
			texts[name] = value.String()
		}
		return texts
	}
	return cmp.Diff(texts(other), texts(r))
}

// With is the state with another value for an attribute that is a string; nil is null.
func (r State) With(name string, value any) State {
	r.Values = maps.Clone(r.Values)
	r.Values[name] = tftypes.NewValue(tftypes.String, value)
	return r
}

// Plan is a planned state and what led to it.
type Plan struct {
	Prior, Planned State
	Config         Attrs
	Proposed       map[string]tftypes.Value // what Terraform makes of the configuration and the prior state
	Replace        []string                 // the paths that require a replacement, sorted
	Diagnostics
}

// Result is what an operation leaves.
type Result struct {
	State
	Diagnostics
}

// PlanNew validates a new resource, configures the provider and plans the resource, as far as it
// gets.
func (c *ProtocolClient) PlanNew(typeName string, provider, config Attrs) []*tfprotov6.Diagnostic {
	c.T.Helper()
	schema := c.Schemas.ResourceSchemas[typeName]
	value := c.Value(schema, config)
	validated, err := c.Server.ValidateResourceConfig(c.T.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeName, Config: value,
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	c.Must("ValidateResourceConfig", err)
	if HasError(validated.Diagnostics) {
		return validated.Diagnostics
	}
	if diags := c.Configure(provider); HasError(diags) {
		return diags
	}
	none, err := tfprotov6.NewDynamicValue(schema.ValueType(), tftypes.NewValue(schema.ValueType(), nil))
	c.Must("NewDynamicValue", err)
	planned, err := c.Server.PlanResourceChange(c.T.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: typeName, PriorState: &none, Config: value,
		// Terraform shows write-only values in the configuration alone.
		ProposedNewState: c.Value(schema, config.With("notification_auth_token", nil)),
	})
	c.Must("PlanResourceChange", err)
	return append(validated.Diagnostics, planned.Diagnostics...)
}

// Plan plans a configuration.
func (c *ProtocolClient) Plan(prior State, config Attrs) Plan {
	c.T.Helper()
	proposed := c.Members(c.Convert(c.Schema.ValueType(), config))
	for _, a := range c.Schema.Block.Attributes {
		switch {
		case a.WriteOnly:
			proposed[a.Name] = tftypes.NewValue(a.Type, nil)
		case a.Computed && prior.Values != nil:
			proposed[a.Name] = prior.Values[a.Name]
		}
	}
	resp, err := c.Server.PlanResourceChange(c.T.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: c.TypeName, Config: c.Value(c.Schema, config), ProposedNewState: c.Dynamic(proposed),
		PriorState: c.Dynamic(prior.Values), PriorPrivate: prior.Private, PriorIdentity: prior.Identity,
	})
	c.Must("PlanResourceChange", err)
	p := Plan{
		Prior: prior, Config: config, Proposed: proposed, Diagnostics: resp.Diagnostics,
		Planned: c.Decode(resp.PlannedState, resp.PlannedPrivate, resp.PlannedIdentity),
	}
	for _, path := range resp.RequiresReplace {
		p.Replace = append(p.Replace, PathString(path))
	}
	slices.Sort(p.Replace)
	return p
}

// PlanDestroy plans to destroy a resource.
func (c *ProtocolClient) PlanDestroy(r State) Diagnostics {
	c.T.Helper()
	none := c.Dynamic(nil)
	resp, err := c.Server.PlanResourceChange(c.T.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: c.TypeName, Config: none, ProposedNewState: none,
		PriorState: c.Dynamic(r.Values), PriorPrivate: r.Private, PriorIdentity: r.Identity,
	})
	c.Must("PlanResourceChange", err)
	if planned := c.Decode(resp.PlannedState, resp.PlannedPrivate, resp.PlannedIdentity); planned.Values != nil {
		c.T.Errorf("the plan to destroy keeps %v", planned.Values)
	}
	return resp.Diagnostics
}

// Apply applies a plan that does not replace.
func (c *ProtocolClient) Apply(p Plan) Result {
	c.T.Helper()
	if HasError(p.Diagnostics) || len(p.Replace) > 0 {
		c.T.Fatalf("the plan cannot be applied: it replaces for %v; %s", p.Replace, Describe(p.Diagnostics))
	}
	applied := c.change(p.Prior, p.Planned, c.Value(c.Schema, p.Config))
	if HasError(applied.Diagnostics) {
		return applied
	}
	for name, planned := range p.Planned.Values { // as Terraform: "inconsistent result after apply"
		if planned.IsFullyKnown() && !planned.Equal(applied.Values[name]) {
			c.T.Errorf("%s was planned as %s, and is %s", name, planned, applied.Values[name])
		}
	}
	return applied
}

// Create plans and applies a resource that is not in state.
func (c *ProtocolClient) Create(config Attrs) Result {
	c.T.Helper()
	return c.Apply(c.Plan(State{}, config))
}

// MustCreate is a Create that must succeed without a diagnostic, after which a plan must be empty.
func (c *ProtocolClient) MustCreate(config Attrs) State {
	c.T.Helper()
	made := c.Create(config)
	if len(made.Diagnostics) > 0 {
		c.T.Fatalf("create: %s", Describe(made.Diagnostics))
	}
	c.ExpectEmptyPlan(made.State, config)
	return made.State
}

// ExpectEmptyPlan checks that a plan leaves a state as it is.
func (c *ProtocolClient) ExpectEmptyPlan(r State, config Attrs) {
	c.T.Helper()
	if p := c.Plan(r, config); !p.Planned.Equal(r) || len(p.Replace) > 0 || len(p.Diagnostics) > 0 {
		c.T.Errorf("the plan is not empty: it replaces for %v; %s\n%s", p.Replace, Describe(p.Diagnostics), p.Planned.Diff(r))
	}
}

// Destroy does what terraform destroy -refresh=false does.
func (c *ProtocolClient) Destroy(r State) Result {
	c.T.Helper()
	return c.change(r, State{Private: r.Private, Identity: r.Identity}, c.Dynamic(nil))
}

func (c *ProtocolClient) change(prior, planned State, config *tfprotov6.DynamicValue) Result {
	c.T.Helper()
	resp, err := c.Server.ApplyResourceChange(c.T.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: c.TypeName, PriorState: c.Dynamic(prior.Values), PlannedState: c.Dynamic(planned.Values),
		Config: config, PlannedPrivate: planned.Private, PlannedIdentity: planned.Identity,
	})
	c.Must("ApplyResourceChange", err)
	if prior.Values != nil && planned.Values != nil {
		c.sameIdentity(prior, resp.NewIdentity)
	}
	return c.result(c.Decode(resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics)
}

// Refresh reads the resource, as a plan does first.
func (c *ProtocolClient) Refresh(r State) Result {
	c.T.Helper()
	resp, err := c.Server.ReadResource(c.T.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: c.TypeName, CurrentState: c.Dynamic(r.Values), Private: r.Private, CurrentIdentity: r.Identity,
	})
	c.Must("ReadResource", err)
	c.sameIdentity(r, resp.NewIdentity)
	return c.result(c.Decode(resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics)
}

// Import imports a session by its id and reads it, as Terraform does.
func (c *ProtocolClient) Import(id string) Result {
	c.T.Helper()
	return c.importAs(&tfprotov6.ImportResourceStateRequest{TypeName: c.TypeName, ID: id})
}

// ImportByIdentity is Import by the resource's identity, which Terraform 1.12 and later can do.
func (c *ProtocolClient) ImportByIdentity(id string) Result {
	c.T.Helper()
	return c.ImportByIdentityOf(Attrs{"id": id})
}

// ImportByIdentityOf is ImportByIdentity with more than the id.
func (c *ProtocolClient) ImportByIdentityOf(identity Attrs) Result {
	c.T.Helper()
	return c.importAs(&tfprotov6.ImportResourceStateRequest{TypeName: c.TypeName, Identity: c.EncodeIdentity(identity)})
}

// EncodeIdentity is an identity as the protocol has it.
func (c *ProtocolClient) EncodeIdentity(identity Attrs) *tfprotov6.ResourceIdentityData {
	c.T.Helper()
	typ := c.Identity.ValueType()
	data, err := tfprotov6.NewDynamicValue(typ, c.Convert(typ, identity))
	c.Must("NewDynamicValue", err)
	return &tfprotov6.ResourceIdentityData{IdentityData: &data}
}

func (c *ProtocolClient) importAs(req *tfprotov6.ImportResourceStateRequest) Result {
	c.T.Helper()
	resp, err := c.Server.ImportResourceState(c.T.Context(), req)
	c.Must("ImportResourceState", err)
	if HasError(resp.Diagnostics) || len(resp.ImportedResources) == 0 {
		return Result{Diagnostics: resp.Diagnostics}
	}
	imported := resp.ImportedResources[0]
	read := c.Refresh(c.Decode(imported.State, imported.Private, imported.Identity))
	read.Diagnostics = append(resp.Diagnostics, read.Diagnostics...)
	return read
}

// sameIdentity checks that the identity of a resource stays as it is. One of another resource, or
// none, is put right.
func (c *ProtocolClient) sameIdentity(before State, after *tfprotov6.ResourceIdentityData) {
	c.T.Helper()
	if id := c.IdentityOf(before, "id"); id == "" || id != before.Text("id") || after == nil || after.IdentityData == nil {
		return
	}
	typ := c.Identity.ValueType()
	was, errBefore := before.Identity.IdentityData.Unmarshal(typ)
	is, errAfter := after.IdentityData.Unmarshal(typ)
	if errBefore != nil || errAfter != nil || !is.IsNull() && !was.Equal(is) {
		c.T.Errorf("the identity was %s and is %s; %v, %v", was, is, errBefore, errAfter)
	}
}

// IdentityOf is the text of an attribute in the identity of a resource; empty for null.
func (c *ProtocolClient) IdentityOf(r State, attribute string) string {
	c.T.Helper()
	if r.Identity == nil || r.Identity.IdentityData == nil {
		return ""
	}
	value, err := r.Identity.IdentityData.Unmarshal(c.Identity.ValueType())
	c.Must("Unmarshal", err)
	var attributes map[string]tftypes.Value
	var text *string
	c.Must("As", value.As(&attributes))
	c.Must("As", attributes[attribute].As(&text))
	if text == nil {
		return ""
	}
	return *text
}

// result checks what holds after every operation: a resource in state has its id as identity, and
// the token of its webhook is nowhere.
func (c *ProtocolClient) result(r State, found Diagnostics) Result {
	c.T.Helper()
	id := r.Text("id")
	if id == "" {
		return Result{r, found}
	}
	if named := c.IdentityOf(r, "id"); named != id {
		c.T.Errorf("%s %s has the identity of %q", c.TypeName, id, named)
	}
	if !r.Values["notification_auth_token"].IsNull() {
		c.T.Errorf("%s %s has its webhook's token in state", c.TypeName, id)
	}
	return Result{r, found}
}
