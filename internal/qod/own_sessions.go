package qod

import (
	"slices"
	"sync"
	"time"
)

// ownSessions is what this process knows about sessions by itself: which ones it created, which it
// has seen, and which it is deleting or has deleted.
type ownSessions struct {
	collide func(a, b flow) bool // see dialect

	mu        sync.Mutex
	made      map[string]ownSession // by id
	seen      map[string]sighting   // when a read last showed a session, by id
	deletions []*deletion           // in the order they began
}

type ownSession struct {
	flow flow
	at   time.Time
}

type sighting struct {
	device Device
	list   string // the subject of the list that has to show it
	at     time.Time
}

// deletion is one delete of this process.
type deletion struct {
	id     string
	flow   flow
	ended  time.Time // zero while it is in progress
	failed bool
}

func newOwnSessions(collide func(a, b flow) bool) *ownSessions {
	return &ownSessions{collide: collide, made: map[string]ownSession{}, seen: map[string]sighting{}}
}

// claim records that this process created the session for the flow, at the given time or later. It
// reports false if another create has already claimed the session.
func (o *ownSessions) claim(id string, f flow, at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, claimed := o.made[id]; claimed {
		return false
	}
	o.made[id] = ownSession{f, at}
	// That there is a new session proves that the ones deleted before are gone: they explain no
	// later conflict.
	o.deletions = slices.DeleteFunc(o.deletions, func(gone *deletion) bool {
		return !gone.ended.IsZero() && o.collide(f, gone.flow)
	})
	return true
}

func (o *ownSessions) owns(id string) bool {
	return !o.madeAt(id).IsZero()
}

// madeAt is when this process created the session; zero if it did not.
func (o *ownSessions) madeAt(id string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.made[id].at
}

// colliding lists the sessions of this process that collide with one for the flow.
func (o *ownSessions) colliding(f flow) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for id, made := range o.made {
		if o.collide(f, made.flow) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// beginDeletion records that a delete begins, and returns a function to call when it has ended.
func (o *ownSessions) beginDeletion(ref Ref) (ended func(failed bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	freed := o.made[ref.ID].flow
	freed.device = ref.Device
	d := &deletion{id: ref.ID, flow: freed}
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

// deletedFor lists the sessions that this process is deleting or has deleted, and that collide with
// one for the flow.
func (o *ownSessions) deletedFor(f flow) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for _, gone := range o.deletions {
		if !gone.failed && o.collide(f, gone.flow) && !slices.Contains(ids, gone.id) {
			ids = append(ids, gone.id)
		}
	}
	return ids
}

// deleted reports whether this process has deleted the session.
func (o *ownSessions) deleted(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.deletions, func(d *deletion) bool { return d.id == id && !d.ended.IsZero() && !d.failed })
}

// lastDeletion is when this process last deleted any session; now while it is deleting one, and
// zero if it never has.
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

// recordSeen records that a read has shown the session, which the lists of the subject have to show
// as well.
func (o *ownSessions) recordSeen(ref Ref, subject string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[ref.ID] = sighting{ref.Device, subject, time.Now()}
}

// forgetSeen records that reads do not show the session any more.
func (o *ownSessions) forgetSeen(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.seen, id)
}

// missingFrom is a session that the list does not show although a read showed it shortly before the
// list started, if there is one. What this process has just created may be missing from any list.
func (o *ownSessions) missingFrom(list *snapshot) (ref Ref, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, seen := range o.seen {
		young := list.started.Sub(o.made[id].at) < maxLag
		if seen.list == list.subject && seen.at.Before(list.started) && list.started.Sub(seen.at) < snapshotAge && !young && !list.has(id) {
			return Ref{ID: id, Device: seen.device}, true
		}
	}
	return Ref{}, false
}
