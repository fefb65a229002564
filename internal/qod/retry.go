package qod

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 8 * time.Second

	// maxOverloadBackoff is maxBackoff for an overloaded API, where the pacer spaces requests too.
	maxOverloadBackoff = 5 * time.Second
)

// retry repeats an operation that is safe to repeat. It keeps the API's last error, which is what a
// person needs to read when the context ends. isRetryable decides, and not the HTTP method.
//
// maxRetries bounds the retries of failures that may be permanent. An overloaded API did nothing
// and says so; the operation is retried until the context ends.
func retry[T any](ctx context.Context, op Operation, most int, once func(attempt int) (T, error)) (T, error) {
	var last error
	began, failed, busy := time.Now(), 0, 0
	for attempt := 1; ; attempt++ {
		result, err := once(attempt)
		if err == nil {
			return result, nil
		}
		if said := withoutContextError(err); said != nil && (last == nil || !errors.Is(said, errNoTimeForSlot)) {
			last = said
		}
		switch {
		case errors.Is(err, errNoTimeForSlot), isOverloaded(last) && errors.Is(ctx.Err(), context.DeadlineExceeded):
			return result, last // as if the wait for the next retry did not fit
		case ctx.Err() != nil:
			return result, newInterruptedError(ctx, op, true, last)
		}
		wait, ok := isRetryable(err)
		switch {
		case !ok:
			return result, err
		case isOverloaded(err):
			busy++
			wait = cmp.Or(wait, overloadBackoff(busy))
		default:
			failed++
			wait = cmp.Or(wait, backoff(failed))
		}
		if failed > most || isOverloaded(err) && waitedTooLong(ctx, began) || !fitsDeadline(ctx, wait) {
			return result, err
		}
		if pause(ctx, wait) != nil {
			return result, newInterruptedError(ctx, op, true, last)
		}
	}
}

// isOverloaded reports whether the API did nothing because it has too much to do: a 429, or a 503
// that says when to come back (RFC 9110 §15.6.4).
func isOverloaded(err error) bool {
	var e *Error
	return errors.As(err, &e) &&
		(e.class == classRateLimited || e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0)
}

// waitedTooLong reports whether a caller without a deadline has waited long enough for an
// overloaded API.
func waitedTooLong(ctx context.Context, began time.Time) bool {
	_, bounded := ctx.Deadline()
	return !bounded && time.Since(began) > readTimeout
}

// isRetryable reports whether an idempotent operation that failed with err may succeed when it is
// repeated, and how long the API asked to wait.
func isRetryable(err error) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) || e.permanent {
		return 0, false
	}
	switch e.outcome {
	case succeeded:
	case unsent, unknown:
		return e.RetryAfter, e.Status != http.StatusNotImplemented
	case refused:
		return e.RetryAfter, e.class == classRateLimited
	}
	return 0, false
}

// withoutContextError drops an error that says no more than that the context has ended.
func withoutContextError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// backoff grows with the attempt (from 1). Jitter keeps a burst of resources from retrying as a
// burst.
func backoff(attempt int) time.Duration { return exponential(attempt, maxBackoff) }

// overloadBackoff is backoff for an overloaded API that does not say how long to wait.
func overloadBackoff(attempt int) time.Duration { return exponential(attempt, maxOverloadBackoff) }

func exponential(attempt int, most time.Duration) time.Duration {
	d := min(most, firstBackoff<<min(attempt-1, 10))
	return d/2 + rand.N(d/2) //nolint:gosec // jitter needs no cryptography
}

// withJitter is d and up to a quarter more, so that waiting callers do not all come back at once.
func withJitter(d time.Duration) time.Duration {
	return d + rand.N(d/4) //nolint:gosec // jitter needs no cryptography
}

// fitsDeadline reports whether a wait ends before the context does. If it does not, it is better to
// fail now, and say how long the API asks to wait, than at the deadline.
func fitsDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

// pause sleeps unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxRetryAfter stands for any wait that is longer than any run.
const maxRetryAfter = 100 * 365 * 24 * time.Hour

// retryAfter is the duration of a Retry-After header (RFC 9110 §10.2.3). A date is compared with
// the answer's own Date, since the local clock may be wrong. Zero means that there is nothing to
// wait for.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		switch {
		case seconds <= 0:
			return 0
		case seconds > int64(maxRetryAfter/time.Second):
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(maxRetryAfter, max(0, at.Sub(now)))
}

// IsRateLimit reports whether the API did nothing because there are too many requests, so that what
// was asked for is repeated for as long as there is time. A quota that is used up is none where the
// API's document tells the two apart.
func IsRateLimit(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.class == classRateLimited
}
