// Proves that both resources say at which endpoint their session is, or will be, and that a plan that was
// made for one endpoint does nothing at another.

package provider

import (
	"maps"
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
		if got := made.text("endpoint"); refused(made.diagnostics) || got != w.Endpoint() {
			t.Errorf("%s: it is %q, want %q; %s", kind.typeName, got, w.Endpoint(), printed(made.diagnostics))
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
		if refused(p.diagnostics) || p.planned.values["endpoint"].IsKnown() {
			t.Errorf("%s: planned is %s; %s", kind.planned.typeName, p.planned.values["endpoint"], printed(p.diagnostics))
		}
		if made := kind.applied.apply(p); made.text("endpoint") != w.Endpoint() || refused(made.diagnostics) {
			t.Errorf("%s: once it is known it is %q; %s", kind.planned.typeName, made.text("endpoint"), printed(made.diagnostics))
		}
	}
}

// A state from before there was the attribute plans nothing, and a read fills it.
func TestEndpoint_unrecorded(t *testing.T) {
	s := newSeason(t, 0, sandbox.Config{})
	sessions := s.core()
	for _, kind := range []struct {
		*core
		config attrs
	}{{sessions, hour(attrs{"device": attrs{"phone_number": "+34600000011"}})}, {sessions.reservations(), match(nil)}} {
		old := kind.created(kind.config)
		want := old.text("endpoint")
		old.values = maps.Clone(old.values)
		without("endpoint")(&old)
		kind.plansNothing(old, kind.config)
		for name, planned := range map[string]proposal{
			"an update":      kind.plan(old, kind.config.with("wait_for_available", true)),
			"one that looks": kind.plan(requested(old), kind.config),
		} {
			updated, want := kind.apply(planned), planned.planned.values["endpoint"]
			if got := updated.values["endpoint"]; refused(updated.diagnostics) || !got.Equal(want) {
				t.Errorf("%s of a %s makes %s of %s; %s", name, kind.typeName, got, want, printed(updated.diagnostics))
			}
		}
		read := kind.refresh(old)
		if got := read.text("endpoint"); got != want || len(read.diagnostics) > 0 {
			t.Errorf("%s: a read says %q, want %q; %s", kind.typeName, got, want, printed(read.diagnostics))
		}
		kind.plansNothing(read.record, kind.config)
	}
}

// requested is a record whose wait is to be resumed.
func requested(r record) record {
	r.values = maps.Clone(r.values)
	for _, name := range []string{"qos_status", "status"} {
		if _, has := r.values[name]; has {
			r.values[name] = tftypes.NewValue(tftypes.String, "REQUESTED")
		}
	}
	return r
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
		if got := moved.text("endpoint"); got != renamed || len(moved.diagnostics) > 0 {
			t.Errorf("%s: it is at %q, want %q; %s", name, got, renamed, printed(moved.diagnostics))
		}
		kind.there.plansNothing(moved.record, kind.config)
	}
}

// A reservation that acts without having looked plans to do so where Read looked last.
func TestEndpoint_keepsWhereItLooked(t *testing.T) {
	s := newSeason(t, time.Hour, sandbox.Config{})
	scheduled := s.is(s.pass(record{}, match(nil)), "SCHEDULED", "")
	due := record{maps.Clone(scheduled.values), scheduled.private, scheduled.identity}
	due.values["status"] = tftypes.NewValue(tftypes.String, "DUE")
	there := s.coreAs("https://elsewhere.example/v1", sandbox.DefaultClient).reservations()
	if p := there.plan(due, match(nil)); p.planned.text("endpoint") != s.Endpoint() || p.planned.values["session_id"].IsKnown() {
		t.Errorf("planned at %s: %v", p.planned.values["endpoint"], p.planned.values)
	}
	without("endpoint")(&due)
	if p := there.plan(due, match(nil)); p.planned.text("endpoint") != "https://elsewhere.example/v1" {
		t.Errorf("without a record it is planned at %s", p.planned.values["endpoint"])
	}
}
