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

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// scheduled is a reservation that was made before its window opened, which it does now.
func createScheduled(network *acctest.Network, config attrs) acctest.State {
	network.T.Helper()
	r := network.Expect(network.Run(acctest.State{}, config), "SCHEDULED", "")
	network.AtMatch(0)
	return r
}

// failsWith checks the errors of a run.
func expectErrors(network *acctest.Network, p acctest.Run, texts ...string) {
	network.T.Helper()
	if p.Errors() == "" {
		network.T.Errorf("there is no error; %s", acctest.Describe(p.Diagnostics))
	}
	acctest.ContainsAll(network.T, p.Errors(), texts)
}

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
			says: []string{"Unable to Update QoS Reservation", "QOS_S; QOS_L was asked for", "The next apply deletes it and asks again"},
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
		t.Run(name, acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := createScheduled(network, match(nil))
			network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: -1, Effect: test.effect})
			// net/http repeats by itself what never reached a server, so this counts what was committed.
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
			expectErrors(network, bought, "Unable to Update QoS Reservation", "may exist and be billed", "looked for and not found", "before you move the window, list the sessions", "May be billed until: 2028-03-01T00:1")
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
		expectErrors(network, failed, "Unable to Update QoS Reservation", "already has a session for this device", seeded.ID, "never takes over",
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
		expectErrors(network, failed, "Unable to Update QoS Reservation", "This same run has already reserved a session", "two rows of for_each", network.SessionIDs()[0])
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
			network.ExpectOneWarning(stopped, "QoS Session Not Available", "interrupted", "requested and recorded", "The next apply resumes the wait.")
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
			says: "The next apply reserves a new one.", status: "DUE",
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

// slow keeps the network's sessions REQUESTED for a number of looks.
func keepRequested(network *acctest.Network, looks int) {
	network.Echo(func(info map[string]any) {
		if looks--; looks >= 0 {
			info["qosStatus"] = "REQUESTED"
		}
	})
}

func revokeAll(network *acctest.Network) {
	for _, id := range network.SessionIDs() {
		network.Revoke(id)
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
		injectFault func(*acctest.Network)
		more        attrs
		status      string // empty: nothing is in state
		says        []string
	}{
		"refused": {
			injectFault: func(network *acctest.Network) {
				network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{"message":"not today"}`)})
			},
			says: []string{"Unable to Create QoS Reservation", "not today", "No session was created"},
		},
		"too slow": {
			injectFault: func(network *acctest.Network) { keepRequested(network, 1000) },
			more:        attrs{"timeouts": attrs{"create": "5s"}},
			status:      "REQUESTED",
			says:        []string{"Unable to Create QoS Reservation", "timeouts.create", "tainted", "untaint"},
		},
		"unavailable": {
			injectFault: func(network *acctest.Network) { network.Before(sandbox.OpRead, once(func() { revokeAll(network) })) },
			status:      "UNAVAILABLE",
			says:        []string{"Unable to Create QoS Reservation", "UNAVAILABLE", "tainted"},
		},
		"another profile": {
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosProfile"] = "QOS_S" })
			},
			status: "AVAILABLE",
			says:   []string{"Unable to Create QoS Reservation", "QOS_S; QOS_L was asked for", "tainted"},
		},
		"gone while it is waited for": {
			injectFault: func(network *acctest.Network) {
				keepRequested(network, 1)
				network.Before(sandbox.OpRead, func(int, *http.Request) {
					for _, id := range network.SessionIDs() {
						network.Remove(id)
					}
				})
			},
			says: []string{"Unable to Create QoS Reservation", "The session is gone", "The next apply reserves a new one"},
		},
	}
	for name, test := range tests {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			test.injectFault(network)
			failed := network.Run(acctest.State{}, match(test.more))
			network.Expect(failed, test.status, "POST")
			expectErrors(network, failed, test.says...)
			if (test.status == "") != (failed.Values == nil) {
				t.Errorf("the state has %v", failed.Values)
			}
		}))
	}
}

// An update that fails before its work is done leaves the window as it was, so that the work stays
// planned, and nothing of the session that is not known.
func TestReservation_moveFails(t *testing.T) {
	t.Parallel()
	t.Run("the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: -1, Effect: sandbox.Status(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := network.Run(r, later)
		expectErrors(network, failed, "Unable to Update QoS Reservation", "may still be live and billed", "It is safe to run")
		if failed.Text("status") != "AVAILABLE" && failed.Text("status") != "OVERDUE" || failed.Text("starts_at") != matchStarts || failed.Text("session_id") != network.SessionIDs()[0] {
			t.Errorf("the state has %v", failed.Values)
		}
		network.Heal()
		r = network.Expect(network.Run(failed.State, later), "SCHEDULED", "DELETE")
		network.ExpectNoChange(r, later, "SCHEDULED")
	}))
	t.Run("the answer to the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(503, "")})
		later := match(attrs{"starts_at": "2028-02-29T22:15:00Z"})
		failed := network.Run(r, later)
		expectErrors(network, failed, "Unable to Update QoS Reservation", "may still be live and billed")
		if failed.Text("starts_at") != matchStarts || failed.Text("session_id") != r.Text("session_id") {
			t.Errorf("the state has %v", failed.Values)
		}
		r = network.Expect(network.Run(failed.State, later), "SCHEDULED", "")
		network.ExpectNoChange(r, later, "SCHEDULED")
	}))
	t.Run("the POST behind the release", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		revokeAll(network)
		network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(400, `{}`)})
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		failed := network.Run(r, longer)
		network.Expect(failed, "DUE", "DELETE POST")
		if failed.Text("ends_at") != matchEnds || !failed.Values["session_id"].IsNull() || !failed.Values["expires_at"].IsNull() {
			t.Errorf("the state has %v", failed.Values)
		}
		r = network.Expect(network.Run(failed.State, longer), "AVAILABLE", "POST")
		network.ExpectDuration(5 * time.Hour)
		network.ExpectNoChange(r, longer, "AVAILABLE")
	}))
	t.Run("interrupted before anything is sent", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := createScheduled(network, match(nil))
		c := network.Client().Reservations()
		r = c.Refresh(r).State
		p := c.Plan(r, match(nil))
		c = network.Client().Reservations()
		network.Before(sandbox.OpToken, once(func() { _, _ = c.Server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}) }))
		stopped := c.Apply(p)
		acctest.ContainsAll(t, stopped.Errors(), []string{"Unable to Update QoS Reservation", "interrupted"})
		if !stopped.Equal(r) || network.Writes() != "" {
			t.Errorf("sent was %q, the state has %v", network.Writes(), stopped.Values)
		}
	}))
	t.Run("the look", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		longer := match(attrs{"ends_at": "2028-03-01T01:15:00Z"})
		c := network.Client().Reservations()
		p := c.Plan(c.Refresh(r).State, longer)
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(403, "{}")})
		failed := c.Apply(p)
		acctest.ContainsAll(t, failed.Errors(), []string{"Unable to Update QoS Reservation", "What became of the session is not known"})
		if failed.Text("ends_at") != matchEnds || failed.Text("status") != "AVAILABLE" {
			t.Errorf("the state has %v", failed.Values)
		}
	}))
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

// A plan that found the window open and is applied after it releases what it would have healed, and buys
// nothing.
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

// The 404 of another origin proves nothing of a session, but a reservation without one moves freely.
func TestReservation_origins(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
		other := func() *acctest.ProtocolClient {
			return network.ClientAs(network.Endpoint(), otherClient).Reservations()
		}
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		read := other().Refresh(r)
		acctest.ContainsAll(t, read.Errors(), []string{"Unable to Read QoS Reservation", "terraform state rm", `qod_reservation.camera["north"]`, "as client " + otherClient.ID})
		if !read.Equal(r) {
			t.Errorf("the state has changed to %v", read.Values)
		}
		gone := other().Destroy(r)
		acctest.ContainsAll(t, gone.Errors(), []string{"Unable to Delete QoS Reservation", "terraform state rm"})

		network.AtMatch(4 * time.Hour)
		ended := network.RunWith(other(), r, match(nil))
		if ended.Text("status") != "ENDED" || len(ended.Diagnostics) > 0 {
			t.Errorf("after its end it is %s; %s", ended.Text("status"), acctest.Describe(ended.Diagnostics))
		}
		if was, is := decodePrivate(r.Private).Origin, decodePrivate(ended.Private).Origin; was == "" || is != "" {
			t.Errorf("the origin is %q with a session, and %q without", was, is)
		}
		next := match(attrs{"starts_at": "2028-03-07T20:15:00Z", "ends_at": "2028-03-08T00:15:00Z"})
		r = network.Expect(network.RunWith(other(), ended.State, next), "SCHEDULED", "")
		network.AtMatch(7 * 24 * time.Hour)
		r = network.Expect(network.Run(r, next), "AVAILABLE", "POST") // by the first client again
		network.ExpectNoChange(r, next, "AVAILABLE")
	})(t)
}

// An import takes over a session, and its window from the configuration, without buying anything.
func TestReservation_import(t *testing.T) {
	t.Parallel()
	seed := func(network *acctest.Network) string {
		return network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600}).ID
	}
	adopted := func(network *acctest.Network, id string) acctest.State {
		network.T.Helper()
		got := network.Client().Reservations().Import(id)
		if len(got.Diagnostics) > 0 || got.Text("id") != id || got.Text("session_id") != id || got.Text("status") != "AVAILABLE" || got.Text("qos_profile") != "QOS_L" {
			network.T.Fatalf("imported is %v; %s", got.Values, acctest.Describe(got.Diagnostics))
		}
		return got.State
	}
	t.Run("inside its window", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := seed(network)
		r := network.Expect(network.Run(adopted(network, id), match(nil)), "AVAILABLE", "")
		if r.Text("id") != id || r.Text("ends_at") != matchEnds {
			t.Errorf("the state has %v", r.Values)
		}
		network.ExpectNoChange(r, match(nil), "AVAILABLE")
		network.AtMatch(time.Hour)
		revokeAll(network)
		r = network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
		if r.Text("id") != id || r.Text("session_id") == id {
			t.Errorf("id is %s, session_id %s", r.Text("id"), r.Text("session_id"))
		}
	}))
	t.Run("outside of its window", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		cut := network.Run(adopted(network, seed(network)), match(nil))
		network.Expect(cut, "SCHEDULED", "DELETE")
		acctest.ContainsAll(t, strings.Join(cut.Warnings(), ""), []string{"Imported QoS Session Deleted", "lay outside of the window"})
	}))
	t.Run("unavailable", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := adopted(network, seed(network))
		revokeAll(network)
		r = network.Expect(network.Run(r, match(nil)), "UNAVAILABLE", "")
		network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
	}))
	t.Run("gone before the window is adopted", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := seed(network)
		r := adopted(network, id)
		c := network.Client().Reservations()
		p := c.Plan(r, match(nil))
		network.Remove(id)
		made := network.Client().Reservations().Apply(p)
		if made.Text("status") != "DUE" || !made.Values["session_id"].IsNull() || acctest.HasError(made.Diagnostics) || network.Writes() != "" {
			t.Errorf("it is %s, sent %s; %s", made.Text("status"), network.Writes(), acctest.Describe(made.Diagnostics))
		}
		acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"QoS Reservation Without Session", "an import reserves nothing"})
		network.Expect(network.Run(made.State, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("gone while it is waited for", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := adopted(network, seed(network))
		keepRequested(network, 1000)
		network.Before(sandbox.OpRead, func(n int, _ *http.Request) {
			if n > 3 { // those of the import, the refresh, and the update before it waits
				for _, id := range network.SessionIDs() {
					network.Remove(id)
				}
			}
		})
		vanished := network.Run(r, match(nil))
		expectErrors(network, vanished, "The session is gone", "The next apply reserves a new one")
		if vanished.Text("status") != "DUE" || vanished.Text("ends_at") != matchEnds {
			t.Fatalf("the state has %v", vanished.Values)
		}
	}))
	t.Run("gone before the next plan", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := seed(network)
		r := adopted(network, id)
		network.Remove(id)
		r = network.Expect(network.Run(r, match(nil)), "DUE", "")
		network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST")
	}))
	t.Run("where there is none", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		got := network.Client().Reservations().Import(lostID)
		acctest.ContainsAll(t, got.Errors(), []string{"Unable to Import QoS Reservation", "does not exist", "A reservation without a session need not be"})
	}))
	t.Run("by what is no id", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		resp, err := network.Client().Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: "qod_reservation", ID: "../../admin"})
		if err != nil || !acctest.HasError(resp.Diagnostics) || len(network.Requests()) > 0 {
			t.Errorf("%v, %s, %d requests", err, acctest.Describe(resp.Diagnostics), len(network.Requests()))
		}
	}))
}

// A profile that the network changes is drift while its session is in use, and nobody's concern when that
// is over: what is over stays inert, and what is due is reserved in place.
func TestReservation_drift(t *testing.T) {
	t.Parallel()
	drift := func(network *acctest.Network) {
		for _, id := range network.SessionIDs() {
			network.Edit(id, func(session *sandbox.Session) { session.QoSProfile = "QOS_S" })
		}
	}
	t.Run("in use", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		drift(network)
		replaced := network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST")
		if replaced.Text("id") == r.Text("id") || replaced.Text("qos_profile") != "QOS_L" {
			t.Errorf("the state has %v", replaced.Values)
		}
		network.ExpectNoChange(replaced, match(nil), "AVAILABLE")
	}))
	t.Run("outside of the window", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		shorter := match(attrs{"ends_at": "2028-02-29T22:15:00Z"})
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		r = network.Expect(network.Run(r, shorter), "AVAILABLE", "")
		network.AtMatch(2 * time.Hour)
		drift(network)
		over := network.Expect(network.Run(r, shorter), "ENDED", "DELETE")
		if over.Text("id") != r.Text("id") {
			t.Error("it was replaced for a session that is over")
		}
		network.ExpectNoChange(over, shorter, "ENDED")
	}))
	for name, end := range map[string]func(network *acctest.Network){
		"gone":        func(network *acctest.Network) { network.Remove(network.SessionIDs()[0]) },
		"unavailable": func(network *acctest.Network) { revokeAll(network) },
	} {
		t.Run("recorded, then "+name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
			drift(network)
			seen := network.Client().Reservations().Refresh(r) // as -refresh-only records it
			if seen.Text("qos_profile") != "QOS_S" {
				t.Fatalf("the drift is not shown: %v", seen.Values)
			}
			end(network)
			again := network.Run(seen.State, match(nil))
			if again.Text("status") != "AVAILABLE" || again.Text("id") != r.Text("id") || again.Text("qos_profile") != "QOS_L" {
				t.Errorf("the state has %v; %s", again.Values, acctest.Describe(again.Diagnostics))
			}
		}))
	}
	t.Run("recorded, then ended", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		drift(network)
		seen := network.Client().Reservations().Refresh(r)
		network.AtMatch(4 * time.Hour)
		network.ExpectNoChange(seen.State, match(nil), "ENDED")
	}))
}

// Until when a session holds is said for every session that leaves some of its window, also where its end
// is not shown, and where the wait for it failed.
func TestReservation_endsEarly(t *testing.T) {
	t.Parallel()
	const anHourOn = "2028-03-01T01:15:00Z"
	t.Run("requested, and no end shown", acc.InBubble(0, sandbox.Config{Provisioning: time.Hour}, func(t *testing.T, network *acctest.Network) {
		doNot := attrs{"wait_for_available": false}
		r := network.Expect(network.Run(acctest.State{}, match(doNot)), "REQUESTED", "POST")
		network.ExpectOneWarning(network.Run(r, match(doNot).With("ends_at", anHourOn)), "QoS Session Ends Before Its Window", "until "+matchEnds+" at most")
	}))
	t.Run("the end is shown by the first answer alone", acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		first := true
		network.Echo(func(info map[string]any) {
			if !first {
				delete(info, "expiresAt")
				delete(info, "startedAt")
			}
			first = false
		})
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "AVAILABLE", "POST")
		if expires := r.Text("expires_at"); expires == "" || network.ExpectNoChange(r, match(nil), "AVAILABLE").Text("expires_at") != expires {
			t.Errorf("the end is forgotten")
		}
		network.ExpectOneWarning(network.Run(r, match(attrs{"ends_at": anHourOn})), "QoS Session Ends Before Its Window", "until 2028-03-01T00:1")
	}))
	t.Run("the wait fails", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		keepRequested(network, 1000)
		made := network.Run(acctest.State{}, match(attrs{"ends_at": "2028-03-03T20:15:00Z", "timeouts": attrs{"create": "5s"}}))
		expectErrors(network, made, "timeouts.create")
		acctest.ContainsAll(t, strings.Join(made.Warnings(), ""), []string{"QoS Session Ends Before Its Window", "until 2028-03-01T20:1"})
	}))
	t.Run("the window closes during the wait", acc.InBubble(time.Hour, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		config := match(attrs{"ends_at": "2028-02-29T20:15:30Z", "timeouts": attrs{"update": "1m"}})
		r := createScheduled(network, config)
		keepRequested(network, 1000)
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(429, "")})
		made := network.Run(r, config)
		expectErrors(network, made, "Its window has closed meanwhile, so the next apply deletes it")
	}))
}
