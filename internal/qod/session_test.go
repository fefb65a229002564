// Two devices are one as far as two descriptions can tell: they share something and contradict
// each other in nothing, however each is spelled.
package qod_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func v4(address string, port ...int64) *qod.IPv4Address {
	a := &qod.IPv4Address{PublicAddress: address}
	if len(port) > 0 {
		a.PublicPort = &port[0]
	}
	return a
}

func TestDeviceMatches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		a, b qod.Device
		want bool
	}{
		"nothing at all":             {qod.Device{}, qod.Device{}, false},
		"nothing shown":              {qod.Device{PhoneNumber: phone}, qod.Device{}, false},
		"the same number":            {qod.Device{PhoneNumber: phone}, qod.Device{PhoneNumber: phone}, true},
		"without the plus":           {qod.Device{PhoneNumber: phone}, qod.Device{PhoneNumber: phone[1:]}, true},
		"another number":             {qod.Device{PhoneNumber: phone}, qod.Device{PhoneNumber: phone + "1"}, false},
		"the same name":              {qod.Device{NetworkAccessIdentifier: "A@b"}, qod.Device{NetworkAccessIdentifier: "a@B"}, true},
		"another name":               {qod.Device{NetworkAccessIdentifier: "a@b"}, qod.Device{NetworkAccessIdentifier: "c@b"}, false},
		"IPv6 respelled":             {qod.Device{IPv6Address: "2001:DB8:0::1"}, qod.Device{IPv6Address: "2001:db8::0001"}, true},
		"another IPv6":               {qod.Device{IPv6Address: "2001:db8::1"}, qod.Device{IPv6Address: "2001:db8::2"}, false},
		"no address":                 {qod.Device{IPv6Address: "here"}, qod.Device{IPv6Address: "here"}, true},
		"IPv4":                       {qod.Device{IPv4Address: v4("203.0.113.7")}, qod.Device{IPv4Address: v4("203.0.113.7")}, true},
		"IPv4 mapped":                {qod.Device{IPv4Address: v4("203.0.113.7")}, qod.Device{IPv4Address: v4("::ffff:203.0.113.7")}, true},
		"another IPv4":               {qod.Device{IPv4Address: v4("203.0.113.7")}, qod.Device{IPv4Address: v4("203.0.113.8")}, false},
		"the same port":              {qod.Device{IPv4Address: v4("203.0.113.7", 80)}, qod.Device{IPv4Address: v4("203.0.113.7", 80)}, true},
		"another port":               {qod.Device{IPv4Address: v4("203.0.113.7", 80)}, qod.Device{IPv4Address: v4("203.0.113.7", 81)}, false},
		"the port is not shown":      {qod.Device{IPv4Address: v4("203.0.113.7", 80)}, qod.Device{IPv4Address: v4("203.0.113.7")}, true},
		"nothing in common":          {qod.Device{PhoneNumber: phone}, qod.Device{IPv6Address: "::1"}, false},
		"one in common":              {qod.Device{PhoneNumber: phone, IPv6Address: "::1"}, qod.Device{PhoneNumber: phone, NetworkAccessIdentifier: "a"}, true},
		"one in common, one against": {qod.Device{PhoneNumber: phone, IPv6Address: "::1"}, qod.Device{PhoneNumber: phone, IPv6Address: "::2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "matches", test.a.Matches(test.b), test.want)
			equal(t, "the other way round", test.b.Matches(test.a), test.want)
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
		equal(t, test.a+" and "+test.b, qod.SameAddress(test.a, test.b), test.want)
		equal(t, test.b+" and "+test.a, qod.SameAddress(test.b, test.a), test.want)
	}
}

// deviceOf makes a device; an empty text or a negative port leaves it out.
func deviceOf(number, name, address4, address6 string, port int64) qod.Device {
	d := qod.Device{PhoneNumber: number, NetworkAccessIdentifier: name, IPv6Address: address6}
	if address4 != "" {
		if d.IPv4Address = v4(address4); port >= 0 {
			d.IPv4Address.PublicPort = &port
		}
	}
	return d
}

func FuzzDeviceMatches(f *testing.F) {
	f.Add(phone, "a@b", "203.0.113.7", "2001:db8::1", int64(80), phone[1:], "A@B", "::ffff:203.0.113.7", "2001:DB8:0::1", int64(-1))
	f.Add(phone, "", "", "", int64(0), "", "a@b", "", "", int64(0))
	f.Add("+1", "", "", "::1", int64(0), "1", "", "", "::2", int64(0))
	f.Add("", "ſ@K", "10.0.0.1", "", int64(1), "", "S@k", "10.0.0.1", "", int64(2))
	f.Add("+", "", "", "", int64(0), "++", "", "", "", int64(0))
	f.Fuzz(func(t *testing.T, n1, i1, a1, x1 string, p1 int64, n2, i2, a2, x2 string, p2 int64) {
		a, b := deviceOf(n1, i1, a1, x1, p1), deviceOf(n2, i2, a2, x2, p2)
		matches := a.Matches(b)
		if matches != b.Matches(a) {
			t.Error("it depends on who asks")
		}
		for _, d := range []qod.Device{a, b} {
			if d.Matches(d) == d.IsZero() {
				t.Errorf("a device that shows something is itself: %v", d.Matches(d))
			}
		}
		// What contradicts in one thing does not match, whatever else is the same.
		if a.PhoneNumber != "" {
			other := b
			other.PhoneNumber = a.PhoneNumber + "0"
			if a.Matches(other) {
				t.Error("a contradiction in the number does not count")
			}
		}
		if a.IPv4Address != nil && a.IPv4Address.PublicPort != nil {
			other := a
			other.IPv4Address = v4(a.IPv4Address.PublicAddress, *a.IPv4Address.PublicPort^1)
			if a.Matches(other) {
				t.Error("a contradiction in the port does not count")
			}
		}
		// What is shown in addition takes nothing away.
		if fewer := (qod.Device{PhoneNumber: a.PhoneNumber}); a.PhoneNumber != "" && !a.Matches(fewer) {
			t.Error("fewer identifiers are another device")
		}
		// No text about it shows it.
		for _, text := range []string{n1, i1, x1} {
			if len([]rune(text)) > 30 && strings.Contains(fmt.Sprintf("%v %+v", a, &a), text) {
				t.Errorf("it shows %q", text)
			}
		}
	})
}

func TestSessionString(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 13, 0, 0, 0, time.FixedZone("", 3600))
	for want, s := range map[string]qod.Session{
		someID + " (QOS_E, AVAILABLE, until 2026-11-22T12:00:00Z)": {ID: someID, QoSProfile: "QOS_E", Status: qod.StatusAvailable, ExpiresAt: at, Device: wanted().Device},
		someID + " (not said, not said)":                           {ID: someID},
	} {
		equal(t, "String", s.String(), want)
		equal(t, "%+v", fmt.Sprintf("%+v", s), want)
	}
	d := qod.Device{PhoneNumber: phone, NetworkAccessIdentifier: "line@example.com", IPv4Address: v4("203.0.113.7", 80), IPv6Address: "2001:db8::1"}
	equal(t, "device", d.String(), "phone_number …01, network_access_identifier …om, ipv4_address ….7, ipv6_address …:1")
	equal(t, "no device", qod.Device{}.String(), "no device shown")
	equal(t, "spec", fmt.Sprintf("%+v", wanted()), "QOS_E for phone_number …01")
}
