// Proves what is left of a reservation when an update that buys fails: what is known of the
// session, the work that stays planned, and what the error says.

package provider

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Buying through an update does not taint: what fails is red, and the next run goes on from there.
func TestReservation_updateFails(t *testing.T) {
	t.Parallel()
	refuse := sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"code":"INVALID_ARGUMENT","message":"not today"}`)}
	tests := map[string]struct {
		injectFault  func(*acctest.Network)
		more         attrs
		status, sent string
		says         []string
		next         string
	}{
		"refused": {
			injectFault: func(network *acctest.Network) { network.Fail(refuse) },
			status:      "DUE", sent: "POST", next: "POST",
			says: []string{"Unable to Update QoS Reservation", "not today", "No session was created"},
		},
		"too slow": {
			injectFault: func(network *acctest.Network) { keepRequested(network, 100) },
			more:        attrs{"timeouts": attrs{"update": "5s"}},
			status:      "REQUESTED", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "timeouts.update", "It is still requested. The next apply resumes the wait."},
		},
		"unavailable": {
			injectFault: func(network *acctest.Network) { network.Before(sandbox.OpRead, once(func() { revokeAll(network) })) },
			status:      "UNAVAILABLE", sent: "POST", next: "DELETE POST",
			says: []string{"Unable to Update QoS Reservation", "UNAVAILABLE", "The next apply replaces it"},
		},
		"another profile": {
			injectFault: func(network *acctest.Network) { network.Echo(onlyAtFirst(map[string]any{"qosProfile": "QOS_S"})) },
			status:      "AVAILABLE", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "QOS_S instead of QOS_L", "The next apply deletes it and requests a new one"},
		},
		"the answer is lost, and there is no list": {
			injectFault: func(network *acctest.Network) {
				network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropBeforeCommit()})
				network.Before(sandbox.OpCreate, once(func() {
					network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(403, `{}`)})
				}))
			},
			status: "DUE", sent: "POST", next: "POST",
			says: []string{"Unable to Update QoS Reservation", "may exist and be billed", "terraform state rm 'ADDRESS'", "terraform import 'ADDRESS'", `qod_reservation.camera["north"]`},
		},
		"somebody has the device": {
			injectFault: func(network *acctest.Network) {
				network.Seed(sandbox.Session{ClientID: otherClient.ID, Device: sandbox.Device{PhoneNumber: "+34600000010"}, Duration: 60})
			},
			status: "DUE", sent: "POST",
			says: []string{"Unable to Update QoS Reservation", "already has a session for this device", "cannot see it"},
		},
	}
	for name, test := range tests {
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
			config := match(test.more)
			r := createScheduled(network, config)
			id := r.Text("id")
			test.injectFault(network)
			failed := network.Run(r, config)
			r = network.Expect(failed, test.status, test.sent)
			expectErrors(network, failed, test.says...)
			if r.Text("id") != id {
				t.Error("the id has changed")
			}
			if name == "somebody has the device" || name == "another profile" {
				return // the next run does the same
			}
			network.Heal()
			network.Echo(nil)
			r = network.Expect(network.Run(r, config), "AVAILABLE", test.next)
			network.ExpectNoChange(r, config, "AVAILABLE")
			if r.Text("id") != id {
				t.Error("the id has changed")
			}
		}))
	}
}

// An answer that is lost in an update is looked for as in a create: the session is found and
// recorded without a second POST, or the error says that there may be one.
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
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := createScheduled(network, match(nil))
			network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: -1, Effect: test.effect})
			// net/http repeats by itself what never reached a server, so this counts what was
			// committed.
			c := network.ClientWith(attrs{"request_timeout": cmp.Or(test.timeout, "30s")})
			bought := network.RunWith(c.Reservations(), r, match(nil))
			if test.found {
				network.ExpectNoChange(network.Expect(bought, "AVAILABLE", "POST"), match(nil), "AVAILABLE")
				if len(bought.Diagnostics) > 0 {
					t.Errorf("it said: %s", acctest.Describe(bought.Diagnostics))
				}
				return
			}
			network.Expect(bought, "DUE", "POST")
			expectErrors(network, bought, "Unable to Update QoS Reservation", "may exist and be billed", "looked for it and did not find it", "before you move the window", "May be billed until: 2028-03-01T00:1")
			network.Heal()
			network.Expect(network.Run(bought.State, match(nil)), "AVAILABLE", "POST")
		}))
	}
}

// A device that has a session already is told from one of this same run, and what the error says
// recovers one that is ours.
func TestReservation_updateConflicts(t *testing.T) {
	t.Parallel()
	t.Run("with one that can be seen", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := createScheduled(network, match(nil))
		seeded := network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600})
		failed := network.Run(r, match(nil))
		expectErrors(network, failed, "Unable to Update QoS Reservation", "already has a session for this device", seeded.ID, "does not adopt this one",
			"terraform state rm 'ADDRESS'", "terraform import 'ADDRESS' "+seeded.ID)
		if failed.Text("status") != "DUE" || !failed.Values["session_id"].IsNull() || failed.Text("id") != r.Text("id") {
			t.Errorf("the state has %v", failed.Values)
		}
		// As it says: the state forgets the reservation, and the session is imported.
		r = network.Expect(network.Run(network.Client().Reservations().Import(seeded.ID).State, match(nil)), "AVAILABLE", "")
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
	}))
	t.Run("with one of this run", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		first := network.Run(acctest.State{}, match(nil)).State
		second := createScheduled(network, match(nil))
		c := network.Client().Reservations()
		network.Expect(network.RunWith(c, first, match(nil)), "AVAILABLE", "POST")
		failed := network.RunWith(c, second, match(nil))
		expectErrors(network, failed, "Unable to Update QoS Reservation", "This run has already requested a session", "two elements of a for_each", network.SessionIDs()[0])
		if failed.Text("status") != "DUE" || !failed.Values["session_id"].IsNull() {
			t.Errorf("the state has %v", failed.Values)
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
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{Provisioning: test.takes}, func(t *testing.T, network *acctest.Network) {
			r := createScheduled(network, match(nil))
			c := network.Client().Reservations()
			network.Before(test.in, once(func() { _, _ = c.Server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}) }))
			began := time.Now()
			stopped := network.RunWith(c, r, match(nil))
			network.ExpectOneWarning(stopped, "QoS Session Not Available", "interrupted", "requested and is in the state", "The next apply resumes the wait.")
			r = network.Expect(stopped, "REQUESTED", "POST")
			if took := time.Since(began); took > 30*time.Second { // the time allowed is five minutes
				t.Errorf("it took %s to stop", took)
			}
			network.AtMatch(test.takes)
			r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "")
			network.ExpectNoChange(r, match(nil), "AVAILABLE")
		}))
	}
}

// What only a fault of the provider can bring about: the session is recorded, the window with it,
// and the error is there.
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
			says: "What was known of the session has been kept in the state", status: "REQUESTED",
		},
		"a session with an error": {
			api:  api{reserve: func() (qod.Session, error) { return requested, &qod.PanicError{Value: "a fault"} }},
			says: "one that is not in the state may be live", status: "REQUESTED",
		},
		"a session, and another that may exist": {
			api: api{reserve: func() (qod.Session, error) {
				return requested, &qod.UnresolvedError{KeptID: lostID, Candidates: []qod.Session{{ID: secondID}}}
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
			says: "The next apply requests a new one.", status: "DUE",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := acc.NewClientOf(t, test.api).Reservations()
			later := "2028-02-29T21:15:00Z"
			r := c.Create(match(attrs{"starts_at": later})).State
			if r.Text("status") != "SCHEDULED" {
				t.Fatalf("it is %s", r.Text("status"))
			}
			ended := c.Apply(c.Plan(r, match(nil)))
			acctest.ContainsAll(t, ended.Errors(), []string{test.says})
			id, starts := lostID, matchStarts
			if test.status != "REQUESTED" { // the work stays planned
				id, starts = "", later
			}
			if ended.Text("status") != test.status || ended.Text("session_id") != id || ended.Text("starts_at") != starts || ended.Text("id") != r.Text("id") {
				t.Errorf("the state has %v", ended.Values)
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
	c := acc.NewClientOf(t, revoked{api{reserve: func() (qod.Session, error) {
		if made {
			panic("a fault")
		}
		made = true
		return available, nil
	}}}).Reservations()
	r := c.Refresh(c.Create(match(nil)).State).State
	if r.Text("status") != "UNAVAILABLE" {
		t.Fatalf("it is %s", r.Text("status"))
	}
	ended := c.Apply(c.Plan(r, match(nil)))
	acctest.ContainsAll(t, ended.Errors(), []string{"a fault"})
	if ended.Text("status") != "DUE" || !ended.Values["session_id"].IsNull() || ended.Text("id") != r.Text("id") {
		t.Errorf("the state has %v", ended.Values)
	}
}

// An update that was planned for something else (waiting, timeouts) leaves a window that has opened
// meanwhile to the next run: it returns what was planned.
func TestReservation_updatesWithoutACall(t *testing.T) {
	acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
		config := match(attrs{"wait_for_available": false, "timeouts": attrs{"update": "1m"}})
		c := network.Client().Reservations()
		p := c.Plan(c.Refresh(r).State, config)
		network.AtMatch(0)
		requests := len(network.Requests())
		changed := network.Client().Reservations().Apply(p)
		if changed.Text("status") != "SCHEDULED" || len(changed.Diagnostics) > 0 || len(network.Requests()) != requests {
			t.Errorf("it is %s after %d requests; %s", changed.Text("status"), len(network.Requests())-requests, acctest.Describe(changed.Diagnostics))
		}
		// Nobody waits: it is requested, and that is no reason to plan anything.
		network.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" })
		r = network.Expect(network.Run(changed.State, config), "REQUESTED", "POST")
		network.ExpectNoChange(r, config, "REQUESTED")
		network.Echo(nil)
		network.ExpectNoChange(r, config, "AVAILABLE")
	})(t)
}

// A plan that found the window open and is applied after it releases what it would have healed, and
// buys nothing.
func TestReservation_staleSaved(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		revokeAll(network)
		network.AtMatch(time.Hour + 5*time.Minute) // it still lingers
		moved := match(attrs{"ends_at": "2028-02-29T21:20:00Z"})
		c := network.Client().Reservations()
		p := c.Plan(c.Refresh(r).State, moved)
		made := network.Client().Reservations().Apply(p)
		if made.Text("status") != "ENDED" || acctest.HasError(made.Diagnostics) || network.Writes() != "POST DELETE" {
			t.Errorf("it is %s, sent %s; %s", made.Text("status"), network.Writes(), acctest.Describe(made.Diagnostics))
		}
	})(t)
}
