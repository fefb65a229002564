package provider

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// core takes Terraform's place over the wire: it lets one resource live, a qod_session if not said otherwise, in milliseconds, and
// shows what a CLI hides, such as each diagnostic by itself, identity, or a destroy without a
// refresh. It does not check the provider as Terraform does, so what has to end well is tested
// with a CLI, too.
type core struct {
	*wire
	typeName string
	schema   *tfprotov6.Schema
	identity *tfprotov6.ResourceIdentitySchema
}

// record is what Terraform keeps of a session. The zero value is that of none.
type record struct {
	values   map[string]tftypes.Value // nil: not in state
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// proposal is a planned record and what it means.
type proposal struct {
	prior, planned record
	config         attrs
	proposed       map[string]tftypes.Value // what Terraform makes of the configuration
	replace        []string                 // paths
	tfdiags
}

// result is what an operation leaves.
type result struct {
	record
	tfdiags
}

type tfdiags []*tfprotov6.Diagnostic

// core is a provider process of its own, configured for this world's client.
func (w *world) core() *core {
	w.t.Helper()
	return w.coreAs(w.Endpoint(), sandbox.DefaultClient)
}

// coreAs is core for another origin.
func (w *world) coreAs(endpoint string, client sandbox.ClientCredentials) *core {
	w.t.Helper()
	return w.configured(attrs{"endpoint": endpoint, "client_id": client.ID, "client_secret": client.Secret})
}

// configured is core with more, or other, attributes of the provider.
func (w *world) configured(more attrs) *core {
	w.t.Helper()
	config := attrs{
		"endpoint": w.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret, "max_retries": 0,
	}
	maps.Copy(config, more)
	return newCore(w.t, w.process(), config)
}

// coreWith is a provider whose API is a fake, for what no network does on demand.
func coreWith(t testing.TB, api qod.Sessions) *core {
	t.Helper()
	return newCore(t, &qodProvider{override: api}, nil)
}

func newCore(t testing.TB, p *qodProvider, config attrs) *core {
	t.Helper()
	w := &wire{t: t, server: newServer(p)}
	var err error
	w.schemas, err = w.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	w.must("GetProviderSchema", err)
	identities, err := w.server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	w.must("GetResourceIdentitySchemas", err)
	if diags := w.configure(config); refused(diags) {
		t.Fatalf("configure: %s", printed(diags))
	}
	return &core{wire: w, typeName: "qod_session", schema: w.schemas.ResourceSchemas["qod_session"], identity: identities.IdentitySchemas["qod_session"]}
}

// reservations is the same process for a qod_reservation.
func (c *core) reservations() *core {
	return &core{wire: c.wire, typeName: "qod_reservation", schema: c.schemas.ResourceSchemas["qod_reservation"]}
}

// fastPath is the server as Terraform finds it, with what stands before the framework.
func (c *core) fastPath() fastPath {
	c.t.Helper()
	g, _ := c.server.(panicGuard)
	s, ok := g.framework.(fastPath)
	if !ok {
		c.t.Fatalf("the server is a %T", c.server)
	}
	return s
}

// plan plans a configuration.
func (c *core) plan(prior record, config attrs) proposal {
	c.t.Helper()
	proposed := c.members(c.convert(c.schema.ValueType(), config))
	for _, a := range c.schema.Block.Attributes {
		switch {
		case a.WriteOnly:
			proposed[a.Name] = tftypes.NewValue(a.Type, nil)
		case a.Computed && prior.values != nil:
			proposed[a.Name] = prior.values[a.Name]
		}
	}
	resp, err := c.server.PlanResourceChange(c.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: c.typeName, Config: c.value(c.schema, config), ProposedNewState: c.dynamic(proposed),
		PriorState: c.dynamic(prior.values), PriorPrivate: prior.private, PriorIdentity: prior.identity,
	})
	c.must("PlanResourceChange", err)
	p := proposal{
		prior: prior, config: config, proposed: proposed, tfdiags: resp.Diagnostics,
		planned: c.record(resp.PlannedState, resp.PlannedPrivate, resp.PlannedIdentity),
	}
	for _, path := range resp.RequiresReplace {
		p.replace = append(p.replace, spelledPath(path))
	}
	slices.Sort(p.replace)
	return p
}

// apply applies a plan that does not replace.
func (c *core) apply(p proposal) result {
	c.t.Helper()
	if refused(p.tfdiags) || len(p.replace) > 0 {
		c.t.Fatalf("the plan cannot be applied: it replaces for %v; %s", p.replace, printed(p.tfdiags))
	}
	return c.change(p.prior, p.planned, c.value(c.schema, p.config))
}

// create plans and applies a session that is not there yet.
func (c *core) create(config attrs) result {
	c.t.Helper()
	return c.apply(c.plan(record{}, config))
}

// created is create, which must succeed without a word and leave nothing to plan.
func (c *core) created(config attrs) record {
	c.t.Helper()
	made := c.create(config)
	if len(made.tfdiags) > 0 {
		c.t.Fatalf("create: %s", printed(made.tfdiags))
	}
	c.plansNothing(made.record, config)
	return made.record
}

// plansNothing checks that a plan leaves a record as it is.
func (c *core) plansNothing(r record, config attrs) {
	c.t.Helper()
	if p := c.plan(r, config); !p.planned.is(r) || len(p.replace) > 0 || len(p.tfdiags) > 0 {
		c.t.Errorf("planned for a session that is as configured: %v, replacing for %v; %s", p.planned.values, p.replace, printed(p.tfdiags))
	}
}

// destroy does what terraform destroy -refresh=false does.
func (c *core) destroy(r record) result {
	c.t.Helper()
	return c.change(r, record{private: r.private, identity: r.identity}, c.dynamic(nil))
}

func (c *core) change(prior, planned record, config *tfprotov6.DynamicValue) result {
	c.t.Helper()
	resp, err := c.server.ApplyResourceChange(c.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: c.typeName, PriorState: c.dynamic(prior.values), PlannedState: c.dynamic(planned.values),
		Config: config, PlannedPrivate: planned.private, PlannedIdentity: planned.identity,
	})
	c.must("ApplyResourceChange", err)
	return c.result(c.record(resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics)
}

// refresh reads the session.
func (c *core) refresh(r record) result {
	c.t.Helper()
	resp, err := c.server.ReadResource(c.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: c.typeName, CurrentState: c.dynamic(r.values), Private: r.private, CurrentIdentity: r.identity,
	})
	c.must("ReadResource", err)
	return c.result(c.record(resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics)
}

// adopt imports a session by its id and reads it, as Terraform does.
func (c *core) adopt(id string) result {
	c.t.Helper()
	return c.adoptAs(&tfprotov6.ImportResourceStateRequest{TypeName: c.typeName, ID: id})
}

// adoptByIdentity does so by its identity, as Terraform 1.12 and later can.
func (c *core) adoptByIdentity(id string) result {
	c.t.Helper()
	typ := c.identity.ValueType()
	data, err := tfprotov6.NewDynamicValue(typ, c.convert(typ, attrs{"id": id}))
	c.must("NewDynamicValue", err)
	return c.adoptAs(&tfprotov6.ImportResourceStateRequest{
		TypeName: c.typeName, Identity: &tfprotov6.ResourceIdentityData{IdentityData: &data},
	})
}

func (c *core) adoptAs(req *tfprotov6.ImportResourceStateRequest) result {
	c.t.Helper()
	resp, err := c.server.ImportResourceState(c.t.Context(), req)
	c.must("ImportResourceState", err)
	if refused(resp.Diagnostics) || len(resp.ImportedResources) == 0 {
		return result{tfdiags: resp.Diagnostics}
	}
	imported := resp.ImportedResources[0]
	read := c.refresh(c.record(imported.State, imported.Private, imported.Identity))
	read.tfdiags = append(resp.Diagnostics, read.tfdiags...)
	return read
}

// result checks what holds after every operation: a session in state has its id as identity, and
// the token of the webhook is nowhere.
func (c *core) result(r record, found tfdiags) result {
	c.t.Helper()
	id := r.text("id")
	if id == "" {
		return result{r, found}
	}
	if c.identity == nil {
		if r.identity != nil && r.identity.IdentityData != nil {
			c.t.Errorf("%s %s has an identity", c.typeName, id)
		}
	} else if r.identity == nil || r.identity.IdentityData == nil {
		c.t.Errorf("session %s has no identity", id)
	} else if value, err := r.identity.IdentityData.Unmarshal(c.identity.ValueType()); err != nil || !strings.Contains(value.String(), id) {
		c.t.Errorf("session %s has the identity %s (%v)", id, value, err)
	}
	if !r.values["notification_auth_token"].IsNull() {
		c.t.Errorf("session %s has its webhook's token in state", id)
	}
	return result{r, found}
}

// record unpacks what the provider answers.
func (c *core) record(state *tfprotov6.DynamicValue, private []byte, identity *tfprotov6.ResourceIdentityData) record {
	c.t.Helper()
	if state == nil {
		return record{}
	}
	value, err := state.Unmarshal(c.schema.ValueType())
	c.must("Unmarshal", err)
	if value.IsNull() {
		return record{}
	}
	return record{c.members(value), private, identity}
}

func (c *core) members(object tftypes.Value) map[string]tftypes.Value {
	c.t.Helper()
	members := map[string]tftypes.Value{}
	c.must("As", object.As(&members))
	return members
}

func (c *core) dynamic(members map[string]tftypes.Value) *tfprotov6.DynamicValue {
	c.t.Helper()
	typ := c.schema.ValueType()
	value := tftypes.NewValue(typ, nil)
	if members != nil {
		value = tftypes.NewValue(typ, members)
	}
	encoded, err := tfprotov6.NewDynamicValue(typ, value)
	c.must("NewDynamicValue", err)
	return &encoded
}

// text is a string of the record; empty when it is null, or not known, or there is no record.
func (r record) text(name string) string {
	var s string
	if v, ok := r.values[name]; ok && v.IsKnown() && !v.IsNull() {
		_ = v.As(&s)
	}
	return s
}

// is reports whether a record is exactly another one, private state included.
func (r record) is(other record) bool {
	return maps.EqualFunc(r.values, other.values, tftypes.Value.Equal) && string(r.private) == string(other.private)
}

// of are the diagnostics of one severity, each as one text.
func (d tfdiags) of(severity tfprotov6.DiagnosticSeverity) []string {
	var found []string
	for _, one := range d {
		if one.Severity == severity {
			found = append(found, one.Summary+": "+one.Detail)
		}
	}
	return found
}

func (d tfdiags) errors() string {
	return strings.Join(d.of(tfprotov6.DiagnosticSeverityError), "\n")
}

func (d tfdiags) warnings() []string { return d.of(tfprotov6.DiagnosticSeverityWarning) }
