package diagnostics

import (
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Problems names what the API cannot express, each at its attribute.
func Problems(found []qod.Problem) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, p := range found {
		at := map[qod.Field]path.Path{
			qod.FieldQoSProfile: path.Root("qos_profile"),
			qod.FieldDuration:   path.Root("duration"),
		}[p.Field]
		allowed := "must be " + p.Allowed
		if given, err := strconv.Unquote(p.Given); err == nil && p.Field == qod.FieldQoSProfile {
			names := strings.Split(strings.TrimPrefix(p.Allowed, "one of "), ", ")
			if hint := validators.DidYouMean(given, names); hint != "" {
				allowed += ". " + hint
			}
		}
		diags.Append(validators.Invalid(at, allowed, validators.Truncated(p.Given)))
	}
	return diags
}

// UnknownConfigurationError is the error of every call to the API while the provider's
// configuration depends on what Terraform has yet to create.
type UnknownConfigurationError struct{ Attributes []string }

func (e *UnknownConfigurationError) Error() string {
	verb := "is"
	if len(e.Attributes) > 1 {
		verb = "are"
	}
	return "the provider's " + enumerated(e.Attributes) + " " + verb + " not known yet"
}
