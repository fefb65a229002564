// Proves that what is wrong with a value is named, where that can be told.

package validators

import (
	"strings"
	"testing"
	"time"
)

func TestHints(t *testing.T) {
	t.Parallel()
	const (
		quoted       = "The quotation marks have become part of the value: remove them."
		lineFeed     = "It contains a line feed: remove it, for example with trimspace."
		spaceAround  = "It starts or ends with a space: remove it, for example with trimspace."
		spaces       = "It contains spaces: remove them."
		invisible    = "It contains an invisible character, as text copied from a document does: type it in again."
		plus         = "The plus is missing. If the number starts with its country code, write the plus in front, as \"+${…}\" where it comes from elsewhere: YAML and spreadsheets drop the plus of a number that is not quoted. If it does not, write the plus and the country code."
		national     = "It looks like a national number: write the plus and the country code in front, as in \"+34\" for Spain."
		zero         = " In most countries the first 0 is then left out."
		shortenedBy  = "It looks like a number that a spreadsheet has shortened (3.46E+10), which loses digits: format the column as text, and enter the number again."
		otherSigns   = "It contains characters other than the plus and digits: remove them."
		internetSees = ": write the address that the internet sees, and the port in public_port."
		hosts        = "It looks like a host name, which is not looked up: write the address that it stands for."
		four         = "It has to be four numbers from 0 to 255 with dots between them."
		places       = "the offset of the place on that day, such as +01:00 (Madrid in winter), +02:00 (Madrid in summer) or -03:00 (São Paulo)"
		zones        = "Names of time zones are not accepted: write " + places + "."
		capitals     = "Write a capital T between date and time, and a capital Z for UTC."
		hyphens      = "Write the date as year-month-day with hyphens, as in 2028-02-29."
		units        = "The units are h, m, s and ms, without spaces."
		years        = "Years go from 0001 to 9999, in UTC, too."
	)
	noOffset := func(utc string) string {
		return `The offset is missing: write "` + utc + `" for UTC; otherwise write, in place of the Z, ` + places + "."
	}
	for name, test := range map[string]struct {
		check StringCheck
		hints map[string]string
	}{
		"phone number": {PhoneNumber, map[string]string{
			"":                    isEmpty,
			"600000051":           national,
			"0600000051":          national + zero,
			"06000000512":         national + zero,
			"11987654321":         plus, // of Brazil, or of the United States
			"34600000051":         plus,
			"34 600 000 051":      spaces + " " + plus,
			"+34 600 000 051":     spaces,
			"+34-600-000-051":     otherSigns,
			"+34 (600) 000 051":   otherSigns,
			"0034600000051":       "It starts with 00: write a plus in place of 00.",
			"00 34 600000051":     spaces + " It starts with 00: write a plus in place of 00.",
			"+0600000051":         "The country code is missing: none starts with 0.",
			"+3460":               "It has too few digits.",
			"+":                   "It has too few digits.",
			"+3460000005112345":   "It has too many digits.",
			"3.46E+10":            shortenedBy,
			"3,46E+10":            shortenedBy,
			"34600000051.0":       shortenedBy,
			"1e+30":               shortenedBy,
			`"+34600000051"`:      quoted,
			"“+34600000051”":      quoted,
			"+34600000051\n":      lineFeed,
			"+34600000051 ":       spaceAround,
			"\u202a+34600000051":  invisible,
			"tel:+34600000051":    "Leave out \"tel:\".",
			"+34600CAMERA":        "It contains letters.",
			"+٣٤٦٠٠٠٠٠٠٥١":        "Write the digits as 0 to 9.",
			"'+34600000051'":      quoted,
			"+34600000051;ext=12": "It contains letters.",
		}},
		"network access identifier": {NetworkAccessIdentifier, map[string]string{
			"":                               isEmpty,
			"jane roe@carrier.tel":           spaces,
			"jane.roe@carrier.tel\n":         lineFeed,
			"jane\u200broe@carrier.tel":      invisible,
			`"jane.roe@carrier.tel"`:         quoted,
			strings.Repeat("jane", 64) + "@": "It is too long.",
		}},
		"device IPv4": {DeviceIPv4, map[string]string{
			"":                    "It is empty: leave out ipv4_address, or set it to null.",
			"203.0.113.77:5060":   "It has a port: write the port in public_port.",
			"10.1.2.3":            "It is a private address (RFC 1918), which only the device's own network knows" + internetSees,
			"172.16.0.1":          "It is a private address (RFC 1918), which only the device's own network knows" + internetSees,
			"192.168.1.10":        "It is a private address (RFC 1918), which only the device's own network knows" + internetSees,
			"100.64.0.1":          "It is an address behind carrier-grade NAT (RFC 6598), which only the operator's network knows" + internetSees,
			"100.127.255.255":     "It is an address behind carrier-grade NAT (RFC 6598), which only the operator's network knows" + internetSees,
			"127.0.0.1":           "It is a loopback address" + internetSees,
			"169.254.1.1":         "It is a link-local address, which a device gives itself where there is no network" + internetSees,
			"0.0.0.0":             "It is the unspecified address, which no device has" + internetSees,
			"2001:db8::1":         "It is an IPv6 address: write it in ipv6_address.",
			"203.0.113.77/32":     "It is a CIDR block, which is not the address of one device.",
			"203.000.113.077":     "Leave out leading zeros, which some programs read as octal.",
			"203.0.113.277":       four,
			"203.0.113":           four,
			"3405803853":          four,
			"::ffff:203.0.113.77": "It is an IPv4-mapped address: write the IPv4 address alone, in ipv4_address.",
			"camera.example.com":  hosts,
			"https://203.0.113.7": "It is a URL: write the address alone.",
			"203.0.113.77\n":      lineFeed,
			" 203.0.113.77":       spaceAround,
			`"203.0.113.77"`:      quoted,
			"٢٠٣.0.113.77":        "",
		}},
		"device IPv6": {DeviceIPv6, map[string]string{
			"":                    isEmpty,
			"203.0.113.77":        "It is an IPv4 address: write it in ipv4_address.",
			"[2001:db8::1]":       "Leave out the brackets.",
			"[2001:db8::1]:443":   "It has a port: leave it out.",
			"fe80::1%eth0":        "Leave out the zone (%…), which means something on one machine only.",
			"2001:db8::/64":       "It is a CIDR block, which is not the address of one device.",
			"2001:db8::g":         "",
			"::ffff:203.0.113.77": "It is an IPv4-mapped address: write the IPv4 address alone, in ipv4_address.",
		}},
		"server IPv4": {ServerIPv4, map[string]string{
			"":                            isEmpty,
			"media.example.com":           hosts,
			"media":                       hosts,
			"media.example.com:443":       hosts,
			"198.51.100.10:443":           "It has a port: leave it out.",
			"https://media.example.com":   "It is a URL: write the address alone.",
			"198.51.100.1-198.51.100.9":   "It is a range: write it as a CIDR block.",
			"198.51.100.1 - 198.51.100.9": "It is a range: write it as a CIDR block.",
			"198.51.100.0/255.255.255.0":  "It has a mask: write how many bits the mask has, as in /24.",
			"198.51.100.0/33":             "What is behind the slash goes from 0 to 32.",
			"198.51.100.0/":               "What is behind the slash goes from 0 to 32.",
			"198.051.100.0/24":            "Leave out leading zeros, which some programs read as octal.",
			"198.51.100.0/24\n":           lineFeed,
		}},
		"server IPv6": {ServerIPv6, map[string]string{
			"2001:db8::/129": "What is behind the slash goes from 0 to 128.",
			"198.51.100.1":   "It is an IPv4 address: write it in ipv4_address.",
		}},
		"webhook": {WebhookURL, map[string]string{
			"":                               isEmpty,
			"example.com/qod":                "It does not start with https://.",
			"https://ops:pw@example.com/qod": "Leave out the user name and password: the network sends notification_auth_token instead.",
			"https://example.com:0/qod":      "Ports go from 1 to 65535.",
			"https://example.com/qod\n":      lineFeed,
			`"https://example.com/qod"`:      quoted,
			"https://example.com/a b":        spaces,
			"https://example.com/qod#top":    "",
			"ftp://example.com/qod":          "",
		}},
		"token": {BearerToken, map[string]string{
			"":         isEmpty,
			"Bearer a": "Leave out \"Bearer\": the network adds it.",
			"a\n":      "A token that was read from a file ends in a line feed: remove it, for example with trimspace.",
			"a b":      "",
		}},
		"profile": {Text("must be a name"), map[string]string{"": "It is empty."}},
		"status": {OneOf("REQUESTED", "AVAILABLE", "UNAVAILABLE"), map[string]string{
			"":            isEmpty,
			"available":   `Did you mean "AVAILABLE"?`,
			"AVAILABLE\n": `Did you mean "AVAILABLE"?`,
			"RUNNING":     "",
		}},
		"duration": {Duration(24 * time.Hour), map[string]string{
			"":         isEmpty,
			"10":       `The unit is missing. Did you mean "10s" or "10m"?`,
			"1d":       `There is no unit for days: write hours, such as "24h".`,
			"2 days":   `There is no unit for days: write hours, such as "24h".`,
			"5min":     units,
			"5 m":      units,
			"soon":     units,
			"PT5M":     units,
			"5m\n":     units,
			`"5m"`:     quoted,
			"0s":       "It has to be more than zero.",
			"0":        "It has to be more than zero.",
			"-5m":      "It has to be more than zero.",
			"24h0m1s":  "It is too long.",
			"9999999h": "It is too long.",
		}},
		"instant": {Instant, map[string]string{
			"":                                   "It is empty. To leave starts_at out, set it to null.",
			"2028-02-29T20:15:00":                noOffset("2028-02-29T20:15:00Z"),
			"2028-02-29T20:15:00.5":              noOffset("2028-02-29T20:15:00.5Z"),
			"2028-02-29T20:15":                   noOffset("2028-02-29T20:15:00Z"),
			"2028-02-29 20:15":                   noOffset("2028-02-29T20:15:00Z"),
			"2028-02-29T20:15:00+0100":           "The offset needs a colon: +01:00.",
			"2028-02-29T20:15:00-0330":           "The offset needs a colon: -03:30.",
			"2028-02-29T20:15:00+01":             "The offset needs minutes: +01:00.",
			"2028-02-29T20:15:00 Europe/Madrid":  zones,
			"2028-02-29T20:15:00[Europe/Madrid]": zones,
			"2028-02-29T20:15:00 CET":            zones,
			"2028-02-29T20:15:00 UTC":            "Write Z in place of the name.",
			"29/02/2028 20:15":                   hyphens,
			"2028/02/29 20:15":                   hyphens,
			"29.02.2028 20:15":                   hyphens,
			"29-02-2028 20:15":                   hyphens,
			"2026-02-30T20:15:00Z":               "February 2026 has 28 days.",
			"2028-02-30T20:24:00Z":               "February 2028 has 29 days.",
			"2028-04-31T20:15:00+02:00":          "April 2028 has 30 days.",
			"2028-02-00T20:15:00Z":               "February 2028 has 29 days.",
			"2028-13-01T20:15:00Z":               "Months go from 01 to 12.",
			"2028-02-29T24:00:00+01:00":          "Hours go from 00 to 23: write midnight as 00:00:00 of the next day.",
			"2028-02-29T24:00":                   "Hours go from 00 to 23: write midnight as 00:00:00 of the next day.",
			"2028-02-29T25:00:00Z":               "Hours go from 00 to 23.",
			"2028-02-29T20:60:00Z":               "Minutes and seconds go from 00 to 59.",
			"2028-06-30T23:59:61Z":               "Minutes and seconds go from 00 to 59.",
			"2028-06-30T23:59:60Z":               "Seconds go from 00 to 59: write a leap second as the second before or after it.",
			"2028-02-29":                         "The time of day is missing.",
			"2028-02-29T20:15+01:00":             "The seconds are missing.",
			"2028-02-29t20:15:00z":               capitals,
			"2028-02-29 20:15:00Z":               capitals,
			"1835468100":                         "It looks like a count of seconds, which is not accepted.",
			" 2028-02-29T20:15:00Z":              spaceAround,
			"2028-02-29T20:15:00Z\n":             lineFeed,
			`"2028-02-29T20:15:00Z"`:             quoted,
			"0000-12-31T23:59:59Z":               years,
			"9999-12-31T23:30:00-01:00":          years,
			"10000-01-01T00:00:00Z":              years,
			"now":                                "",
			"2028-02-29T8:15:00Z":                "Hours, minutes and seconds have two digits each.",
			"2028-02-29T20:15:00.0000000001Z":    "",
			"2028-02-29T20:15:00+24:00":          "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for value, want := range test.hints {
				problem := test.check.Problem(value)
				if hint := strings.TrimPrefix(strings.TrimPrefix(problem, test.check.allowed), ". "); problem == "" || hint != want {
					t.Errorf("%q: got\n%s\nwant\n%s", value, hint, want)
				}
			}
		})
	}
}

// Examples and documentation have these, and a network has to be asked about the rest.
func TestDeviceIPv4_accepts(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"192.0.2.1", "198.51.100.10", "203.0.113.77", "100.63.255.255", "100.128.0.0", "172.32.0.1", "8.8.8.8"} {
		if problem := DeviceIPv4.Problem(address); problem != "" {
			t.Errorf("%s: %s", address, problem)
		}
	}
}
