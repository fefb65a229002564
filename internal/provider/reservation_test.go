// Proves what becomes of a reservation, run by run, on the sandbox's clock: what is on the network,
// what is in the state, and what was said. Each run is a provider process of its own, as Terraform
// has it.

package provider

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// From a merge days early to long after the event: only the runs inside the window cost anything.
func TestReservation_life(t *testing.T) {
	acc.InBubble(4*24*time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		config := match(nil)

		merged := network.Run(acctest.State{}, config)
		network.ExpectOneWarning(merged, "Reservation Window Is Not Open Yet", matchStarts, "Nothing is reserved or billed", "Schedule a run")
		r := network.Expect(merged, "SCHEDULED", "")
		id := r.Text("id")
		if got := r.Values["window_seconds"]; !got.Equal(tftypes.NewValue(tftypes.Number, 4*3600)) {
			t.Errorf("window_seconds is %s", got)
		}
		for day := range 3 {
			network.AtMatch(time.Duration(day-3) * 24 * time.Hour)
			r = network.ExpectNoChange(r, config, "SCHEDULED")
		}
		network.AtMatch(-8 * time.Minute)
		r = network.ExpectNoChange(r, config, "SCHEDULED")
		network.AtMatch(-3 * time.Second)
		r = network.ExpectNoChange(r, config, "SCHEDULED")

		network.AtMatch(0)
		opened := network.Run(r, config)
		r = network.Expect(opened, "AVAILABLE", "POST")
		if len(opened.Diagnostics) > 0 {
			t.Errorf("the run inside the window said: %s", acctest.Describe(opened.Diagnostics))
		}
		network.ExpectDuration(4 * time.Hour)
		if expires := mustInstant(t, r.Text("expires_at")); r.Text("id") != id || mustInstant(t, r.Text("started_at")).Sub(acctest.KickOff).Abs() > 3*time.Second || !expires.Equal(network.Ledger()[0].ExpiresAt.Truncate(time.Second)) {
			t.Errorf("the state has %v", r.Values)
		}
		r = network.ExpectNoChange(r, config, "AVAILABLE")

		network.AtMatch(time.Hour)
		network.Revoke(r.Text("session_id")) // it lingers and blocks its device
		r = network.Expect(network.Run(r, config), "AVAILABLE", "DELETE POST")
		network.ExpectDuration(3 * time.Hour)
		network.Remove(r.Text("session_id"))
		r = network.Expect(network.Run(r, config), "AVAILABLE", "POST")
		r = network.ExpectNoChange(r, config, "AVAILABLE")

		network.AtMatch(4 * time.Hour) // the session has ended by itself
		r = network.ExpectNoChange(r, config, "ENDED")
		network.AtMatch(365 * 24 * time.Hour)
		r = network.ExpectNoChange(r, config, "ENDED")
		if r.Text("id") != id {
			t.Error("the id has changed on the way")
		}

		next := match(attrs{"starts_at": "2029-03-07T20:15:00Z", "ends_at": "2029-03-08T00:15:00Z"})
		r = network.Expect(network.Run(r, next), "SCHEDULED", "")
		if r.Text("id") != id || r.Text("starts_at") != "2029-03-07T20:15:00Z" {
			t.Errorf("the state has %v", r.Values)
		}
		gone := network.Client().Reservations().Destroy(r)
		if gone.Values != nil || len(gone.Diagnostics) > 0 || network.Writes() != "POST DELETE POST POST" {
			t.Errorf("the destroy left %v and sent %s; %s", gone.Values, network.Writes(), acctest.Describe(gone.Diagnostics))
		}
	})(t)
}

// Moving the window never cuts a live session that the new one covers, and never buys outside of
// it.
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
			warns:     []string{"QoS Session Ends Before Its Window", "to end at " + anHourOn, "cannot extend", "until the first run after it", "replace_to_extend"},
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
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			first := match(test.from)
			begun := network.Run(acctest.State{}, first)
			r := network.Expect(begun, "AVAILABLE", "POST")
			if test.from != nil {
				network.ExpectOneWarning(begun, "QoS Session Ends Before Its Window", "until 2028-03-01T20:15:0")
			}
			network.AtMatch(test.after)
			config := first
			for attribute, value := range test.to {
				config = config.With(attribute, value)
			}
			live := r.Text("session_id")
			moved := network.Run(r, config)
			if test.sent == "DELETE" { // the plan says so
				ended := func(text string) bool {
					return strings.HasPrefix(text, "Live QoS Session Is Deleted: ") && strings.Contains(text, live)
				}
				if warned := moved.Warnings(); len(warned) == 0 || !ended(warned[0]) {
					t.Fatalf("it does not name the session that it ends: %s", acctest.Describe(moved.Diagnostics))
				}
				moved.Diagnostics = moved.Diagnostics[1:]
			}
			r = network.Expect(moved, test.status, test.sent)
			if test.warns == nil && len(moved.Diagnostics) > 0 {
				t.Errorf("it said: %s", acctest.Describe(moved.Diagnostics))
			} else if test.warns != nil {
				network.ExpectOneWarning(moved, test.warns...)
			}
			if test.status == "AVAILABLE" || test.status == "ENDED" || test.status == "SCHEDULED" {
				r = network.ExpectNoChange(r, config, test.status)
			}
			network.AtMatch(test.nextAfter)
			next := network.Run(r, config)
			network.Expect(next, test.nextStatus, test.next)
			network.ExpectNoChange(next.State, config, test.nextStatus)
		}))
	}
}

// An earlier end buys nothing, whatever becomes of the session until the apply, nor does the plan
// that an apply makes once more warn of what this machine's clock alone sees.
func TestReservation_shortens(t *testing.T) {
	t.Parallel()
	const ahead, past = "2028-02-29T22:15:00Z", "2028-02-29T20:45:00Z"
	for name, test := range map[string]struct {
		end    string
		until  func(*acctest.Network) // the apply
		status string
		warns  string
	}{
		"at once":      {ahead, func(*acctest.Network) {}, "AVAILABLE", ""},
		"past":         {past, func(*acctest.Network) {}, "ENDED", ""},
		"late":         {ahead, func(n *acctest.Network) { n.AtMatch(2*time.Hour + time.Minute) }, "ENDED", ""},
		"session gone": {ahead, func(n *acctest.Network) { n.RemovePastLag(n.SessionIDs()...) }, "DUE", "The next apply requests a new session."},
		"ended early":  {ahead, revokeAll, "UNAVAILABLE", ""},
	} {
		config := sandbox.Config{Clock: acctest.ClockAhead(30 * 24 * time.Hour)}
		t.Run(name, acc.InBubble(0, config, func(t *testing.T, network *acctest.Network) {
			at := match(nil)
			r := network.Run(acctest.State{}, at).State
			network.AtMatch(time.Hour)
			prior := network.Client().Reservations().Refresh(r).State
			test.until(network)
			c := network.Client().Reservations()
			p := c.Plan(prior, at.With("ends_at", test.end))
			if warned := acctest.Describe(p.Diagnostics); warned != "" {
				t.Errorf("the plan of the apply says: %s", warned)
			}
			before := network.Count(sandbox.OpCreate)
			applied := c.Apply(p)
			if got := applied.Text("status"); got != test.status {
				t.Errorf("status %s, want %s: %s", got, test.status, acctest.Describe(applied.Diagnostics))
			}
			if test.warns != "" {
				acctest.ContainsAll(t, acctest.Describe(applied.Diagnostics), []string{test.warns})
			}
			if n := network.Count(sandbox.OpCreate) - before; n > 0 {
				t.Errorf("it bought %d sessions", n)
			}
		}))
	}
}

// closing is an API whose window closes just before the POST.
type closing struct {
	unconfigured
	now *time.Time
}

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
	*l.now = acctest.KickOff.Add(4 * time.Hour)
	last := qod.Session{ID: lostID, Status: qod.StatusRequested}
	return last, &qod.WaitError{Reason: qod.WaitGone, Last: last}
}

// A window that is over before the reservation is made ends in a warning, whatever was planned
// before.
func TestReservation_tooLate(t *testing.T) {
	t.Parallel()
	t.Run("planned too late", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.AtMatch(5 * time.Hour)
		c := network.Client().Reservations()
		p := c.Plan(acctest.State{}, match(nil))
		if warned := p.Warnings(); len(warned) != 1 || p.Errors() != "" {
			t.Fatalf("the plan says: %s", acctest.Describe(p.Diagnostics))
		}
		acctest.ContainsAll(t, p.Warnings()[0], []string{"Reservation Window Has Ended", matchEnds, "this machine's clock, which shows 2028-03-01T01:15:00Z", "If the API's clock, which decides, agrees"})
		if asked := network.Requests(); len(asked) > 0 {
			t.Errorf("the plan sent %v", asked)
		}
		late := network.Run(acctest.State{}, match(nil))
		network.Expect(late, "ENDED", "")
		network.ExpectNoChange(late.State, match(nil), "ENDED")
	}))
	t.Run("applied too late", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client().Reservations()
		p := c.Plan(acctest.State{}, match(nil))
		if len(p.Diagnostics) > 0 {
			t.Fatalf("the plan says: %s", acctest.Describe(p.Diagnostics))
		}
		network.AtMatch(4 * time.Hour)
		made := network.Client().Reservations().Apply(p)
		if made.Text("status") != "ENDED" || acctest.HasError(made.Diagnostics) || network.Writes() != "" {
			t.Errorf("it is %s and sent %s; %s", made.Text("status"), network.Writes(), acctest.Describe(made.Diagnostics))
		}
		acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"Reservation Window Has Ended", matchEnds})
	}))
	t.Run("due, and applied too late", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
		network.AtMatch(0)
		c := network.Client().Reservations()
		p := c.Plan(c.Refresh(r).State, match(nil))
		network.AtMatch(4 * time.Hour)
		made := network.Client().Reservations().Apply(p)
		if made.Text("status") != "ENDED" || acctest.HasError(made.Diagnostics) || network.Writes() != "" {
			t.Errorf("it is %s and sent %s; %s", made.Text("status"), network.Writes(), acctest.Describe(made.Diagnostics))
		}
	}))
	t.Run("the window closes while the POST is prepared", func(t *testing.T) {
		t.Parallel()
		c := acc.NewClientOf(t, closing{now: new(acctest.KickOff)}).Reservations()
		made := c.Apply(c.Plan(acctest.State{}, match(nil)))
		if made.Text("status") != "ENDED" || acctest.HasError(made.Diagnostics) {
			t.Errorf("it is %q; %s", made.Text("status"), acctest.Describe(made.Diagnostics))
		}
	})
	t.Run("the window closes during the wait", func(t *testing.T) {
		t.Parallel()
		for what, starts := range map[string]string{"a create": matchStarts, "an update": "2028-02-29T21:15:00Z"} {
			now := acctest.KickOff
			c := acc.NewClientOf(t, lastMinute{closing{now: &now}}).Reservations()
			made := c.Apply(c.Plan(acctest.State{}, match(attrs{"starts_at": starts})))
			if what == "an update" {
				made = c.Apply(c.Plan(made.State, match(nil)))
			}
			if made.Text("status") != "ENDED" || !made.Values["session_id"].IsNull() || made.Text("starts_at") != matchStarts || acctest.HasError(made.Diagnostics) {
				t.Errorf("%s: it is %q from %s; %s", what, made.Text("status"), made.Text("starts_at"), acctest.Describe(made.Diagnostics))
			}
			acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"Reservation Window Has Ended", matchEnds})
		}
	})
	t.Run("what remains is rounded down", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		network.AtMatch(4*time.Hour - 20*time.Second) // and a few milliseconds, until it is asked for
		network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.ExpectDuration(19 * time.Second)
	}))
}

// The clock is the API's: the machine's may be anywhere, and where they differ by more than some
// minutes, each run that does something says so. Where the API tells no time, nothing is bought or
// ended.
func TestReservation_clock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour, "four minutes ahead": 4 * time.Minute} {
		t.Run(name, acc.InBubble(time.Minute, sandbox.Config{Clock: acctest.ClockAhead(off)}, func(t *testing.T, network *acctest.Network) {
			warned := func(p acctest.Run) int { return strings.Count(acctest.Describe(p.Diagnostics), "Clocks Differ") }
			want := 0
			if off.Abs() > 5*time.Minute {
				want = 1
			}
			merged := network.Run(acctest.State{}, match(nil))
			r := network.Expect(merged, "SCHEDULED", "")
			network.AtMatch(0)
			opened := network.Run(r, match(nil))
			r = network.ExpectNoChange(network.Expect(opened, "AVAILABLE", "POST"), match(nil), "AVAILABLE")
			network.ExpectDuration(4 * time.Hour)
			network.AtMatch(4*time.Hour + time.Second)
			network.ExpectNoChange(r, match(nil), "ENDED")
			if warned(merged) != want || warned(opened) != want {
				t.Errorf("it warns %d times before the window, and %d times inside of it; want %d", warned(merged), warned(opened), want)
			}
		}))
	}
	t.Run("two lists a process", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		var all []acctest.State
		for range 20 {
			all = append(all, network.Run(acctest.State{}, match(nil)).State)
		}
		c := network.Client().Reservations()
		lists, began := network.Count(sandbox.OpList), time.Now()
		for _, r := range all {
			c.Refresh(r)
			c.Plan(r, match(nil))
			c.Plan(acctest.State{}, match(nil))
		}
		if got := network.Count(sandbox.OpList) - lists; got != 2 {
			t.Errorf("%d lists were asked for, want two", got)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s to know the time", took)
		}
	}))
}

// ticking is an API whose nodes tell these times, one after another.
type ticking struct {
	unconfigured
	times *[]time.Time
}

func (ticking) Endpoint() string { return "https://ticking.example" }
func (ticking) Origin() string   { return "https://ticking.example" }

func (c ticking) Now(context.Context) (time.Time, error) {
	now := (*c.times)[0]
	if len(*c.times) > 1 {
		*c.times = (*c.times)[1:]
	}
	return now, nil
}

func (ticking) Create(_ context.Context, spec qod.Spec) (qod.Session, error) {
	return qod.Session{ID: lostID, Device: spec.Device, QoSProfile: spec.QoSProfile, Status: qod.StatusAvailable, StartedAt: acctest.KickOff, ExpiresAt: spec.Until}, nil
}

// What is done, recorded and said goes by one time, also where the window opens in the middle of
// it, or a node of the API is behind the one that said that it is open.
func TestReservation_nodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times  []time.Time
		status string
		warns  string
	}{
		"it opens meanwhile":       {[]time.Time{acctest.KickOff.Add(-time.Millisecond), acctest.KickOff.Add(time.Second)}, "SCHEDULED", "Reservation Window Is Not Open Yet"},
		"the second one is behind": {[]time.Time{acctest.KickOff, acctest.KickOff.Add(-2 * time.Second)}, "AVAILABLE", ""},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, _ *acctest.Network) {
			c := acc.NewClientOf(t, ticking{times: &test.times}).Reservations()
			made := c.Apply(c.Plan(acctest.State{}, match(nil)))
			if got := made.Text("status"); got != test.status || made.Errors() != "" {
				t.Errorf("it is %s, want %s; %s", got, test.status, acctest.Describe(made.Diagnostics))
			}
			if said := strings.Join(made.Warnings(), "\n"); (test.warns == "") != (said == "") || !strings.Contains(said, test.warns) {
				t.Errorf("it warns %q, want %q", said, test.warns)
			}
		}))
	}
}

// A window that ended without a session is warned of in every plan until an apply has recorded the
// end, and then no more. One that had a session is not, nor is one whose reservation had one in
// an earlier window only excused by it.
func TestReservation_missed(t *testing.T) {
	t.Parallel()
	refused := sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"code":"INVALID_ARGUMENT","message":"not today"}`)}
	next := match(attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"})
	const nextMatch = 7 * 24 * time.Hour
	for name, test := range map[string]struct {
		before func(network *acctest.Network, r acctest.State) (acctest.State, attrs) // the window ends
		missed string                                                                 // the end; empty: none is missed
	}{
		"no run inside it": {func(network *acctest.Network, r acctest.State) (acctest.State, attrs) {
			network.AtMatch(5 * time.Hour)
			return r, match(nil)
		}, matchEnds},
		"each run has failed": {func(network *acctest.Network, r acctest.State) (acctest.State, attrs) {
			network.AtMatch(0)
			network.Fail(refused)
			r = network.Expect(network.Run(r, match(nil)), "DUE", "POST")
			network.AtMatch(5 * time.Hour)
			return r, match(nil)
		}, matchEnds},
		"a session in an earlier window": {func(network *acctest.Network, r acctest.State) (acctest.State, attrs) {
			network.AtMatch(0)
			r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
			network.AtMatch(5 * time.Hour)
			r = network.Expect(network.Run(r, next), "SCHEDULED", "")
			network.AtMatch(nextMatch + 5*time.Hour)
			return r, next
		}, "2028-03-08T00:15:00Z"},
		"a session that lasted": {func(network *acctest.Network, r acctest.State) (acctest.State, attrs) {
			network.AtMatch(0)
			r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
			network.AtMatch(5 * time.Hour)
			return r, match(nil)
		}, ""},
		"a session that the network ended": {func(network *acctest.Network, r acctest.State) (acctest.State, attrs) {
			network.AtMatch(0)
			r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
			network.AtMatch(time.Hour)
			network.Remove(r.Text("session_id"))
			network.Fail(refused)
			r = network.Expect(network.Run(r, match(nil)), "DUE", "POST")
			network.AtMatch(5 * time.Hour)
			return r, match(nil)
		}, ""},
	} {
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r, config := test.before(network, network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", ""))
			var recorded acctest.State
			for range 2 { // nothing is recorded by a plan
				found := network.Run(r, config)
				recorded = network.Expect(found, "ENDED", "")
				switch {
				case found.Planned:
					t.Error("something is planned")
				case test.missed == "" && len(found.Diagnostics) > 0:
					t.Errorf("it says: %s", acctest.Describe(found.Diagnostics))
				case test.missed != "":
					network.ExpectOneWarning(found, "Reservation Window Missed", "ended at "+test.missed, "no session in it")
				}
			}
			network.ExpectNoChange(recorded, config, "ENDED")
		}))
	}
}
