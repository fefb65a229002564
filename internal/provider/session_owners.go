package provider

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
)

// newOwner is a random name for a resource, since a provider never learns the address of one.
func newOwner() string {
	var token [8]byte
	_, _ = rand.Read(token[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(token[:])
}

// sessionOwners knows which resource was first seen to hold each session, since the provider was
// configured.
type sessionOwners struct {
	mu    sync.Mutex
	first map[string]string // owner by session id
}

// heldByAnother reports whether another resource than owner holds the session, as far as has been
// seen. Before the provider is configured there are no owners, and nothing has been seen.
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
