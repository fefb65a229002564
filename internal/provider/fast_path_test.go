// The fast path must say what the framework would have said, whatever it is asked, and must be
// taken where nothing changed.

package provider

import (
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

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
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

// clientThatLists is a provider that has read enough sessions to list them.
func clientThatLists(network *acctest.Network) *acctest.ProtocolClient {
	network.T.Helper()
	c := network.Client()
	for range 5 {
		c.Import(network.Seed(sandbox.Session{}).ID)
	}
	return c
}

func TestFastPath_read(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(network *acctest.Network, id string)
		state  func(r *acctest.State)
		taken  bool
	}{
		"as it was":           {taken: true},
		"without an identity": {state: func(r *acctest.State) { r.Identity = nil }, taken: true},
		"another's identity": {state: func(r *acctest.State) {
			r.Identity = encodeIdentity("3fa85f64-5717-4562-b3fc-2c963f66afa6")
		}},
		"an empty identity":      {state: func(r *acctest.State) { r.Identity = encodeIdentity("") }},
		"gone":                   {change: func(network *acctest.Network, id string) { network.RemovePastLag(id) }},
		"unavailable":            {change: func(network *acctest.Network, id string) { network.Revoke(id) }},
		"another profile":        {change: edit(func(s *sandbox.Session) { s.QoSProfile = "QOS_S" })},
		"another end":            {change: edit(func(s *sandbox.Session) { s.ExpiresAt = s.ExpiresAt.Add(time.Minute) })},
		"another start":          {change: edit(func(s *sandbox.Session) { s.StartedAt = s.StartedAt.Add(-time.Minute) })},
		"the state has no end":   {state: without("expires_at")},
		"the state has no start": {state: without("started_at")},
		"no endpoint":            {state: without("endpoint")},
		"another endpoint": {state: func(r *acctest.State) {
			r.Values["endpoint"] = tftypes.NewValue(tftypes.String, "https://other.example")
		}},
		"just imported":         {state: without("qos_profile", "qos_status", "device", "started_at", "expires_at", "duration")},
		"made elsewhere":        {state: remembering(func(m *sessionPrivate) { m.Origin = "elsewhere" })},
		"of unknown origin":     {state: remembering(func(m *sessionPrivate) { m.Origin = "" })},
		"of unknown owner":      {state: remembering(func(m *sessionPrivate) { m.Owner = "" })},
		"of unknown everything": {state: func(r *acctest.State) { r.Private = nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
			r := network.Client().MustCreate(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
			network.Advance(2 * time.Second) // its start is before whatever second the two reads see it in
			if test.change != nil {
				test.change(network, r.Text("id"))
			}
			if test.state != nil {
				r.Values = maps.Clone(r.Values)
				test.state(&r)
			}
			short, long := clientThatLists(network), clientThatLists(network)
			long.Server = fastPathOf(long).framework
			req := &tfprotov6.ReadResourceRequest{
				TypeName: "qod_session", CurrentState: short.Dynamic(r.Values), Private: r.Private, CurrentIdentity: r.Identity,
			}
			answer := func(c *acctest.ProtocolClient) acctest.Result {
				resp, err := c.Server.ReadResource(t.Context(), req)
				c.Must("ReadResource", err)
				return acctest.Result{State: c.Decode(resp.NewState, resp.Private, resp.NewIdentity), Diagnostics: resp.Diagnostics}
			}
			got, want := answer(short), answer(long)
			if !sameOwner(got.State).Equal(sameOwner(want.State)) || !sameIdentity(short, got.State, want.State) || withoutIDs(acctest.Describe(got.Diagnostics)) != withoutIDs(acctest.Describe(want.Diagnostics)) {
				t.Errorf("the fast path says %s\nthe framework %s\n(-framework +fast path)\n%s",
					acctest.Describe(got.Diagnostics), acctest.Describe(want.Diagnostics), got.Diff(want.State))
			}
			s := fastPathOf(short)
			s.framework = deaf{}
			_, err := s.ReadResource(t.Context(), req)
			if taken := err == nil; taken != test.taken {
				t.Errorf("taken: %v, want %v", taken, test.taken)
			}
		})
	}
}

// remembering is a state whose private state is another.
func remembering(change func(*sessionPrivate)) func(*acctest.State) {
	return func(r *acctest.State) {
		private := decodePrivate(r.Private)
		change(&private)
		r.Private = privateOf(private)
	}
}

// privateOf is private state as the framework encodes it.
func privateOf(m sessionPrivate) []byte {
	inner, _ := json.Marshal(m)
	outer, _ := json.Marshal(map[string][]byte{privateKey: inner})
	return outer
}

// sameOwner is a state of one and the same owner, who is known to be known: two processes that
// have to name one name two.
func sameOwner(r acctest.State) acctest.State {
	if private := decodePrivate(r.Private); private.Owner != "" {
		private.Owner = "somebody"
		r.Private = privateOf(private)
	}
	return r
}

// sameIdentity reports whether two states have one identity, or both none.
func sameIdentity(c *acctest.ProtocolClient, a, b acctest.State) bool {
	c.T.Helper()
	value := func(r acctest.State) tftypes.Value {
		if r.Identity == nil {
			return tftypes.Value{}
		}
		v, err := r.Identity.IdentityData.Unmarshal(c.Identity.ValueType())
		c.Must("Unmarshal", err)
		return v
	}
	return value(a).Equal(value(b))
}

// A list that shows another profile would have the session replaced, and is not believed.
func TestSession_profileInAList(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
	r := network.Client().MustCreate(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
	network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Answer(200, "application/json", fmt.Sprintf(
		`[{"sessionId": %q, "qosProfile": "QOS_S", "qosStatus": "AVAILABLE", "startedAt": %q, "expiresAt": %q}]`,
		r.Text("id"), r.Text("started_at"), r.Text("expires_at")))})
	c := clientThatLists(network)
	before := network.Count(sandbox.OpRead)
	if got := c.Refresh(r); !got.Equal(r) || len(got.Diagnostics) > 0 {
		t.Errorf("%v, %s", got.Values, acctest.Describe(got.Diagnostics))
	}
	expectExactly(network, "gets", network.Count(sandbox.OpRead)-before, 1)
	if network.Count(sandbox.OpList) == 0 {
		t.Error("no list was asked for")
	}
}

// edit is a change behind Terraform's back.
func edit(change func(*sandbox.Session)) func(*acctest.Network, string) {
	return func(network *acctest.Network, id string) { network.Edit(id, change) }
}

// without takes attributes out of a state.
func without(names ...string) func(*acctest.State) {
	return func(r *acctest.State) {
		for _, name := range names {
			r.Values[name] = tftypes.NewValue(r.Values[name].Type(), nil)
		}
	}
}

func TestFastPath_plan(t *testing.T) {
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
		"another duration":    {config: config.With("duration", 60), status: "AVAILABLE"},
		"another device":      {config: config.With("device.phone_number", "+34600000002"), status: "AVAILABLE"},
		"waiting is asked of": {config: config.With("wait_for_available", true), status: "AVAILABLE"},
		"not known yet":       {config: config.With("qos_profile", acctest.Unknown{}), status: "AVAILABLE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			short := network.Client()
			r := short.MustCreate(config)
			r.Values = maps.Clone(r.Values)
			r.Values["qos_status"] = tftypes.NewValue(tftypes.String, test.status)
			if test.nameless {
				r.Identity = nil
			}
			got := short.Plan(r, test.config)
			s := fastPathOf(short)
			short.Server = s.framework
			want := short.Plan(r, test.config)
			if !got.Planned.Equal(want.Planned) || !sameIdentity(short, got.Planned, want.Planned) || acctest.Describe(got.Diagnostics) != acctest.Describe(want.Diagnostics) || len(got.Replace) != len(want.Replace) {
				t.Errorf("the fast path replaces for %v, the framework for %v (-framework +fast path):\n%s",
					got.Replace, want.Replace, got.Planned.Diff(want.Planned))
			}
			s.framework = deaf{}
			_, err := s.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: "qod_session", PriorState: short.Dynamic(r.Values), ProposedNewState: short.Dynamic(got.Proposed),
				PriorPrivate: r.Private, PriorIdentity: r.Identity, Config: short.Value(short.Schema, test.config),
			})
			if taken := err == nil; taken != test.taken {
				t.Errorf("taken: %v, want %v", taken, test.taken)
			}
		})
	}
}

// A fault in the fast path is left to the framework's way, which reports it or does without.
func TestFastPath_fault(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
	c := network.Client()
	r := c.MustCreate(attrs{"device": attrs{"phone_number": "+34600000001"}, "qos_profile": "QOS_L", "duration": 3600})
	s := fastPathOf(c)
	s.provider.sessions = faulty{s.provider.sessions}
	c.Server = s
	if got := c.Refresh(r); !got.Equal(r) || len(got.Diagnostics) > 0 {
		t.Errorf("%v, %s", got.Values, acctest.Describe(got.Diagnostics))
	}
}

type faulty struct{ qod.Sessions }

func (faulty) ReadCached(context.Context, qod.Ref) (qod.Session, bool) { panic("a fault") }

// The short way reads an identity as Terraform spells it, and leaves it as it is.
func TestFastPath_identity(t *testing.T) {
	t.Parallel()
	id := cty.StringVal("3fa85f64-5717-4562-b3fc-2c963f66afa6")
	for _, device := range []cty.Value{cty.NullVal(cty.String), cty.StringVal("+34600000010")} {
		object := cty.ObjectVal(map[string]cty.Value{"id": id, identityDevice: device})
		encoded, err := msgpack.Marshal(object, object.Type())
		if err != nil {
			t.Fatal(err)
		}
		identity := &tfprotov6.ResourceIdentityData{IdentityData: &tfprotov6.DynamicValue{MsgPack: encoded}}
		if got := identifiedBy(identity); got != id.AsString() {
			t.Errorf("it is the identity of %q", got)
		}
	}
}

// fastPathOf is the server as Terraform finds it, with what stands before the framework.
func fastPathOf(c *acctest.ProtocolClient) fastPath {
	c.T.Helper()
	g, _ := c.Server.(panicGuard)
	s, ok := g.framework.(fastPath)
	if !ok {
		c.T.Fatalf("the server is a %T", c.Server)
	}
	return s
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// withoutIDs takes out the correlators, which are random.
func withoutIDs(text string) string { return anyUUID.ReplaceAllString(text, "UUID") }
