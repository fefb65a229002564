package validators

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// e164 is the API document's pattern. \z and not $: `+34600000000\n` has to be refused.
var e164 = regexp.MustCompile(`\A\+[1-9][0-9]{4,14}\z`)

// PhoneNumber validates an E.164 number.
var PhoneNumber = StringCheck{
	allowed: "must be an E.164 phone number: a plus, the country code and the number, 5 to 15 digits in all, as in \"+34600000000\"",
	shown: func(s string) string {
		switch n := countDigits(s); n {
		case 0:
			return Masked(s)
		case 1:
			return Masked(s) + " (1 digit)"
		default:
			return fmt.Sprintf("%s (%d digits)", Masked(s), n)
		}
	},
	check: func(s string) (bool, string) {
		if e164.MatchString(s) {
			return true, ""
		}
		return false, phoneHint(s)
	},
}

var (
	// shortened is how spreadsheets show and save a number that they take for one to count with.
	shortened  = regexp.MustCompile(`\A\+?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+\z|\A\+?[0-9]+[.,]0+\z`)
	separators = regexp.MustCompile(`[\s().\-/]+`)
	digitsOnly = regexp.MustCompile(`\A[0-9]+\z`)
)

// phoneHint says what is wrong with a phone number. It never advises a bare plus for a number that
// may be a national one: with it, it would be that of a stranger in another country.
func phoneHint(s string) string {
	switch {
	case s == "":
		return isEmpty
	case InQuotes(s) || strings.ContainsAny(s, "\r\n") || s != strings.TrimSpace(s) || strings.ContainsFunc(s, isInvisible):
		return Mistyped(s)
	case shortened.MatchString(s):
		return "It looks like a number that a spreadsheet has shortened (3.46E+10), which loses digits: format the column as text, and enter the number again."
	case strings.HasPrefix(strings.ToLower(s), "tel:"):
		return "Leave out \"tel:\"."
	case strings.ContainsFunc(s, unicode.IsLetter):
		return "It contains letters."
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsDigit(r) && r > '9' }):
		return "Write the digits as 0 to 9."
	}
	hint, number := "", separators.ReplaceAllString(s, "")
	switch {
	case number == s:
	case separators.ReplaceAllString(s, " ") == s:
		hint = "It contains spaces: remove them. "
	default:
		hint = "It contains characters other than the plus and digits: remove them. "
	}
	n := countDigits(number)
	switch {
	case strings.HasPrefix(number, "00"):
		hint += "It starts with 00: write a plus in place of 00."
	case digitsOnly.MatchString(number) && n > 10 && number[0] != '0':
		hint += "The plus is missing. If the number starts with its country code, write the plus in front, as \"+${…}\" where it comes from elsewhere: " +
			"YAML and spreadsheets drop the plus of a number that is not quoted. If it does not, write the plus and the country code."
	case digitsOnly.MatchString(number):
		hint += "It looks like a national number: write the plus and the country code in front, as in \"+34\" for Spain."
		if number[0] == '0' {
			hint += " In most countries the first 0 is then left out."
		}
	case strings.HasPrefix(number, "+0"):
		hint += "The country code is missing: none starts with 0."
	case n < 5:
		hint += "It has too few digits."
	case n > 15:
		hint += "It has too many digits."
	}
	return strings.TrimSpace(hint)
}

func countDigits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// NetworkAccessIdentifier validates a name such as device@example.com.
var NetworkAccessIdentifier = StringCheck{
	allowed: "must be a network access identifier of 1 to 253 printable characters without spaces, as in \"device@example.com\"",
	shown:   Masked,
	check: func(s string) (bool, string) {
		switch {
		case s == "":
			return false, isEmpty
		case len(s) > 253:
			return false, "It is too long."
		case InQuotes(s):
			return false, Mistyped(s)
		}
		return strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) < 0, Mistyped(s)
	},
}
