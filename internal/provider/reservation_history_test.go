// What a reservation remembers of its sessions is what the network has had, and what a bill says.

package provider

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSessionHistory(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return acctest.KickOff.Add(time.Duration(minutes) * time.Minute) }
	session := func(id string, starts, ends int) qod.Session {
		return qod.Session{ID: id, Status: qod.StatusAvailable, StartedAt: at(starts), ExpiresAt: at(ends)}
	}
	var h sessionHistory
	check := func(what, want string, seconds int64) {
		t.Helper()
		var m reservationModel
		if n := len(h.sessions); n > 0 && h.sessions[n-1].ended.IsZero() {
			m.SessionID, m.ExpiresAt = types.StringValue(h.sessions[n-1].id), instantOrNull(h.sessions[n-1].expires)
		}
		m.recordHistory(h)
		got := ""
		for _, s := range m.history(sessionPrivate{}).sessions { // over the state and back
			got += fmt.Sprintf("%s %s-%s;", s.id, clockText(s.started), clockText(s.ended))
		}
		if got != want || m.GrantedSeconds.ValueInt64() != seconds || m.history(sessionPrivate{}).grantedSeconds() != seconds {
			t.Errorf("%s: %s, %d seconds (%d after a round trip); want %s, %d", what, got, m.GrantedSeconds.ValueInt64(), m.history(sessionPrivate{}).grantedSeconds(), want, seconds)
		}
	}
	check("nothing", "", 0)
	h = h.seen(qod.Session{ID: "a", Status: qod.StatusRequested}, at(0), false)
	check("requested", "a -;", 0)
	h = h.seen(session("a", 1, 61), at(1), false)
	check("started", "a 20:16-;", 3600)
	h = h.gone(at(31))
	check("deleted early", "a 20:16-20:46;", 1800)
	h = h.gone(at(40))
	check("still gone", "a 20:16-20:46;", 1800)
	h = h.seen(session("a", 1, 61), at(41), false)
	check("there again", "a 20:16-;", 3600)
	h = h.gone(at(90))
	check("lasted to its end", "a 20:16-21:16;", 3600)
	h = h.seen(session("b", 90, 100), at(90), false)
	dead := session("b", 90, 100)
	dead.Status = qod.StatusUnavailable
	h = h.seen(dead, at(95), false)
	check("ended by the network", "a 20:16-21:16;b 21:45-21:50;", 3900)
	h = h.seen(dead, at(97), false).gone(at(99))
	check("deleted afterwards", "a 20:16-21:16;b 21:45-21:50;", 3900)
	h = h.seen(session("c", 100, 110), at(120), true)
	check("past its end, and shown", "a 20:16-21:16;b 21:45-21:50;c 21:55-22:05;", 4500)
	h = h.seen(qod.Session{ID: "d", Status: qod.StatusRequested}, at(121), false).gone(at(122))
	check("never started", "a 20:16-21:16;b 21:45-21:50;c 21:55-22:05;d -22:17;", 4500)
}

// A session that shows no end, or that the network ends early, counts for as long as the network
// granted it and it lasted, and not for as long as it was requested.
func TestSessionPrivate_expected(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return acctest.KickOff.Add(time.Duration(minutes) * time.Minute) }
	const camara, openGateway = "https://gateway.example (camara-v1, /quality-on-demand/v1) as token", "https://gateway.example as token"
	live, dead := qod.StatusAvailable, qod.StatusUnavailable
	for name, test := range map[string]struct {
		session qod.Session
		private sessionPrivate
		want    time.Time
	}{
		"its end":                       {session: qod.Session{Status: live, StartedAt: at(0), ExpiresAt: at(60), Seconds: 1800}, want: at(60)},
		"its duration":                  {session: qod.Session{Status: live, StartedAt: at(0), Seconds: 1800}, private: sessionPrivate{RequestedUntil: at(60)}, want: at(30)},
		"the duration it showed before": {session: qod.Session{Status: live, StartedAt: at(0)}, private: sessionPrivate{RequestedUntil: at(60), GrantedUntil: at(30)}, want: at(30)},
		"the end of its window":         {session: qod.Session{Status: live, StartedAt: at(0)}, private: sessionPrivate{Origin: camara, RequestedUntil: at(60)}, want: at(60)},
		"a day of a longer window":      {session: qod.Session{Status: live, StartedAt: at(0)}, private: sessionPrivate{Origin: camara, RequestedUntil: at(60 * 60)}, want: at(24 * 60)},
		"a day, by the default API":     {session: qod.Session{Status: live, StartedAt: at(0)}, private: sessionPrivate{Origin: openGateway, RequestedUntil: at(60 * 60)}, want: at(24 * 60)},
		"requested, without a start":    {session: qod.Session{Status: qod.StatusRequested, Seconds: 1800}},
		"ended early":                   {session: qod.Session{Status: dead, StartedAt: at(0), ExpiresAt: at(60), Seconds: 1800}, want: at(30)},
		"ended early, without an end":   {session: qod.Session{Status: dead, StartedAt: at(0), Seconds: 1800}, private: sessionPrivate{RequestedUntil: at(60)}, want: at(30)},
		"ended, as it had been granted": {session: qod.Session{Status: dead, StartedAt: at(0), ExpiresAt: at(30), Seconds: 3600}, want: at(30)},
	} {
		if got := test.private.expected(test.session).ExpiresAt; !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// The bill counts what a session lasted, also where the API does not show when it ends or ended.
func TestReservation_grantedWithoutAnEnd(t *testing.T) {
	t.Parallel()
	never := func(info map[string]any) { delete(info, "expiresAt") }
	for name, test := range map[string]struct {
		echo   func(info map[string]any)
		hours  int // of the window
		ends   bool
		looks  time.Duration // after kick-off
		sends  string
		lasted time.Duration
	}{
		"ended early": {echo: never, hours: 3, ends: true, looks: time.Hour + 5*time.Minute, sends: "DELETE POST", lasted: time.Hour},
		"ended early, after an end was shown": {
			echo: func(info map[string]any) {
				if info["qosStatus"] == "UNAVAILABLE" {
					never(info)
				}
			},
			hours: 3, ends: true, looks: time.Hour + 5*time.Minute, sends: "DELETE POST", lasted: time.Hour,
		},
		"granted for a part of the window, and gone": {
			echo:  func(info map[string]any) { never(info); info["duration"] = 36000 },
			hours: 60, looks: 30 * time.Hour, sends: "POST", lasted: 10 * time.Hour,
		},
	} {
		t.Run(name, acc.InBubble(time.Hour, camaraNetwork, func(t *testing.T, network *acctest.Network) {
			network.Echo(test.echo)
			config := broadcast("QOS_L", test.hours)
			r := createScheduled(network, config)
			r = network.Expect(network.Run(r, config), "AVAILABLE", "POST")
			if test.ends {
				network.AtMatch(time.Hour)
				network.Revoke(r.Text("session_id"))
			}
			network.AtMatch(test.looks)
			r = network.Expect(network.Run(r, config), "AVAILABLE", test.sends)
			history := recordedSessions(t, r)
			began, ended := mustInstant(t, history[0][1]), mustInstant(t, history[0][2])
			if lasted := ended.Sub(began); (lasted - test.lasted).Abs() > 5*time.Second {
				t.Errorf("the first session is said to have lasted %s, want %s", lasted, test.lasted)
			}
			rest := min(10*time.Hour, time.Duration(test.hours)*time.Hour-test.looks)
			if granted := time.Duration(grantedSeconds(t, r)) * time.Second; (granted - test.lasted - rest).Abs() > 10*time.Second {
				t.Errorf("granted_seconds is %s, want %s", granted, test.lasted+rest)
			}
		}))
	}
}

func clockText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04")
}

// Fifty sessions are listed, and all are counted.
func TestSessionHistory_bounded(t *testing.T) {
	t.Parallel()
	var m reservationModel
	for i := range 120 {
		start := acctest.KickOff.Add(time.Duration(i) * time.Minute)
		s := qod.Session{ID: fmt.Sprint(i), Status: qod.StatusAvailable, StartedAt: start, ExpiresAt: start.Add(time.Minute)}
		m.record(&s, statusAvailable, m.history(sessionPrivate{}).seen(s, start, false), "")
	}
	if got := m.history(sessionPrivate{}); len(got.sessions) != 50 || got.sessions[0].id != "70" || got.grantedSeconds() != 120*60 {
		t.Errorf("%d sessions from %s on, %d seconds", len(got.sessions), got.sessions[0].id, got.grantedSeconds())
	}
}

// A later end replaces the session at once where that is wanted, once, and what was granted before
// counts.
const anHourOn = "2028-03-01T01:15:00Z"

func TestReservation_replaceToExtend(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]acctest.Attrs{
		"wanted with the move":  nil,
		"wanted from the start": {"replace_to_extend": true},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(before)), "AVAILABLE", "POST")
			first := r.Text("session_id")
			network.AtMatch(time.Hour)
			extended := match(attrs{"ends_at": anHourOn, "replace_to_extend": true})
			r = network.Expect(network.Run(r, extended), "AVAILABLE", "DELETE POST")
			network.ExpectDuration(4 * time.Hour)
			if r.Text("session_id") == first {
				t.Error("the session is the same")
			}
			if granted := grantedSeconds(t, r); granted < 5*3600-10 || granted > 5*3600 {
				t.Errorf("granted_seconds is %d, want five hours", granted)
			}
			network.ExpectNoChange(r, extended, "AVAILABLE")
			network.AtMatch(2 * time.Hour)
			// An earlier end leaves it alone.
			earlier := extended.With("ends_at", "2028-03-01T00:45:00Z")
			network.ExpectNoChange(network.Expect(network.Run(r, earlier), "AVAILABLE", ""), earlier, "AVAILABLE")
		}))
	}
	t.Run("wanted after the gap was planned", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		moved := match(attrs{"ends_at": anHourOn})
		r = network.Expect(network.Run(r, moved), "AVAILABLE", "")
		r = network.ExpectNoChange(r, moved, "AVAILABLE")
		moved = moved.With("replace_to_extend", true)
		network.ExpectNoChange(network.Expect(network.Run(r, moved), "AVAILABLE", "DELETE POST"), moved, "AVAILABLE")
	}))
	// What no session can reach is no reason to replace one in every run.
	t.Run("a window longer than a session", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		long := match(attrs{"ends_at": "2028-03-03T20:15:00Z", "replace_to_extend": true})
		r := network.Expect(network.Run(acctest.State{}, long), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		network.ExpectNoChange(r, long, "AVAILABLE")
	}))
	// Neither is an end that is moved out of reach, though one that is moved back may be.
	t.Run("an end that no session reaches", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		far := match(attrs{"ends_at": "2028-03-01T21:16:00Z", "replace_to_extend": true})
		moved := network.Run(r, far)
		network.ExpectOneWarning(moved, "QoS Session Ends Before Its Window", "until "+matchEnds[:len("2028-03-01T00:1")])
		r = network.ExpectNoChange(network.Expect(moved, "AVAILABLE", ""), far, "AVAILABLE")
		network.AtMatch(2 * time.Hour) // now it would be in reach, and the interruption has been decided against
		r = network.ExpectNoChange(r, far, "AVAILABLE")
		near := far.With("ends_at", "2028-03-01T21:17:00Z")
		network.ExpectNoChange(network.Expect(network.Run(r, near), "AVAILABLE", "DELETE POST"), near, "AVAILABLE")
	}))
	// The old session is deleted, and the network refuses the next one: nothing is forgotten.
	t.Run("refused behind the delete", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		network.InjectFault(sandbox.OpCreate, 1, sandbox.Status(400, `{}`))
		extended := match(attrs{"ends_at": anHourOn, "replace_to_extend": true})
		refused := network.Run(r, extended)
		r = network.Expect(refused, "DUE", "DELETE POST")
		acctest.ContainsAll(t, refused.Errors(), []string{"Unable to Update QoS Reservation"})
		if granted := grantedSeconds(t, r); granted < 3590 || granted > 3610 {
			t.Errorf("granted_seconds is %d, want an hour", granted)
		}
		r = network.Expect(network.Run(r, extended), "AVAILABLE", "POST")
		network.ExpectDuration(4 * time.Hour)
		network.ExpectNoChange(r, extended, "AVAILABLE")
		if got := recordedSessions(t, r); len(got) != 2 || got[0][2] == "" || got[1][2] != "" {
			t.Errorf("the sessions are %v", got)
		}
	}))
	t.Run("a network that grants less", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) { info["expiresAt"] = "2028-02-29T23:15:00Z" })
		config := match(attrs{"replace_to_extend": true})
		r := network.Expect(network.Run(acctest.State{}, config), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		network.ExpectNoChange(r, config, "AVAILABLE")
	}))
	// A network that shows no end granted what was requested, as far as anybody knows.
	t.Run("a network that shows no end", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) { delete(info, "expiresAt") })
		config := match(attrs{"replace_to_extend": true})
		r := network.Expect(network.Run(acctest.State{}, config), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		r = network.ExpectNoChange(r, config, "AVAILABLE")
		extended := config.With("ends_at", anHourOn)
		network.ExpectNoChange(network.Expect(network.Run(r, extended), "AVAILABLE", "DELETE POST"), extended, "AVAILABLE")
	}))
	// What was requested is remembered of a session that is lost sight of.
	for name, returns := range map[string]func(network *acctest.Network, back func()){
		"lost, and there again":             func(_ *acctest.Network, back func()) { back() },
		"lost, and there again as conflict": func(network *acctest.Network, back func()) { network.Before(sandbox.OpCreate, once(back)) },
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			network.Echo(func(info map[string]any) { info["expiresAt"] = "2028-02-29T23:15:00Z" })
			config := match(attrs{"replace_to_extend": true})
			r, session := loseSession(network, config)
			returns(network, func() { network.Seed(session) })
			run := network.Run(r, config)
			if run.Text("session_id") != session.ID {
				t.Errorf("the state has %v", run.Values)
			}
			network.ExpectNoChange(run.State, config, "AVAILABLE")
		}))
	}
}

func grantedSeconds(t *testing.T, r acctest.State) int64 {
	t.Helper()
	var n *big.Float
	if err := r.Values["granted_seconds"].As(&n); err != nil || n == nil {
		t.Fatalf("granted_seconds is %s", r.Values["granted_seconds"])
	}
	i, _ := n.Int64()
	return i
}

// recordedSessions are the sessions of a state, as id, start and end.
func recordedSessions(t *testing.T, r acctest.State) (all [][3]string) {
	t.Helper()
	var list []tftypes.Value
	if err := r.Values["sessions"].As(&list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		var members map[string]tftypes.Value
		if err := v.As(&members); err != nil {
			t.Fatal(err)
		}
		var one [3]string
		for i, name := range []string{"id", "started_at", "ended_at"} {
			var text *string
			if err := members[name].As(&text); err != nil {
				t.Fatal(err)
			}
			if text != nil {
				one[i] = *text
			}
		}
		all = append(all, one)
	}
	return all
}

// Where the network shows no end, the session lasted as long as was requested: not until somebody
// looked, perhaps days later. What was lost sight of and is there again is counted once.
func TestReservation_historyWithoutEnds(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) { delete(info, "expiresAt") })
		config := match(nil)
		check := func(what string, r acctest.State) {
			t.Helper()
			got := recordedSessions(t, r)
			granted := grantedSeconds(t, r)
			if len(got) != 1 || granted < 4*3600-10 || granted > 4*3600 {
				t.Errorf("%s: %v, %d seconds", what, got, granted)
			}
		}
		r := network.Expect(network.Run(acctest.State{}, config), "AVAILABLE", "POST")
		check("live", r)
		network.AtMatch(time.Hour)
		session := network.Ledger()[0]
		network.Remove(session.ID)
		r = network.Client().Reservations().Refresh(r).State
		if granted := grantedSeconds(t, r); granted < 3590 || granted > 3610 {
			t.Errorf("lost after an hour, it counts %d seconds", granted)
		}
		network.Seed(session)
		r = network.ExpectNoChange(r, config, "AVAILABLE")
		check("there again", r)
		network.AtMatch(100 * time.Hour)
		r = network.Run(r, config).State
		check("long over", r)
		check("still over", network.ExpectNoChange(r, config, "ENDED"))
	})(t)
}

// A match: a session that the network ends, one that is replaced, and one that lasts to the end of
// the window. The history has each as the network had it, and keeps it after the window.
func TestReservation_history(t *testing.T) {
	acc.InBubble(10*time.Minute, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		config := match(nil)
		r := network.Expect(network.Run(acctest.State{}, config), "SCHEDULED", "")
		if got := recordedSessions(t, r); len(got) > 0 || grantedSeconds(t, r) != 0 {
			t.Errorf("before the window: %v", got)
		}
		type had struct {
			id           string
			start, ended time.Time
		}
		var truth []had
		begins := func(r acctest.State) {
			ledger := network.Ledger()
			truth = append(truth, had{id: r.Text("session_id"), start: ledger[0].StartedAt})
		}
		network.AtMatch(0)
		r = network.Expect(network.Run(r, config), "AVAILABLE", "POST")
		begins(r)
		if got := recordedSessions(t, r); len(got) != 1 || got[0][2] != "" || got[0][0] != truth[0].id {
			t.Errorf("in the window: %v", got)
		}
		network.AtMatch(time.Hour)
		network.Revoke(truth[0].id)
		truth[0].ended = time.Now()
		r = network.Expect(network.Run(r, config), "AVAILABLE", "DELETE POST")
		begins(r)
		network.AtMatch(2 * time.Hour)
		later := config.With("ends_at", "2028-03-01T00:30:00Z").With("replace_to_extend", true)
		truth[1].ended = time.Now()
		r = network.Expect(network.Run(r, later), "AVAILABLE", "DELETE POST")
		begins(r)
		truth[2].ended = network.Ledger()[0].ExpiresAt
		network.AtMatch(9 * time.Hour)
		r = network.Expect(network.Run(r, later), "ENDED", "")
		r = network.ExpectNoChange(r, later, "ENDED")

		var seconds time.Duration
		got := recordedSessions(t, r)
		if len(got) != len(truth) {
			t.Fatalf("%v, want %v", got, truth)
		}
		for i, want := range truth {
			start, ended := mustInstant(t, got[i][1]), mustInstant(t, got[i][2])
			if got[i][0] != want.id || start.Sub(want.start).Abs() > time.Second || ended.Sub(want.ended).Abs() > 2*time.Second {
				t.Errorf("session %d is %v, want %v", i, got[i], want)
			}
			seconds += ended.Sub(start)
		}
		if granted := grantedSeconds(t, r); granted != int64(seconds.Seconds()) {
			t.Errorf("granted_seconds is %d, the sessions lasted %s", granted, seconds)
		}
	})(t)
}

// What only a plan has noticed is not recorded: the end is an upper bound, and so is the sum. A run
// that is applied records it as closely as it looks.
func TestReservation_endedEarly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		network     sandbox.Config
		applied     bool // the run that notices
		least, most time.Duration
	}{
		"noticed by a plan alone":                   {least: 4*time.Hour - 10*time.Second, most: 4 * time.Hour},
		"noticed by a run that is applied":          {applied: true, least: time.Hour + 2*time.Minute, most: time.Hour + 2*time.Minute + 10*time.Second},
		"camara-v1, noticed by one that is applied": {network: camaraNetwork, applied: true, least: time.Hour - 10*time.Second, most: time.Hour},
	} {
		t.Run(name, acc.InBubble(0, test.network, func(t *testing.T, network *acctest.Network) {
			config := broadcast("QOS_L", 4)
			r := network.Expect(network.Run(acctest.State{}, config), "AVAILABLE", "POST")
			network.AtMatch(time.Hour)
			network.Revoke(r.Text("session_id"))
			network.AtMatch(time.Hour + 2*time.Minute)
			if noticed := network.Client().Reservations().Refresh(r); test.applied {
				r = noticed.State
			} else if noticed.Text("status") != "UNAVAILABLE" {
				t.Errorf("it is %s", noticed.Text("status"))
			}
			network.AtMatch(9 * time.Hour)
			r = network.ExpectNoChange(r, config, "ENDED")
			history := recordedSessions(t, r)
			lasted := mustInstant(t, history[0][2]).Sub(mustInstant(t, history[0][1]))
			if lasted < test.least || lasted > test.most || grantedSeconds(t, r) != int64(lasted.Seconds()) {
				t.Errorf("it is said to have lasted %s, %d seconds in all", lasted, grantedSeconds(t, r))
			}
		}))
	}
}
