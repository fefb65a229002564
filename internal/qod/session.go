// Package qod is a client for Telefónica's Quality on Demand API whose verbs keep promises:
// a session is never lost and never bought twice, only a proven 404 says that one is gone, and
// no secret and no whole phone number is in an error or a log line.
//
// The package knows HTTP, JSON and OAuth 2.0. It imports nothing from Terraform.
package qod

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Status is what the network says of a session (`qosStatus` of the API document), in upper case.
// Words that the document does not know are kept.
type Status string

// The statuses of the API document.
const (
	StatusRequested   Status = "REQUESTED"
	StatusAvailable   Status = "AVAILABLE"
	StatusUnavailable Status = "UNAVAILABLE"
)

// Known reports whether the status is one of the API document.
func (s Status) Known() bool {
	return s == StatusRequested || s == StatusAvailable || s == StatusUnavailable
}

// Device names one device by at least one of its identifiers.
type Device struct {
	PhoneNumber             string // E.164 with its plus
	NetworkAccessIdentifier string
	IPv4Address             *IPv4Address
	IPv6Address             string
}

// IPv4Address is a device's address as the internet sees it. Behind carrier-grade NAT only the
// port tells one device from another.
type IPv4Address struct {
	PublicAddress string
	PublicPort    *int64
}

// ApplicationServer is the far end of the flow: an address or a CIDR block of either family.
type ApplicationServer struct {
	IPv4Address string
	IPv6Address string
}

// Spec is what a session is asked for.
type Spec struct {
	Device                Device
	ApplicationServer     *ApplicationServer
	QoSProfile            string
	NotificationURL       string
	NotificationAuthToken string

	// Seconds the session is to last.
	Seconds int64
	// Until, when set, replaces Seconds: before every POST the seconds that remain are worked
	// out by the server's clock, up to what the API allows.
	Until time.Time
}

// Session is what the API says of one. Every field but ID may be empty: the API document
// requires none, and networks leave out what they do not know yet.
type Session struct {
	ID         string
	Device     Device
	QoSProfile string
	Status     Status
	StartedAt  time.Time // zero when absent
	ExpiresAt  time.Time // zero when absent
	Seconds    int64     // as granted, which may be less than asked for; zero when absent

	// Unread names the fields whose values could not be read and so count as absent, as the API
	// spelled them, such as `startedAt "29.11.2026 20:15"`. Empty for none. Safe to print.
	Unread string
}

// Ref names an existing session, with what the caller knows of it. The device picks the token where
// tokens stand for one device. A list that shows another profile is not believed; nor is one that
// shows no device, where the id is all that is known.
type Ref struct {
	ID         string
	Device     Device
	QoSProfile string

	MadeAt    time.Time // when the session was made or first seen, by the server's clock; zero when not known
	ExpiresAt time.Time // when it ends, as last known; zero when not known
}

// Filter narrows a list. An empty field narrows nothing.
type Filter struct {
	Device     Device
	QoSProfile string
	Status     Status
}

// Matches reports whether the session passes the filter.
func (f Filter) Matches(s Session) bool {
	return (f.Device.IsZero() || f.Device.Matches(s.Device)) &&
		(f.QoSProfile == "" || f.QoSProfile == s.QoSProfile) &&
		(f.Status == "" || f.Status == s.Status)
}

// IsZero reports whether the device has no identifier.
func (d Device) IsZero() bool {
	return d.PhoneNumber == "" && d.NetworkAccessIdentifier == "" && d.IPv4Address == nil && d.IPv6Address == ""
}

// Matches reports whether shown, the device of some session, is this one as far as the two can
// tell: they share at least one identifier and contradict each other in none. The API may show
// fewer identifiers than were sent, more, or the same ones spelled differently.
func (d Device) Matches(shown Device) bool {
	matches, _ := d.compare(shown)
	return matches
}

// compare reports whether the two devices match, or contradict each other for certain. Where they
// have no kind of identifier in common they do neither, nor where one shows too little of it.
func (d Device) compare(shown Device) (matches, contradicts bool) {
	equals, differences := d.agreement(shown)
	return equals > 0 && differences == 0, differences > 0
}

// overlaps reports whether the two share any identifier: what the API refuses a second session for.
func (d Device) overlaps(shown Device) bool {
	equals, _ := d.agreement(shown)
	return equals > 0
}

// shares reports whether the two have an identifier in common for certain. An address with a port
// and the same address without may be one device or, behind carrier-grade NAT, two.
func (d Device) shares(shown Device) bool {
	ids := shown.identifiers()
	return slices.ContainsFunc(d.identifiers(), func(id string) bool { return slices.Contains(ids, id) })
}

// SameAddress reports whether two spellings mean one IP address or one CIDR block. Text that is
// neither is compared as it is.
func SameAddress(a, b string) bool {
	return a == b || canonicalAddress(a) == canonicalAddress(b)
}

func canonicalAddress(s string) string {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().String()
	}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return prefix.Masked().String()
	}
	return s
}

// String names the device with each identifier masked to its last two characters, so that it
// can stand in errors and logs: identifiers are personal data.
func (d Device) String() string {
	var parts []string
	if d.PhoneNumber != "" {
		parts = append(parts, "phone_number "+Mask(d.PhoneNumber))
	}
	if d.NetworkAccessIdentifier != "" {
		parts = append(parts, "network_access_identifier "+Mask(d.NetworkAccessIdentifier))
	}
	if d.IPv4Address != nil {
		parts = append(parts, "ipv4_address "+Mask(d.IPv4Address.PublicAddress))
	}
	if d.IPv6Address != "" {
		parts = append(parts, "ipv6_address "+Mask(d.IPv6Address))
	}
	if len(parts) == 0 {
		return "no device shown"
	}
	return strings.Join(parts, ", ")
}

// GoString is String, so that %#v prints no identifier either.
func (d Device) GoString() string { return d.String() }

// Format is String for every verb: %+v would print the fields.
func (d Device) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.String())) }

// Mask keeps the last two characters of a personal identifier. One too short to hide anything
// is hidden whole.
func Mask(s string) string {
	runes := []rune(s)
	if len(runes) < 5 {
		return "…"
	}
	return "…" + string(runes[len(runes)-2:])
}

// String names the session by its id and says nothing personal.
func (s Session) String() string {
	text := fmt.Sprintf("%s (%s, %s", s.ID, orUnknown(s.QoSProfile), orUnknown(string(s.Status)))
	if !s.ExpiresAt.IsZero() {
		text += ", until " + s.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return text + ")"
}

// Format is String for every verb.
func (s Session) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// Format keeps the webhook token and the device out of every verb.
func (s Spec) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s for %s", s.QoSProfile, s.Device)
}

func orUnknown(s string) string {
	if s == "" {
		return "not said"
	}
	return s
}
