package provider

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

const (
	defaultCreateTimeout = 5 * time.Minute
	defaultUpdateTimeout = 5 * time.Minute
	defaultDeleteTimeout = 2 * time.Minute
	maxTimeout           = 24 * time.Hour
)

// timeoutsAttribute limits the time of operations, each by a timeoutAttribute.
func timeoutsAttribute(operations map[string]schema.Attribute) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Time limits for operations.",
		Optional:            true,
		Validators:          []validator.Object{validators.NotEmpty()},
		CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutTypes(slices.Collect(maps.Keys(operations))...)}},
		Attributes:          operations,
	}
}

func timeoutTypes(operations ...string) map[string]attr.Type {
	members := map[string]attr.Type{}
	for _, name := range operations {
		members[name] = types.StringType
	}
	return members
}

// noTimeouts are the timeouts of a resource that sets none.
func noTimeouts(operations ...string) timeouts.Value {
	return timeouts.Value{Object: types.ObjectNull(timeoutTypes(operations...))}
}

func timeoutAttribute(what string, byDefault time.Duration) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: what + ", as a [duration](https://pkg.go.dev/time#ParseDuration) such as `\"10m\"`. Default: `\"" + validators.FormatDuration(byDefault) + "\"`.",
		Optional:            true,
		Validators:          []validator.String{validators.Duration(maxTimeout)},
	}
}
