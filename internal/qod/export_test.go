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

// What two devices say of each other, and what locks go by.

func (d Device) Compare(shown Device) (matches, contradicts bool) { return d.compare(shown) }
func (d Device) Overlaps(shown Device) bool                       { return d.overlaps(shown) }
func (d Device) Shares(shown Device) bool                         { return d.shares(shown) }
