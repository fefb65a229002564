package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// linger is how long the network keeps a session that it ended itself. CAMARA promises "at earliest
// 360 seconds"; until then the session blocks its device.
const linger = 360 * time.Second

// The reasons why a session became UNAVAILABLE, as events spell them (statusInfo).
const (
	causeTerminated = "NETWORK_TERMINATED"
	causeExpired    = "DURATION_EXPIRED"
	causeDeleted    = "DELETE_REQUESTED"
)

// What the network refuses.
var (
	errConflict  = errors.New("a live session of the device is in the way")
	errNoSession = errors.New("there is no such session")
	errNotActive = errors.New("the session is not AVAILABLE")
	errTooLong   = errors.New("the session would last longer than its profile allows")
)

// network holds the sessions and moves them through their life: REQUESTED, then AVAILABLE after
// provisioning, then gone at expiry; or UNAVAILABLE for a while, then gone. It knows nothing of
// HTTP, tokens, faults or API documents.
//
// Whoever uses the network first brings its sessions to the present. A timer does so when the next
// change is due, so that notifications are sent in time.
type network struct {
	clock        Clock
	provisioning time.Duration
	owner        string // of sessions seeded without one
	profiles     []Profile
	conflict     func(a, b *Session) bool // they cannot live at the same time
	notify       func(statusChange)       // called in order, with the lock held: must not block or use the network

	mu       sync.Mutex
	sessions map[string]*liveSession
	gone     []Session // that were in sessions
	seeded   int
	holds    []hold
	next     time.Time   // when the next change is due; zero: there is none
	armed    time.Time   // when the pending timer fires
	stop     func() bool // stops it
	closed   bool
}

// liveSession is a session and the times of its next changes.
type liveSession struct {
	Session
	availableAt time.Time // for REQUESTED
	goneAt      time.Time // for UNAVAILABLE
}

// hold blocks what a session that is already deleted has occupied.
type hold struct {
	Session
	until time.Time
}

// statusChange is one change of a session's status, for its notification.
type statusChange struct {
	Session
	cause string // only when UNAVAILABLE
	at    time.Time
}

func newNetwork(clock Clock, provisioning time.Duration, owner string, notify func(statusChange)) *network {
	return &network{clock: clock, provisioning: provisioning, owner: owner, notify: notify, sessions: map[string]*liveSession{}}
}

// lock locks the network, brings its sessions to the present and returns the present time. unlock
// also sets the timer for the next change.
func (n *network) lock() (now time.Time) {
	n.mu.Lock()
	now = n.clock.Now().UTC()
	n.catchUp(now)
	return now
}

func (n *network) unlock() {
	n.setTimer()
	n.mu.Unlock()
}

func (n *network) catchUp(now time.Time) {
	if n.next.IsZero() || now.Before(n.next) {
		return
	}
	n.next = time.Time{}
	for _, s := range n.sessions {
		for !s.due().After(now) && n.sessions[s.ID] == s {
			n.transition(s)
		}
		if n.sessions[s.ID] == s {
			n.schedule(s)
		}
	}
}

func (n *network) schedule(s *liveSession) {
	if due := s.due(); n.next.IsZero() || due.Before(n.next) {
		n.next = due
	}
}

func (s *liveSession) due() time.Time {
	switch s.Status {
	case StatusRequested:
		return s.availableAt
	case StatusUnavailable:
		return s.goneAt
	default:
		return s.ExpiresAt
	}
}

func (n *network) transition(s *liveSession) {
	at := s.due()
	switch s.Status {
	case StatusRequested:
		s.Status = StatusAvailable
		s.StartedAt = at.Truncate(time.Millisecond)
		s.ExpiresAt = s.StartedAt.Add(s.length())
		n.notifyOwner(s, "", at)
	case StatusUnavailable:
		n.remove(s)
	default:
		s.end(causeExpired, at)
		n.remove(s)
		n.notifyOwner(s, causeExpired, at)
	}
}

// end makes the session UNAVAILABLE. One that has ended already keeps its end.
func (s *liveSession) end(reason string, at time.Time) {
	s.Status = StatusUnavailable
	if s.EndedAt.IsZero() {
		s.EndedAt, s.EndReason = at.Truncate(time.Millisecond), reason
	}
}

// maxGone limits the memory that a network which runs for long uses for sessions that are gone.
const maxGone = 50_000

func (n *network) remove(s *liveSession) {
	delete(n.sessions, s.ID)
	if len(n.gone) >= maxGone {
		n.gone = slices.Delete(n.gone, 0, maxGone/10)
	}
	n.gone = append(n.gone, s.clone())
}

func (s *liveSession) length() time.Duration { return time.Duration(s.Duration) * time.Second }

func (n *network) notifyOwner(s *liveSession, cause string, at time.Time) {
	expired := !s.NotificationsUntil.IsZero() && !at.Before(s.NotificationsUntil)
	if s.NotificationURL != "" && !expired {
		n.notify(statusChange{Session: s.clone(), cause: cause, at: at})
	}
}

func (n *network) setTimer() {
	if !n.closed && n.next.Equal(n.armed) {
		return
	}
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
	if n.armed = n.next; n.closed || n.next.IsZero() {
		return
	}
	n.stop = n.clock.AfterFunc(n.next.Sub(n.clock.Now()), n.onTimer)
}

func (n *network) onTimer() {
	n.lock()
	n.armed = time.Time{} // that timer has fired
	n.unlock()
}

func (n *network) close() {
	n.lock()
	n.closed = true
	n.unlock()
}

// create adds a session, REQUESTED, or returns errConflict if it conflicts with one that is
// visible.
func (n *network) create(s Session, visible func(*Session) bool) (Session, error) {
	now := n.lock()
	defer n.unlock()
	if n.occupied(&s, visible, now) {
		return Session{}, errConflict
	}
	s.ID, s.Status, s.CreatedAt = uuid.NewString(), StatusRequested, now.Truncate(time.Millisecond)
	committed := &liveSession{Session: s.clone(), availableAt: now.Add(max(0, n.provisioning))}
	n.sessions[s.ID] = committed
	if n.provisioning < 0 {
		n.transition(committed)
	}
	n.schedule(committed)
	return committed.Session.clone(), nil
}

// occupied reports whether a session conflicts with a visible one, or with one that still holds its
// device after a deletion.
func (n *network) occupied(wanted *Session, visible func(*Session) bool, now time.Time) bool {
	for _, s := range n.sessions {
		if n.conflict(wanted, &s.Session) && visible(&s.Session) {
			return true
		}
	}
	n.holds = slices.DeleteFunc(n.holds, func(h hold) bool { return !now.Before(h.until) })
	return slices.ContainsFunc(n.holds, func(h hold) bool { return n.conflict(wanted, &h.Session) })
}

// session returns a live session. Its id, a UUID, may be in any case.
func (n *network) session(id string) (*liveSession, bool) {
	s, ok := n.sessions[strings.ToLower(id)]
	return s, ok
}

// find returns a session of the client. Other clients' sessions do not exist for it.
func (n *network) find(client, id string) (Session, bool) {
	n.lock()
	defer n.unlock()
	s, ok := n.session(id)
	if !ok || s.ClientID != client {
		return Session{}, false
	}
	return s.clone(), true
}

// list returns the sessions for which keep returns true, ordered by creation and then id.
func (n *network) list(keep func(*Session) bool) []Session {
	n.lock()
	defer n.unlock()
	found := []Session{}
	for _, s := range n.sessions {
		if keep(&s.Session) {
			found = append(found, s.clone())
		}
	}
	slices.SortFunc(found, byCreation)
	return found
}

// history returns all sessions, those that are gone too, ordered by creation and then id.
func (n *network) history() []Session {
	n.lock()
	defer n.unlock()
	all := []Session{}
	for _, s := range n.sessions {
		all = append(all, s.clone())
	}
	for _, s := range n.gone {
		all = append(all, s.clone())
	}
	slices.SortFunc(all, byCreation)
	return all
}

func byCreation(a, b Session) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// delete ends a session for which allowed returns true, at once and for good, and holds its device
// for the given time.
func (n *network) delete(id string, allowed func(*Session) bool, held time.Duration) bool {
	now := n.lock()
	defer n.unlock()
	s, ok := n.session(id)
	if !ok || !allowed(&s.Session) {
		return false
	}
	before := s.Status
	s.end(causeDeleted, now)
	n.remove(s)
	if held > 0 {
		n.holds = append(n.holds, hold{s.clone(), now.Add(held)})
	}
	if before == StatusAvailable { // CAMARA sends the event only then
		n.notifyOwner(s, causeDeleted, now)
	}
	return true
}

// edit lets f change a session. A status that f sets takes its course from now on.
func (n *network) edit(id string, f func(*Session)) bool {
	now := n.lock()
	defer n.unlock()
	s, ok := n.session(id)
	if !ok {
		return false
	}
	before := s.Status
	altered := s.clone()
	f(&altered)
	altered.ID = s.ID
	s.Session = altered.clone()
	if s.Status != before {
		n.enterStatus(s, now)
		switch s.Status {
		case StatusAvailable:
			n.notifyOwner(s, "", now)
		case StatusUnavailable:
			n.notifyOwner(s, causeTerminated, now)
		}
	}
	n.schedule(s)
	return true
}

// enterStatus sets the times that follow from the session's status.
func (n *network) enterStatus(s *liveSession, now time.Time) {
	if s.Status != StatusUnavailable {
		s.EndedAt, s.EndReason = time.Time{}, ""
	}
	switch s.Status {
	case StatusRequested:
		s.StartedAt, s.ExpiresAt = time.Time{}, time.Time{}
		s.availableAt = now.Add(max(0, n.provisioning))
	case StatusUnavailable:
		s.end(causeTerminated, now)
		s.goneAt = now.Add(linger)
	default:
		s.fillTimes(now)
	}
}

// fillTimes sets those of the session's times that are not set.
func (s *liveSession) fillTimes(now time.Time) {
	switch {
	case s.StartedAt.IsZero() && s.ExpiresAt.IsZero():
		s.StartedAt = now.Truncate(time.Millisecond)
		s.ExpiresAt = s.StartedAt.Add(s.length())
	case s.StartedAt.IsZero():
		s.StartedAt = s.ExpiresAt.Add(-s.length())
	case s.ExpiresAt.IsZero():
		s.ExpiresAt = s.StartedAt.Add(s.length())
	}
}

// seed adds a session without a request.
func (n *network) seed(seeded Session) Session {
	now := n.lock()
	defer n.unlock()
	n.seeded++
	s := &liveSession{Session: seeded.clone()}
	s.ID = strings.ToLower(cmp.Or(s.ID, uuid.NewString()))
	s.ClientID = cmp.Or(s.ClientID, n.owner)
	s.QoSProfile = cmp.Or(s.QoSProfile, n.profiles[0].Name)
	s.Status = cmp.Or(s.Status, StatusAvailable)
	if !s.Device.hasIdentifier() {
		// +882 is for international networks, so no test uses it for a device of its own.
		s.Device.PhoneNumber = fmt.Sprintf("+8821%07d0", n.seeded)
	}
	if s.Duration == 0 && !s.StartedAt.IsZero() && !s.ExpiresAt.IsZero() {
		s.Duration = int(s.ExpiresAt.Sub(s.StartedAt) / time.Second)
	}
	s.Duration = cmp.Or(s.Duration, 3600)
	if s.Status == StatusUnavailable {
		s.fillTimes(now) // it was AVAILABLE once
	}
	n.enterStatus(s, now)
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now.Truncate(time.Millisecond)
		if !s.StartedAt.IsZero() && s.StartedAt.Before(s.CreatedAt) {
			s.CreatedAt = s.StartedAt
		}
	}
	n.sessions[s.ID] = s
	n.schedule(s)
	return s.Session.clone()
}
