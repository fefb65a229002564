package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

// cli drives a real Terraform or OpenTofu with the provider's built binary, for what cannot be
// seen in the test's own process: signals, crashes, logs, plan files, for_each.
type cli struct {
	terraform.CLI

	w *world
}

// done is a finished run. Text is standard output and error as a person sees them.
type done struct {
	code int
	text string
}

// openTofu is what TF_ACC_PROVIDER_HOST says where the CLI is OpenTofu.
const openTofu = "registry.opentofu.org"

var binaryDir string

// binary builds the provider once a test process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "qod-provider-")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "terraform-provider-qod"), "../..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider: %w\n%s", err, out)
	}
	return dir, nil
})

// cliVariable names the CLI, to these tests and to the testing library.
const cliVariable = "TF_ACC_TERRAFORM_PATH"

// chooseCLI names the Terraform on the PATH where none is named, so that there is one answer for all.
func chooseCLI() {
	if path, err := exec.LookPath("terraform"); err == nil && os.Getenv(cliVariable) == "" {
		_ = os.Setenv(cliVariable, path)
	}
}

// cliPath is the CLI that all tests use.
func cliPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv(cliVariable)
	if path == "" {
		t.Fatal("no Terraform or OpenTofu: run \"make test\", which builds one, or name one in " + cliVariable)
	}
	return path
}

// acceptance runs a case on that CLI. Left alone, the testing library would download one.
func acceptance(t *testing.T, c resource.TestCase) {
	t.Helper()
	cliPath(t)
	resource.UnitTest(t, c)
}

// cli makes a working directory with the given configuration. The provider is configured by the
// environment, to which env (NAME=value) is added.
func (w *world) cli(config string, env ...string) *cli {
	w.t.Helper()
	path := cliPath(w.t)
	provider, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	driver, err := terraform.New(path, w.t.TempDir(), provider, append([]string{
		"QOD_ENDPOINT=" + w.Endpoint(),
		"QOD_CLIENT_ID=" + sandbox.DefaultClient.ID,
		"QOD_CLIENT_SECRET=" + sandbox.DefaultClient.Secret,
	}, env...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &cli{CLI: driver, w: w}
	c.configure(config)
	return c
}

// configure replaces the configuration.
func (c *cli) configure(config string) {
	c.w.t.Helper()
	if err := c.Configure(config); err != nil {
		c.w.t.Fatal(err)
	}
}

func (c *cli) write(name, content string) {
	c.w.t.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(content), 0o600); err != nil {
		c.w.t.Fatal(err)
	}
}

// command is a run of the CLI that has not started yet.
func (c *cli) command(out io.Writer, args ...string) *exec.Cmd {
	c.w.t.Helper()
	cmd := c.Command(c.w.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}

// run runs the CLI to its end.
func (c *cli) run(args ...string) done {
	c.w.t.Helper()
	var out bytes.Buffer
	return finished(c.w.t, c.command(&out, args...).Run(), &out)
}

func finished(t *testing.T, err error, out fmt.Stringer) done {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run the CLI: %v\n%s", err, out)
	}
	d := done{text: plainText(out.String())}
	if exit != nil {
		d.code = exit.ExitCode()
	}
	return d
}

// plainText undoes the CLI's frames and line breaks, so that a sentence can be looked for.
func plainText(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(s)), " ")
}

// must runs the CLI and insists on an exit code.
func (c *cli) must(code int, args ...string) string {
	c.w.t.Helper()
	d := c.run(args...)
	if d.code != code {
		c.w.t.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), d.code, code, d.text)
	}
	return d.text
}

// apply applies, after which the state is the ledger and a second plan is empty.
func (c *cli) apply(args ...string) {
	c.w.t.Helper()
	c.must(0, append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, args...)...)
	c.isLedger()
	c.must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
}

// destroy destroys, after which the network holds nothing.
func (c *cli) destroy() {
	c.w.t.Helper()
	c.must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	c.isLedger()
}

// isLedger compares the sessions in state with those on the network.
func (c *cli) isLedger() {
	c.w.t.Helper()
	ids := sessionIDs(c.state())
	slices.Sort(ids)
	if onNetwork := c.w.ids(); !slices.Equal(ids, onNetwork) {
		c.w.t.Errorf("state and network differ:\n  state:   %v\n  network: %v", ids, onNetwork)
	}
}

// state is the root module as the CLI shows it; nil when there is no state.
func (c *cli) state() *tfjson.StateModule {
	c.w.t.Helper()
	var out bytes.Buffer
	cmd := c.command(&out, "show", "-json")
	cmd.Stderr = nil
	if err := cmd.Run(); err != nil {
		c.w.t.Fatalf("show: %v\n%s", err, &out)
	}
	var state tfjson.State
	state.UseJSONNumber(true)
	if err := json.Unmarshal(out.Bytes(), &state); err != nil {
		c.w.t.Fatalf("show: %v\n%s", err, &out)
	}
	if state.Values == nil {
		return nil
	}
	return state.Values.RootModule
}
