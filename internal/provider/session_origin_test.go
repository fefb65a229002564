package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var otherClient = sandbox.ClientCredentials{ID: "other-client", Secret: "other-secret"}

// A 404 proves nothing about a session that was made elsewhere. At another endpoint or for
// another client it is an error that names both origins and the way out, for a refresh and for a
// destroy, and the state is kept. When the session must have ended it is gone, wherever one asks.
// All this is long ago by the clock of this machine, or a destroy at another endpoint would be refused
// before it is sent: see TestEndpoint_refuses.
func TestSession_otherOrigin(t *testing.T) {
	t.Parallel()
	type elsewhere struct {
		*sandbox.Server
		client sandbox.ClientCredentials
	}
	others := map[string]func(*world, sandbox.Clock) elsewhere{
		"another endpoint": func(w *world, clock sandbox.Clock) elsewhere {
			return elsewhere{sandbox.Start(w.t, sandbox.Config{Clock: clock}), sandbox.DefaultClient}
		},
		"another client": func(w *world, _ sandbox.Clock) elsewhere { return elsewhere{w.Server, otherClient} },
	}
	sessions := map[string]struct {
		life time.Duration
		make func(*world, *core) record
	}{
		"available": {time.Hour, func(_ *world, c *core) record { return c.created(hour(nil)) }},
		"imported":  {time.Hour, func(w *world, c *core) record { return c.adopt(w.Seed(sandbox.Session{}).ID).record }},
		// It shows no end, so that only the longest life is certain.
		"requested": {24 * time.Hour, func(_ *world, c *core) record { return c.created(hour(attrs{"wait_for_available": false})) }},
		"imported while requested": {24 * time.Hour, func(w *world, c *core) record {
			return c.adopt(w.Seed(sandbox.Session{Status: sandbox.StatusRequested}).ID).record
		}},
	}
	for name, other := range others {
		for kind, session := range sessions {
			t.Run(kind+", "+name, func(t *testing.T) {
				clock := sandbox.NewOffsetClock(atKickOff.AddDate(-8, 0, 0))
				config := sandbox.Config{Clock: clock, Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}
				if strings.Contains(kind, "requested") {
					config.Provisioning = 10 * time.Minute
				}
				w := newWorld(t, config)
				there := other(w, clock)
				made := session.make(w, w.core())

				dropsNothing := func() {
					t.Helper()
					c := w.coreAs(there.Endpoint(), there.client) // its token is as new as the clock
					for summary, left := range map[string]result{
						"Unable to Read QoS Session: ":   c.refresh(made),
						"Unable to Delete QoS Session: ": c.destroy(made),
					} {
						if !left.is(made) {
							t.Errorf("the state has changed to %v", left.values)
						}
						containsAll(t, left.errors(), []string{
							summary, "terraform state rm", "Session: " + made.text("id"),
							w.Endpoint() + " as client " + sandbox.DefaultClient.ID,
							there.Endpoint() + " as client " + there.client.ID,
						})
					}
				}
				dropsNothing()
				clock.Advance(session.life - time.Minute)
				dropsNothing()

				clock.Advance(2 * time.Minute)
				for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpDelete, sandbox.OpList} {
					there.Fail(sandbox.Fault{Operation: op, Times: -1, Effect: sandbox.Header("Date", "")})
				}
				dropsNothing() // without the API's time nobody knows that it is over
				there.Heal()

				c := w.coreAs(there.Endpoint(), there.client)
				for what, left := range map[string]result{"refresh": c.refresh(made), "destroy": c.destroy(made)} {
					if left.values != nil || len(left.tfdiags) > 0 {
						t.Errorf("%s after its end: %v; %s", what, left.values, printed(left.tfdiags))
					}
				}
			})
		}
	}
}

// A session that another origin shows is asked for there from then on: a 404 of that origin
// proves something, and one of the old does not any more.
func TestSession_movesToOrigin(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	old := w.core()
	made := old.created(hour(nil))
	renamed := w.coreAs(strings.Replace(w.Endpoint(), "127.0.0.1", "localhost", 1), sandbox.DefaultClient)
	moved := renamed.refresh(made)
	if len(moved.tfdiags) > 0 || moved.text("id") != made.text("id") {
		t.Fatalf("read under another name: %v; %s", moved.values, printed(moved.tfdiags))
	}
	w.removeOld(made.text("id"))
	old, renamed = w.core(), w.coreAs(strings.Replace(w.Endpoint(), "127.0.0.1", "localhost", 1), sandbox.DefaultClient)
	if left := old.refresh(moved.record); !left.is(moved.record) || !refused(left.tfdiags) {
		t.Errorf("the old origin's 404 counts: %v; %s", left.values, printed(left.tfdiags))
	}
	if left := renamed.refresh(moved.record); left.values != nil || refused(left.tfdiags) {
		t.Errorf("the new origin's 404 does not count: %v; %s", left.values, printed(left.tfdiags))
	}
	// Another spelling is no other origin.
	if left := w.coreAs(w.Endpoint()+"/", sandbox.DefaultClient).refresh(made); left.values != nil || refused(left.tfdiags) {
		t.Errorf("a slash makes another origin: %v; %s", left.values, printed(left.tfdiags))
	}
}

// A resource that is moved to another alias by mistake loses nothing, and is as
// it was when the mistake is undone.
func TestSession_otherAlias(t *testing.T) {
	w := newWorld(t, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}})
	config := func(alias string) string {
		return `
provider "qod" {
  alias = "stadium"
}

provider "qod" {
  alias         = "arena"
  client_id     = "` + otherClient.ID + `"
  client_secret = "` + otherClient.Secret + `"
}
` + block("camera", "provider = qod."+alias, 3600)
	}
	c := w.cli(config("stadium"))
	c.apply()
	c.configure(config("arena"))
	for _, args := range [][]string{{"plan"}, {"destroy", "-auto-approve", "-refresh=false"}} {
		containsAll(t, c.must(1, append(args, "-no-color", "-input=false")...), []string{
			"terraform state rm", "as client " + sandbox.DefaultClient.ID, "as client " + otherClient.ID,
		})
		c.isLedger()
	}
	c.configure(config("stadium"))
	c.must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	c.destroy()
	if got := w.writes(); got != "POST DELETE DELETE" { // one of them by the wrong client
		t.Errorf("requests that change something: %s, want POST DELETE DELETE", got)
	}
}

// with is a provider with a ready access token of some client.
func (w *world) with(token, client string) *core {
	w.AcceptToken(token, client)
	return newCore(w.t, w.process(), attrs{"endpoint": w.Endpoint(), "access_token": token})
}

// A static access token does not show whose it is. What it cannot see stays in the state, unless it is
// over.
func TestSession_otherToken(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]bool{"before its end": false, "after its end": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}})
			made := w.with("ours", sandbox.DefaultClient.ID).created(hour(nil))
			w.outgrowLag()
			if over {
				w.advance(2 * time.Hour)
			}
			other := w.with("another's", otherClient.ID)
			for operation, left := range map[string]result{"refresh": other.refresh(made), "destroy": other.destroy(made)} {
				if over != (left.values == nil) || over != (len(left.tfdiags) == 0) {
					t.Errorf("%s: the state has %v; %s", operation, left.values, printed(left.tfdiags))
				}
				if !over {
					containsAll(t, left.errors(), []string{"does not show whose it is", "stays in the state", "terraform state rm", made.text("id")})
				}
			}
		})
	}
}

// So it is for the session of a reservation.
func TestReservation_otherToken(t *testing.T) {
	inSeason(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, s season) {
		made := s.passOf(s.with("ours", sandbox.DefaultClient.ID).reservations(), record{}, match(nil)).record
		other := s.with("another's", otherClient.ID).reservations()
		for operation, left := range map[string]result{"refresh": other.refresh(made), "destroy": other.destroy(made)} {
			containsAll(t, left.errors(), []string{"does not show whose it is", "Session: " + s.ids()[0]})
			if !left.is(made) {
				t.Errorf("%s: the state has changed; %s", operation, printed(left.tfdiags))
			}
		}
	})(t)
}
