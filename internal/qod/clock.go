package qod

import (
	"fmt"
	"sync"
	"time"
)

// serverClock is the API's clock as its answers show it (the Date header). A runner's own clock may
// be an hour off, which must cost nobody a session.
//
// One answer is no clock: it may come from a cache, or from the one node whose clock is wrong, and
// by the time sessions are bought and ended. So the time counts only when two answers agree whose
// Dates differ, and not at all once two have contradicted each other.
type serverClock struct {
	mu sync.Mutex

	// Where the API's clock is, as what has to be added to the clock of this process. A Date is cut
	// to a second, and is set at some time between the request and the head of its answer.
	minOffset, maxOffset time.Duration
	base                 time.Time // of this process, which the two count from
	wall                 time.Time // base, as this machine's clock showed it
	date                 time.Time // the latest Date; zero for none
	readAt               time.Time // when it was read
	confirmed            bool      // another answer, of another second, has confirmed it
	contradiction        *ClockError

	failure  error // why there is no reading, and since when
	failedAt time.Time
}

const (
	// clockJump is how far this machine's clock may run away from the time that passes, before a
	// reading counts for nothing any more: the clock was set, or the machine was asleep.
	clockJump = 2 * time.Second

	// clockSpread is how far apart the clocks of an API's nodes may be.
	clockSpread = 5 * time.Second
)

// ClockError says that the API's answers contradict each other about the time.
type ClockError struct {
	Expected time.Time // by the answers before
	Shown    time.Time // by this one
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("the API's answers disagree about the time: %s by some, %s by another at the same moment",
		e.Expected.UTC().Format(time.RFC3339), e.Shown.UTC().Format(time.RFC3339))
}

// observe takes in the Date of an answer, by when its request began and its head arrived.
func (c *serverClock) observe(date, began, arrived time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction != nil {
		return
	}
	if c.date.IsZero() || c.jumped(arrived) {
		c.base, c.wall, c.date, c.readAt, c.confirmed = arrived, arrived.Round(0), date, arrived, false
		c.minOffset, c.maxOffset = c.bounds(date, began, arrived)
		return
	}
	atLeast, atMost := c.bounds(date, began, arrived)
	if atLeast > c.maxOffset+clockSpread || atMost < c.minOffset-clockSpread {
		c.contradiction = &ClockError{Expected: c.reading(arrived), Shown: date}
		return
	}
	c.confirmed = c.confirmed || !date.Equal(c.date)
	c.minOffset = max(c.minOffset, atLeast) // a Date is never ahead of its clock: the furthest is the best
	c.maxOffset = max(c.minOffset, min(c.maxOffset, atMost))
	c.date, c.readAt = date, arrived
}

// bounds are the least and the most that lie between base and what the API's clock showed then.
func (c *serverClock) bounds(date, began, arrived time.Time) (atLeast, atMost time.Duration) {
	ofBase := date.Sub(c.base.Round(0))
	return ofBase - arrived.Sub(c.base), ofBase - began.Sub(c.base) + time.Second
}

// isOutdated reports whether an answer with this Date was made before it was asked for, as far as the
// clock is known: it comes from a cache that does not say so with an Age (RFC 9111 §5.1).
func (c *serverClock) isOutdated(date, began time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if date.IsZero() || c.date.IsZero() || c.jumped(began) {
		return false
	}
	_, atMost := c.bounds(date, began, began)
	return atMost < c.minOffset-clockSpread
}

// standsStill reports whether the clock showed this very Date to a request that had begun more than
// two seconds before this one did: no clock does.
func (c *serverClock) standsStill(date, began time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !date.IsZero() && date.Equal(c.date) && began.Sub(c.readAt) > 2*time.Second
}

// now is the server's time to within some seconds. It is zero while fewer than two answers agree
// about it, and once two have disagreed.
func (c *serverClock) now() time.Time { return c.at(time.Now()) }

// at is what the server's clock showed at a time of this process's clock; see now.
func (c *serverClock) at(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.confirmed || c.contradiction != nil {
		return time.Time{}
	}
	return c.reading(t)
}

// estimate is now where one answer is enough: nothing may be bought or ended by it.
func (c *serverClock) estimate() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction != nil {
		return time.Time{}
	}
	return c.reading(time.Now())
}

func (c *serverClock) reading(t time.Time) time.Time {
	if c.date.IsZero() || c.jumped(t) {
		return time.Time{}
	}
	return c.base.Round(0).Add(c.minOffset + t.Sub(c.base)).UTC()
}

// jumped reports whether this machine's clock has run away from the time that has passed by the
// monotonic clock.
func (c *serverClock) jumped(t time.Time) bool {
	passed, shown := t.Sub(c.base), t.Round(0).Sub(c.wall)
	return (passed - shown).Abs() > clockJump
}

// contradicted is the contradiction that was seen; nil for none.
func (c *serverClock) contradicted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction == nil {
		return nil
	}
	return c.contradiction
}

// confirmable is when an answer of the next second of the API's clock can be had: the present where
// there is no reading yet. lastRead is when the latest was taken; zero for none.
func (c *serverClock) confirmable() (at, lastRead time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() || c.jumped(time.Now()) {
		return time.Now(), time.Time{}
	}
	return c.readAt.Add(time.Second + 50*time.Millisecond), c.readAt
}

// recordFailure remembers why there is no reading, so that a thousand who need one do not each find out.
func (c *serverClock) recordFailure(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure, c.failedAt = err, time.Now()
}

// recentFailure is the failure of a moment ago; nil for none.
func (c *serverClock) recentFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failedAt) >= snapshotAge {
		return nil
	}
	return c.failure
}
