package sandbox

import (
	"slices"
	"time"
)

// Profile is a QoS profile of the network, and for how long a session can have it. A zero limit is
// none.
type Profile struct {
	Name                     string
	Description              string
	Status                   string // empty: ProfileActive
	MinDuration, MaxDuration time.Duration
	Upstream, Downstream     int // Mbit/s; 0: not known
}

// The statuses of a profile. New sessions can have active ones only.
const (
	ProfileActive     = "ACTIVE"
	ProfileInactive   = "INACTIVE"
	ProfileDeprecated = "DEPRECATED"
)

// profile returns the profile of a name.
func (n *network) profile(name string) (Profile, bool) {
	i := slices.IndexFunc(n.profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return n.profiles[i], true
}

// extendLimit is what a network limits to a profile's MaxDuration when it extends a session. It
// returns the latest end.
type extendLimit func(s *Session, now time.Time, longest time.Duration) time.Time

// limitTotal limits a session from its start.
func limitTotal(s *Session, _ time.Time, longest time.Duration) time.Time {
	return s.StartedAt.Add(longest)
}

// limitRemaining limits what remains of a session when it is extended.
func limitRemaining(_ *Session, now time.Time, longest time.Duration) time.Time {
	return now.Add(longest)
}

// extend gives a session for which allowed returns true more time, as far as the limit allows it,
// and returns the session as it is then. If refuses, what is beyond the limit is errTooLong.
// errNoSession and errNotActive are the only other errors.
func (n *network) extend(id string, allowed func(*Session) bool, by time.Duration, limit extendLimit, refuses bool) (Session, error) {
	now := n.lock()
	defer n.unlock()
	s, ok := n.session(id)
	if !ok || !allowed(&s.Session) {
		return Session{}, errNoSession
	}
	if s.Status != StatusAvailable {
		return Session{}, errNotActive
	}
	end := s.ExpiresAt.Add(by)
	if p, _ := n.profile(s.QoSProfile); p.MaxDuration > 0 {
		latest := limit(&s.Session, now, p.MaxDuration)
		if latest.Before(end) && refuses {
			return Session{}, errTooLong
		}
		if latest.Before(end) {
			end = latest
		}
	}
	if end.After(s.ExpiresAt) { // it is never cut
		s.Duration = int(end.Sub(s.StartedAt) / time.Second)
		s.ExpiresAt = s.StartedAt.Add(s.length())
	}
	n.schedule(s)
	return s.clone(), nil
}
