package diagnostics

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// AttributeOf names, from the outermost to the innermost, the attributes of a resource that hold a
// field of a request. Their names are those of the field, with underscores.
func AttributeOf(f qod.Field) []string {
	return strings.Split(strings.ToLower(capitals.ReplaceAllString(string(f), "_$0")), ".")
}

var capitals = regexp.MustCompile(`[A-Z]`)

// Problems names what the API cannot express, each at its attribute.
func Problems(found []qod.Problem) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, p := range found {
		at := path.Empty()
		for _, name := range AttributeOf(p.Field) {
			at = at.AtName(name)
		}
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

// MissingCredentialsError is the error of every call to the API where there are no credentials.
type MissingCredentialsError struct{}

func (e *MissingCredentialsError) Error() string { return "the provider has no credentials" }

// missingCredentials says so under a summary of its own, which people search for.
func missingCredentials() message {
	return message{
		summary: "Missing Credentials",
		cause:   "The provider has no credentials for the API.",
		remedy: "Set QOD_CLIENT_ID with QOD_CLIENT_SECRET or QOD_CLIENT_PRIVATE_KEY in the environment (or the attributes client_id with client_secret or client_private_key), " +
			"a static access token in QOD_ACCESS_TOKEN (access_token), or the API key of a gateway in QOD_HEADERS (headers).",
	}
}
