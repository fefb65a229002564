package validators

import (
	"regexp"
	"strings"
	"unicode"
)

// e164 is the API document's pattern. \z and not $: `+34600000000\n` has to be refused.
var e164 = regexp.MustCompile(`\A\+[1-9][0-9]{4,14}\z`)

// PhoneNumber validates an E.164 number.
var PhoneNumber = StringCheck{
	description: "value must be an E.164 number: a plus, a country code and up to 15 digits in all",
	shown:       Masked,
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

// NetworkAccessIdentifier validates a name such as device@example.com.
var NetworkAccessIdentifier = StringCheck{
	description: "value must be a network access identifier such as user@example.com",
	shown:       Masked,
	problem: func(s string) string {
		if s == "" || len(s) > 253 || strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) >= 0 {
			return "must be 1 to 253 printable characters without spaces, as in \"device@example.com\""
		}
		return ""
	},
}
