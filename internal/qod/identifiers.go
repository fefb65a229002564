package qod

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// comparison is what two values of one kind of identifier say of their devices.
type comparison int

const (
	inconclusive comparison = iota // one is missing, or is no whole value of its kind
	equal
	different
)

// agreement counts the kinds of identifiers in which the two are equal, and in which they certainly
// are not. An answer that contradicts is taken for somebody else's session, so what is masked, cut
// short or not understood counts as neither.
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

// wholePhone is a number with its country code, blanks and punctuation taken out.
var wholePhone = regexp.MustCompile(`(?i)\A(?:tel:|msisdn[:=]?)?(?:\+|00)?([1-9][0-9]{4,14})\z`)

// parentheses go, and with them what they hold of +34 (0) 600: a zero for callers within the country.
var parentheses = strings.NewReplacer("(0)", "", "(", "", ")", "")

// phoneDigits are the digits of a phone number from its country code on, however it is spelled:
// +34 600 100 001, 0034600100001, (+34) 600-100-001, tel:+34600100001. Empty for what is no whole
// number, as one that is masked or that has a national prefix.
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

// comparePhones compares digits. One number may be the other without its country code, which some
// networks leave out.
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

// foldName is a network access identifier in one spelling; empty for one that is masked.
func foldName(s string) string {
	if strings.ContainsAny(s, "*…•") || strings.Contains(s, "..") {
		return ""
	}
	return strings.ToLower(strings.ToUpper(strings.TrimSpace(s))) // both, or ſ and s stay two letters
}

// wholeName has the two parts of RFC 7542.
var wholeName = regexp.MustCompile(`\A[^@\s]+@[^@\s]+\z`)

// compareNames compares folded names. One without a realm may be short for one with it.
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

// endpoint is an address with the port that tells its device from others behind the same address,
// where there is one.
type endpoint struct {
	address netip.Addr
	port    *int64
}

// addresses are the device's addresses of one family, wherever they are told. What is no address, or
// stands for none (0.0.0.0 and ::), is left out.
func (d Device) addresses(family func(netip.Addr) bool) []endpoint {
	var found []endpoint
	add := func(spelled string, port *int64) {
		address, err := netip.ParseAddr(strings.TrimSpace(spelled))
		address = address.Unmap()
		if err == nil && !address.IsUnspecified() && address.Zone() == "" && family(address) {
			found = append(found, endpoint{address, port})
		}
	}
	if v4 := d.IPv4Address; v4 != nil {
		add(v4.PublicAddress, v4.PublicPort)
	}
	add(d.IPv6Address, nil)
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

// mayBe reports whether the two are one endpoint as far as they say.
func (e endpoint) mayBe(other endpoint) bool {
	return e.address == other.address && (e.port == nil || other.port == nil || *e.port == *other.port)
}

// portMark stands between an address and its port. No other identifier has a blank in it.
const portMark = " port "

func (e endpoint) String() string {
	if e.port == nil {
		return "ip:" + e.address.String()
	}
	return "ip:" + e.address.String() + portMark + strconv.FormatInt(*e.port, 10)
}

// identifiers are the device's identifiers in one spelling each, sorted: what the API compares
// when it answers 409. What agreement finds inconclusive in itself is not among them.
func (d Device) identifiers() []string {
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
