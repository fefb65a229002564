package qod

// BreakClaims has this process fail when it records whose a session is, which no network can do.
func (c *Client) BreakClaims() { c.held.sessions = nil }
