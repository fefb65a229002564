// Speaks Terraform's plugin protocol to the provider within the test's own process, in the order
// in which terraform plan does. A row of a table costs a millisecond like this, and a second
// through a CLI.

package provider

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// attrs is configuration by attribute name; what is not named is null.
type attrs map[string]any

// notKnownYet stands for a value that Terraform has yet to learn.
type notKnownYet struct{}

// with returns the configuration with the value at a dotted path.
func (a attrs) with(at string, value any) attrs {
	changed := attrs{}
	for name, v := range a {
		changed[name] = v
	}
	name, rest, nested := strings.Cut(at, ".")
	if nested {
		inner, _ := a[name].(attrs)
		value = inner.with(rest, value)
	}
	changed[name] = value
	return changed
}

// providerOf is the provider block for a sandbox.
func providerOf(s *sandbox.Server) attrs {
	return attrs{"endpoint": s.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret}
}

// configure validates and configures the provider, as far as it gets.
func (c *core) configure(config attrs) []*tfprotov6.Diagnostic {
	c.t.Helper()
	if diags := c.validate(config); refused(diags) {
		return diags
	}
	value := c.value(c.schemas.Provider, config)
	configured, err := c.server.ConfigureProvider(c.t.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.11.4", Config: value})
	c.must("ConfigureProvider", err)
	return configured.Diagnostics
}

// validate is what terraform validate asks of the provider.
func (c *core) validate(config attrs) []*tfprotov6.Diagnostic {
	c.t.Helper()
	validated, err := c.server.ValidateProviderConfig(c.t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: c.value(c.schemas.Provider, config)})
	c.must("ValidateProviderConfig", err)
	return validated.Diagnostics
}

// planNew validates and plans a new resource, as far as it gets.
func (c *core) planNew(typeName string, provider, config attrs) []*tfprotov6.Diagnostic {
	c.t.Helper()
	schema := c.schemas.ResourceSchemas[typeName]
	value := c.value(schema, config)
	validated, err := c.server.ValidateResourceConfig(c.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeName, Config: value,
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	c.must("ValidateResourceConfig", err)
	if refused(validated.Diagnostics) {
		return validated.Diagnostics
	}
	if diags := c.configure(provider); refused(diags) {
		return diags
	}
	none, err := tfprotov6.NewDynamicValue(schema.ValueType(), tftypes.NewValue(schema.ValueType(), nil))
	c.must("NewDynamicValue", err)
	planned, err := c.server.PlanResourceChange(c.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: typeName, PriorState: &none, Config: value,
		// Terraform shows write-only values in the configuration alone.
		ProposedNewState: c.value(schema, config.with("notification_auth_token", nil)),
	})
	c.must("PlanResourceChange", err)
	return planned.Diagnostics
}

// readSessions validates and reads the data source, as a plan does that knows its configuration.
func (c *core) readSessions(provider, config attrs) []*tfprotov6.Diagnostic {
	c.t.Helper()
	if diags := c.validateSessions(config); refused(diags) {
		return diags
	}
	if diags := c.configure(provider); refused(diags) {
		return diags
	}
	_, diags := c.readDataSource(c.schemas.DataSourceSchemas["qod_sessions"], config)
	return diags
}

// readDataSource reads qod_sessions.
func (c *core) readDataSource(schema *tfprotov6.Schema, config attrs) (map[string]tftypes.Value, []*tfprotov6.Diagnostic) {
	c.t.Helper()
	read, err := c.server.ReadDataSource(c.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: "qod_sessions", Config: c.value(schema, config)})
	c.must("ReadDataSource", err)
	if read.State == nil || refused(read.Diagnostics) {
		return nil, read.Diagnostics
	}
	state, err := read.State.Unmarshal(schema.ValueType())
	c.must("Unmarshal", err)
	var attributes map[string]tftypes.Value
	c.must("As", state.As(&attributes))
	return attributes, read.Diagnostics
}

func (c *core) validateSessions(config attrs) []*tfprotov6.Diagnostic {
	c.t.Helper()
	validated, err := c.server.ValidateDataResourceConfig(c.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: "qod_sessions", Config: c.value(c.schemas.DataSourceSchemas["qod_sessions"], config),
	})
	c.must("ValidateDataResourceConfig", err)
	return validated.Diagnostics
}

func (c *core) must(what string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

func (c *core) value(schema *tfprotov6.Schema, config attrs) *tfprotov6.DynamicValue {
	c.t.Helper()
	value, err := tfprotov6.NewDynamicValue(schema.ValueType(), c.convert(schema.ValueType(), config))
	c.must("NewDynamicValue", err)
	return &value
}

// convert makes a value of the type that the schema wants, and converts between numbers and text
// as Terraform does before any provider sees them.
func (c *core) convert(typ tftypes.Type, v any) tftypes.Value {
	c.t.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(typ, nil)
	case notKnownYet:
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	case attrs:
		object, ok := typ.(tftypes.Object)
		if !ok {
			c.t.Fatalf("an object is given where %s is due", typ)
		}
		members := map[string]tftypes.Value{}
		for name, member := range object.AttributeTypes {
			members[name] = c.convert(member, v[name])
		}
		for name := range v {
			if _, known := members[name]; !known {
				c.t.Fatalf("there is no attribute %s", name)
			}
		}
		return tftypes.NewValue(typ, members)
	case []any:
		list, ok := typ.(tftypes.List)
		if !ok {
			c.t.Fatalf("a list is given where %s is due", typ)
		}
		elements := []tftypes.Value{}
		for _, element := range v {
			elements = append(elements, c.convert(list.ElementType, element))
		}
		return tftypes.NewValue(typ, elements)
	case bool:
		return tftypes.NewValue(typ, v)
	}
	spelled := fmt.Sprint(v)
	if typ.Is(tftypes.String) {
		if n, isText := new(big.Float), v; isText != any(spelled) {
			c.parse(n, spelled)
			spelled = n.Text('f', -1)
		}
		return tftypes.NewValue(typ, spelled)
	}
	n := new(big.Float)
	c.parse(n, spelled)
	return tftypes.NewValue(typ, n)
}

func (c *core) parse(n *big.Float, spelled string) {
	c.t.Helper()
	if _, _, err := n.SetPrec(512).Parse(spelled, 10); err != nil {
		c.t.Fatalf("%q is given where a number is due", spelled)
	}
}

func refused(diags []*tfprotov6.Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError })
}

// spelledPath writes a diagnostic's path as a person does: device.phone_number, scopes[0].
func spelledPath(p *tftypes.AttributePath) string {
	var b strings.Builder
	for _, step := range p.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(step))
		case tftypes.ElementKeyInt:
			fmt.Fprintf(&b, "[%d]", int64(step))
		default:
			fmt.Fprintf(&b, "<%v>", step)
		}
	}
	return b.String()
}

// printed is a diagnostic as one text.
func printed(diags []*tfprotov6.Diagnostic) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s at %q: %s\n%s\n\n", d.Severity, spelledPath(d.Attribute), d.Summary, d.Detail)
	}
	return b.String()
}
