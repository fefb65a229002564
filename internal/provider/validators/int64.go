package validators

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Int64Range validates a whole number.
type Int64Range struct {
	min, max int64
	unit     string
}

var _ validator.Int64 = Int64Range{}

// Int64Between wants a number from low to high; the unit is part of the text.
func Int64Between(low, high int64, unit string) Int64Range { return Int64Range{low, high, unit} }

func (w Int64Range) Description(context.Context) string {
	return fmt.Sprintf("value must be a whole number from %d to %d%s", w.min, w.max, w.unit)
}

func (w Int64Range) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

func (w Int64Range) ValidateInt64(ctx context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	// The framework hands over an int64, which cannot say what else was given.
	var given attr.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, req.Path, &given)...)
	n, _ := given.(WholeNumber) // as in every schema, see TestSchema_validators
	if problem := w.Problem(n); problem != "" {
		resp.Diagnostics.Append(Invalid(req.Path, problem, n.String()))
	}
}

// Problem says what is allowed when the number is not.
func (w Int64Range) Problem(n WholeNumber) string {
	fits := n.IsNull() || n.IsUnknown() || w.min <= n.ValueInt64() && n.ValueInt64() <= w.max
	if fits && n.unfit == nil {
		return ""
	}
	return fmt.Sprintf("must be a whole number from %d to %d%s", w.min, w.max, w.unit)
}
