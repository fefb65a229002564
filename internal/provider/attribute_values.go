package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

func isSet(v attr.Value) bool { return !v.IsNull() && !v.IsUnknown() }

func stringOrNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

func stringAt(o types.Object, name string) types.String {
	if s, ok := o.Attributes()[name].(basetypes.StringValue); ok {
		return s
	}
	return types.StringNull()
}
