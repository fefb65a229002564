// Package terraform runs Terraform or OpenTofu for the project's own commands: in an environment
// that owes nothing to whoever runs them, and so that nothing outlives the run.
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

// Environment is the caller's without what would send a CLI or the provider elsewhere than to what
// the caller of this function says: no variable of theirs is kept.
func Environment(environ []string, more ...string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "QOD_")
	})
	return slices.Concat(kept, []string{"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}, more)
}

// Name is the command that a person would type.
func (c CLI) Name() string { return strings.TrimSuffix(filepath.Base(c.Path), ".exe") }

// Execute runs the CLI. It is a process group of its own, so that Ctrl-C comes from here and only
// once (twice is an order to drop everything), and so that nothing it started outlives it. The
// error of a run that failed holds all it said; that of an interrupted one is ctx's.
func (c CLI) Execute(ctx context.Context, args ...string) (Run, error) {
	var stdout bytes.Buffer
	var all transcript
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Dir = c.Dir
	cmd.Env = c.Env
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
