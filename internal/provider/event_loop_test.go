// The loop of the pipeline guide (examples/pipeline/event.sh) through a whole match, and what it says when
// something goes wrong. A real CLI plans and applies; the time between two passes is the network's.

package provider

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// eventLoop is a directory with the loop and these reservations, whose sleeps let time pass and have things
// happen.
func eventLoop(network *acctest.Network, config string, happens map[int]string, env ...string) *acctest.CLI {
	c := withTools(copyExample(network.CLI("", env...), "pipeline"))
	c.Write("main.tf", config)
	fakeSleep(c, happens)
	return c
}

// sims is the configuration of n cameras with a window from kick-off on.
func sims(n int, ends time.Duration) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    qod = { source = "telefonica/qod" }
  }
}

resource "qod_reservation" "sim" {
  for_each = { for n in range(%d) : format("%%02d", n) => format("+346000001%%02d", n) }

  device            = { phone_number = each.value }
  qos_profile       = "QOS_L"
  starts_at         = %q
  ends_at           = %q
  replace_to_extend = false
}
`, n, matchStarts, acctest.KickOff.Add(ends).Format(time.RFC3339))
}

var (
	loopTime = regexp.MustCompile(`(?m)\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z|^\d{2}:\d{2}:\d{2}Z`)
	loopID   = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	loopKey  = regexp.MustCompile(`\["\d\d"\]`)
)

// loopLog is what the loop said, without times, ids and keys, each line with how often it came in a row.
func loopLog(output string) string {
	text := loopKey.ReplaceAllString(loopID.ReplaceAllString(loopTime.ReplaceAllString(output, "TIME"), "ID"), "[…]")
	// Terraform's own validate comes first, and says in several lines that the provider is overridden.
	if start := regexp.MustCompile(`(?m)^(?:Plan: |TIME )`).FindStringIndex(text); start != nil {
		text = text[start[0]:]
	}
	var lines []string
	var counts []int
	for line := range strings.Lines(text) {
		// The provider's own tests review its messages; their first words are enough here.
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n "), ", so nothing was sent")
		if n := len(lines); n > 0 && lines[n-1] == line {
			counts[n-1]++
			continue
		}
		lines, counts = append(lines, line), append(counts, 1)
	}
	var said strings.Builder
	for i, line := range lines {
		if line == "" || strings.HasPrefix(line, "ID ") || strings.HasPrefix(line, "SESSION ") { // of qod-sandbox revoke
			continue
		}
		if counts[i] > 1 {
			fmt.Fprintf(&said, "%d × ", counts[i])
		}
		fmt.Fprintln(&said, line)
	}
	return said.String()
}

// runLoop runs the loop and compares its exit status and what it says.
func runLoop(t *testing.T, c *acctest.CLI, command string, code int, want string) {
	t.Helper()
	if got := c.Shell(command + " >event.log 2>&1"); got.Code != code {
		t.Errorf("exit status %d, want %d", got.Code, code)
	}
	said, err := os.ReadFile(filepath.Join(c.Dir, "event.log"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(strings.TrimPrefix(want, "\n"), "\n"), strings.Split(loopLog(string(said)), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", command, diff)
	}
}

// A match of eighty cameras: three sessions that the network ends, credentials that are refused for a while,
// extra time that is announced twice, requests that fail in passing, and an end that comes early.
func TestEventLoop_match(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 15*time.Minute, sandbox.Config{Control: true, Provisioning: sandbox.Instant})
	move := func(ends time.Duration) string {
		return fmt.Sprintf("sed -i.bak 's/ends_at .*/ends_at = \"%s\"/' main.tf", acctest.KickOff.Add(ends).Format(time.RFC3339))
	}
	c := eventLoop(network, sims(80, 4*time.Hour), map[int]string{
		3: "for n in 07 08 41; do qod-sandbox revoke +346000001$n >/dev/null; done",
		4: "qod-sandbox fail token 401 --times 2 >/dev/null",
		5: move(4*time.Hour + 30*time.Minute),
		6: move(5*time.Hour) + "; sed -i.bak 's/replace_to_extend .*/replace_to_extend = true/' main.tf; qod-sandbox fail create 503 --times 3 >/dev/null",
		8: move(time.Hour),
		9: "kill -TERM $PPID",
	}, "INTERVAL=600", "MOST=80", "ALERT=cat >>alerts")
	runLoop(t, c, "./event.sh", 130, `
Plan: 80 to add, 0 to change, 0 to destroy.
80 × TIME qod_reservation.sim[…]: SCHEDULED
Plan: 0 to add, 80 to change, 0 to destroy.
80 × TIME qod_reservation.sim[…]: SCHEDULED -> AVAILABLE, session ID until TIME
Plan: 0 to add, 3 to change, 0 to destroy.
3 × TIME qod_reservation.sim[…]: AVAILABLE -> AVAILABLE, new session ID until TIME
TIME this pass failed:
80 × qod_reservation.sim[…]: Unable to Read QoS Reservation: There is no access token
TIME this pass failed as the one before
Plan: 0 to add, 80 to change, 0 to destroy.
80 × TIME qod_reservation.sim[…]: AVAILABLE -> AVAILABLE, new session ID until TIME
TIME this pass failed:
the plan was not applied:
80 × qod_reservation.sim[…] is live, and its new window would end its session early
TIME stopped. Live sessions stay live until their windows end. Run again to resume.
`)
	runLoop(t, c, `CUT=$("${TERRAFORM:-terraform}" state list | jq -R . | jq -s .) ./event.sh`, 0, `
Plan: 0 to add, 80 to change, 0 to destroy.
80 × TIME qod_reservation.sim[…]: AVAILABLE -> ENDED
reserved: 80 of 80 reservations; healed: 0; no pass failed
163 ×   qod_reservation.sim[…] ID TIME to TIME
TIME the event is over, and no session is live
`)
	if left := network.Ledger(); len(left) > 0 {
		t.Errorf("%d sessions are left", len(left))
	}
	const wantAlerts = `TIME
event.sh: a pass failed: qod_reservation.sim[…]: Unable to Read QoS Reservation: There is no access token
event.sh: recovered: every reservation inside its window is AVAILABLE
event.sh: a pass failed: the plan was not applied: qod_reservation.sim[…] is live, and its new window would end its session early
`
	alerts, err := os.ReadFile(filepath.Join(c.Dir, "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(wantAlerts, loopLog("TIME\n"+string(alerts))); diff != "" {
		t.Errorf("the alerts (-want +got):\n%s", diff)
	}
}

// How the loop ends is what a pipeline goes by.
func TestEventLoop_exitStatus(t *testing.T) {
	t.Parallel()
	// A resource of another provider that always plans a change, and says each time it is replaced.
	const trigger = `
resource "terraform_data" "stamp" {
  triggers_replace = timestamp()
  provisioner "local-exec" {
    command = "echo run >>ran"
  }
}
`
	for name, test := range map[string]struct {
		before  time.Duration // kick-off
		config  string
		command string // other than the loop alone
		env     []string
		fault   func(*acctest.Network)
		code    int
		says    []string
		ran     int // times that the trigger was replaced
	}{
		"a window in the past": {
			before: -5 * time.Hour, config: sims(2, 4*time.Hour), code: 3,
			says: []string{"no reservation ever had a session: check starts_at and ends_at", "reserved: 0 of 2 reservations"},
		},
		"out of time before the window":         {before: time.Hour, config: sims(2, 4*time.Hour), env: []string{"MINUTES=0"}, says: []string{"Run again to resume"}},
		"out of time, and all is well":          {config: sims(2, 4*time.Hour), env: []string{"MINUTES=0"}, says: []string{"Run again to resume", "no pass failed", "now, still live"}},
		"out of time, and not granted yet":      {config: strings.ReplaceAll(sims(2, 4*time.Hour), "replace_to_extend = false", "wait_for_available = false"), env: []string{"MINUTES=0", "ALERT=cat"}, code: 1, fault: func(n *acctest.Network) { n.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" }) }, says: []string{"REQUESTED, session"}},
		"out of time, and the last pass failed": {config: sims(2, 4*time.Hour), env: []string{"MINUTES=0"}, code: 1, fault: func(n *acctest.Network) { n.InjectFault(sandbox.OpCreate, -1, sandbox.Status(400, "")) }, says: []string{"this pass failed:", `qod_reservation.sim["00"]: Unable to Create QoS Reservation: The API refused the request.`, "1 pass failed"}},
		"out of time, and the time was unknown": {
			before: time.Hour, config: sims(2, 4*time.Hour), env: []string{"MINUTES=0"}, code: 1,
			command: "./event.sh && qod-sandbox fail list 500 --times -1 && ./event.sh",
			says:    []string{"this pass failed:", "whether the window is open"},
		},
		"an alert that fails":                  {config: sims(1, 4*time.Hour), env: []string{"MINUTES=0", "ALERT=exit 7"}, code: 1, fault: func(n *acctest.Network) { n.InjectFault(sandbox.OpCreate, -1, sandbox.Status(400, "")) }, says: []string{"ALERT failed with exit status 7"}},
		"something else changes in every plan": {before: 15 * time.Minute, config: sims(2, 4*time.Hour) + trigger, env: []string{"INTERVAL=3600"}, says: []string{"the event is over, and no session is live"}, ran: 2},
		"no number of seconds":                 {config: sims(1, time.Hour), env: []string{"INTERVAL=1m"}, code: 2, says: []string{"INTERVAL must be a whole number of seconds"}},
		"no number of minutes":                 {config: sims(1, time.Hour), env: []string{"MINUTES=x"}, code: 2, says: []string{"MINUTES must be a whole number of minutes"}},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetworkAtMatch(t, max(0, test.before), sandbox.Config{Control: true, Provisioning: sandbox.Instant})
			if test.before < 0 {
				network.AtMatch(-test.before)
			}
			if test.fault != nil {
				test.fault(network)
			}
			c := eventLoop(network, test.config, nil, append(test.env, "QOD_MAX_RETRIES=0")...)
			got := c.Shell(cmp.Or(test.command, "./event.sh"))
			if got.Code != test.code {
				t.Errorf("exit status %d, want %d\n%s", got.Code, test.code, got.Text)
			}
			acctest.ContainsAll(t, got.Text, test.says)
			ran, _ := os.ReadFile(filepath.Join(c.Dir, "ran"))
			if n := strings.Count(string(ran), "run"); n != test.ran {
				t.Errorf("the trigger was replaced %d times, want %d", n, test.ran)
			}
		})
	}
}
