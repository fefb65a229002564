// Proves what becomes of a reservation, run by run, on the sandbox's clock: what is on the network, what
// is in the state, and what was said. Each run is a provider process of its own, as Terraform has it.

package provider

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// match is a reservation for four hours from kick-off, as a configuration.
func match(more attrs) attrs {
	config := attrs{
		"device": attrs{"phone_number": "+34600000010"}, "qos_profile": "QOS_L",
		"starts_at": matchStarts, "ends_at": matchEnds,
	}
	for name, value := range more {
		config[name] = value
	}
	return config
}

// season is a world whose time passes by hours when a test says so, and otherwise as it does.
type season struct{ *world }

// inSeason is a test in a bubble that begins at a time before kick-off. Its time is the API's and the
// machine's alike, and passes only while everybody waits, so that waiting takes none. A clock in the
// configuration, as one of clockOff, is the API's alone.
func inSeason(before time.Duration, config sandbox.Config, test func(*testing.T, season)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := season{newWorldInBubble(t, config)}
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

// newSeason is a season on sockets, for what needs a real CLI: the API's clock is years ahead of the
// machine's.
func newSeason(t *testing.T, before time.Duration, config sandbox.Config) season {
	t.Helper()
	t.Parallel() // first, since a test may wait for its turn for longer than the clock may go on
	config.Clock = sandbox.NewOffsetClock(atKickOff.Add(-before))
	return season{startWorld(t, config)}
}

// at has time pass until a time after kick-off. What a run takes on the way counts.
func (s season) at(after time.Duration) {
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
	tfdiags
}

// pass is a run: a refresh, a plan, and what was planned. It goes by what the network holds that state
// and network agree afterwards.
func (s season) pass(r record, config attrs) pass {
	s.t.Helper()
	return s.passOf(s.core().reservations(), r, config)
}

func (s season) passOf(c *core, r record, config attrs) pass {
	s.t.Helper()
	before := len(strings.Fields(s.writes()))
	var said tfdiags
	if r.values != nil {
		read := c.refresh(r)
		if said = read.tfdiags; refused(said) {
			return pass{r, false, "", said}
		}
		r = read.record
	}
	p := c.plan(r, config)
	said = append(said, p.tfdiags...)
	result := pass{r, false, "", said}
	switch {
	case refused(p.tfdiags):
		return result
	case len(p.replace) > 0:
		gone := c.destroy(r)
		if said = append(said, gone.tfdiags...); refused(gone.tfdiags) {
			return pass{gone.record, true, "", said}
		}
		p = c.plan(record{}, config)
		fallthrough
	case r.values == nil || !p.planned.is(r):
		made := c.apply(p)
		result = pass{made.record, true, "", append(said, made.tfdiags...)}
	}
	result.sent = strings.Join(strings.Fields(s.writes())[before:], " ")
	if strings.Contains(printed(result.tfdiags), "34600000010") {
		s.t.Errorf("what it said shows a whole phone number: %s", printed(result.tfdiags))
	}
	for name, value := range result.values {
		if !value.IsFullyKnown() {
			s.t.Errorf("%s is left unknown in state", name)
		}
	}
	return result
}

// is checks where a reservation stands after a run, and what the run sent.
func (s season) is(p pass, status, sent string) record {
	s.t.Helper()
	if got := p.text("status"); got != status || p.sent != sent {
		s.t.Errorf("it is %s, and the run sent %q; want %s and %q\n%s", got, p.sent, status, sent, printed(p.tfdiags))
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
func (s season) idle(r record, config attrs, status string) record {
	s.t.Helper()
	p := s.pass(r, config)
	if p.planned || len(p.tfdiags) > 0 {
		s.t.Errorf("the run planned something, or said: %s", printed(p.tfdiags))
	}
	return s.is(p, status, "")
}

// lasts checks that the one session was asked for what remained of its window, rounded down. The clock
// stands still, but for the moments that pass on the way, which a busy machine makes seconds.
func (s season) lasts(want time.Duration) {
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
func (s season) saysOne(p pass, texts ...string) {
	s.t.Helper()
	warned := p.warnings()
	if len(warned) != 1 || p.errors() != "" {
		s.t.Fatalf("want one warning, got: %s", printed(p.tfdiags))
	}
	containsAll(s.t, warned[0], texts)
}

// From a merge days early to long after the event: only the runs inside the window cost anything.
func TestReservation_life(t *testing.T) {
	inSeason(4*24*time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		config := match(nil)

		merged := s.pass(record{}, config)
		s.saysOne(merged, "Reservation Window Is Not Open Yet", matchStarts, "Nothing is reserved or billed", "Schedule a run")
		r := s.is(merged, "SCHEDULED", "")
		id := r.text("id")
		if got := r.values["window_seconds"]; !got.Equal(tftypes.NewValue(tftypes.Number, 4*3600)) {
			t.Errorf("window_seconds is %s", got)
		}
		for day := range 3 {
			s.at(time.Duration(day-3) * 24 * time.Hour)
			r = s.idle(r, config, "SCHEDULED")
		}
		s.at(-8 * time.Minute)
		r = s.idle(r, config, "SCHEDULED")
		s.at(-3 * time.Second)
		r = s.idle(r, config, "SCHEDULED")

		s.at(0)
		opened := s.pass(r, config)
		r = s.is(opened, "AVAILABLE", "POST")
		if len(opened.tfdiags) > 0 {
			t.Errorf("the run inside the window said: %s", printed(opened.tfdiags))
		}
		s.lasts(4 * time.Hour)
		if expires := mustInstant(t, r.text("expires_at")); r.text("id") != id || mustInstant(t, r.text("started_at")).Sub(atKickOff).Abs() > 3*time.Second || !expires.Equal(s.Ledger()[0].ExpiresAt.Truncate(time.Second)) {
			t.Errorf("the state has %v", r.values)
		}
		r = s.idle(r, config, "AVAILABLE")

		s.at(time.Hour)
		s.Revoke(r.text("session_id")) // it lingers and blocks its device
		r = s.is(s.pass(r, config), "AVAILABLE", "DELETE POST")
		s.lasts(3 * time.Hour)
		s.Remove(r.text("session_id"))
		r = s.is(s.pass(r, config), "AVAILABLE", "POST")
		r = s.idle(r, config, "AVAILABLE")

		s.at(4 * time.Hour) // the session has ended by itself
		r = s.idle(r, config, "ENDED")
		s.at(365 * 24 * time.Hour)
		r = s.idle(r, config, "ENDED")
		if r.text("id") != id {
			t.Error("the id has changed on the way")
		}

		next := match(attrs{"starts_at": "2029-03-07T20:15:00Z", "ends_at": "2029-03-08T00:15:00Z"})
		r = s.is(s.pass(r, next), "SCHEDULED", "")
		if r.text("id") != id || r.text("starts_at") != "2029-03-07T20:15:00Z" {
			t.Errorf("the state has %v", r.values)
		}
		gone := s.core().reservations().destroy(r)
		if gone.values != nil || len(gone.tfdiags) > 0 || s.writes() != "POST DELETE POST POST" {
			t.Errorf("the destroy left %v and sent %s; %s", gone.values, s.writes(), printed(gone.tfdiags))
		}
	})(t)
}

// Moving the window never cuts a live session that the new one covers, and never buys outside of it.
func TestReservation_moves(t *testing.T) {
	t.Parallel()
	const (
		anHourOn   = "2028-03-01T01:15:00Z"
		halfTime   = "2028-02-29T21:00:00Z"
		matchStart = matchStarts
	)
	tests := map[string]struct {
		from, to     attrs
		after        time.Duration // kick-off, when it is moved
		status, sent string
		warns        []string
		next         string        // what the next run sends
		nextAfter    time.Duration // kick-off
		nextStatus   string
	}{
		"end later": {
			to: attrs{"ends_at": anHourOn}, after: time.Hour, status: "AVAILABLE",
			warns:     []string{"QoS Session Ends Before Its Window", "open until " + anHourOn, "cannot extend", "The first run of Terraform after the session's end", "-replace"},
			nextAfter: 4 * time.Hour, next: "POST", nextStatus: "AVAILABLE",
		},
		"end earlier, still to come": {
			to: attrs{"ends_at": "2028-02-29T22:00:00Z"}, after: time.Hour, status: "AVAILABLE",
			nextAfter: 2 * time.Hour, next: "DELETE", nextStatus: "ENDED",
		},
		"end earlier, past": {
			to: attrs{"ends_at": halfTime}, after: time.Hour, status: "ENDED", sent: "DELETE",
			nextAfter: 2 * time.Hour, nextStatus: "ENDED",
		},
		"start into the future": {
			to: attrs{"starts_at": "2028-02-29T22:15:00Z"}, after: time.Hour, status: "SCHEDULED", sent: "DELETE",
			warns: []string{"Reservation Window Is Not Open Yet"}, nextAfter: 2 * time.Hour, next: "POST", nextStatus: "AVAILABLE",
		},
		"start into the past": {
			to: attrs{"starts_at": "2028-02-29T19:15:00Z"}, after: time.Hour, status: "AVAILABLE",
			nextAfter: 2 * time.Hour, nextStatus: "AVAILABLE",
		},
		"start left out": {
			to: attrs{"starts_at": nil}, after: time.Hour, status: "AVAILABLE",
			nextAfter: 2 * time.Hour, nextStatus: "AVAILABLE",
		},
		"another window": {
			to: attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"}, after: time.Hour,
			status: "SCHEDULED", sent: "DELETE", warns: []string{"Reservation Window Is Not Open Yet"},
			nextAfter: 7 * 24 * time.Hour, next: "POST", nextStatus: "AVAILABLE",
		},
		"longer than a day, from the start": {
			from: attrs{"ends_at": "2028-03-02T20:15:00Z"}, after: time.Hour, status: "AVAILABLE",
			nextAfter: 24*time.Hour + 5*time.Second, next: "POST", nextStatus: "AVAILABLE",
		},
	}
	for name, test := range tests {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			first := match(test.from)
			begun := s.pass(record{}, first)
			r := s.is(begun, "AVAILABLE", "POST")
			if test.from != nil {
				s.saysOne(begun, "QoS Session Ends Before Its Window", "until 2028-03-01T20:15:0")
			}
			s.at(test.after)
			config := first
			for attribute, value := range test.to {
				config = config.with(attribute, value)
			}
			moved := s.pass(r, config)
			r = s.is(moved, test.status, test.sent)
			if test.warns == nil && len(moved.tfdiags) > 0 {
				t.Errorf("it said: %s", printed(moved.tfdiags))
			} else if test.warns != nil {
				s.saysOne(moved, test.warns...)
			}
			if test.status == "AVAILABLE" || test.status == "ENDED" || test.status == "SCHEDULED" {
				r = s.idle(r, config, test.status)
			}
			s.at(test.nextAfter)
			next := s.pass(r, config)
			s.is(next, test.nextStatus, test.next)
			s.idle(next.record, config, test.nextStatus)
		}))
	}
}

// closing is an API whose window closes just before the POST.
type closing struct {
	qod.Sessions
	now *time.Time
}

func (closing) Check(qod.Spec) []qod.Problem             { return nil }
func (closing) EstimateNow() time.Time                   { return time.Time{} }
func (c closing) Now(context.Context) (time.Time, error) { return *c.now, nil }
func (c closing) Create(context.Context, qod.Spec) (qod.Session, error) {
	*c.now = c.now.Add(4 * time.Hour)
	return qod.Session{}, qod.ErrWindowClosed
}
func (closing) Endpoint() string { return "https://closing.example" }

func (closing) Origin() string { return "https://closing.example" }

// lastMinute is one whose window closes, and whose session ends with it, during the wait.
type lastMinute struct{ closing }

func (lastMinute) Create(context.Context, qod.Spec) (qod.Session, error) {
	return qod.Session{ID: lostID, Status: qod.StatusRequested, QoSProfile: "QOS_L"}, nil
}
func (l lastMinute) Await(context.Context, qod.Ref) (qod.Session, error) {
	*l.now = atKickOff.Add(4 * time.Hour)
	last := qod.Session{ID: lostID, Status: qod.StatusRequested}
	return last, &qod.WaitError{Reason: qod.WaitGone, Last: last}
}

// A window that is over before the reservation is made ends in a warning, whatever was planned before.
func TestReservation_tooLate(t *testing.T) {
	t.Parallel()
	t.Run("planned too late", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.at(5 * time.Hour)
		c := s.core().reservations()
		p := c.plan(record{}, match(nil))
		if warned := p.warnings(); len(warned) != 1 || p.errors() != "" {
			t.Fatalf("the plan says: %s", printed(p.tfdiags))
		}
		containsAll(t, p.warnings()[0], []string{"Reservation Window Has Ended", matchEnds, "this machine's clock shows 2028-03-01T01:15:00Z"})
		if asked := s.Requests(); len(asked) > 0 {
			t.Errorf("the plan sent %v", asked)
		}
		late := s.pass(record{}, match(nil))
		s.is(late, "ENDED", "")
		s.idle(late.record, match(nil), "ENDED")
	}))
	t.Run("applied too late", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		c := s.core().reservations()
		p := c.plan(record{}, match(nil))
		if len(p.tfdiags) > 0 {
			t.Fatalf("the plan says: %s", printed(p.tfdiags))
		}
		s.at(4 * time.Hour)
		made := s.core().reservations().apply(p)
		if made.text("status") != "ENDED" || refused(made.tfdiags) || s.writes() != "" {
			t.Errorf("it is %s and sent %s; %s", made.text("status"), s.writes(), printed(made.tfdiags))
		}
		containsAll(t, strings.Join(made.warnings(), ""), []string{"Reservation Window Has Ended", matchEnds})
	}))
	t.Run("due, and applied too late", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
		s.at(0)
		c := s.core().reservations()
		p := c.plan(c.refresh(r).record, match(nil))
		s.at(4 * time.Hour)
		made := s.core().reservations().apply(p)
		if made.text("status") != "ENDED" || refused(made.tfdiags) || s.writes() != "" {
			t.Errorf("it is %s and sent %s; %s", made.text("status"), s.writes(), printed(made.tfdiags))
		}
	}))
	t.Run("the window closes while the POST is prepared", func(t *testing.T) {
		t.Parallel()
		c := coreWith(t, closing{now: new(atKickOff)}).reservations()
		made := c.apply(c.plan(record{}, match(nil)))
		if made.text("status") != "ENDED" || refused(made.tfdiags) {
			t.Errorf("it is %q; %s", made.text("status"), printed(made.tfdiags))
		}
	})
	t.Run("the window closes during the wait", func(t *testing.T) {
		t.Parallel()
		for what, starts := range map[string]string{"a create": matchStarts, "an update": "2028-02-29T21:15:00Z"} {
			now := atKickOff
			c := coreWith(t, lastMinute{closing{now: &now}}).reservations()
			made := c.apply(c.plan(record{}, match(attrs{"starts_at": starts})))
			if what == "an update" {
				made = c.apply(c.plan(made.record, match(nil)))
			}
			if made.text("status") != "ENDED" || !made.values["session_id"].IsNull() || made.text("starts_at") != matchStarts || refused(made.tfdiags) {
				t.Errorf("%s: it is %q from %s; %s", what, made.text("status"), made.text("starts_at"), printed(made.tfdiags))
			}
			containsAll(t, strings.Join(made.warnings(), ""), []string{"Reservation Window Has Ended", matchEnds})
		}
	})
	t.Run("what remains is rounded down", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.at(4*time.Hour - 20*time.Second) // and a few milliseconds, until it is asked for
		s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		s.lasts(19 * time.Second)
	}))
}

// The clock is the API's: the machine's may be anywhere, and where they differ by more than some
// minutes, each run that does something says so. Where the API tells no time, nothing is bought or ended.
func TestReservation_clock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour, "four minutes ahead": 4 * time.Minute} {
		t.Run(name, inSeason(time.Minute, sandbox.Config{Clock: clockOff(off)}, func(t *testing.T, s season) {
			warned := func(p pass) int { return strings.Count(printed(p.tfdiags), "Clocks Differ") }
			want := 0
			if off.Abs() > 5*time.Minute {
				want = 1
			}
			merged := s.pass(record{}, match(nil))
			r := s.is(merged, "SCHEDULED", "")
			s.at(0)
			opened := s.pass(r, match(nil))
			r = s.idle(s.is(opened, "AVAILABLE", "POST"), match(nil), "AVAILABLE")
			s.lasts(4 * time.Hour)
			s.at(4*time.Hour + time.Second)
			s.idle(r, match(nil), "ENDED")
			if warned(merged) != want || warned(opened) != want {
				t.Errorf("it warns %d times before the window, and %d times inside of it; want %d", warned(merged), warned(opened), want)
			}
		}))
	}
	t.Run("two lists a process", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		var all []record
		for range 20 {
			all = append(all, s.pass(record{}, match(nil)).record)
		}
		c := s.core().reservations()
		lists, began := s.Count(sandbox.OpList), time.Now()
		for _, r := range all {
			c.refresh(r)
			c.plan(r, match(nil))
			c.plan(record{}, match(nil))
		}
		if got := s.Count(sandbox.OpList) - lists; got != 2 {
			t.Errorf("%d lists were asked for, want two", got)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s to know the time", took)
		}
	}))
}

// ticking is an API whose nodes tell these times, one after another.
type ticking struct {
	qod.Sessions
	times *[]time.Time
}

func (ticking) Check(qod.Spec) []qod.Problem { return nil }
func (ticking) EstimateNow() time.Time       { return time.Time{} }
func (ticking) Endpoint() string             { return "https://ticking.example" }
func (ticking) Origin() string               { return "https://ticking.example" }

func (c ticking) Now(context.Context) (time.Time, error) {
	now := (*c.times)[0]
	if len(*c.times) > 1 {
		*c.times = (*c.times)[1:]
	}
	return now, nil
}

func (ticking) Create(_ context.Context, spec qod.Spec) (qod.Session, error) {
	return qod.Session{ID: lostID, Device: spec.Device, QoSProfile: spec.QoSProfile, Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: spec.Until}, nil
}

// What is done, recorded and said goes by one time, also where the window opens in the middle of it, or
// a node of the API is behind the one that said that it is open.
func TestReservation_nodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times  []time.Time
		status string
		warns  string
	}{
		"it opens meanwhile":       {[]time.Time{atKickOff.Add(-time.Millisecond), atKickOff.Add(time.Second)}, "SCHEDULED", "Reservation Window Is Not Open Yet"},
		"the second one is behind": {[]time.Time{atKickOff, atKickOff.Add(-2 * time.Second)}, "AVAILABLE", ""},
	} {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, _ season) {
			c := coreWith(t, ticking{times: &test.times}).reservations()
			made := c.apply(c.plan(record{}, match(nil)))
			if got := made.text("status"); got != test.status || made.errors() != "" {
				t.Errorf("it is %s, want %s; %s", got, test.status, printed(made.tfdiags))
			}
			if said := strings.Join(made.warnings(), "\n"); (test.warns == "") != (said == "") || !strings.Contains(said, test.warns) {
				t.Errorf("it warns %q, want %q", said, test.warns)
			}
		}))
	}
}
