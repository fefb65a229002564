// Proves that a bad value of any attribute is refused while Terraform plans, before any request: at
// the attribute, saying what is allowed and what was given, with personal values masked and secrets
// left out. And that a good value, or one that is not known yet, is not refused.

package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// refusal is one bad value.
type refusal struct {
	name    string
	at      string // the attribute
	value   any
	allowed string // what the error says is allowed
	given   string // how it shows what was given
	points  string // where the error points, when not at the attribute
	beside  attrs  // other attributes, by dotted path
}

var (
	goodSession     = attrs{"device": attrs{"phone_number": "+34611222333"}, "qos_profile": "QOS_E", "duration": 3600}
	goodReservation = attrs{
		"device": attrs{"phone_number": "+34611222333"}, "qos_profile": "QOS_E",
		"starts_at": "2028-02-29T20:15:00+01:00", "ends_at": "2028-03-01T00:15:00+01:00",
	}
)

const (
	allowedPhone    = `must be an E.164 phone number: a plus, the country code and the number, 5 to 15 digits in all, as in "+34600000000"`
	allowedNAI      = `must be a network access identifier of 1 to 253 printable characters without spaces, as in "device@example.com"`
	allowedIPv4     = `must be an IPv4 address, as in "198.51.100.10"`
	allowedIPv6     = `must be an IPv6 address, as in "2001:db8::10"`
	allowedServer4  = `must be an IPv4 address or CIDR block, as in "198.51.100.10" or "198.51.100.0/24"`
	allowedServer6  = `must be an IPv6 address or CIDR block, as in "2001:db8::10" or "2001:db8::/32"`
	allowedPort     = `must be a whole number from 0 to 65535`
	allowedProfile  = `must be one of QOS_E, QOS_S, QOS_M, QOS_L`
	namedProfile    = `must be the name of a QoS profile, such as "QOS_E"`
	allowedDuration = `must be a whole number from 1 to 2147483647 (seconds)`
	allowedByAPI    = `must be 1 to 86400 seconds (24 hours)`
	allowedPorts    = `must set at least one of ports, ranges`
	onlyCAMARA      = `must be left out with api = "open-gateway"; only api = "camara-v1" or "camara-v0" has it`
	onlyV1          = `must be left out with api = "open-gateway"; only api = "camara-v1" has it`
	allowedWebhook  = `must be an absolute https or http URL without user name, password or fragment, as in "https://example.com/qod"`
	allowedToken    = `must be 1 to 4096 printable ASCII characters without spaces, as the network sends it as a bearer token`
	allowedTimeout  = `must be a duration with a unit, such as "90s", "5m" or "1h30m", of at most 24h`
	allowedRequest  = `must be a duration with a unit, such as "90s", "5m" or "1h30m", of at most 10m`
	allowedStatus   = `must be REQUESTED, AVAILABLE or UNAVAILABLE`
	allowedScope    = `must be one scope without spaces, as in "qod:sessions:read". Write several as several elements, or in QOD_SCOPES with spaces between them`
	allowedInstant  = `must be a time in RFC 3339 form with its offset from UTC, as in "2028-02-29T20:15:00+01:00" or "2028-02-29T19:15:00Z"`
	aDevice         = `must set at least one of phone_number, network_access_identifier, ipv4_address, ipv6_address`
	isMisspelled    = `. Inside an object, Terraform silently ignores attributes that it does not know: check the spelling of those that you wrote`
)

// badDevices are refused alike in the resources and in the data source.
var badDevices = []refusal{
	{name: "empty device", at: "device", value: attrs{}, allowed: aDevice + isMisspelled, given: "none of them"},

	{name: "phone without plus", at: "device.phone_number", value: "34611222333", allowed: allowedPhone, given: `"*********33" (11 digits)`},
	{name: "phone given as a number", at: "device.phone_number", value: 34611222333, allowed: allowedPhone, given: `"*********33" (11 digits)`},
	{name: "empty phone", at: "device.phone_number", value: "", allowed: allowedPhone, given: `""`},
	{name: "plus alone", at: "device.phone_number", value: "+", allowed: allowedPhone, given: `"+"`},
	{name: "phone with spaces", at: "device.phone_number", value: "+34 611 222 333", allowed: allowedPhone, given: `"+** *** *** *33" (11 digits)`},
	{name: "phone with dashes", at: "device.phone_number", value: "+34-611-222-333", allowed: allowedPhone, given: `"+**-***-***-*33" (11 digits)`},
	{name: "phone with two zeros for a plus", at: "device.phone_number", value: "0034611222333", allowed: allowedPhone, given: `"***********33" (13 digits)`},
	{name: "phone with a zero for a country code", at: "device.phone_number", value: "+0611222333", allowed: allowedPhone, given: `"+********33" (10 digits)`},
	{name: "short phone", at: "device.phone_number", value: "+3461", allowed: allowedPhone, given: `"+**61" (4 digits)`},
	{name: "long phone", at: "device.phone_number", value: "+3461122233344455", allowed: allowedPhone, given: `"+**************55" (16 digits)`},
	{name: "phone with a line feed behind", at: "device.phone_number", value: "+34611222333\n", allowed: allowedPhone, given: `"+**********3\n" (11 digits)`},
	{name: "phone with a line feed before", at: "device.phone_number", value: "\n+34611222333", allowed: allowedPhone, given: `"\n+*********33" (11 digits)`},
	{name: "phone with a space behind", at: "device.phone_number", value: "+34611222333 ", allowed: allowedPhone, given: `"+**********3 " (11 digits)`},
	{name: "phone with a mark copied from an address book", at: "device.phone_number", value: "\u200e+34611222333", allowed: allowedPhone, given: `"\u200e+*********33" (11 digits)`},
	{name: "phone in Arabic-Indic digits", at: "device.phone_number", value: "+٣٤٦١١٢٢٢٣٣٣", allowed: allowedPhone, given: `"+*********٣٣" (11 digits)`},
	{name: "phone in full-width digits", at: "device.phone_number", value: "+34６１１２２２３３３", allowed: allowedPhone, given: `"+*********３３" (11 digits)`},
	{name: "phone with letters", at: "device.phone_number", value: "+34611CAMERA", allowed: allowedPhone, given: `"+*********RA" (5 digits)`},
	{name: "phone as a URI", at: "device.phone_number", value: "tel:+34611222333", allowed: allowedPhone, given: `"***:+*********33" (11 digits)`},
	{name: "huge phone number", at: "device.phone_number", value: "1e30", allowed: allowedPhone, given: `"****" (3 digits)`},
	{name: "phone of a thousand digits", at: "device.phone_number", value: "+" + strings.Repeat("61122233", 125), allowed: allowedPhone, given: `"+` + strings.Repeat("*", 78) + `3…" (1000 digits)`},

	{name: "national phone number", at: "device.phone_number", value: "611222333", allowed: allowedPhone, given: `"*******33" (9 digits)`},
	{name: "phone as a spreadsheet shortens it", at: "device.phone_number", value: "6.11E+10", allowed: allowedPhone, given: `"*.***+10" (5 digits)`},
	{name: "phone in quotation marks", at: "device.phone_number", value: `"+34611222333"`, allowed: allowedPhone, given: `"\"+**********3\"" (11 digits)`},

	{name: "empty access identifier", at: "device.network_access_identifier", value: "", allowed: allowedNAI, given: `""`},
	{name: "long access identifier", at: "device.network_access_identifier", value: strings.Repeat("jane.roe", 31) + "@r.tel", allowed: allowedNAI, given: `*.*******.**e…"`},
	{name: "access identifier with a space", at: "device.network_access_identifier", value: "jane roe@carrier.tel", allowed: allowedNAI, given: `"**** ***@*******.*el"`},
	{name: "access identifier with a line feed", at: "device.network_access_identifier", value: "jane.roe@carrier.tel\n", allowed: allowedNAI, given: `"****.***@*******.**l\n"`},
	{name: "access identifier with a control character", at: "device.network_access_identifier", value: "jane\x7froe@carrier.tel", allowed: allowedNAI, given: `"****\x7f***@*******.*el"`},
	{name: "access identifier with an invisible character", at: "device.network_access_identifier", value: "jane\u200broe@carrier.tel", allowed: allowedNAI, given: `"****\u200b***@*******.*el"`},

	{name: "IPv6 for IPv4", at: "device.ipv4_address.public_address", value: "2a02:9130:84ff::77", allowed: allowedIPv4, given: `"****:****:****::77"`},
	{name: "CIDR for a device", at: "device.ipv4_address.public_address", value: "203.0.113.77/32", allowed: allowedIPv4, given: `"***.*.***.**/32"`},
	{name: "IPv4 with leading zeros", at: "device.ipv4_address.public_address", value: "203.000.113.077", allowed: allowedIPv4, given: `"***.***.***.*77"`},
	{name: "IPv4 out of range", at: "device.ipv4_address.public_address", value: "203.0.113.277", allowed: allowedIPv4, given: `"***.*.***.*77"`},
	{name: "IPv4 of three parts", at: "device.ipv4_address.public_address", value: "203.0.11377", allowed: allowedIPv4, given: `"***.*.***77"`},
	{name: "IPv4 as a number", at: "device.ipv4_address.public_address", value: 3405803853, allowed: allowedIPv4, given: `"********53"`},
	{name: "IPv4 with a port", at: "device.ipv4_address.public_address", value: "203.0.113.77:5060", allowed: allowedIPv4, given: `"***.*.***.**:**60"`},
	{name: "IPv4 in Arabic-Indic digits", at: "device.ipv4_address.public_address", value: "٢٠٣.0.113.77", allowed: allowedIPv4, given: `"***.*.***.77"`},
	{name: "IPv4 with a line feed", at: "device.ipv4_address.public_address", value: "203.0.113.77\n", allowed: allowedIPv4, given: `"***.*.***.*7\n"`},
	{name: "host name for IPv4", at: "device.ipv4_address.public_address", value: "camera.carrier.tel", allowed: allowedIPv4, given: `"******.*******.*el"`},
	{name: "IPv4-mapped for IPv4", at: "device.ipv4_address.public_address", value: "::ffff:203.0.113.77", allowed: allowedIPv4, given: `"::****:***.*.***.77"`},
	{name: "empty IPv4", at: "device.ipv4_address.public_address", value: "", allowed: allowedIPv4, given: `""`},

	{name: "private IPv4", at: "device.ipv4_address.public_address", value: "192.168.61.122", allowed: allowedIPv4 + ". It is a private address", given: `"***.***.**.*22"`},
	{name: "IPv4 behind carrier-grade NAT", at: "device.ipv4_address.public_address", value: "100.64.61.122", allowed: allowedIPv4 + ". It is an address behind carrier-grade NAT", given: `"***.**.**.*22"`},

	{name: "negative port", at: "device.ipv4_address.public_port", value: -1, allowed: allowedPort, given: "-1", beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},
	{name: "port out of range", at: "device.ipv4_address.public_port", value: 65536, allowed: allowedPort, given: "65536", beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},
	{name: "port with a fraction", at: "device.ipv4_address.public_port", value: 1.5, allowed: allowedPort, given: "1.5", beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},
	{name: "huge port", at: "device.ipv4_address.public_port", value: "1e30", allowed: allowedPort, given: "1e+30", beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},

	{name: "IPv4 for IPv6", at: "device.ipv6_address", value: "203.0.113.77", allowed: allowedIPv6, given: `"***.*.***.77"`},
	{name: "IPv6 block for a device", at: "device.ipv6_address", value: "2a02:9130:84ff::/64", allowed: allowedIPv6, given: `"****:****:****::/64"`},
	{name: "IPv6 with a zone", at: "device.ipv6_address", value: "fe80::9130:84ff:77%eth0", allowed: allowedIPv6, given: `"****::****:****:**%**h0"`},
	{name: "IPv4-mapped for IPv6", at: "device.ipv6_address", value: "::ffff:203.0.113.77", allowed: allowedIPv6, given: `"::****:***.*.***.77"`},
	{name: "IPv6 in brackets", at: "device.ipv6_address", value: "[2a02:9130:84ff::77]", allowed: allowedIPv6, given: `"[****:****:****::*7]"`},
	{name: "IPv6 with a line feed", at: "device.ipv6_address", value: "2a02:9130:84ff::77\n", allowed: allowedIPv6, given: `"****:****:****::*7\n"`},
	{name: "IPv6 with a letter too far", at: "device.ipv6_address", value: "2a02:9130:84fg::77", allowed: allowedIPv6, given: `"****:****:****::77"`},
	{name: "empty IPv6", at: "device.ipv6_address", value: "", allowed: allowedIPv6, given: `""`},
}

// badRequests are refused alike in all resources that reserve sessions.
var badRequests = []refusal{
	{name: "empty server", at: "application_server", value: attrs{}, allowed: `must set at least one of ipv4_address, ipv6_address` + isMisspelled, given: "none of them"},
	{name: "server: empty IPv4", at: "application_server.ipv4_address", value: "", allowed: allowedServer4, given: `""`},
	{name: "server: IPv6 for IPv4", at: "application_server.ipv4_address", value: "2001:db8::1", allowed: allowedServer4, given: `"2001:db8::1"`},
	{name: "server: IPv6 block for IPv4", at: "application_server.ipv4_address", value: "2001:db8::/32", allowed: allowedServer4, given: `"2001:db8::/32"`},
	{name: "server: block out of range", at: "application_server.ipv4_address", value: "198.51.100.0/33", allowed: allowedServer4, given: `"198.51.100.0/33"`},
	{name: "server: block without a length", at: "application_server.ipv4_address", value: "198.51.100.0/", allowed: allowedServer4, given: `"198.51.100.0/"`},
	{name: "server: block with a mask", at: "application_server.ipv4_address", value: "198.51.100.0/255.255.255.0", allowed: allowedServer4, given: `"198.51.100.0/255.255.255.0"`},
	{name: "server: block with leading zeros", at: "application_server.ipv4_address", value: "198.051.100.0/24", allowed: allowedServer4, given: `"198.051.100.0/24"`},
	{name: "server: range", at: "application_server.ipv4_address", value: "198.51.100.1-198.51.100.9", allowed: allowedServer4, given: `"198.51.100.1-198.51.100.9"`},
	{name: "server: mapped block", at: "application_server.ipv6_address", value: "::ffff:198.51.100.0/120", allowed: allowedServer6, given: `"::ffff:198.51.100.0/120"`},
	{name: "server: mapped address", at: "application_server.ipv6_address", value: "::ffff:198.51.100.1", allowed: allowedServer6, given: `"::ffff:198.51.100.1"`},
	{name: "server: line feed", at: "application_server.ipv4_address", value: "198.51.100.0/24\n", allowed: allowedServer4, given: `"198.51.100.0/24\n"`},
	{name: "server: IPv4 for IPv6", at: "application_server.ipv6_address", value: "198.51.100.1", allowed: allowedServer6, given: `"198.51.100.1"`},
	{name: "server: zone", at: "application_server.ipv6_address", value: "fe80::1%eth0", allowed: allowedServer6, given: `"fe80::1%eth0"`},
	{name: "server: block with a zone", at: "application_server.ipv6_address", value: "fe80::1%eth0/64", allowed: allowedServer6, given: `"fe80::1%eth0/64"`},
	{name: "server: IPv6 block out of range", at: "application_server.ipv6_address", value: "2001:db8::/129", allowed: allowedServer6, given: `"2001:db8::/129"`},
	{name: "server: host name", at: "application_server.ipv6_address", value: "media.example.com", allowed: allowedServer6, given: `"media.example.com"`},

	{name: "empty device ports", at: "device_ports", value: attrs{}, allowed: allowedPorts},
	{name: "empty server ports", at: "application_server_ports", value: attrs{}, allowed: allowedPorts},
	{name: "port below a range", at: "device_ports", points: "device_ports.ranges[0].from", value: attrs{"ranges": []any{attrs{"from": 0, "to": 5060}}}, allowed: "must be a whole number from 1 to 65535", given: "0"},
	{name: "device ports", at: "device_ports", value: attrs{"ports": []any{443}}, allowed: onlyCAMARA},
	{name: "server ports", at: "application_server_ports", value: attrs{"ports": []any{443}}, allowed: onlyCAMARA},
	{name: "private address", at: "device.ipv4_address.private_address", value: "10.0.0.1", allowed: onlyCAMARA, beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},
	{name: "private address of a word", at: "device.ipv4_address.private_address", value: "mine", allowed: allowedIPv4, given: `"****"`, beside: attrs{"device.ipv4_address.public_address": "203.0.113.77"}},
	{name: "expiry of no token", at: "notification_auth_token_expires_at", value: "2030-01-01T00:00:00Z", allowed: "requires notification_auth_token: it is when that token expires"},
	{name: "expiry of a token", at: "notification_auth_token_expires_at", value: "2030-01-01T00:00:00Z", allowed: onlyV1, beside: withToken},
	{name: "expiry without an offset", at: "notification_auth_token_expires_at", value: "2030-01-01T00:00:00", allowed: allowedInstant, given: `"2030-01-01T00:00:00"`, beside: withToken},
	{name: "unknown profile", at: "qos_profile", value: "QOS_XL", allowed: allowedProfile, given: `"QOS_XL"`},
	{name: "lower-case profile", at: "qos_profile", value: "qos_e", allowed: allowedProfile, given: `"qos_e"`},
	{name: "empty profile", at: "qos_profile", value: "", allowed: namedProfile, given: `""`},
	{name: "profile with a space", at: "qos_profile", value: "QOS_E ", allowed: allowedProfile, given: `"QOS_E "`},
	{name: "profile with a line feed", at: "qos_profile", value: "QOS_E\n", allowed: allowedProfile, given: `"QOS_E\n"`},
	{name: "number for a profile", at: "qos_profile", value: 5, allowed: allowedProfile, given: `"5"`},
	{name: "long profile", at: "qos_profile", value: "QOS_" + strings.Repeat("E", 5000), allowed: allowedProfile, given: `"QOS_` + strings.Repeat("E", 75) + "…"},

	{name: "empty webhook", at: "notification_url", value: "", allowed: allowedWebhook, given: `""`},
	{name: "relative webhook", at: "notification_url", value: "/qod", allowed: allowedWebhook, given: `"/qod"`},
	{name: "webhook without scheme", at: "notification_url", value: "example.com/qod", allowed: allowedWebhook, given: `"example.com/qod"`},
	{name: "webhook without host", at: "notification_url", value: "https:///qod", allowed: allowedWebhook, given: `"https:///qod"`},
	{name: "webhook without slashes", at: "notification_url", value: "https:example.com", allowed: allowedWebhook, given: `"https:example.com"`},
	{name: "ftp webhook", at: "notification_url", value: "ftp://example.com/qod", allowed: allowedWebhook, given: `"ftp://example.com/qod"`},
	{name: "mail address for a webhook", at: "notification_url", value: "mailto:ops@example.com", allowed: allowedWebhook, given: `"…@example.com"`},
	{name: "webhook with a password", at: "notification_url", value: "https://ops:hunter2@example.com/qod?key=hunter2", allowed: allowedWebhook, given: `"https://…@example.com/qod?…"`},
	{name: "webhook with a slash in its password", at: "notification_url", value: "https://ops:a/hunter2@example.com/qod", allowed: allowedWebhook, given: `"https://…@example.com/qod"`},
	{name: "webhook with a fragment", at: "notification_url", value: "https://example.com/qod#hunter2", allowed: allowedWebhook, given: `"https://example.com/qod#…"`},
	{name: "webhook with an empty fragment", at: "notification_url", value: "https://example.com/qod#", allowed: allowedWebhook, given: `"https://example.com/qod#…"`},
	{name: "webhook with a space", at: "notification_url", value: "https://example.com/a b", allowed: allowedWebhook, given: `"https://example.com/a b"`},
	{name: "webhook with a line feed", at: "notification_url", value: "https://example.com/qod\n", allowed: allowedWebhook, given: `"https://example.com/qod\n"`},
	{name: "webhook that is not ASCII", at: "notification_url", value: "https://señal.example/qod", allowed: allowedWebhook, given: `"https://señal.example/qod"`},
	{name: "webhook with a bad escape", at: "notification_url", value: "https://example.com/%zz", allowed: allowedWebhook, given: `"https://example.com/%zz"`},
	{name: "webhook with a port out of range", at: "notification_url", value: "https://example.com:65536/qod", allowed: allowedWebhook, given: `"https://example.com:65536/qod"`},
	{name: "webhook with port 0", at: "notification_url", value: "https://example.com:0/qod", allowed: allowedWebhook, given: `"https://example.com:0/qod"`},
	{name: "webhook with half an IPv6 address", at: "notification_url", value: "https://[2001:db8::1/qod", allowed: allowedWebhook, given: `"https://[2001:db8::1/qod"`},
	{name: "number for a webhook", at: "notification_url", value: 443, allowed: allowedWebhook, given: `"443"`},

	{name: "empty token", at: "notification_auth_token", value: "", allowed: allowedToken, given: "an empty string", beside: withWebhook},
	{name: "token with a line feed", at: "notification_auth_token", value: "hunter2-hunter2\n", allowed: allowedToken, given: "a value with a line feed in it (not shown, as it is secret)", beside: withWebhook},
	{name: "token with a space", at: "notification_auth_token", value: "Bearer hunter2", allowed: allowedToken, given: "a value with a space in it (not shown, as it is secret)", beside: withWebhook},
	{name: "token that is not ASCII", at: "notification_auth_token", value: "hunter2é", allowed: allowedToken, given: "a value with other characters in it (not shown, as it is secret)", beside: withWebhook},
	{name: "token with a control character", at: "notification_auth_token", value: "hunter2\x00", allowed: allowedToken, given: "a value with other characters in it (not shown, as it is secret)", beside: withWebhook},
	{name: "long token", at: "notification_auth_token", value: "hunter2" + strings.Repeat("x", 4090), allowed: allowedToken, given: "4097 characters (not shown, as they are secret)", beside: withWebhook},
	{name: "token without webhook", at: "notification_auth_token", value: "hunter2", allowed: "notification_auth_token requires notification_url: the network sends the token to that URL. Set notification_url, or leave out notification_auth_token."},

	{name: "negative token version", at: "notification_auth_token_version", value: -1, allowed: "must be a whole number from 0 to 9007199254740992", given: "-1", beside: withToken},
	{name: "token version with a fraction", at: "notification_auth_token_version", value: 1.5, allowed: "must be a whole number from 0 to 9007199254740992", given: "1.5", beside: withToken},
	{name: "huge token version", at: "notification_auth_token_version", value: "1e30", allowed: "must be a whole number from 0 to 9007199254740992", given: "1e+30", beside: withToken},
	{name: "token version without token", at: "notification_auth_token_version", value: 2, beside: withWebhook,
		allowed: "notification_auth_token_version requires notification_auth_token: it is the version of that token. Set notification_auth_token, or leave out notification_auth_token_version."},

	{name: "no time to create", at: "timeouts.create", value: "0s", allowed: allowedTimeout, given: `"0s"`},
	{name: "negative time to create", at: "timeouts.create", value: "-5m", allowed: allowedTimeout, given: `"-5m"`},
	{name: "word for a time to create", at: "timeouts.create", value: "abc", allowed: allowedTimeout, given: `"abc"`},
	{name: "25 hours to create", at: "timeouts.create", value: "25h", allowed: allowedTimeout, given: `"25h"`},
	{name: "a little more than a day to create", at: "timeouts.create", value: "24h0m0.1s", allowed: allowedTimeout, given: `"24h0m0.1s"`},
	{name: "empty time to create", at: "timeouts.create", value: "", allowed: allowedTimeout, given: `""`},
	{name: "time to create without a unit", at: "timeouts.create", value: 300, allowed: allowedTimeout, given: `"300"`},
	{name: "days to create", at: "timeouts.create", value: "1d", allowed: allowedTimeout, given: `"1d"`},
	{name: "more time to create than 64 bits hold", at: "timeouts.create", value: "9999999999999h", allowed: allowedTimeout, given: `"9999999999999h"`},
	{name: "time to create with a line feed", at: "timeouts.create", value: "5m\n", allowed: allowedTimeout, given: `"5m\n"`},
	{name: "no time to delete", at: "timeouts.delete", value: "0s", allowed: allowedTimeout, given: `"0s"`},
	{name: "25 hours to delete", at: "timeouts.delete", value: "25h", allowed: allowedTimeout, given: `"25h"`},
	{name: "word for a time to delete", at: "timeouts.delete", value: "soon", allowed: allowedTimeout, given: `"soon"`},
}

var badDurations = []refusal{
	{name: "no time", at: "duration", value: 0, allowed: allowedDuration, given: "0"},
	{name: "negative time", at: "duration", value: -1, allowed: allowedDuration, given: "-1"},
	{name: "a second too long", at: "duration", value: 86401, allowed: allowedByAPI, given: "86401"},
	{name: "longer than any", at: "duration", value: 1 << 31, allowed: allowedDuration, given: "2147483648"},
	{name: "a second and a half", at: "duration", value: 1.5, allowed: allowedDuration, given: "1.5"},
	{name: "nearly a whole second", at: "duration", value: "3600.0000000000000000000000001", allowed: allowedDuration, given: "3600.0000000000000000000000001"},
	{name: "half a second", at: "duration", value: 0.5, allowed: allowedDuration, given: "0.5"},
	{name: "huge time", at: "duration", value: "1e30", allowed: allowedDuration, given: "1e+30"},
	{name: "one more than 64 bits hold", at: "duration", value: "9223372036854775808", allowed: allowedDuration, given: "9.223372036854775808e+18"},
	{name: "huge negative time", at: "duration", value: "-1e30", allowed: allowedDuration, given: "-1e+30"},
}

var badReservations = []refusal{
	{name: "no time to update", at: "timeouts.update", value: "0s", allowed: allowedTimeout, given: `"0s"`},
	{name: "25 hours to update", at: "timeouts.update", value: "25h", allowed: allowedTimeout, given: `"25h"`},
	{name: "word for a time to update", at: "timeouts.update", value: "soon", allowed: allowedTimeout, given: `"soon"`},

	{name: "end before the start", at: "ends_at", value: "2028-02-29T20:14:59+01:00", allowed: `must be after starts_at, which is "2028-02-29T20:15:00+01:00"`, given: `"2028-02-29T20:14:59+01:00"`},
	{name: "end that reads later, and is before the start", at: "ends_at", value: "2028-02-29T21:00:00+02:00", allowed: `must be after starts_at`, given: `"2028-02-29T21:00:00+02:00"`},
	{name: "end after midnight, of the same day", at: "ends_at", value: "2028-02-29T00:15:00+01:00", allowed: `"2028-02-29T20:15:00+01:00"; an event that goes on after midnight ends on the next day`, given: `"2028-02-29T00:15:00+01:00"`},
	{name: "end at the start", at: "ends_at", value: "2028-02-29T20:15:00+01:00", allowed: `must be after starts_at`, given: `"2028-02-29T20:15:00+01:00"`},
	{name: "end at the start, in another offset", at: "ends_at", value: "2028-02-29T19:15:00Z", allowed: `must be after starts_at`, given: `"2028-02-29T19:15:00Z"`},
	{name: "start that is moved behind the end", at: "starts_at", points: "ends_at", value: "2028-03-01T00:15:00Z", allowed: `must be after starts_at, which is "2028-03-01T00:15:00Z"`, given: `"2028-03-01T00:15:00+01:00"`},
}

// badInstants are refused alike as either end of a window.
var badInstants = []refusal{
	{name: "no offset", value: "2028-02-29T20:15:00", allowed: allowedInstant},
	{name: "no offset behind a fraction", value: "2028-02-29T20:15:00.5", allowed: allowedInstant},
	{name: "no offset and no seconds", value: "2028-02-29T20:15", allowed: allowedInstant},
	{name: "no offset, and a space for T", value: "2028-02-29 20:15", allowed: allowedInstant},
	{name: "second 60", value: "2028-06-30T23:59:60Z", allowed: allowedInstant},
	{name: "second 60 in another offset", value: "2028-07-01T01:59:60+02:00", allowed: allowedInstant},
	{name: "second 61", value: "2028-06-30T23:59:61Z", allowed: allowedInstant},
	{name: "minute 60", value: "2028-02-29T20:60:00Z", allowed: allowedInstant},
	{name: "24 o'clock", value: "2028-02-29T24:00:00+01:00", allowed: allowedInstant},
	{name: "24 o'clock without an offset", value: "2028-02-29T24:00:00", allowed: allowedInstant},
	{name: "a minute 24 that is not to blame", value: "2028-02-30T20:24:00Z", allowed: allowedInstant},
	{name: "offset of a day", value: "2028-02-29T20:15:00+24:00", allowed: allowedInstant},
	{name: "offset without a colon", value: "2028-02-29T20:15:00+0100", allowed: allowedInstant},
	{name: "name of a zone", value: "2028-02-29T20:15:00 CET", allowed: allowedInstant},
	{name: "year 0", value: "0000-12-31T23:59:59Z", allowed: allowedInstant},
	{name: "year 0 in UTC", value: "0001-01-01T00:30:00+01:00", allowed: allowedInstant},
	{name: "year 10000", value: "10000-01-01T00:00:00Z", allowed: allowedInstant},
	{name: "year 10000 in UTC", value: "9999-12-31T23:30:00-01:00", allowed: allowedInstant},
	{name: "year with a sign", value: "+2028-02-29T20:15:00Z", allowed: allowedInstant},
	{name: "year before Christ", value: "-0044-03-15T12:00:00Z", allowed: allowedInstant},
	{name: "year of two digits", value: "28-02-29T20:15:00Z", allowed: allowedInstant},
	{name: "day that the year has not", value: "2027-02-29T20:15:00Z", allowed: allowedInstant},
	{name: "date alone", value: "2028-02-29", allowed: allowedInstant},
	{name: "time alone", value: "20:15:00+01:00", allowed: allowedInstant},
	{name: "no seconds", value: "2028-02-29T20:15+01:00", allowed: allowedInstant},
	{name: "hour of one digit", value: "2028-02-29T8:15:00Z", allowed: allowedInstant},
	{name: "fraction behind a comma", value: "2028-02-29T20:15:00,5Z", allowed: allowedInstant},
	{name: "fraction without digits", value: "2028-02-29T20:15:00.Z", allowed: allowedInstant},
	{name: "empty time", value: "", allowed: allowedInstant},
	{name: "time with a line feed behind", value: "2028-02-29T20:15:00Z\n", allowed: allowedInstant},
	{name: "time with a space before", value: " 2028-02-29T20:15:00Z", allowed: allowedInstant},
	{name: "number for a time", value: 2028, allowed: allowedInstant},
	{name: "Unix seconds", value: 1835468100, allowed: allowedInstant},
	{name: "lower-case t and z", value: "2028-02-29t20:15:00z", allowed: allowedInstant},
	{name: "space for T", value: "2028-02-29 20:15:00Z", allowed: allowedInstant},
	{name: "full-width digits", value: "２０２８-02-29T20:15:00Z", allowed: allowedInstant},
	{name: "as another country writes it", value: "29/02/2028 20:15", allowed: allowedInstant},
	{name: "now", value: "now", allowed: allowedInstant},
	{name: "smaller fraction than is kept", value: "2028-02-29T20:15:00.0000000001Z", allowed: allowedInstant},
	{name: "long time", value: "2028-02-29T20:15:00." + strings.Repeat("0", 100), allowed: allowedInstant, given: `"2028-02-29T20:15:00.` + strings.Repeat("0", 60) + `…"`},
}

// badWindows are badInstants for each end.
func badWindows() []refusal {
	var rows []refusal
	for _, end := range []string{"starts_at", "ends_at"} {
		for _, row := range badInstants {
			row.name, row.at = end+": "+row.name, end
			if row.given == "" {
				row.given = fmt.Sprintf("%q", fmt.Sprint(row.value))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

var (
	withWebhook = attrs{"notification_url": "https://example.com/qod"}
	withToken   = attrs{"notification_url": "https://example.com/qod", "notification_auth_token": "hunter2"}
)

var badFilters = []refusal{
	{name: "empty profile", at: "qos_profile", value: "", allowed: namedProfile, given: `""`},
	{name: "unknown status", at: "qos_status", value: "RUNNING", allowed: allowedStatus, given: `"RUNNING"`},
	{name: "lower-case status", at: "qos_status", value: "available", allowed: allowedStatus, given: `"available"`},
	{name: "empty status", at: "qos_status", value: "", allowed: allowedStatus, given: `""`},
	{name: "status with a line feed", at: "qos_status", value: "AVAILABLE\n", allowed: allowedStatus, given: `"AVAILABLE\n"`},
	{name: "number for a status", at: "qos_status", value: 1, allowed: allowedStatus, given: `"1"`},
}

// badProviders have SANDBOX where the address of a sandbox goes: it would answer.
var badProviders = []refusal{
	{name: "http", at: "endpoint", value: "http://opengateway.example/v1", allowed: "uses http, which would send credentials unencrypted; use https", given: `"http://opengateway.example/v1"`},
	{name: "http to what only looks like loopback", at: "endpoint", value: "http://127.0.0.1.example/v1", allowed: "use https", given: `"http://127.0.0.1.example/v1"`},
	{name: "ftp", at: "endpoint", value: "ftp://SANDBOX/v1", allowed: "use https", given: `"ftp://SANDBOX/v1"`},
	{name: "no scheme", at: "endpoint", value: "localhost/v1", allowed: "is not an absolute URL such as https://host/path", given: `"localhost/v1"`},
	{name: "relative", at: "endpoint", value: "/v1", allowed: "is not an absolute URL", given: `"/v1"`},
	{name: "no host", at: "endpoint", value: "https:///v1", allowed: "is not an absolute URL", given: `"https:///v1"`},
	{name: "user and password", at: "endpoint", value: "http://sandbox-client:hunter2@SANDBOX/v1", allowed: "contains a user name or password", given: `"http://…@SANDBOX/v1"`},
	{name: "query", at: "endpoint", value: "http://SANDBOX/v1?key=hunter2", allowed: "contains a query or fragment", given: `"http://SANDBOX/v1?…"`},
	{name: "fragment", at: "endpoint", value: "http://SANDBOX/v1#hunter2", allowed: "contains a query or fragment", given: `"http://SANDBOX/v1#…"`},
	{name: "line feed", at: "endpoint", value: "http://SANDBOX/v1\n", allowed: "contains a space or a control character", given: `"http://SANDBOX/v1\n"`},
	{name: "space before", at: "endpoint", value: " http://SANDBOX/v1", allowed: "contains a space or a control character", given: `" http://SANDBOX/v1"`},
	{name: "number", at: "endpoint", value: 443, allowed: "is not an absolute URL", given: `"443"`},
	{name: "token URL: http", at: "token_url", value: "http://opengateway.example/token", allowed: "use https", given: `"http://opengateway.example/token"`},
	{name: "token URL: relative", at: "token_url", value: "/oauth2/token", allowed: "is not an absolute URL", given: `"/oauth2/token"`},
	{name: "token URL: user and password", at: "token_url", value: "http://sandbox-client:hunter2@SANDBOX/oauth2/token", allowed: "contains a user name or password", given: `"http://…@SANDBOX/oauth2/token"`},

	{name: "null scope", at: "scopes", points: "scopes[1]", value: []any{"qod:sessions:read", nil}, allowed: allowedScope, given: "null"},
	{name: "empty scope", at: "scopes", points: "scopes[0]", value: []any{""}, allowed: allowedScope, given: `""`},
	{name: "two scopes in one", at: "scopes", points: "scopes[0]", value: []any{"qod:sessions:read qod:sessions:write"}, allowed: allowedScope, given: `"qod:sessions:read qod:sessions:write"`},
	{name: "scope with a line feed", at: "scopes", points: "scopes[0]", value: []any{"qod:sessions:read\n"}, allowed: allowedScope, given: `"qod:sessions:read\n"`},
	{name: "scope with a quote", at: "scopes", points: "scopes[1]", value: []any{"qod:sessions:read", `"`}, allowed: allowedScope, given: `"\""`},

	{name: "negative retries", at: "max_retries", value: -1, allowed: "must be a whole number from 0 to 20", given: "-1"},
	{name: "many retries", at: "max_retries", value: 21, allowed: "must be a whole number from 0 to 20", given: "21"},
	{name: "retry and a half", at: "max_retries", value: 1.5, allowed: "must be a whole number from 0 to 20", given: "1.5"},
	{name: "huge retries", at: "max_retries", value: "1e30", allowed: "must be a whole number from 0 to 20", given: "1e+30"},

	{name: "no timeout", at: "request_timeout", value: "0s", allowed: allowedRequest, given: `"0s"`},
	{name: "negative timeout", at: "request_timeout", value: "-30s", allowed: allowedRequest, given: `"-30s"`},
	{name: "long timeout", at: "request_timeout", value: "11m", allowed: allowedRequest, given: `"11m"`},
	{name: "timeout without a unit", at: "request_timeout", value: 30, allowed: allowedRequest, given: `"30"`},
	{name: "word for a timeout", at: "request_timeout", value: "soon", allowed: allowedRequest, given: `"soon"`},

	{name: "endpoint in quotation marks", at: "endpoint", value: `"http://SANDBOX/v1"`, allowed: "is not a URL. The quotation marks have become part of the value: remove them", given: `"\"http://SANDBOX/v1\""`},
	{name: "both kinds of credentials", at: "access_token", value: "hunter2", allowed: "The attribute access_token conflicts with client_id, client_secret and client_private_key"},
	{name: "token with its scheme", at: "access_token", value: "Bearer hunter2", allowed: `The attribute access_token starts with "Bearer": give the token alone`, beside: attrs{"client_id": nil, "client_secret": nil}},
	{name: "token in quotation marks", at: "access_token", value: `"hunter2"`, allowed: "The attribute access_token is in quotation marks", beside: attrs{"client_id": nil, "client_secret": nil}},
	{name: "secret in quotation marks", at: "client_secret", value: `"hunter2"`, allowed: "The attribute client_secret is in quotation marks"},
	{name: "client id in quotation marks", at: "client_id", value: `'sandbox-client'`, allowed: "The attribute client_id is in quotation marks"},
	{name: "token with a line feed", at: "access_token", value: "hunter2\n", allowed: "The attribute access_token contains a space, a line feed", beside: attrs{"client_id": nil, "client_secret": nil}},
	{name: "secret with a line feed", at: "client_secret", value: "hunter2\n", allowed: "The attribute client_secret contains a line feed"},
	{name: "client id with a line feed", at: "client_id", value: "sandbox-client\n", allowed: "The attribute client_id contains a line feed"},
}

func TestValidation_session(t *testing.T) {
	t.Parallel()
	planRefuses(t, "qod_session", goodSession, badDevices, badRequests, badDurations)
}

func TestValidation_reservation(t *testing.T) {
	t.Parallel()
	planRefuses(t, "qod_reservation", goodReservation, badDevices, badRequests, badReservations, badWindows())
}

// planRefuses plans each of the bad values in a resource that is good but for it.
func planRefuses(t *testing.T, typeName string, good attrs, rows ...[]refusal) {
	t.Helper()
	for _, row := range slices.Concat(rows...) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			row.check(t, s, acc.NewClient(t, nil).PlanNew(typeName, acctest.ProviderConfig(s), row.on(good)))
		})
	}
}

// Reading may have to wait for the apply, so all is refused before.
func TestValidation_sessions(t *testing.T) {
	t.Parallel()
	for _, row := range slices.Concat(badDevices, badFilters) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			row.check(t, s, acc.NewClient(t, nil).ValidateSessions(row.on(attrs{})))
		})
	}
}

func TestValidation_provider(t *testing.T) {
	t.Parallel()
	for _, row := range badProviders {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			host := strings.TrimPrefix(s.URL(), "http://")
			if text, ok := row.value.(string); ok {
				row.value = strings.ReplaceAll(text, "SANDBOX", host)
			}
			row.given = strings.ReplaceAll(row.given, "SANDBOX", host)
			row.check(t, s, acc.NewClient(t, nil).ReadSessions(row.on(acctest.ProviderConfig(s)), attrs{}))
		})
	}
}

// on returns the configuration with the bad value in it.
func (row refusal) on(config attrs) attrs {
	for at, value := range row.beside {
		config = config.With(at, value)
	}
	return config.With(row.at, row.value)
}

// check wants one error, where it belongs, that tells what a person needs and nothing that is
// nobody's business; and no request.
func (row refusal) check(t *testing.T, s *sandbox.Server, diags []*tfprotov6.Diagnostic) {
	t.Helper()
	if asked := s.Requests(); len(asked) > 0 {
		t.Errorf("the bad value cost %d requests, the first one %s %s", len(asked), asked[0].Method, asked[0].Path)
	}
	if len(diags) != 1 || !acctest.HasError(diags) {
		t.Fatalf("want one error, got:\n%s", acctest.Describe(diags))
	}
	d := diags[0]
	points := row.points
	if points == "" {
		points = row.at
	}
	if at := acctest.PathString(d.Attribute); at != points {
		t.Errorf("the error is at %q, want %q", at, points)
	}
	if !strings.HasPrefix(d.Summary, "Invalid ") && !strings.HasPrefix(d.Summary, "Missing ") && d.Summary != "Conflicting Credentials" {
		t.Errorf("summary %q starts with neither Invalid nor Missing", d.Summary)
	}
	name, _, _ := strings.Cut(points, "[")
	if !strings.Contains(d.Detail, name) {
		t.Errorf("the text does not name %s:\n%s", name, d.Detail)
	}
	if !strings.Contains(d.Detail, row.allowed) {
		t.Errorf("the text does not say\n%s\nbut\n%s", row.allowed, d.Detail)
	}
	if row.given != "" && !strings.HasSuffix(d.Detail, row.given+".") {
		t.Errorf("the text does not end in %s.:\n%s", row.given, d.Detail)
	}
	acctest.EndsOnce(t, d.Detail)
	value := fmt.Sprint(row.value)
	if strings.HasPrefix(row.at, "device.") && !strings.HasSuffix(row.at, "public_port") {
		if piece := revealed(d.Summary+d.Detail, value); piece != "" {
			t.Errorf("the text shows %q of the device:\n%s", piece, d.Detail)
		}
	}
	if strings.Contains(d.Summary+d.Detail, "hunter2") {
		t.Errorf("the text shows a secret:\n%s", d.Detail)
	}
}

// revealed returns a piece of five letters or digits of a personal value that stands in text,
// however it is spaced there.
func revealed(text, value string) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	text = plain(text)
	runes := []rune(plain(value))
	for i := 0; i+5 <= len(runes); i++ {
		if piece := string(runes[i : i+5]); strings.Contains(text, piece) {
			return piece
		}
	}
	return ""
}

// A validator that refuses too much would pass all of the above.
func TestValidation_accepts(t *testing.T) {
	t.Parallel()
	for at, values := range map[string][]any{
		"device.phone_number":              {"+12345", "+123456789012345", "+34611222333"},
		"device.network_access_identifier": {"a", "jane.roe@carrier.tel", "señal@carrier.tel", strings.Repeat("a", 253)},
		"device.ipv4_address":              {attrs{"public_address": "203.0.113.77"}, attrs{"public_address": "203.0.113.77", "public_port": 0}, attrs{"public_address": "203.0.113.77", "public_port": 65535}},
		"device.ipv6_address":              {"2a02:9130::77", "2A02:9130:0:0:0:0:0:77", "64:ff9b::203.0.113.77"},
		"device":                           {attrs{"ipv6_address": "2a02:9130::77"}, attrs{"network_access_identifier": "a@b"}},
		"application_server.ipv4_address":  {"198.51.100.10", "198.51.100.0/24", "198.51.100.7/24", "0.0.0.0/0"},
		"application_server.ipv6_address":  {"2001:db8::10", "2001:db8::/32", "::/0"},
		"qos_profile":                      {"QOS_E", "QOS_S", "QOS_M", "QOS_L"},
		"qod_session.duration":             {1, 86400, "3600", "3600.0", "8.64e4"},
		"qod_reservation.starts_at": {
			nil, "2028-02-29T20:15:00+01:00", "2028-02-29T19:15:00Z", "2028-02-29T19:15:00-00:00", "2028-02-29T19:15:00.123456789Z", "2028-03-01T18:14:59+23:59",
			"0001-01-01T00:00:01Z", "1999-12-31T23:59:59Z", "2028-02-29T23:14:59.999999999Z",
		},
		"qod_reservation.ends_at": {
			"2028-02-29T19:15:00.000000001Z", "2028-02-29T20:15:01+01:00", "2028-02-29T15:15:01-04:00", "9999-12-31T23:59:59.999999999Z", "2030-06-30T23:59:59+14:00",
		},
		"qod_reservation.timeouts.update":    {"1ns", "24h"},
		"notification_url":                   {"https://example.com", "http://example.com:8080/qod?team=a&x=%20", "https://[2001:db8::1]:65535/", "HTTPS://EXAMPLE.COM/"},
		"wait_for_available":                 {true, false},
		"timeouts.create":                    {"1ns", "90s", "1h30m", "24h", "0.5h"},
		"timeouts.delete":                    {"1ns", "24h"},
		"application_server":                 {nil, attrs{"ipv4_address": "198.51.100.10", "ipv6_address": "2001:db8::10"}},
		"device.ipv4_address.public_address": {"203.0.113.77"},
		"provider.endpoint":                  {"https://opengateway.example/v1", "https://opengateway.example/v1/", "http://localhost:1/v1", "http://[::1]:1/v1", "http://127.0.0.2:1/v1", ""},
		"provider.token_url":                 {"https://opengateway.example/token", "http://127.0.0.1:1/token", ""},
		"provider.scopes":                    {[]any{"qod:sessions:read"}, []any{"a", "b"}, []any{}},
		"provider.max_retries":               {0, 20},
		"provider.request_timeout":           {"1ms", "10m"},
		"provider.client_secret":             {"a secret with spaces", "sécret"},
		"provider.access_token":              {""},
		"notification_auth_token":            {nil, "a", "hunter2", strings.Repeat("x", 4096)},
		"notification_auth_token_version":    {nil, 0, 1 << 53},
	} {
		for _, value := range values {
			for typeName, good := range map[string]attrs{"qod_session": goodSession, "qod_reservation": goodReservation} {
				name, own := strings.CutPrefix(at, typeName+".")
				if !own && strings.HasPrefix(at, "qod_") {
					continue // it is the other one's
				}
				t.Run(fmt.Sprintf("%s: %s=%.60v", typeName, name, value), func(t *testing.T) {
					t.Parallel()
					s := sandbox.Start(t, sandbox.Config{})
					provider, config := acctest.ProviderConfig(s), refusal{at: "notification_auth_token", value: "hunter2", beside: withWebhook}.on(good)
					if name, ok := strings.CutPrefix(name, "provider."); ok {
						provider = provider.With(name, value)
					} else {
						config = config.With(name, value)
					}
					if diags := acc.NewClient(t, nil).PlanNew(typeName, provider, config); len(diags) > 0 {
						t.Errorf("refused:\n%s", acctest.Describe(diags))
					}
					sendsNothing(t, s, typeName)
				})
			}
		}
	}
}

// Terraform drops what it does not know inside an object, so that a misspelled one is empty. A
// module may pass on what is null, too, so this is no error.
func TestValidation_emptyTimeouts(t *testing.T) {
	t.Parallel()
	for typeName, good := range map[string]acctest.Attrs{"qod_session": goodSession, "qod_reservation": goodReservation} {
		diags := acc.NewClient(t, nil).PlanNew(typeName, acctest.ProviderConfig(sandbox.Start(t, sandbox.Config{})), good.With("timeouts", acctest.Attrs{}))
		if len(diags) != 1 || acctest.HasError(diags) || diags[0].Summary != "Empty Timeouts" || !strings.Contains(diags[0].Detail, "check the spelling") {
			t.Errorf("%s: want one warning, got:\n%s", typeName, acctest.Describe(diags))
		}
	}
}

// What Terraform does not know yet may still turn out well.
func TestValidation_unknown(t *testing.T) {
	t.Parallel()
	request := attrs{
		"device": attrs{
			"phone_number": "+34611222333", "network_access_identifier": "jane.roe@carrier.tel",
			"ipv4_address": attrs{"public_address": "203.0.113.77", "public_port": 5060}, "ipv6_address": "2a02:9130::77",
		},
		"application_server":              attrs{"ipv4_address": "198.51.100.0/24", "ipv6_address": "2001:db8::/32"},
		"qos_profile":                     "QOS_L",
		"notification_url":                "https://example.com/qod",
		"notification_auth_token":         "hunter2",
		"notification_auth_token_version": 1,
		"wait_for_available":              true,
		"timeouts":                        attrs{"create": "5m", "delete": "2m"},
	}
	full := request.With("duration", 3600)
	resources := map[string][]attrs{ // with everything else known, and with little
		"qod_session":     {full, goodSession},
		"qod_reservation": {request.With("timeouts.update", "5m").With("starts_at", goodReservation["starts_at"]).With("ends_at", goodReservation["ends_at"]), goodReservation},
	}
	provider := func(s *sandbox.Server) attrs {
		return acctest.ProviderConfig(s).With("token_url", s.TokenURL()).With("scopes", []any{"qod:sessions:read"}).
			With("max_retries", 1).With("request_timeout", "30s")
	}
	for typeName, bases := range resources {
		for _, at := range pathsOf("", bases[0]) {
			t.Run(typeName+"/"+at, func(t *testing.T) {
				t.Parallel()
				s := sandbox.Start(t, sandbox.Config{})
				for _, base := range bases {
					diags := acc.NewClient(t, nil).PlanNew(typeName, acctest.ProviderConfig(s), base.With(at, acctest.Unknown{}))
					if len(diags) > 0 && !needsOther(at, base) {
						t.Errorf("refused:\n%s", acctest.Describe(diags))
					}
				}
				sendsNothing(t, s, typeName)
			})
		}
	}
	for _, at := range append(pathsOf("", provider(sandbox.Start(t, sandbox.Config{}))), "access_token") {
		t.Run("provider/"+at, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			config := provider(s).With(at, acctest.Unknown{})
			if diags := acc.NewClient(t, nil).PlanNew("qod_session", config, full); len(diags) > 0 {
				t.Errorf("refused:\n%s", acctest.Describe(diags))
			}
			if asked := s.Requests(); len(asked) > 0 {
				t.Errorf("planning made %d requests", len(asked))
			}
			// Only a call needs it, and says so.
			diags := acc.NewClient(t, nil).ReadSessions(config, attrs{})
			if len(diags) != 1 || !strings.Contains(diags[0].Detail, "its "+at+" depends on a resource") {
				t.Errorf("a call without %s says:\n%s", at, acctest.Describe(diags))
			}
		})
	}
	t.Run("provider/an element of scopes", func(t *testing.T) {
		t.Parallel()
		s := sandbox.Start(t, sandbox.Config{})
		if diags := acc.NewClient(t, nil).PlanNew("qod_session", acctest.ProviderConfig(s).With("scopes", []any{"a", acctest.Unknown{}}), full); len(diags) > 0 {
			t.Errorf("refused:\n%s", acctest.Describe(diags))
		}
	})
	filters := attrs{"device": full["device"], "qos_profile": "QOS_L", "qos_status": "AVAILABLE"}
	for _, at := range pathsOf("", filters) {
		t.Run("sessions/"+at, func(t *testing.T) {
			t.Parallel()
			for _, base := range []attrs{filters, {}} {
				diags := acc.NewClient(t, nil).ValidateSessions(base.With(at, acctest.Unknown{}))
				if len(diags) > 0 && !needsOther(at, base) {
					t.Errorf("refused:\n%s", acctest.Describe(diags))
				}
			}
		})
	}
}

// sendsNothing checks that a plan made no request, but for the one list that shows a reservation
// the time, so that it can warn of a window that is over.
func sendsNothing(t *testing.T, s *sandbox.Server, typeName string) {
	t.Helper()
	operations := []sandbox.Operation{}
	if typeName == "qod_reservation" {
		operations = []sandbox.Operation{sandbox.OpCreate, sandbox.OpRead, sandbox.OpDelete}
	}
	if asked := s.Requests(operations...); len(asked) > 0 {
		t.Errorf("planning made %d requests, the first one %s %s", len(asked), asked[0].Method, asked[0].Path)
	}
}

// needsOther reports whether an attribute makes no sense on this base, known or not.
func needsOther(at string, base attrs) bool {
	switch at {
	case "notification_auth_token":
		return base["notification_url"] == nil
	case "notification_auth_token_version":
		return base["notification_auth_token"] == nil
	case "device.ipv4_address.public_port":
		device, _ := base["device"].(attrs)
		return device["ipv4_address"] == nil
	}
	return false
}

// pathsOf are the dotted paths of all attributes in a configuration, objects among them.
func pathsOf(prefix string, config attrs) []string {
	var paths []string
	for name, value := range config {
		paths = append(paths, prefix+name)
		if inner, ok := value.(attrs); ok {
			paths = append(paths, pathsOf(prefix+name+".", inner)...)
		}
	}
	slices.Sort(paths)
	return paths
}

// The way from HCL to the tables above: what Terraform converts, and what it refuses by itself.
func TestValidation_cli(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	step := func(config, expect string) resource.TestStep {
		return resource.TestStep{Config: config, PlanOnly: true, ExpectError: acctest.MessagePattern(expect)}
	}
	session := func(phone, duration, more string) string {
		return network.HCL(fmt.Sprintf(`
resource "qod_session" "camera" {
  device      = { phone_number = %s }
  qos_profile = "QOS_L"
  duration    = %s
  %s
}
`, phone, duration, more))
	}
	reservation := func(starts, ends string) string {
		return network.HCL(fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34611222333\" }\n  qos_profile = \"QOS_L\"\n  starts_at = %s\n  ends_at = %s\n}\n", starts, ends))
	}
	const phone = `"+34611222333"`
	network.Test(
		step(session(`34611222333`, "3600", ""), `device.phone_number `+allowedPhone+`. The plus is missing.`),
		step(session(`yamldecode("phone: +34611222333").phone`, "3600", ""), `device.phone_number `+allowedPhone+`. The plus is missing.`),
		step(session(`"+34611222333\n"`, "3600", ""), `device.phone_number `+allowedPhone+`. It contains a line feed: remove it, for example with trimspace. Given: "+**********3\n" (11 digits).`),
		step(session(phone, "1.5", ""), `duration `+allowedDuration+`. Given: 1.5.`),
		step(session(phone, `"an hour"`, ""), `Inappropriate value for attribute "duration": a number is required.`),
		step(session(phone, "3600", `wait_for_available = "perhaps"`), `Inappropriate value for attribute "wait_for_available": a bool is required.`),
		step(session(phone, "3600", `notification_auth_token_version = 2`), `Missing Notification Auth Token`),
		step(session(phone, "3600", `timeouts = { create = "25h" }`), `timeouts.create `+allowedTimeout+`. It is too long. Given: "25h".`),
		step(reservation(`"2028-02-29T20:15:00"`, `"2028-03-01T00:15:00Z"`), `starts_at `+allowedInstant+`. The offset is missing: write "2028-02-29T20:15:00Z" for UTC`),
		step(reservation(`"2028-02-29T20:15:00+01:00"`, `timeadd("2028-02-29T19:15:00Z", "0s")`), `ends_at must be after starts_at, which is "2028-02-29T20:15:00+01:00". Given: "2028-02-29T19:15:00Z".`),
		step(network.HCL(`data "qod_sessions" "all" { qos_status = "RUNNING" }`), `qos_status `+allowedStatus+`. Given: "RUNNING".`),
		step(network.HCL(`
resource "terraform_data" "event" {}

data "qod_sessions" "read_when_applied" {
  qos_status = "RUNNING"
  depends_on = [terraform_data.event]
}
`), `qos_status `+allowedStatus+`. Given: "RUNNING".`),
		step(network.HCL(`data "qod_sessions" "all" { qos_profile = "QOS_XL" }`), `qos_profile `+allowedProfile+`. Given: "QOS_XL".`),
		step(network.ProviderHCL(`scopes = [""]`)+`data "qod_sessions" "all" {}`, `scopes[0] `+allowedScope+`. Given: "".`),
	)
	if asked := network.Requests(); len(asked) > 0 {
		t.Errorf("the bad values cost %d requests", len(asked))
	}
}
