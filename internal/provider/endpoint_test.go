// Proves that both resources say at which endpoint their session is, or will be, and that a plan
// that was made for one endpoint does nothing at another.

package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The endpoint is known while planning, in one spelling, and stays as it was planned.
func TestEndpoint_planned(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	sessions := network.ClientAs(strings.ToUpper(network.URL())+"/v1//", sandbox.DefaultClient)
	for _, kind := range []struct {
		*acctest.ProtocolClient
		config attrs
	}{{sessions, hour(nil)}, {sessions.Reservations(), match(attrs{"starts_at": "2020-02-29T20:15:00Z", "ends_at": "2099-02-28T20:15:00Z", "device": attrs{"phone_number": "+34600000011"}})}} {
		p := kind.Plan(acctest.State{}, kind.config)
		if got := p.Planned.Text("endpoint"); got != network.Endpoint() {
			t.Errorf("%s: planned is %q, want %q", kind.TypeName, got, network.Endpoint())
		}
		made := kind.Apply(p)
		if got := made.Text("endpoint"); acctest.HasError(made.Diagnostics) || got != network.Endpoint() {
			t.Errorf("%s: it is %q, want %q; %s", kind.TypeName, got, network.Endpoint(), acctest.Describe(made.Diagnostics))
		}
		kind.ExpectEmptyPlan(made.State, kind.config)
	}
}

// Where the provider's configuration is not known yet, neither is the endpoint.
func TestEndpoint_notKnownYet(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	sessions := network.ClientWith(attrs{"endpoint": acctest.Unknown{}})
	known := network.Client()
	for _, kind := range []struct {
		planned, applied *acctest.ProtocolClient
		config           attrs
	}{{sessions, known, hour(nil)}, {sessions.Reservations(), known.Reservations(), match(nil)}} {
		p := kind.planned.Plan(acctest.State{}, kind.config)
		if acctest.HasError(p.Diagnostics) || p.Planned.Values["endpoint"].IsKnown() {
			t.Errorf("%s: planned is %s; %s", kind.planned.TypeName, p.Planned.Values["endpoint"], acctest.Describe(p.Diagnostics))
		}
		if made := kind.applied.Apply(p); made.Text("endpoint") != network.Endpoint() || acctest.HasError(made.Diagnostics) {
			t.Errorf("%s: once it is known it is %q; %s", kind.planned.TypeName, made.Text("endpoint"), acctest.Describe(made.Diagnostics))
		}
	}
}

// A state from before there was the attribute plans nothing, and a read fills it.
func TestEndpoint_unrecorded(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		sessions := network.Client()
		for _, kind := range []struct {
			*acctest.ProtocolClient
			config attrs
		}{{sessions, hour(attrs{"device": attrs{"phone_number": "+34600000011"}})}, {sessions.Reservations(), match(nil)}} {
			old := kind.MustCreate(kind.config)
			want := old.Text("endpoint")
			old = old.With("endpoint", nil)
			kind.ExpectEmptyPlan(old, kind.config)
			for name, planned := range map[string]acctest.Plan{
				"an update":      kind.Plan(old, kind.config.With("wait_for_available", true)),
				"one that looks": kind.Plan(requested(old), kind.config),
			} {
				updated, want := kind.Apply(planned), planned.Planned.Values["endpoint"]
				if got := updated.Values["endpoint"]; acctest.HasError(updated.Diagnostics) || !got.Equal(want) {
					t.Errorf("%s of a %s makes %s of %s; %s", name, kind.TypeName, got, want, acctest.Describe(updated.Diagnostics))
				}
			}
			read := kind.Refresh(old)
			if got := read.Text("endpoint"); got != want || len(read.Diagnostics) > 0 {
				t.Errorf("%s: a read says %q, want %q; %s", kind.TypeName, got, want, acctest.Describe(read.Diagnostics))
			}
			kind.ExpectEmptyPlan(read.State, kind.config)
		}
	})(t)
}

// requested is a state whose wait is to be resumed.
func requested(r acctest.State) acctest.State {
	if r.Text("qos_status") != "" {
		return r.With("qos_status", "REQUESTED")
	}
	return r.With("status", "REQUESTED")
}

// What is seen at another endpoint is there from then on, as its private state has it.
func TestEndpoint_moves(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
	renamed := strings.Replace(network.Endpoint(), "127.0.0.1", "localhost", 1)
	there := network.ClientAs(renamed, sandbox.DefaultClient)
	for name, kind := range map[string]struct {
		here, there *acctest.ProtocolClient
		config      attrs
	}{
		"a session":                     {network.Client(), there, hour(nil)},
		"a reservation with a session":  {network.Client().Reservations(), there.Reservations(), match(attrs{"starts_at": nil, "device": attrs{"phone_number": "+34600000011"}})},
		"a reservation without session": {network.Client().Reservations(), there.Reservations(), match(nil)},
	} {
		made := kind.here.Apply(kind.here.Plan(acctest.State{}, kind.config))
		if got := made.Text("endpoint"); got != network.Endpoint() {
			t.Errorf("%s: it is made at %q", name, got)
		}
		moved := kind.there.Refresh(made.State)
		if got := moved.Text("endpoint"); got != renamed || len(moved.Diagnostics) > 0 {
			t.Errorf("%s: it is at %q, want %q; %s", name, got, renamed, acctest.Describe(moved.Diagnostics))
		}
		kind.there.ExpectEmptyPlan(moved.State, kind.config)
	}
}

// A reservation that acts without having looked plans to do so where Read looked last.
func TestEndpoint_keepsWhereItLooked(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
	scheduled := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
	due := scheduled.With("status", "DUE")
	there := network.ClientAs("https://elsewhere.example/v1", sandbox.DefaultClient).Reservations()
	if p := there.Plan(due, match(nil)); p.Planned.Text("endpoint") != network.Endpoint() || p.Planned.Values["session_id"].IsKnown() {
		t.Errorf("planned at %s: %v", p.Planned.Values["endpoint"], p.Planned.Values)
	}
	if p := there.Plan(due.With("endpoint", nil), match(nil)); p.Planned.Text("endpoint") != "https://elsewhere.example/v1" {
		t.Errorf("without a record it is planned at %s", p.Planned.Values["endpoint"])
	}
}

// What the provider has to refuse by itself: nothing is sent, and the state stays as it was.
func TestEndpoint_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config   attrs
		reserves bool                                                            // a qod_reservation
		does     func(c *acctest.ProtocolClient, r acctest.State) acctest.Result // at the other endpoint
		summary  string
		says     []string
	}{
		"create a session":     {hour(nil), false, nil, "Unable to Create QoS Session", []string{"no session was created"}},
		"create a reservation": {match(nil), true, nil, "Unable to Create QoS Reservation", []string{"no session was created"}},
		"update a session": {hour(nil), false, func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			return c.Apply(c.Plan(r, hour(attrs{"wait_for_available": true})))
		}, "Unable to Update QoS Session", []string{"where the session was created", "stays in the state", "terraform state rm"}},
		"update a reservation": {match(attrs{"starts_at": nil}), true, func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			return c.Apply(c.Plan(r, match(attrs{"starts_at": nil, "ends_at": "2028-03-01T00:20:00Z"})))
		}, "Unable to Update QoS Reservation", []string{"where the session was created", "stays in the state", "terraform state rm"}},
		"update a reservation whose session must be over": {match(attrs{"starts_at": nil}), true, func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			over := r.With("expires_at", "2020-02-29T20:15:00Z")
			left := c.Apply(c.Plan(over, match(attrs{"starts_at": nil, "ends_at": "2028-03-01T00:20:00Z"})))
			return acctest.Result{State: left.With("expires_at", r.Text("expires_at")), Diagnostics: left.Diagnostics}
		}, "Unable to Update QoS Reservation", []string{"where the session was created"}},
		"buy by an update": {match(nil), true, func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			left := c.Apply(c.Plan(r.With("status", "DUE"), match(nil)))
			return acctest.Result{State: left.With("status", "SCHEDULED"), Diagnostics: left.Diagnostics}
		}, "Unable to Update QoS Reservation", []string{"the state is kept as it was"}},
		"delete a session": {hour(nil), false, (*acctest.ProtocolClient).Destroy, "Unable to Delete QoS Session", []string{"where the session was created", "terraform state rm"}},
		"delete a session of a state without the attribute": {hour(nil), false, func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			left := c.Destroy(r.With("endpoint", nil))
			return acctest.Result{State: left.With("endpoint", r.Text("endpoint")), Diagnostics: left.Diagnostics}
		}, "Unable to Delete QoS Session", []string{"where the session was created"}},
		"delete a reservation": {match(attrs{"starts_at": nil}), true, (*acctest.ProtocolClient).Destroy, "Unable to Delete QoS Reservation", []string{"where the session was created", "terraform state rm"}},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
			there := sandbox.Start(t, sandbox.Config{Clock: network.Clock})
			here, elsewhere := network.Client(), network.ClientAs(there.Endpoint(), sandbox.DefaultClient)
			if test.reserves {
				here, elsewhere = here.Reservations(), elsewhere.Reservations()
			}
			p := here.Plan(acctest.State{}, test.config)
			var kept acctest.State
			var left acctest.Result
			if test.does == nil {
				left = elsewhere.Apply(p)
			} else {
				kept = here.Apply(p).State
				left = test.does(elsewhere, kept)
			}
			acctest.ContainsAll(t, left.Errors(), append(test.says, test.summary+": The plan was made for the API at "+network.Endpoint(),
				"now configured for "+there.Endpoint(), "Nothing was sent", "QOD_ENDPOINT", "without -refresh=false"))
			for _, r := range there.Requests() {
				t.Errorf("it sent %s %s", r.Method, r.Path)
			}
			if !left.Equal(kept) {
				t.Errorf("the state has changed from %v to %v", kept.Values, left.Values)
			}
			if made := kept.Text("session_id") + kept.Text("id"); made != "" && len(network.SessionIDs()) > 0 && !strings.Contains(left.Errors(), "Session: "+network.SessionIDs()[0]) {
				t.Errorf("it does not name %s: %s", network.SessionIDs()[0], left.Errors())
			}
		})
	}
}

// withEndpoint is the same working directory in an environment that has another endpoint.
func withEndpoint(c *acctest.CLI, endpoint string) *acctest.CLI {
	elsewhere := *c
	elsewhere.Env = append(slices.Clip(c.Env), "QOD_ENDPOINT="+endpoint)
	return &elsewhere
}

// describeState is what the state holds, as text. (OpenTofu drops the identity of what it could not
// delete.)
func describeState(c *acctest.CLI) string {
	c.Network.T.Helper()
	var lines []string
	if state := c.State(); state != nil {
		for _, r := range state.Resources {
			values, err := json.Marshal(r.AttributeValues)
			if err != nil {
				c.Network.T.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s, tainted: %t, %s", r.Address, r.Tainted, values))
		}
	}
	return strings.Join(lines, "\n")
}

// A plan that was saved with one endpoint in the environment does nothing in another: nothing
// arrives there, the state is kept, and where it was made the same can still be done. What is to be
// made Terraform refuses itself, since it plans that again; the rest is for the provider to refuse.
func TestEndpoint_savedPlan(t *testing.T) {
	t.Parallel()
	const before = "lifecycle {\n  create_before_destroy = true\n}\n"
	session := func(more string) string { return acctest.SessionBlock("camera", more, 3600) }
	reservation := func(starts time.Duration, profile string) string {
		now := time.Now().UTC()
		return fmt.Sprintf("resource \"qod_reservation\" \"camera\" {\n  device = { phone_number = \"+34600000041\" }\n  qos_profile = %q\n  starts_at = %q\n  ends_at = %q\n}\n",
			profile, now.Add(starts).Format(time.RFC3339), now.Add(12*time.Hour).Format(time.RFC3339))
	}
	const (
		byTerraform = "Provider produced inconsistent final plan"
		open        = -time.Hour
		later       = time.Hour
	)
	for name, test := range map[string]struct {
		was, config string // was: applied before
		args        []string
		says        string
	}{
		"a session to create":                   {config: session(""), says: byTerraform},
		"a reservation to create":               {config: reservation(open, "QOS_L"), says: byTerraform},
		"a reservation to create, not open yet": {config: reservation(later, "QOS_L"), says: byTerraform},
		"a session to replace":                  {was: session(""), config: session(`qos_profile = "QOS_S"`), says: "Unable to Delete QoS Session"},
		"a session to replace, created first":   {was: session(before), config: session(before + `qos_profile = "QOS_S"`), says: byTerraform},
		"a reservation to replace":              {was: reservation(open, "QOS_L"), config: reservation(open, "QOS_S"), says: "Unable to Delete QoS Reservation"},
		"a session to update":                   {was: session(""), config: session(`timeouts = { create = "7m" }`), says: "Unable to Update QoS Session"},
		"a reservation that buys by an update":  {was: reservation(later, "QOS_L"), config: reservation(open, "QOS_L"), says: "Unable to Update QoS Reservation"},
		"a reservation that keeps its session":  {was: reservation(open, "QOS_L"), config: reservation(2*open, "QOS_L"), says: "Unable to Update QoS Reservation"},
		"a session to destroy":                  {was: session(""), config: session(""), args: []string{"-destroy"}, says: "Unable to Delete QoS Session"},
		"a reservation to destroy":              {was: reservation(open, "QOS_L"), config: reservation(open, "QOS_L"), args: []string{"-destroy"}, says: "Unable to Delete QoS Reservation"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "reservation") { // a CLI treats it as it does a session
				acctest.AnyCLI(t)
			}
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			there := sandbox.Start(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := network.CLI(test.was)
			c.Apply()
			c.Configure(test.config)
			kept := describeState(c)
			c.Plan(2, append(test.args, "-out=tfplan")...)
			said := withEndpoint(c, there.Endpoint()).Must(1, "apply", "-no-color", "-input=false", "tfplan")
			acctest.ContainsAll(t, said, []string{test.says, network.Endpoint(), there.Endpoint()})
			for _, r := range there.Requests() {
				t.Errorf("it sent %s %s", r.Method, r.Path)
			}
			if left := describeState(c); left != kept {
				t.Errorf("the state has changed from\n%s\nto\n%s", kept, left)
			}
			c.ExpectInSync()
			if name != "a session to replace, created first" { // which the network never allows
				c.Must(0, append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, test.args...)...)
				c.ExpectInSync()
			}
		})
	}
}

// The same endpoint with the API in another place is another one: nothing is bought there by a plan
// that was made for here, and what it does not know is not gone.
func TestEndpoint_otherPath(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	here, there := network.Client(), network.ClientWith(attrs{"api_path": "/elsewhere"})
	if got := here.Apply(here.Plan(acctest.State{}, hour(nil))).Text("endpoint"); got != network.Endpoint() {
		t.Errorf("here is %q", got)
	}
	planned := there.Plan(acctest.State{}, hour(attrs{"device": attrs{"phone_number": "+34600000011"}}))
	if got := planned.Planned.Text("endpoint"); got != network.Endpoint()+"/elsewhere (open-gateway)" {
		t.Errorf("there is %q", got)
	}
	before := network.Writes()
	acctest.ContainsAll(t, here.Apply(planned).Errors(), []string{
		"Unable to Create QoS Session: The plan was made for the API at " + network.Endpoint() + "/elsewhere (open-gateway), but the provider is now configured for " + network.Endpoint() + ".",
		"api_path",
	})
	if after := network.Writes(); after != before {
		t.Errorf("requests: %s, then %s", before, after)
	}
	made := here.MustCreate(hour(attrs{"device": attrs{"phone_number": "+34600000012"}}))
	read := there.Refresh(made)
	acctest.ContainsAll(t, read.Errors(), []string{
		"Unable to Read QoS Session", "its state is kept as it was", "api_path (QOD_API_PATH)",
		"It was created at " + network.Endpoint() + " (client " + sandbox.DefaultClient.ID + "), which is not what the provider is configured for now.",
	})
	if !read.Equal(made) {
		t.Errorf("the state has changed to %v", read.Values)
	}
}

// Another API at the same path is another one, too: a plan that was made for one sends nothing to
// the other, whatever it is to do.
func TestEndpoint_otherAPI(t *testing.T) {
	t.Parallel()
	at := attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}}
	for name, test := range map[string]struct {
		reserves bool
		config   attrs
		does     func(c *acctest.ProtocolClient, r acctest.State) acctest.Result // nil: creates
	}{
		"create a session":     {config: hour(at)},
		"create a reservation": {config: match(at), reserves: true},
		"update a session": {config: hour(at), does: func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			return c.Apply(c.Plan(r, hour(at).With("wait_for_available", true)))
		}},
		"delete a session": {config: hour(at), does: (*acctest.ProtocolClient).Destroy},
		"buy by an update": {config: match(at), reserves: true, does: func(c *acctest.ProtocolClient, r acctest.State) acctest.Result {
			return c.Apply(c.Plan(r.With("status", "DUE"), match(at)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, time.Hour, camaraNetwork)
			here, other := network.Client(), network.ClientWith(attrs{"api": "open-gateway", "api_path": "/quality-on-demand/v1"})
			if test.reserves {
				here, other = here.Reservations(), other.Reservations()
			}
			plan := here.Plan(acctest.State{}, test.config)
			if got := plan.Planned.Text("endpoint"); got != network.Endpoint()+"/quality-on-demand/v1 (camara-v1)" {
				t.Errorf("the plan is for %q", got)
			}
			if again := other.Plan(acctest.State{}, test.config); again.Planned.Text("endpoint") == plan.Planned.Text("endpoint") {
				t.Error("Terraform cannot tell the two apart")
			}
			var refused acctest.Result
			if test.does == nil {
				refused = other.Apply(plan)
			} else {
				made := here.Apply(plan)
				requests := len(network.Requests())
				refused = test.does(other, made.State)
				if sent := len(network.Requests()) - requests; sent > 0 {
					t.Errorf("%d requests", sent)
				}
			}
			acctest.ContainsAll(t, refused.Errors(), []string{
				`The plan was made for api = "camara-v1" at ` + network.Endpoint() + "/quality-on-demand/v1",
				`the provider is now configured for api = "open-gateway" there. Nothing was sent`, "QOD_API",
			})
			if test.does == nil && len(network.Requests()) > 0 {
				t.Errorf("it sent %v", network.Requests())
			}
		})
	}
}
