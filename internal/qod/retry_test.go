// Waits are bounded, have jitter, and are as long as the API asks for where that makes sense.
package qod

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

var aDate = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"1":                              time.Second,
		" 120 ":                          2 * time.Minute,
		"007":                            7 * time.Second,
		"86400":                          24 * time.Hour,
		"-1":                             0,
		"-9223372036854775809":           0,
		"9223372036854775807":            maxRetryAfter,
		"9223372036854775808":            maxRetryAfter,
		"99999999999999999999999999999":  maxRetryAfter,
		"3153600000":                     maxRetryAfter,
		"3153600001":                     maxRetryAfter,
		"1.5":                            0,
		"1e3":                            0,
		"0x10":                           0,
		"1 2":                            0,
		"1, 2":                           0,
		"soon":                           0,
		"NaN":                            0,
		"\x00":                           0,
		"Sun, 22 Nov 2026 12:01:00 GMT":  time.Minute,
		"Sunday, 22-Nov-26 12:01:00 GMT": time.Minute,
		"Sun Nov 22 12:01:00 2026":       time.Minute,
		"Sun, 22 Nov 2026 12:00:00 GMT":  0,
		"Sun, 22 Nov 2026 11:00:00 GMT":  0,
		"Thu, 01 Jan 1970 00:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  maxRetryAfter,
		"Sun, 22 Nov 2026 12:01:00 CET":  0,
		"2026-11-22T12:01:00Z":           0,
		"Sun, 99 Nov 2026 12:01:00 GMT":  0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, aDate); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if got := retryAfter(nil, aDate); got != 0 {
		t.Errorf("without: %v", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "120", "-1", "9223372036854775807", "99999999999999999999", "1.5", "Sun, 22 Nov 2026 12:01:00 GMT", "Sunday, 22-Nov-26 12:01:00 GMT",
		"Sun Nov 22 12:01:00 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "\x00", "٣",
	} {
		f.Add(value, int64(1795348800))
	}
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", int64(math.MinInt64))
	f.Add("1", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, value string, now int64) {
		got := retryAfter(http.Header{"Retry-After": {value}}, time.Unix(now, 0))
		if got < 0 || got > maxRetryAfter {
			t.Errorf("%q: %v", value, got)
		}
		if n, err := strconv.ParseUint(value, 10, 31); err == nil && got != time.Duration(n)*time.Second {
			t.Errorf("%q: %v", value, got)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, most := range map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second, 5: 8 * time.Second, 6: 8 * time.Second,
		60: 8 * time.Second, 64: 8 * time.Second, math.MaxInt: 8 * time.Second,
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := backoff(attempt)
			if d < most/2 || d >= most {
				t.Errorf("attempt %d: %v", attempt, d)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("attempt %d: %d different waits of 100", attempt, len(seen))
		}
	}
}

func TestRepeatable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"unsent":          {&Error{outcome: unsent}, true},
		"unsent, trust":   {&Error{outcome: unsent, permanent: true}, false},
		"unknown":         {&Error{outcome: unknown}, true},
		"500":             {&Error{outcome: outcomeOf(500), Status: 500}, true},
		"501":             {&Error{outcome: outcomeOf(501), Status: 501}, false},
		"408":             {&Error{outcome: outcomeOf(408), Status: 408}, true},
		"429":             {&Error{outcome: outcomeOf(429), Status: 429, class: classRateLimited}, true},
		"400":             {&Error{outcome: outcomeOf(400), Status: 400}, false},
		"404":             {&Error{outcome: outcomeOf(404), Status: 404}, false},
		"no token":        {&TokenError{Status: 503}, false},
		"a fault of ours": {&PanicError{}, false},
		"the end":         {context.Canceled, false},
		"anything":        {errors.New("x"), false},
		"done":            {&Error{outcome: succeeded}, false},
	} {
		if _, got := isRetryable(test.err); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	want := map[int]outcome{200: succeeded, 201: succeeded, 204: succeeded, 299: succeeded, 302: unknown, 303: unknown, 408: unknown, 500: unknown, 502: unknown, 599: unknown, 999: unknown}
	for _, status := range []int{101, 199, 300, 301, 304, 307, 308, 400, 401, 403, 404, 409, 410, 425, 429, 451, 499} {
		want[status] = refused
	}
	for status, outcome := range want {
		if got := outcomeOf(status); got != outcome {
			t.Errorf("%d: %v, want %v", status, got, outcome)
		}
	}
}

// The API's last error is kept, also when the context ends.
func TestRetryKeepsTheLastError(t *testing.T) {
	t.Parallel()
	said := &Error{outcome: unknown, Status: 503, Code: "BUSY"}
	for name, test := range map[string]struct {
		once  func(ctx context.Context, attempt int) error
		most  int
		tries int
		err   bool // an InterruptedError
	}{
		"while it waits": {func(context.Context, int) error { return said }, 99, 3, true},
		"while it asks": {func(ctx context.Context, attempt int) error {
			if attempt < 3 {
				return said
			}
			<-ctx.Done()
			return &Error{outcome: unknown, Err: ctx.Err()}
		}, 99, 3, true},
		"out of tries": {func(context.Context, int) error { return said }, 1, 2, false},
		"no tries":     {func(context.Context, int) error { return said }, 0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(1600*time.Millisecond, cancel)
				tries := 0
				_, err := retry(ctx, OperationRead, test.most, func(attempt int) (int, error) {
					tries++
					if attempt != tries {
						t.Errorf("attempt %d is numbered %d", tries, attempt)
					}
					return 0, test.once(ctx, attempt)
				})
				var failure *Error
				var interruption *InterruptedError
				if !errors.As(err, &failure) || failure.Code != "BUSY" || errors.As(err, &interruption) != test.err {
					t.Errorf("%v", err)
				}
				if tries != test.tries {
					t.Errorf("%d tries, want %d", tries, test.tries)
				}
			})
		})
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if !fitsDeadline(t.Context(), maxRetryAfter) || !fitsDeadline(ctx, 59*time.Second) || fitsDeadline(ctx, time.Minute) || fitsDeadline(ctx, maxRetryAfter) {
			t.Error("a wait fits only if it ends before the context")
		}
	})
}
