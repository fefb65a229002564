// Speaks Terraform's plugin protocol to the provider within the test's own process, in the order
// in which terraform plan does. A row of a table costs a millisecond like this, and a second
// through a CLI.

package provider

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

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

// wire is one provider process as Terraform sees it.
type wire struct {
	t       testing.TB
	server  tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

// newWire starts a provider whose environment is env and nothing else.
func newWire(t *testing.T, env map[string]string) *wire {
	t.Helper()
	p := &qodProvider{version: "test", getenv: func(name string) string { return env[name] }}
	w := &wire{t: t, server: newServer(p)}
	var err error
	if w.schemas, err = w.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatalf("read schemas: %v", err)
	}
	return w
}

// providerOf is the provider block for a sandbox.
func providerOf(s *sandbox.Server) attrs {
	return attrs{"endpoint": s.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret}
}

// configure validates and configures the provider, as far as it gets.
func (w *wire) configure(config attrs) []*tfprotov6.Diagnostic {
	w.t.Helper()
	if diags := w.validate(config); refused(diags) {
		return diags
	}
	value := w.value(w.schemas.Provider, config)
	configured, err := w.server.ConfigureProvider(w.t.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.11.4", Config: value})
	w.must("ConfigureProvider", err)
	return configured.Diagnostics
}

// validate is what terraform validate asks of the provider.
func (w *wire) validate(config attrs) []*tfprotov6.Diagnostic {
	w.t.Helper()
	validated, err := w.server.ValidateProviderConfig(w.t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: w.value(w.schemas.Provider, config)})
	w.must("ValidateProviderConfig", err)
	return validated.Diagnostics
}

// planNew validates and plans a new resource, as far as it gets.
func (w *wire) planNew(typeName string, provider, config attrs) []*tfprotov6.Diagnostic {
	w.t.Helper()
	schema := w.schemas.ResourceSchemas[typeName]
	value := w.value(schema, config)
	validated, err := w.server.ValidateResourceConfig(w.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeName, Config: value,
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	w.must("ValidateResourceConfig", err)
	if refused(validated.Diagnostics) {
		return validated.Diagnostics
	}
	if diags := w.configure(provider); refused(diags) {
		return diags
	}
	none, err := tfprotov6.NewDynamicValue(schema.ValueType(), tftypes.NewValue(schema.ValueType(), nil))
	w.must("NewDynamicValue", err)
	planned, err := w.server.PlanResourceChange(w.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: typeName, PriorState: &none, Config: value,
		// Terraform shows write-only values in the configuration alone.
		ProposedNewState: w.value(schema, config.with("notification_auth_token", nil)),
	})
	w.must("PlanResourceChange", err)
	return append(validated.Diagnostics, planned.Diagnostics...)
}

// readSessions validates and reads the data source, as a plan does that knows its configuration.
func (w *wire) readSessions(provider, config attrs) []*tfprotov6.Diagnostic {
	w.t.Helper()
	if diags := w.validateSessions(config); refused(diags) {
		return diags
	}
	if diags := w.configure(provider); refused(diags) {
		return diags
	}
	_, diags := w.readDataSource(w.schemas.DataSourceSchemas["qod_sessions"], config)
	return diags
}

// readDataSource reads qod_sessions.
func (w *wire) readDataSource(schema *tfprotov6.Schema, config attrs) (map[string]tftypes.Value, []*tfprotov6.Diagnostic) {
	w.t.Helper()
	read, err := w.server.ReadDataSource(w.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: "qod_sessions", Config: w.value(schema, config)})
	w.must("ReadDataSource", err)
	if read.State == nil || refused(read.Diagnostics) {
		return nil, read.Diagnostics
	}
	state, err := read.State.Unmarshal(schema.ValueType())
	w.must("Unmarshal", err)
	var attributes map[string]tftypes.Value
	w.must("As", state.As(&attributes))
	return attributes, read.Diagnostics
}

func (w *wire) validateSessions(config attrs) []*tfprotov6.Diagnostic {
	w.t.Helper()
	validated, err := w.server.ValidateDataResourceConfig(w.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: "qod_sessions", Config: w.value(w.schemas.DataSourceSchemas["qod_sessions"], config),
	})
	w.must("ValidateDataResourceConfig", err)
	return validated.Diagnostics
}

func (w *wire) must(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

func (w *wire) value(schema *tfprotov6.Schema, config attrs) *tfprotov6.DynamicValue {
	w.t.Helper()
	value, err := tfprotov6.NewDynamicValue(schema.ValueType(), w.convert(schema.ValueType(), config))
	w.must("NewDynamicValue", err)
	return &value
}

// convert makes a value of the type that the schema wants, and converts between numbers and text
// as Terraform does before any provider sees them.
func (w *wire) convert(typ tftypes.Type, v any) tftypes.Value {
	w.t.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(typ, nil)
	case notKnownYet:
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	case attrs:
		object, ok := typ.(tftypes.Object)
		if !ok {
			w.t.Fatalf("an object is given where %s is due", typ)
		}
		members := map[string]tftypes.Value{}
		for name, member := range object.AttributeTypes {
			members[name] = w.convert(member, v[name])
		}
		for name := range v {
			if _, known := members[name]; !known {
				w.t.Fatalf("there is no attribute %s", name)
			}
		}
		return tftypes.NewValue(typ, members)
	case []any:
		list, ok := typ.(tftypes.List)
		if !ok {
			w.t.Fatalf("a list is given where %s is due", typ)
		}
		elements := []tftypes.Value{}
		for _, element := range v {
			elements = append(elements, w.convert(list.ElementType, element))
		}
		return tftypes.NewValue(typ, elements)
	case bool:
		return tftypes.NewValue(typ, v)
	}
	spelled := fmt.Sprint(v)
	if typ.Is(tftypes.String) {
		if n, isText := new(big.Float), v; isText != any(spelled) {
			w.parse(n, spelled)
			spelled = n.Text('f', -1)
		}
		return tftypes.NewValue(typ, spelled)
	}
	n := new(big.Float)
	w.parse(n, spelled)
	return tftypes.NewValue(typ, n)
}

func (w *wire) parse(n *big.Float, spelled string) {
	w.t.Helper()
	if _, _, err := n.SetPrec(512).Parse(spelled, 10); err != nil {
		w.t.Fatalf("%q is given where a number is due", spelled)
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
