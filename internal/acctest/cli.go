package acctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

// cliVariable names the CLI, for these tests and for the testing library.
const cliVariable = "TF_ACC_TERRAFORM_PATH"

// Main runs the tests of a package. Where the environment names no CLI, it is the Terraform on the
// PATH.
func Main(m *testing.M) int {
	if path, err := exec.LookPath("terraform"); err == nil && os.Getenv(cliVariable) == "" {
		_ = os.Setenv(cliVariable, path)
	}
	code := m.Run()
	if buildDir != "" {
		_ = os.RemoveAll(buildDir)
	}
	return code
}

// CLIPath is the Terraform or OpenTofu that all tests use. Where "make test" has none yet, it skips
// the test; see [terraform.NoCLI].
func CLIPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv(cliVariable)
	switch path {
	case terraform.NoCLI:
		t.Skip(terraform.NeedsCLI)
	case "":
		t.Fatal("no Terraform or OpenTofu: run \"make test\", which builds one, or name one in " + cliVariable)
	}
	return path
}

// AnyCLI marks a test that starts a CLI and proves nothing about it, such as one of the faults of a
// network: "make test" runs it on one CLI only.
func AnyCLI(t *testing.T) {
	t.Helper()
	if os.Getenv(cliVariable) == terraform.NoCLI {
		t.Skip(terraform.NeedsAnyCLI)
	}
}

// IsOpenTofu reports whether the CLI is OpenTofu.
func IsOpenTofu(t *testing.T) bool {
	t.Helper()
	CLIPath(t)
	out, err := cliVersion()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(out, "OpenTofu")
}

var cliVersion = sync.OnceValues(func() (string, error) {
	cmd := exec.Command(os.Getenv(cliVariable), "version")
	cmd.Env = terraform.Environment(os.Environ())
	out, err := cmd.Output()
	return string(out), err
})

var buildDir string

// ProviderDir is the directory that the provider's binary is in. It is built once a test process.
var ProviderDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "qod-provider-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	binary := filepath.Join(dir, "terraform-provider-qod")
	build := exec.Command("go", "build", "-o", binary, "github.com/telefonica/terraform-provider-qod")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider: %w\n%s", err, out)
	}
	return dir, nil
})

// CLI is a real Terraform or OpenTofu in a working directory, with the provider's built binary.
type CLI struct {
	terraform.CLI

	Network *Network
}

// Output is what a run of the CLI has ended with. Text is standard output and error, in one line,
// without the frames that the CLI draws.
type Output struct {
	Code int
	Text string
}

// NoWrites is what Sends returns of a run that changed nothing on the network.
const NoWrites = "0 POST 0 DELETE"

// ApplyCommand is terraform apply, for Sends.
var ApplyCommand = []string{"apply", "-auto-approve"}

// CLI makes a working directory with a configuration. The provider is configured by the
// environment, to which env (NAME=value) is added.
func (n *Network) CLI(config string, env ...string) *CLI {
	n.T.Helper()
	path := CLIPath(n.T)
	provider, err := ProviderDir()
	if err != nil {
		n.T.Fatal(err)
	}
	driver, err := terraform.New(path, n.T.TempDir(), provider, append([]string{
		"QOD_ENDPOINT=" + n.Endpoint(),
		"QOD_API=" + string(n.API()),
		"QOD_CLIENT_ID=" + sandbox.DefaultClient.ID,
		"QOD_CLIENT_SECRET=" + sandbox.DefaultClient.Secret,
		// Keys and certificates for each start of the provider take longer than all else that a
		// short run does. "make demo" and "make release-check" leave them on.
		"TF_DISABLE_PLUGIN_TLS=1",
	}, env...)...)
	if err != nil {
		n.T.Fatal(err)
	}
	c := &CLI{CLI: driver, Network: n}
	c.Configure(config)
	return c
}

// Configure replaces the configuration.
func (c *CLI) Configure(config string) {
	c.Network.T.Helper()
	if err := c.CLI.Configure(config); err != nil {
		c.Network.T.Fatal(err)
	}
}

// Write writes a file in the working directory.
func (c *CLI) Write(name, content string) {
	c.Network.T.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(content), 0o600); err != nil {
		c.Network.T.Fatal(err)
	}
}

func (c *CLI) command(out io.Writer, args ...string) *exec.Cmd {
	c.Network.T.Helper()
	cmd := c.Command(c.Network.T.Context(), args...)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}

// Run runs the CLI to its end.
func (c *CLI) Run(args ...string) Output {
	c.Network.T.Helper()
	var out bytes.Buffer
	return finish(c.Network.T, c.command(&out, args...).Run(), &out)
}

// Shell runs a shell script in the working directory, as a reader pastes it. $1 is the first
// argument.
func (c *CLI) Shell(script string, args ...string) Output {
	c.Network.T.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(c.Network.T.Context(), "sh", append([]string{"-euc", script, "sh"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, &out, &out
	return finish(c.Network.T, cmd.Run(), &out)
}

func finish(t *testing.T, err error, out fmt.Stringer) Output {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run the CLI: %v\n%s", err, out)
	}
	o := Output{Text: PlainText(out.String())}
	if exit != nil {
		o.Code = exit.ExitCode()
	}
	return o
}

// PlainText is what a CLI printed in one line, without its frames and colours, so that a sentence
// can be looked for.
func PlainText(s string) string {
	s = colour.ReplaceAllString(s, "")
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(s)), " ")
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Must runs the CLI and insists on an exit code.
func (c *CLI) Must(code int, args ...string) string {
	c.Network.T.Helper()
	o := c.Run(args...)
	if o.Code != code {
		c.Network.T.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), o.Code, code, o.Text)
	}
	return o.Text
}

// Plan insists on the exit code of a plan: 0 for nothing to do, 2 for something.
func (c *CLI) Plan(code int, args ...string) string {
	c.Network.T.Helper()
	return c.Must(code, append([]string{"plan", "-detailed-exitcode", "-no-color", "-input=false"}, args...)...)
}

// Apply applies, after which state and network agree and a second plan is empty.
func (c *CLI) Apply(args ...string) {
	c.Network.T.Helper()
	c.Must(0, append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, args...)...)
	c.ExpectInSync()
	c.Plan(0)
}

// Destroy destroys, after which the network holds nothing of what the state did.
func (c *CLI) Destroy() {
	c.Network.T.Helper()
	c.Must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	c.ExpectInSync()
}

// Sends runs a command of the CLI and checks the requests that it sent, as "1 POST 0 DELETE" with
// " 1 EXTEND" for extensions, and that state and network agree afterwards.
func (c *CLI) Sends(want string, code int, args ...string) string {
	c.Network.T.Helper()
	before := len(strings.Fields(c.Network.Writes()))
	text := c.Must(code, slices.Concat(args[:1], []string{"-no-color", "-input=false"}, args[1:])...)
	sent := map[string]int{}
	for _, method := range strings.Fields(c.Network.Writes())[before:] {
		sent[method]++
	}
	got := fmt.Sprintf("%d POST %d DELETE", sent["POST"], sent["DELETE"])
	if extended := sent["EXTEND"]; extended > 0 {
		got += fmt.Sprintf(" %d EXTEND", extended)
	}
	if got != want {
		c.Network.T.Errorf("%s sent %s, want %s\n%s", strings.Join(args, " "), got, want, text)
	}
	c.ExpectInSync()
	return text
}

// ExpectInSync checks that the sessions in state are those on the network.
func (c *CLI) ExpectInSync() {
	c.Network.T.Helper()
	if err := c.Network.compare(c.SessionIDs()); err != nil {
		c.Network.T.Error(err)
	}
}

// SessionIDs are the ids of the sessions in state. Where the state is a file they are read from it:
// to show it, a CLI starts the provider, and nearly every command of a test is followed by this.
func (c *CLI) SessionIDs() []string {
	c.Network.T.Helper()
	content, err := os.ReadFile(filepath.Join(c.Dir, "terraform.tfstate"))
	if errors.Is(err, fs.ErrNotExist) {
		return SessionIDs(c.State()) // there is none, or a backend has it
	}
	var state struct {
		Version   int
		Resources []struct {
			Mode      tfjson.ResourceMode
			Type      string
			Instances []struct{ Attributes map[string]any }
		}
	}
	if err = errors.Join(err, json.Unmarshal(content, &state)); err != nil || state.Version != 4 {
		c.Network.T.Fatalf("the state has version %d: %v\n%s", state.Version, err, content)
	}
	var ids []string
	for _, r := range state.Resources {
		if r.Mode != tfjson.ManagedResourceMode {
			continue
		}
		for _, instance := range r.Instances {
			ids = appendSessionID(ids, r.Type, instance.Attributes)
		}
	}
	return ids
}

// State is the root module of the state; nil when there is no state.
func (c *CLI) State() *tfjson.StateModule {
	c.Network.T.Helper()
	var out bytes.Buffer
	cmd := c.command(&out, "show", "-json")
	cmd.Stderr = nil
	if err := cmd.Run(); err != nil {
		c.Network.T.Fatalf("show: %v\n%s", err, &out)
	}
	var state tfjson.State
	state.UseJSONNumber(true)
	if err := json.Unmarshal(out.Bytes(), &state); err != nil {
		c.Network.T.Fatalf("show: %v\n%s", err, &out)
	}
	if state.Values == nil {
		return nil
	}
	return state.Values.RootModule
}
