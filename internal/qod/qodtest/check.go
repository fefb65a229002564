package qodtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Equal fails the test unless got is want, and shows the difference.
func Equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %v, want %v\n%s", what, got, want, diff)
	}
}

// ErrorAs is errors.As as an expression that fails the test.
func ErrorAs[E error](t testing.TB, err error) E {
	t.Helper()
	var target E
	if !errors.As(err, &target) {
		t.Fatalf("the error is %T, want %T: %v", err, target, err)
	}
	return target
}

// IsError is errors.As as a condition.
func IsError[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// WithTimeout is the test's context with a deadline.
func WithTimeout(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// CancelAfter is the test's context, cancelled after d as an interrupt would cancel it.
func CancelAfter(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	t.Cleanup(func() { timer.Stop(); cancel() })
	return ctx
}

// Elapsed is how long f takes.
func Elapsed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

// InParallel calls f for each item, ten at a time, as Terraform does with resources.
func InParallel[T any](items []T, f func(T)) {
	next := make(chan T)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for item := range next {
				f(item)
			}
		})
	}
	for _, item := range items {
		next <- item
	}
	close(next)
	wg.Wait()
}
