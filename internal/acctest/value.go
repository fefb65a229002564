package acctest

import (
	"fmt"
	"maps"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Attrs is configuration by attribute name. A value is a string, a number, a bool, nil, Attrs,
// []any or Unknown; whatever is not named is null.
type Attrs map[string]any

// Unknown is a value that is not known until apply.
type Unknown struct{}

// With is the configuration with another value at a dotted path, such as device.phone_number.
func (a Attrs) With(at string, value any) Attrs {
	changed := Attrs{}
	maps.Copy(changed, a)
	name, rest, nested := strings.Cut(at, ".")
	if nested {
		inner, _ := a[name].(Attrs)
		value = inner.With(rest, value)
	}
	changed[name] = value
	return changed
}

// Value is a configuration as the protocol has it.
func (c *ProtocolClient) Value(schema *tfprotov6.Schema, config Attrs) *tfprotov6.DynamicValue {
	c.T.Helper()
	value, err := tfprotov6.NewDynamicValue(schema.ValueType(), c.Convert(schema.ValueType(), config))
	c.Must("NewDynamicValue", err)
	return &value
}

// Convert makes a value of the type that the schema wants, and converts between numbers and text as
// Terraform does before any provider sees them.
func (c *ProtocolClient) Convert(typ tftypes.Type, v any) tftypes.Value {
	c.T.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(typ, nil)
	case Unknown:
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	case Attrs:
		if m, ok := typ.(tftypes.Map); ok {
			elements := map[string]tftypes.Value{}
			for name, element := range v {
				elements[name] = c.Convert(m.ElementType, element)
			}
			return tftypes.NewValue(typ, elements)
		}
		object, ok := typ.(tftypes.Object)
		if !ok {
			c.T.Fatalf("an object is given where %s is due", typ)
		}
		members := map[string]tftypes.Value{}
		for name, member := range object.AttributeTypes {
			members[name] = c.Convert(member, v[name])
		}
		for name := range v {
			if _, known := members[name]; !known {
				c.T.Fatalf("there is no attribute %s", name)
			}
		}
		return tftypes.NewValue(typ, members)
	case []any:
		list, ok := typ.(tftypes.List)
		if !ok {
			c.T.Fatalf("a list is given where %s is due", typ)
		}
		elements := []tftypes.Value{}
		for _, element := range v {
			elements = append(elements, c.Convert(list.ElementType, element))
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

func (c *ProtocolClient) parse(n *big.Float, spelled string) {
	c.T.Helper()
	if _, _, err := n.SetPrec(512).Parse(spelled, 10); err != nil {
		c.T.Fatalf("%q is given where a number is due", spelled)
	}
}

// Decode is the state in an answer of the provider.
func (c *ProtocolClient) Decode(state *tfprotov6.DynamicValue, private []byte, identity *tfprotov6.ResourceIdentityData) State {
	c.T.Helper()
	if state == nil {
		return State{}
	}
	value, err := state.Unmarshal(c.Schema.ValueType())
	c.Must("Unmarshal", err)
	if value.IsNull() {
		return State{}
	}
	return State{c.Members(value), private, identity}
}

// Members are the attributes of an object.
func (c *ProtocolClient) Members(object tftypes.Value) map[string]tftypes.Value {
	c.T.Helper()
	members := map[string]tftypes.Value{}
	c.Must("As", object.As(&members))
	return members
}

// Dynamic is an object of the resource type as the protocol has it; nil is null.
func (c *ProtocolClient) Dynamic(members map[string]tftypes.Value) *tfprotov6.DynamicValue {
	c.T.Helper()
	typ := c.Schema.ValueType()
	value := tftypes.NewValue(typ, nil)
	if members != nil {
		value = tftypes.NewValue(typ, members)
	}
	encoded, err := tfprotov6.NewDynamicValue(typ, value)
	c.Must("NewDynamicValue", err)
	return &encoded
}
