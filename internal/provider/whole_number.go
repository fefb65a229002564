package provider

import (
	"context"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var (
	_ basetypes.Int64Typable      = wholeNumberType{}
	_ basetypes.Int64Valuable     = wholeNumber{}
	_ xattr.ValidateableAttribute = wholeNumber{}
)

// wholeNumberType is an int64 of which a fraction is refused in words a user can act on. The
// framework's own type answers `duration = 1.5` with "always an error in the provider".
type wholeNumberType struct{ basetypes.Int64Type }

// wholeNumber keeps a number that is no int64 until its attribute's validator, see within, can
// say what is allowed there.
type wholeNumber struct {
	basetypes.Int64Value
	unfit *big.Float
}

func newWholeNumber(n int64) wholeNumber {
	return wholeNumber{Int64Value: basetypes.NewInt64Value(n)}
}

func unknownWholeNumber() wholeNumber { return wholeNumber{Int64Value: basetypes.NewInt64Unknown()} }

func nullWholeNumber() wholeNumber { return wholeNumber{Int64Value: basetypes.NewInt64Null()} }

func (t wholeNumberType) String() string { return "wholeNumber" }

func (t wholeNumberType) Equal(o attr.Type) bool {
	_, ok := o.(wholeNumberType)
	return ok
}

func (t wholeNumberType) ValueType(context.Context) attr.Value { return wholeNumber{} }

func (t wholeNumberType) ValueFromInt64(_ context.Context, v basetypes.Int64Value) (basetypes.Int64Valuable, diag.Diagnostics) {
	return wholeNumber{Int64Value: v}, nil
}

func (t wholeNumberType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	if in.IsKnown() && !in.IsNull() {
		var n big.Float
		if err := in.As(&n); err != nil {
			return nil, fmt.Errorf("read number: %w", err)
		}
		if _, accuracy := n.Int64(); !n.IsInt() || accuracy != big.Exact {
			// Unknown, so that nobody takes it for a number that was given.
			return wholeNumber{Int64Value: basetypes.NewInt64Unknown(), unfit: &n}, nil
		}
	}
	v, err := t.Int64Type.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("read number: %w", err)
	}
	n, ok := v.(basetypes.Int64Value)
	if !ok {
		return nil, fmt.Errorf("read number: unexpected %T", v)
	}
	return wholeNumber{Int64Value: n}, nil
}

func (n wholeNumber) Type(context.Context) attr.Type { return wholeNumberType{} }

func (n wholeNumber) Equal(o attr.Value) bool {
	other, ok := o.(wholeNumber)
	if !ok || !n.Int64Value.Equal(other.Int64Value) || (n.unfit == nil) != (other.unfit == nil) {
		return false
	}
	return n.unfit == nil || n.unfit.Cmp(other.unfit) == 0
}

// ValidateAttribute keeps the framework from refusing the number in words of its own, before the
// attribute's validator can.
func (n wholeNumber) ValidateAttribute(context.Context, xattr.ValidateAttributeRequest, *xattr.ValidateAttributeResponse) {
}

// String writes the number as it was given.
func (n wholeNumber) String() string {
	if n.unfit != nil {
		return cut(n.unfit.Text('g', -1))
	}
	return n.Int64Value.String()
}
