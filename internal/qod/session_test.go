// Two devices match as far as can be told: they share an identifier and contradict each other in
// none, however each is spelled.
package qod_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
)

func v4(address string, port ...int64) *qod.IPv4Address {
	a := &qod.IPv4Address{PublicAddress: address}
	if len(port) > 0 {
		a.PublicPort = &port[0]
	}
	return a
}

// describeComparison is the result of compare as text: a match, a contradiction or neither.
func describeComparison(a, b qod.Device) string {
	matches, contradicts := a.Compare(b)
	switch {
	case matches:
		return "match"
	case contradicts:
		return "contradiction"
	}
	return "nothing"
}

func TestDeviceCompare(t *testing.T) {
	t.Parallel()
	const match, contradiction, nothing = "match", "contradiction", "nothing"
	number := func(s string) qod.Device { return qod.Device{PhoneNumber: s} }
	name := func(s string) qod.Device { return qod.Device{NetworkAccessIdentifier: s} }
	v6 := func(s string) qod.Device { return qod.Device{IPv6Address: s} }
	at := func(address string, port ...int64) qod.Device { return qod.Device{IPv4Address: v4(address, port...)} }
	behind := func(private string, port ...int64) qod.Device {
		d := at("203.0.113.7", port...)
		d.IPv4Address.PrivateAddress = private
		return d
	}
	for what, test := range map[string]struct {
		a, b qod.Device
		want string
	}{
		"the same private address":       {behind("10.0.0.1"), behind("10.0.0.1"), match},
		"another private address":        {behind("10.0.0.1"), behind("10.0.0.2"), contradiction},
		"no private address shown":       {behind("10.0.0.1"), behind(""), match},
		"a private address and a port":   {behind("10.0.0.1"), behind("", 80), match},
		"one private address, two ports": {behind("10.0.0.1", 80), behind("10.0.0.1", 81), contradiction},

		"nothing at all":    {qod.Device{}, qod.Device{}, nothing},
		"nothing shown":     {number(qodtest.Phone), qod.Device{}, nothing},
		"nothing in common": {number(qodtest.Phone), v6("2001:db8::1"), nothing},

		"the same number":        {number(qodtest.Phone), number(qodtest.Phone), match},
		"without the plus":       {number(qodtest.Phone), number("34600000001"), match},
		"with 00":                {number(qodtest.Phone), number("0034600000001"), match},
		"in groups":              {number(qodtest.Phone), number("+34 600 000 001"), match},
		"with dashes":            {number(qodtest.Phone), number("34-600-000-001"), match},
		"with other dashes":      {number(qodtest.Phone), number("34‑600–000−001"), match},
		"with dots":              {number(qodtest.Phone), number("+34.600.00.00.01"), match},
		"with no-break spaces":   {number(qodtest.Phone), number("+34\u00a0600\u202f000\u00a0001"), match},
		"with parentheses":       {number(qodtest.Phone), number("(+34) 600000001"), match},
		"with a trunk prefix":    {number(qodtest.Phone), number("+34 (0) 600 000 001"), match},
		"as a URI":               {number(qodtest.Phone), number("tel:+34-600-000-001"), match},
		"as an MSISDN":           {number(qodtest.Phone), number("MSISDN:34600000001"), match},
		"another number":         {number(qodtest.Phone), number(qodtest.Phone + "1"), contradiction},
		"another, without plus":  {number(qodtest.Phone), number("34600000002"), contradiction},
		"another, as a URI":      {number(qodtest.Phone), number("tel:+34600000002"), contradiction},
		"a national number":      {number(qodtest.Phone), number("600000001"), nothing},
		"another national one":   {number(qodtest.Phone), number("600000002"), contradiction},
		"masked":                 {number(qodtest.Phone), number("+34600****02"), nothing},
		"masked with x":          {number(qodtest.Phone), number("+34600xxxx02"), nothing},
		"the last digits":        {number(qodtest.Phone), number("…02"), nothing},
		"masked alike":           {number("+34600****01"), number("+34600****01"), nothing},
		"with a trunk zero":      {number(qodtest.Phone), number("0600000002"), nothing},
		"with an extension":      {number(qodtest.Phone), number(qodtest.Phone + ";ext=1"), nothing},
		"too long":               {number(qodtest.Phone), number("+3460000000112345"), nothing},
		"no number":              {number(qodtest.Phone), number("unknown"), nothing},
		"a hash of it":           {number(qodtest.Phone), number("3b4c1d9e"), nothing},
		"masked, another shared": {qod.Device{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::1"}, qod.Device{PhoneNumber: "****02", IPv6Address: "2001:db8::1"}, match},

		"the same name":       {name("A@b"), name("a@B"), match},
		"another name":        {name("a@b"), name("c@b"), contradiction},
		"another realm":       {name("a@b"), name("a@c"), contradiction},
		"without the realm":   {name("a@b"), name("a"), nothing},
		"another word":        {name("a@b"), name("camera-7"), nothing},
		"a word as asked for": {name("camera-7"), name("Camera-7"), match},
		"two words":           {name("camera-7"), name("camera-8"), nothing},
		"a masked name":       {name("ab@c.d"), name("a***@c.d"), nothing},
		"a shortened name":    {name("abc@c.d"), name("a...@c.d"), nothing},
		"masked names alike":  {name("a***@c.d"), name("a***@c.d"), nothing},

		"IPv6 respelled":      {v6("2001:DB8:0::1"), v6("2001:db8::0001"), match},
		"another IPv6":        {v6("2001:db8::1"), v6("2001:db8::2"), contradiction},
		"no address":          {v6("2001:db8::1"), v6("2001:db8::****"), nothing},
		"no addresses":        {v6("here"), v6("here"), nothing},
		"a block":             {v6("2001:db8::1"), v6("2001:db9::/32"), nothing},
		"with a zone":         {v6("fe80::1"), v6("fe80::2%eth0"), nothing},
		"no IPv6 yet":         {v6("2001:db8::1"), v6("::"), nothing},
		"IPv4":                {at("203.0.113.7"), at("203.0.113.7"), match},
		"IPv4 mapped":         {at("203.0.113.7"), at("::ffff:203.0.113.7"), match},
		"IPv4 as IPv6":        {at("203.0.113.7"), v6("::ffff:203.0.113.7"), match},
		"IPv4 as IPv6, other": {qod.Device{IPv4Address: v4("203.0.113.7"), IPv6Address: "2001:db8::1"}, v6("::ffff:203.0.113.7"), match},
		"another IPv4":        {at("203.0.113.7"), at("203.0.113.8"), contradiction},
		"a masked IPv4":       {at("203.0.113.7"), at("203.0.113.x"), nothing},
		"no IPv4 yet":         {at("203.0.113.7"), at("0.0.0.0"), nothing},
		"the same port":       {at("203.0.113.7", 80), at("203.0.113.7", 80), match},
		"another port":        {at("203.0.113.7", 80), at("203.0.113.7", 81), contradiction},
		"no port shown":       {at("203.0.113.7", 80), at("203.0.113.7"), match},

		"one in common":              {qod.Device{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::1"}, qod.Device{PhoneNumber: qodtest.Phone, NetworkAccessIdentifier: "a"}, match},
		"one in common, one against": {qod.Device{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::1"}, qod.Device{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::2"}, contradiction},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			qodtest.Equal(t, "it says", describeComparison(test.a, test.b), test.want)
			qodtest.Equal(t, "the other way round", describeComparison(test.b, test.a), test.want)
			qodtest.Equal(t, "matches", test.a.Matches(test.b), test.want == match)
		})
	}
}

func TestSameAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"x", "x", true}, {"x", "X", false}, {"203.0.113.7", "203.0.113.7", true}, {"203.0.113.7", "203.0.113.007", false},
		{"2001:DB8::/32", "2001:db8:0::/32", true}, {"10.1.2.3/8", "10.0.0.0/8", true}, {"10.0.0.0/8", "10.0.0.0/9", false},
		{"10.0.0.1", "10.0.0.1/32", false}, {"::ffff:10.0.0.1", "10.0.0.1", true}, {"fe80::1%eth0", "fe80::1", false},
	} {
		qodtest.Equal(t, test.a+" and "+test.b, qod.SameAddress(test.a, test.b), test.want)
		qodtest.Equal(t, test.b+" and "+test.a, qod.SameAddress(test.b, test.a), test.want)
	}
}

// deviceOf makes a device; an empty string or a negative port leaves the field out.
func deviceOf(number, name, address4, address6 string, port int64) qod.Device {
	d := qod.Device{PhoneNumber: number, NetworkAccessIdentifier: name, IPv6Address: address6}
	if address4 != "" {
		if d.IPv4Address = v4(address4); port >= 0 {
			d.IPv4Address.PublicPort = &port
		}
	}
	return d
}

// The comparison is symmetric, and independent of spelling. The lists of identifiers, which locks
// and conflicts go by, agree with it, and an additional identifier does not change a match.
func FuzzDeviceMatches(f *testing.F) {
	f.Add(qodtest.Phone, "a@b", "203.0.113.7", "2001:db8::1", int64(80), qodtest.Phone[1:], "A@B", "::ffff:203.0.113.7", "2001:DB8:0::1", int64(-1))
	f.Add(qodtest.Phone, "", "", "", int64(0), "", "a@b", "", "", int64(0))
	f.Add("+1", "", "", "::1", int64(0), "1", "", "", "::2", int64(0))
	f.Add("", "ſ@K", "10.0.0.1", "", int64(1), "", "S@k", "10.0.0.1", "", int64(2))
	f.Add("+", "", "", "", int64(0), "++", "", "", "", int64(0))
	f.Add("tel:+34 600 000 001", "a***@b", "0.0.0.0", "::ffff:10.0.0.1", int64(-1), "600000001", "a***@b", "10.0.0.1", "fe80::1%x", int64(7))
	f.Fuzz(func(t *testing.T, n1, i1, a1, x1 string, p1 int64, n2, i2, a2, x2 string, p2 int64) {
		a, b := deviceOf(n1, i1, a1, x1, p1), deviceOf(n2, i2, a2, x2, p2)
		verdict := describeComparison(a, b)
		if verdict != describeComparison(b, a) || a.Overlaps(b) != b.Overlaps(a) || a.Shares(b) != b.Shares(a) {
			t.Error("it depends on who asks")
		}
		for _, d := range []qod.Device{a, b} {
			if itself := describeComparison(d, d); itself == "contradiction" || (itself == "match") != (len(d.Identifiers()) > 0) {
				t.Errorf("to itself it says %s, with %d identifiers", itself, len(d.Identifiers()))
			}
		}
		if a.Shares(b) && !a.Overlaps(b) {
			t.Error("they share an identifier in which they do not agree")
		}
		if a.Overlaps(b) && !haveLockInCommon(a, b) {
			t.Error("they agree, and nothing keeps two creates apart")
		}
		if verdict == "match" && !a.Overlaps(b) {
			t.Error("a match without anything in common")
		}
		// However a complete number is spelled, it is that number and no other.
		if phonePattern.MatchString(n1) {
			digits := n1[1:]
			for _, spelled := range []string{digits, "00" + digits, "tel:" + n1, "msisdn" + digits, "(" + n1 + ")", strings.Join(strings.Split(digits, ""), " "), "+" + strings.Join(strings.Split(digits, ""), "-.")} {
				if got := describeComparison(qod.Device{PhoneNumber: n1}, qod.Device{PhoneNumber: spelled}); got != "match" {
					t.Errorf("%s and %s: %s", n1, spelled, got)
				}
			}
			other := b
			other.PhoneNumber = n1[:len(n1)-1] + string('0'+(n1[len(n1)-1]-'0'+1)%10)
			if describeComparison(a, other) != "contradiction" {
				t.Error("a contradiction in the number does not count")
			}
			for _, masked := range []string{n1[:4] + "****", "…" + n1[len(n1)-2:], "*" + n1[2:], n1 + "x"} {
				if got := describeComparison(qod.Device{PhoneNumber: n1}, qod.Device{PhoneNumber: masked}); got != "nothing" {
					t.Errorf("%s and %s: %s", n1, masked, got)
				}
			}
			if !a.Matches(qod.Device{PhoneNumber: n1}) {
				t.Error("fewer identifiers are another device")
			}
		}
		if a.IPv4Address != nil && a.IPv4Address.PublicPort != nil && a.Matches(qod.Device{IPv4Address: v4(a1)}) && a.IPv6Address == "" {
			other := a
			other.IPv4Address = v4(a1, *a.IPv4Address.PublicPort^1)
			if describeComparison(a, other) != "contradiction" {
				t.Error("a contradiction in the port does not count")
			}
		}
		// No text about the device shows it.
		for _, text := range []string{n1, i1, x1} {
			if len([]rune(text)) > 30 && strings.Contains(fmt.Sprintf("%v %+v", a, &a), text) {
				t.Errorf("it shows %q", text)
			}
		}
	})
}

var phonePattern = regexp.MustCompile(`\A\+[1-9][0-9]{4,14}\z`)

// haveLockInCommon reports whether a create for one device blocks a create for the other: they lock
// the same identifier, or one locks the address and the other a port of it.
func haveLockInCommon(a, b qod.Device) bool {
	locks := func(d qod.Device) (ids []string) {
		for _, id := range d.Identifiers() {
			address, _, _ := strings.Cut(id, " port ")
			ids = append(ids, id, address)
		}
		return ids
	}
	theirs := locks(b)
	return slices.ContainsFunc(locks(a), func(id string) bool { return slices.Contains(theirs, id) })
}

func TestSessionString(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 13, 0, 0, 0, time.FixedZone("", 3600))
	for want, s := range map[string]qod.Session{
		qodtest.SessionID + " (QOS_E, AVAILABLE, until 2026-11-22T12:00:00Z)": {ID: qodtest.SessionID, QoSProfile: "QOS_E", Status: qod.StatusAvailable, ExpiresAt: at, Device: qodtest.Spec().Device},
		qodtest.SessionID + " (unknown, unknown)":                             {ID: qodtest.SessionID},
	} {
		qodtest.Equal(t, "String", s.String(), want)
		qodtest.Equal(t, "%+v", fmt.Sprintf("%+v", s), want)
	}
	d := qod.Device{PhoneNumber: qodtest.Phone, NetworkAccessIdentifier: "line@example.com", IPv4Address: v4("203.0.113.7", 80), IPv6Address: "2001:db8::1"}
	qodtest.Equal(t, "device", d.String(), "phone_number …01, network_access_identifier …om, ipv4_address ….7, ipv6_address …:1")
	qodtest.Equal(t, "no device", qod.Device{}.String(), "no device shown")
	qodtest.Equal(t, "spec", fmt.Sprintf("%+v", qodtest.Spec()), "QOS_E for phone_number …01")
}
