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

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, group := range []bool{false, true} {
			to := map[bool]string{false: "to the CLI", true: "to the group"}[group]
			send := func(r *acctest.Running) { r.Interrupt(signal, group) }
			t.Run(fmt.Sprintf("%v %s during the POST", signal, to), func(t *testing.T) {
				network := acc.NewNetwork(t, sandbox.Config{})
				c := network.CLI(camera)
				started := make(chan *acctest.Running, 1)
				network.OnRequest(sandbox.OpCreate, 1, func() { send(<-started) })
				r := c.Start("apply", "-auto-approve", "-no-color")
				started <- r
				text := r.Wait().Text
				if network.Count(sandbox.OpCreate) != 1 {
					t.Errorf("%d POSTs, want 1\n%s", network.Count(sandbox.OpCreate), text)
				}
				c.ExpectInSync()
				if len(network.SessionIDs()) != 1 {
					t.Fatalf("%d sessions on the network, want 1\n%s", len(network.SessionIDs()), text)
				}
				c.Apply()
				if network.Count(sandbox.OpCreate) != 1 {
					t.Error("the next apply bought another session")
				}
				c.Destroy()
			})
			t.Run(fmt.Sprintf("%v %s during the wait", signal, to), func(t *testing.T) {
				clock := sandbox.NewManualClock(acctest.KickOff)
				network := acc.NewNetwork(t, sandbox.Config{Clock: clock, Provisioning: time.Minute})
				c := network.CLI(camera)
				started := make(chan *acctest.Running, 1)
				network.OnRequest(sandbox.OpRead, 2, func() { send(<-started) })
				r := c.Start("apply", "-auto-approve", "-no-color")
				started <- r
				text := r.Wait().Text
				if !strings.Contains(text, "The next apply resumes the wait.") {
					t.Errorf("the interrupted wait does not say what happens next:\n%s", text)
				}
				c.ExpectInSync()
				if plan := c.Must(2, "plan", "-detailed-exitcode", "-no-color"); !strings.Contains(plan, "1 to change, 0 to destroy") {
					t.Errorf("the interrupted session is not planned for an update in place:\n%s", plan)
				}
				clock.Advance(time.Minute)
				c.Apply()
				if network.Count(sandbox.OpCreate) != 1 {
					t.Errorf("%d POSTs, want 1", network.Count(sandbox.OpCreate))
				}
				c.Destroy()
			})
		}
	}
}

// recoverByImport applies after a crash, and does what the error says.
func recoverByImport(c *acctest.CLI, address string) {
	c.Network.T.Helper()
	text := c.Must(1, "apply", "-auto-approve", "-no-color")
	command := namedForImport.FindStringSubmatch(text)
	if command == nil {
		c.Network.T.Fatalf("the apply after the crash does not say how to recover the session:\n%s", text)
	}
	if strings.Contains(text, "terraform state rm 'ADDRESS'") {
		c.Must(0, "state", "rm", address)
	}
	c.Must(0, "import", "-no-color", address, command[1])
	c.ExpectInSync()
	c.Apply()
	if n := len(c.Network.SessionIDs()); n != 1 {
		c.Network.T.Errorf("%d sessions on the network after the recovery, want 1", n)
	}
	c.Destroy()
}

func TestCrashes(t *testing.T) {
	acctest.AnyCLI(t)
	t.Parallel()
	t.Run("SIGKILL of the provider during the POST", func(t *testing.T) {
		config, handled := posted(sandbox.Config{})
		network := acc.NewNetwork(t, config)
		c := network.CLI(camera)
		killDuringPost(c, handled)
		recoverByImport(c, "qod_session.camera")
	})
	for name, end := range map[string]func(cli int) error{
		"SIGKILL of the CLI during the POST": func(cli int) error { return syscall.Kill(cli, syscall.SIGKILL) },
		// A terminal that is closed says so to everybody in it.
		"SIGHUP to the group during the POST": func(cli int) error { return syscall.Kill(-cli, syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{})
			c := network.CLI(camera)
			started := make(chan *acctest.Running, 1)
			plugin := make(chan int, 1)
			network.OnRequest(sandbox.OpCreate, 1, func() {
				r := <-started
				plugin <- r.ProviderPID()
				if err := end(r.Cmd.Process.Pid); err != nil {
					t.Error(err)
				}
				_ = r.Cmd.Wait()
			})
			r := c.Start("apply", "-auto-approve", "-no-color", "-lock=false")
			started <- r
			pid := <-plugin
			// The provider ends by itself, and not before its POST is through.
			acctest.WaitForExit(t, pid)
			if n := len(network.SessionIDs()); n != 1 {
				t.Fatalf("%d sessions on the network, want the one whose POST was under way", n)
			}
			recoverByImport(c, "qod_session.camera")
		})
	}
}

// posted is a network that tells when it has handled its first POST, which may be after the CLI is
// through with a provider that was killed.
func posted(config sandbox.Config) (sandbox.Config, <-chan struct{}) {
	var first sync.Once
	handled := make(chan struct{})
	config.Log = func(r sandbox.Request) {
		if r.Operation == sandbox.OpCreate {
			first.Do(func() { close(handled) })
		}
	}
	return config, handled
}

// killDuringPost applies with a provider that is killed in its first POST.
func killDuringPost(c *acctest.CLI, handled <-chan struct{}) {
	c.Network.T.Helper()
	started := make(chan *acctest.Running, 1)
	c.Network.OnRequest(sandbox.OpCreate, 1, func() {
		pid := (<-started).ProviderPID()
		_ = syscall.Kill(pid, syscall.SIGKILL)
		acctest.WaitForExit(c.Network.T, pid)
	})
	r := c.Start("apply", "-auto-approve", "-no-color")
	started <- r
	text := r.Wait().Text
	select {
	case <-handled:
	case <-time.After(20 * time.Second):
		c.Network.T.Fatalf("no POST came in\n%s", text)
	}
	if len(c.Network.SessionIDs()) != 1 {
		c.Network.T.Fatalf("%d sessions on the network, want the one whose POST was under way\n%s", len(c.Network.SessionIDs()), text)
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

// mergedReservation applies a reservation before its window, which opens then: what buys is an
// update.
func mergedReservation(network *acctest.Network) *acctest.CLI {
	network.T.Helper()
	c := network.CLI(event)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(0)
	return c
}

// expectUntainted checks that a failure has tainted nothing, which would have the next apply delete
// a session.
func expectUntainted(c *acctest.CLI) {
	c.Network.T.Helper()
	for _, r := range c.State().Resources {
		if r.Tainted {
			c.Network.T.Errorf("%s is tainted", r.Address)
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
			network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
			c := mergedReservation(network)
			started := make(chan *acctest.Running, 1)
			network.OnRequest(sandbox.OpCreate, 1, func() { (<-started).Interrupt(test.signal, test.group) })
			r := c.Start("apply", "-auto-approve", "-no-color")
			started <- r
			text := r.Wait().Text
			c.ExpectInSync()
			expectUntainted(c)
			if n := len(network.SessionIDs()); n != 1 {
				t.Fatalf("%d sessions on the network, want 1\n%s", n, text)
			}
			c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
			c.Plan(0)
			c.Destroy()
		})
		t.Run(fmt.Sprintf("%v during the wait", test.signal), func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{Provisioning: time.Minute})
			c := mergedReservation(network)
			started := make(chan *acctest.Running, 1)
			network.OnRequest(sandbox.OpRead, 2, func() { (<-started).Interrupt(test.signal, test.group) })
			r := c.Start("apply", "-auto-approve", "-no-color")
			started <- r
			if text := r.Wait().Text; !strings.Contains(text, "The next apply resumes the wait.") {
				t.Errorf("the interrupted wait does not say what happens next:\n%s", text)
			}
			c.ExpectInSync()
			expectUntainted(c)
			if plan := c.Plan(2); !strings.Contains(plan, `"REQUESTED" -> (known after apply)`) {
				t.Errorf("the interrupted session is not planned for an update in place:\n%s", plan)
			}
			network.AtMatch(time.Minute)
			c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
			c.Plan(0)
			c.Destroy()
		})
	}
	t.Run("SIGKILL of the provider during the POST", func(t *testing.T) {
		config, handled := posted(sandbox.Config{})
		network := acc.NewNetworkAtMatch(t, time.Hour, config)
		c := mergedReservation(network)
		killDuringPost(c, handled)
		expectUntainted(c)
		recoverByImport(c, "qod_reservation.camera")
		// The one that meets it is repeated for some seconds: a delete might be under way.
		if got := strings.TrimLeft(network.Writes(), "POST "); got != "DELETE" {
			t.Errorf("requests that change something: %s, want POSTs, and the DELETE in the end", network.Writes())
		}
	})
}

// A provider that waits for a debugger outlives the shell that it was started from, and ends when
// it is told to.
func TestDebugged(t *testing.T) {
	t.Parallel()
	dir, err := acctest.ProviderDir()
	if err != nil {
		t.Fatal(err)
	}
	out := acctest.NewTranscript()
	shell := exec.CommandContext(t.Context(), "sh", "-c", `"$0" -debug & echo "pid $!."; read -r _`, filepath.Join(dir, "terraform-provider-qod"))
	shell.Stdout = out
	goOn, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	out.WaitFor(t, "TF_REATTACH_PROVIDERS")
	said := regexp.MustCompile(`pid (\d+)\.`).FindStringSubmatch(out.String())
	if said == nil {
		t.Fatalf("the shell does not say whom it started:\n%s", out)
	}
	pid, _ := strconv.Atoi(said[1])
	_ = goOn.Close() // the shell ends
	acctest.WaitForExit(t, shell.Process.Pid)
	<-time.After(5 * parentInterval)
	if !acctest.Alive(pid) {
		t.Error("it ended with its shell")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	acctest.WaitForExit(t, pid)
	_ = shell.Wait()
}
