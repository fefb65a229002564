package qod

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// comparison is what two identifiers of the same kind say about their devices.
type comparison int

const (
	inconclusive comparison = iota // one is missing, or is no whole value of its kind
	equal
	different
)

// agreement counts the kinds of identifiers in which the two are equal, and in which they certainly
// differ. A difference makes a session somebody else's, so an identifier that is masked, truncated
// or not understood counts as neither.
func (d Device) agreement(shown Device) (equals, differences int) {
	for _, c := range []comparison{
		comparePhones(phoneDigits(d.PhoneNumber), phoneDigits(shown.PhoneNumber)),
		compareNames(foldName(d.NetworkAccessIdentifier), foldName(shown.NetworkAccessIdentifier)),
		compareAddresses(d.addresses(netip.Addr.Is4), shown.addresses(netip.Addr.Is4)),
		compareAddresses(d.addresses(netip.Addr.Is6), shown.addresses(netip.Addr.Is6)),
	} {
		switch c {
		case equal:
			equals++
		case different:
			differences++
		case inconclusive:
		}
	}
	return equals, differences
}

// wholePhone matches a number with its country code, without spaces and punctuation.
var wholePhone = regexp.MustCompile(`(?i)\A(?:tel:|msisdn[:=]?)?(?:\+|00)?([1-9][0-9]{4,14})\z`)

// parentheses go, and with them what they hold of +34 (0) 600: a zero for callers within the
// country.
var parentheses = strings.NewReplacer("(0)", "", "(", "", ")", "")

// phoneDigits are the digits of a phone number, starting with its country code, however it is
// spelled: +34 600 100 001, 0034600100001, (+34) 600-100-001, tel:+34600100001. They are empty for
// an incomplete number, such as one that is masked or has a national prefix.
func phoneDigits(s string) string {
	s = parentheses.Replace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '−' || r == '.' {
			return -1
		}
		return r
	}, s))
	m := wholePhone.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	return m[1]
}

// comparePhones compares the digits of two numbers. Some networks leave out the country code, so
// the end of the other number is inconclusive.
func comparePhones(a, b string) comparison {
	switch {
	case a == "" || b == "":
		return inconclusive
	case a == b:
		return equal
	case strings.HasSuffix(a, b) || strings.HasSuffix(b, a):
		return inconclusive
	}
	return different
}

// foldName normalises a network access identifier; it is empty for one that is masked.
func foldName(s string) string {
	if strings.ContainsAny(s, "*…•") || strings.Contains(s, "..") {
		return ""
	}
	return strings.ToLower(strings.ToUpper(strings.TrimSpace(s))) // both, or ſ and s stay two letters
}

// wholeName matches a network access identifier with both parts of RFC 7542.
var wholeName = regexp.MustCompile(`\A[^@\s]+@[^@\s]+\z`)

// compareNames compares normalised names. One without a realm may be short for one with it.
func compareNames(a, b string) comparison {
	switch {
	case a == "" || b == "":
		return inconclusive
	case a == b:
		return equal
	case wholeName.MatchString(a) && wholeName.MatchString(b):
		return different
	}
	return inconclusive
}

// endpoint is an address, with the port and the private address that distinguish its device from
// others behind the same address, where there are such.
type endpoint struct {
	address netip.Addr
	port    *int64
	private netip.Addr // invalid for none
}

// addresses are the device's addresses of one family, in whichever field they are. Anything that is
// not an address, and the unspecified addresses 0.0.0.0 and ::, are left out.
func (d Device) addresses(family func(netip.Addr) bool) []endpoint {
	var found []endpoint
	add := func(spelled string, port *int64, private netip.Addr) {
		address, err := netip.ParseAddr(strings.TrimSpace(spelled))
		address = address.Unmap()
		if err == nil && !address.IsUnspecified() && address.Zone() == "" && family(address) {
			found = append(found, endpoint{address, port, private})
		}
	}
	if v4 := d.IPv4Address; v4 != nil {
		private, _ := netip.ParseAddr(strings.TrimSpace(v4.PrivateAddress))
		add(v4.PublicAddress, v4.PublicPort, private.Unmap())
	}
	add(d.IPv6Address, nil, netip.Addr{})
	return found
}

func compareAddresses(a, b []endpoint) comparison {
	if len(a) == 0 || len(b) == 0 {
		return inconclusive
	}
	for _, x := range a {
		if slices.ContainsFunc(b, x.mayBe) {
			return equal
		}
	}
	return different
}

// mayBe reports whether the two may be the same endpoint.
func (e endpoint) mayBe(other endpoint) bool {
	return e.address == other.address && (e.port == nil || other.port == nil || *e.port == *other.port) &&
		(!e.private.IsValid() || !other.private.IsValid() || e.private == other.private)
}

// behindMark separates an address from what distinguishes the devices behind it. No other
// identifier contains a space.
const behindMark = " "

func (e endpoint) String() string {
	text := "ip:" + e.address.String()
	if e.port != nil {
		text += behindMark + "port " + strconv.FormatInt(*e.port, 10)
	}
	if e.private.IsValid() {
		text += behindMark + "private " + e.private.String()
	}
	return text
}

// Identifiers are the device's identifiers, normalised and sorted: what the API compares when it
// answers with a 409. Those that agreement finds inconclusive by themselves are not among them.
func (d Device) Identifiers() []string {
	var ids []string
	if digits := phoneDigits(d.PhoneNumber); digits != "" {
		ids = append(ids, "tel:"+digits)
	}
	if name := foldName(d.NetworkAccessIdentifier); name != "" {
		ids = append(ids, "nai:"+name)
	}
	for _, e := range d.addresses(netip.Addr.IsValid) {
		ids = append(ids, e.String())
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
