package sandbox

import (
	"sync"
	"time"
)

// Clock is the network's time. It decides when sessions are provisioned and expire, when tokens
// expire, and the Date header of answers. AfterFunc calls f once, after d; stop prevents the call
// and reports whether it was in time to do so.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// ManualClock stands still until it is told to advance, so that a test decides when a session
// becomes available, expires or is forgotten. It is safe for concurrent use.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer
}

type manualTimer struct {
	due time.Time
	run func()
}

// NewManualClock returns a clock that stands at start.
func NewManualClock(start time.Time) *ManualClock {
	return &ManualClock{now: start}
}

// Now returns the time the clock was last advanced to.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc schedules f for the Advance that reaches d from now. Even with a d of zero, f runs only
// in an Advance, which may be by zero.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &manualTimer{due: c.now.Add(d), run: f}
	c.timers = append(c.timers, timer)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.remove(timer)
	}
}

// Advance moves the clock by d. Before it returns, it runs all functions that are due, in order;
// each of them sees the time at which it was due.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.now.Add(d)
	for timer := c.earliest(end); timer != nil; timer = c.earliest(end) {
		c.remove(timer)
		c.setNow(timer.due)
		// Unlocked, because the function may read the clock and set new timers.
		c.mu.Unlock()
		timer.run()
		c.mu.Lock()
	}
	c.setNow(end)
}

func (c *ManualClock) setNow(t time.Time) {
	if t.After(c.now) {
		c.now = t
	}
}

func (c *ManualClock) earliest(end time.Time) *manualTimer {
	var first *manualTimer
	for _, timer := range c.timers {
		if !timer.due.After(end) && (first == nil || timer.due.Before(first.due)) {
			first = timer
		}
	}
	return first
}

func (c *ManualClock) remove(timer *manualTimer) bool {
	for i, t := range c.timers {
		if t == timer {
			c.timers = append(c.timers[:i], c.timers[i+1:]...)
			return true
		}
	}
	return false
}

// OffsetClock runs like the real clock and can be advanced, so that nobody who uses a running
// sandbox has to wait for a session's end. The zero value shows the real time. It is safe for
// concurrent use.
type OffsetClock struct {
	mu      sync.Mutex
	offset  time.Duration
	pending map[*offsetTimer]bool
}

type offsetTimer struct {
	due   time.Time
	timer *time.Timer
}

// NewOffsetClock returns a clock that runs from start: a test chooses the date, and its clients
// wait in real time.
func NewOffsetClock(start time.Time) *OffsetClock {
	return &OffsetClock{offset: time.Until(start)}
}

// Now returns the real time plus all advances.
func (c *OffsetClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *OffsetClock) now() time.Time { return time.Now().Add(c.offset) }

// AfterFunc runs f in its own goroutine once the clock has moved by d, because time passes or
// through Advance.
func (c *OffsetClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &offsetTimer{due: c.now().Add(d)}
	// A timer that fires while Advance resets it fires twice; f runs only for the one that removes
	// it from pending.
	t.timer = time.AfterFunc(d, func() {
		if c.take(t) {
			f()
		}
	})
	if c.pending == nil {
		c.pending = map[*offsetTimer]bool{}
	}
	c.pending[t] = true
	return func() bool {
		t.timer.Stop()
		return c.take(t)
	}
}

func (c *OffsetClock) take(t *offsetTimer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.pending[t]
	delete(c.pending, t)
	return was
}

// Advance moves the clock forward by d. Functions that are due run soon afterwards, but not before
// Advance returns.
func (c *OffsetClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
	now := c.now()
	for t := range c.pending {
		t.timer.Reset(t.due.Sub(now))
	}
}
