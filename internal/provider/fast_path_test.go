// The shortcut must say what the framework would have said, whatever it is asked, and must be taken
// where nothing changed.

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/msgpack"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// deaf is a framework that must not be asked.
type deaf struct{ framework }

var errAsked = errors.New("the framework was asked")

func (deaf) ReadResource(context.Context, *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return nil, errAsked
}

func (deaf) PlanResourceChange(context.Context, *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return nil, errAsked
}

// refreshing is a provider that has read enough sessions to list them.
func (w *world) refreshing() *core {
	w.t.Helper()
	c := w.core()
	for range 5 {
		c.adopt(w.Seed(sandbox.Session{}).ID)
	}
	return c
}

func TestShortcut_read(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		network func(w *world, id string)
		state   func(r *record)
		taken   bool
	}{
		"as it was":              {taken: true},
		"without an identity":    {state: func(r *record) { r.identity = nil }, taken: true},
		"another's identity":     {state: func(r *record) { r.identity = encodeIdentity(attributesOf("3fa85f64-5717-4562-b3fc-2c963f66afa6")) }},
		"an empty identity":      {state: func(r *record) { r.identity = encodeIdentity(nil) }},
		"gone":                   {network: func(w *world, id string) { w.removeOld(id) }},
		"unavailable":            {network: func(w *world, id string) { w.Revoke(id) }},
		"another profile":        {network: edit(func(s *sandbox.Session) { s.QoSProfile = "QOS_S" })},
		"another end":            {network: edit(func(s *sandbox.Session) { s.ExpiresAt = s.ExpiresAt.Add(time.Minute) })},
		"another start":          {network: edit(func(s *sandbox.Session) { s.StartedAt = s.StartedAt.Add(-time.Minute) })},
		"the state has no end":   {state: without("expires_at")},
		"the state has no start": {state: without("started_at")},
		"no endpoint":            {state: without("endpoint")},
		"another endpoint":       {state: func(r *record) { r.values["endpoint"] = tftypes.NewValue(tftypes.String, "https://other.example") }},
		"just imported":          {state: without("qos_profile", "qos_status", "device", "started_at", "expires_at", "duration")},
		"made elsewhere":         {state: remembering(func(m *sessionPrivate) { m.Origin = "elsewhere" })},
		"of unknown origin":      {state: remembering(func(m *sessionPrivate) { m.Origin = "" })},
		"of unknown owner":       {state: remembering(func(m *sessionPrivate) { m.Owner = "" })},
		"of unknown everything":  {state: func(r *record) { r.private = nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Clock: sandbox.NewManualClock(atKickOff), Provisioning: sandbox.Instant})
			r := w.core().created(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
			if test.network != nil {
				test.network(w, r.text("id"))
			}
			if test.state != nil {
				r.values = maps.Clone(r.values)
				test.state(&r)
			}
			short, long := w.refreshing(), w.refreshing()
			long.server = long.fastPath().framework
			req := &tfprotov6.ReadResourceRequest{
				TypeName: "qod_session", CurrentState: short.dynamic(r.values), Private: r.private, CurrentIdentity: r.identity,
			}
			answer := func(c *core) result {
				resp, err := c.server.ReadResource(t.Context(), req)
				c.must("ReadResource", err)
				return result{c.record(resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics}
			}
			got, want := answer(short), answer(long)
			if !sameOwner(got.record).is(sameOwner(want.record)) || !short.sameIdentity(got.record, want.record) || withoutIDs(printed(got.tfdiags)) != withoutIDs(printed(want.tfdiags)) {
				t.Errorf("the shortcut says %v, %s\nthe framework %v, %s", got.values, printed(got.tfdiags), want.values, printed(want.tfdiags))
			}
			s := short.fastPath()
			s.framework = deaf{}
			_, err := s.ReadResource(t.Context(), req)
			if taken := err == nil; taken != test.taken {
				t.Errorf("taken: %v, want %v", taken, test.taken)
			}
		})
	}
}

// remembering is a record whose private state is another.
func remembering(change func(*sessionPrivate)) func(*record) {
	return func(r *record) {
		private := decodePrivate(r.private)
		change(&private)
		r.private = privateOf(private)
	}
}

// privateOf is private state as the framework encodes it.
func privateOf(m sessionPrivate) []byte {
	inner, _ := json.Marshal(m)
	outer, _ := json.Marshal(map[string][]byte{privateKey: inner})
	return outer
}

// sameOwner is a record of one and the same owner, who is known to be known: two processes that have to
// name one name two.
func sameOwner(r record) record {
	if private := decodePrivate(r.private); private.Owner != "" {
		private.Owner = "somebody"
		r.private = privateOf(private)
	}
	return r
}

func attributesOf(id string) map[string]tftypes.Value {
	return map[string]tftypes.Value{"id": tftypes.NewValue(tftypes.String, id)}
}

// sameIdentity reports whether two records have one identity, or both none.
func (c *core) sameIdentity(a, b record) bool {
	c.t.Helper()
	value := func(r record) tftypes.Value {
		if r.identity == nil {
			return tftypes.Value{}
		}
		v, err := r.identity.IdentityData.Unmarshal(c.identity.ValueType())
		c.must("Unmarshal", err)
		return v
	}
	return value(a).Equal(value(b))
}

// A list that shows another profile would have the session replaced, and is not believed.
func TestSession_profileInAList(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
	r := w.core().created(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
	w.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Answer(200, "application/json", fmt.Sprintf(
		`[{"sessionId": %q, "qosProfile": "QOS_S", "qosStatus": "AVAILABLE", "startedAt": %q, "expiresAt": %q}]`,
		r.text("id"), r.text("started_at"), r.text("expires_at")))})
	c := w.refreshing()
	before := w.Count(sandbox.OpRead)
	if got := c.refresh(r); !got.is(r) || len(got.tfdiags) > 0 {
		t.Errorf("%v, %s", got.values, printed(got.tfdiags))
	}
	w.exactly("gets", w.Count(sandbox.OpRead)-before, 1)
	if w.Count(sandbox.OpList) == 0 {
		t.Error("no list was asked for")
	}
}

// edit is a change behind Terraform's back.
func edit(change func(*sandbox.Session)) func(*world, string) {
	return func(w *world, id string) { w.Edit(id, change) }
}

// without takes attributes out of a state.
func without(names ...string) func(*record) {
	return func(r *record) {
		for _, name := range names {
			r.values[name] = tftypes.NewValue(r.values[name].Type(), nil)
		}
	}
}

func TestShortcut_plan(t *testing.T) {
	t.Parallel()
	config := attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600}
	tests := map[string]struct {
		config   attrs
		status   string
		nameless bool // in a state without identities
		taken    bool
	}{
		"as it was":           {config: config, status: "AVAILABLE", taken: true},
		"without an identity": {config: config, status: "AVAILABLE", nameless: true, taken: true},
		"unavailable":         {config: config, status: "UNAVAILABLE"},
		"requested":           {config: config, status: "REQUESTED"},
		"of unknown status":   {config: config, status: "PAUSED"},
		"another duration":    {config: config.with("duration", 60), status: "AVAILABLE"},
		"another device":      {config: config.with("device.phone_number", "+34600000002"), status: "AVAILABLE"},
		"waiting is asked of": {config: config.with("wait_for_available", true), status: "AVAILABLE"},
		"not known yet":       {config: config.with("qos_profile", notKnownYet{}), status: "AVAILABLE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			short := w.core()
			r := short.created(config)
			r.values = maps.Clone(r.values)
			r.values["qos_status"] = tftypes.NewValue(tftypes.String, test.status)
			if test.nameless {
				r.identity = nil
			}
			got := short.plan(r, test.config)
			s := short.fastPath()
			short.server = s.framework
			want := short.plan(r, test.config)
			if !got.planned.is(want.planned) || !short.sameIdentity(got.planned, want.planned) || printed(got.tfdiags) != printed(want.tfdiags) || len(got.replace) != len(want.replace) {
				t.Errorf("the shortcut plans %v for %v, the framework %v for %v", got.planned.values, got.replace, want.planned.values, want.replace)
			}
			s.framework = deaf{}
			_, err := s.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: "qod_session", PriorState: short.dynamic(r.values), ProposedNewState: short.dynamic(got.proposed),
				PriorPrivate: r.private, PriorIdentity: r.identity, Config: short.value(short.schema, test.config),
			})
			if taken := err == nil; taken != test.taken {
				t.Errorf("taken: %v, want %v", taken, test.taken)
			}
		})
	}
}

// A fault in the shortcut is left to the framework's way, which reports it or does without.
func TestShortcut_fault(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
	c := w.core()
	r := c.created(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
	s := c.fastPath()
	s.provider.sessions = faulty{s.provider.sessions}
	c.server = s
	if got := c.refresh(r); !got.is(r) || len(got.tfdiags) > 0 {
		t.Errorf("%v, %s", got.values, printed(got.tfdiags))
	}
}

type faulty struct{ qod.Sessions }

func (faulty) ReadCached(context.Context, qod.Ref) (qod.Session, bool) { panic("a fault") }

// The short way compares bytes, so an identity must be spelled as Terraform spells it.
func TestShortcut_identity(t *testing.T) {
	t.Parallel()
	id := cty.StringVal("3fa85f64-5717-4562-b3fc-2c963f66afa6")
	want, err := msgpack.Marshal(cty.ObjectVal(map[string]cty.Value{"id": id}), cty.Object(map[string]cty.Type{"id": cty.String}))
	if err != nil {
		t.Fatal(err)
	}
	if got := encodeIdentity(attributesOf(id.AsString())).IdentityData.MsgPack; !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// withoutIDs takes out the correlators, which are random.
func withoutIDs(text string) string { return anyUUID.ReplaceAllString(text, "UUID") }
