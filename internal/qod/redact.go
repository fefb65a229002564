package qod

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// redact takes secrets and the device's identifiers, as they are spelled, out of any text.
func redact(text string, secrets []string, d Device) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, spelling := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
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
	phoneShaped   = regexp.MustCompile(`(^|[^0-9A-Za-z-])(\+?[1-9][0-9]{6,14})($|[^0-9A-Za-z-])`)
	addressShaped = regexp.MustCompile(`[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+`)
)

// redactServer is redact for what a server wrote: it repeats what it was sent, also what it
// should not, and shows identifiers of devices that this call knows nothing of.
func redactServer(text string, secrets []string, d Device) string {
	text = redact(text, secrets, d)
	text = addressShaped.ReplaceAllStringFunc(text, func(s string) string {
		if _, err := netip.ParseAddr(s); err != nil {
			return s
		}
		return Mask(s)
	})
	return phoneShaped.ReplaceAllStringFunc(text, func(s string) string {
		parts := phoneShaped.FindStringSubmatch(s)
		return parts[1] + Mask(parts[2]) + parts[3]
	})
}
