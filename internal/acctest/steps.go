package acctest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

// SessionBlock is the resource block of a qod_session. Required attributes that the configuration
// leaves out are filled in; seconds is the duration, and also tells devices apart, since a device
// can have only one session at a time.
func SessionBlock(name, config string, seconds int) string {
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

// Test runs steps of the testing library against this network, and checks in the end that nothing
// is left on it.
func (n *Network) Test(steps ...resource.TestStep) {
	n.T.Helper()
	n.TestWhere(nil, steps...)
}

// TestWhere is Test where the CLI is of a version that passes these checks.
func (n *Network) TestWhere(checks []tfversion.TerraformVersionCheck, steps ...resource.TestStep) {
	n.T.Helper()
	UnitTest(n.T, resource.TestCase{
		TerraformVersionChecks:   checks,
		ProtoV6ProviderFactories: n.Factories(),
		Steps:                    steps,
		CheckDestroy: func(*terraform.State) error {
			if left := n.SessionIDs(); len(left) > 0 {
				return fmt.Errorf("sessions left on the network after destroy: %v", left)
			}
			return nil
		},
	})
}

// UnitTest is resource.UnitTest on the CLI that all tests use. Left alone, the testing library
// would download one.
func UnitTest(t *testing.T, c resource.TestCase) {
	t.Helper()
	CLIPath(t)
	resource.UnitTest(t, c)
}

// ApplyStep is a step that applies, after which state and network agree and a second plan, with a
// refresh, is empty.
func (n *Network) ApplyStep(config string, checks ...statecheck.StateCheck) resource.TestStep {
	return resource.TestStep{
		Config:            config,
		ConfigStateChecks: append(checks, inSync{n}),
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
		},
	}
}

// Before has something happen outside of Terraform before a step.
func Before(happens func(), step resource.TestStep) resource.TestStep {
	step.PreConfig = happens
	return step
}

// WithPlanChecks adds checks of the plan that a step then applies.
func WithPlanChecks(step resource.TestStep, checks ...plancheck.PlanCheck) resource.TestStep {
	step.ConfigPlanChecks.PreApply = append(step.ConfigPlanChecks.PreApply, checks...)
	return step
}

// BetweenPlanAndApply has something happen outside of Terraform between the plan of a step and its
// apply.
type BetweenPlanAndApply func()

// CheckPlan implements [plancheck.PlanCheck].
func (happens BetweenPlanAndApply) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	happens()
}

// ExpectReplacement checks that a resource is planned to be deleted and created again because of
// these paths, such as device.phone_number, and no others.
func ExpectReplacement(address string, paths ...string) plancheck.PlanCheck {
	return replacement{address, paths}
}

type replacement struct {
	address string
	paths   []string
}

func (r replacement) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
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

// MessagePattern matches a text in what Terraform prints, which breaks lines anywhere and draws a
// bar before each.
func MessagePattern(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return regexp.MustCompile(strings.Join(words, `[\s│]+`))
}

// inSync checks that the sessions in state are those on the network.
type inSync struct{ network *Network }

func (c inSync) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	var root *tfjson.StateModule
	if req.State.Values != nil {
		root = req.State.Values.RootModule
	}
	resp.Error = c.network.compare(SessionIDs(root))
}

// compare fails if the sessions in state are not those on the network.
func (n *Network) compare(inState []string) error {
	slices.Sort(inState)
	if onNetwork := n.SessionIDs(); !slices.Equal(inState, onNetwork) {
		return fmt.Errorf("state and network differ:\n  state:   %v\n  network: %v", inState, onNetwork)
	}
	return nil
}

// SessionIDs are the ids of the sessions that a module and those below it have in state.
func SessionIDs(module *tfjson.StateModule) []string {
	if module == nil {
		return nil
	}
	var ids []string
	for _, r := range module.Resources {
		if r.Mode != tfjson.ManagedResourceMode {
			continue
		}
		ids = appendSessionID(ids, r.Type, r.AttributeValues)
	}
	for _, child := range module.ChildModules {
		ids = append(ids, SessionIDs(child)...)
	}
	return ids
}

// appendSessionID appends the id of the session that a resource has, if it has one.
func appendSessionID(ids []string, resource string, attributes map[string]any) []string {
	attribute := map[string]string{"qod_session": "id", "qod_reservation": "session_id"}[resource]
	if id, _ := attributes[attribute].(string); id != "" {
		return append(ids, id)
	}
	return ids
}
