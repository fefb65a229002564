// Proves which clock a reservation goes by, and that one that is wrong, stands still or comes from
// a cache neither ends a live session nor buys one.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
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

// A live session inside its window outlives each run whose answers carry a wrong time, and so does
// its state. The run is red, and says why; the next one with the right time has nothing to do.
func TestReservation_wrongTimeEndsNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		echo        func(map[string]any) // from the start
		injectFault func(network *acctest.Network)
		list        bool           // of lists alone
		cache       sandbox.Effect // before all that reads; it has got its answers one minute and half an hour before
		says        []string
	}{
		"all answers six hours ahead": {
			injectFault: func(network *acctest.Network) { network.SkewDate(off(6 * time.Hour)) },
			says:        []string{"shows the session as AVAILABLE", "until 2028-03-01T00:1", "shows 2028-03-01T02:17", "This machine's clock shows 2028-02-29T20:17"},
		},
		"all answers six hours ahead, and no times shown": {
			echo:        withoutTimes,
			injectFault: func(network *acctest.Network) { network.SkewDate(off(6 * time.Hour)) },
			says:        []string{"the window is not open", "shows 2028-03-01T02:17", "By this machine's clock, which shows 2028-02-29T20:17"},
		},
		"all answers six hours behind": {
			injectFault: func(network *acctest.Network) { network.SkewDate(off(-6 * time.Hour)) },
			says:        []string{"shows the session as AVAILABLE from 2028-02-29T20:15", "shows 2028-02-29T14:17"},
		},
		"all answers six hours behind, and no times shown": {
			echo:        withoutTimes,
			injectFault: func(network *acctest.Network) { network.SkewDate(off(-6 * time.Hour)) },
			says:        []string{"shows 2028-02-29T14:17"},
		},
		"every second answer six hours ahead": {
			injectFault: func(network *acctest.Network) {
				network.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * 6 * time.Hour })
			},
			says: []string{"The API's answers contradict each other", "2028-02-29T20:17", "2028-03-01T02:17"},
		},
		"one answer six hours ahead": {
			injectFault: func(network *acctest.Network) {
				network.SkewDate(func(_ int, op sandbox.Operation) time.Duration {
					if op == sandbox.OpRead {
						return 6 * time.Hour
					}
					return 0
				})
			},
			says: []string{"The API's answers contradict each other"},
		},
		"a cache that says so": {
			cache: sandbox.Cached(),
			says:  []string{"a list of the sessions that is older than the request", "A cache or proxy answers"},
		},
		"a cache that does not": {
			cache: sandbox.CachedWithoutAge(),
			says:  []string{"The API's answers contradict each other", "2028-02-29T20:16", "2028-02-29T19:45:00Z", "cache answers in its place"},
		},
		"a cache that does not, and no times shown": {
			echo:  withoutTimes,
			cache: sandbox.CachedWithoutAge(),
			says:  []string{"The API's answers contradict each other", "2028-02-29T20:16", "2028-02-29T19:45:00Z", "cache answers in its place"},
		},
		"a cache that does not, of the list": {
			cache: sandbox.CachedWithoutAge(), list: true,
			says: []string{"The API's answers contradict each other", "cache answers in its place"},
		},
		"no Date": {
			injectFault: func(network *acctest.Network) {
				network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Header("Date", "")})
			},
			says: []string{"The API's answers carry no Date header"},
		},
	} {
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			network.Echo(test.echo)
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
			cached := test.injectFault == nil
			if network.AtMatch(-30 * time.Minute); cached {
				network.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: test.cache})
				network.Client().Reservations().Refresh(r)
			}
			network.AtMatch(0)
			r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
			if network.AtMatch(time.Minute); cached {
				network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: test.cache})
				network.Client().Reservations().Refresh(r)
			}
			if network.AtMatch(2 * time.Minute); cached {
				if !test.list {
					network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: test.cache})
				}
				network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: test.cache})
			} else {
				test.injectFault(network)
			}
			kept := network.Run(r, match(nil))
			expectErrors(network, kept, append(test.says, "Unable to Read QoS Reservation", "kept as it was", "-refresh=false", "Session: "+r.Text("session_id"))...)
			network.Expect(kept, "AVAILABLE", "")
			// Nor does an update without a look before, as with -refresh=false.
			c := network.Client().Reservations()
			moved := c.Apply(c.Plan(r, match(attrs{"ends_at": "2028-03-01T00:10:00Z"})))
			acctest.ContainsAll(t, moved.Errors(), []string{"Unable to Update QoS Reservation", "Nothing was reserved or deleted"})
			if network.Writes() != "POST" || !moved.Equal(r) {
				t.Errorf("sent was %s, and the state has %v", network.Writes(), moved.Values)
			}
			network.SkewDate(nil)
			network.Heal()
			network.ExpectNoChange(r, match(nil), "AVAILABLE")
		}))
	}
}

// A clock that is hours behind, consistently, is believed while a session is bought: what was
// granted is then compared with the window, and the one that it leaves live after the window is
// said and deleted.
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
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			config := match(attrs{"starts_at": nil})
			network.SkewDate(off(-test.behind))
			bought := network.Run(acctest.State{}, config)
			r := network.Expect(bought, "AVAILABLE", "POST")
			expectWarnings(network, bought, test.warns...)
			if expires := network.Ledger()[0].ExpiresAt; test.behind > time.Minute {
				acctest.ContainsAll(t, acctest.Describe(bought.Diagnostics), []string{
					"granted the session until " + expires.UTC().Format(time.RFC3339), "the window closes at " + matchEnds, "Session: " + r.Text("session_id"),
				})
			}
			network.SkewDate(nil)
			r = network.ExpectNoChange(r, config, "AVAILABLE")
			network.AtMatch(4*time.Hour - time.Minute)
			r = network.ExpectNoChange(r, config, "AVAILABLE")
			network.AtMatch(4*time.Hour + 40*time.Second)
			sent := ""
			if test.behind > time.Minute {
				sent = "DELETE"
			}
			network.ExpectNoChange(network.Expect(network.Run(r, config), "ENDED", sent), config, "ENDED")
		}))
	}
	t.Run("every second answer six hours behind", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		network.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return -time.Duration(n%2) * 6 * time.Hour })
		made := network.Run(acctest.State{}, match(nil))
		expectErrors(network, made, "Unable to Create QoS Reservation", "The API's answers contradict each other", "Nothing was reserved or deleted")
		network.Expect(made, "", "")
	}))
}

// expectWarnings checks the summaries of the warnings of a run without errors.
func expectWarnings(network *acctest.Network, p acctest.Run, summaries ...string) {
	network.T.Helper()
	var got []string
	for _, d := range p.Diagnostics {
		got = append(got, d.Summary)
	}
	slices.Sort(got)
	if slices.Sort(summaries); p.Errors() != "" || !slices.Equal(got, summaries) {
		network.T.Errorf("it says %q, want the warnings %q\n%s", got, summaries, acctest.Describe(p.Diagnostics))
	}
}

// What has no session needs no clock. A reservation that is over asks for nothing, one that is
// scheduled keeps its state and says that the time is not known: plan, apply and destroy do their
// work. One that is due buys nothing without the time; one with a session is an error.
func TestReservation_withoutTheAPI(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*acctest.Network){
		"the client is revoked": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Operation: sandbox.OpToken, Times: -1, Effect: sandbox.Status(401, `{"error":"invalid_client"}`)})
		},
		"the API is down": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.DropBeforeCommit()})
		},
		"no Date": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Header("Date", "")})
		},
		"the list fails": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(500, "", "Date", "")})
		},
		"a gateway answers 404": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Times: -1, Effect: sandbox.Status(404, "<html>", "Content-Type", "text/html")})
		},
		"a cache answers": func(network *acctest.Network) {
			network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.CachedWithoutAge()})
		},
		"the answers disagree": func(network *acctest.Network) {
			network.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * time.Hour })
		},
	}
	for name, injectFault := range faults {
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			past := match(attrs{"starts_at": "2028-02-29T18:00:00Z", "ends_at": "2028-02-29T19:00:00Z"})
			other := match(attrs{"device": attrs{"phone_number": "+34600000011"}})
			ended := network.Expect(network.Run(acctest.State{}, past), "ENDED", "")
			scheduled := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
			due := network.Run(acctest.State{}, other).State
			network.AtMatch(time.Minute)
			live := network.Run(acctest.State{}, match(nil))
			network.Expect(live, "AVAILABLE", "POST")
			due = network.Client().Reservations().Refresh(due).State
			if due.Text("status") != "DUE" {
				t.Fatalf("it is %s", due.Text("status"))
			}
			injectFault(network)
			requests := len(network.Requests())
			expectNoChangeWithoutAPI(network, ended, past)
			if gone := network.Client().Reservations().Destroy(ended); len(gone.Diagnostics) > 0 || gone.Values != nil {
				t.Errorf("the destroy says: %s", acctest.Describe(gone.Diagnostics))
			}
			if got := len(network.Requests()) - requests; got > 0 {
				t.Errorf("for what is over %d requests were sent", got)
			}

			kept := network.Run(scheduled, match(nil))
			network.ExpectOneWarning(kept, "QoS Reservation Status Unknown", "could not establish the API's time", "The reservation has no session, so nothing is lost")
			if kept.Planned || !kept.Equal(scheduled) {
				t.Errorf("the state has %v", kept.Values)
			}
			if gone := network.Client().Reservations().Destroy(scheduled); len(gone.Diagnostics) > 0 || gone.Values != nil {
				t.Errorf("the destroy says: %s", acctest.Describe(gone.Diagnostics))
			}

			buying := network.Run(due, other)
			expectErrors(network, buying, "Unable to Update QoS Reservation", "Nothing was reserved or deleted")
			if !buying.Equal(due) || buying.Sent != "" {
				t.Errorf("sent was %q, and the state has %v", buying.Sent, buying.Values)
			}

			if name == "a cache answers" {
				// Of the session itself, it has nothing yet: its answer and that of the list agree.
				network.ExpectNoChange(live.State, match(nil), "AVAILABLE")
				return
			}
			read := network.Run(live.State, match(nil))
			expectErrors(network, read, "Unable to Read QoS Reservation", "-refresh=false", live.Text("session_id"))
			if read.Planned || !read.Equal(live.State) || len(network.SessionIDs()) != 1 {
				t.Errorf("the state has %v", read.Values)
			}
		}))
	}
}

// expectNoChangeWithoutAPI checks that a run without the API has nothing to do.
func expectNoChangeWithoutAPI(network *acctest.Network, r acctest.State, config attrs) {
	network.T.Helper()
	if p := network.Run(r, config); p.Planned || len(p.Diagnostics) > 0 || !p.Equal(r) {
		network.T.Errorf("the run planned something, or said: %s", acctest.Describe(p.Diagnostics))
	}
}

// What is over stays over by the API's clock when it was seen; this machine's may veto: where it
// says that the window is not over, the API is asked again.
func TestReservation_endedTooEarly(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		network.SkewDate(off(6 * time.Hour))
		over := network.Run(acctest.State{}, match(nil))
		expectWarnings(network, over, "Clocks Differ", "Reservation Window Has Ended")
		r := network.Expect(over, "ENDED", "")
		network.SkewDate(nil)
		network.ExpectNoChange(network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST"), match(nil), "AVAILABLE")
	})(t)
}

// starts_at = timestamp() is another time in every run, by the runner's clock. One that is a little
// ahead of the API's never ends the session that the last run made, and a plan warns.
func TestReservation_startsNow(t *testing.T) {
	t.Parallel()
	runner := func(network *acctest.Network, ahead time.Duration) attrs {
		return match(attrs{"starts_at": network.Clock.Now().Add(ahead).UTC().Format(time.RFC3339)})
	}
	t.Run("forty seconds ahead", acc.InBubble(-time.Minute, sandbox.Config{Clock: acctest.ClockAhead(-40 * time.Second)}, func(t *testing.T, network *acctest.Network) {
		merged := network.Run(acctest.State{}, runner(network, 40*time.Second))
		r := network.Expect(merged, "SCHEDULED", "")
		network.Advance(time.Minute)
		for range 3 {
			again := runWithUnknown(network, r, runner(network, 40*time.Second))
			expectWarnings(network, again, "Reservation Window Unknown", "Reservation Window Is Not Open Yet")
			r = network.Expect(again, "SCHEDULED", "")
			network.Advance(time.Minute)
		}
		// One that has begun is kept from then on.
		r = network.Expect(runWithUnknown(network, r, runner(network, 0)), "AVAILABLE", "POST")
		live := r.Text("session_id")
		for range 3 {
			network.Advance(time.Minute)
			again := runWithUnknown(network, r, runner(network, 40*time.Second))
			network.ExpectOneWarning(again, "Reservation Window Unknown", "leave starts_at out", "timestamp()")
			if r = network.Expect(again, "AVAILABLE", ""); r.Text("session_id") != live {
				t.Error("the session was replaced")
			}
			network.ExpectNoChange(r, runner(network, 40*time.Second).With("starts_at", r.Text("starts_at")), "AVAILABLE")
		}
		// Ten minutes ahead is another window.
		later := network.Run(r, runner(network, 10*time.Minute))
		network.Expect(later, "SCHEDULED", "DELETE")
		expectWarnings(network, later, "Live QoS Session Is Deleted", "Reservation Window Is Not Open Yet")
	}))
	for name, test := range map[string]struct {
		ahead        time.Duration
		status, sent string
	}{
		"almost five minutes ahead": {4*time.Minute + 50*time.Second, "AVAILABLE", ""},
		"over five minutes ahead":   {5*time.Minute + 10*time.Second, "SCHEDULED", "DELETE"},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			network.AtMatch(time.Minute)
			network.Expect(network.Run(r, runner(network, test.ahead)), test.status, test.sent)
		}))
	}
}

// runWithUnknown is a run whose plan does not know the start yet.
func runWithUnknown(network *acctest.Network, r acctest.State, config attrs) acctest.Run {
	network.T.Helper()
	before := len(strings.Fields(network.Writes()))
	c := network.Client().Reservations()
	read := c.Refresh(r)
	p := c.Plan(read.State, config.With("starts_at", acctest.Unknown{}))
	if acctest.HasError(p.Diagnostics) {
		network.T.Fatalf("the plan is refused: %s", acctest.Describe(p.Diagnostics))
	}
	p.Config = config
	p.Planned.Values["starts_at"] = tftypes.NewValue(tftypes.String, config["starts_at"])
	if from, err := validators.ParseInstant(p.Planned.Text("starts_at")); err == nil {
		to := mustInstant(network.T, p.Planned.Text("ends_at"))
		p.Planned.Values["window_seconds"] = tftypes.NewValue(tftypes.Number, int64(to.Sub(from)/time.Second))
	}
	made := c.Apply(p)
	sent := strings.Join(strings.Fields(network.Writes())[before:], " ")
	return acctest.Run{State: made.State, Planned: true, Sent: sent, Diagnostics: slices.Concat(read.Diagnostics, p.Diagnostics, made.Diagnostics)}
}
