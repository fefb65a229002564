// What the provider itself costs, without an API or a CLI: go test -run=- -bench=. -benchmem

package provider

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// still is a network on which nothing happens. Only what the benchmarks ask is answered.
type still struct {
	unconfigured
	sessions []qod.Session
}

func newStill(n int) still {
	s := still{sessions: make([]qod.Session, n)}
	for i := range s.sessions {
		s.sessions[i] = qod.Session{
			ID:         fmt.Sprintf("3fa85f64-5717-4562-b3fc-2c963f%06d", i),
			Device:     qod.Device{PhoneNumber: fmt.Sprintf("+346%08d", i)},
			QoSProfile: "QOS_L", Status: qod.StatusAvailable, StartedAt: acctest.KickOff, ExpiresAt: acctest.KickOff.Add(time.Hour), Seconds: 3600,
		}
	}
	return s
}

func (s still) Endpoint() string { return "https://still.example" }
func (s still) Origin() string   { return "https://still.example" }

func (s still) Create(context.Context, qod.Spec) (qod.Session, error) { return s.sessions[0], nil }

func (s still) Read(context.Context, qod.Ref) (qod.Session, error) { return s.sessions[0], nil }

func (s still) ReadCached(context.Context, qod.Ref) (qod.Session, bool) { return s.sessions[0], true }

func (s still) List(context.Context, qod.Filter) ([]qod.Session, error) { return s.sessions, nil }

// BenchmarkDataSource lists an account that has more sessions than any.
func BenchmarkDataSource(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := acc.NewClientOf(b, newStill(n))
			req := &tfprotov6.ReadDataSourceRequest{
				TypeName: "qod_sessions", Config: c.Value(c.Schemas.DataSourceSchemas["qod_sessions"], attrs{}),
			}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := c.Server.ReadDataSource(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, acctest.Describe(resp.Diagnostics))
				}
			}
		})
	}
}

// BenchmarkRefresh reads a session that is as it was: as most are, and by way of the framework.
func BenchmarkRefresh(b *testing.B) {
	c := acc.NewClientOf(b, newStill(1))
	r := c.MustCreate(attrs{"device": attrs{"phone_number": "+34600000000"}, "qos_profile": "QOS_L", "duration": 3600})
	req := &tfprotov6.ReadResourceRequest{
		TypeName: "qod_session", CurrentState: c.Dynamic(r.Values), Private: r.Private, CurrentIdentity: r.Identity,
	}
	for name, server := range map[string]tfprotov6.ProviderServer{
		"confirmed": c.Server, "framework": fastPathOf(c).framework,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := server.ReadResource(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, acctest.Describe(resp.Diagnostics))
				}
			}
		})
	}
}

// BenchmarkPlan plans sessions that are new, each for a device of its own, and one that is as
// configured.
func BenchmarkPlan(b *testing.B) {
	c := acc.NewClientOf(b, newStill(1))
	config := func(n int) attrs {
		return attrs{"device": attrs{"phone_number": fmt.Sprintf("+34%09d", n)}, "qos_profile": "QOS_L", "duration": 3600}
	}
	made := c.MustCreate(config(0))
	other := acc.NewClientOf(b, newStill(1)) // so that this one plans each device once
	newDevice := 0
	for name, next := range map[string]func() (acctest.State, attrs){
		"new":       func() (acctest.State, attrs) { newDevice++; return acctest.State{}, config(newDevice) },
		"unchanged": func() (acctest.State, attrs) { return made, config(0) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				prior, config := next()
				req := &tfprotov6.PlanResourceChangeRequest{
					TypeName: "qod_session", Config: c.Value(c.Schema, config), ProposedNewState: c.Dynamic(other.Plan(prior, config).Proposed),
					PriorState: c.Dynamic(prior.Values), PriorPrivate: prior.Private, PriorIdentity: prior.Identity,
				}
				b.StartTimer()
				resp, err := c.Server.PlanResourceChange(b.Context(), req)
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatalf("%v; %s", err, acctest.Describe(resp.Diagnostics))
				}
			}
		})
	}
}
