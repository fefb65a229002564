// Proves that the type of whole numbers keeps what it is given: an int64 as it is, and anything
// else for the attribute's validator to refuse in words that a user can act on.

package validators

import (
	"math"
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestWholeNumber_fromTerraform(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		in    tftypes.Value
		want  basetypes.Int64Value
		unfit bool
		text  string
	}{
		{name: "null", in: tftypes.NewValue(tftypes.Number, nil), want: basetypes.NewInt64Null(), text: "<null>"},
		{name: "unknown", in: tftypes.NewValue(tftypes.Number, tftypes.UnknownValue), want: basetypes.NewInt64Unknown(), text: "<unknown>"},
		{name: "zero", in: number(t, "0"), want: basetypes.NewInt64Value(0), text: "0"},
		{name: "negative zero", in: number(t, "-0"), want: basetypes.NewInt64Value(0), text: "0"},
		{name: "positive", in: number(t, "3600"), want: basetypes.NewInt64Value(3600), text: "3600"},
		{name: "negative", in: number(t, "-1"), want: basetypes.NewInt64Value(-1), text: "-1"},
		{name: "written as a fraction", in: number(t, "3600.0"), want: basetypes.NewInt64Value(3600), text: "3600"},
		{name: "written with an exponent", in: number(t, "8.64e4"), want: basetypes.NewInt64Value(86400), text: "86400"},
		{name: "largest", in: number(t, "9223372036854775807"), want: basetypes.NewInt64Value(math.MaxInt64), text: "9223372036854775807"},
		{name: "smallest", in: number(t, "-9223372036854775808"), want: basetypes.NewInt64Value(math.MinInt64), text: "-9223372036854775808"},
		{name: "too large by one", in: number(t, "9223372036854775808"), unfit: true, text: "9.223372036854775808e+18"},
		{name: "too small by one", in: number(t, "-9223372036854775809"), unfit: true, text: "-9.223372036854775809e+18"},
		{name: "huge", in: number(t, "1e30"), unfit: true, text: "1e+30"},
		{name: "fraction", in: number(t, "1.5"), unfit: true, text: "1.5"},
		{name: "fraction without an exact binary form", in: number(t, "0.1"), unfit: true, text: "0.1"},
		{name: "nearly whole", in: number(t, "3600.00000000000000000001"), unfit: true, text: "3600.00000000000000000001"},
		{name: "huge fraction", in: number(t, "9223372036854775806.5"), unfit: true, text: "9.2233720368547758065e+18"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v, err := WholeNumberType{}.ValueFromTerraform(t.Context(), row.in)
			if err != nil {
				t.Fatal(err)
			}
			n, ok := v.(WholeNumber)
			if !ok {
				t.Fatalf("got %T", v)
			}
			if row.unfit {
				row.want = basetypes.NewInt64Unknown()
			}
			if !n.Int64Value.Equal(row.want) || (n.unfit != nil) != row.unfit {
				t.Errorf("got %v (unfit: %v), want %v (unfit: %t)", n.Int64Value, n.unfit, row.want, row.unfit)
			}
			if n.String() != row.text {
				t.Errorf("it prints as %s, want %s", n.String(), row.text)
			}
			// The framework would refuse it in its own words before any validator is asked.
			var resp xattr.ValidateAttributeResponse
			n.ValidateAttribute(t.Context(), xattr.ValidateAttributeRequest{Path: path.Root("duration")}, &resp)
			if resp.Diagnostics.HasError() {
				t.Errorf("refused: %v", resp.Diagnostics)
			}
			if back, err := n.ToTerraformValue(t.Context()); err != nil || !row.unfit && !back.Equal(row.in) {
				t.Errorf("goes back to Terraform as %s (%v), want %s", back, err, row.in)
			}
		})
	}
}

func TestWholeNumber_notANumber(t *testing.T) {
	t.Parallel()
	for _, in := range []tftypes.Value{
		tftypes.NewValue(tftypes.String, "3600"),
		tftypes.NewValue(tftypes.Bool, true),
	} {
		if v, err := (WholeNumberType{}).ValueFromTerraform(t.Context(), in); err == nil {
			t.Errorf("%s became %v", in, v)
		}
	}
}

func TestWholeNumber_equal(t *testing.T) {
	t.Parallel()
	unfit := func(spelled string) WholeNumber {
		v, err := WholeNumberType{}.ValueFromTerraform(t.Context(), number(t, spelled))
		if err != nil {
			t.Fatal(err)
		}
		n, ok := v.(WholeNumber)
		if !ok {
			t.Fatalf("%s became a %T", spelled, v)
		}
		return n
	}
	unknown := WholeNumber{Int64Value: basetypes.NewInt64Unknown()}
	for _, row := range []struct {
		name string
		a    WholeNumber
		b    attr.Value
		want bool
	}{
		{"same", NewWholeNumber(1), NewWholeNumber(1), true},
		{"other", NewWholeNumber(1), NewWholeNumber(2), false},
		{"nulls", NullWholeNumber(), NullWholeNumber(), true},
		{"zero value is null", WholeNumber{}, NullWholeNumber(), true},
		{"null and zero", NullWholeNumber(), NewWholeNumber(0), false},
		{"unknowns", unknown, unknown, true},
		{"unknown and null", unknown, NullWholeNumber(), false},
		{"unknown and known", unknown, NewWholeNumber(1), false},
		{"same fractions", unfit("1.5"), unfit("1.5"), true},
		{"other fractions", unfit("1.5"), unfit("2.5"), false},
		{"fraction and unknown", unfit("1.5"), unknown, false},
		{"unknown and fraction", unknown, unfit("1.5"), false},
		{"fraction and whole", unfit("1.5"), NewWholeNumber(1), false},
		{"same huge numbers", unfit("1e30"), unfit("10e29"), true},
		{"the framework's number", NewWholeNumber(1), basetypes.NewInt64Value(1), false},
		{"text", NewWholeNumber(1), basetypes.NewStringValue("1"), false},
		{"nothing", NewWholeNumber(1), nil, false},
	} {
		if got := row.a.Equal(row.b); got != row.want {
			t.Errorf("%s: Equal is %t", row.name, got)
		}
	}
}

func TestWholeNumber_type(t *testing.T) {
	t.Parallel()
	typ := WholeNumberType{}
	if !typ.Equal(WholeNumberType{}) || typ.Equal(basetypes.Int64Type{}) || typ.Equal(nil) {
		t.Error("the type equals another one, or not itself")
	}
	if !typ.TerraformType(t.Context()).Equal(tftypes.Number) {
		t.Errorf("Terraform sees %s, want a number", typ.TerraformType(t.Context()))
	}
	for _, v := range []attr.Value{typ.ValueType(t.Context()), NewWholeNumber(1), NullWholeNumber()} {
		if _, ok := v.(WholeNumber); !ok || !v.Type(t.Context()).Equal(typ) {
			t.Errorf("%T is of type %s", v, v.Type(t.Context()))
		}
	}
	for _, in := range []basetypes.Int64Value{basetypes.NewInt64Value(7), basetypes.NewInt64Null(), basetypes.NewInt64Unknown()} {
		v, diags := typ.ValueFromInt64(t.Context(), in)
		if n, ok := v.(WholeNumber); !ok || diags.HasError() || !n.Int64Value.Equal(in) {
			t.Errorf("%s becomes %#v (%v)", in, v, diags)
		}
		if back, diags := v.ToInt64Value(t.Context()); diags.HasError() || !back.Equal(in) {
			t.Errorf("%s comes back as %s (%v)", in, back, diags)
		}
	}
	if typ.String() == (basetypes.Int64Type{}).String() {
		t.Error("the type has the name of the framework's")
	}
}

// number is a number as Terraform sends it: with all the digits that were written.
func number(t *testing.T, spelled string) tftypes.Value {
	t.Helper()
	n, _, err := big.ParseFloat(spelled, 10, 512, big.ToNearestEven)
	if err != nil {
		t.Fatal(err)
	}
	return tftypes.NewValue(tftypes.Number, n)
}
