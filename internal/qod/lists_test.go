// A list speaks only for what was before it began. Those who want one at the same time share it,
// and a failure is nobody's answer afterwards.
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

// listing is lists whose requests take a second and return how many there were, as ids.
func listing(requests *atomic.Int64, fail *atomic.Bool) *lists {
	return &lists{request: func(ctx context.Context) ([]Session, error) {
		n := requests.Add(1)
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
		if fail.Load() {
			return nil, errors.New("no list")
		}
		return make([]Session, n), nil
	}}
}

func TestSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		var fail atomic.Bool
		l := listing(&requests, &fail)
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

// Who comes while a list is under way waits for the next, which all of them share.
func TestSinceWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		var fail atomic.Bool
		l := listing(&requests, &fail)
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
		l := listing(&requests, &fail)
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
	l := &lists{request: func(context.Context) ([]Session, error) { return []Session{{ID: "a"}, {ID: "b"}}, nil }}
	s, err := l.since(t.Context(), time.Now())
	if err != nil || !s.has("a") || !s.has("b") || s.has("c") {
		t.Errorf("%v, %v", s, err)
	}
}
