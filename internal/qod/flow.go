package qod

import (
	"net/netip"
	"slices"
	"strings"
)

// flow is the traffic that a session is for, as far as it is known. Some APIs allow one session for
// each flow, others one for each device; see dialect.collide.
type flow struct {
	device      Device
	server      *ApplicationServer
	devicePorts *Ports
	serverPorts *Ports
}

func (s Spec) flow() flow {
	return flow{s.Device, s.ApplicationServer, s.DevicePorts, s.ApplicationServerPorts}
}

func (s Session) flow() flow {
	return flow{s.Device, s.ApplicationServer, s.DevicePorts, s.ApplicationServerPorts}
}

// Collide reports whether the API may refuse a session for one Spec because of one for the other:
// they are for the same device or, where a device can have a session for each flow, for overlapping
// ones. It makes no request.
func (c *Client) Collide(a, b Spec) bool { return c.dialect.collide(a.flow(), b.flow()) }

// CollideFor is Client.Collide of a supported API, for when no client can be configured yet.
func CollideFor(api API, a, b Spec) bool {
	speaks, supported := dialectOf(api)
	return supported && speaks.collide(a.flow(), b.flow())
}

// overlaps reports whether some traffic may belong to both flows. What is not known counts as all
// of it.
func (f flow) overlaps(other flow) bool {
	return f.device.overlaps(other.device) && f.server.overlaps(other.server) &&
		f.devicePorts.overlap(other.devicePorts) && f.serverPorts.overlap(other.serverPorts)
}

// Ports are TCP or UDP ports.
type Ports struct {
	Ports  []int64
	Ranges []PortRange
}

// PortRange is a range of ports that includes both ends.
type PortRange struct{ From, To int64 }

// overlap reports whether some port belongs to both. nil has all ports.
func (p *Ports) overlap(other *Ports) bool {
	return p == nil || other == nil || slices.ContainsFunc(p.all(), func(a PortRange) bool {
		return slices.ContainsFunc(other.all(), func(b PortRange) bool { return a.From <= b.To && b.From <= a.To })
	})
}

// Equal reports whether both name the same ports and ranges, in any order. nil equals nil only.
func (p *Ports) Equal(other *Ports) bool {
	if p == nil || other == nil {
		return p == other
	}
	same := func(a, b []PortRange) bool {
		return !slices.ContainsFunc(a, func(r PortRange) bool { return !slices.Contains(b, r) })
	}
	return same(p.all(), other.all()) && same(other.all(), p.all())
}

// all are the ports as ranges.
func (p *Ports) all() []PortRange {
	ranges := slices.Clone(p.Ranges)
	for _, port := range p.Ports {
		ranges = append(ranges, PortRange{port, port})
	}
	return ranges
}

// overlaps reports whether some address may belong to both servers.
func (a *ApplicationServer) overlaps(other *ApplicationServer) bool {
	mine, theirs := a.blocks(), other.blocks()
	return len(mine) == 0 || len(theirs) == 0 || slices.ContainsFunc(mine, func(block netip.Prefix) bool {
		return slices.ContainsFunc(theirs, block.Overlaps)
	})
}

// blocks are the server's addresses as CIDR blocks, in whichever field they are; none where they
// are not all known, as of one that is masked. The unspecified addresses 0.0.0.0 and :: are left
// out.
func (a *ApplicationServer) blocks() []netip.Prefix {
	if a == nil {
		return nil
	}
	var blocks []netip.Prefix
	for _, text := range []string{a.IPv4Address, a.IPv6Address} {
		switch block, err := parseCIDR(strings.TrimSpace(text)); {
		case text == "", err == nil && block.IsSingleIP() && block.Addr().IsUnspecified():
		case err != nil:
			return nil
		default:
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// parseCIDR parses CIDR notation, or an address as the block of itself. One of IPv4 that is mapped
// to IPv6 is one of IPv4.
func parseCIDR(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	block, err := netip.ParsePrefix(text)
	if mapped := 128 - 32; err == nil && block.Addr().Is4In6() && block.Bits() >= mapped {
		block = netip.PrefixFrom(block.Addr().Unmap(), block.Bits()-mapped)
	}
	return block, err
}
