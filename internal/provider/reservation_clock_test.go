// Proves which clock a reservation goes by, and that one that is wrong, stands still or comes from a cache
// neither ends a live session nor buys one.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// off has all answers be off by so much.
func off(by time.Duration) func(int, sandbox.Operation) time.Duration {
	return func(int, sandbox.Operation) time.Duration { return by }
}

// withoutTimes is an API that shows no session's start or end.
func withoutTimes(info map[string]any) {
	delete(info, "startedAt")
	delete(info, "expiresAt")
}

// A live session inside its window outlives each run whose answers carry a wrong time, and so does its
// record. The run is red, and says why; the next one with the right time has nothing to do.
func TestReservation_wrongTimeEndsNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		echo  func(map[string]any) // from the start
		spoil func(s season)
		list  bool           // of lists alone
		cache sandbox.Effect // before all that reads; it has got its answers one minute and half an hour before
		says  []string
	}{
		"all answers six hours ahead": {
			spoil: func(s season) { s.SkewDate(off(6 * time.Hour)) },
			says:  []string{"shows the session as AVAILABLE", "until 2028-03-01T00:1", "shows 2028-03-01T02:17", "This machine's clock shows 2028-02-29T20:17"},
		},
		"all answers six hours ahead, and no times shown": {
			echo:  withoutTimes,
			spoil: func(s season) { s.SkewDate(off(6 * time.Hour)) },
			says:  []string{"the window is not open", "shows 2028-03-01T02:17", "By this machine's clock, which shows 2028-02-29T20:17"},
		},
		"all answers six hours behind": {
			spoil: func(s season) { s.SkewDate(off(-6 * time.Hour)) },
			says:  []string{"shows the session as AVAILABLE from 2028-02-29T20:15", "shows 2028-02-29T14:17"},
		},
		"all answers six hours behind, and no times shown": {
			echo:  withoutTimes,
			spoil: func(s season) { s.SkewDate(off(-6 * time.Hour)) },
			says:  []string{"shows 2028-02-29T14:17"},
		},
		"every second answer six hours ahead": {
			spoil: func(s season) {
				s.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * 6 * time.Hour })
			},
			says: []string{"Its answers contradict each other", "2028-02-29T20:17", "2028-03-01T02:17"},
		},
		"one answer six hours ahead": {
			spoil: func(s season) {
				s.SkewDate(func(n int, op sandbox.Operation) time.Duration {
					if op == sandbox.OpRead {
						return 6 * time.Hour
					}
					return 0
				})
			},
			says: []string{"Its answers contradict each other"},
		},
		"a cache that says so": {
			cache: sandbox.Cached(),
			says:  []string{"a list of the sessions from before it was asked", "A cache or proxy in front"},
		},
		"a cache that does not": {
			cache: sandbox.CachedWithoutAge(),
			says:  []string{"Its answers contradict each other", "2028-02-29T20:16", "2028-02-29T19:45:00Z", "cache answers in its place"},
		},
		"a cache that does not, and no times shown": {
			echo:  withoutTimes,
			cache: sandbox.CachedWithoutAge(),
			says:  []string{"Its answers contradict each other", "2028-02-29T20:16", "2028-02-29T19:45:00Z", "cache answers in its place"},
		},
		"a cache that does not, of the list": {
			cache: sandbox.CachedWithoutAge(), list: true,
			says: []string{"Its answers contradict each other", "cache answers in its place"},
		},
		"no Date": {
			spoil: func(s season) { s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Header("Date", "")}) },
			says:  []string{"Its answers carry no Date header"},
		},
	} {
		t.Run(name, inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
			s.Echo(test.echo)
			r := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
			cached := test.spoil == nil
			if s.at(-30 * time.Minute); cached {
				s.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: test.cache})
				s.core().reservations().refresh(r)
			}
			s.at(0)
			r = s.is(s.pass(r, match(nil)), "AVAILABLE", "POST")
			if s.at(time.Minute); cached {
				s.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: test.cache})
				s.core().reservations().refresh(r)
			}
			if s.at(2 * time.Minute); cached {
				if !test.list {
					s.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: test.cache})
				}
				s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: test.cache})
			} else {
				test.spoil(s)
			}
			kept := s.pass(r, match(nil))
			s.failsWith(kept, append(test.says, "Unable to Read QoS Reservation", "kept as it was", "-refresh=false", "Session: "+r.text("session_id"))...)
			s.is(kept, "AVAILABLE", "")
			// Nor does an update without a look before, as with -refresh=false.
			c := s.core().reservations()
			moved := c.apply(c.plan(r, match(attrs{"ends_at": "2028-03-01T01:15:00Z"})))
			containsAll(t, moved.errors(), []string{"Unable to Update QoS Reservation", "Nothing was reserved or deleted"})
			if s.writes() != "POST" || !moved.is(r) {
				t.Errorf("sent was %s, and the state has %v", s.writes(), moved.values)
			}
			s.SkewDate(nil)
			s.Heal()
			s.idle(r, match(nil), "AVAILABLE")
		}))
	}
}

// A clock that is hours behind, consistently, is believed while a session is bought: what was granted is
// then compared with the window, and the one that it leaves live after the window is said and deleted.
func TestReservation_grantedBeyondTheWindow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behind time.Duration
		warns  []string
	}{
		"six hours behind":          {6 * time.Hour, []string{"Clocks Differ", "QoS Session Ends After Its Window"}},
		"two minutes behind":        {2 * time.Minute, []string{"QoS Session Ends After Its Window"}},
		"half a minute behind":      {30 * time.Second, nil},
		"half a minute ahead":       {-30 * time.Second, []string{"QoS Session Ends Before Its Window"}},
		"as the machine's clock is": {0, nil},
	} {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			config := match(attrs{"starts_at": nil})
			s.SkewDate(off(-test.behind))
			bought := s.pass(record{}, config)
			r := s.is(bought, "AVAILABLE", "POST")
			s.warns(bought, test.warns...)
			if expires := s.Ledger()[0].ExpiresAt; test.behind > time.Minute {
				containsAll(t, printed(bought.tfdiags), []string{
					"granted the session until " + expires.UTC().Format(time.RFC3339), "the window closes at " + matchEnds, "Session: " + r.text("session_id"),
				})
			}
			s.SkewDate(nil)
			r = s.idle(r, config, "AVAILABLE")
			s.at(4*time.Hour - time.Minute)
			r = s.idle(r, config, "AVAILABLE")
			s.at(4*time.Hour + 40*time.Second)
			sent := ""
			if test.behind > time.Minute {
				sent = "DELETE"
			}
			s.idle(s.is(s.pass(r, config), "ENDED", sent), config, "ENDED")
		}))
	}
	t.Run("every second answer six hours behind", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return -time.Duration(n%2) * 6 * time.Hour })
		made := s.pass(record{}, match(nil))
		s.failsWith(made, "Unable to Create QoS Reservation", "Its answers contradict each other", "Nothing was reserved or deleted")
		s.is(made, "", "")
	}))
}

// warns checks the summaries of the warnings of a run without errors.
func (s season) warns(p pass, summaries ...string) {
	s.t.Helper()
	var got []string
	for _, d := range p.tfdiags {
		got = append(got, d.Summary)
	}
	slices.Sort(got)
	if slices.Sort(summaries); p.errors() != "" || !slices.Equal(got, summaries) {
		s.t.Errorf("it says %q, want the warnings %q\n%s", got, summaries, printed(p.tfdiags))
	}
}

// What has no session needs no clock. A reservation that is over asks for nothing, one that is scheduled
// keeps its record and says that the time is not known: plan, apply and destroy do their work. One that is
// due buys nothing without the time; one with a session is an error.
func TestReservation_withoutTheAPI(t *testing.T) {
	t.Parallel()
	faults := map[string]func(season){
		"the client is revoked": func(s season) {
			s.Fail(sandbox.Fault{Operation: sandbox.OpToken, Times: -1, Effect: sandbox.Status(401, `{"error":"invalid_client"}`)})
		},
		"the API is down": func(s season) { s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()}) },
		"no Date":         func(s season) { s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Header("Date", "")}) },
		"the list fails": func(s season) {
			s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(500, "", "Date", "")})
		},
		"a gateway answers 404": func(s season) {
			s.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Status(404, "<html>", "Content-Type", "text/html")})
		},
		"a cache answers": func(s season) {
			s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.CachedWithoutAge()})
		},
		"the answers disagree": func(s season) {
			s.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * time.Hour })
		},
	}
	for name, spoil := range faults {
		t.Run(name, inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
			past := match(attrs{"starts_at": "2028-02-29T18:00:00Z", "ends_at": "2028-02-29T19:00:00Z"})
			other := match(attrs{"device": attrs{"phone_number": "+34600000011"}})
			ended := s.is(s.pass(record{}, past), "ENDED", "")
			scheduled := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
			due := s.pass(record{}, other).record
			s.at(time.Minute)
			live := s.pass(record{}, match(nil))
			s.is(live, "AVAILABLE", "POST")
			due = s.core().reservations().refresh(due).record
			if due.text("status") != "DUE" {
				t.Fatalf("it is %s", due.text("status"))
			}
			spoil(s)
			requests := len(s.Requests())
			s.idleWithoutTheAPI(ended, past)
			if gone := s.core().reservations().destroy(ended); len(gone.tfdiags) > 0 || gone.values != nil {
				t.Errorf("the destroy says: %s", printed(gone.tfdiags))
			}
			if got := len(s.Requests()) - requests; got > 0 {
				t.Errorf("for what is over %d requests were sent", got)
			}

			kept := s.pass(scheduled, match(nil))
			s.saysOne(kept, "QoS Reservation Status Unknown", "The API's time is not known", "The reservation has no session, so nothing is lost")
			if kept.planned || !kept.is(scheduled) {
				t.Errorf("the state has %v", kept.values)
			}
			if gone := s.core().reservations().destroy(scheduled); len(gone.tfdiags) > 0 || gone.values != nil {
				t.Errorf("the destroy says: %s", printed(gone.tfdiags))
			}

			buying := s.pass(due, other)
			s.failsWith(buying, "Unable to Update QoS Reservation", "Nothing was reserved or deleted")
			if !buying.is(due) || buying.sent != "" {
				t.Errorf("sent was %q, and the state has %v", buying.sent, buying.values)
			}

			if name == "a cache answers" {
				// Of the session itself, it has nothing yet: its answer and that of the list agree.
				s.idle(live.record, match(nil), "AVAILABLE")
				return
			}
			read := s.pass(live.record, match(nil))
			s.failsWith(read, "Unable to Read QoS Reservation", "-refresh=false", live.text("session_id"))
			if read.planned || !read.is(live.record) || len(s.ids()) != 1 {
				t.Errorf("the state has %v", read.values)
			}
		}))
	}
}

// idleWithoutTheAPI checks that a run without the API has nothing to do.
func (s season) idleWithoutTheAPI(r record, config attrs) {
	s.t.Helper()
	if p := s.pass(r, config); p.planned || len(p.tfdiags) > 0 || !p.is(r) {
		s.t.Errorf("the run planned something, or said: %s", printed(p.tfdiags))
	}
}

// What is over stays over by the API's clock when it was seen; this machine's may veto: where it says
// that the window is not over, the API is asked again.
func TestReservation_endedTooEarly(t *testing.T) {
	inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.SkewDate(off(6 * time.Hour))
		over := s.pass(record{}, match(nil))
		s.warns(over, "Clocks Differ", "Reservation Window Has Ended")
		r := s.is(over, "ENDED", "")
		s.SkewDate(nil)
		s.idle(s.is(s.pass(r, match(nil)), "AVAILABLE", "POST"), match(nil), "AVAILABLE")
	})(t)
}

// starts_at = timestamp() is another time in every run, by the runner's clock. One that is a little ahead
// of the API's never ends the session that the last run made, and a plan warns.
func TestReservation_startsNow(t *testing.T) {
	t.Parallel()
	runner := func(s season, ahead time.Duration) attrs {
		return match(attrs{"starts_at": s.clock.Now().Add(ahead).UTC().Format(time.RFC3339)})
	}
	t.Run("forty seconds ahead", inSeason(-time.Minute, sandbox.Config{Clock: clockOff(-40 * time.Second)}, func(t *testing.T, s season) {
		merged := s.pass(record{}, runner(s, 40*time.Second))
		r := s.is(merged, "SCHEDULED", "")
		s.advance(time.Minute)
		for range 3 {
			r = s.is(s.passUnknown(r, runner(s, 40*time.Second)), "SCHEDULED", "")
			s.advance(time.Minute)
		}
		// One that has begun is kept from then on.
		r = s.is(s.passUnknown(r, runner(s, 0)), "AVAILABLE", "POST")
		live := r.text("session_id")
		for range 3 {
			s.advance(time.Minute)
			again := s.passUnknown(r, runner(s, 40*time.Second))
			s.saysOne(again, "Reservation Window Unknown", "leave starts_at out", "timestamp()")
			if r = s.is(again, "AVAILABLE", ""); r.text("session_id") != live {
				t.Error("the session was replaced")
			}
			s.idle(r, runner(s, 40*time.Second).with("starts_at", r.text("starts_at")), "AVAILABLE")
		}
		// Ten minutes ahead is another window.
		later := s.pass(r, runner(s, 10*time.Minute))
		s.is(later, "SCHEDULED", "DELETE")
		s.warns(later, "Reservation Window Is Not Open Yet")
	}))
	for name, test := range map[string]struct {
		ahead        time.Duration
		status, sent string
	}{
		"almost five minutes ahead": {4*time.Minute + 50*time.Second, "AVAILABLE", ""},
		"over five minutes ahead":   {5*time.Minute + 10*time.Second, "SCHEDULED", "DELETE"},
	} {
		t.Run(name, inSeason(0, sandbox.Config{}, func(_ *testing.T, s season) {
			r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
			s.at(time.Minute)
			s.is(s.pass(r, runner(s, test.ahead)), test.status, test.sent)
		}))
	}
}

// passUnknown is a pass whose plan does not know the start yet.
func (s season) passUnknown(r record, config attrs) pass {
	s.t.Helper()
	before := len(strings.Fields(s.writes()))
	c := s.core().reservations()
	read := c.refresh(r)
	p := c.plan(read.record, config.with("starts_at", notKnownYet{}))
	if refused(p.tfdiags) {
		s.t.Fatalf("the plan is refused: %s", printed(p.tfdiags))
	}
	p.config = config
	p.planned.values["starts_at"] = tftypes.NewValue(tftypes.String, config["starts_at"])
	if from, err := validators.ParseInstant(p.planned.text("starts_at")); err == nil {
		to := mustInstant(s.t, p.planned.text("ends_at"))
		p.planned.values["window_seconds"] = tftypes.NewValue(tftypes.Number, int64(to.Sub(from)/time.Second))
	}
	made := c.apply(p)
	sent := strings.Join(strings.Fields(s.writes())[before:], " ")
	return pass{made.record, true, sent, slices.Concat(read.tfdiags, p.tfdiags, made.tfdiags)}
}
