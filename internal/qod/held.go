package qod

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// held is what this process knows of devices without asking: which creates are under way, which
// sessions it made, and which it has just deleted.
type held struct {
	mu       sync.Mutex
	locks    map[string]*semaphore.Weighted // by identifier
	sessions map[string]Device              // by session id
	released []deletion
}

// deletion is one that this process has just done.
type deletion struct {
	device Device
	at     time.Time
}

func newHeld() *held {
	return &held{locks: map[string]*semaphore.Weighted{}, sessions: map[string]Device{}}
}

// alone is all of a lock; with less of it there is room for others.
const alone = math.MaxInt64

// lock lets one create at a time deal with a device. Two that share any identifier are one
// device to the API. So are an address with a port and the same address without, while two of its
// ports are two devices. Identifiers are taken in order, so that two creates cannot block each other.
func (h *held) lock(ctx context.Context, d Device) (unlock func(), err error) {
	var taken []func()
	unlock = func() {
		for _, release := range taken {
			release()
		}
	}
	take := func(id string, share int64) {
		if err != nil {
			return
		}
		l := h.lockOf(id)
		if err = l.Acquire(ctx, share); err == nil {
			taken = append(taken, func() { l.Release(share) })
		}
	}
	ids := d.identifiers()
	for _, id := range ids {
		if address, _, ported := strings.Cut(id, portMark); ported && !slices.Contains(ids, address) {
			take(address, 1)
		}
		take(id, alone)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (h *held) lockOf(identifier string) *semaphore.Weighted {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.locks[identifier]
	if l == nil {
		l = semaphore.NewWeighted(alone)
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
	h.released = slices.DeleteFunc(h.released, func(gone deletion) bool { return d.overlaps(gone.device) })
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
	h.released = append(h.released, deletion{ref.Device, time.Now()})
}

// releasedAt is when this process last deleted a session of the device; zero when it did not.
func (h *held) releasedAt(d Device) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	var last time.Time
	for _, gone := range h.released {
		if d.overlaps(gone.device) {
			last = gone.at
		}
	}
	return last
}
