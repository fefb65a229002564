package sandbox

import (
	"strings"
	"testing"
)

func TestSharedIdentifiers(t *testing.T) {
	t.Parallel()
	behind := func(address string, port ...int) Device {
		v4 := &IPv4Address{PublicAddress: address}
		if len(port) > 0 {
			v4.PublicPort = &port[0]
		}
		return Device{IPv4Address: v4}
	}
	inside := func(public, private string) Device {
		return Device{IPv4Address: &IPv4Address{PublicAddress: public, PrivateAddress: private}}
	}
	tests := map[string]struct {
		a, b Device
		want bool
	}{
		"equal private addresses":  {inside("203.0.113.7", "10.0.0.1"), inside("203.0.113.7", "10.0.0.1"), true},
		"other private addresses":  {inside("203.0.113.7", "10.0.0.1"), inside("203.0.113.7", "10.0.0.2"), false},
		"one private address":      {inside("203.0.113.7", "10.0.0.1"), behind("203.0.113.7", 80), true},
		"behind other addresses":   {inside("203.0.113.7", "10.0.0.1"), inside("203.0.113.8", "10.0.0.1"), false},
		"equal phone":              {Device{PhoneNumber: "+34600000001"}, Device{PhoneNumber: "+34600000001"}, true},
		"other phone":              {Device{PhoneNumber: "+34600000001"}, Device{PhoneNumber: "+34600000002"}, false},
		"equal NAI":                {Device{NetworkAccessIdentifier: "a@b"}, Device{NetworkAccessIdentifier: "a@b"}, true},
		"other NAI":                {Device{NetworkAccessIdentifier: "a@b"}, Device{NetworkAccessIdentifier: "c@b"}, false},
		"nothing in common":        {Device{PhoneNumber: "+34600000001"}, Device{NetworkAccessIdentifier: "a@b"}, false},
		"one of two":               {Device{PhoneNumber: "+34600000001", IPv6Address: "::1"}, Device{PhoneNumber: "+34600000002", IPv6Address: "::1"}, true},
		"both empty":               {Device{}, Device{}, false},
		"equal IPv4, no ports":     {behind("203.0.113.7"), behind("203.0.113.7"), true},
		"equal IPv4, one port":     {behind("203.0.113.7", 80), behind("203.0.113.7"), true},
		"equal IPv4, equal ports":  {behind("203.0.113.7", 80), behind("203.0.113.7", 80), true},
		"equal IPv4, other ports":  {behind("203.0.113.7", 80), behind("203.0.113.7", 81), false},
		"other IPv4, equal ports":  {behind("203.0.113.7", 80), behind("203.0.113.8", 80), false},
		"ports only":               {behind("", 80), behind("", 80), false},
		"IPv6 spelt in other ways": {Device{IPv6Address: "2001:DB8:0::1"}, Device{IPv6Address: "2001:db8::0001"}, true},
		"other IPv6":               {Device{IPv6Address: "2001:db8::1"}, Device{IPv6Address: "2001:db8::2"}, false},
		"addresses that are none":  {Device{IPv6Address: "here"}, Device{IPv6Address: "there"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.a.sharesIdentifier(test.b); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if got := test.b.sharesIdentifier(test.a); got != test.want {
				t.Errorf("the other way round: got %v, want %v", got, test.want)
			}
		})
	}
}

func TestMaskedShowsTwoCharacters(t *testing.T) {
	t.Parallel()
	device := Device{
		PhoneNumber:             "+34600123456",
		NetworkAccessIdentifier: "12345678@domain.example",
		IPv4Address:             &IPv4Address{PublicAddress: "203.0.113.77", PublicPort: new(5060)},
		IPv6Address:             "2001:db8::1a",
	}
	got := device.Masked()
	if want := "phoneNumber …56, networkAccessIdentifier …le, ipv4Address …77, ipv6Address …1a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, secret := range []string{"34600", "12345678", "203", "5060", "2001"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	}
	if got := (Device{}).Masked(); got != "no device" {
		t.Errorf("an empty device: %q", got)
	}
}
