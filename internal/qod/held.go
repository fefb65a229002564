package qod

import (
	"context"
	"slices"
	"sync"
	"time"
)

// held is what this process knows of devices without asking: which creates are under way, which
// sessions it made, and which it has just deleted.
type held struct {
	mu       sync.Mutex
	locks    map[string]chan struct{} // by identifier
	sessions map[string]Device        // by session id
	released map[string]time.Time     // by identifier
}

func newHeld() *held {
	return &held{locks: map[string]chan struct{}{}, sessions: map[string]Device{}, released: map[string]time.Time{}}
}

// lock lets one create at a time deal with a device. Two that share any identifier are one
// device to the API. Identifiers are taken in order, so that two creates cannot block each other.
func (h *held) lock(ctx context.Context, d Device) (unlock func(), err error) {
	var taken []chan struct{}
	unlock = func() {
		for _, l := range taken {
			<-l
		}
	}
	for _, id := range d.identifiers() {
		l := h.lockOf(id)
		select {
		case l <- struct{}{}:
			taken = append(taken, l)
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		}
	}
	return unlock, nil
}

func (h *held) lockOf(identifier string) chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.locks[identifier]
	if l == nil {
		l = make(chan struct{}, 1)
		h.locks[identifier] = l
	}
	return l
}

// claim records that a session of this process is the device's. It reports false when another
// create has claimed the session already.
func (h *held) claim(id string, d Device) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.sessions[id]; taken {
		return false
	}
	h.sessions[id] = d
	// Where a new session can be, what was deleted is gone, and explains no later conflict.
	for _, identifier := range d.identifiers() {
		delete(h.released, identifier)
	}
	return true
}

func (h *held) owns(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.sessions[id]
	return ok
}

// of lists the sessions that this process made for the device.
func (h *held) of(d Device) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for id, device := range h.sessions {
		if d.overlaps(device) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// release records that this process has just deleted a session of the device.
func (h *held) release(ref Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, ref.ID)
	for _, id := range ref.Device.identifiers() {
		h.released[id] = time.Now()
	}
}

// releasedAt is when this process last deleted a session of the device; zero when it did not.
func (h *held) releasedAt(d Device) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	var last time.Time
	for _, id := range d.identifiers() {
		if at := h.released[id]; at.After(last) {
			last = at
		}
	}
	return last
}
