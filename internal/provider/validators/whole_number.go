package validators

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
	_ basetypes.Int64Typable      = WholeNumberType{}
	_ basetypes.Int64Valuable     = WholeNumber{}
	_ xattr.ValidateableAttribute = WholeNumber{}
)

// WholeNumberType is an int64 of which a fraction is refused in words a user can act on. The
// framework's own type answers `duration = 1.5` with "always an error in the provider".
type WholeNumberType struct{ basetypes.Int64Type }

// WholeNumber keeps a number that is no int64 until its attribute's validator, see Int64Range, can
// say what is allowed there.
type WholeNumber struct {
	basetypes.Int64Value
	unfit *big.Float
}

// NewWholeNumber is a number that is known.
func NewWholeNumber(n int64) WholeNumber {
	return WholeNumber{Int64Value: basetypes.NewInt64Value(n)}
}

// UnknownWholeNumber is one that is not known yet.
func UnknownWholeNumber() WholeNumber { return WholeNumber{Int64Value: basetypes.NewInt64Unknown()} }

// NullWholeNumber is one that is not set.
func NullWholeNumber() WholeNumber { return WholeNumber{Int64Value: basetypes.NewInt64Null()} }

func (t WholeNumberType) String() string { return "wholeNumber" }

func (t WholeNumberType) Equal(o attr.Type) bool {
	_, ok := o.(WholeNumberType)
	return ok
}

func (t WholeNumberType) ValueType(context.Context) attr.Value { return WholeNumber{} }

func (t WholeNumberType) ValueFromInt64(_ context.Context, v basetypes.Int64Value) (basetypes.Int64Valuable, diag.Diagnostics) {
	return WholeNumber{Int64Value: v}, nil
}

func (t WholeNumberType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	if in.IsKnown() && !in.IsNull() {
		var n big.Float
		if err := in.As(&n); err != nil {
			return nil, fmt.Errorf("read number: %w", err)
		}
		if _, accuracy := n.Int64(); !n.IsInt() || accuracy != big.Exact {
			// Unknown, so that nobody takes it for a number that was given.
			return WholeNumber{Int64Value: basetypes.NewInt64Unknown(), unfit: &n}, nil
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
	return WholeNumber{Int64Value: n}, nil
}

func (n WholeNumber) Type(context.Context) attr.Type { return WholeNumberType{} }

func (n WholeNumber) Equal(o attr.Value) bool {
	other, ok := o.(WholeNumber)
	if !ok || !n.Int64Value.Equal(other.Int64Value) || (n.unfit == nil) != (other.unfit == nil) {
		return false
	}
	return n.unfit == nil || n.unfit.Cmp(other.unfit) == 0
}

// ValidateAttribute keeps the framework from refusing the number in words of its own, before the
// attribute's validator can.
func (n WholeNumber) ValidateAttribute(context.Context, xattr.ValidateAttributeRequest, *xattr.ValidateAttributeResponse) {
}

// String writes the number as it was given.
func (n WholeNumber) String() string {
	if n.unfit != nil {
		return Truncated(n.unfit.Text('g', -1))
	}
	return n.Int64Value.String()
}
