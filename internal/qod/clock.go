package qod

import (
	"sync"
	"time"
)

// serverClock is the API's clock as far as its answers showed it (the Date header). A runner's
// own clock may be an hour off, which must cost nobody a session.
type serverClock struct {
	mu     sync.Mutex
	known  bool
	offset time.Duration
}

func (c *serverClock) saw(date time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.offset = true, time.Until(date)
}

// now is the server's time to within about a second; zero when it is not known.
func (c *serverClock) now() time.Time { return c.at(time.Now()) }

// at is what the server's clock showed at a time of this process's clock; zero when it is not known.
func (c *serverClock) at(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return time.Time{}
	}
	return t.Add(c.offset).UTC()
}
