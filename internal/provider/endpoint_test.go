// Proves that both resources say at which endpoint their session is, or will be, and that a plan that was
// made for one endpoint does nothing at another.

package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The endpoint is known while planning, in one spelling, and stays as it was planned.
func TestEndpoint_planned(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	sessions := w.coreAs(strings.ToUpper(w.URL())+"/v1//", sandbox.DefaultClient)
	for _, kind := range []struct {
		*core
		config attrs
	}{{sessions, hour(nil)}, {sessions.reservations(), match(attrs{"starts_at": "2020-02-29T20:15:00Z", "ends_at": "2099-02-28T20:15:00Z", "device": attrs{"phone_number": "+34600000011"}})}} {
		p := kind.plan(record{}, kind.config)
		if got := p.planned.text("endpoint"); got != w.Endpoint() {
			t.Errorf("%s: planned is %q, want %q", kind.typeName, got, w.Endpoint())
		}
		made := kind.apply(p)
		if got := made.text("endpoint"); refused(made.tfdiags) || got != w.Endpoint() {
			t.Errorf("%s: it is %q, want %q; %s", kind.typeName, got, w.Endpoint(), printed(made.tfdiags))
		}
		kind.plansNothing(made.record, kind.config)
	}
}

// Where the provider's configuration is not known yet, neither is the endpoint.
func TestEndpoint_notKnownYet(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	sessions := newCore(t, &qodProvider{version: "test", getenv: func(string) string { return "" }}, attrs{
		"endpoint": notKnownYet{}, "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret,
	})
	known := w.core()
	for _, kind := range []struct {
		planned, applied *core
		config           attrs
	}{{sessions, known, hour(nil)}, {sessions.reservations(), known.reservations(), match(nil)}} {
		p := kind.planned.plan(record{}, kind.config)
		if refused(p.tfdiags) || p.planned.values["endpoint"].IsKnown() {
			t.Errorf("%s: planned is %s; %s", kind.planned.typeName, p.planned.values["endpoint"], printed(p.tfdiags))
		}
		if made := kind.applied.apply(p); made.text("endpoint") != w.Endpoint() || refused(made.tfdiags) {
			t.Errorf("%s: once it is known it is %q; %s", kind.planned.typeName, made.text("endpoint"), printed(made.tfdiags))
		}
	}
}

// A state from before there was the attribute plans nothing, and a read fills it.
func TestEndpoint_unrecorded(t *testing.T) {
	inSeason(0, sandbox.Config{}, func(t *testing.T, s season) {
		sessions := s.core()
		for _, kind := range []struct {
			*core
			config attrs
		}{{sessions, hour(attrs{"device": attrs{"phone_number": "+34600000011"}})}, {sessions.reservations(), match(nil)}} {
			old := kind.created(kind.config)
			want := old.text("endpoint")
			old = old.with("endpoint", nil)
			kind.plansNothing(old, kind.config)
			for name, planned := range map[string]proposal{
				"an update":      kind.plan(old, kind.config.with("wait_for_available", true)),
				"one that looks": kind.plan(requested(old), kind.config),
			} {
				updated, want := kind.apply(planned), planned.planned.values["endpoint"]
				if got := updated.values["endpoint"]; refused(updated.tfdiags) || !got.Equal(want) {
					t.Errorf("%s of a %s makes %s of %s; %s", name, kind.typeName, got, want, printed(updated.tfdiags))
				}
			}
			read := kind.refresh(old)
			if got := read.text("endpoint"); got != want || len(read.tfdiags) > 0 {
				t.Errorf("%s: a read says %q, want %q; %s", kind.typeName, got, want, printed(read.tfdiags))
			}
			kind.plansNothing(read.record, kind.config)
		}
	})(t)
}

// requested is a record whose wait is to be resumed.
func requested(r record) record {
	if r.text("qos_status") != "" {
		return r.with("qos_status", "REQUESTED")
	}
	return r.with("status", "REQUESTED")
}

// What is seen at another endpoint is there from then on, as its private state has it.
func TestEndpoint_moves(t *testing.T) {
	s := newSeason(t, time.Hour, sandbox.Config{})
	renamed := strings.Replace(s.Endpoint(), "127.0.0.1", "localhost", 1)
	there := s.coreAs(renamed, sandbox.DefaultClient)
	for name, kind := range map[string]struct {
		here, there *core
		config      attrs
	}{
		"a session":                     {s.core(), there, hour(nil)},
		"a reservation with a session":  {s.core().reservations(), there.reservations(), match(attrs{"starts_at": nil, "device": attrs{"phone_number": "+34600000011"}})},
		"a reservation without session": {s.core().reservations(), there.reservations(), match(nil)},
	} {
		made := kind.here.apply(kind.here.plan(record{}, kind.config))
		if got := made.text("endpoint"); got != s.Endpoint() {
			t.Errorf("%s: it is made at %q", name, got)
		}
		moved := kind.there.refresh(made.record)
		if got := moved.text("endpoint"); got != renamed || len(moved.tfdiags) > 0 {
			t.Errorf("%s: it is at %q, want %q; %s", name, got, renamed, printed(moved.tfdiags))
		}
		kind.there.plansNothing(moved.record, kind.config)
	}
}

// A reservation that acts without having looked plans to do so where Read looked last.
func TestEndpoint_keepsWhereItLooked(t *testing.T) {
	s := newSeason(t, time.Hour, sandbox.Config{})
	scheduled := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
	due := scheduled.with("status", "DUE")
	there := s.coreAs("https://elsewhere.example/v1", sandbox.DefaultClient).reservations()
	if p := there.plan(due, match(nil)); p.planned.text("endpoint") != s.Endpoint() || p.planned.values["session_id"].IsKnown() {
		t.Errorf("planned at %s: %v", p.planned.values["endpoint"], p.planned.values)
	}
	if p := there.plan(due.with("endpoint", nil), match(nil)); p.planned.text("endpoint") != "https://elsewhere.example/v1" {
		t.Errorf("without a record it is planned at %s", p.planned.values["endpoint"])
	}
}

// What the provider has to refuse by itself: nothing is sent, and the state stays as it was.
func TestEndpoint_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config   attrs
		reserves bool                           // a qod_reservation
		does     func(c *core, r record) result // at the other endpoint
		summary  string
		says     []string
	}{
		"create a session":     {hour(nil), false, nil, "Unable to Create QoS Session", []string{"no session was created"}},
		"create a reservation": {match(nil), true, nil, "Unable to Create QoS Reservation", []string{"no session was created"}},
		"update a session": {hour(nil), false, func(c *core, r record) result {
			return c.apply(c.plan(r, hour(attrs{"wait_for_available": true})))
		}, "Unable to Update QoS Session", []string{"where the session was made", "stays in the state", "terraform state rm"}},
		"update a reservation": {match(attrs{"starts_at": nil}), true, func(c *core, r record) result {
			return c.apply(c.plan(r, match(attrs{"starts_at": nil, "ends_at": "2028-03-01T00:20:00Z"})))
		}, "Unable to Update QoS Reservation", []string{"where the session was made", "stays in the state", "terraform state rm"}},
		"update a reservation whose session must be over": {match(attrs{"starts_at": nil}), true, func(c *core, r record) result {
			over := r.with("expires_at", "2020-02-29T20:15:00Z")
			left := c.apply(c.plan(over, match(attrs{"starts_at": nil, "ends_at": "2028-03-01T00:20:00Z"})))
			return result{left.with("expires_at", r.text("expires_at")), left.tfdiags}
		}, "Unable to Update QoS Reservation", []string{"where the session was made"}},
		"buy by an update": {match(nil), true, func(c *core, r record) result {
			left := c.apply(c.plan(r.with("status", "DUE"), match(nil)))
			return result{left.with("status", "SCHEDULED"), left.tfdiags}
		}, "Unable to Update QoS Reservation", []string{"the state is kept as it was"}},
		"delete a session": {hour(nil), false, (*core).destroy, "Unable to Delete QoS Session", []string{"where the session was made", "terraform state rm"}},
		"delete a session of a state without the attribute": {hour(nil), false, func(c *core, r record) result {
			left := c.destroy(r.with("endpoint", nil))
			return result{left.with("endpoint", r.text("endpoint")), left.tfdiags}
		}, "Unable to Delete QoS Session", []string{"where the session was made"}},
		"delete a reservation": {match(attrs{"starts_at": nil}), true, (*core).destroy, "Unable to Delete QoS Reservation", []string{"where the session was made", "terraform state rm"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSeason(t, time.Hour, sandbox.Config{})
			there := sandbox.Start(t, sandbox.Config{Clock: s.clock})
			here, elsewhere := s.core(), s.coreAs(there.Endpoint(), sandbox.DefaultClient)
			if test.reserves {
				here, elsewhere = here.reservations(), elsewhere.reservations()
			}
			p := here.plan(record{}, test.config)
			var kept record
			var left result
			if test.does == nil {
				left = elsewhere.apply(p)
			} else {
				kept = here.apply(p).record
				left = test.does(elsewhere, kept)
			}
			containsAll(t, left.errors(), append(test.says, test.summary+": The plan was made for the API at "+s.Endpoint(),
				"now configured for "+there.Endpoint(), "Nothing was sent", "QOD_ENDPOINT", "without -refresh=false"))
			for _, r := range there.Requests() {
				t.Errorf("it sent %s %s", r.Method, r.Path)
			}
			if !left.is(kept) {
				t.Errorf("the state has changed from %v to %v", kept.values, left.values)
			}
			if made := kept.text("session_id") + kept.text("id"); made != "" && len(s.ids()) > 0 && !strings.Contains(left.errors(), "Session: "+s.ids()[0]) {
				t.Errorf("it does not name %s: %s", s.ids()[0], left.errors())
			}
		})
	}
}

// with is the record with another text; nil for null.
func (r record) with(name string, value any) record {
	r.values = maps.Clone(r.values)
	r.values[name] = tftypes.NewValue(tftypes.String, value)
	return r
}

// at is the same working directory in an environment that has another endpoint.
func (c *cli) at(endpoint string) *cli {
	elsewhere := *c
	elsewhere.Env = append(slices.Clip(c.Env), "QOD_ENDPOINT="+endpoint)
	return &elsewhere
}

// resources is what the state holds, as text. (OpenTofu drops the identity of what it could not delete.)
func (c *cli) resources() string {
	c.w.t.Helper()
	var lines []string
	if state := c.state(); state != nil {
		for _, r := range state.Resources {
			values, err := json.Marshal(r.AttributeValues)
			if err != nil {
				c.w.t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s, tainted: %t, %s", r.Address, r.Tainted, values))
		}
	}
	return strings.Join(lines, "\n")
}

// A plan that was saved with one endpoint in the environment does nothing in another: nothing arrives
// there, the state is kept, and where it was made the same can still be done. What is to be made Terraform
// refuses itself, since it plans that again; the rest is for the provider to refuse.
func TestEndpoint_savedPlan(t *testing.T) {
	t.Parallel()
	const before = "lifecycle {\n  create_before_destroy = true\n}\n"
	session := func(more string) string { return block("camera", more, 3600) }
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
			w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			there := sandbox.Start(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := w.cli(test.was)
			c.apply()
			c.configure(test.config)
			kept := c.resources()
			c.planned(2, append(test.args, "-out=tfplan")...)
			said := c.at(there.Endpoint()).must(1, "apply", "-no-color", "-input=false", "tfplan")
			containsAll(t, said, []string{test.says, w.Endpoint(), there.Endpoint()})
			for _, r := range there.Requests() {
				t.Errorf("it sent %s %s", r.Method, r.Path)
			}
			if left := c.resources(); left != kept {
				t.Errorf("the state has changed from\n%s\nto\n%s", kept, left)
			}
			c.isLedger()
			if name != "a session to replace, created first" { // which the network never allows
				c.must(0, append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, test.args...)...)
				c.isLedger()
			}
		})
	}
}
