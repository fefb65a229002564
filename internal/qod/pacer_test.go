// The interval grows with each 429 and shrinks with each other answer, and requests keep to it in
// order of arrival.
package qod

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// at fails the test unless the pacer's interval is want.
func (p *pacer) at(t *testing.T, what string, want time.Duration) {
	t.Helper()
	if p.interval != want {
		t.Errorf("%s: the interval is %v, want %v", what, p.interval, want)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		for range 1000 {
			if err := p.wait(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			p.speedUp()
		}
		began := time.Now()
		p.at(t, "no 429", 0)
		time.Sleep(time.Millisecond)
		for range 10 {
			p.slowDown(began, 0)
		}
		time.Sleep(slowdownDelay - 2*time.Millisecond)
		p.slowDown(time.Now(), 0)
		p.at(t, "a burst of 429", initialInterval)
		for range 10 {
			time.Sleep(slowdownDelay)
			p.slowDown(time.Now(), 0)
		}
		p.at(t, "429 again and again", maxInterval)
		p.speedUp()
		p.at(t, "one success", maxInterval*19/20)
		for range 130 {
			p.speedUp()
		}
		p.at(t, "many", 0)
		time.Sleep(maxInterval)
		if p.limiting() {
			t.Error("a pace that is forgotten holds up others")
		}
	})
}

func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		p.slowDown(time.Now(), 0)
		began := time.Now()
		var mu sync.Mutex
		var order []string
		var wg sync.WaitGroup
		for _, who := range []string{"a", "b", "c", "list", "d"} {
			wg.Go(func() {
				if err := p.wait(t.Context(), who == "list"); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, who)
				if earliest := time.Duration(len(order)) * initialInterval; time.Since(began) != earliest {
					t.Errorf("%s starts after %v, want %v", who, time.Since(began), earliest)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if want := []string{"list", "a", "b", "c", "d"}; !slices.Equal(order, want) {
			t.Errorf("the order is %v, want %v", order, want)
		}
	})
}

// The Retry-After of one answer delays the other requests too, but not for long.
func TestRetryAfterHoldsUpTheOthers(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		0: initialInterval, 2 * time.Second: 2 * time.Second, time.Hour: maxInterval,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer()
			began := time.Now()
			p.slowDown(began, asked)
			if err := p.wait(t.Context(), false); err != nil || time.Since(began) != want {
				t.Errorf("asked for %v, it starts after %v: %v", asked, time.Since(began), err)
			}
		})
	}
}

func TestTurnsObeyTheContext(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]bool{"the next one": false, "behind another": true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer()
			p.slowDown(time.Now(), 4*time.Second)
			all, end := context.WithCancel(t.Context())
			defer end()
			if behind {
				go func() { _ = p.wait(all, false) }()
				synctest.Wait()
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := p.wait(ctx, false); !errors.Is(err, errNoTimeForSlot) || !behind && time.Since(began) != 0 {
				t.Errorf("%s: no time left: %v after %v", name, err, time.Since(began))
			}
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(500*time.Millisecond, cancel)
			began = time.Now()
			if err := p.wait(ctx, false); !errors.Is(err, context.Canceled) || time.Since(began) != 500*time.Millisecond {
				t.Errorf("%s: interrupted: %v after %v", name, err, time.Since(began))
			}
			if err := p.wait(ctx, false); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: before it began: %v", name, err)
			}
		})
	}
}
