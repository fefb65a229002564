package acctest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Running is a CLI that is still at work, in a process group of its own.
type Running struct {
	t   *testing.T
	Cmd *exec.Cmd
	out *Transcript
}

// Transcript collects what a process prints and tells when a text has come.
type Transcript struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

// NewTranscript is an empty transcript.
func NewTranscript() *Transcript { return &Transcript{changed: make(chan struct{})} }

// Write implements [io.Writer].
func (s *Transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.buf.Write(p)
	close(s.changed)
	s.changed = make(chan struct{})
	return n, err
}

// String is all that has come so far.
func (s *Transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// WaitFor waits until a text has come.
func (s *Transcript) WaitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(5 * time.Minute)
	for {
		s.mu.Lock()
		said, changed := strings.Contains(s.buf.String(), text), s.changed
		s.mu.Unlock()
		if said {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Errorf("%q was never printed:\n%s", text, s)
			return
		}
	}
}

// Start starts the CLI and leaves it at work.
func (c *CLI) Start(args ...string) *Running {
	c.Network.T.Helper()
	out := NewTranscript()
	cmd := c.command(out, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Whoever ran these tests with nohup has SIGHUP ignored, which a process hands down to its
	// children, through execve(2), unless it catches the signal itself.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	if err := cmd.Start(); err != nil {
		c.Network.T.Fatal(err)
	}
	return &Running{t: c.Network.T, Cmd: cmd, out: out}
}

// Wait waits until the CLI has ended.
func (r *Running) Wait() Output { return finish(r.t, r.Cmd.Wait(), r.out) }

// ProviderPID is the process id of the provider that the CLI has started.
func (r *Running) ProviderPID() int {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", r.Cmd.Process.Pid))
	if err != nil {
		r.t.Errorf("find the provider's process: %v", err)
		return 0
	}
	// Any thread of the CLI may have started it.
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", r.Cmd.Process.Pid))
	for _, task := range tasks {
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", r.Cmd.Process.Pid, task.Name()))
		children = append(append(children, ' '), more...)
	}
	for child := range strings.FieldsSeq(string(children)) {
		name, _ := os.ReadFile("/proc/" + child + "/comm")
		if strings.HasPrefix(string(name), "terraform-provi") {
			pid, _ := strconv.Atoi(child)
			return pid
		}
	}
	r.t.Errorf("the CLI has no provider among its children %q", children)
	return 0
}

// Interrupt sends a signal to the CLI, or to its whole process group, and waits until the CLI says
// that it has received it.
func (r *Running) Interrupt(signal syscall.Signal, group bool) {
	pid := r.Cmd.Process.Pid
	if group {
		pid = -pid
	}
	if err := syscall.Kill(pid, signal); err != nil {
		r.t.Error(err)
	}
	r.out.WaitFor(r.t, "Interrupt received")
}

// WaitForExit waits until a process has ended, which must be soon.
func WaitForExit(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		if !Alive(pid) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Errorf("process %d is still there after a minute", pid)
}

// Alive reports whether a process is at work: a zombie is not.
func Alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
