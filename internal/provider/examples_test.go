// Proves that every example applies as it stands, to a sandbox, and that its second plan is empty.

package provider

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const (
	examplesDir = "../../examples"
	scriptsDir  = "testdata/guides" // see TestGuide
)

// inGuides are examples that need more than to be applied: see TestGuide, TestCountries,
// TestCredentials, TestSheet and TestWebhook.
var inGuides = []string{"countries", "credentials", "event", "fleet", "gateways", "pipeline", "recover", "sheet", "testing", "webhook"}

func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(examplesDir, "*", "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	nested, err := filepath.Glob(filepath.Join(examplesDir, "*", "*", "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range append(files, nested...) {
		name, _ := filepath.Rel(examplesDir, file)
		if strings.HasPrefix(filepath.Base(file), "import-") {
			continue // TestExamples_import
		}
		if filepath.Dir(name) == "provider" {
			continue // TestExamples_provider
		}
		if top, _, _ := strings.Cut(filepath.ToSlash(name), "/"); slices.Contains(inGuides, top) {
			continue
		}
		tried++
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			hcl := readExample(t, name)
			var served sandbox.Config
			if strings.Contains(hcl, "qod_profiles") {
				served = camaraNetwork
			}
			network := acc.NewNetworkAtMatch(t, 0, served) // windows are open
			if !strings.Contains(hcl, "for_each") {
				network.Test(exampleStep(network, hcl, config.Variables{}))
				return
			}
			// terraform-plugin-testing cannot hold for_each in its state.
			c := network.CLI(withoutProvider(hcl))
			c.Apply()
			c.Destroy()
		})
	}
	if tried < 3 {
		t.Errorf("found %d examples, want at least the resource, the data source and the quick start", tried)
	}
}

// What Terraform and OpenTofu call well-formatted may differ: examples are, by both.
func TestExamples_fmt(t *testing.T) {
	dir, err := filepath.Abs(examplesDir)
	if err != nil {
		t.Fatal(err)
	}
	acc.NewNetwork(t, sandbox.Config{}).CLI("").Must(0, "fmt", "-check", "-diff", "-recursive", dir)
}

// The provider's example is its block, so it is applied with it: all but the host is as it stands.
func TestExamples_provider(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	before, after, found := strings.Cut(readExample(t, "provider/provider.tf"), "https://sandbox.opengateway.telefonica.com/v1")
	if !found {
		t.Fatal("the example names another host, to which this test must not speak")
	}
	c := network.CLI(before+network.Endpoint()+after+camera, "QOD_ENDPOINT=")
	c.Apply()
	c.Destroy()
}

func TestExamples_import(t *testing.T) {
	t.Parallel()
	const id = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	for _, name := range []string{"qod_session", "qod_reservation"} {
		if command := readExample(t, "resources/"+name+"/import.sh"); !strings.Contains(command, "terraform import "+name+".camera "+id) {
			t.Errorf("import.sh imports another session than the import blocks:\n%s", command)
		}
		for by, where := range map[string][]tfversion.TerraformVersionCheck{"string-id": nil, "identity": {tfversion.SkipBelow(tfversion.Version1_12_0)}} {
			t.Run(name+" by "+by, func(t *testing.T) {
				network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
				network.Seed(sandbox.Session{
					ID: id, ClientID: sandbox.DefaultClient.ID, QoSProfile: "QOS_L", Duration: 7200,
					Device: sandbox.Device{PhoneNumber: "+34600000010"},
				})
				step := exampleStep(network, readExample(t, "resources/"+name+"/import-by-"+by+".tf")+readExample(t, "resources/"+name+"/resource.tf"), config.Variables{})
				step.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(name+".camera", plancheck.ResourceActionUpdate),
				}
				network.TestWhere(where, step)
				if n := network.Count(sandbox.OpCreate); n != 0 {
					t.Errorf("the import made %d POSTs, want none", n)
				}
			})
		}
	}
}

// A configuration says which versions it is for: what a reader copies is used for years.
func TestExamples_versions(t *testing.T) {
	t.Parallel()
	constrained := regexp.MustCompile(`source"? *[:=] "telefonica/qod",?\s+"?version"? *[:=] "~> 0\.1"`)
	found := 0
	examples := os.DirFS(examplesDir)
	err := fs.WalkDir(examples, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(examples, path)
		text := string(content)
		found += strings.Count(text, `"telefonica/qod"`)
		if strings.Count(text, `"telefonica/qod"`) != len(constrained.FindAllString(text, -1)) {
			t.Errorf("%s requires the provider without a version", path)
		}
		return err
	})
	if err != nil || found < 5 {
		t.Errorf("%d examples require the provider: %v", found, err)
	}
}

// A window is what clocks show at the venue: no reader works out an offset.
func TestExamples_windows(t *testing.T) {
	t.Parallel()
	byHand := regexp.MustCompile(`(?m)^\s*(starts_at|ends_at)\s*=\s*"\d.*`)
	check := func(name, text string) {
		if found := byHand.FindString(text); found != "" {
			t.Errorf("%s has a window with an offset that somebody had to look up:\n%s", name, found)
		}
	}
	check("README.md", readExample(t, "../README.md"))
	err := fs.WalkDir(os.DirFS(examplesDir), ".", func(name string, _ fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".tf" {
			check(name, readExample(t, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// exampleStep is a step that applies an example in place of its own provider block.
func exampleStep(network *acctest.Network, hcl string, variables config.Variables) resource.TestStep {
	if strings.Contains(hcl, `variable "webhook_token"`) {
		variables["webhook_token"] = config.StringVariable("example-webhook-token")
	}
	step := network.ApplyStep(network.HCL(withoutProvider(hcl)))
	step.ConfigVariables = variables
	return step
}

// withoutProvider drops the blocks that say where the provider is and how to reach it.
func withoutProvider(hcl string) string {
	var kept []string
	skipping := false
	for line := range strings.Lines(hcl) {
		if strings.HasPrefix(line, "terraform {") || strings.HasPrefix(line, `provider "qod" {`) {
			skipping = true
		}
		if !skipping {
			kept = append(kept, line)
		}
		if strings.TrimRight(line, "\n") == "}" {
			skipping = false
		}
	}
	return strings.Join(kept, "")
}

func readExample(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(examplesDir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
