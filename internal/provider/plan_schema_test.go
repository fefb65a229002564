// Proves that no attribute can be forgotten on the way from the schema to the plan: each has a
// field in the model and each field an attribute, and a change of each argument replaces the
// resource, or is written down here as one that does not.

package provider

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// inPlace are the arguments whose change never replaces the resource.
var inPlace = map[string][]string{
	// The write-only token is compared by its version alone.
	"qod_session":     {"notification_auth_token", "wait_for_available", "timeouts"},
	"qod_reservation": {"notification_auth_token", "wait_for_available", "timeouts", "starts_at", "ends_at", "replace_to_extend"},
}

func TestPlan_everyArgument(t *testing.T) {
	t.Parallel()
	t.Run("qod_session", func(t *testing.T) {
		t.Parallel()
		everyArgument(t, &sessionResource{}, fullSession(), appliedSession(), planSession, inPlace["qod_session"])
	})
	t.Run("qod_reservation", func(t *testing.T) {
		t.Parallel()
		everyArgument(t, &reservationResource{}, fullReservation(), appliedReservation(), planReservation, inPlace["qod_reservation"])
	})
}

// everyArgument changes one argument of a resource at a time, to a value that is not known yet, and
// looks at what is planned.
func everyArgument[M any](t *testing.T, r resource.Resource, config, prior M, plan func(M, *M, sessionPrivate, plannedAPI) resourcePlan[M], inPlace []string) {
	t.Helper()
	var resp resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &resp)
	fields := fieldsByAttribute(reflect.TypeFor[M]())
	for name := range fields {
		if resp.Schema.Attributes[name] == nil {
			t.Errorf("the model has a field for %s, and the schema has no such attribute", name)
		}
	}
	for name, a := range resp.Schema.Attributes {
		if fields[name] == nil {
			t.Errorf("the schema has %s, and the model has no field for it", name)
			continue
		}
		if !a.IsRequired() && !a.IsOptional() {
			continue
		}
		if a.IsOptional() {
			// An imported session that shows it is not replaced because the configuration does not.
			imported, without := prior, config
			shown := reflect.ValueOf(&imported).Elem().FieldByIndex(fields[name])
			shown.Set(reflect.ValueOf(withUnknown(t, ofType(t, a.GetType(), nil), nil)))
			reflect.ValueOf(&without).Elem().FieldByIndex(fields[name]).Set(reflect.ValueOf(ofType(t, a.GetType(), nil)))
			if planned := plan(without, &imported, sessionPrivate{Imported: true}, defaultAPI); len(planned.replace) > 0 {
				t.Errorf("an imported session that shows %s is replaced if the configuration leaves it out", name)
			}
		}
		for _, at := range argumentPaths(path.Root(name), a) {
			changed := config
			field := reflect.ValueOf(&changed).Elem().FieldByIndex(fields[name])
			value, _ := reflect.TypeAssert[attr.Value](field)
			if value.IsNull() {
				value = ofType(t, a.GetType(), nil)
			}
			field.Set(reflect.ValueOf(withUnknown(t, value, at.Steps()[1:])))

			planned := plan(changed, &prior, sessionPrivate{}, defaultAPI)
			if slices.Contains(inPlace, name) {
				if len(planned.replace) > 0 {
					t.Errorf("a change of %s replaces %v", at, planned.replace)
				}
			} else if !slices.ContainsFunc(planned.replace, at.Equal) {
				t.Errorf("a change of %s replaces %v: plan it in planner.request, or write it down as done in place", at, planned.replace)
			}
			configured, _ := reflect.TypeAssert[attr.Value](field)
			got, _ := reflect.TypeAssert[attr.Value](reflect.ValueOf(planned.planned).FieldByIndex(fields[name]))
			if !a.IsWriteOnly() && !got.Equal(configured) {
				t.Errorf("%s is not planned as configured", at)
			}
		}
	}
}

// fieldsByAttribute finds the fields of a model by the attributes in their tags.
func fieldsByAttribute(model reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(model) {
		if name := f.Tag.Get("tfsdk"); name != "" {
			fields[name] = f.Index
		}
	}
	return fields
}

// argumentPaths are the path of an attribute, and those of its members if they are compared one by
// one. Those of ports are not: another order is no change.
func argumentPaths(at path.Path, a schema.Attribute) []path.Path {
	nested, ok := a.(schema.SingleNestedAttribute)
	if !ok || nested.CustomType != nil || nested.GetType().Equal(types.ObjectType{AttrTypes: portsTypes}) {
		return []path.Path{at}
	}
	paths := []path.Path{at}
	for name, member := range nested.Attributes {
		paths = append(paths, argumentPaths(at.AtName(name), member)...)
	}
	return paths
}

// withUnknown is the value with what the steps lead to unknown.
func withUnknown(t *testing.T, v attr.Value, steps path.PathSteps) attr.Value {
	t.Helper()
	if len(steps) == 0 {
		return ofType(t, v.Type(t.Context()), tftypes.UnknownValue)
	}
	object, ok := v.(types.Object)
	if !ok {
		t.Fatalf("%s is no member of %T", steps, v)
	}
	name := strings.TrimPrefix(steps[0].String(), ".")
	return member(object, name, withUnknown(t, object.Attributes()[name], steps[1:]))
}

func ofType(t *testing.T, typ attr.Type, value any) attr.Value {
	t.Helper()
	v, err := typ.ValueFromTerraform(t.Context(), tftypes.NewValue(typ.TerraformType(t.Context()), value))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
