// No text that a server writes makes us show more than the last two characters of an identifier, or
// anything of a secret.
package qod

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"+34600000001": "…01", "203.0.113.7": "….7", "2001:db8::1": "…:1", "a@b.c": "….c", "12345": "…45", "1234": "…", "1": "…", "": "…", "ñandú": "…dú",
	} {
		if got := Mask(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 1000)
	for text, want := range map[string]string{
		"":                            "",
		"plain words":                 "plain words",
		" a \r\n\t b\u2028c\u00a0d ":  "a b c d",
		"\x1b[31mred\x1b[0m":          "[31mred[0m",
		"a\x00b\u200bc\u202ed\ufeff":  "abcd",
		"\xff\xfebytes\ufffd":         "bytes",
		"<html><body>x</body></html>": "",
		"<!DOCTYPE html>":             "",
		"< b >bold":                   "",
		"a < 3 and b > 4":             "a < 3 and b > 4",
		long:                          long[:2*maxServerText] + "…",
	} {
		if got := readable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTokenPrintsNothing(t *testing.T) {
	t.Parallel()
	token := Token{value: "a-secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{token, &token, []Token{token}, map[string]Token{"a": token}} {
			if got := fmt.Sprintf(format, value); strings.Contains(got, "a-secret") || strings.Contains(got, "612d736563726574") {
				t.Errorf("%s of %T is %q", format, value, got)
			}
		}
	}
}

// However a server spells a phone number, only its last two digits are shown: another device's
// number is recognised by its form, the device's own by itself.
func TestPhoneNumbersAreMasked(t *testing.T) {
	t.Parallel()
	const digits = "34600100099"
	own := Device{PhoneNumber: "+" + digits}
	for _, s := range []string{
		"+34600100099", "34600100099", "+34 600 100 099", "34-600-100-099", "0034600100099", "00 34 600 100 099", "msisdn34600100099", "MSISDN=34600100099",
		"tel:+34600100099", "tel:+34-600-100-099", "tel%3A%2B34600100099", "tel%3a%2b34600100099", "%2B34600100099", "%2b34%20600%20100%20099",
		"tel=%2B34+600+100+099", "tel=34+600+100+099", "(+34)600100099x", "(+34) 600 100 099", "(0034)600100099", "+34 (600) 100-099",
		"34.600.100.099", "+34.600.10.00.99", "+34\u00a0600\u00a0100\u00a0099", "34\u202f600\u202f100\u202f099", "34‑600‑100‑099", "34–600–100–099", "34−600−100−099",
		"346 001 000 99", "3 4 6 0 0 1 0 0 0 9 9", "34 - 600 - 100 - 099", "34/600/100099", "34_600_100_099", "34,600,100,099", "34’600’100’099",
		"34600\t100099", "34600\n\n\n\n100099", "34600\u200b100099", "\u202a+34 600 100 099\u202c", "34600\x00100099", "34600\xff100099", "346001\ufeff00099",
		`34\u00a0600\u00a0100\u00a0099`, "34%C2%A0600%C2%A0100%C2%A0099", "34&nbsp;600&nbsp;100&nbsp;099", "x34600100099", "34600100099x", "_34600100099_", "a34600100099b",
		`{"phoneNumber":34600100099}`, "34600100099@ims.example", "sip:34600100099@10.0.0.1", "urn:msisdn:34600100099:", "https://hlr.example/34600100099?x=1",
		"+34600100099.", "+34600100099,", "(34600100099)", "[34600100099]", "<34600100099>", "'34600100099'", "34600100099;ext=5", "at 20:15:00 +34600100099",
		"2026-11-29T20:15:00Z +34 600 100 099", "2026-11-29 34600100099", "34600100099-2026-11-29", "404 34600100099",
	} {
		for _, text := range []string{s, "The line " + s + " is busy.", `{"message":"` + s + `"}`} {
			for way, got := range map[string]string{
				"foreign": readable(redactServer(strings.ReplaceAll(text, "<", "‹"), nil, Device{})),
				"own":     readable(redact(strings.ReplaceAll(text, "<", "‹"), nil, own)),
			} {
				if shown := onlyDigits(got); strings.Contains(shown, "600100") || strings.Contains(shown, "100099") || strings.Contains(shown, "00100") {
					t.Errorf("%s %q: %q", way, text, got)
				}
			}
		}
	}
	for text, want := range map[string]string{
		"line +34 600 100 099 is busy":                "line …99 is busy",
		"line (+34)600100099x is busy":                "line …99x is busy",
		"line (34600100099) is busy":                  "line (…99) is busy",
		"tel%3A%2B34600100099":                        "tel%3A…99",
		"msisdn34600100099":                           "msisdn…99",
		"lines 34600100001,34600100002":               "lines …01,…02",
		"lines 34600100001, 34600100002; 34600100003": "lines …01, …02; …03",
		"lines +34 600 100 001 and +34 600 100 002":   "lines …01 and …02",
		"+34 600 100 001 +34 600 100 002":             "…01 …02",
		"34600100001 34600100002 17":                  "…01 …17",
		"600 1000991 600 1000992":                     "…00 …92",
		"1234567":                                     "…67",
		"123456":                                      "123456",
	} {
		if got := redactServer(text, nil, Device{}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Numbers that are not personal stay readable: they are what an error is read for.
func TestOtherNumbersAreReadable(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"session " + someID + " not found",
		"session " + strings.ToUpper(someID),
		"session aaaaaaaa-0000-4000-8000-123456789012, again 12345678-1234-1234-1234-123456789012.",
		"/v1/qod/sessions/12345678-1234-1234-1234-123456789012",
		"correlator=12345678-1234-1234-1234-123456789012;",
		"trace 4bf92f3577b34da6a3ce929d0e0e4736",
		"traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"until 2026-11-29T20:15:00Z", "until 2026-11-29t20:15:00.123456789z.", "(2026-11-29T20:15:00+01:00)", "from 2026-11-29 20:15:00 to 2026-11-30 20:15:00",
		"at 2026-11-29T20:15:00.123+0100", "at 2026-11-29 20:15:00,123 UTC", "at 2026-11-29 20:15:00 +0000", "on 2026-11-29", "on 29.11.2026 20:15", "on 11/29/2026",
		"on 2026/11/29", "at 20261129T201500Z", "at 12:30:45.123456", "Sun, 29 Nov 2026 20:15:00 GMT", "[2026-11-29 20:15:00]", "2026-11-29_20:15:00",
		"HTTP 404 Not Found", "HTTP/1.1 503", "400 Bad Request", "got 429, 503 or 504", "error 40001",
		"maximum is 86400 seconds", "duration 3600 of 86400", "took 1.234567891s", "after 30.5 s", "waited 1h2m3.456789012s", "in 12.3456789ms",
		"version v1.25.10", "gateway v12.345.6789 is old", "Terraform/1.11.4", "section 4.2", "RFC 6749", "port 8080", "1 of 1000", "QOS_E", "100%",
		"retry at 12:30:45", "a.b.c: bad face: dead",
	} {
		for _, whole := range []string{text, "It says: " + text + " (see there)"} {
			if got := redactServer(whole, nil, Device{}); got != whole {
				t.Errorf("%q: %q", whole, got)
			}
		}
	}
}

// A short secret is removed only where it is a word of its own. Removed from `latest`, a secret
// `test` would be given away by the rest of the word.
func TestShortSecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ secret, text, want string }{
		{"test", "the latest attest tests: test_1 atest", "the latest attest tests: test_1 atest"},
		{"test", "secret test is wrong", "secret REDACTED is wrong"},
		{"test", "test", "REDACTED"},
		{"test", `"test", (test), test; test test.`, `"REDACTED", (REDACTED), REDACTED; REDACTED REDACTED.`},
		{"test", "client_secret=test&x", "client_secret=REDACTED&x"},
		{"test", "it is dGVzdA== as sent", "it is REDACTED as sent"},
		{"tété", "été tétés tété", "été tétés REDACTED"},
		{"a", "a cat at a bar", "a cat at a bar"},
		{"a", "client_secret=a&scope=b", "client_secret=REDACTED&scope=b"},
		{"a", `{"client_secret":"a","access_token" : "b"}`, `{"client_secret":"REDACTED","access_token" : "REDACTED"}`},
		{"a", `{\"notificationAuthToken\":\"a\"}`, `{\"notificationAuthToken\":\"REDACTED\"}`},
		{"", "nothing is secret", "nothing is secret"},
		{"p/w", "p/w p%2Fw p%2fw up/w p/wn", "REDACTED REDACTED REDACTED up/w p/wn"},
		{"a:a", "Authorization: Basic YTph", "Authorization: Basic REDACTED"},
		{"long secret", "xlong secretx long%20secret long+secret", "xREDACTEDx REDACTED REDACTED"},
		{"long/secret=", `xlong%2Fsecret%3Dx long%2fsecret%3d long\/secret=`, "xREDACTEDx REDACTED REDACTED"},
		{"long&<secret>", "long&amp;&lt;secret&gt; and long\\u0026\\u003csecret\\u003e", "REDACTED and REDACTED"},
		{"long  se\ncret", "it was long  se\ncret, as in long se cret", "it was REDACTED, as in REDACTED"},
		{"longsecret", "long\u200bsecret", "REDACTED"},
		{"bytes>>>???", "Ynl0ZXM+Pj4/Pz8= Ynl0ZXM-Pj4_Pz8", "REDACTED REDACTED"},
	} {
		if got := redact(test.text, []string{test.secret}, Device{}); got != test.want {
			t.Errorf("%q in %q: %q, want %q", test.secret, test.text, got, test.want)
		}
	}
	// The value of an Authorization header is removed, known or not.
	for text, want := range map[string]string{
		"Authorization: Bearer x and more":         "Authorization: Bearer REDACTED and more",
		`{"authorization":"basic eDph"}`:           `{"authorization":"basic REDACTED"}`,
		"sent authorization=Bearer a.b-c_d~e/f+g=": "sent authorization=Bearer REDACTED",
		"invalid authorization: token expired":     "invalid authorization: token expired",
		"the Bearer token is missing":              "the Bearer token is missing",
	} {
		if got := redact(text, nil, Device{}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	// The Basic credential of the shortest possible id and secret.
	config := Config{ClientID: "i", ClientSecret: "s"}
	for _, text := range []string{"Basic aTpz", "(aTpz)", "aTpz", `"i:s"`} {
		if got := redact(text, config.secrets(), Device{}); strings.Contains(got, "aTpz") || strings.Contains(got, "i:s") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// Only the start of an endless answer is searched, and what is cut in two there is never shown.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("S3cr3t", 1000)
	for n := range 8 {
		text := strings.Repeat("x", n*len(secret)/8) + strings.Repeat(secret, 40)
		if got := readable(redactServer(text, []string{secret}, Device{})); strings.Contains(got, "S3cr3tS3cr3t") {
			t.Fatalf("it shows %q", got)
		}
	}
	text := strings.Repeat("34600100099 600 100 099 is busy. ", 1<<20)
	if got := readable(redactServer(text, nil, Device{PhoneNumber: "+34600100001"})); !strings.HasPrefix(got, "…99 is busy. ") || strings.Contains(got, "600") {
		t.Errorf("it shows %q", got)
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"", "a", "1234", "12345", "+34600000001", "203.0.113.7", "ñandú", "\xff\xff\xff\xff\xff\xff", "…………", "a\u0301b\u0301c\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Mask(s)
		shown, ok := strings.CutPrefix(got, "…")
		if n := utf8.RuneCountInString(shown); !ok || n > 2 || (utf8.RuneCountInString(s) < 5 && n > 0) {
			t.Errorf("%q: %q", s, got)
		}
		if utf8.ValidString(s) && !strings.HasSuffix(s, shown) {
			t.Errorf("%q: %q is not its end", s, got)
		}
		d := Device{PhoneNumber: s, NetworkAccessIdentifier: s, IPv6Address: s, IPv4Address: &IPv4Address{PublicAddress: s}}
		if n := utf8.RuneCountInString(s); n > 12 && strings.Contains(fmt.Sprintf("%v %+v %#v", d, d, d), s) {
			t.Errorf("the device shows %q", s)
		}
	})
}

// Whatever text surrounds them, a phone number, a name, two addresses and a secret are not shown.
func FuzzRedact(f *testing.F) {
	for _, s := range []struct{ before, behind string }{
		{"", ""}, {"tel:", "."}, {"[", "]:443"}, {"+", "+"}, {"(00", ")"}, {"address:", "/32"}, {"a", "b"}, {"1", "2"}, {"REDA", "CTED"}, {"\x00", "\x00"}, {"…", "…"}, {"<", ">"},
		{"%2B", "%20"}, {`"`, `\"`}, {strings.Repeat("x", 299), ""},
	} {
		f.Add(s.before, s.behind)
	}
	const phone, name, v4, v6, secret = "+34611223344", "canary.line@example.com", "203.0.113.77", "2001:db8::ca4a", "S3cr3t/+Canary=&?"
	device := Device{PhoneNumber: phone, NetworkAccessIdentifier: name, IPv4Address: &IPv4Address{PublicAddress: v4}, IPv6Address: v6}
	secrets := []string{secret}
	spelled := []string{
		secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
		phone, strings.TrimPrefix(phone, "+"), "34 611 223 344", "3461-122-3344", "34.61.12.23.34.4", name, v4, v6,
	}
	f.Fuzz(func(t *testing.T, before, behind string) {
		for _, leak := range spelled {
			if strings.Contains(before+" "+behind, leak) {
				continue
			}
			text := before + leak + behind
			for way, got := range map[string]string{
				"redact":       redact(text, secrets, device),
				"redactServer": redactServer(text, secrets, device),
				"readable":     readable(redactServer(text, secrets, device)),
			} {
				if strings.Contains(got, leak) {
					t.Errorf("%s of %q is %q", way, text, got)
				}
			}
		}
		text := readable(before)
		if utf8.RuneCountInString(text) > maxServerText+1 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is readable as %q", before, text)
		}
		// Those of other devices are recognised by their form, if a word ends there.
		for _, leak := range []string{phone, name, v4, v6} {
			if got := redactServer(leak, nil, Device{}); strings.Contains(got, leak) {
				t.Errorf("%q is %q", leak, got)
			}
		}
	})
}

// The address that a device has within its network is as personal as the one that the internet
// sees.
func TestPrivateAddressesAreMasked(t *testing.T) {
	t.Parallel()
	d := Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.77", PrivateAddress: "10.20.30.40"}}
	got := redact("no line has 203.0.113.77 (10.20.30.40)", nil, d)
	if want := "no line has …77 (…40)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
