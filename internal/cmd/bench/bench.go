package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

type bench struct {
	out           io.Writer
	cli, provider string
	sizes         []int
	runs          int
	latency       time.Duration
	parallelism   int
	listed        int

	dir    string // holds all there is on disk, until run returns
	broken []string
}

// subject is what a configuration is made of.
type subject string

const (
	empty    subject = "terraform_data, empty"
	data     subject = "terraform_data"
	floor    subject = "no API"
	reserved subject = "qod_session"
)

var subjects = []subject{empty, data, floor, reserved}

// phase is a command of the CLI, and what it is for.
type phase string

const (
	applying   phase = "apply"
	refreshing phase = "refresh"
	destroying phase = "destroy"
)

var phases = []phase{applying, refreshing, destroying}

var arguments = map[phase][]string{
	applying: {"apply", "-auto-approve"},
	// With this flag a plan that is not empty is a failure.
	refreshing: {"plan", "-detailed-exitcode"},
	destroying: {"destroy", "-auto-approve"},
}

// cost is what one run of one command took.
type cost struct {
	wall, cpu   time.Duration
	calls       map[sandbox.Operation]int
	connections int
}

// others are the calls besides those of one operation.
func (c cost) others(than sandbox.Operation) int {
	n := 0
	for op, calls := range c.calls {
		if op != than {
			n += calls
		}
	}
	return n
}

func (b *bench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "qod-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.introduce(ctx); err != nil {
		return err
	}
	for _, n := range b.sizes {
		costs, err := b.measure(ctx, n)
		if err != nil {
			return err
		}
		b.report(n, costs)
	}
	if err := b.slowly(ctx); err != nil {
		return err
	}
	if err := b.list(ctx); err != nil {
		return err
	}
	if err := b.weigh(ctx); err != nil {
		return err
	}
	if b.broken != nil {
		return fmt.Errorf("more than promised:\n  %s", strings.Join(b.broken, "\n  "))
	}
	return nil
}

func (b *bench) introduce(ctx context.Context) error {
	version, err := terraform.CLI{Path: b.cli, Dir: b.dir, Env: terraform.Environment(os.Environ())}.Execute(ctx, "version")
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(version.Stdout), "\n")
	_, err = fmt.Fprintf(b.out, "%s on %s with %d CPUs; each answer of the API takes %v, -parallelism=%d.\nMedians of %d, with the least and the most. "+
		"What an apply or a destroy of %s is compared with has N × latency / parallelism on top.\n",
		line, runtime.GOOS, runtime.NumCPU(), b.latency, b.parallelism, b.runs, reserved)
	return err
}

// costs are those of all runs.
type costs map[subject]map[phase][]cost

// measure takes every subject through its life. The subjects take turns, so that what else the
// machine does at the time strikes them alike.
func (b *bench) measure(ctx context.Context, n int) (costs, error) {
	all := costs{empty: {}, data: {}, floor: {}, reserved: {}}
	for range b.runs {
		for _, s := range subjects {
			life, err := b.life(ctx, s, n, sandbox.Instant)
			if err != nil {
				return nil, fmt.Errorf("%d × %s: %w", n, s, err)
			}
			for p, c := range life {
				all[s][p] = append(all[s][p], c)
			}
		}
	}
	return all, nil
}

// life applies n of a subject, refreshes and destroys them, on a network of their own.
func (b *bench) life(ctx context.Context, s subject, n int, provisioning time.Duration) (map[phase]cost, error) {
	network, err := sandbox.Listen("127.0.0.1:0", sandbox.Config{Latency: b.latency, Provisioning: provisioning})
	if err != nil {
		return nil, err
	}
	defer network.Close()
	cli, err := b.layOut(s, network, configuration(s, n))
	if err != nil {
		return nil, err
	}
	life := map[phase]cost{}
	for _, p := range phases {
		if life[p], err = b.spend(ctx, cli, network, arguments[p]...); err != nil {
			return nil, err
		}
		held := 0
		if s == reserved && p != destroying {
			held = n
		}
		if got := len(network.Ledger()); got != held {
			return nil, fmt.Errorf("after %s the network holds %d sessions, not %d", p, got, held)
		}
	}
	return life, nil
}

// spend runs the CLI and counts what that took.
func (b *bench) spend(ctx context.Context, cli terraform.CLI, network *sandbox.Server, args ...string) (cost, error) {
	before := len(network.Requests())
	began := time.Now()
	run, err := cli.Execute(ctx, append(args, "-input=false", "-no-color", fmt.Sprintf("-parallelism=%d", b.parallelism))...)
	if err != nil {
		return cost{}, err
	}
	c := cost{wall: time.Since(began), cpu: cpu(run.State), calls: map[sandbox.Operation]int{}}
	connections := map[string]bool{}
	for _, r := range network.Requests()[before:] {
		c.calls[r.Operation]++
		connections[r.Remote] = true
	}
	c.connections = len(connections)
	return c, nil
}

// layOut writes a configuration into a directory of its own, with the provider that serves it.
func (b *bench) layOut(s subject, network *sandbox.Server, config string, more ...string) (terraform.CLI, error) {
	dir, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return terraform.CLI{}, err
	}
	binary := b.provider
	if s != reserved {
		if binary, err = os.Executable(); err != nil {
			return terraform.CLI{}, err
		}
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return terraform.CLI{}, err
	}
	if err := os.Symlink(binary, filepath.Join(dir, "terraform-provider-qod")); err != nil {
		return terraform.CLI{}, err
	}
	override := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"registry.terraform.io/telefonica/qod\" = %[1]q\n    \"registry.opentofu.org/telefonica/qod\" = %[1]q\n  }\n  direct {}\n}\n", dir)
	for name, content := range map[string]string{"cli.tfrc": override, "main.tf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return terraform.CLI{}, err
		}
	}
	return terraform.CLI{Path: b.cli, Dir: dir, Env: terraform.Environment(os.Environ(), append(more,
		"TF_CLI_CONFIG_FILE="+filepath.Join(dir, "cli.tfrc"),
		"QOD_ENDPOINT="+network.Endpoint(),
		"QOD_CLIENT_ID="+sandbox.DefaultClient.ID,
		"QOD_CLIENT_SECRET="+sandbox.DefaultClient.Secret,
	)...)}, nil
}

// layOutTimed is layOut with the provider under a stopwatch: this program, in the provider's place. The
// results are in the file.
func (b *bench) layOutTimed(network *sandbox.Server, config string) (cli terraform.CLI, results string, err error) {
	watched, err := filepath.Abs(b.provider)
	if err != nil {
		return cli, "", err
	}
	if cli, err = b.layOut(floor, network, config, timed+"="+watched); err != nil {
		return cli, "", err
	}
	results = filepath.Join(cli.Dir, "took")
	cli.Env = append(cli.Env, watch+"="+results)
	return cli, results, nil
}

const requirement = "terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n"

// configuration asks for n of a subject. The content is the same for all but the empty one, which
// shows what Terraform takes for the number alone.
func configuration(s subject, n int) string {
	switch s {
	case empty:
		return fmt.Sprintf("resource \"terraform_data\" \"camera\" {\n  count = %d\n}\n", n)
	case data:
		return fmt.Sprintf(`
resource "terraform_data" "camera" {
  count = %d
  input = {
    device      = { phone_number = format("+346%%08d", count.index) }
    qos_profile = %q
    duration    = 86400
  }
}
`, n, profile)
	case floor, reserved:
	}
	return requirement + fmt.Sprintf(`
resource "qod_session" "camera" {
  count       = %d
  device      = { phone_number = format("+346%%08d", count.index) }
  qos_profile = %q
  duration    = 86400
}
`, n, profile)
}

// slowly has sessions that take their time to become available, as real ones do.
func (b *bench) slowly(ctx context.Context) error {
	const n, provisioning = 60, 3 * time.Second
	life, err := b.life(ctx, reserved, n, provisioning)
	if err != nil {
		return err
	}
	c := life[applying]
	others := c.others(sandbox.OpCreate)
	b.promise(others, 16+int(4*c.wall.Seconds()), "calls besides the POSTs, apply of %d that take %v each", n, provisioning)
	_, err = fmt.Fprintf(b.out, "\nApply of %d sessions that take %v each to become available, once\n  %s, %d POST + %d other calls\n", n, provisioning, seconds(c.wall), c.calls[sandbox.OpCreate], others)
	return err
}

// list has the data source read more sessions than anybody has.
func (b *bench) list(ctx context.Context) error {
	network, err := sandbox.Listen("127.0.0.1:0", sandbox.Config{Latency: b.latency})
	if err != nil {
		return err
	}
	defer network.Close()
	for range b.listed {
		network.Seed(sandbox.Session{})
	}
	cli, results, err := b.layOutTimed(network, requirement+"data \"qod_sessions\" \"all\" {}\noutput \"listed\" { value = length(data.qod_sessions.all.sessions) }\n")
	if err != nil {
		return err
	}
	c, err := b.spend(ctx, cli, network, "apply", "-auto-approve")
	if err != nil {
		return err
	}
	shown, err := cli.Execute(ctx, "output", "listed")
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(shown.Stdout)); got != fmt.Sprint(b.listed) {
		return fmt.Errorf("the data source shows %s sessions of %d", got, b.listed)
	}
	most, err := theMost(results)
	if err != nil {
		return err
	}
	b.promise(c.calls[sandbox.OpList], 1, "lists, data source over %d sessions", b.listed)
	b.promise(most.megabytes(), 200, "MB of memory, data source over %d sessions", b.listed)
	_, err = fmt.Fprintf(b.out, "\nData source over %s sessions, once\n  %s in all; the provider took %s of CPU time (≤ 3 s) and %d MB of memory at its peak (≤ 200 MB)\n",
		thousands(b.listed), seconds(c.wall), seconds(most.CPU), most.megabytes())
	return err
}

// weigh has the provider start, and refresh as many sessions as were measured at most.
func (b *bench) weigh(ctx context.Context) error {
	var starts []time.Duration
	for range b.runs {
		took, err := b.start(ctx)
		if err != nil {
			return err
		}
		starts = append(starts, took.Round(time.Millisecond))
	}
	slices.Sort(starts)
	network, err := sandbox.Listen("127.0.0.1:0", sandbox.Config{Latency: b.latency, Provisioning: sandbox.Instant})
	if err != nil {
		return err
	}
	defer network.Close()
	n := slices.Max(b.sizes)
	cli, results, err := b.layOutTimed(network, configuration(reserved, n))
	if err != nil {
		return err
	}
	if _, err := b.spend(ctx, cli, network, arguments[applying]...); err != nil {
		return err
	}
	if err := os.Remove(results); err != nil {
		return err
	}
	if _, err := b.spend(ctx, cli, network, arguments[refreshing]...); err != nil {
		return err
	}
	most, err := theMost(results)
	if err != nil {
		return err
	}
	binary, err := os.Stat(b.provider)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(b.out, "\nThe provider\n  %.1f MB on disk; ready %v after it was started (%v–%v); %d MB of memory at its peak in a refresh of %s\n",
		float64(binary.Size())/1e6, starts[len(starts)/2], starts[0], starts[len(starts)-1], most.megabytes(), thousands(n))
	return err
}

// start is how long the provider takes until it says where it listens.
func (b *bench) start(ctx context.Context) (time.Duration, error) {
	provider := exec.CommandContext(ctx, b.provider)
	provider.Env = append(os.Environ(), cookie+"="+cookieValue, "PLUGIN_PROTOCOL_VERSIONS=6", "TMPDIR="+b.dir)
	says, err := provider.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := provider.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(says).ReadString('\n')
	took := time.Since(began)
	_ = provider.Process.Kill()
	_ = provider.Wait() // it was killed
	return took, err
}

// theMost is the most that a provider process took of those in the file.
func theMost(file string) (took, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return took{}, err
	}
	var all []took
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		var one took
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return took{}, err
		}
		all = append(all, one)
	}
	if all == nil {
		return took{}, errors.New("no provider was started")
	}
	return slices.MaxFunc(all, func(a, b took) int { return int(a.CPU - b.CPU) }), nil
}
