// Proves what is left of a reservation when something fails on the way: what is known of the session,
// the work that stays planned, and what the error says.

package provider

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// scheduled is a reservation that was made before its window opened, which it does now.
func (s season) scheduled(config attrs) record {
	s.t.Helper()
	r := s.is(s.pass(record{}, config), "SCHEDULED", "")
	s.at(0)
	return r
}

// failsWith checks the errors of a run.
func (s season) failsWith(p pass, texts ...string) {
	s.t.Helper()
	if p.errors() == "" {
		s.t.Errorf("there is no error; %s", printed(p.tfdiags))
	}
	containsAll(s.t, p.errors(), texts)
}

// Buying through an update does not taint: what fails is red, and the next run goes on from there.
func TestReservation_updateFails(t *testing.T) {
	t.Parallel()
	refuse := sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"code":"INVALID_ARGUMENT","message":"not today"}`)}
	tests := map[string]struct {
		spoil        func(season)
		more         attrs
		status, sent string
		says         []string
		next         string
	}{
		"refused": {
			spoil:  func(s season) { s.Fail(refuse) },
			status: "DUE", sent: "POST", next: "POST",
			says: []string{"Unable to Update QoS Reservation", "not today", "No session was created"},
		},
		"too slow": {
			spoil:  func(s season) { s.slow(100) },
			more:   attrs{"timeouts": attrs{"update": "5s"}},
			status: "REQUESTED", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "timeouts.update", "It is still requested. The next apply resumes the wait."},
		},
		"unavailable": {
			spoil:  func(s season) { s.Before(sandbox.OpRead, once(s.revokeAll)) },
			status: "UNAVAILABLE", sent: "POST", next: "DELETE POST",
			says: []string{"Unable to Update QoS Reservation", "UNAVAILABLE", "The next apply replaces it"},
		},
		"another profile": {
			spoil:  func(s season) { s.Echo(onlyAtFirst(map[string]any{"qosProfile": "QOS_S"})) },
			status: "AVAILABLE", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "QOS_S; QOS_L was asked for", "The next apply deletes it and asks again"},
		},
		"the answer is lost, and there is no list": {
			spoil: func(s season) {
				s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropBeforeCommit()})
				s.Before(sandbox.OpCreate, once(func() {
					s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(403, `{}`)})
				}))
			},
			status: "DUE", sent: "POST", next: "POST",
			says: []string{"Unable to Update QoS Reservation", "may exist and be billed", "terraform state rm 'ADDRESS'", "terraform import 'ADDRESS'", `qod_reservation.camera["north"]`},
		},
		"somebody has the device": {
			spoil: func(s season) {
				s.Seed(sandbox.Session{ClientID: otherClient.ID, Device: sandbox.Device{PhoneNumber: "+34600000010"}, Duration: 60})
			},
			status: "DUE", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "already has a session for this device", "cannot see it"},
		},
	}
	for name, test := range tests {
		t.Run(name, inSeason(time.Hour, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, s season) {
			config := match(test.more)
			r := s.scheduled(config)
			id := r.text("id")
			test.spoil(s)
			failed := s.pass(r, config)
			r = s.is(failed, test.status, test.sent)
			s.failsWith(failed, test.says...)
			if r.text("id") != id {
				t.Error("the id has changed")
			}
			if name == "somebody has the device" || name == "another profile" {
				return // the next run does the same
			}
			s.Heal()
			s.Echo(nil)
			r = s.is(s.pass(r, config), "AVAILABLE", test.next)
			s.idle(r, config, "AVAILABLE")
			if r.text("id") != id {
				t.Error("the id has changed")
			}
		}))
	}
}

// An answer that is lost in an update is looked for as in a create: the session is found and recorded
// without a second POST, or the error says that there may be one.
func TestReservation_updateLosesTheAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect  sandbox.Effect
		found   bool
		timeout string
	}{
		"dropped after the commit":      {effect: sandbox.DropAfterCommit(), found: true},
		"dropped before it":             {effect: sandbox.DropBeforeCommit()},
		"502 after the commit":          {effect: sandbox.StatusAfterCommit(502, "<html>", "Content-Type", "text/html"), found: true},
		"503 before it":                 {effect: sandbox.Status(503, "")},
		"a login page after the commit": {effect: sandbox.Answer(201, "text/html", page), found: true},
		"half an answer":                {effect: sandbox.Truncate(20), found: true},
		"committed late":                {effect: sandbox.CommitLate(time.Second), found: true, timeout: "5s"},
	}
	for name, test := range tests {
		t.Run(name, inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
			r := s.scheduled(match(nil))
			s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: -1, Effect: test.effect})
			// net/http repeats by itself what never reached a server, so this counts what was committed.
			c := newCore(t, s.process(),
				attrs{"endpoint": s.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret, "max_retries": 0, "request_timeout": cmp.Or(test.timeout, "30s")})
			bought := s.passOf(c.reservations(), r, match(nil))
			if test.found {
				s.idle(s.is(bought, "AVAILABLE", "POST"), match(nil), "AVAILABLE")
				if len(bought.tfdiags) > 0 {
					t.Errorf("it said: %s", printed(bought.tfdiags))
				}
				return
			}
			s.is(bought, "DUE", "POST")
			s.failsWith(bought, "Unable to Update QoS Reservation", "may exist and be billed", "looked for and not found", "before you move the window, list the sessions", "May be billed until: 2028-03-01T00:1")
			s.Heal()
			s.is(s.pass(bought.record, match(nil)), "AVAILABLE", "POST")
		}))
	}
}

// A device that has a session already is told from one of this same run, and what the error says
// recovers one that is ours.
func TestReservation_updateConflicts(t *testing.T) {
	t.Parallel()
	t.Run("with one that can be seen", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.scheduled(match(nil))
		seeded := s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600})
		failed := s.pass(r, match(nil))
		s.failsWith(failed, "Unable to Update QoS Reservation", "already has a session for this device", seeded.ID, "never takes over",
			"terraform state rm 'ADDRESS'", "terraform import 'ADDRESS' "+seeded.ID)
		if failed.text("status") != "DUE" || !failed.values["session_id"].IsNull() || failed.text("id") != r.text("id") {
			t.Errorf("the state has %v", failed.values)
		}
		// As it says: the state forgets the reservation, and the session is imported.
		r = s.is(s.pass(s.core().reservations().adopt(seeded.ID).record, match(nil)), "AVAILABLE", "")
		s.idle(r, match(nil), "AVAILABLE")
	}))
	t.Run("with one of this run", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		first := s.pass(record{}, match(nil)).record
		second := s.scheduled(match(nil))
		c := s.core().reservations()
		s.is(s.passOf(c, first, match(nil)), "AVAILABLE", "POST")
		failed := s.passOf(c, second, match(nil))
		s.failsWith(failed, "Unable to Update QoS Reservation", "This same run has already reserved a session", "two rows of for_each", s.ids()[0])
		if failed.text("status") != "DUE" || !failed.values["session_id"].IsNull() {
			t.Errorf("the state has %v", failed.values)
		}
	}))
}

// An interrupt cuts no POST, and a wait at once: the session is recorded, and nothing is red.
func TestReservation_updateInterrupted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in    sandbox.Operation
		takes time.Duration
	}{
		"during the POST": {in: sandbox.OpCreate},
		"during the wait": {in: sandbox.OpRead, takes: time.Minute},
	} {
		t.Run(name, inSeason(time.Hour, sandbox.Config{Provisioning: test.takes}, func(t *testing.T, s season) {
			r := s.scheduled(match(nil))
			c := s.core().reservations()
			s.Before(test.in, once(func() { _, _ = c.server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}) }))
			began := time.Now()
			stopped := s.passOf(c, r, match(nil))
			s.saysOne(stopped, "QoS Session Not Available", "interrupted", "requested and recorded", "The next apply resumes the wait.")
			r = s.is(stopped, "REQUESTED", "POST")
			if took := time.Since(began); took > 30*time.Second { // the time allowed is five minutes
				t.Errorf("it took %s to stop", took)
			}
			s.at(test.takes)
			r = s.is(s.pass(r, match(nil)), "AVAILABLE", "")
			s.idle(r, match(nil), "AVAILABLE")
		}))
	}
}

// What only a fault of the provider can bring about: the session is recorded, the window with it, and
// the error is there.
func TestReservation_updateEndsWith(t *testing.T) {
	t.Parallel()
	requested := qod.Session{ID: lostID, Status: qod.StatusRequested, QoSProfile: "QOS_L"}
	reserved := func() (qod.Session, error) { return requested, nil }
	tests := map[string]struct {
		api    api
		says   string
		status string // SCHEDULED: as it was
	}{
		"a fault while waiting": {
			api:  api{reserve: reserved, await: func() (qod.Session, error) { panic("a fault") }},
			says: "What was known of the session is kept in the state", status: "REQUESTED",
		},
		"a session with an error": {
			api:  api{reserve: func() (qod.Session, error) { return requested, &qod.PanicError{Value: "a fault"} }},
			says: "one may be live that is not in the state", status: "REQUESTED",
		},
		"a session, and another that may exist": {
			api: api{reserve: func() (qod.Session, error) {
				return requested, &qod.UnresolvedError{Kept: lostID, Candidates: []qod.Session{{ID: secondID}}}
			}},
			says: "terraform import 'qod_session.OTHER' " + secondID, status: "REQUESTED",
		},
		"a fault before anything is known": {
			api:  api{reserve: func() (qod.Session, error) { panic("a fault") }},
			says: "a fault", status: "SCHEDULED",
		},
		"an error alone": {
			api:  api{reserve: func() (qod.Session, error) { return qod.Session{}, &qod.PanicError{Value: "a fault"} }},
			says: "a fault", status: "DUE",
		},
		"vanished": {
			api: api{reserve: reserved, await: func() (qod.Session, error) {
				return requested, &qod.WaitError{Reason: qod.WaitGone, Last: requested}
			}},
			says: "The next apply reserves a new one.", status: "DUE",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := coreWith(t, test.api).reservations()
			later := "2028-02-29T21:15:00Z"
			r := c.create(match(attrs{"starts_at": later})).record
			if r.text("status") != "SCHEDULED" {
				t.Fatalf("it is %s", r.text("status"))
			}
			ended := c.apply(c.plan(r, match(nil)))
			containsAll(t, ended.errors(), []string{test.says})
			id, starts := lostID, matchStarts
			if test.status != "REQUESTED" { // the work stays planned
				id, starts = "", later
			}
			if ended.text("status") != test.status || ended.text("session_id") != id || ended.text("starts_at") != starts || ended.text("id") != r.text("id") {
				t.Errorf("the state has %v", ended.values)
			}
		})
	}
}

// revoked is an api whose sessions are all UNAVAILABLE once they are read.
type revoked struct{ api }

func (revoked) Read(_ context.Context, ref qod.Ref) (qod.Session, error) {
	return qod.Session{ID: ref.ID, Status: qod.StatusUnavailable, QoSProfile: "QOS_L"}, nil
}
func (revoked) Delete(context.Context, qod.Ref) error { return nil }

// A session that was released is not in the state any more, whatever happens next.
func TestReservation_updateEndsBehindTheRelease(t *testing.T) {
	t.Parallel()
	made := false
	available := qod.Session{ID: lostID, Status: qod.StatusAvailable, QoSProfile: "QOS_L"}
	c := coreWith(t, revoked{api{reserve: func() (qod.Session, error) {
		if made {
			panic("a fault")
		}
		made = true
		return available, nil
	}}}).reservations()
	r := c.refresh(c.create(match(nil)).record).record
	if r.text("status") != "UNAVAILABLE" {
		t.Fatalf("it is %s", r.text("status"))
	}
	ended := c.apply(c.plan(r, match(nil)))
	containsAll(t, ended.errors(), []string{"a fault"})
	if ended.text("status") != "DUE" || !ended.values["session_id"].IsNull() || ended.text("id") != r.text("id") {
		t.Errorf("the state has %v", ended.values)
	}
}

// slow keeps the network's sessions REQUESTED for a number of looks.
func (s season) slow(looks int) {
	s.Echo(func(info map[string]any) {
		if looks--; looks >= 0 {
			info["qosStatus"] = "REQUESTED"
		}
	})
}

func (s season) revokeAll() {
	for _, id := range s.ids() {
		s.Revoke(id)
	}
}

// once is a hook that runs for one request.
func once(f func()) func(int, *http.Request) {
	var begun atomic.Bool
	return func(int, *http.Request) {
		if begun.CompareAndSwap(false, true) {
			f()
		}
	}
}

// One that is created inside its window follows the rules of qod_session.
func TestReservation_createFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil  func(season)
		more   attrs
		status string // empty: nothing is in state
		says   []string
	}{
		"refused": {
			spoil: func(s season) {
				s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"message":"not today"}`)})
			},
			says: []string{"Unable to Create QoS Reservation", "not today", "No session was created"},
		},
		"too slow": {
			spoil:  func(s season) { s.slow(1000) },
			more:   attrs{"timeouts": attrs{"create": "5s"}},
			status: "REQUESTED",
			says:   []string{"Unable to Create QoS Reservation", "timeouts.create", "tainted", "untaint"},
		},
		"unavailable": {
			spoil:  func(s season) { s.Before(sandbox.OpRead, once(s.revokeAll)) },
			status: "UNAVAILABLE",
			says:   []string{"Unable to Create QoS Reservation", "UNAVAILABLE", "tainted"},
		},
		"another profile": {
			spoil:  func(s season) { s.Echo(func(info map[string]any) { info["qosProfile"] = "QOS_S" }) },
			status: "AVAILABLE",
			says:   []string{"Unable to Create QoS Reservation", "QOS_S; QOS_L was asked for", "tainted"},
		},
		"gone while it is waited for": {
			spoil: func(s season) {
				s.slow(1)
				s.Before(sandbox.OpRead, func(int, *http.Request) {
					for _, id := range s.ids() {
						s.Remove(id)
					}
				})
			},
			says: []string{"Unable to Create QoS Reservation", "The session is gone", "The next apply reserves a new one"},
		},
	}
	for name, test := range tests {
		t.Run(name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			test.spoil(s)
			failed := s.pass(record{}, match(test.more))
			s.is(failed, test.status, "POST")
			s.failsWith(failed, test.says...)
			if (test.status == "") != (failed.values == nil) {
				t.Errorf("the state has %v", failed.values)
			}
		}))
	}
}

// An update that fails before its work is done leaves the window as it was, so that the work stays
// planned, and nothing of the session that is not known.
func TestReservation_moveFails(t *testing.T) {
	t.Parallel()
	t.Run("the release", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		s.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: -1, Effect: sandbox.Status(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := s.pass(r, later)
		s.failsWith(failed, "Unable to Update QoS Reservation", "may still be live and billed", "It is safe to run")
		if failed.text("status") != "AVAILABLE" && failed.text("status") != "OVERDUE" || failed.text("starts_at") != matchStarts || failed.text("session_id") != s.ids()[0] {
			t.Errorf("the state has %v", failed.values)
		}
		s.Heal()
		r = s.is(s.pass(failed.record, later), "SCHEDULED", "DELETE")
		s.idle(r, later, "SCHEDULED")
	}))
	t.Run("the answer to the release", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		s.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := s.pass(r, later)
		s.failsWith(failed, "Unable to Update QoS Reservation", "may still be live and billed")
		if failed.text("starts_at") != matchStarts || failed.text("session_id") != r.text("session_id") {
			t.Errorf("the state has %v", failed.values)
		}
		r = s.is(s.pass(failed.record, later), "SCHEDULED", "")
		s.idle(r, later, "SCHEDULED")
	}))
	t.Run("the POST behind the release", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		s.revokeAll()
		s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{}`)})
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		failed := s.pass(r, longer)
		s.is(failed, "DUE", "DELETE POST")
		if failed.text("ends_at") != matchEnds || !failed.values["session_id"].IsNull() || !failed.values["expires_at"].IsNull() {
			t.Errorf("the state has %v", failed.values)
		}
		r = s.is(s.pass(failed.record, longer), "AVAILABLE", "POST")
		s.lasts(5 * time.Hour)
		s.idle(r, longer, "AVAILABLE")
	}))
	t.Run("interrupted before anything is sent", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.scheduled(match(nil))
		c := s.core().reservations()
		r = c.refresh(r).record
		p := c.plan(r, match(nil))
		c = s.core().reservations()
		s.Before(sandbox.OpToken, once(func() { _, _ = c.server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}) }))
		stopped := c.apply(p)
		containsAll(t, stopped.errors(), []string{"Unable to Update QoS Reservation", "interrupted"})
		if !stopped.is(r) || s.writes() != "" {
			t.Errorf("sent was %q, the state has %v", s.writes(), stopped.values)
		}
	}))
	t.Run("the look", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		c := s.core().reservations()
		p := c.plan(c.refresh(r).record, longer)
		s.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(403, "{}")})
		failed := c.apply(p)
		containsAll(t, failed.errors(), []string{"Unable to Update QoS Reservation", "What became of the session is not known"})
		if failed.text("ends_at") != matchEnds || failed.text("status") != "AVAILABLE" {
			t.Errorf("the state has %v", failed.values)
		}
	}))
}

// An update that was planned for something else (waiting, timeouts) leaves a window that has opened
// meanwhile to the next run: it returns what was planned.
func TestReservation_updatesWithoutACall(t *testing.T) {
	inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
		config := match(attrs{"wait_for_available": false, "timeouts": attrs{"update": "1m"}})
		c := s.core().reservations()
		p := c.plan(c.refresh(r).record, config)
		s.at(0)
		requests := len(s.Requests())
		changed := s.core().reservations().apply(p)
		if changed.text("status") != "SCHEDULED" || len(changed.tfdiags) > 0 || len(s.Requests()) != requests {
			t.Errorf("it is %s after %d requests; %s", changed.text("status"), len(s.Requests())-requests, printed(changed.tfdiags))
		}
		// Nobody waits: it is requested, and that is no reason to plan anything.
		s.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" })
		r = s.is(s.pass(changed.record, config), "REQUESTED", "POST")
		s.idle(r, config, "REQUESTED")
		s.Echo(nil)
		s.idle(r, config, "AVAILABLE")
	})(t)
}

// A plan that found the window open and is applied after it releases what it would have healed, and buys
// nothing.
func TestReservation_staleSaved(t *testing.T) {
	inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		s.at(time.Hour)
		s.revokeAll()
		s.at(time.Hour + 5*time.Minute) // it still lingers
		moved := match(attrs{"ends_at": "2028-02-29T21:20:00Z"})
		c := s.core().reservations()
		p := c.plan(c.refresh(r).record, moved)
		made := s.core().reservations().apply(p)
		if made.text("status") != "ENDED" || refused(made.tfdiags) || s.writes() != "POST DELETE" {
			t.Errorf("it is %s, sent %s; %s", made.text("status"), s.writes(), printed(made.tfdiags))
		}
	})(t)
}

// The 404 of another origin proves nothing of a session, but a reservation without one moves freely.
func TestReservation_origins(t *testing.T) {
	inSeason(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, s season) {
		other := func() *core { return s.coreAs(s.Endpoint(), otherClient).reservations() }
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		read := other().refresh(r)
		containsAll(t, read.errors(), []string{"Unable to Read QoS Reservation", "terraform state rm", `qod_reservation.camera["north"]`, "as client " + otherClient.ID})
		if !read.is(r) {
			t.Errorf("the state has changed to %v", read.values)
		}
		gone := other().destroy(r)
		containsAll(t, gone.errors(), []string{"Unable to Delete QoS Reservation", "terraform state rm"})

		s.at(4 * time.Hour)
		ended := s.passOf(other(), r, match(nil))
		if ended.text("status") != "ENDED" || len(ended.tfdiags) > 0 {
			t.Errorf("after its end it is %s; %s", ended.text("status"), printed(ended.tfdiags))
		}
		if was, is := decodePrivate(r.private).Origin, decodePrivate(ended.private).Origin; was == "" || is != "" {
			t.Errorf("the origin is %q with a session, and %q without", was, is)
		}
		next := match(attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"})
		r = s.is(s.passOf(other(), ended.record, next), "SCHEDULED", "")
		s.at(7 * 24 * time.Hour)
		r = s.is(s.pass(r, next), "AVAILABLE", "POST") // by the first client again
		s.idle(r, next, "AVAILABLE")
	})(t)
}

// An import takes over a session, and its window from the configuration, without buying anything.
func TestReservation_import(t *testing.T) {
	t.Parallel()
	seed := func(s season) string {
		return s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600}).ID
	}
	adopted := func(s season, id string) record {
		s.t.Helper()
		got := s.core().reservations().adopt(id)
		if len(got.tfdiags) > 0 || got.text("id") != id || got.text("session_id") != id || got.text("status") != "AVAILABLE" || got.text("qos_profile") != "QOS_L" {
			s.t.Fatalf("imported is %v; %s", got.values, printed(got.tfdiags))
		}
		return got.record
	}
	t.Run("inside its window", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		id := seed(s)
		r := s.is(s.pass(adopted(s, id), match(nil)), "AVAILABLE", "")
		if r.text("id") != id || r.text("ends_at") != matchEnds {
			t.Errorf("the state has %v", r.values)
		}
		s.idle(r, match(nil), "AVAILABLE")
		s.at(time.Hour)
		s.revokeAll()
		r = s.is(s.pass(r, match(nil)), "AVAILABLE", "DELETE POST")
		if r.text("id") != id || r.text("session_id") == id {
			t.Errorf("id is %s, session_id %s", r.text("id"), r.text("session_id"))
		}
	}))
	t.Run("outside of its window", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		cut := s.pass(adopted(s, seed(s)), match(nil))
		s.is(cut, "SCHEDULED", "DELETE")
		containsAll(t, strings.Join(cut.warnings(), ""), []string{"Imported QoS Session Deleted", "lay outside of the window"})
	}))
	t.Run("unavailable", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := adopted(s, seed(s))
		s.revokeAll()
		r = s.is(s.pass(r, match(nil)), "UNAVAILABLE", "")
		s.is(s.pass(r, match(nil)), "AVAILABLE", "DELETE POST")
	}))
	t.Run("gone before the window is adopted", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		id := seed(s)
		r := adopted(s, id)
		c := s.core().reservations()
		p := c.plan(r, match(nil))
		s.Remove(id)
		made := s.core().reservations().apply(p)
		if made.text("status") != "DUE" || !made.values["session_id"].IsNull() || refused(made.tfdiags) || s.writes() != "" {
			t.Errorf("it is %s, sent %s; %s", made.text("status"), s.writes(), printed(made.tfdiags))
		}
		containsAll(t, strings.Join(made.warnings(), ""), []string{"QoS Reservation Without Session", "an import reserves nothing"})
		s.is(s.pass(made.record, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("gone while it is waited for", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := adopted(s, seed(s))
		s.slow(1000)
		s.Before(sandbox.OpRead, func(n int, _ *http.Request) {
			if n > 3 { // those of the import, the refresh, and the update before it waits
				for _, id := range s.ids() {
					s.Remove(id)
				}
			}
		})
		vanished := s.pass(r, match(nil))
		s.failsWith(vanished, "The session is gone", "The next apply reserves a new one")
		if vanished.text("status") != "DUE" || vanished.text("ends_at") != matchEnds {
			t.Fatalf("the state has %v", vanished.values)
		}
	}))
	t.Run("gone before the next plan", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		id := seed(s)
		r := adopted(s, id)
		s.Remove(id)
		r = s.is(s.pass(r, match(nil)), "DUE", "")
		s.is(s.pass(r, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("where there is none", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		got := s.core().reservations().adopt(lostID)
		containsAll(t, got.errors(), []string{"Unable to Import QoS Reservation", "does not exist", "A reservation without a session need not be"})
	}))
	t.Run("by what is no id", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		resp, err := s.core().server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: "qod_reservation", ID: "../../admin"})
		if err != nil || !refused(resp.Diagnostics) || len(s.Requests()) > 0 {
			t.Errorf("%v, %s, %d requests", err, printed(resp.Diagnostics), len(s.Requests()))
		}
	}))
}

// A profile that the network changes is drift while its session is in use, and nobody's concern when that
// is over: what is over stays inert, and what is due is reserved in place.
func TestReservation_drift(t *testing.T) {
	t.Parallel()
	drift := func(s season) {
		for _, id := range s.ids() {
			s.Edit(id, func(session *sandbox.Session) { session.QoSProfile = "QOS_S" })
		}
	}
	t.Run("in use", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		drift(s)
		replaced := s.is(s.pass(r, match(nil)), "AVAILABLE", "DELETE POST")
		if replaced.text("id") == r.text("id") || replaced.text("qos_profile") != "QOS_L" {
			t.Errorf("the state has %v", replaced.values)
		}
		s.idle(replaced, match(nil), "AVAILABLE")
	}))
	t.Run("outside of the window", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		shorter := match(attrs{"ends_at": "2028-02-29T22:15:00Z"})
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		r = s.is(s.pass(r, shorter), "AVAILABLE", "")
		s.at(2 * time.Hour)
		drift(s)
		over := s.is(s.pass(r, shorter), "ENDED", "DELETE")
		if over.text("id") != r.text("id") {
			t.Error("it was replaced for a session that is over")
		}
		s.idle(over, shorter, "ENDED")
	}))
	for name, end := range map[string]func(s season){
		"gone":        func(s season) { s.Remove(s.ids()[0]) },
		"unavailable": func(s season) { s.revokeAll() },
	} {
		t.Run("recorded, then "+name, inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
			r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
			drift(s)
			seen := s.core().reservations().refresh(r) // as -refresh-only records it
			if seen.text("qos_profile") != "QOS_S" {
				t.Fatalf("the drift is not shown: %v", seen.values)
			}
			end(s)
			again := s.pass(seen.record, match(nil))
			if again.text("status") != "AVAILABLE" || again.text("id") != r.text("id") || again.text("qos_profile") != "QOS_L" {
				t.Errorf("the state has %v; %s", again.values, printed(again.tfdiags))
			}
		}))
	}
	t.Run("recorded, then ended", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		drift(s)
		seen := s.core().reservations().refresh(r)
		s.at(4 * time.Hour)
		s.idle(seen.record, match(nil), "ENDED")
	}))
}

// Until when a session holds is said for every session that leaves some of its window, also where its end
// is not shown, and where the wait for it failed.
func TestReservation_endsEarly(t *testing.T) {
	t.Parallel()
	const anHourOn = "2028-03-01T01:15:00Z"
	t.Run("requested, and no end shown", inSeason(0, sandbox.Config{Provisioning: time.Hour}, func(t *testing.T, s season) {
		doNot := attrs{"wait_for_available": false}
		r := s.is(s.pass(record{}, match(doNot)), "REQUESTED", "POST")
		s.saysOne(s.pass(r, match(doNot).with("ends_at", anHourOn)), "QoS Session Ends Before Its Window", "until "+matchEnds+" at most")
	}))
	t.Run("the end is shown by the first answer alone", inSeason(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, s season) {
		first := true
		s.Echo(func(info map[string]any) {
			if !first {
				delete(info, "expiresAt")
				delete(info, "startedAt")
			}
			first = false
		})
		r := s.is(s.pass(record{}, match(nil)), "AVAILABLE", "POST")
		if expires := r.text("expires_at"); expires == "" || s.idle(r, match(nil), "AVAILABLE").text("expires_at") != expires {
			t.Errorf("the end is forgotten")
		}
		s.saysOne(s.pass(r, match(attrs{"ends_at": anHourOn})), "QoS Session Ends Before Its Window", "until 2028-03-01T00:1")
	}))
	t.Run("the wait fails", inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		s.slow(1000)
		made := s.pass(record{}, match(attrs{"ends_at": "2028-03-03T20:15:00Z", "timeouts": attrs{"create": "5s"}}))
		s.failsWith(made, "timeouts.create")
		containsAll(t, strings.Join(made.warnings(), ""), []string{"QoS Session Ends Before Its Window", "until 2028-03-01T20:1"})
	}))
	t.Run("the window closes during the wait", inSeason(time.Hour, sandbox.Config{}, func(t *testing.T, s season) {
		config := match(attrs{"ends_at": "2028-02-29T20:15:30Z", "timeouts": attrs{"update": "1m"}})
		r := s.scheduled(config)
		s.slow(1000)
		s.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(429, "")})
		made := s.pass(r, config)
		s.failsWith(made, "Its window has closed meanwhile, so the next apply deletes it")
	}))
}
