// Of an identifier no more than the last two characters are ever shown, and of a secret nothing,
// in whatever text a server makes of them.
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

// Whatever a server writes around them, a phone number, a name, two addresses and a secret do not
// come through.
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
	spelled := []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), phone, strings.TrimPrefix(phone, "+"), name, v4, v6}
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
		// Foreign ones are known by their looks, where a word ends.
		for _, leak := range []string{phone, name, v4, v6} {
			if got := redactServer(leak, nil, Device{}); strings.Contains(got, leak) {
				t.Errorf("%q is %q", leak, got)
			}
		}
	})
}
