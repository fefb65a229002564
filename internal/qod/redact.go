package qod

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// spellings are how a secret was sent, and how a server may repeat it.
func spellings(secret string) []string {
	sent, _ := json.Marshal(secret) // a string can always be encoded
	quoted := strconv.Quote(secret)
	return []string{
		secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
		string(sent[1 : len(sent)-1]), quoted[1 : len(quoted)-1],
	}
}

// redact takes secrets and the device's identifiers, as they are spelled, out of any text.
func redact(text string, secrets []string, d Device) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, spelling := range spellings(secret) {
			text = strings.ReplaceAll(text, spelling, "REDACTED")
		}
	}
	personal := []string{d.PhoneNumber, strings.TrimPrefix(d.PhoneNumber, "+"), d.NetworkAccessIdentifier, d.IPv6Address}
	if d.IPv4Address != nil {
		personal = append(personal, d.IPv4Address.PublicAddress)
	}
	for _, identifier := range personal {
		if identifier != "" {
			text = strings.ReplaceAll(text, identifier, Mask(identifier))
		}
	}
	return text
}

var (
	// phoneShaped leaves the groups of a UUID and longer words alone.
	phoneShaped = regexp.MustCompile(`(^|[^0-9A-Za-z-])(\+?[1-9][0-9]{6,14})($|[^0-9A-Za-z-])`)
	userShaped  = regexp.MustCompile(`[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*`)
	// What stands around an address is not asked for: better one version number is masked too
	// many than one address too few.
	ipv4Shaped = regexp.MustCompile(`[0-9]{1,3}(\.[0-9]{1,3}){3}`)
	ipv6Shaped = regexp.MustCompile(`[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*`)
)

// redactServer is redact for what a server wrote: it repeats what it was sent, also what it
// should not, and shows identifiers of devices that this call knows nothing of.
func redactServer(text string, secrets []string, d Device) string {
	text = redact(text, secrets, d)
	text = userShaped.ReplaceAllStringFunc(text, Mask)
	text = ipv4Shaped.ReplaceAllStringFunc(text, Mask)
	text = ipv6Shaped.ReplaceAllStringFunc(text, maskIPv6)
	for range 2 { // one pass misses every second of a list: a match takes the separator with it
		text = phoneShaped.ReplaceAllStringFunc(text, func(s string) string {
			parts := phoneShaped.FindStringSubmatch(s)
			return parts[1] + Mask(parts[2]) + parts[3]
		})
	}
	return text
}

// maskIPv6 masks an address and not a time of day. A colon before or behind it is punctuation.
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
