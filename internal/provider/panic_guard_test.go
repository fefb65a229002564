// A panic in any call is a diagnostic of that call, and takes nothing with it that was recorded.

package provider

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// unguarded are calls that reach no code of this provider, which has no ephemeral resources.
var unguarded = []string{
	"StopProvider",
	"ValidateEphemeralResourceConfig", "OpenEphemeralResource", "RenewEphemeralResource", "CloseEphemeralResource",
}

func TestFaults(t *testing.T) {
	t.Parallel()
	server := reflect.ValueOf(panicGuard{breaking{}}) // there is nothing behind it, so that every call panics
	calls := reflect.TypeFor[framework]()
	for call := range calls.Methods() {
		t.Run(call.Name, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(unguarded, call.Name) {
				return
			}
			answers := server.MethodByName(call.Name).Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.New(call.Type.In(1).Elem())})
			if err, _ := reflect.TypeAssert[error](answers[1]); err != nil {
				t.Error(err)
			}
			var found []*tfprotov6.Diagnostic
			if called, ok := reflect.TypeAssert[*tfprotov6.CallFunctionResponse](answers[0]); ok {
				summary, detail, _ := strings.Cut(called.Error.Text, ": ")
				found = append(found, &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: summary, Detail: detail})
			} else if stream, ok := reflect.TypeAssert[*tfprotov6.ListResourceServerStream](answers[0]); ok {
				for result := range stream.Results {
					found = append(found, result.Diagnostics...)
				}
			} else {
				found, _ = reflect.TypeAssert[[]*tfprotov6.Diagnostic](answers[0].Elem().FieldByName("Diagnostics"))
			}
			if len(found) != 1 || found[0].Severity != tfprotov6.DiagnosticSeverityError || found[0].Summary != "Internal Provider Error" ||
				!strings.Contains(found[0].Detail, "nil pointer") || !strings.Contains(found[0].Detail, "Please report this") {
				t.Errorf("diagnostics: %s", acctest.Describe(found))
			}
		})
	}
}

// breaking is a provider that panics when it is done with a change.
type breaking struct{ framework }

func (f breaking) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	_, _ = f.framework.ApplyResourceChange(ctx, req)
	panic("a fault")
}

// Behind the operation that makes a change, all that a guard can keep is what there was before.
func TestFaultBehindAChange(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	made := c.MustCreate(hour(nil))
	c.Server = panicGuard{breaking{fastPathOf(c)}}
	for name, left := range map[string]acctest.Result{
		"update":  c.Apply(c.Plan(made, hour(attrs{"timeouts": attrs{"create": "9m"}}))),
		"destroy": c.Destroy(made),
	} {
		if !left.Equal(made) {
			t.Errorf("%s: the state has %v", name, left.Values)
		}
		acctest.ContainsAll(t, left.Errors(), []string{"Internal Provider Error", "a fault", "list the sessions"})
	}
	if lost := c.Create(hour(nil)); lost.Values != nil || !strings.Contains(lost.Errors(), "list the sessions") {
		t.Errorf("create: the state has %v; %s", lost.Values, acctest.Describe(lost.Diagnostics))
	}
}

// Terraform takes it the same way.
func TestFaultBehindAChange_cli(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{})
	fault := false
	factory := func() (tfprotov6.ProviderServer, error) {
		server := NewServer(func(string) string { return "" }, nil, nil)
		if g, ok := server.(panicGuard); ok && fault {
			server = panicGuard{breaking(g)}
		}
		return server, nil
	}
	config := func(timeout string) string {
		return network.HCL(acctest.SessionBlock("camera", `timeouts = { create = "`+timeout+`" }`, 3600))
	}
	faults := func(now bool) func() { return func() { fault = now } }
	acctest.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){"qod": factory},
		Steps: []resource.TestStep{
			network.ApplyStep(config("5m")),
			acctest.Before(faults(true), resource.TestStep{Config: config("6m"), ExpectError: acctest.MessagePattern("Internal Provider Error")}),
			acctest.Before(faults(false), network.ApplyStep(config("6m"))),
		},
	})
	if got := network.Writes(); got != "POST DELETE" {
		t.Errorf("the fault cost more than itself: %s", got)
	}
}
