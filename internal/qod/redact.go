package qod

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// spellings are the encodings in which a secret was sent, or in which a server may repeat it.
func spellings(secret string) []string {
	sent, _ := json.Marshal(secret) // a string can always be encoded
	quoted := strconv.Quote(secret)
	all := distinct(
		secret, oneLine(secret), html.EscapeString(secret),
		string(sent[1:len(sent)-1]), quoted[1:len(quoted)-1], strings.ReplaceAll(secret, "/", `\/`),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.URLEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	)
	for _, s := range all {
		for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s)} {
			all = append(all, escaped, lowerEscapes(escaped))
		}
	}
	return distinct(all...)
}

// distinct sorts texts, the longest first, and drops those that are there twice.
func distinct(texts ...string) []string {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(texts)
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(escaped string) string {
	if !strings.Contains(escaped, "%") {
		return escaped // as nearly always, and faster than a search that finds nothing
	}
	return percentEncoded.ReplaceAllStringFunc(escaped, strings.ToLower)
}

var percentEncoded = regexp.MustCompile(`%[0-9A-F]{2}`)

// shortSecret is the length below which a secret may be part of an ordinary word.
const shortSecret = 8

// replaceSpelling replaces one spelling of a secret or identifier. A short one is replaced only
// where it is a word of its own: otherwise a secret `test` would turn `latest` into `laREDACTED`,
// and so be given away. A single character is never replaced, as that would give it away
// everywhere.
func replaceSpelling(text, secret, replacement string) string {
	switch n := utf8.RuneCountInString(secret); {
	case n < 2:
		return text
	case n >= shortSecret:
		return strings.ReplaceAll(text, secret, replacement)
	}
	var b strings.Builder
	for from := 0; ; {
		at := strings.Index(text[from:], secret)
		if at < 0 {
			b.WriteString(text[from:])
			return b.String()
		}
		at += from
		end := at + len(secret)
		if insideWord(text, at) || insideWord(text, end) {
			_, size := utf8.DecodeRuneInString(text[at:])
			b.WriteString(text[from : at+size])
			from = at + size
			continue
		}
		b.WriteString(text[from:at] + replacement)
		from = end
	}
}

// insideWord reports whether the position is within a word.
func insideWord(text string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	return isWord(before) && isWord(after)
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// credential matches the places where a value of any length is a secret: the Authorization header,
// and some fields of forms and bodies.
var credential = regexp.MustCompile(`(?i)(authorization\\*["']?\s*[:=]\s*\\*["']?(?:basic|bearer)\s+` +
	`|(?:client_secret|client_assertion|access_token|notificationAuthToken)(?:=|\\*"\s*:\s*\\*"))[^\s"'\\&,;]+`)

// signedToken matches a JWT (RFC 7519): an assertion of this client, or any access token.
var signedToken = regexp.MustCompile(`eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+`)

const (
	// maxRedacted bounds how much text is searched for secrets and identifiers, in bytes: an answer
	// may have 32 MiB, of which at most 300 characters are shown.
	maxRedacted = 64 << 10
	// minRedacted is how long a text that was cut off there has to be after redaction. A secret
	// that was cut in two is not recognised, so it must be far from what is shown.
	minRedacted = 16 << 10
)

// redact removes secrets and the device's identifiers, in any spelling, from a text. Line feeds and
// invisible characters, which could hide one, are dropped first.
func redact(text string, secrets []string, d Device) string {
	return redactBeginning(text, func(text string) string {
		return redactDevice(redactSecrets(text, secrets), d)
	})
}

// redactServer is redact for the text of a server, which may also contain identifiers of other
// devices.
func redactServer(text string, secrets []string, d Device) string {
	return redactBeginning(text, func(text string) string {
		text = redactDevice(redactSecrets(text, secrets), d)
		text = userShaped.ReplaceAllStringFunc(text, Mask)
		text = replaceApart(text, ipv4Shaped, Mask)
		text = ipv6Shaped.ReplaceAllStringFunc(text, maskIPv6)
		text = maskNumbers(text)
		return ipv4Shaped.ReplaceAllStringFunc(text, Mask)
	})
}

// redactBeginning redacts the part of a text that can be shown.
func redactBeginning(text string, redact func(string) string) string {
	if text == "" {
		return "" // as most answers in the API's place have no code
	}
	if len(text) <= maxRedacted {
		return redact(oneLine(text))
	}
	if text = redact(oneLine(text[:maxRedacted])); len(text) < minRedacted {
		return ""
	}
	return text
}

func redactSecrets(text string, secrets []string) string {
	var all []string
	for _, secret := range secrets {
		if utf8.RuneCountInString(secret) > 1 {
			all = append(all, spellings(secret)...)
		}
	}
	// The longest first: one secret may be part of another's spelling.
	for _, spelling := range distinct(all...) {
		text = replaceSpelling(text, spelling, "REDACTED")
	}
	text = signedToken.ReplaceAllString(text, "REDACTED")
	return credential.ReplaceAllString(text, "${1}REDACTED")
}

func redactDevice(text string, d Device) string {
	// Most texts have too few digits, and a pattern takes longer to compile than to match.
	if digits := phoneDigits(d.PhoneNumber); digits != "" && countDigits(text) >= len(digits) {
		own := regexp.MustCompile(`(?:\+|\(|00|%[0-9A-Fa-f]{2})*` + strings.Join(strings.Split(digits, ""), between+`?`))
		text = own.ReplaceAllStringFunc(text, func(s string) string {
			lead, body := cutLead(s)
			return lead + Mask(strings.Join(separators.Split(body, -1), ""))
		})
	}
	personal := []string{d.PhoneNumber, d.NetworkAccessIdentifier, d.IPv6Address, canonicalAddress(d.IPv6Address)}
	if d.IPv4Address != nil {
		personal = append(personal, d.IPv4Address.PublicAddress, d.IPv4Address.PrivateAddress)
	}
	for _, identifier := range personal {
		if identifier == "" {
			continue
		}
		escaped := url.QueryEscape(identifier)
		for _, spelling := range []string{
			identifier, strings.ToLower(identifier), escaped, lowerEscapes(escaped),
		} {
			text = replaceSpelling(text, spelling, Mask(identifier))
		}
	}
	return text
}

func countDigits(text string) (n int) {
	for _, r := range text {
		if '0' <= r && r <= '9' {
			n++
		}
	}
	return n
}

var (
	userShaped = regexp.MustCompile(`[0-9A-Za-z._%+-]+(?:@|%40)[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*`)
	// The characters around an address do not matter: masking a version number by mistake is better
	// than missing an address.
	ipv4Shaped = regexp.MustCompile(`[0-9]{1,3}(\.[0-9]{1,3}){3}`)
	ipv6Shaped = regexp.MustCompile(`[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*`)
)

// maskIPv6 masks an address, but not a time of day. A colon before or after it is punctuation.
func maskIPv6(s string) string {
	address := s
	if strings.HasPrefix(address, ":") && !strings.HasPrefix(address, "::") {
		address = address[1:]
	}
	if strings.HasSuffix(address, ":") && !strings.HasSuffix(address, "::") {
		address = address[:len(address)-1]
	}
	if _, err := netip.ParseAddr(address); err != nil && strings.Count(address, ":") < 3 {
		return s
	}
	return strings.Replace(s, address, Mask(address), 1)
}

const (
	// separator is one character between the digits of a phone number, as it is or encoded.
	separator = `(?:[\s\p{Z}\p{Pd}−.()/_]|%20|%2[89DEFdef]|%[Cc]2%[Aa]0|\\u00[Aa]0|&nbsp;|&#160;)`
	// between matches what may separate two digits: up to three separators, the plus by which forms
	// encode a space, or a thousands separator.
	between = `(?:` + separator + `{1,3}|[+,'’])`

	year      = `(?:19|20)[0-9]{2}`
	month     = `(?:1[0-2]|0?[1-9])`
	day       = `(?:[12][0-9]|3[01]|0?[1-9])`
	timeOfDay = `[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?` +
		`(?: ?(?:Z|z|UTC|GMT)| \+0000|[+-](?:0[0-9]|1[0-4]):?(?:00|15|30|45)\b)?`
)

var (
	separators = regexp.MustCompile(between)
	// phoneShaped matches digits in any groups. They are counted later.
	phoneShaped = regexp.MustCompile(`(?:\+|\(|%[0-9A-Fa-f]{2})*[0-9](?:` + between + `?[0-9])*`)

	// notPersonal matches what has as many digits as a phone number but is none.
	notPersonal = regexp.MustCompile(`(` + strings.Join([]string{
		// A word of its own: a UUID, the id of a trace or of a commit, a version.
		`\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b`,
		`\b[0-9A-Fa-f]{16,64}\b`,
		`\b[vV][0-9]{1,5}(?:\.[0-9]{1,5})+\b`,
	}, "|") + `)|` + strings.Join([]string{
		// A date, with a time of day or without; a time of day; a duration as Go prints it.
		`(?:` + year + `[-/.]` + month + `[-/.]` + day + `|` + day + `[-/.]` + day + `[-/.]` + year + `)(?:(?:[Tt_]| +)` + timeOfDay + `)?`,
		year + `(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[Tt][0-9]{4,6}(?:\.[0-9]+)?[Zz]?`,
		timeOfDay,
		`(?:[0-9]{1,6}h)?(?:[0-9]{1,2}m)?[0-9]{1,6}\.[0-9]{1,9}(?:ns|us|µs|ms|s|m|h)\b`,
	}, "|"))
	// longNumber matches a run of digits that is rare in hexadecimal, and so may be a phone number
	// with letters around it.
	longNumber = regexp.MustCompile(`\A[0-9A-Fa-f]*[0-9]{11}[0-9A-Fa-f]*\z`)
)

// maskNumbers masks every number of 7 to 15 digits, in whatever groups, that is not known to be
// something else: masking a number by mistake is better than missing a phone number.
func maskNumbers(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range notPersonal.FindAllStringSubmatchIndex(text, -1) {
		word := at[2] >= 0
		if (word && !longNumber.MatchString(text[at[0]:at[1]])) || (!word && apart(text, at)) {
			b.WriteString(phoneShaped.ReplaceAllStringFunc(text[from:at[0]], maskPhone))
			b.WriteString(text[at[0]:at[1]])
			from = at[1]
		}
	}
	b.WriteString(phoneShaped.ReplaceAllStringFunc(text[from:], maskPhone))
	return b.String()
}

// replaceApart replaces the matches that are not part of a longer number or word.
func replaceApart(text string, shape *regexp.Regexp, replace func(string) string) string {
	var b strings.Builder
	from := 0
	for _, at := range shape.FindAllStringIndex(text, -1) {
		if apart(text, at) {
			b.WriteString(text[from:at[0]] + replace(text[at[0]:at[1]]))
			from = at[1]
		}
	}
	b.WriteString(text[from:])
	return b.String()
}

var (
	numberBefore = regexp.MustCompile(`(?:[0-9A-Za-z+]|[0-9)][-._])\z`)
	numberBehind = regexp.MustCompile(`\A(?:[0-9A-Za-z]|[-.+_][0-9(])`)
)

// apart reports whether a match is not part of a longer number or word.
func apart(text string, at []int) bool {
	return !numberBefore.MatchString(text[max(0, at[0]-2):at[0]]) && !numberBehind.MatchString(text[at[1]:])
}

const (
	minPhone = 7
	maxPhone = 17 // 15 of E.164, and 00 in front
)

// maskPhone masks a phone number, or each one of several that only spaces or commas separate.
func maskPhone(s string) string {
	lead, body := cutLead(s)
	gaps := append(separators.FindAllStringIndex(body, -1), []int{len(body), len(body)})
	if total := len(body) - len(strings.Join(separators.FindAllString(body, -1), "")); total < minPhone || (total > maxPhone && len(gaps) == 1) {
		return s
	}
	var parts []string // each with as many groups as one number can have, and what follows it
	digits, group, gapBefore := "", 0, ""
	flush := func(gap string) {
		parts, digits = append(parts, digits, gap), ""
	}
	for _, gap := range gaps {
		next := body[group:gap[0]]
		if digits != "" && len(digits)+len(next) > maxPhone {
			flush(gapBefore)
		}
		digits, group, gapBefore = digits+next, gap[1], body[gap[0]:gap[1]]
	}
	flush("")
	// Too few digits for a number are left at the end: they belong to the number before them.
	if last := len(parts) - 2; last > 0 && len(parts[last]) < minPhone {
		parts = append(parts[:last-2], parts[last-2]+parts[last], "")
	}
	for i := 0; i < len(parts); i += 2 {
		parts[i] = Mask(parts[i])
	}
	return lead + strings.Join(parts, "")
}

// cutLead splits off what precedes the digits of a number. A plus, and a parenthesis that closes
// within the number, are part of the number and dropped.
func cutLead(s string) (lead, digits string) {
	lead = phoneLead.FindString(s)
	digits = s[len(lead):]
	lead = strings.NewReplacer("+", "", "%2B", "", "%2b", "").Replace(lead)
	if strings.Contains(digits, ")") {
		lead = strings.ReplaceAll(lead, "(", "")
	}
	return lead, digits
}

// phoneLead matches what may precede the first digit of a number.
var phoneLead = regexp.MustCompile(`\A(?:\+|\(|%[0-9A-Fa-f]{2})*`)
