package sandbox

import (
	"net/netip"
	"strings"
	"time"
)

// The statuses of a session, as SessionInfo.qosStatus spells them.
const (
	StatusRequested   = "REQUESTED"
	StatusAvailable   = "AVAILABLE"
	StatusUnavailable = "UNAVAILABLE"
)

// Session is a session as the network knows it, including its client and what the API never
// returns: application server and webhook.
type Session struct {
	ID                string             `json:"sessionId"` // a UUID
	ClientID          string             `json:"clientId"`  // the OAuth client it belongs to; no other sees it
	Device            Device             `json:"device"`
	ApplicationServer *ApplicationServer `json:"applicationServer,omitempty"`
	QoSProfile        string             `json:"qosProfile"`
	Status            string             `json:"qosStatus"`
	Duration          int                `json:"duration"` // seconds
	CreatedAt         time.Time          `json:"createdAt"`
	// StartedAt and ExpiresAt are zero while REQUESTED: billing starts when the session becomes
	// AVAILABLE.
	StartedAt time.Time `json:"startedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// EndedAt and EndReason are set once the session has ended: as a rule it is then gone, but one
	// that the network ended stays for a while.
	EndedAt               time.Time `json:"endedAt,omitzero"`
	EndReason             string    `json:"statusInfo,omitempty"` // as in events, such as DURATION_EXPIRED
	NotificationURL       string    `json:"notificationUrl,omitempty"`
	NotificationAuthToken string    `json:"-"` // a secret
}

// Device is the API's Device: at least one identifier of a mobile line.
type Device struct {
	PhoneNumber             string       `json:"phoneNumber,omitempty"`
	NetworkAccessIdentifier string       `json:"networkAccessIdentifier,omitempty"`
	IPv4Address             *IPv4Address `json:"ipv4Address,omitempty"`
	IPv6Address             string       `json:"ipv6Address,omitempty"`
}

// IPv4Address is a public address and the port that distinguishes devices behind the same NAT.
type IPv4Address struct {
	PublicAddress string `json:"publicAddress,omitempty"`
	PublicPort    *int   `json:"publicPort,omitempty"`
}

// ApplicationServer is the other end of the flow.
type ApplicationServer struct {
	IPv4Address string `json:"ipv4Address,omitempty"`
	IPv6Address string `json:"ipv6Address,omitempty"`
}

// Masked shows the last two characters of each identifier, for logs: phone numbers and addresses
// are personal data.
func (d Device) Masked() string {
	var parts []string
	d.eachIdentifier(func(name, value string) {
		if len(value) > 2 {
			value = value[len(value)-2:]
		}
		parts = append(parts, name+" …"+value)
	})
	if len(parts) == 0 {
		return "no device"
	}
	return strings.Join(parts, ", ")
}

// eachIdentifier calls f with the API's name and the value of every identifier of the device. A
// port alone identifies nothing.
func (d Device) eachIdentifier(f func(name, value string)) {
	if d.PhoneNumber != "" {
		f("phoneNumber", d.PhoneNumber)
	}
	if d.NetworkAccessIdentifier != "" {
		f("networkAccessIdentifier", d.NetworkAccessIdentifier)
	}
	if d.IPv4Address != nil && d.IPv4Address.PublicAddress != "" {
		f("ipv4Address", d.IPv4Address.PublicAddress)
	}
	if d.IPv6Address != "" {
		f("ipv6Address", d.IPv6Address)
	}
}

// hasAddressAndPort reports whether text is the IPv4 address and the port of the device.
func (d Device) hasAddressAndPort(text string) bool {
	named, err := netip.ParseAddrPort(text)
	return err == nil && d.IPv4Address != nil && d.IPv4Address.PublicPort != nil &&
		*d.IPv4Address.PublicPort == int(named.Port()) && sameAddress(d.IPv4Address.PublicAddress, named.Addr().String())
}

func (d Device) hasIdentifier() bool {
	found := false
	d.eachIdentifier(func(string, string) { found = true })
	return found
}

// endsIn9 is the condition of the mock rule that Telefónica documents.
func (d Device) endsIn9() bool {
	found := false
	d.eachIdentifier(func(_, value string) { found = found || strings.HasSuffix(value, "9") })
	return found
}

// sharesIdentifier reports whether d and other have an identifier in common. They are then the same
// line, which can have only one session.
func (d Device) sharesIdentifier(other Device) bool {
	if d.PhoneNumber != "" && d.PhoneNumber == other.PhoneNumber {
		return true
	}
	if d.NetworkAccessIdentifier != "" && d.NetworkAccessIdentifier == other.NetworkAccessIdentifier {
		return true
	}
	if d.IPv6Address != "" && sameAddress(d.IPv6Address, other.IPv6Address) {
		return true
	}
	return d.IPv4Address != nil && other.IPv4Address != nil && d.IPv4Address.sharesIdentifier(*other.IPv4Address)
}

func (a IPv4Address) sharesIdentifier(b IPv4Address) bool {
	if a.PublicAddress == "" || !sameAddress(a.PublicAddress, b.PublicAddress) {
		return false
	}
	return a.PublicPort == nil || b.PublicPort == nil || *a.PublicPort == *b.PublicPort
}

// sameAddress compares addresses in any notation: 2001:DB8:0::1 equals 2001:db8::1. The API
// document sets no format, so other texts are compared as they are.
func sameAddress(a, b string) bool {
	if a == b {
		return true
	}
	x, errA := netip.ParseAddr(a)
	y, errB := netip.ParseAddr(b)
	return errA == nil && errB == nil && x == y
}

// clone returns a deep copy, so that a session that a test keeps does not change.
func (s Session) clone() Session {
	if s.ApplicationServer != nil {
		s.ApplicationServer = new(*s.ApplicationServer)
	}
	if s.Device.IPv4Address != nil {
		s.Device.IPv4Address = new(*s.Device.IPv4Address)
		if port := s.Device.IPv4Address.PublicPort; port != nil {
			s.Device.IPv4Address.PublicPort = new(*port)
		}
	}
	return s
}
