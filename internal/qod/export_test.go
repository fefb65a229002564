package qod

import "time"

// BreakClaims has this process fail when it records whose a session is, which no network can do.
func (c *Client) BreakClaims() { c.own.made = nil }

// ClockIsSet puts this machine's clock on, as the client sees it.
func (c *Client) ClockIsSet(by time.Duration) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.clock.wall = c.clock.wall.Add(-by)
}
