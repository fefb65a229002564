package validators

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// StringCheck validates a string with a function that says what is allowed when it is not.
type StringCheck struct {
	description string
	shown       func(string) string // how an error shows a refused value; nil for quoted as it is
	problem     func(string) string
}

var _ validator.String = StringCheck{}

func (t StringCheck) Description(context.Context) string         { return t.description }
func (t StringCheck) MarkdownDescription(context.Context) string { return t.description }

// Problem says what is allowed when the value is not.
func (t StringCheck) Problem(value string) string { return t.problem(value) }

func (t StringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueString()
	problem := t.Problem(value)
	if problem == "" {
		return
	}
	shown := t.shown
	if shown == nil {
		shown = Quoted
	}
	resp.Diagnostics.Append(Invalid(req.Path, problem, shown(value)))
}

// WebhookURL validates where the network is to send notifications.
var WebhookURL = StringCheck{
	description: "value must be an absolute https or http URL",
	shown:       BareURL,
	problem: func(s string) string {
		const allowed = "must be an absolute https or http URL without user name, password or fragment, as in \"https://example.com/qod\""
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || strings.Contains(s, "#") || !HeaderSafe(s) {
			return allowed
		}
		if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
			return allowed + "; ports go from 1 to 65535"
		}
		return ""
	},
}

// BearerToken validates the token that goes with them.
var BearerToken = StringCheck{
	description: "value must be 1 to 4096 characters that can stand in an HTTP header",
	shown:       hidden,
	problem: func(s string) string {
		if s == "" || len(s) > 4096 || !HeaderSafe(s) {
			return "must be 1 to 4096 printable ASCII characters without spaces: the network sends it as a bearer token"
		}
		return ""
	},
}

// ProfileName refuses what package qod takes for not known yet. The names themselves are the API's:
// see Check.
var ProfileName = StringCheck{
	description: "value must name a QoS profile",
	problem: func(s string) string {
		if s == "" {
			return "must name a QoS profile, as in \"QOS_E\""
		}
		return ""
	},
}

// OneOf wants one of a few words.
func OneOf(values ...string) StringCheck {
	last := len(values) - 1
	allowed := strings.Join(values[:last], ", ") + " or " + values[last]
	return StringCheck{
		description: "value must be " + allowed,
		problem: func(s string) string {
			if slices.Contains(values, s) {
				return ""
			}
			return "must be " + allowed
		},
	}
}
