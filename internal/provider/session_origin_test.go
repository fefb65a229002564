package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var otherClient = sandbox.ClientCredentials{ID: "other-client", Secret: "other-secret"}

// A 404 proves nothing about a session that was made elsewhere. At another endpoint or for another
// client it is an error that names both origins and the way out, for a refresh and for a destroy,
// and the state is kept. When the session must have ended it is gone, wherever one asks. All this
// is long ago by the clock of this machine, or a destroy at another endpoint would be refused
// before it is sent: see TestEndpoint_refuses.
func TestSession_otherOrigin(t *testing.T) {
	t.Parallel()
	type origin struct {
		*sandbox.Server
		client sandbox.ClientCredentials
	}
	others := map[string]func(*acctest.Network, sandbox.Clock) origin{
		"another endpoint": func(network *acctest.Network, clock sandbox.Clock) origin {
			return origin{sandbox.Start(network.T, sandbox.Config{Clock: clock}), sandbox.DefaultClient}
		},
		"another client": func(network *acctest.Network, _ sandbox.Clock) origin {
			return origin{network.Server, otherClient}
		},
	}
	sessions := map[string]struct {
		life time.Duration
		make func(*acctest.Network, *acctest.ProtocolClient) acctest.State
	}{
		"available": {time.Hour, func(_ *acctest.Network, c *acctest.ProtocolClient) acctest.State { return c.MustCreate(hour(nil)) }},
		"imported": {time.Hour, func(network *acctest.Network, c *acctest.ProtocolClient) acctest.State {
			return c.Import(network.Seed(sandbox.Session{}).ID).State
		}},
		// It shows no end, so that only the longest life is certain.
		"requested": {24 * time.Hour, func(_ *acctest.Network, c *acctest.ProtocolClient) acctest.State {
			return c.MustCreate(hour(attrs{"wait_for_available": false}))
		}},
		"imported while requested": {24 * time.Hour, func(network *acctest.Network, c *acctest.ProtocolClient) acctest.State {
			return c.Import(network.Seed(sandbox.Session{Status: sandbox.StatusRequested}).ID).State
		}},
	}
	for name, other := range others {
		for kind, session := range sessions {
			t.Run(kind+", "+name, func(t *testing.T) {
				clock := sandbox.NewOffsetClock(acctest.KickOff.AddDate(-8, 0, 0))
				config := sandbox.Config{Clock: clock, Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}
				if strings.Contains(kind, "requested") {
					config.Provisioning = 10 * time.Minute
				}
				network := acc.NewNetwork(t, config)
				there := other(network, clock)
				made := session.make(network, network.Client())

				dropsNothing := func() {
					t.Helper()
					c := network.ClientAs(there.Endpoint(), there.client) // its token is as new as the clock
					for summary, left := range map[string]acctest.Result{
						"Unable to Read QoS Session: ":   c.Refresh(made),
						"Unable to Delete QoS Session: ": c.Destroy(made),
					} {
						if !left.Equal(made) {
							t.Errorf("the state has changed to %v", left.Values)
						}
						acctest.ContainsAll(t, left.Errors(), []string{
							summary, "terraform state rm", "Session: " + made.Text("id"),
							network.Endpoint() + " (client " + sandbox.DefaultClient.ID + ")",
							there.Endpoint() + " (client " + there.client.ID + ")",
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

				c := network.ClientAs(there.Endpoint(), there.client)
				for what, left := range map[string]acctest.Result{"refresh": c.Refresh(made), "destroy": c.Destroy(made)} {
					if left.Values != nil || len(left.Diagnostics) > 0 {
						t.Errorf("%s after its end: %v; %s", what, left.Values, acctest.Describe(left.Diagnostics))
					}
				}
			})
		}
	}
}

// A session that another origin shows is asked for there from then on: a 404 of that origin
// proves something, and one of the old does not any more.
func TestSession_movesToOrigin(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	old := network.Client()
	made := old.MustCreate(hour(nil))
	renamed := network.ClientAs(strings.Replace(network.Endpoint(), "127.0.0.1", "localhost", 1), sandbox.DefaultClient)
	moved := renamed.Refresh(made)
	if len(moved.Diagnostics) > 0 || moved.Text("id") != made.Text("id") {
		t.Fatalf("read under another name: %v; %s", moved.Values, acctest.Describe(moved.Diagnostics))
	}
	network.RemovePastLag(made.Text("id"))
	old, renamed = network.Client(), network.ClientAs(strings.Replace(network.Endpoint(), "127.0.0.1", "localhost", 1), sandbox.DefaultClient)
	if left := old.Refresh(moved.State); !left.Equal(moved.State) || !acctest.HasError(left.Diagnostics) {
		t.Errorf("the old origin's 404 counts: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
	}
	if left := renamed.Refresh(moved.State); left.Values != nil || acctest.HasError(left.Diagnostics) {
		t.Errorf("the new origin's 404 does not count: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
	}
	// Another spelling is no other origin.
	if left := network.ClientAs(network.Endpoint()+"/", sandbox.DefaultClient).Refresh(made); left.Values != nil || acctest.HasError(left.Diagnostics) {
		t.Errorf("a slash makes another origin: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
	}
}

// A resource that is moved to another alias by mistake loses nothing, and is as
// it was when the mistake is undone.
func TestSession_otherAlias(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}})
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
` + acctest.SessionBlock("camera", "provider = qod."+alias, 3600)
	}
	c := network.CLI(config("stadium"))
	c.Apply()
	c.Configure(config("arena"))
	for _, args := range [][]string{{"plan"}, {"destroy", "-auto-approve", "-refresh=false"}} {
		acctest.ContainsAll(t, c.Must(1, append(args, "-no-color", "-input=false")...), []string{
			"terraform state rm", "(client " + sandbox.DefaultClient.ID + ")", "(client " + otherClient.ID + ")",
		})
		c.ExpectInSync()
	}
	c.Configure(config("stadium"))
	c.Must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	c.Destroy()
	if got := network.Writes(); got != "POST DELETE DELETE" { // one of them by the wrong client
		t.Errorf("requests that change something: %s, want POST DELETE DELETE", got)
	}
}

// clientWithToken is a provider with a ready access token of some client.
func clientWithToken(network *acctest.Network, token, client string) *acctest.ProtocolClient {
	network.AcceptToken(token, client)
	return network.ClientWith(attrs{"client_id": nil, "client_secret": nil, "access_token": token})
}

// A static access token does not show whose it is. What it cannot see stays in the state, unless it
// is over.
func TestSession_otherToken(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]bool{"before its end": false, "after its end": true} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}})
			made := clientWithToken(network, "ours", sandbox.DefaultClient.ID).MustCreate(hour(nil))
			network.AdvancePastLag()
			if over {
				network.Advance(2 * time.Hour)
			}
			other := clientWithToken(network, "another's", otherClient.ID)
			for operation, left := range map[string]acctest.Result{"refresh": other.Refresh(made), "destroy": other.Destroy(made)} {
				if over != (left.Values == nil) || over != (len(left.Diagnostics) == 0) {
					t.Errorf("%s: the state has %v; %s", operation, left.Values, acctest.Describe(left.Diagnostics))
				}
				if !over {
					acctest.ContainsAll(t, left.Errors(), []string{"cannot tell which client a static token belongs to", "stays in the state", "terraform state rm", made.Text("id")})
				}
			}
		})
	}
}

// So it is when a plan to extend the session is applied and the token does not show it any more:
// the error does not say that the session is gone, since the next plan keeps it.
func TestSession_otherTokenExtends(t *testing.T) {
	acc.InBubble(0, camaraNetwork, func(t *testing.T, network *acctest.Network) {
		config := func(seconds int) attrs {
			return hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}, "duration": seconds})
		}
		c := clientWithToken(network, "ours", sandbox.DefaultClient.ID)
		made := c.MustCreate(config(3600))
		planned := c.Plan(c.Refresh(made).State, config(7200))
		network.Remove(made.Text("id"))
		extended := c.Apply(planned)
		acctest.ContainsAll(t, extended.Errors(), []string{"Unable to Update", "cannot tell which client a static token belongs to", "stays in the state", made.Text("id")})
		if extended.Text("id") != made.Text("id") || network.Count(sandbox.OpExtend) > 0 {
			t.Errorf("the state has %q after %d extensions", extended.Text("id"), network.Count(sandbox.OpExtend))
		}
	})(t)
}

// So it is for the session of a reservation.
func TestReservation_otherToken(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
		made := network.RunWith(clientWithToken(network, "ours", sandbox.DefaultClient.ID).Reservations(), acctest.State{}, match(nil)).State
		other := clientWithToken(network, "another's", otherClient.ID).Reservations()
		for operation, left := range map[string]acctest.Result{"refresh": other.Refresh(made), "destroy": other.Destroy(made)} {
			acctest.ContainsAll(t, left.Errors(), []string{"cannot tell which client a static token belongs to", "Session: " + network.SessionIDs()[0]})
			if !left.Equal(made) {
				t.Errorf("%s: the state has changed; %s", operation, acctest.Describe(left.Diagnostics))
			}
		}
	})(t)
}
