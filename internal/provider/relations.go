package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// anyOf requires one of an object's attributes. (The validators module's AtLeastOneOf would sit
// on each attribute and say the same thing once for each.)
type anyOf struct{ names []string }

var _ validator.Object = anyOf{}

func oneOf(names ...string) anyOf { return anyOf{names} }

func (a anyOf) Description(context.Context) string {
	return "at least one of " + strings.Join(a.names, ", ") + " must be set"
}

func (a anyOf) MarkdownDescription(ctx context.Context) string { return a.Description(ctx) }

func (a anyOf) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	attributes := req.ConfigValue.Attributes()
	for _, name := range a.names {
		if v := attributes[name]; v != nil && !v.IsNull() {
			return
		}
	}
	resp.Diagnostics.Append(invalid(req.Path, "must set at least one of "+strings.Join(a.names, ", "), "none of them"))
}

// requires is an attribute that makes no sense without another one beside it.
type requires struct {
	other string
	why   string
}

var (
	_ validator.String = requires{}
	_ validator.Int64  = requires{}
)

func needs(other, why string) requires { return requires{other, why} }

func (r requires) Description(context.Context) string             { return r.other + " must be set, too" }
func (r requires) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r requires) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	resp.Diagnostics.Append(r.check(ctx, req.Path, req.ConfigValue, req.Config)...)
}

func (r requires) ValidateInt64(ctx context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	resp.Diagnostics.Append(r.check(ctx, req.Path, req.ConfigValue, req.Config)...)
}

func (r requires) check(ctx context.Context, at path.Path, value attr.Value, config tfsdk.Config) diag.Diagnostics {
	var diags diag.Diagnostics
	if value.IsNull() {
		return diags
	}
	beside := at.ParentPath().AtName(r.other)
	var other attr.Value
	diags.Append(config.GetAttribute(ctx, beside, &other)...)
	if !diags.HasError() && other.IsNull() {
		diags.AddAttributeError(at, "Missing "+title(r.other), fmt.Sprintf("%s needs %s: %s. Set %s, or leave out %s.", at, beside, r.why, beside, at))
	}
	return diags
}
