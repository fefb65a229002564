// What a reservation remembers of its sessions is what the network has had, and what a bill says.

package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSessionHistory(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return atKickOff.Add(time.Duration(minutes) * time.Minute) }
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
		for _, s := range m.history().sessions { // over the state and back
			got += fmt.Sprintf("%s %s-%s;", s.id, clockText(s.started), clockText(s.ended))
		}
		if got != want || m.GrantedSeconds.ValueInt64() != seconds || m.history().grantedSeconds() != seconds {
			t.Errorf("%s: %s, %d seconds (%d after a round trip); want %s, %d", what, got, m.GrantedSeconds.ValueInt64(), m.history().grantedSeconds(), want, seconds)
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
		start := atKickOff.Add(time.Duration(i) * time.Minute)
		s := qod.Session{ID: fmt.Sprint(i), Status: qod.StatusAvailable, StartedAt: start, ExpiresAt: start.Add(time.Minute)}
		m.record(&s, statusAvailable, m.history().seen(s, start, false), "")
	}
	if got := m.history(); len(got.sessions) != 50 || got.sessions[0].id != "70" || got.grantedSeconds() != 120*60 {
		t.Errorf("%d sessions from %s on, %d seconds", len(got.sessions), got.sessions[0].id, got.grantedSeconds())
	}
}

// A later end replaces the session at once where that is wanted, once, and what was granted before counts.
func TestReservation_replaceToExtend(t *testing.T) {
	t.Parallel()
	const anHourOn = "2028-03-01T01:15:00Z"
	for name, test := range map[string]struct {
		before, after attrs // configuration of the first run, and of the second
	}{
		"with the move":  {after: attrs{"ends_at": anHourOn, "replace_to_extend": true}},
		"from the start": {before: attrs{"replace_to_extend": true}, after: attrs{"ends_at": anHourOn, "replace_to_extend": true}},
	} {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			r := s.is(s.pass(record{}, match(test.before)), "AVAILABLE", "POST")
			first := r.text("session_id")
			s.at(time.Hour)
			r = s.is(s.pass(r, match(test.after)), "AVAILABLE", "DELETE POST")
			s.lasts(4 * time.Hour)
			if r.text("session_id") == first {
				t.Error("the session is the same")
			}
			s.idle(r, match(test.after), "AVAILABLE")
			s.at(2 * time.Hour)
			// An earlier end leaves it alone.
			earlier := match(attrs{"ends_at": "2028-03-01T00:45:00Z", "replace_to_extend": true})
			s.idle(s.is(s.pass(r, earlier), "AVAILABLE", ""), earlier, "AVAILABLE")
		}))
	}
	t.Run("after the gap was planned", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		moved := match(attrs{"ends_at": anHourOn})
		r = s.is(s.pass(r, moved), "AVAILABLE", "")
		r = s.idle(r, moved, "AVAILABLE")
		r = s.is(s.pass(r, moved.with("replace_to_extend", true)), "AVAILABLE", "DELETE POST")
		s.idle(r, moved.with("replace_to_extend", true), "AVAILABLE")
	}))
	// What a session cannot reach is no reason to replace it in each run.
	t.Run("longer than a session", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		long := match(attrs{"ends_at": "2028-03-03T20:15:00Z", "replace_to_extend": true})
		r := s.is(s.pass(record{}, long), "AVAILABLE", "POST")
		s.at(time.Hour)
		s.idle(r, long, "AVAILABLE")
	}))
	t.Run("granted less", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: -1, Effect: sandbox.Rewrite(func(body []byte) []byte { return body })})
		s.Echo(func(info map[string]any) { info["expiresAt"] = "2028-02-29T23:15:00Z" })
		config := match(attrs{"replace_to_extend": true})
		r := s.is(s.pass(record{}, config), "AVAILABLE", "POST")
		s.at(time.Hour)
		s.idle(r, config, "AVAILABLE")
	}))
}
