// What the provider itself costs, without an API or a CLI: go test -run=- -bench=. -benchmem

package provider

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// still is a network on which nothing happens. Only what the benchmarks ask is answered.
type still struct {
	qod.Sessions
	sessions []qod.Session
}

func newStill(n int) still {
	s := still{sessions: make([]qod.Session, n)}
	for i := range s.sessions {
		s.sessions[i] = qod.Session{
			ID:         fmt.Sprintf("3fa85f64-5717-4562-b3fc-2c963f%06d", i),
			Device:     qod.Device{PhoneNumber: fmt.Sprintf("+346%08d", i)},
			QoSProfile: "QOS_L", Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: atKickOff.Add(time.Hour), Seconds: 3600,
		}
	}
	return s
}

func (s still) Check(qod.Spec) []qod.Problem { return nil }
func (s still) Endpoint() string             { return "https://still.example" }
func (s still) Origin() string               { return "https://still.example" }

func (s still) Create(context.Context, qod.Spec) (qod.Session, error) { return s.sessions[0], nil }

func (s still) Read(context.Context, qod.Ref) (qod.Session, error) { return s.sessions[0], nil }

func (s still) ReadCached(context.Context, qod.Ref) (qod.Session, bool) { return s.sessions[0], true }

func (s still) List(context.Context, qod.Filter) ([]qod.Session, error) { return s.sessions, nil }

// BenchmarkDataSource lists an account that has more sessions than any.
func BenchmarkDataSource(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := acc.coreWith(b, newStill(n))
			req := &tfprotov6.ReadDataSourceRequest{
				TypeName: "qod_sessions", Config: c.value(c.schemas.DataSourceSchemas["qod_sessions"], attrs{}),
			}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := c.server.ReadDataSource(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, printed(resp.Diagnostics))
				}
			}
		})
	}
}

// BenchmarkRefresh reads a session that is as it was: as most are, and by way of the framework.
func BenchmarkRefresh(b *testing.B) {
	c := acc.coreWith(b, newStill(1))
	r := c.created(attrs{"device": attrs{"phone_number": "+34600000000"}, "qos_profile": "QOS_L", "duration": 3600})
	req := &tfprotov6.ReadResourceRequest{
		TypeName: "qod_session", CurrentState: c.dynamic(r.values), Private: r.private, CurrentIdentity: r.identity,
	}
	for name, server := range map[string]tfprotov6.ProviderServer{
		"confirmed": c.server, "framework": c.fastPath().framework,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := server.ReadResource(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, printed(resp.Diagnostics))
				}
			}
		})
	}
}

// BenchmarkPlan plans a new session, and one that is as configured.
func BenchmarkPlan(b *testing.B) {
	c := acc.coreWith(b, newStill(1))
	config := attrs{"device": attrs{"phone_number": "+34600000000"}, "qos_profile": "QOS_L", "duration": 3600}
	r := c.created(config)
	for name, prior := range map[string]record{"new": {}, "unchanged": r} {
		p := c.plan(prior, config)
		req := &tfprotov6.PlanResourceChangeRequest{
			TypeName: "qod_session", Config: c.value(c.schema, config), ProposedNewState: c.dynamic(p.proposed),
			PriorState: c.dynamic(prior.values), PriorPrivate: prior.private, PriorIdentity: prior.identity,
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := c.server.PlanResourceChange(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, printed(resp.Diagnostics))
				}
			}
		})
	}
}
