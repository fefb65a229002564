package provider

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// invalid is the one form in which a value is refused: the attribute, what is allowed, what was
// given.
func invalid(at path.Path, allowed, given string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Invalid "+title(lastName(at)), fmt.Sprintf("%s %s. Given: %s.", at, allowed, given))
}

// lastName is the attribute's name, without the keys and indices behind it.
func lastName(at path.Path) string {
	steps := at.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if name, ok := steps[i].(path.PathStepAttributeName); ok {
			return string(name)
		}
	}
	return "value"
}

// title turns an attribute's name into the words of a summary.
func title(attribute string) string {
	words := strings.Split(attribute, "_")
	for i, word := range words {
		switch word {
		case "id", "url", "ip":
			words[i] = strings.ToUpper(word)
		case "ipv4":
			words[i] = "IPv4"
		case "ipv6":
			words[i] = "IPv6"
		case "qos":
			words[i] = "QoS"
		default:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

// text validates a string with a function that says what is allowed when it is not.
type text struct {
	description string
	shown       func(string) string // how an error shows a refused value; nil for quoted as it is
	problem     func(string) string
}

var _ validator.String = text{}

func (t text) Description(context.Context) string         { return t.description }
func (t text) MarkdownDescription(context.Context) string { return t.description }

func (t text) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueString()
	problem := t.problem(value)
	if problem == "" {
		return
	}
	shown := t.shown
	if shown == nil {
		shown = quoted
	}
	resp.Diagnostics.Append(invalid(req.Path, problem, shown(value)))
}

func quoted(s string) string { return fmt.Sprintf("%q", cut(s)) }

// masked shows a personal value by its shape alone.
func masked(s string) string { return fmt.Sprintf("%q", shape(cut(s))) }

// bare shows a URL without what may be secret in it: user name and password, query, fragment.
func bare(s string) string {
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
	return quoted(scheme + rest)
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
	case headerUnsafe(s):
		return "a value with other characters in it (not shown, as it is secret)"
	}
	return fmt.Sprintf("%d characters (not shown, as they are secret)", len(s))
}

// headerUnsafe reports whether text cannot stand in an Authorization header.
func headerUnsafe(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0
}

// cut bounds what an error repeats of a value.
func cut(s string) string {
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

var leadingZero = regexp.MustCompile(`(?:\A|\.)0[0-9]`)

// e164 is the API document's pattern. \z and not $: `+34600000000\n` has to be refused.
var e164 = regexp.MustCompile(`\A\+[1-9][0-9]{4,14}\z`)

var phoneNumber = text{
	description: "value must be an E.164 number: a plus, a country code and up to 15 digits in all",
	shown:       masked,
	problem: func(s string) string {
		if e164.MatchString(s) {
			return ""
		}
		allowed := "must be an E.164 number: a plus, then 5 to 15 digits 0-9 of which the first is not 0, and nothing else, as in \"+34600000000\""
		if e164.MatchString("+" + s) {
			allowed += "; the plus is missing: write it in front, as \"+${…}\" where the number comes from elsewhere. " +
				"YAML reads an unquoted +34600000000 as a number, and spreadsheets drop the plus when they save"
		}
		return allowed
	},
}

var networkAccessIdentifier = text{
	description: "value must be a network access identifier such as user@example.com",
	shown:       masked,
	problem: func(s string) string {
		if s == "" || len(s) > 253 || strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) >= 0 {
			return "must be 1 to 253 printable characters without spaces, as in \"device@example.com\""
		}
		return ""
	},
}

// address validates an IP address of one family, or a CIDR block where blocks are allowed. One
// validator serves all four attributes that hold one.
func address(family int, block, personal bool) text {
	example := map[int]string{4: "198.51.100.10", 6: "2001:db8::10"}[family]
	allowed := fmt.Sprintf("must be an IPv%d address, as in %q", family, example)
	if block {
		allowed = fmt.Sprintf("must be an IPv%d address or CIDR block, as in %q or %q", family, example, map[int]string{4: "198.51.100.0/24", 6: "2001:db8::/32"}[family])
	}
	shown := quoted
	if personal {
		shown = masked
	}
	return text{
		description: strings.Replace(allowed, "must", "value must", 1),
		shown:       shown,
		problem: func(s string) string {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				prefix, prefixErr := netip.ParsePrefix(s)
				switch {
				case prefixErr != nil && leadingZero.MatchString(s):
					return allowed + "; leave out leading zeros, which some programs read as octal"
				case prefixErr != nil:
					return allowed
				case !block:
					return allowed + "; a CIDR block is not the address of one device"
				}
				addr = prefix.Addr()
			}
			switch {
			case addr.Is4In6():
				return allowed + "; write an IPv4-mapped address as the IPv4 address it stands for, in ipv4_address"
			case addr.Is4() != (family == 4):
				return fmt.Sprintf("%s; an IPv%d address belongs in ipv%d_address", allowed, 10-family, 10-family)
			case addr.Zone() != "":
				return allowed + "; leave out the zone, which means something on one machine only"
			}
			return ""
		},
	}
}

var webhookURL = text{
	description: "value must be an absolute https or http URL",
	shown:       bare,
	problem: func(s string) string {
		const allowed = "must be an absolute https or http URL without user name, password or fragment, as in \"https://example.com/qod\""
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || strings.Contains(s, "#") || headerUnsafe(s) {
			return allowed
		}
		if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
			return allowed + "; ports go from 1 to 65535"
		}
		return ""
	},
}

var headerToken = text{
	description: "value must be 1 to 4096 characters that can stand in an HTTP header",
	shown:       hidden,
	problem: func(s string) string {
		if s == "" || len(s) > 4096 || headerUnsafe(s) {
			return "must be 1 to 4096 printable ASCII characters without spaces: the network sends it as a bearer token"
		}
		return ""
	},
}

// profileName refuses what package qod takes for not known yet. The names themselves are the API's:
// see Check.
var profileName = text{
	description: "value must name a QoS profile",
	problem: func(s string) string {
		if s == "" {
			return "must name a QoS profile, as in \"QOS_E\""
		}
		return ""
	},
}

var sessionStatus = text{
	description: "value must be REQUESTED, AVAILABLE or UNAVAILABLE",
	problem: func(s string) string {
		switch qod.Status(s) {
		case qod.StatusRequested, qod.StatusAvailable, qod.StatusUnavailable:
			return ""
		}
		return "must be REQUESTED, AVAILABLE or UNAVAILABLE"
	},
}

// durationUpTo validates a Go duration that is positive and at most limit.
func durationUpTo(limit time.Duration) text {
	return text{
		description: "value must be a positive duration such as 30s or 5m",
		problem: func(s string) string {
			if d, err := time.ParseDuration(s); err != nil || d <= 0 || d > limit {
				return fmt.Sprintf("must be a positive duration of at most %s, as in \"90s\", \"5m\" or \"1h30m\"", short(limit))
			}
			return ""
		},
	}
}

// short writes a duration without its zero parts.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// within validates a whole number.
type within struct {
	min, max int64
	unit     string
}

var _ validator.Int64 = within{}

func between(low, high int64, unit string) within { return within{low, high, unit} }

func (w within) Description(context.Context) string {
	return fmt.Sprintf("value must be a whole number from %d to %d%s", w.min, w.max, w.unit)
}

func (w within) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

func (w within) ValidateInt64(ctx context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	// The framework hands over an int64, which cannot say what else was given.
	var given attr.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, req.Path, &given)...)
	n, _ := given.(wholeNumber) // as in every schema, see TestSchema_validators
	if problem := w.problem(n); problem != "" {
		resp.Diagnostics.Append(invalid(req.Path, problem, n.String()))
	}
}

// problem says what is allowed when the number is not.
func (w within) problem(n wholeNumber) string {
	fits := n.IsNull() || n.IsUnknown() || w.min <= n.ValueInt64() && n.ValueInt64() <= w.max
	if fits && n.unfit == nil {
		return ""
	}
	return fmt.Sprintf("must be a whole number from %d to %d%s", w.min, w.max, w.unit)
}
