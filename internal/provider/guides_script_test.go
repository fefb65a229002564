// Runs the scripts under testdata/guides, which prove what the guides say: each copies a guide's
// example, runs the commands that the guide has a reader type, with a real CLI and a sandbox, and
// says what must come of it.

//go:build !windows

package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestGuide(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(scriptsDir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			if slices.Contains(guidesForAnyCLI, name) {
				acctest.AnyCLI(t)
			}
			runGuide(t, file)
		})
	}
}

// guidesForAnyCLI are scripts about what the examples' shell scripts make of a CLI's exit codes,
// not about the CLI. "pipeline" and "troubleshooting" show how each CLI ends, and "pipeline-gate"
// what its plans look like.
var guidesForAnyCLI = []string{
	"festival", "fleet", "pipeline-alert", "pipeline-budget", "pipeline-gate-imports", "pipeline-gate-sessions", "pipeline-gate-windows",
	"pipeline-match", "pipeline-misuse", "pipeline-odd", "pipeline-out-of-time", "pipeline-past", "pipeline-rehearsal", "pipeline-releases", "pipeline-resumes", "pipeline-stops", "pipeline-trigger",
}

// guide is a script at work, in whose directory the CLI works.
type guide struct {
	network *acctest.Network
	cli     *acctest.CLI
	sent    int // requests that a "sends" of the script has accounted for
}

// runGuide runs one script. These are the commands that it has besides testscript's own:
//
//	terraform ARGS…            runs the CLI; fails unless it ends with 0, or 1 after "!"
//	sh ARGS…                   runs a shell script likewise
//	exits CODE terraform|sh …  insists on another exit code
//	snippet PAGE BEGINNING     runs the shell snippet of a page under docs that begins like this
//	example DIR [TO]           copies files from examples, over those that are there
//	replace FILE OLD NEW       changes a file; OLD must be in it once
//	writes 'N POST N DELETE'   what changed the network since the last time that the script asked
//	sends 'N POST N DELETE'    the same; and state and network agree
//	none-before-kick-off       no session was asked for before kick-off
//	requests N                 how many requests of any kind the network has seen
//	ledger N                   how many sessions are live
//	in-state N                 how many sessions the state has
//	clock +1h | kick-off-30m | 2028-07-06T17:00:00Z    moves the clock from kick-off
//	imports KEY=NUMBER…        writes an import block for each camera's reservation
//	revoke NUMBER              the network ends a session, which lingers as UNAVAILABLE
//	remove NUMBER              the session of a device is gone, and replicas know it
//	seed NUMBER [PROFILE SECONDS]    somebody else makes a session; $ID is its id
//	numbers-without-plus       the network shows phone numbers without their plus
//	refuse N STATUS            the network refuses the next N creates
//	sleeps [N COMMAND]…        sleep advances the network's clock; the Nth time, COMMAND runs
//	gate MOST CUT OBJECTION…   plans, and asks both gates, which must have just these objections;
//	                           $BUDGET is the budget
//
// The output of terraform, sh and snippet is on one line without frames, for "stdout". The
// condition [opentofu] is true where the CLI is OpenTofu.
func runGuide(t *testing.T, file string) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Control: true})
	g := &guide{network: network, cli: withTools(network.CLI(""))}
	if filepath.Base(file) == "query.txtar" && !hasQuery(g.cli) {
		// A skip by the script would print the whole environment of whoever runs the tests.
		t.Skip("terraform query needs Terraform of version 1.14 or later")
	}
	testscript.RunT(scriptT{t}, testscript.Params{
		Files: []string{file},
		Setup: func(env *testscript.Env) error {
			// The file that configures the CLI stays where it is.
			g.cli.Dir = env.WorkDir
			env.Vars = append(env.Vars, g.cli.Env...)
			return nil
		},
		Condition: func(condition string) (bool, error) {
			if condition == "opentofu" {
				return acctest.IsOpenTofu(t), nil
			}
			return false, fmt.Errorf("unknown condition %q", condition)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"terraform": func(ts *testscript.TestScript, failing bool, args []string) {
				g.run(ts, exitCode(failing), append([]string{"terraform"}, args...))
			},
			"sh": func(ts *testscript.TestScript, failing bool, args []string) {
				g.run(ts, exitCode(failing), append([]string{"sh"}, args...))
			},
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				code, err := strconv.Atoi(args[0])
				ts.Check(err)
				g.run(ts, code, args[1:])
			},
			"snippet": func(ts *testscript.TestScript, _ bool, args []string) {
				g.run(ts, 0, []string{"sh", "-euc", snippet(t, args[0], args[1])})
			},
			"example": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(g.example(ts, args)) },
			"replace": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(g.replace(ts, args)) },
			"sends": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(g.writes(args[0]))
				g.cli.Dir = ts.MkAbs(".")
				if g.cli.ExpectInSync(); t.Failed() {
					ts.Fatalf("see above")
				}
			},
			"writes":   func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(g.writes(args[0])) },
			"requests": func(ts *testscript.TestScript, _ bool, args []string) { g.count(ts, len(network.Requests()), args[0]) },
			"ledger":   func(ts *testscript.TestScript, _ bool, args []string) { g.count(ts, len(network.Ledger()), args[0]) },
			"in-state": func(ts *testscript.TestScript, _ bool, args []string) {
				g.count(ts, len(g.cli.SessionIDs()), args[0])
			},
			"clock": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(g.clock(args[0])) },
			"revoke": func(ts *testscript.TestScript, _ bool, args []string) {
				network.Revoke(g.session(ts, args[0]))
			},
			"remove": func(ts *testscript.TestScript, _ bool, args []string) {
				network.RemovePastLag(g.session(ts, args[0]))
			},
			"imports": func(ts *testscript.TestScript, _ bool, args []string) {
				var blocks strings.Builder
				for _, arg := range args {
					key, number, _ := strings.Cut(arg, "=")
					fmt.Fprintf(&blocks, "import {\n  to = qod_reservation.camera[%q]\n  id = %q\n}\n", key, g.session(ts, number))
				}
				g.cli.Write("imports.tf", blocks.String())
			},
			"none-before-kick-off": func(ts *testscript.TestScript, _ bool, _ []string) {
				if first := network.Requests(sandbox.OpCreate)[0].At; first.Before(acctest.KickOff) {
					ts.Fatalf("the first session was asked for at %v", first)
				}
			},
			"seed": func(ts *testscript.TestScript, _ bool, args []string) { g.seed(ts, args) },
			"numbers-without-plus": func(*testscript.TestScript, bool, []string) {
				network.Echo(func(info map[string]any) {
					device, _ := info["device"].(map[string]any)
					if number, ok := device["phoneNumber"].(string); ok {
						device["phoneNumber"] = strings.TrimPrefix(number, "+")
					}
				})
			},
			"refuse": func(ts *testscript.TestScript, _ bool, args []string) {
				times, err := strconv.Atoi(args[0])
				ts.Check(err)
				status, err := strconv.Atoi(args[1])
				ts.Check(err)
				network.InjectFault(sandbox.OpCreate, times, sandbox.Status(status, ""))
			},
			"sleeps": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(g.sleeps(ts, args)) },
			"gate":   func(ts *testscript.TestScript, _ bool, args []string) { g.gate(ts, args[0], args[1], args[2:]) },
		},
	})
	if !t.Failed() && g.sent != len(strings.Fields(network.Writes())) {
		t.Errorf("the network saw %s, and the script does not say so to its end", network.Writes())
	}
}

// scriptT runs a script in a test that is parallel already, instead of in one of its own.
type scriptT struct{ *testing.T }

func (t scriptT) Run(_ string, script func(testscript.T)) { script(t) }
func (scriptT) Parallel()                                 {}
func (scriptT) Verbose() bool                             { return testing.Verbose() }

func exitCode(failing bool) int {
	if failing {
		return 1
	}
	return 0
}

// run runs a program in the script's directory and environment.
func (g *guide) run(ts *testscript.TestScript, want int, command []string) {
	var out bytes.Buffer
	cmd := exec.CommandContext(g.network.T.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), g.environment(ts), &out, &out
	// As in a pipeline: nobody answers, and nobody sees colours.
	path, err := lookPath(command[0], ts.Getenv("PATH"))
	ts.Check(err)
	cmd.Path, cmd.Err = path, nil
	err = cmd.Run()
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	default:
		ts.Check(err)
	}
	text := acctest.PlainText(out.String())
	_, _ = fmt.Fprintln(ts.Stdout(), text)
	if code != want {
		ts.Fatalf("exit code %d, want %d\n%s", code, want, out.String())
	}
}

// scriptVariables are those of a script's environment that its programs see, besides the CLI's.
var scriptVariables = []string{"ALERT", "BUDGET", "CUT", "ID", "INTERVAL", "MINUTES", "MOST", "PATH", "QOD_MAX_RETRIES", "REHEARSAL_PHONE_NUMBER", "TERRAFORM", "TF_CLI_ARGS_plan"}

func (g *guide) environment(ts *testscript.TestScript) []string {
	env := slices.Concat(g.cli.Env, []string{"TF_INPUT=0"})
	for _, name := range scriptVariables {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func lookPath(program, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s is not on the PATH %s", program, path)
}

func (g *guide) example(ts *testscript.TestScript, args []string) error {
	from, to := os.DirFS(filepath.Join(examplesDir, args[0])), ts.MkAbs(".")
	if len(args) > 1 {
		to = ts.MkAbs(args[1])
	}
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(to, name)
		if entry.IsDir() {
			return os.MkdirAll(path, 0o700)
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o700) //nolint:gosec // some are scripts
	})
}

func (g *guide) replace(ts *testscript.TestScript, args []string) error {
	file := ts.MkAbs(args[0])
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(content), args[1]); n != 1 {
		return fmt.Errorf("%s has %q %d times, want once", args[0], args[1], n)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(content), args[1], args[2], 1)), 0o600)
}

func (g *guide) writes(want string) error {
	writes := strings.Fields(g.network.Writes())
	sent := map[string]int{}
	for _, method := range writes[g.sent:] {
		sent[method]++
	}
	g.sent = len(writes)
	if got := fmt.Sprintf("%d POST %d DELETE", sent["POST"], sent["DELETE"]); got != want {
		return fmt.Errorf("sent %s, want %s", got, want)
	}
	return nil
}

func (g *guide) count(ts *testscript.TestScript, got int, want string) {
	if strconv.Itoa(got) != want {
		ts.Fatalf("%d, want %s", got, want)
	}
}

// clock moves the network's clock; back only before the script has begun to use the network.
func (g *guide) clock(to string) error {
	if by, relative := strings.CutPrefix(to, "+"); relative {
		d, err := time.ParseDuration(by)
		g.network.Advance(d)
		return err
	}
	at, err := time.Parse(time.RFC3339, to)
	if after, is := strings.CutPrefix(to, "kick-off"); is {
		var d time.Duration
		if d, err = 0, nil; after != "" {
			d, err = time.ParseDuration(after)
		}
		at = acctest.KickOff.Add(d)
	}
	if err != nil {
		return err
	}
	if len(g.network.Requests()) == 0 {
		g.network.Advance(at.Sub(g.network.Clock.Now()))
		return nil
	}
	g.network.AtMatch(at.Sub(acctest.KickOff))
	return nil
}

// session is the id of the session of a device.
func (g *guide) session(ts *testscript.TestScript, number string) string {
	for _, s := range g.network.Ledger() {
		if s.Device.PhoneNumber == number {
			return s.ID
		}
	}
	ts.Fatalf("%s has no session", number)
	return ""
}

func (g *guide) seed(ts *testscript.TestScript, args []string) {
	s := sandbox.Session{Device: sandbox.Device{PhoneNumber: args[0]}}
	if strings.Contains(args[0], "@") {
		s.Device = sandbox.Device{NetworkAccessIdentifier: args[0]}
	}
	if len(args) > 1 {
		seconds, err := strconv.Atoi(args[2])
		ts.Check(err)
		s.QoSProfile, s.Duration = args[1], seconds
	}
	ts.Setenv("ID", g.network.Seed(s).ID)
}

func (g *guide) sleeps(ts *testscript.TestScript, args []string) error {
	script := "#!/bin/sh\nset -eu\nqod-sandbox advance \"$1s\" >/dev/null\necho slept >>slept\n"
	for happens := range slices.Chunk(args, 2) {
		script += fmt.Sprintf("case $(wc -l <slept | tr -d ' ') in %s) %s ;; esac\n", happens[0], happens[1])
	}
	dir := g.network.T.TempDir()
	ts.Setenv("PATH", dir+string(os.PathListSeparator)+ts.Getenv("PATH"))
	return os.WriteFile(filepath.Join(dir, "sleep"), []byte(script), 0o700) //nolint:gosec // it is a program
}

func (g *guide) gate(ts *testscript.TestScript, most, cut string, want []string) {
	g.run(ts, 0, []string{"terraform", "plan", "-out=tfplan"})
	g.run(ts, 0, []string{"sh", "-euc", "terraform show -json tfplan >tfplan.json"})
	limits := gateLimits{Most: json.Number(most), Budget: json.RawMessage(cmp.Or(ts.Getenv("BUDGET"), "null")), Cut: json.RawMessage(cut)}
	ts.Check(checkGate(g.network.T.Context(), ts.MkAbs("."), ts.ReadFile("tfplan.json"), limits, want))
}

var semanticVersion = regexp.MustCompile(`Terraform v1\.(\d+)\.`)

// hasQuery reports whether the CLI has terraform query: Terraform of version 1.14 or later.
func hasQuery(c *acctest.CLI) bool {
	version := semanticVersion.FindStringSubmatch(c.Must(0, "version"))
	if version == nil {
		return false
	}
	minor, _ := strconv.Atoi(version[1])
	return minor >= 14
}
