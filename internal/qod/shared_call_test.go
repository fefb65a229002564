// A shared call outlives each of its callers, ends with the last one, and returns a panic to all of
// them as an error.
package qod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a call that takes a second unless its context ends first.
func slow(calls *atomic.Int64) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		n := calls.Add(1)
		return n, pause(ctx, time.Second)
	}
}

func TestSharedIsOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sharedCall[int64]
		var calls atomic.Int64
		for round := range int64(3) {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if n, err := s.do(t.Context(), slow(&calls)); n != round+1 || err != nil {
						t.Errorf("%d, %v", n, err)
					}
				})
			}
			wg.Wait()
		}
		if calls.Load() != 3 {
			t.Errorf("%d calls", calls.Load())
		}
	})
}

func TestSharedOutlivesTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sharedCall[int64]
		var calls atomic.Int64
		var wg sync.WaitGroup
		first, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := s.do(first, slow(&calls)); !errors.Is(err, context.Canceled) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				if n, err := s.do(t.Context(), slow(&calls)); n != 1 || err != nil {
					t.Errorf("another: %d, %v", n, err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestSharedEndsWithTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sharedCall[int64]
		var ended atomic.Bool
		call := func(ctx context.Context) (int64, error) {
			<-ctx.Done()
			ended.Store(true)
			return 0, ctx.Err()
		}
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
				defer cancel()
				_, _ = s.do(ctx, call)
			})
		}
		time.Sleep(2500 * time.Millisecond)
		if ended.Load() {
			t.Error("it ended while somebody waited")
		}
		wg.Wait()
		synctest.Wait()
		if !ended.Load() {
			t.Error("it goes on for nobody")
		}
		// The next caller gets a call of its own, and not the one that was cancelled.
		if n, err := s.do(t.Context(), func(context.Context) (int64, error) { return 7, nil }); n != 7 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// A caller that arrives just when the last one has left gets a call that was not cancelled.
func TestSharedLeaveAndCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sharedCall[int64]
		var wg sync.WaitGroup
		stubborn := func(ctx context.Context) (int64, error) {
			<-ctx.Done()
			time.Sleep(time.Minute) // it does not notice at once
			return 1, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { _, _ = s.do(ctx, stubborn) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		var calls atomic.Int64
		for range 2 {
			wg.Go(func() {
				if _, err := s.do(t.Context(), slow(&calls)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		// The old call ends now and must not replace a newer one.
		go func() {
			_, _ = s.do(t.Context(), func(context.Context) (int64, error) { time.Sleep(2 * time.Minute); return 2, nil })
		}()
		time.Sleep(90 * time.Second)
		if n, err := s.do(t.Context(), slow(&calls)); n != 2 || err != nil {
			t.Errorf("%d, %v: the call under way is not shared", n, err)
		}
		if calls.Load() != 1 {
			t.Errorf("%d calls", calls.Load())
		}
	})
}

func TestSharedKeepsTheValuesOfTheContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	var s sharedCall[any]
	ctx := context.WithValue(t.Context(), key{}, "a logger")
	if v, err := s.do(ctx, func(ctx context.Context) (any, error) { return ctx.Value(key{}), nil }); v != "a logger" || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestSharedPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sharedCall[int64]
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := s.do(t.Context(), func(context.Context) (int64, error) { time.Sleep(time.Second); panic("a fault") })
				var fault *PanicError
				if !errors.As(err, &fault) || fmt.Sprint(fault.Value) != "a fault" || len(fault.Stack) == 0 {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if n, err := s.do(t.Context(), func(context.Context) (int64, error) { return 7, nil }); n != 7 || err != nil {
			t.Errorf("afterwards: %d, %v", n, err)
		}
	})
}
