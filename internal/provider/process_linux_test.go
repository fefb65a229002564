// Proves that signals and crashes, of Terraform and of the provider's process, lose no session:
// what is on the network is in the state, or the next run names it and how to recover it.

package provider

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, group := range []bool{false, true} {
			to := map[bool]string{false: "to the CLI", true: "to the group"}[group]
			send := func(r *running) { r.interrupt(signal, group) }
			t.Run(fmt.Sprintf("%v %s during the POST", signal, to), func(t *testing.T) {
				w := acc.newWorld(t, sandbox.Config{})
				c := w.cli(camera)
				started := make(chan *running, 1)
				w.onRequest(sandbox.OpCreate, 1, func() { send(<-started) })
				r := c.start("apply", "-auto-approve", "-no-color")
				started <- r
				text := r.wait().text
				if w.Count(sandbox.OpCreate) != 1 {
					t.Errorf("%d POSTs, want 1\n%s", w.Count(sandbox.OpCreate), text)
				}
				c.isLedger()
				if len(w.ids()) != 1 {
					t.Fatalf("%d sessions on the network, want 1\n%s", len(w.ids()), text)
				}
				c.apply()
				if w.Count(sandbox.OpCreate) != 1 {
					t.Error("the next apply bought another session")
				}
				c.destroy()
			})
			t.Run(fmt.Sprintf("%v %s during the wait", signal, to), func(t *testing.T) {
				clock := sandbox.NewManualClock(atKickOff)
				w := acc.newWorld(t, sandbox.Config{Clock: clock, Provisioning: time.Minute})
				c := w.cli(camera)
				started := make(chan *running, 1)
				w.onRequest(sandbox.OpRead, 2, func() { send(<-started) })
				r := c.start("apply", "-auto-approve", "-no-color")
				started <- r
				text := r.wait().text
				if !strings.Contains(text, "The next apply resumes the wait.") {
					t.Errorf("the interrupted wait does not say what happens next:\n%s", text)
				}
				c.isLedger()
				if plan := c.must(2, "plan", "-detailed-exitcode", "-no-color"); !strings.Contains(plan, "1 to change, 0 to destroy") {
					t.Errorf("the interrupted session is not planned for an update in place:\n%s", plan)
				}
				clock.Advance(time.Minute)
				c.apply()
				if w.Count(sandbox.OpCreate) != 1 {
					t.Errorf("%d POSTs, want 1", w.Count(sandbox.OpCreate))
				}
				c.destroy()
			})
		}
	}
}

// recovers applies after a crash, and does what the error says.
func (c *cli) recovers(address string) {
	c.w.t.Helper()
	text := c.must(1, "apply", "-auto-approve", "-no-color")
	command := namedForImport.FindStringSubmatch(text)
	if command == nil {
		c.w.t.Fatalf("the apply after the crash does not say how to recover the session:\n%s", text)
	}
	if strings.Contains(text, "terraform state rm 'ADDRESS'") {
		c.must(0, "state", "rm", address)
	}
	c.must(0, "import", "-no-color", address, command[1])
	c.isLedger()
	c.apply()
	if n := len(c.w.ids()); n != 1 {
		c.w.t.Errorf("%d sessions on the network after the recovery, want 1", n)
	}
	c.destroy()
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	t.Run("SIGKILL of the provider during the POST", func(t *testing.T) {
		network, handled := posted(sandbox.Config{})
		w := acc.newWorld(t, network)
		c := w.cli(camera)
		c.crashes(handled)
		c.recovers("qod_session.camera")
	})
	for name, end := range map[string]func(cli int) error{
		"SIGKILL of the CLI during the POST": func(cli int) error { return syscall.Kill(cli, syscall.SIGKILL) },
		// A terminal that is closed says so to everybody in it.
		"SIGHUP to the group during the POST": func(cli int) error { return syscall.Kill(-cli, syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			w := acc.newWorld(t, sandbox.Config{})
			c := w.cli(camera)
			started := make(chan *running, 1)
			plugin := make(chan int, 1)
			w.onRequest(sandbox.OpCreate, 1, func() {
				r := <-started
				plugin <- r.plugin()
				if err := end(r.cmd.Process.Pid); err != nil {
					t.Error(err)
				}
				_ = r.cmd.Wait()
			})
			r := c.start("apply", "-auto-approve", "-no-color", "-lock=false")
			started <- r
			pid := <-plugin
			// The provider ends by itself, and not before its POST is through.
			untilGone(t, pid)
			if n := len(w.ids()); n != 1 {
				t.Fatalf("%d sessions on the network, want the one whose POST was under way", n)
			}
			c.recovers("qod_session.camera")
		})
	}
}

// posted is a network that tells when it has handled its first POST, which may be after the CLI is
// through with a provider that was killed.
func posted(network sandbox.Config) (sandbox.Config, <-chan struct{}) {
	var first sync.Once
	handled := make(chan struct{})
	network.Log = func(r sandbox.Request) {
		if r.Operation == sandbox.OpCreate {
			first.Do(func() { close(handled) })
		}
	}
	return network, handled
}

// crashes applies with a provider that is killed in its first POST.
func (c *cli) crashes(handled <-chan struct{}) {
	c.w.t.Helper()
	started := make(chan *running, 1)
	c.w.onRequest(sandbox.OpCreate, 1, func() {
		pid := (<-started).plugin()
		_ = syscall.Kill(pid, syscall.SIGKILL)
		untilGone(c.w.t, pid)
	})
	r := c.start("apply", "-auto-approve", "-no-color")
	started <- r
	text := r.wait().text
	select {
	case <-handled:
	case <-time.After(20 * time.Second):
		c.w.t.Fatalf("no POST came in\n%s", text)
	}
	if len(c.w.ids()) != 1 {
		c.w.t.Fatalf("%d sessions on the network, want the one whose POST was under way\n%s", len(c.w.ids()), text)
	}
}

// event is a reservation whose window opens at kick-off.
const event = `
resource "qod_reservation" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  starts_at   = "` + matchStarts + `"
  ends_at     = "` + matchEnds + `"
}
`

// merged applies a reservation before its window, which opens then: what buys is an update.
func (s *world) merged() *cli {
	s.t.Helper()
	c := s.cli(event)
	c.sends(nothing, 0, applies...)
	s.at(0)
	return c
}

// isClean checks that a failure has tainted nothing, which would have the next apply delete a session.
func (c *cli) isClean() {
	c.w.t.Helper()
	for _, r := range c.state().Resources {
		if r.Tainted {
			c.w.t.Errorf("%s is tainted", r.Address)
		}
	}
}

// An update that buys is interrupted, and its provider killed, as a create is.
func TestReservation_signals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		signal syscall.Signal
		group  bool
	}{{syscall.SIGINT, false}, {syscall.SIGTERM, true}} {
		t.Run(fmt.Sprintf("%v during the POST", test.signal), func(t *testing.T) {
			s := acc.newSeason(t, time.Hour, sandbox.Config{})
			c := s.merged()
			started := make(chan *running, 1)
			s.onRequest(sandbox.OpCreate, 1, func() { (<-started).interrupt(test.signal, test.group) })
			r := c.start("apply", "-auto-approve", "-no-color")
			started <- r
			text := r.wait().text
			c.isLedger()
			c.isClean()
			if n := len(s.ids()); n != 1 {
				t.Fatalf("%d sessions on the network, want 1\n%s", n, text)
			}
			c.sends(nothing, 0, applies...)
			c.planned(0)
			c.destroy()
		})
		t.Run(fmt.Sprintf("%v during the wait", test.signal), func(t *testing.T) {
			s := acc.newSeason(t, time.Hour, sandbox.Config{Provisioning: time.Minute})
			c := s.merged()
			started := make(chan *running, 1)
			s.onRequest(sandbox.OpRead, 2, func() { (<-started).interrupt(test.signal, test.group) })
			r := c.start("apply", "-auto-approve", "-no-color")
			started <- r
			if text := r.wait().text; !strings.Contains(text, "The next apply resumes the wait.") {
				t.Errorf("the interrupted wait does not say what happens next:\n%s", text)
			}
			c.isLedger()
			c.isClean()
			if plan := c.planned(2); !strings.Contains(plan, `"REQUESTED" -> (known after apply)`) {
				t.Errorf("the interrupted session is not planned for an update in place:\n%s", plan)
			}
			s.at(time.Minute)
			c.sends(nothing, 0, applies...)
			c.planned(0)
			c.destroy()
		})
	}
	t.Run("SIGKILL of the provider during the POST", func(t *testing.T) {
		network, handled := posted(sandbox.Config{})
		s := acc.newSeason(t, time.Hour, network)
		c := s.merged()
		c.crashes(handled)
		c.isClean()
		c.recovers("qod_reservation.camera")
		// The one that meets it is repeated for some seconds: a delete might be under way.
		if got := strings.TrimLeft(s.writes(), "POST "); got != "DELETE" {
			t.Errorf("requests that change something: %s, want POSTs, and the DELETE in the end", s.writes())
		}
	})
}

// A provider that waits for a debugger outlives the shell that it was started from, and ends when it
// is told to.
func TestDebugged(t *testing.T) {
	t.Parallel()
	dir, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out := &watched{changed: make(chan struct{})}
	shell := exec.CommandContext(t.Context(), "sh", "-c", `"$0" -debug & echo "pid $!."; read -r _`, filepath.Join(dir, "terraform-provider-qod"))
	shell.Stdout = out
	goOn, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	out.says(t, "TF_REATTACH_PROVIDERS")
	said := regexp.MustCompile(`pid (\d+)\.`).FindStringSubmatch(out.String())
	if said == nil {
		t.Fatalf("the shell does not say whom it started:\n%s", out)
	}
	pid, _ := strconv.Atoi(said[1])
	_ = goOn.Close() // the shell ends
	untilGone(t, shell.Process.Pid)
	<-time.After(5 * parentInterval)
	if !alive(pid) {
		t.Error("it ended with its shell")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	untilGone(t, pid)
	_ = shell.Wait()
}
