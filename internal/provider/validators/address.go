package validators

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

var leadingZero = regexp.MustCompile(`(?:\A|\.)0[0-9]`)

// The addresses of a device are personal, those of a server are not.
var (
	DeviceIPv4 = address(4, false, true)
	DeviceIPv6 = address(6, false, true)
	ServerIPv4 = address(4, true, false)
	ServerIPv6 = address(6, true, false)
)

// address validates an IP address of one family, or a CIDR block where blocks are allowed.
func address(family int, block, personal bool) StringCheck {
	example := map[int]string{4: "198.51.100.10", 6: "2001:db8::10"}[family]
	allowed := fmt.Sprintf("must be an IPv%d address, as in %q", family, example)
	if block {
		allowed = fmt.Sprintf("must be an IPv%d address or CIDR block, as in %q or %q", family, example, map[int]string{4: "198.51.100.0/24", 6: "2001:db8::/32"}[family])
	}
	shown := Quoted
	if personal {
		shown = Masked
	}
	return StringCheck{
		description: strings.Replace(allowed, "must", "value must", 1),
		shown:       shown,
		problem: func(s string) string {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				prefix, prefixErr := netip.ParsePrefix(s)
				switch {
				case prefixErr != nil && leadingZero.MatchString(s):
					return allowed + "; leave out leading zeros, which some programs read as octal"
				case prefixErr != nil:
					return allowed
				case !block:
					return allowed + "; a CIDR block is not the address of one device"
				}
				addr = prefix.Addr()
			}
			switch {
			case addr.Is4In6():
				return allowed + "; write an IPv4-mapped address as the IPv4 address it stands for, in ipv4_address"
			case addr.Is4() != (family == 4):
				return fmt.Sprintf("%s; an IPv%d address belongs in ipv%d_address", allowed, 10-family, 10-family)
			case addr.Zone() != "":
				return allowed + "; leave out the zone, which means something on one machine only"
			}
			return ""
		},
	}
}
