package qod

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"
)

// deviceLocks let one create at a time deal with a device.
type deviceLocks struct {
	mu    sync.Mutex
	locks map[string]*semaphore.Weighted // by identifier
}

func newDeviceLocks() *deviceLocks {
	return &deviceLocks{locks: map[string]*semaphore.Weighted{}}
}

// exclusive is all of a lock; with less of it there is room for others.
const exclusive = math.MaxInt64

// lock lets one create at a time deal with a device. Two that share any identifier are one
// device to the API. So are an address with a port and the same address without, while two of its
// ports are two devices. Identifiers are taken in order, so that two creates cannot block each other.
func (h *deviceLocks) lock(ctx context.Context, d Device) (unlock func(), err error) {
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
		take(id, exclusive)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
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
