package qod

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"
)

// deviceLocks serialise the creates for each device, and the extensions of each session.
type deviceLocks struct {
	mu    sync.Mutex
	locks map[string]*semaphore.Weighted // by identifier of a device, or id of a session
}

func newDeviceLocks() *deviceLocks {
	return &deviceLocks{locks: map[string]*semaphore.Weighted{}}
}

// exclusive is the whole weight of a lock; a smaller weight can be shared.
const exclusive = math.MaxInt64

// lock waits until no other create deals with the device. Devices that share any identifier are one
// device to the API. So are an address with a port and the same address without one, while two
// ports of an address are two devices. Identifiers are locked in a fixed order, so creates cannot
// deadlock.
func (h *deviceLocks) lock(ctx context.Context, d Device) (unlock func(), err error) {
	var unlocks []func()
	unlock = func() {
		for _, unlock := range unlocks {
			unlock()
		}
	}
	acquire := func(id string, weight int64) {
		if err != nil {
			return
		}
		l := h.lockOf(id)
		if err = l.Acquire(ctx, weight); err == nil {
			unlocks = append(unlocks, func() { l.Release(weight) })
		}
	}
	ids := d.Identifiers()
	for _, id := range ids {
		if address, _, behind := strings.Cut(id, behindMark); behind && !slices.Contains(ids, address) {
			acquire(address, 1)
		}
		acquire(id, exclusive)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// lockSession waits until nobody else changes the session.
func (h *deviceLocks) lockSession(ctx context.Context, id string) (unlock func(), err error) {
	l := h.lockOf("session:" + id)
	if err := l.Acquire(ctx, exclusive); err != nil {
		return nil, err
	}
	return func() { l.Release(exclusive) }, nil
}

func (h *deviceLocks) lockOf(identifier string) *semaphore.Weighted {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.locks[identifier]
	if l == nil {
		l = semaphore.NewWeighted(exclusive)
		h.locks[identifier] = l
	}
	return l
}
