package qod

import (
	"sync"
	"time"
)

// serverClock is the API's clock as far as its answers showed it (the Date header). A runner's
// own clock may be an hour off, which must cost nobody a session.
type serverClock struct {
	mu   sync.Mutex
	date time.Time // the latest reading; zero for none
	seen time.Time // when it was taken, by this process's clock
	wall time.Time // the same, as this machine's clock showed it

	failure  error // why there is no reading, and since when
	failedAt time.Time
}

const (
	// clockJump is how far this machine's clock may run away from the time that passes, before a reading
	// counts for nothing any more: it was set, or the machine was asleep.
	clockJump = 2 * time.Second

	// clockSpread is how far behind one another the clocks of an API's nodes may be, and answers late.
	clockSpread = 5 * time.Second
)

// saw takes in a reading. A Date is never ahead of the clock it is from, so the one that is furthest on
// is the best; one that is far behind it says that the clock was set.
func (c *serverClock) saw(date time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if known := c.reading(now); known.IsZero() || date.After(known) || known.Sub(date) > clockSpread {
		c.date, c.seen, c.wall = date, now, now.Round(0)
	}
}

// now is the server's time to within about a second; zero when it is not known.
func (c *serverClock) now() time.Time { return c.at(time.Now()) }

// at is what the server's clock showed at a time of this process's clock; zero when it is not known.
func (c *serverClock) at(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading(t)
}

func (c *serverClock) reading(t time.Time) time.Time {
	passed, shown := t.Sub(c.seen), t.Round(0).Sub(c.wall) // by the monotonic clock, and by the other
	if c.date.IsZero() || (passed-shown).Abs() > clockJump {
		return time.Time{}
	}
	return c.date.Add(passed).UTC()
}

// lastSeen is when the latest reading was taken; zero for none.
func (c *serverClock) lastSeen() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// failed remembers why there is no reading, so that a thousand who need one do not each find out.
func (c *serverClock) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure, c.failedAt = err, time.Now()
}

// why is the failure of a moment ago; nil for none.
func (c *serverClock) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failedAt) >= snapshotAge {
		return nil
	}
	return c.failure
}
