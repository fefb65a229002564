package validators

import (
	"fmt"
	"strings"
	"time"
)

// Duration validates a Go duration that is positive and at most limit.
func Duration(limit time.Duration) StringCheck {
	return StringCheck{
		description: "value must be a positive duration such as 30s or 5m",
		problem: func(s string) string {
			if d, err := time.ParseDuration(s); err != nil || d <= 0 || d > limit {
				return fmt.Sprintf("must be a positive duration of at most %s, as in \"90s\", \"5m\" or \"1h30m\"", FormatDuration(limit))
			}
			return ""
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
