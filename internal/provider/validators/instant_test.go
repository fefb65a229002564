// Proves which times a configuration may say.

package validators

import (
	"strings"
	"testing"
	"time"
)

// What is taken is what RFC 3339 says, read here by hand, with its offset and as much of a second
// as a time holds; it round-trips, and the validator agrees.
func FuzzInstant(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		want, valid := byTheGrammar(s)
		got, err := ParseInstant(s)
		if (err == nil) != valid || (valid && !got.Equal(want)) {
			t.Fatalf("%q is %v (%v), want %v (%v)", s, got, err, want, valid)
		}
		if refused := Instant.Problem(s) != ""; refused == valid {
			t.Errorf("%q: the validator refuses: %v", s, refused)
		}
		if !valid {
			if !got.IsZero() {
				t.Errorf("%q is refused, and is %v", s, got)
			}
			return
		}
		for _, spelled := range []string{got.Format(time.RFC3339Nano), got.UTC().Format(time.RFC3339Nano)} {
			if again, err := ParseInstant(spelled); err != nil || !again.Equal(got) {
				t.Errorf("%q is %v, and spelled %q it is %v (%v)", s, got, spelled, again, err)
			}
		}
	})
}

// byTheGrammar is date-time of RFC 3339 §5.6 with §5.7, in capital letters and without leap
// seconds.
func byTheGrammar(s string) (time.Time, bool) {
	at := 0
	number := func(digits, low, high int) int {
		n := 0
		for range digits {
			if at >= len(s) || s[at] < '0' || s[at] > '9' {
				at = len(s) + 1
				return low
			}
			n = 10*n + int(s[at]-'0')
			at++
		}
		if n < low || n > high {
			at = len(s) + 1
		}
		return n
	}
	one := func(of string) byte {
		if at >= len(s) || !strings.Contains(of, s[at:at+1]) {
			at = len(s) + 1
			return 0
		}
		at++
		return s[at-1]
	}
	year := number(4, 0, 9999)
	one("-")
	month := number(2, 1, 12)
	one("-")
	day := number(2, 1, 31)
	one("T")
	hour := number(2, 0, 23)
	one(":")
	minute := number(2, 0, 59)
	one(":")
	second := number(2, 0, 59)
	nanos := 0
	if at < len(s) && s[at] == '.' {
		at++
		scale := 100_000_000
		for n := 0; n == 0 || (n < 9 && at < len(s) && s[at] >= '0' && s[at] <= '9'); n++ {
			nanos += scale * number(1, 0, 9)
			scale /= 10
		}
	}
	offset := 0
	if sign := one("Z+-"); sign == '+' || sign == '-' {
		offset = 3600 * number(2, 0, 23)
		one(":")
		offset += 60 * number(2, 0, 59)
		if sign == '-' {
			offset = -offset
		}
	}
	if at != len(s) {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC).Add(-time.Duration(offset) * time.Second)
	local := t.Add(time.Duration(offset) * time.Second)
	if local.Day() != day || t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
		return time.Time{}, false
	}
	return t, true
}
