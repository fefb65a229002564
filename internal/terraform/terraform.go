// Package terraform runs Terraform or OpenTofu for the project's own commands and tests, in an
// environment that does not depend on whoever runs them.
package terraform

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// patience is how long a CLI has to end after an interrupt.
const patience = 10 * time.Second

// The first stage of "make test" runs all tests, with NoCLI in place of a CLI's path. A test that
// asks for the path is then skipped and says that it NeedsCLI, by which internal/cmd/runtests knows
// that the stage of each CLI has to run it; or that it NeedsAnyCLI, and one of these stages is
// enough.
const (
	NoCLI       = "/no/cli"
	NeedsCLI    = "it starts a CLI, so it is left to the stages that have one"
	NeedsAnyCLI = "it starts a CLI, and any will do, so it is left to one of the stages that have one"
)

// CLI is a Terraform or OpenTofu in a working directory.
type CLI struct {
	Path string
	Dir  string
	Env  []string // all of it; see Environment
}

// Run is a run that has ended.
type Run struct {
	Stdout []byte
	State  *os.ProcessState // with the time and memory that the CLI and its providers took
}

// Environment is environ and more, without the variables in environ that configure a CLI or the
// provider: what a command or a test does must not depend on who runs it.
func Environment(environ []string, more ...string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "QOD_")
	})
	return slices.Concat(kept, []string{"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}, more)
}

// cliConfig is the file in a working directory that configures the CLI.
const cliConfig = "cli.tfrc"

// New is a CLI that works in dir with the provider that is in another directory. Its environment is
// the caller's, as Environment returns it with more.
func New(path, dir, provider string, more ...string) (CLI, error) {
	more = append([]string{"TF_CLI_CONFIG_FILE=" + filepath.Join(dir, cliConfig)}, more...)
	c := CLI{Path: path, Dir: dir, Env: Environment(os.Environ(), more...)}
	return c, c.UseProvider(provider)
}

// UseProvider has the CLI take the provider from a directory, without an init.
func (c CLI) UseProvider(dir string) error {
	return os.WriteFile(filepath.Join(c.Dir, cliConfig), fmt.Appendf(nil, `provider_installation {
  dev_overrides {
    "registry.terraform.io/telefonica/qod" = %[1]q
    "registry.opentofu.org/telefonica/qod" = %[1]q
  }
  direct {}
}
`, dir), 0o600)
}

// Configure replaces the configuration. One that does not say which providers it needs gets ours.
func (c CLI) Configure(configuration string) error {
	if strings.Contains(configuration, "qod_") && !strings.Contains(configuration, "required_providers") {
		configuration = "terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n" + configuration
	}
	return os.WriteFile(filepath.Join(c.Dir, "main.tf"), []byte(configuration), 0o600)
}

// Name is the command that a person would type.
func (c CLI) Name() string { return strings.TrimSuffix(filepath.Base(c.Path), ".exe") }

// Command is a run of the CLI that has not started yet.
func (c CLI) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	return cmd
}

// Execute runs the CLI to its end. It is a process group of its own, so that Ctrl-C comes from here
// and only once (twice is an order to drop everything), and so that nothing it started outlives it.
// The error of a run that failed holds all it said; that of an interrupted one is ctx's.
func (c CLI) Execute(ctx context.Context, args ...string) (Run, error) {
	var stdout bytes.Buffer
	var all transcript
	cmd := c.Command(ctx, args...)
	cmd.Stdout = io.MultiWriter(&stdout, &all)
	cmd.Stderr = &all
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	ownGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		killGroup(cmd)
		return Run{}, ctx.Err()
	}
	if err != nil {
		return Run{}, fmt.Errorf("%s %s: %w\n\n%s", c.Name(), args[0], err, all.text.String())
	}
	return Run{Stdout: stdout.Bytes(), State: cmd.ProcessState}, nil
}

// transcript takes both of a run's outputs, which come at the same time.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}
