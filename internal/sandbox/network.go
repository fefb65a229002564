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

// linger is how long the network keeps a session that it ended itself: CAMARA
// promises "at earliest 360 seconds", and until then it blocks its device.
const linger = 360 * time.Second

// Why a session became UNAVAILABLE, as events spell it (statusInfo).
const (
	causeTerminated = "NETWORK_TERMINATED"
	causeExpired    = "DURATION_EXPIRED"
	causeDeleted    = "DELETE_REQUESTED"
)

// errConflict is the network's refusal of a second session for a device.
var errConflict = errors.New("another session of the device is live")

// network holds the sessions and lets them live: REQUESTED, AVAILABLE after
// provisioning, gone at expiry; or UNAVAILABLE, lingering, gone. It knows
// nothing of HTTP, tokens or faults.
//
// Sessions move when somebody looks, to where the clock says they should be; a
// timer looks when the next one is due, so that its owner is told in time.
type network struct {
	clock        Clock
	provisioning time.Duration
	owner        string       // of sessions seeded without one
	several      bool         // a device may have any number of sessions
	notify       func(change) // called in order, with the lock held: must not block or look

	mu       sync.Mutex
	sessions map[string]*life
	seeded   int
	holds    []hold
	next     time.Time   // nothing is due before; zero: nothing at all
	armed    time.Time   // what the pending timer waits for
	stop     func() bool // stops it
	closed   bool
}

// life is a session and when it moves on.
type life struct {
	Session
	availableAt time.Time // for REQUESTED
	goneAt      time.Time // for UNAVAILABLE
}

// hold keeps a device taken whose session is already deleted.
type hold struct {
	Device
	until time.Time
}

// change is one step in a session's life, for whom it may concern.
type change struct {
	Session
	cause string // only when UNAVAILABLE
	at    time.Time
}

func newNetwork(clock Clock, provisioning time.Duration, owner string, notify func(change)) *network {
	return &network{clock: clock, provisioning: provisioning, owner: owner, notify: notify, sessions: map[string]*life{}}
}

// enter brings the sessions to the present and returns that; leave sets the
// timer for what comes next.
func (n *network) enter() (now time.Time) {
	n.mu.Lock()
	now = n.clock.Now().UTC()
	n.settle(now)
	return now
}

func (n *network) leave() {
	n.arm()
	n.mu.Unlock()
}

func (n *network) settle(now time.Time) {
	if n.next.IsZero() || now.Before(n.next) {
		return
	}
	n.next = time.Time{}
	for _, s := range n.sessions {
		for !s.due().After(now) && n.sessions[s.ID] == s {
			n.step(s)
		}
		if n.sessions[s.ID] == s {
			n.expect(s)
		}
	}
}

func (n *network) expect(s *life) {
	if due := s.due(); n.next.IsZero() || due.Before(n.next) {
		n.next = due
	}
}

func (s *life) due() time.Time {
	switch s.Status {
	case StatusRequested:
		return s.availableAt
	case StatusUnavailable:
		return s.goneAt
	default:
		return s.ExpiresAt
	}
}

func (n *network) step(s *life) {
	at := s.due()
	switch s.Status {
	case StatusRequested:
		s.Status = StatusAvailable
		s.StartedAt = at.Truncate(time.Millisecond)
		s.ExpiresAt = s.StartedAt.Add(s.length())
		n.tell(s, "", at)
	case StatusUnavailable:
		delete(n.sessions, s.ID)
	default:
		s.Status = StatusUnavailable
		delete(n.sessions, s.ID)
		n.tell(s, causeExpired, at)
	}
}

func (s *life) length() time.Duration { return time.Duration(s.Duration) * time.Second }

func (n *network) tell(s *life, cause string, at time.Time) {
	if s.NotificationURL != "" {
		n.notify(change{Session: s.clone(), cause: cause, at: at})
	}
}

func (n *network) arm() {
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
	n.stop = n.clock.AfterFunc(n.next.Sub(n.clock.Now()), n.wake)
}

func (n *network) wake() {
	n.enter()
	n.armed = time.Time{} // that timer is spent
	n.leave()
}

func (n *network) close() {
	n.enter()
	n.closed = true
	n.leave()
}

// create commits a session, REQUESTED, or returns errConflict with a session that knows knows.
func (n *network) create(s Session, knows func(*Session) bool) (Session, error) {
	now := n.enter()
	defer n.leave()
	if !n.several && n.taken(s.Device, knows, now) {
		return Session{}, errConflict
	}
	s.ID, s.Status, s.CreatedAt = uuid.NewString(), StatusRequested, now.Truncate(time.Millisecond)
	committed := &life{Session: s.clone(), availableAt: now.Add(max(0, n.provisioning))}
	n.sessions[s.ID] = committed
	if n.provisioning < 0 {
		n.step(committed)
	}
	n.expect(committed)
	return committed.Session.clone(), nil
}

// taken reports whether the device has a session that knows knows, or is held after one.
func (n *network) taken(d Device, knows func(*Session) bool, now time.Time) bool {
	for _, s := range n.sessions {
		if s.Device.shares(d) && knows(&s.Session) {
			return true
		}
	}
	n.holds = slices.DeleteFunc(n.holds, func(h hold) bool { return !now.Before(h.until) })
	return slices.ContainsFunc(n.holds, func(h hold) bool { return h.shares(d) })
}

// find returns a session of the client. To it, another client's does not exist.
func (n *network) find(client, id string) (Session, bool) {
	n.enter()
	defer n.leave()
	s, ok := n.sessions[id]
	if !ok || s.ClientID != client {
		return Session{}, false
	}
	return s.clone(), true
}

// live returns the sessions that keep tells to keep, by creation and then id.
func (n *network) live(keep func(*Session) bool) []Session {
	n.enter()
	defer n.leave()
	found := []Session{}
	for _, s := range n.sessions {
		if keep(&s.Session) {
			found = append(found, s.clone())
		}
	}
	slices.SortFunc(found, func(a, b Session) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// release ends a session that may says may be ended, at once and for good. Its device stays taken
// for as long as held says.
func (n *network) release(id string, may func(*Session) bool, held time.Duration) bool {
	now := n.enter()
	defer n.leave()
	s, ok := n.sessions[id]
	if !ok || !may(&s.Session) {
		return false
	}
	delete(n.sessions, id)
	if held > 0 {
		n.holds = append(n.holds, hold{s.Device, now.Add(held)})
	}
	if s.Status == StatusAvailable { // CAMARA sends the event only then
		s.Status = StatusUnavailable
		n.tell(s, causeDeleted, now)
	}
	return true
}

// change lets f alter a session. A status it sets takes its course from now on.
func (n *network) change(id string, f func(*Session)) bool {
	now := n.enter()
	defer n.leave()
	s, ok := n.sessions[id]
	if !ok {
		return false
	}
	before := s.Status
	altered := s.clone()
	f(&altered)
	altered.ID = id
	s.Session = altered.clone()
	if s.Status != before {
		n.begin(s, now)
		switch s.Status {
		case StatusAvailable:
			n.tell(s, "", now)
		case StatusUnavailable:
			n.tell(s, causeTerminated, now)
		}
	}
	n.expect(s)
	return true
}

// begin starts what the session's status stands for.
func (n *network) begin(s *life, now time.Time) {
	switch s.Status {
	case StatusRequested:
		s.StartedAt, s.ExpiresAt = time.Time{}, time.Time{}
		s.availableAt = now.Add(max(0, n.provisioning))
	case StatusUnavailable:
		s.goneAt = now.Add(linger)
	default:
		s.date(now)
	}
}

// date gives the session the times it does not have.
func (s *life) date(now time.Time) {
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

// seed puts a session on the network that nobody asked it for.
func (n *network) seed(seeded Session) Session {
	now := n.enter()
	defer n.leave()
	n.seeded++
	s := &life{Session: seeded.clone()}
	s.ID = strings.ToLower(cmp.Or(s.ID, uuid.NewString()))
	s.ClientID = cmp.Or(s.ClientID, n.owner)
	s.QoSProfile = cmp.Or(s.QoSProfile, "QOS_E")
	s.Status = cmp.Or(s.Status, StatusAvailable)
	if !s.Device.identified() {
		// +882 is for international networks: no test has a line of its own there.
		s.Device.PhoneNumber = fmt.Sprintf("+8821%07d0", n.seeded)
	}
	if s.Duration == 0 && !s.StartedAt.IsZero() && !s.ExpiresAt.IsZero() {
		s.Duration = int(s.ExpiresAt.Sub(s.StartedAt) / time.Second)
	}
	s.Duration = cmp.Or(s.Duration, 3600)
	if s.Status == StatusUnavailable {
		s.date(now) // it was AVAILABLE once
	}
	n.begin(s, now)
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now.Truncate(time.Millisecond)
		if !s.StartedAt.IsZero() && s.StartedAt.Before(s.CreatedAt) {
			s.CreatedAt = s.StartedAt
		}
	}
	n.sessions[s.ID] = s
	n.expect(s)
	return s.Session.clone()
}
