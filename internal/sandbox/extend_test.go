package sandbox

import (
	"errors"
	"testing"
	"time"
)

func TestExtend(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limit  extendLimit
		status string
		by     time.Duration
		want   time.Duration // of the whole session, five minutes after its start
		err    error

		refuses bool
	}{
		"by what is asked for":            {limit: limitTotal, by: time.Hour, want: 2 * time.Hour},
		"as long as it may be in total":   {limit: limitTotal, by: 5 * time.Hour, want: 3 * time.Hour},
		"as long as it may remain":        {limit: limitRemaining, by: 5 * time.Hour, want: 3*time.Hour + 5*time.Minute},
		"no longer than it may be":        {limit: limitTotal, by: 5 * time.Hour, refuses: true, err: errTooLong},
		"never cut":                       {limit: func(s *Session, _ time.Time, _ time.Duration) time.Time { return s.StartedAt }, by: time.Hour, want: time.Hour},
		"not before it is AVAILABLE":      {limit: limitTotal, status: StatusRequested, by: time.Hour, err: errNotActive},
		"not once the network revoked it": {limit: limitTotal, status: StatusUnavailable, by: time.Hour, err: errNotActive},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := NewManualClock(noon)
			n := newNetwork(clock, 24*time.Hour, "client", func(statusChange) {})
			n.profiles = []Profile{{Name: "gold", MaxDuration: 3 * time.Hour}}
			s := n.seed(Session{Status: test.status})
			clock.Advance(5 * time.Minute)
			got, err := n.extend(s.ID, func(*Session) bool { return true }, test.by, test.limit, test.refuses)
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			if err == nil && (got.Duration != int(test.want/time.Second) || !got.ExpiresAt.Equal(noon.Add(test.want))) {
				t.Errorf("it has %d s until %s, want %v", got.Duration, got.ExpiresAt, test.want)
			}
			if err != nil {
				return
			}
			clock.Advance(test.want - 5*time.Minute - 1)
			if live := n.list(func(*Session) bool { return true }); len(live) != 1 {
				t.Error("it ended early")
			}
			clock.Advance(1)
			if live := n.list(func(*Session) bool { return true }); len(live) != 0 {
				t.Errorf("it is still there: %+v", live)
			}
		})
	}
}

func TestExtendOfAnUnknownSession(t *testing.T) {
	t.Parallel()
	n := newNetwork(NewManualClock(noon), 0, "client", func(statusChange) {})
	n.profiles = []Profile{{Name: "gold"}}
	s := n.seed(Session{})
	for id, allowed := range map[string]bool{s.ID: false, "3fa85f64-5717-4562-b3fc-2c963f66afa6": true} {
		if _, err := n.extend(id, func(*Session) bool { return allowed }, time.Hour, limitTotal, false); !errors.Is(err, errNoSession) {
			t.Errorf("%v", err)
		}
	}
	if got, err := n.extend(s.ID, func(*Session) bool { return true }, 100*time.Hour, limitTotal, false); err != nil || got.Duration != 101*3600 {
		t.Errorf("without a limit: %+v, %v", got, err)
	}
}
