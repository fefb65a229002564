package provider

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// world is one test's network: a sandbox of its own, whose ledger is the truth that every test
// compares Terraform's state with.
type world struct {
	*sandbox.Server
	t        *testing.T
	clock    sandbox.Clock
	inMemory bool   // no sockets: it lives in a bubble
	endpoint string // where another server serves the sandbox
}

// newWorld starts a sandbox. Where the configuration has no clock it runs a minute behind this machine's,
// so that it is right after outgrowLag. Tests that use it run in parallel.
func newWorld(t *testing.T, config sandbox.Config) *world {
	t.Helper()
	t.Parallel()
	if config.Clock == nil {
		config.Clock = sandbox.NewOffsetClock(time.Now().Add(-outgrown))
	}
	return startWorld(t, config)
}

// startWorld is newWorld for a test that runs in parallel already.
func startWorld(t *testing.T, config sandbox.Config) *world {
	t.Helper()
	return &world{Server: sandbox.Start(t, config), t: t, clock: config.Clock}
}

// outgrown is somewhat more than replicas of an API may lag.
const outgrown = 61 * time.Second

// advance moves the network's clock forward.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	clock, ok := w.clock.(interface{ Advance(d time.Duration) })
	if !ok {
		w.t.Fatalf("a %T cannot be advanced", w.clock)
	}
	clock.Advance(d)
}

// outgrowLag lets so much time pass that every replica of the API has to know the sessions there are:
// what a younger one is answered with proves nothing, so a real minute would be waited for. Only a
// process that has not made them itself goes by the network's clock: see later.
func (w *world) outgrowLag() {
	w.t.Helper()
	w.advance(outgrown)
}

// removeOld ends sessions, as somebody else might, which every replica of the API had to know.
func (w *world) removeOld(ids ...string) {
	w.t.Helper()
	w.outgrowLag()
	for _, id := range ids {
		if !w.Remove(id) {
			w.t.Errorf("there is no session %s to remove", id)
		}
	}
}

// isNamedAsGone checks that a session has left the state before its end, with nothing but the warning
// that names it in its summary.
func (w *world) isNamedAsGone(left result, id string) {
	w.t.Helper()
	warned := left.warnings()
	if left.values != nil || len(left.tfdiags) != 1 || len(warned) != 1 || !strings.HasPrefix(warned[0], "QoS Session "+id+" Gone Before Its End: ") {
		w.t.Errorf("the state has %v, and it says: %s", left.values, printed(left.tfdiags))
	}
}

// later is the provider's process of a run more than a minute later.
func (w *world) later() *core {
	w.t.Helper()
	w.outgrowLag()
	return w.core()
}

// newWorldInBubble makes a world without sockets, for a bubble of testing/synctest.
func newWorldInBubble(t *testing.T, config sandbox.Config) *world {
	t.Helper()
	// Where nothing takes time, a list from before a POST is as young as one from after it.
	config.Latency = cmp.Or(config.Latency, 10*time.Millisecond)
	config.Clock = cmp.Or[sandbox.Clock](config.Clock, &sandbox.OffsetClock{})
	if config.Webhooks == nil {
		config.Webhooks = nobody{} // sockets and the real DNS are outside of the bubble
	}
	network := sandbox.New(config)
	t.Cleanup(network.Close)
	return &world{Server: &sandbox.Server{Sandbox: network}, t: t, clock: bubbleClock{config.Clock}, inMemory: true}
}

// bubbleClock has the time of a bubble pass.
type bubbleClock struct{ sandbox.Clock }

func (bubbleClock) Advance(d time.Duration) { time.Sleep(d) }

// nobody answers no request.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// Endpoint is where the provider finds the API.
func (w *world) Endpoint() string {
	switch {
	case w.inMemory:
		return "https://gateway.example/v1"
	case w.endpoint != "":
		return w.endpoint
	}
	return w.Server.Endpoint()
}

// process is a provider that has yet to be configured, and whose environment is empty.
func (w *world) process() *qodProvider {
	p := &qodProvider{version: "test", getenv: func(string) string { return "" }}
	if w.inMemory {
		p.transport = w.RoundTripper()
	}
	return p
}

// atKickOff is where manual clocks start: a leap day, in winter time.
var atKickOff = time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)

// hcl is configuration for this world's provider, followed by the given one.
func (w *world) hcl(config string, args ...any) string {
	return w.provider("") + fmt.Sprintf(config, args...)
}

// provider is the provider block, with more attributes in it.
func (w *world) provider(more string) string {
	return fmt.Sprintf(`
provider "qod" {
  endpoint      = %q
  client_id     = %q
  client_secret = %q
  %s
}
`, w.Endpoint(), sandbox.DefaultClient.ID, sandbox.DefaultClient.Secret, more)
}

// block is a session's resource block. What the configuration does not say is filled in; seconds
// also tells devices apart, so that each block has one of its own.
func block(name, config string, seconds int) string {
	for attribute, value := range map[string]string{
		"device":      fmt.Sprintf(`{ phone_number = "+3461%07d" }`, seconds),
		"qos_profile": `"QOS_L"`,
		"duration":    fmt.Sprint(seconds),
	} {
		if !regexp.MustCompile(`(?m)^\s*` + attribute + `\s+=`).MatchString(config) {
			config += fmt.Sprintf("\n%s = %s", attribute, value)
		}
	}
	return fmt.Sprintf("resource \"qod_session\" %q {\n%s\n}\n", name, config)
}

// test runs steps against this world and checks in the end that nothing is left on the network.
func (w *world) test(steps ...resource.TestStep) {
	w.t.Helper()
	acceptance(w.t, resource.TestCase{
		ProtoV6ProviderFactories: factories(),
		Steps:                    steps,
		CheckDestroy: func(*terraform.State) error {
			if left := w.ids(); len(left) > 0 {
				return fmt.Errorf("sessions left on the network after destroy: %v", left)
			}
			return nil
		},
	})
}

func factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"qod": func() (tfprotov6.ProviderServer, error) {
			return newServer(&qodProvider{version: "test", getenv: os.Getenv}), nil
		},
	}
}

// ids are the live sessions of this world's client, sorted.
func (w *world) ids() []string {
	var ids []string
	for _, s := range w.Ledger() {
		if s.ClientID == sandbox.DefaultClient.ID {
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// writes are the requests so far that change something, in order: "POST DELETE POST".
func (w *world) writes() string {
	var methods []string
	for _, r := range w.Requests(sandbox.OpCreate, sandbox.OpDelete) {
		methods = append(methods, r.Method)
	}
	return strings.Join(methods, " ")
}

// apply is a step that applies, after which the ledger equals the state and a second plan, with a
// refresh, is empty.
func (w *world) apply(config string, checks ...statecheck.StateCheck) resource.TestStep {
	return resource.TestStep{
		Config:            config,
		ConfigStateChecks: append(checks, ledgerIsState{w}),
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
		},
	}
}

// before has something happen outside Terraform before a step.
func before(happens func(), step resource.TestStep) resource.TestStep {
	step.PreConfig = happens
	return step
}

// planning adds checks of the plan that a step then applies.
func planning(step resource.TestStep, checks ...plancheck.PlanCheck) resource.TestStep {
	step.ConfigPlanChecks.PreApply = append(step.ConfigPlanChecks.PreApply, checks...)
	return step
}

// meanwhile is what happens between a plan and its apply.
type meanwhile func()

func (happens meanwhile) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	happens()
}

// replaced expects a replacement that deletes first, for these paths and no others.
type replaced struct {
	address string
	paths   []string // such as device.phone_number
}

func replaces(address string, paths ...string) replaced { return replaced{address, paths} }

func (r replaced) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, rc := range req.Plan.ResourceChanges {
		if rc.Address != r.address {
			continue
		}
		var paths []string
		for _, path := range rc.Change.ReplacePaths {
			paths = append(paths, strings.Trim(strings.ReplaceAll(fmt.Sprint(path), " ", "."), "[]"))
		}
		slices.Sort(paths)
		if !rc.Change.Actions.DestroyBeforeCreate() || !slices.Equal(paths, r.paths) {
			resp.Error = fmt.Errorf("%s: planned %v because of %v, want a replacement because of %v", r.address, rc.Change.Actions, paths, r.paths)
		}
		return
	}
	resp.Error = fmt.Errorf("%s is not in the plan", r.address)
}

// says matches text in what Terraform prints, which breaks lines anywhere and draws a bar before
// each.
func says(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return regexp.MustCompile(strings.Join(words, `[\s│]+`))
}

// ledgerIsState compares the ids of sessions in state with the sessions on the network.
type ledgerIsState struct{ w *world }

func (c ledgerIsState) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	var inState []string
	if req.State.Values != nil {
		inState = sessionIDs(req.State.Values.RootModule)
	}
	slices.Sort(inState)
	if onNetwork := c.w.ids(); !slices.Equal(inState, onNetwork) {
		resp.Error = fmt.Errorf("state and network differ:\n  state:   %v\n  network: %v", inState, onNetwork)
	}
}

func sessionIDs(module *tfjson.StateModule) []string {
	if module == nil {
		return nil
	}
	var ids []string
	for _, r := range module.Resources {
		if r.Mode != tfjson.ManagedResourceMode {
			continue
		}
		id, _ := r.AttributeValues[map[string]string{"qod_session": "id", "qod_reservation": "session_id"}[r.Type]].(string)
		if id != "" {
			ids = append(ids, id)
		}
	}
	for _, child := range module.ChildModules {
		ids = append(ids, sessionIDs(child)...)
	}
	return ids
}
