package sandbox

import (
	"net/netip"
	"strings"
	"time"
)

// The statuses of a session, which are the same in all APIs.
const (
	StatusRequested   = "REQUESTED"
	StatusAvailable   = "AVAILABLE"
	StatusUnavailable = "UNAVAILABLE"
)

// Session is a session as the network knows it, including its client and what the APIs never
// return. Its JSON is that of the ledger on the control path, and the same whatever API is served;
// each API's own JSON is in its handler.
type Session struct {
	ID                     string             `json:"sessionId"` // a UUID
	ClientID               string             `json:"clientId"`  // the OAuth client it belongs to; no other sees it
	Device                 Device             `json:"device"`
	DevicePorts            *Ports             `json:"devicePorts,omitempty"` // nil: all
	ApplicationServer      *ApplicationServer `json:"applicationServer,omitempty"`
	ApplicationServerPorts *Ports             `json:"applicationServerPorts,omitempty"` // nil: all
	QoSProfile             string             `json:"qosProfile"`
	Status                 string             `json:"qosStatus"`
	Duration               int                `json:"duration"` // seconds, with extensions
	CreatedAt              time.Time          `json:"createdAt"`
	// StartedAt and ExpiresAt are zero while REQUESTED: billing starts when the session becomes
	// AVAILABLE.
	StartedAt time.Time `json:"startedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// EndedAt and EndReason are set once the session has ended: as a rule it is then gone, but one
	// that the network ended stays for a while.
	EndedAt               time.Time `json:"endedAt,omitzero"`
	EndReason             string    `json:"statusInfo,omitempty"` // such as DURATION_EXPIRED
	NotificationURL       string    `json:"notificationUrl,omitempty"`
	NotificationAuthToken string    `json:"-"` // a secret
	// NotificationsUntil is when that token expires, after which nothing is sent. Zero: never.
	NotificationsUntil time.Time `json:"notificationsUntil,omitzero"`
	// DeviceOfToken says that the device was not in the request, but the one that the access token
	// is bound to. CAMARA's answers do not show it then.
	DeviceOfToken bool `json:"deviceOfToken,omitempty"`
}

// Device is a mobile line, named by at least one identifier.
type Device struct {
	PhoneNumber             string       `json:"phoneNumber,omitempty"`
	NetworkAccessIdentifier string       `json:"networkAccessIdentifier,omitempty"`
	IPv4Address             *IPv4Address `json:"ipv4Address,omitempty"`
	IPv6Address             string       `json:"ipv6Address,omitempty"`
}

// IPv4Address is a public address and, for devices behind the same NAT, the port or the private
// address that tells them apart.
type IPv4Address struct {
	PublicAddress  string `json:"publicAddress,omitempty"`
	PrivateAddress string `json:"privateAddress,omitempty"`
	PublicPort     *int   `json:"publicPort,omitempty"`
}

// ApplicationServer is the other end of the flow: addresses or, in CIDR notation, networks.
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

// eachIdentifier calls f with the name and the value of every identifier of the device. A
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
// line.
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
	samePort := a.PublicPort == nil || b.PublicPort == nil || *a.PublicPort == *b.PublicPort
	return samePort && (a.PrivateAddress == "" || b.PrivateAddress == "" || sameAddress(a.PrivateAddress, b.PrivateAddress))
}

// sameAddress compares addresses in any notation: 2001:DB8:0::1 equals 2001:db8::1. Not every API
// document sets a format, so other texts are compared as they are.
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
	s.DevicePorts, s.ApplicationServerPorts = s.DevicePorts.clone(), s.ApplicationServerPorts.clone()
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
