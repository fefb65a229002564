package provider

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

// running is a CLI that is still at work, in a process group of its own.
type running struct {
	t   *testing.T
	cmd *exec.Cmd
	out *watched
}

// watched collects output and tells when it says something.
type watched struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	close(w.changed)
	w.changed = make(chan struct{})
	return n, err
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// says waits until the output contains text.
func (w *watched) says(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		w.mu.Lock()
		said, changed := strings.Contains(w.buf.String(), text), w.changed
		w.mu.Unlock()
		if said {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Errorf("never said %q:\n%s", text, w)
			return
		}
	}
}

func (c *cli) start(args ...string) *running {
	c.w.t.Helper()
	out := &watched{changed: make(chan struct{})}
	cmd := c.command(out, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Whoever ran these tests with nohup has SIGHUP ignored, which a process hands down to its children,
	// through execve(2), unless it catches the signal itself.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	if err := cmd.Start(); err != nil {
		c.w.t.Fatal(err)
	}
	return &running{t: c.w.t, cmd: cmd, out: out}
}

func (r *running) wait() done { return finished(r.t, r.cmd.Wait(), r.out) }

// plugin is the process id of the provider.
func (r *running) plugin() int {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", r.cmd.Process.Pid))
	if err != nil {
		r.t.Errorf("find the provider's process: %v", err)
		return 0
	}
	// Any thread of the CLI may have started it.
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", r.cmd.Process.Pid))
	for _, task := range tasks {
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", r.cmd.Process.Pid, task.Name()))
		children = append(append(children, ' '), more...)
	}
	for _, child := range strings.Fields(string(children)) {
		name, _ := os.ReadFile("/proc/" + child + "/comm")
		if strings.HasPrefix(string(name), "terraform-provi") {
			pid, _ := strconv.Atoi(child)
			return pid
		}
	}
	r.t.Errorf("the CLI has no provider among its children %q", children)
	return 0
}

const interruptNotice = "Interrupt received"

// interrupt signals the CLI, or its whole process group, and waits until it has understood.
func (r *running) interrupt(signal syscall.Signal, group bool) {
	pid := r.cmd.Process.Pid
	if group {
		pid = -pid
	}
	if err := syscall.Kill(pid, signal); err != nil {
		r.t.Error(err)
	}
	r.out.says(r.t, interruptNotice)
}

// untilGone waits until a process is no more.
func untilGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if !alive(pid) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Errorf("process %d is still there after 20 seconds", pid)
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
