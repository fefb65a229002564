package validators

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// atLeastOneOf requires one of an object's attributes. (The validators module's AtLeastOneOf would
// sit on each attribute and say the same thing once for each.)
type atLeastOneOf struct{ names []string }

var _ validator.Object = atLeastOneOf{}

// AtLeastOneOf requires one of the named attributes of an object.
func AtLeastOneOf(names ...string) atLeastOneOf { return atLeastOneOf{names} }

func (a atLeastOneOf) Description(context.Context) string {
	return "at least one of " + strings.Join(a.names, ", ") + " must be set"
}

func (a atLeastOneOf) MarkdownDescription(ctx context.Context) string { return a.Description(ctx) }

func (a atLeastOneOf) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	attributes := req.ConfigValue.Attributes()
	for _, name := range a.names {
		if v := attributes[name]; v != nil && !v.IsNull() {
			return
		}
	}
	resp.Diagnostics.Append(Invalid(req.Path, "must set at least one of "+strings.Join(a.names, ", ")+". "+ignoresUnknown, "none of them"))
}

// ignoresUnknown is the likely reason for an object in which nothing is set.
const ignoresUnknown = "Inside an object, Terraform silently ignores attributes that it does not know: check the spelling of those that you wrote."

// notEmpty warns of an object in which nothing is set.
type notEmpty struct{}

var _ validator.Object = notEmpty{}

// NotEmpty warns of an object without any value. It is no error: a module may pass on variables
// that are null.
func NotEmpty() notEmpty { return notEmpty{} }

func (notEmpty) Description(context.Context) string             { return "at least one attribute should be set" }
func (notEmpty) MarkdownDescription(ctx context.Context) string { return notEmpty{}.Description(ctx) }

func (notEmpty) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	attributes := req.ConfigValue.Attributes()
	for _, v := range attributes {
		if !v.IsNull() {
			return
		}
	}
	resp.Diagnostics.AddAttributeWarning(req.Path, "Empty "+titleOf(req.Path), fmt.Sprintf(
		"%s sets none of %s, so their defaults apply. %s\n\nIf they are null on purpose, nothing has to be done.",
		req.Path, strings.Join(slices.Sorted(maps.Keys(attributes)), ", "), ignoresUnknown))
}

// alsoRequires is an attribute that makes no sense without another one beside it.
type alsoRequires struct {
	other string
	why   string
}

var (
	_ validator.String = alsoRequires{}
	_ validator.Int64  = alsoRequires{}
)

// AlsoRequires refuses an attribute without the other one beside it, and says why.
func AlsoRequires(other, why string) alsoRequires { return alsoRequires{other, why} }

func (r alsoRequires) Description(context.Context) string             { return r.other + " must be set, too" }
func (r alsoRequires) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r alsoRequires) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	resp.Diagnostics.Append(r.check(ctx, req.Path, req.ConfigValue, req.Config)...)
}

func (r alsoRequires) ValidateInt64(ctx context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	resp.Diagnostics.Append(r.check(ctx, req.Path, req.ConfigValue, req.Config)...)
}

func (r alsoRequires) check(ctx context.Context, at path.Path, value attr.Value, config tfsdk.Config) diag.Diagnostics {
	var diags diag.Diagnostics
	if value.IsNull() {
		return diags
	}
	beside := at.ParentPath().AtName(r.other)
	var other attr.Value
	diags.Append(config.GetAttribute(ctx, beside, &other)...)
	if !diags.HasError() && other.IsNull() {
		diags.AddAttributeError(at, "Missing "+Title(r.other), fmt.Sprintf("%s requires %s: %s. Set %s, or leave out %s.", at, beside, r.why, beside, at))
	}
	return diags
}
