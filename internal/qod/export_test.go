package qod

import (
	"context"
	"net"
	"net/http"
	"time"
)

// TransportOver is the client's own transport, over connections that dial makes.
func TransportOver(requestTimeout time.Duration, dial func(context.Context) (net.Conn, error)) http.RoundTripper {
	t := pingingTransport(requestTimeout)
	t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	return idleClosingTransport{limitConnections(t)}
}

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
