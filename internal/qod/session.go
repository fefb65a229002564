// Package qod is a client for Telefónica's Quality on Demand API that keeps promises: a session is
// never lost and never bought twice, none is reported as gone without proof, and no error or log
// line contains a secret or a complete phone number.
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

// Status is the status of a session (`qosStatus` of the API document), in upper case. Values that
// are not in the document are kept.
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

// Device identifies a device by at least one of its identifiers.
type Device struct {
	PhoneNumber             string // E.164 with its plus
	NetworkAccessIdentifier string
	IPv4Address             *IPv4Address
	IPv6Address             string
}

// IPv4Address is a device's public address. Behind carrier-grade NAT, only the port or the private
// address distinguishes one device from another.
type IPv4Address struct {
	PublicAddress  string
	PublicPort     *int64
	PrivateAddress string
}

// ApplicationServer is the server that the device communicates with: an address or CIDR block of
// either family.
type ApplicationServer struct {
	IPv4Address string
	IPv6Address string
}

// Spec is a request for a session.
type Spec struct {
	Device                 Device
	ApplicationServer      *ApplicationServer
	DevicePorts            *Ports // nil: all
	ApplicationServerPorts *Ports // nil: all
	QoSProfile             string
	NotificationURL        string
	NotificationAuthToken  string
	// NotificationAuthTokenExpiresAt is when that token expires, after which nobody is notified.
	// Where an API asks for it and it is zero, it is an hour after the end of the session, or after
	// Until.
	NotificationAuthTokenExpiresAt time.Time

	// Seconds the session is to last.
	Seconds int64
	// Until, when set, replaces Seconds: before every POST, the remaining seconds are computed by
	// the server's clock, up to what the API allows.
	Until time.Time

	// Unknown are the fields whose values are not known yet, which is why they are empty. Only
	// Check looks at it: a create needs them all.
	Unknown map[Field]bool
}

// Field names a member of Spec.
type Field string

// The fields that a Problem can name, and that a Spec may not know yet. See members.
const (
	FieldDevice                  Field = "device"
	FieldPhoneNumber             Field = "device.phoneNumber"
	FieldNetworkAccessIdentifier Field = "device.networkAccessIdentifier"
	FieldIPv4Address             Field = "device.ipv4Address"
	FieldPublicAddress           Field = "device.ipv4Address.publicAddress"
	FieldPublicPort              Field = "device.ipv4Address.publicPort"
	FieldPrivateAddress          Field = "device.ipv4Address.privateAddress"
	FieldIPv6Address             Field = "device.ipv6Address"
	FieldApplicationServer       Field = "applicationServer"
	FieldServerIPv4Address       Field = "applicationServer.ipv4Address"
	FieldServerIPv6Address       Field = "applicationServer.ipv6Address"
	FieldDevicePorts             Field = "devicePorts"
	FieldApplicationServerPorts  Field = "applicationServerPorts"
	FieldQoSProfile              Field = "qosProfile"
	FieldDuration                Field = "duration"
	FieldNotificationURL         Field = "notificationUrl"
	FieldNotificationAuthToken   Field = "notificationAuthToken"

	FieldNotificationAuthTokenExpiresAt Field = "notificationAuthTokenExpiresAt"
)

// member is a field, and whether a Spec sets it.
type member struct {
	field Field
	set   bool
}

// members are all fields of a Spec.
func (s Spec) members() []member {
	var v4 IPv4Address
	if s.Device.IPv4Address != nil {
		v4 = *s.Device.IPv4Address
	}
	var server ApplicationServer
	if s.ApplicationServer != nil {
		server = *s.ApplicationServer
	}
	return []member{
		{FieldDevice, !s.Device.IsZero()},
		{FieldPhoneNumber, s.Device.PhoneNumber != ""},
		{FieldNetworkAccessIdentifier, s.Device.NetworkAccessIdentifier != ""},
		{FieldIPv4Address, s.Device.IPv4Address != nil},
		{FieldPublicAddress, v4.PublicAddress != ""},
		{FieldPublicPort, v4.PublicPort != nil},
		{FieldPrivateAddress, v4.PrivateAddress != ""},
		{FieldIPv6Address, s.Device.IPv6Address != ""},
		{FieldApplicationServer, s.ApplicationServer != nil},
		{FieldServerIPv4Address, server.IPv4Address != ""},
		{FieldServerIPv6Address, server.IPv6Address != ""},
		{FieldDevicePorts, s.DevicePorts != nil},
		{FieldApplicationServerPorts, s.ApplicationServerPorts != nil},
		{FieldQoSProfile, s.QoSProfile != ""},
		{FieldDuration, s.Seconds != 0},
		{FieldNotificationURL, s.NotificationURL != ""},
		{FieldNotificationAuthToken, s.NotificationAuthToken != ""},
		{FieldNotificationAuthTokenExpiresAt, !s.NotificationAuthTokenExpiresAt.IsZero()},
	}
}

// Fields are all fields of a Spec.
func Fields() []Field {
	var fields []Field
	for _, m := range (Spec{}).members() {
		fields = append(fields, m.field)
	}
	return fields
}

// Session is a session as the API shows it. Every field but ID may be empty: the API document
// requires none, and networks leave out what they do not know yet.
type Session struct {
	ID         string
	Device     Device
	QoSProfile string
	Status     Status
	StatusInfo string    // why it is UNAVAILABLE, such as NETWORK_TERMINATED; empty when absent
	StartedAt  time.Time // zero when absent
	ExpiresAt  time.Time // zero when absent
	Seconds    int64     // as granted, which may be less than requested; zero when absent

	ApplicationServer      *ApplicationServer // nil when absent
	DevicePorts            *Ports             // nil when absent
	ApplicationServerPorts *Ports             // nil when absent

	// Unread lists the fields that count as absent because their values could not be read, as the
	// API sent them, such as `startedAt "29.11.2026 20:15"`. It is empty for none, and safe to
	// print.
	Unread string
}

// Ref identifies an existing session, with what the caller knows about it. Where tokens are bound
// to a device, Device selects the token. A list that shows another profile than QoSProfile is not
// believed; nor is one that shows no device, where ID is all that is known.
type Ref struct {
	ID         string
	Device     Device
	QoSProfile string

	MadeAt    time.Time // when the session was made or first seen, by the server's clock; zero when not known
	ExpiresAt time.Time // when it ends, as last known; zero when not known
}

// Filter selects sessions of a list. An empty field matches every session.
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

// Matches reports whether shown, the device of a session, is this one as far as can be told: they
// share at least one identifier and contradict each other in none. The API may show fewer
// identifiers than were sent, more, or the same ones spelled differently.
func (d Device) Matches(shown Device) bool {
	matches, _ := d.compare(shown)
	return matches
}

// compare reports whether the two devices match, or certainly contradict each other. They do
// neither where they have no kind of identifier in common, or where one is incomplete.
func (d Device) compare(shown Device) (matches, contradicts bool) {
	equals, differences := d.agreement(shown)
	return equals > 0 && differences == 0, differences > 0
}

// overlaps reports whether the two share any identifier, so that to the API they are one device.
func (d Device) overlaps(shown Device) bool {
	equals, _ := d.agreement(shown)
	return equals > 0
}

// shares reports whether the two certainly have an identifier in common. An address with a port and
// the same address without one may be one device or, behind carrier-grade NAT, two.
func (d Device) shares(shown Device) bool {
	ids := shown.Identifiers()
	return slices.ContainsFunc(d.Identifiers(), func(id string) bool { return slices.Contains(ids, id) })
}

// SameAddress reports whether two strings are the same IP address or CIDR block. Other text is
// compared literally.
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

// String lists the device's identifiers, each masked to its last two characters: they are personal
// data, and this is for errors and logs.
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

// Mask keeps the last two characters of a personal identifier. A very short one is masked
// completely.
func Mask(s string) string {
	runes := []rune(s)
	if len(runes) < 5 {
		return "…"
	}
	return "…" + string(runes[len(runes)-2:])
}

// String describes the session without personal data.
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
		return "unknown"
	}
	return s
}
