package sandbox

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestManualClockRunsWhatIsDueInOrder(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(noon)
	var ran []string
	note := func(name string) func() {
		return func() { ran = append(ran, name+" at "+clock.Now().Sub(noon).String()) }
	}
	clock.AfterFunc(3*time.Second, note("third"))
	clock.AfterFunc(time.Second, func() {
		note("first")()
		clock.AfterFunc(time.Second, note("second"))
	})
	clock.AfterFunc(time.Minute, note("far"))
	stop := clock.AfterFunc(2*time.Second, note("stopped"))
	if !stop() || stop() {
		t.Error("stop must report true once")
	}
	clock.AfterFunc(0, note("now"))
	if len(ran) != 0 {
		t.Fatalf("ran before Advance: %v", ran)
	}
	clock.Advance(5 * time.Second)
	want := []string{"now at 0s", "first at 1s", "second at 2s", "third at 3s"}
	if !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
	if got := clock.Now().Sub(noon); got != 5*time.Second {
		t.Errorf("clock advanced by %v, want 5s", got)
	}
}

func TestOffsetClockFollowsTimeAndAdvance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var clock OffsetClock
		start := clock.Now()
		ran := map[string]int{}
		mark := func(name string) func() { return func() { ran[name]++ } }
		clock.AfterFunc(time.Second, mark("by time"))
		clock.AfterFunc(time.Hour, mark("by advance"))
		clock.AfterFunc(3*time.Hour, mark("later"))
		stop := clock.AfterFunc(time.Hour, mark("stopped"))

		time.Sleep(2 * time.Second)
		synctest.Wait()
		if ran["by time"] != 1 {
			t.Error("what is due by the passing of time must run")
		}
		if !stop() || stop() {
			t.Error("stop must report true once")
		}
		clock.Advance(time.Hour)
		synctest.Wait()
		clock.Advance(time.Second)
		synctest.Wait()
		if ran["by advance"] != 1 || ran["later"] != 0 || ran["stopped"] != 0 {
			t.Errorf("ran %v", ran)
		}
		if got, want := clock.Now().Sub(start), time.Hour+3*time.Second; got != want {
			t.Errorf("clock moved by %v, want %v", got, want)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if ran["later"] != 1 {
			t.Error("an advanced clock must run what is left on time")
		}
	})
}

func TestNewOffsetClockRunsFromItsStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, start := range []time.Time{noon, time.Now().Add(-6 * time.Hour)} {
			clock := NewOffsetClock(start)
			if got := clock.Now(); !got.Equal(start) {
				t.Errorf("it starts at %v, want %v", got, start)
			}
			due := make(chan time.Time, 1)
			clock.AfterFunc(time.Hour, func() { due <- clock.Now() })
			time.Sleep(time.Minute)
			if got := clock.Now(); !got.Equal(start.Add(time.Minute)) {
				t.Errorf("a minute later it says %v", got)
			}
			clock.Advance(30 * time.Minute)
			if got := <-due; !got.Equal(start.Add(time.Hour)) {
				t.Errorf("what is due in an hour happens at %v", got)
			}
		}
	})
}
