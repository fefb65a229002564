package qod

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// redact takes secrets and the device's identifiers out of text that a server wrote: servers
// repeat what they were sent, also what they should not.
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
