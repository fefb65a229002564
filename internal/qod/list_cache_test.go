// A list shows only what was so before its request started. Callers that want one at the same time
// share it, and a failure is not returned to later callers.
package qod

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// countingList makes a list cache whose requests take a second and return, as ids, how many there
// were.
func countingList(requests *atomic.Int64, fail *atomic.Bool) *listCache {
	return newListCache(func(ctx context.Context) (listing, error) {
		n := requests.Add(1)
		if err := pause(ctx, time.Second); err != nil {
			return listing{}, err
		}
		if fail.Load() {
			return listing{}, errors.New("no list")
		}
		return listing{sessions: make([]Session, n)}, nil
	})
}

func TestSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		var fail atomic.Bool
		l := countingList(&requests, &fail)
		since := func(notBefore time.Time, want int) {
			t.Helper()
			s, err := l.since(t.Context(), notBefore)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.sessions) != want {
				t.Errorf("it is the list number %d, want %d", len(s.sessions), want)
			}
		}
		began := time.Now()
		since(began, 1)
		since(began, 1)                           // it began just then
		since(began.Add(-time.Hour), 1)           // an old one is good enough
		since(time.Time{}, 1)                     // any is
		since(began.Add(time.Nanosecond), 2)      // it began before
		since(time.Now().Add(-10*time.Second), 2) // young enough
		time.Sleep(time.Minute)
		since(time.Now().Add(-10*time.Second), 3) // too old
		fail.Store(true)
		if _, err := l.since(t.Context(), time.Now()); err == nil {
			t.Error("a failure is a list")
		}
		since(time.Now().Add(-10*time.Second), 3) // a failure takes nothing away
		fail.Store(false)
		since(time.Now(), 5)
	})
}

// Callers that arrive while a request is in flight wait for the next one, which they share.
func TestSinceWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		var fail atomic.Bool
		l := countingList(&requests, &fail)
		var wg sync.WaitGroup
		ask := func(notBefore time.Time, want int) {
			wg.Go(func() {
				if s, err := l.since(t.Context(), notBefore); err != nil || len(s.sessions) != want {
					t.Errorf("%v, %v, want the list number %d", s, err, want)
				}
			})
		}
		for range 100 {
			ask(time.Now(), 1)
		}
		time.Sleep(500 * time.Millisecond)
		for range 100 {
			ask(time.Now(), 2)
			ask(time.Time{}, 1)
			ask(time.Now().Add(-time.Second), 1)
		}
		wg.Wait()
		if requests.Load() != 2 {
			t.Errorf("%d requests", requests.Load())
		}
	})
}

func TestSinceInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		var fail atomic.Bool
		l := countingList(&requests, &fail)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.since(ctx, time.Now()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if s, err := l.since(t.Context(), time.Now()); err != nil || len(s.sessions) != 2 {
			t.Errorf("afterwards: %v, %v", s, err)
		}
	})
}

func TestSnapshotKnowsItsIDs(t *testing.T) {
	t.Parallel()
	l := newListCache(func(context.Context) (listing, error) { return listing{sessions: []Session{{ID: "a"}, {ID: "b"}}}, nil })
	s, err := l.since(t.Context(), time.Now())
	if err != nil || !s.has("a") || !s.has("b") || s.has("c") {
		t.Errorf("%v, %v", s, err)
	}
}

// However a request ends, the next one starts only after twice its duration: a failing list must
// not be requested in a loop, while a create that looks for a lost session waits two seconds at
// most.
func TestListsKeepTheirDistanceFromAFailure(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		10 * time.Millisecond: 250 * time.Millisecond, time.Second: 2 * time.Second, 20 * time.Second: 22 * time.Second,
	} {
		t.Run(took.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var started []time.Time
				l := newListCache(func(ctx context.Context) (listing, error) {
					started = append(started, time.Now())
					_ = pause(ctx, took)
					return listing{}, errors.New("no list")
				})
				for range 3 {
					if _, err := l.since(t.Context(), time.Now()); err == nil {
						t.Error("no error")
					}
				}
				for i := range started[1:] {
					if gap := started[i+1].Sub(started[i]); gap != want {
						t.Errorf("%v from one list to the next, want %v", gap, want)
					}
				}
			})
		})
	}
}

// A caller that arrives when the last one has left waits until the abandoned request has ended.
func TestListsAreOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay atomic.Int64
		l := newListCache(func(context.Context) (listing, error) {
			if underWay.Add(1) > 1 {
				t.Error("two lists at a time")
			}
			defer underWay.Add(-1)
			time.Sleep(time.Minute) // it does not notice that it was abandoned
			return listing{}, nil
		})
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if _, err := l.since(ctx, time.Now()); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, err := l.since(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
	})
}

// The next request keeps its distance from an abandoned one too.
func TestListsKeepTheirDistanceFromAFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var started []time.Time
		l := newListCache(func(context.Context) (listing, error) {
			if started = append(started, time.Now()); len(started) == 1 {
				panic("a fault")
			}
			return listing{}, nil
		})
		for range 2 {
			_, _ = l.since(t.Context(), time.Now())
		}
		if gap := started[1].Sub(started[0]); gap != listInterval {
			t.Errorf("%v from one list to the next, want %v", gap, listInterval)
		}
	})
}

// A request that was abandoned says nothing about the API, unlike one that failed or took too long.
func TestListsPromise(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		timeout time.Duration
		fail    bool
		want    bool
	}{
		"it came":     {timeout: time.Minute, want: true},
		"it was left": {timeout: 100 * time.Millisecond, want: true},
		"it failed":   {timeout: time.Minute, fail: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				var fail atomic.Bool
				fail.Store(test.fail)
				l := countingList(&requests, &fail)
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				l.trySince(ctx, time.Now())
				synctest.Wait()
				if l.usable() != test.want {
					t.Errorf("usable: %v, want %v", !test.want, test.want)
				}
			})
		})
	}
	t.Run("it hangs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := newListCache(func(ctx context.Context) (listing, error) { <-ctx.Done(); return listing{}, ctx.Err() })
			if list := l.trySince(t.Context(), time.Now()); list != nil || l.usable() {
				t.Errorf("%v, usable: %v", list, l.usable())
			}
		})
	})
}
