// Proves that what an API cannot express can be said at its attribute, and that a check at plan
// time can tell what is not set from what is not known yet.

package provider

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func TestProblems_attributes(t *testing.T) {
	t.Parallel()
	var resp resource.SchemaResponse
	new(sessionResource).Schema(t.Context(), resource.SchemaRequest{}, &resp)
	for _, field := range qod.Fields() {
		diags := diagnostics.Problems([]qod.Problem{{Field: field, Given: "x", Allowed: "y"}})
		located, ok := diags[0].(diag.DiagnosticWithPath)
		if !ok || located.Path().Equal(path.Empty()) {
			t.Errorf("a problem with %s has no attribute: %v", field, diags)
			continue
		}
		if _, at := resp.Schema.AttributeAtPath(t.Context(), located.Path()); at.HasError() {
			t.Errorf("%s: %v", field, at)
		}
	}
}

func TestSpec_unknown(t *testing.T) {
	t.Parallel()
	device := []qod.Field{qod.FieldIPv4Address, qod.FieldPublicAddress, qod.FieldPublicPort, qod.FieldPrivateAddress}
	tests := map[string]struct {
		change func(*sessionModel)
		want   []qod.Field
	}{
		"nothing":      {func(*sessionModel) {}, nil},
		"not set":      {func(m *sessionModel) { m.ApplicationServer = types.ObjectNull(serverTypes) }, nil},
		"profile":      {func(m *sessionModel) { m.QoSProfile = types.StringUnknown() }, []qod.Field{qod.FieldQoSProfile}},
		"duration":     {func(m *sessionModel) { m.Duration = validators.WholeNumber{Int64Value: types.Int64Unknown()} }, []qod.Field{qod.FieldDuration}},
		"phone number": {inDevice("phone_number", types.StringUnknown()), []qod.Field{qod.FieldPhoneNumber}},
		"address":      {inIPv4("public_address", types.StringUnknown()), []qod.Field{qod.FieldPublicAddress}},
		"an object": {
			func(m *sessionModel) { m.ApplicationServer = types.ObjectUnknown(serverTypes) },
			[]qod.Field{qod.FieldApplicationServer, qod.FieldServerIPv4Address, qod.FieldServerIPv6Address},
		},
		"an object in one": {inDevice("ipv4_address", types.ObjectUnknown(ipv4Types)), device},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := fullSession()
			test.change(&m)
			unknown := m.toSpec(types.StringNull()).Unknown
			maps.DeleteFunc(unknown, func(_ qod.Field, is bool) bool { return !is })
			slices.Sort(test.want)
			if got := slices.Sorted(maps.Keys(unknown)); !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
