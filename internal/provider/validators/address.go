package validators

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// The addresses of a device are personal, those of a server are not.
var (
	DeviceIPv4 = address(addressKind{family: 4, personal: true})
	// PrivateIPv4 is the address that the network gave a device.
	PrivateIPv4 = address(addressKind{family: 4, personal: true, private: true})
	DeviceIPv6  = address(addressKind{family: 6, personal: true})
	ServerIPv4  = address(addressKind{family: 4, block: true})
	ServerIPv6  = address(addressKind{family: 6, block: true})
)

type addressKind struct {
	family   int
	block    bool // a CIDR block is allowed, too
	personal bool // it is that of a device
	private  bool // it is that of a device within its network
}

// address validates an IP address of one family, or a CIDR block where blocks are allowed.
func address(kind addressKind) StringCheck {
	single, block := `"198.51.100.10"`, `"198.51.100.0/24"`
	if kind.family == 6 {
		single, block = `"2001:db8::10"`, `"2001:db8::/32"`
	}
	check := StringCheck{allowed: fmt.Sprintf("must be an IPv%d address, as in %s", kind.family, single), check: kind.check}
	if kind.block {
		check.allowed = fmt.Sprintf("must be an IPv%d address or CIDR block, as in %s or %s", kind.family, single, block)
	}
	if kind.personal {
		check.shown = Masked
	}
	return check
}

func (k addressKind) check(s string) (bool, string) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		prefix, err := netip.ParsePrefix(s)
		switch {
		case err != nil:
			return false, k.unreadable(s)
		case !k.block:
			return false, "It is a CIDR block, which is not the address of one device."
		}
		addr = prefix.Addr()
	}
	switch {
	case addr.Is4In6():
		return false, "It is an IPv4-mapped address: write the IPv4 address alone, in ipv4_address."
	case addr.Is4() != (k.family == 4):
		return false, fmt.Sprintf("It is an IPv%d address: write it in ipv%d_address.", 10-k.family, 10-k.family)
	case addr.Zone() != "":
		return false, "Leave out the zone (%…), which means something on one machine only."
	}
	if kind := notPublic(addr); kind != "" && k.family == 4 && k.personal && !k.private {
		return false, "It is " + kind + ": write the address that the internet sees, and the port in public_port."
	}
	return true, ""
}

var carrierGradeNAT = netip.MustParsePrefix("100.64.0.0/10")

// notPublic says of what kind an address is that nobody outside its network can know a device by.
// Those of documentation count as public: examples have them.
func notPublic(addr netip.Addr) string {
	switch {
	case addr.IsPrivate():
		return "a private address (RFC 1918), which only the device's own network knows"
	case carrierGradeNAT.Contains(addr):
		return "an address behind carrier-grade NAT (RFC 6598), which only the operator's network knows"
	case addr.IsLoopback():
		return "a loopback address"
	case addr.IsLinkLocalUnicast():
		return "a link-local address, which a device gives itself where there is no network"
	case addr.IsUnspecified():
		return "the unspecified address, which no device has"
	}
	return ""
}

var (
	leadingZero = regexp.MustCompile(`(?:\A|\.)0[0-9]`)
	dotted      = regexp.MustCompile(`\A[0-9]+(?:\.[0-9]+)*\z`)
	blockMask   = regexp.MustCompile(`/[0-9]+\.[0-9.]+\z`)
	blockLength = regexp.MustCompile(`/[0-9]*\z`)
	addresses   = regexp.MustCompile(`\A[0-9.]+\s*-\s*[0-9.]+\z`)
	hostName    = regexp.MustCompile(`\A(?:[0-9A-Za-z_-]+\.)*[A-Za-z][0-9A-Za-z-]*\.?(?::[0-9]+)?\z`)
)

// unreadable says what is wrong with what is neither an address nor a block.
func (k addressKind) unreadable(s string) string {
	_, notWithPort := netip.ParseAddrPort(s)
	_, notInBrackets := netip.ParseAddr(strings.Trim(s, "[]"))
	switch {
	case s == "" && k.family == 4 && k.personal:
		return "It is empty: leave out ipv4_address, or set it to null."
	case s == "":
		return isEmpty
	case addresses.MatchString(s):
		return "It is a range: write it as a CIDR block."
	case Mistyped(s) != "":
		return Mistyped(s)
	case notWithPort == nil && k.family == 4 && k.personal:
		return "It has a port: write the port in public_port."
	case notWithPort == nil:
		return "It has a port: leave it out."
	case strings.Contains(s, "://"):
		return "It is a URL: write the address alone."
	case strings.HasPrefix(s, "[") && notInBrackets == nil:
		return "Leave out the brackets."
	case blockMask.MatchString(s) && k.block:
		return "It has a mask: write how many bits the mask has, as in /24."
	case leadingZero.MatchString(s):
		return "Leave out leading zeros, which some programs read as octal."
	case blockLength.MatchString(s) && k.block:
		return fmt.Sprintf("What is behind the slash goes from 0 to %d.", map[int]int{4: 32, 6: 128}[k.family])
	case dotted.MatchString(s) && k.family == 4:
		return "It has to be four numbers from 0 to 255 with dots between them."
	case hostName.MatchString(s):
		return "It looks like a host name, which is not looked up: write the address that it stands for."
	}
	return ""
}
