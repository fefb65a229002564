// Proves which clock a reservation goes by, and that one that is wrong, stands still or comes from a cache
// neither ends a live session nor buys one.

package provider

import (
	"testing"
	"time"

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
			says:  []string{"a list of the sessions that it had (its answer has an Age header)", "A cache or proxy in front"},
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
				s.core().reservations().plan(record{}, match(nil))
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
			s.failsWith(kept, append(test.says, "Unable to Read QoS Reservation", "kept as it was", "-refresh=false", "Session: "+s.ids()[0])...)
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
