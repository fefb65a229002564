package provider

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
)

// newOwner is a token for the record of a resource, by which it is told from others that hold the same
// session: a provider never learns the address of a resource.
func newOwner() string {
	var token [8]byte
	_, _ = rand.Read(token[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(token[:])
}

// sessionOwners knows which record each session was first seen in, since the provider was configured.
type sessionOwners struct {
	mu    sync.Mutex
	first map[string]string // owner by session id
}

// heldByAnother reports whether another record than owner's has been seen to hold the session. Without owners,
// before the provider is configured, nothing has been seen.
func (o *sessionOwners) heldByAnother(sessionID, owner string) bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	first, seen := o.first[sessionID]
	if !seen {
		if o.first == nil {
			o.first = map[string]string{}
		}
		o.first[sessionID] = owner
	}
	return seen && first != owner
}
