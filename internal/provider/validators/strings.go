package validators

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// StringCheck validates a string.
type StringCheck struct {
	allowed string              // what is allowed, as "must be …"
	shown   func(string) string // how an error shows a refused value; nil for Quoted
	// check reports whether a value is valid. If it is not, the hint says in sentences what is
	// wrong and what to do, where that can be told.
	check func(string) (valid bool, hint string)
}

var _ validator.String = StringCheck{}

func (c StringCheck) Description(context.Context) string             { return "value " + c.allowed }
func (c StringCheck) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c StringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueString()
	problem := c.Problem(value)
	if problem == "" {
		return
	}
	shown := c.shown
	if shown == nil {
		shown = Quoted
	}
	resp.Diagnostics.Append(Invalid(req.Path, problem, shown(value)))
}

// Problem says what is allowed, and what is wrong, of a value that is not valid; else nothing.
func (c StringCheck) Problem(value string) string {
	valid, hint := c.check(value)
	switch {
	case valid:
		return ""
	case hint == "":
		return c.allowed
	}
	return c.allowed + ". " + hint
}

const isEmpty = "It is empty: leave it out or set it to null."

// Mistyped names what is wrong with a value of any kind that was not typed in but came from a file,
// an environment variable or a document; empty for none of that.
func Mistyped(s string) string {
	switch {
	case InQuotes(s):
		return "The quotation marks have become part of the value: remove them."
	case strings.ContainsAny(s, "\r\n"):
		return "It contains a line feed: remove it, for example with trimspace."
	case s != strings.TrimSpace(s):
		return "It starts or ends with a space: remove it, for example with trimspace."
	case strings.ContainsFunc(s, isInvisible):
		return "It contains an invisible character, as text copied from a document does: type it in again."
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "It contains spaces: remove them."
	}
	return ""
}

// InQuotes reports whether quotation marks stand around a value, which are no part of any.
func InQuotes(s string) bool {
	s = strings.TrimSpace(s)
	for _, pair := range []string{`""`, `''`, "``", "“”", "‘’", "„“", "«»"} {
		marks := []rune(pair)
		opens, closes := string(marks[0]), string(marks[1])
		if len(s) > len(opens) && strings.HasPrefix(s, opens) && strings.HasSuffix(s, closes) {
			return true
		}
	}
	return false
}

// isInvisible reports characters that nobody sees and that are not spaces.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r)
}

// WebhookURL validates where the network is to send notifications.
var WebhookURL = StringCheck{
	allowed: "must be an absolute https or http URL without user name, password or fragment, as in \"https://example.com/qod\"",
	shown:   BareURL,
	check: func(s string) (bool, string) {
		u, err := url.Parse(s)
		switch {
		case s == "":
			return false, isEmpty
		case Mistyped(s) != "":
			return false, Mistyped(s)
		case !strings.Contains(s, "://"):
			return false, "It does not start with https://."
		case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || strings.Contains(s, "#") || !HeaderSafe(s):
			return false, ""
		case u.User != nil:
			return false, "Leave out the user name and password: the network sends notification_auth_token instead."
		}
		if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
			return false, "Ports go from 1 to 65535."
		}
		return true, ""
	},
}

// BearerToken validates the token that goes with notifications.
var BearerToken = StringCheck{
	allowed: "must be 1 to 4096 printable ASCII characters without spaces, as the network sends it as a bearer token",
	shown:   hidden,
	check: func(s string) (bool, string) {
		switch {
		case s == "":
			return false, isEmpty
		case HasBearer(s):
			return false, "Leave out \"Bearer\": the network adds it."
		case strings.ContainsAny(s, "\r\n"):
			return false, "A token that was read from a file ends in a line feed: remove it, for example with trimspace."
		}
		return len(s) <= 4096 && HeaderSafe(s), ""
	},
}

// HasBearer reports whether a token was given with the name of its scheme, as headers have it.
func HasBearer(token string) bool {
	scheme, _, found := strings.Cut(strings.TrimSpace(token), " ")
	return found && strings.EqualFold(strings.TrimSuffix(scheme, ":"), "Bearer")
}

// Text wants any text but an empty one, which package qod takes for not set. What is allowed is for
// the API to say; here it is only named, as "must be the name of a QoS profile".
func Text(allowed string) StringCheck {
	return StringCheck{
		allowed: allowed,
		check: func(s string) (bool, string) {
			if s == "" {
				return false, "It is empty."
			}
			return true, ""
		},
	}
}

// OneOf wants one of a few words.
func OneOf(values ...string) StringCheck {
	last := len(values) - 1
	return StringCheck{
		allowed: "must be " + strings.Join(values[:last], ", ") + " or " + values[last],
		check: func(s string) (bool, string) {
			if slices.Contains(values, s) {
				return true, ""
			}
			return false, DidYouMean(s, values)
		},
	}
}

// DidYouMean names the one that was probably meant: people write words in lower case, and with
// spaces.
func DidYouMean(given string, values []string) string {
	if given == "" {
		return isEmpty
	}
	for _, value := range values {
		if strings.EqualFold(value, strings.TrimSpace(given)) {
			return fmt.Sprintf("Did you mean %q?", value)
		}
	}
	return ""
}
