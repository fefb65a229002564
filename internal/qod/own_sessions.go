package qod

import (
	"slices"
	"sync"
	"time"
)

// ownSessions is what this process knows of sessions without asking: which it made, which it has
// seen, and which it is deleting or has deleted.
type ownSessions struct {
	mu        sync.Mutex
	made      map[string]ownSession // by id
	seen      map[string]sighting   // when the API last showed a session that was asked for, by id
	deletions []*deletion           // in the order they began
}

type ownSession struct {
	device Device
	at     time.Time
}

type sighting struct {
	device Device
	at     time.Time
}

// deletion is one delete of this process.
type deletion struct {
	id     string
	device Device
	ended  time.Time // zero while it is going on
	failed bool
}

func newOwnSessions() *ownSessions {
	return &ownSessions{made: map[string]ownSession{}, seen: map[string]sighting{}}
}

// claim records that a session of this process, made at a time or later, is the device's. It reports false
// when another create has claimed the session already.
func (o *ownSessions) claim(id string, d Device, at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, taken := o.made[id]; taken {
		return false
	}
	o.made[id] = ownSession{d, at}
	// Where a new session can be, what was deleted before is gone, and explains no later conflict.
	o.deletions = slices.DeleteFunc(o.deletions, func(gone *deletion) bool {
		return !gone.ended.IsZero() && d.overlaps(gone.device)
	})
	return true
}

func (o *ownSessions) owns(id string) bool {
	return !o.madeAt(id).IsZero()
}

// madeAt is when this process made the session; zero when it did not.
func (o *ownSessions) madeAt(id string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.made[id].at
}

// forDevice lists the sessions that this process made for the device.
func (o *ownSessions) forDevice(d Device) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for id, made := range o.made {
		if d.overlaps(made.device) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// beginDeletion records that a delete begins, and returns what to call when it has ended.
func (o *ownSessions) beginDeletion(ref Ref) (ended func(failed bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := &deletion{id: ref.ID, device: ref.Device}
	o.deletions = append(o.deletions, d)
	return func(failed bool) {
		o.mu.Lock()
		defer o.mu.Unlock()
		d.ended, d.failed = time.Now(), failed
		if !failed {
			delete(o.made, ref.ID)
			delete(o.seen, ref.ID)
		}
	}
}

// deletionsFor are the sessions of the device that this process is deleting or has deleted.
func (o *ownSessions) deletionsFor(d Device) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for _, gone := range o.deletions {
		if !gone.failed && d.overlaps(gone.device) && !slices.Contains(ids, gone.id) {
			ids = append(ids, gone.id)
		}
	}
	return ids
}

// deleted reports whether this process has had the session deleted.
func (o *ownSessions) deleted(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.deletions, func(d *deletion) bool { return d.id == id && !d.ended.IsZero() && !d.failed })
}

// lastDeletion is when this process was last busy deleting anything; zero when it has not been.
func (o *ownSessions) lastDeletion() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	var last time.Time
	for _, d := range o.deletions {
		if d.ended.IsZero() {
			return time.Now()
		}
		last = latest(last, d.ended)
	}
	return last
}

// recordSeen records that the API has shown the session when it was asked for it.
func (o *ownSessions) recordSeen(ref Ref) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[ref.ID] = sighting{ref.Device, time.Now()}
}

// forgetSeen records that the API does not show the session any more.
func (o *ownSessions) forgetSeen(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.seen, id)
}

// missingFrom is a session that the API showed shortly before this list began and that the list does
// not show, if there is one. What this process has just made may be missing from a good list.
func (o *ownSessions) missingFrom(list *snapshot) (ref Ref, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, seen := range o.seen {
		young := list.started.Sub(o.made[id].at) < maxLag
		if seen.at.Before(list.started) && list.started.Sub(seen.at) < snapshotAge && !young && !list.has(id) {
			return Ref{ID: id, Device: seen.device}, true
		}
	}
	return Ref{}, false
}
