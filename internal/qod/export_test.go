package qod

import "time"

// BreakClaims makes the client panic when it claims a session, which no network can cause.
func (c *Client) BreakClaims() { c.own.made = nil }

// ClockIsSet sets this machine's clock forward, as the client sees it.
func (c *Client) ClockIsSet(by time.Duration) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.clock.wall = c.clock.wall.Add(-by)
}

// How two devices compare, and what their locks go by.

func (d Device) Compare(shown Device) (matches, contradicts bool) { return d.compare(shown) }
func (d Device) Overlaps(shown Device) bool                       { return d.overlaps(shown) }
func (d Device) Shares(shown Device) bool                         { return d.shares(shown) }
func (d Device) Identifiers() []string                            { return d.identifiers() }
