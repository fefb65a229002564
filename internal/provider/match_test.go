package provider

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// inSeason is a test in a bubble that begins at a time before kick-off. Its time is the API's and the
// machine's alike, and passes only while everybody waits, so that waiting takes none. A clock in the
// configuration, as one of clockOff, is the API's alone.
func (p Provider) inSeason(before time.Duration, config sandbox.Config, test func(*testing.T, *world)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := p.newWorldInBubble(t, config)
			s.advance(atKickOff.Add(-before).Sub(s.clock.Now()))
			test(t, s)
		})
	}
}

// clockOff is a clock of an API that is so far ahead of the machine's.
func clockOff(by time.Duration) *sandbox.OffsetClock {
	clock := &sandbox.OffsetClock{}
	clock.Advance(by)
	return clock
}

// newSeason is a world on sockets, for what needs a real CLI: the API's clock is years ahead of the
// machine's.
func (p Provider) newSeason(t *testing.T, before time.Duration, config sandbox.Config) *world {
	t.Helper()
	t.Parallel() // first, since a test may wait for its turn for longer than the clock may go on
	config.Clock = sandbox.NewOffsetClock(atKickOff.Add(-before))
	return p.startWorld(t, config)
}

// at has time pass until a time after kick-off. What a run takes on the way counts.
func (s *world) at(after time.Duration) {
	s.t.Helper()
	by := atKickOff.Add(after).Sub(s.clock.Now())
	if by < -5*time.Second {
		s.t.Fatalf("the clock does not go back by %s", -by)
	}
	s.advance(max(0, by))
}

// pass is what a run of Terraform did with one reservation.
type pass struct {
	record
	planned bool   // something was
	sent    string // what changed the network: "POST DELETE"
	diagnostics
}

// pass is a run: a refresh, a plan, and what was planned. It goes by what the network holds that state
// and network agree afterwards.
func (s *world) pass(r record, config attrs) pass {
	s.t.Helper()
	return s.passOf(s.core().reservations(), r, config)
}

func (s *world) passOf(c *core, r record, config attrs) pass {
	s.t.Helper()
	before := len(strings.Fields(s.writes()))
	var said diagnostics
	if r.values != nil {
		read := c.refresh(r)
		if said = read.diagnostics; refused(said) {
			return pass{r, false, "", said}
		}
		r = read.record
	}
	p := c.plan(r, config)
	said = append(said, p.diagnostics...)
	result := pass{r, false, "", said}
	switch {
	case refused(p.diagnostics):
		return result
	case len(p.replace) > 0:
		gone := c.destroy(r)
		if said = append(said, gone.diagnostics...); refused(gone.diagnostics) {
			return pass{gone.record, true, "", said}
		}
		p = c.plan(record{}, config)
		fallthrough
	case r.values == nil || !p.planned.is(r):
		made := c.apply(p)
		result = pass{made.record, true, "", append(said, made.diagnostics...)}
	}
	result.sent = strings.Join(strings.Fields(s.writes())[before:], " ")
	if strings.Contains(printed(result.diagnostics), "34600000010") {
		s.t.Errorf("what it said shows a whole phone number: %s", printed(result.diagnostics))
	}
	for name, value := range result.values {
		if !value.IsFullyKnown() {
			s.t.Errorf("%s is left unknown in state", name)
		}
	}
	return result
}

// is checks where a reservation stands after a run, and what the run sent.
func (s *world) is(p pass, status, sent string) record {
	s.t.Helper()
	if got := p.text("status"); got != status || p.sent != sent {
		s.t.Errorf("it is %s, and the run sent %q; want %s and %q\n%s", got, p.sent, status, sent, printed(p.diagnostics))
	}
	held := ""
	if ids := s.ids(); len(ids) > 0 {
		held = strings.Join(ids, " ")
	}
	if got := p.text("session_id"); got != held {
		s.t.Errorf("session_id is %q, the network holds %q", got, held)
	}
	return p.record
}

// idle checks that a run has nothing to do.
func (s *world) idle(r record, config attrs, status string) record {
	s.t.Helper()
	p := s.pass(r, config)
	if p.planned || len(p.diagnostics) > 0 {
		s.t.Errorf("the run planned something, or said: %s", printed(p.diagnostics))
	}
	return s.is(p, status, "")
}

// lasts checks that the one session was asked for what remained of its window, rounded down. The clock
// stands still, but for the moments that pass on the way, which a busy machine makes seconds.
func (s *world) lasts(want time.Duration) {
	s.t.Helper()
	ledger := s.Ledger()
	if len(ledger) == 0 {
		s.t.Fatal("there is no session")
	}
	got := time.Duration(ledger[0].Duration) * time.Second
	if got > want || got < want-5*time.Second {
		s.t.Errorf("the session lasts %s, want %s", got, want)
	}
}

// saysOne checks that one warning was given, and no error.
func (s *world) saysOne(p pass, texts ...string) {
	s.t.Helper()
	warned := p.warnings()
	if len(warned) != 1 || p.errors() != "" {
		s.t.Fatalf("want one warning, got: %s", printed(p.diagnostics))
	}
	containsAll(s.t, warned[0], texts)
}

func containsAll(t *testing.T, text string, parts []string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
