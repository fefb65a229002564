// Package validators says what the configuration may hold. Every refusal names the attribute, what
// is allowed, what is wrong where that can be told, and what was given; it shows personal values by
// their shape alone. Those of terraform-plugin-framework-validators repeat the value, which may be
// somebody's phone number.
package validators

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Invalid is the one form in which a value is refused. The problem says what is allowed, and
// perhaps, in sentences behind it, what is wrong.
func Invalid(at path.Path, problem, given string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Invalid "+titleOf(at), fmt.Sprintf("%s %s Given: %s.", at, Ended(problem), given))
}

// Ended is a problem as whole sentences: behind what is allowed, there may be what is wrong, which
// may be a question.
func Ended(problem string) string {
	if strings.HasSuffix(problem, "?") {
		return problem
	}
	return strings.TrimSuffix(problem, ".") + "."
}

// titleOf is what the summary calls an attribute.
func titleOf(at path.Path) string {
	if strings.HasPrefix(at.String(), "timeouts.") {
		return "Timeout"
	}
	switch name := lastName(at); name {
	case "starts_at":
		return "Start Time"
	case "ends_at":
		return "End Time"
	default:
		return Title(name)
	}
}

// lastName is the attribute's name, without the keys and indices behind it.
func lastName(at path.Path) string {
	steps := at.Steps()
	for _, step := range slices.Backward(steps) {
		if name, ok := step.(path.PathStepAttributeName); ok {
			return string(name)
		}
	}
	return "value"
}

// Title turns an attribute's name into the words of a summary.
func Title(attribute string) string {
	words := strings.Split(attribute, "_")
	for i, word := range words {
		switch word {
		case "id", "url", "ip", "api":
			words[i] = strings.ToUpper(word)
		case "ipv4":
			words[i] = "IPv4"
		case "ipv6":
			words[i] = "IPv6"
		case "qos":
			words[i] = "QoS"
		case "in":
		default:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

// Quoted shows a value that is neither secret nor personal.
func Quoted(s string) string { return fmt.Sprintf("%q", Truncated(s)) }

// Masked shows a personal value by its shape alone.
func Masked(s string) string { return fmt.Sprintf("%q", shape(Truncated(s))) }

// BareURL shows a URL without what may be secret in it: user name and password, query, fragment.
func BareURL(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "", s
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "…" + rest[i:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i+1] + "…"
	}
	if found {
		scheme += "://"
	}
	return Quoted(scheme + rest)
}

// hidden says what is wrong with a secret without showing any of it.
func hidden(s string) string {
	switch {
	case s == "":
		return "an empty string"
	case strings.ContainsAny(s, "\r\n"):
		return "a value with a line feed in it (not shown, as it is secret)"
	case strings.IndexFunc(s, unicode.IsSpace) >= 0:
		return "a value with a space in it (not shown, as it is secret)"
	case !HeaderSafe(s):
		return "a value with other characters in it (not shown, as it is secret)"
	}
	return fmt.Sprintf("%d characters (not shown, as they are secret)", len(s))
}

// HeaderSafe reports whether text can stand in an Authorization header.
func HeaderSafe(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Truncated bounds what an error repeats of a value.
func Truncated(s string) string {
	if runes := []rune(s); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return s
}

// shape hides letters and digits but for the last two, and keeps what is usually wrong: spaces,
// slashes, a missing plus.
func shape(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if i < len(runes)-2 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			runes[i] = '*'
		}
	}
	if len(runes) < 5 {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return '*'
			}
			return r
		}, s)
	}
	return string(runes)
}
