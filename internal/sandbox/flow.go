package sandbox

import (
	"net/netip"
	"slices"
)

// A flow is the traffic between ports of a device and ports of an application server. On a network
// that tells flows apart, each can have a session of its own.

// Ports are single ports and ranges of them.
type Ports struct {
	Ports  []int       `json:"ports,omitempty"`
	Ranges []PortRange `json:"ranges,omitempty"`
}

// PortRange is a range of ports that includes both ends.
type PortRange struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// sameDevice is the conflict of a network that holds one session per device.
func sameDevice(a, b *Session) bool { return a.Device.sharesIdentifier(b.Device) }

// sameFlow is the conflict of a network that holds one session per flow.
func sameFlow(a, b *Session) bool {
	return sameDevice(a, b) && a.ApplicationServer.overlaps(b.ApplicationServer) &&
		a.DevicePorts.overlap(b.DevicePorts) && a.ApplicationServerPorts.overlap(b.ApplicationServerPorts)
}

// overlaps reports whether some address belongs to both servers. nil has all addresses.
func (a *ApplicationServer) overlaps(b *ApplicationServer) bool {
	return a == nil || b == nil ||
		addressesOverlap(a.IPv4Address, b.IPv4Address) || addressesOverlap(a.IPv6Address, b.IPv6Address)
}

func addressesOverlap(a, b string) bool {
	x, errA := parseNetwork(a)
	y, errB := parseNetwork(b)
	if errA != nil || errB != nil {
		return a != "" && a == b
	}
	return x.Overlaps(y)
}

// parseNetwork parses CIDR notation, or an address as the network of itself.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// overlap reports whether some port belongs to both. nil has all ports.
func (p *Ports) overlap(q *Ports) bool {
	return p == nil || q == nil || slices.ContainsFunc(p.ranges(), func(a PortRange) bool {
		return slices.ContainsFunc(q.ranges(), func(b PortRange) bool { return a.From <= b.To && b.From <= a.To })
	})
}

func (p *Ports) ranges() []PortRange {
	all := slices.Clone(p.Ranges)
	for _, port := range p.Ports {
		all = append(all, PortRange{port, port})
	}
	return all
}

func (p *Ports) clone() *Ports {
	if p == nil {
		return nil
	}
	return &Ports{slices.Clone(p.Ports), slices.Clone(p.Ranges)}
}
