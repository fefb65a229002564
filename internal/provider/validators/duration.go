package validators

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	bareNumber = regexp.MustCompile(`\A[0-9]+\z`)
	withUnits  = regexp.MustCompile(`\A-?(?:[0-9.]+(?:h|m|s|ms))+\z`)
	inDays     = regexp.MustCompile(`\A[0-9]+ ?(?:d|days?)\z`)
)

// Duration validates a Go duration that is positive and at most limit.
func Duration(limit time.Duration) StringCheck {
	return StringCheck{
		allowed: fmt.Sprintf("must be a duration with a unit, such as \"90s\", \"5m\" or \"1h30m\", of at most %s", FormatDuration(limit)),
		check: func(s string) (bool, string) {
			d, err := time.ParseDuration(s)
			switch {
			case s == "":
				return false, isEmpty
			case InQuotes(s):
				return false, Mistyped(s)
			case bareNumber.MatchString(s) && strings.Trim(s, "0") != "":
				return false, fmt.Sprintf("The unit is missing. Did you mean %q or %q?", Truncated(s)+"s", Truncated(s)+"m")
			case inDays.MatchString(s):
				return false, "There is no unit for days: write hours, such as \"24h\"."
			case err != nil && withUnits.MatchString(s):
				return false, "It is too long."
			case err != nil:
				return false, "The units are h, m, s and ms, without spaces."
			case d <= 0:
				return false, "It has to be more than zero."
			case d > limit:
				return false, "It is too long."
			}
			return true, ""
		},
	}
}

// FormatDuration writes a duration without its zero parts.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
