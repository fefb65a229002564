// Runtests is what "make test" runs: the tests that need no CLI once, then those of
// internal/provider once on each CLI it is given, and in the end a table of what ran where.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const acceptance = "./internal/provider/..."

func main() {
	everything := flag.Bool("everything", false, "run the tests that need no CLI too; when CI=true, insist on Terraform and OpenTofu")
	remote := flag.Bool("remote", false, "run only the tests that are safe on a real API, on the one that QOD_* name")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: runtests [-everything | -remote] CLI...\n")
		flag.PrintDefaults()
	}
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *everything, *remote, os.Getenv("CI") == "true", flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "runtests: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, everything, remote, ci bool, paths []string) error {
	var clis []cli
	for _, path := range paths {
		c, err := identify(ctx, path)
		if err != nil {
			return err
		}
		clis = append(clis, c)
	}
	if err := enough(clis, everything, ci); err != nil {
		return err
	}
	if remote {
		if err := named(os.Getenv); err != nil {
			return err
		}
	}
	race, err := raceFlag(ctx, ci)
	if err != nil {
		return err
	}

	env := clean(os.Environ(), remote)
	// More at a time than there are processors: most of a test is spent waiting for a CLI or the network.
	const parallel = "-parallel=6"
	var steps []step
	if everything {
		packages, err := withoutCLI(ctx)
		if err != nil {
			return err
		}
		steps = append(steps, step{name: "no CLI", env: env, args: slices.Concat(race, []string{parallel}, packages)})
	}
	for _, c := range clis {
		// No cached results: go cannot see that a CLI at the same path has become another version.
		args := slices.Concat(race, []string{"-count=1", "-timeout=20m", parallel, acceptance})
		if remote {
			args = append([]string{"-run=^TestRemote"}, args...)
		}
		steps = append(steps, step{name: c.String(), env: slices.Concat(env, c.env()), args: args})
	}
	return runAll(ctx, steps)
}

// step is one run of go test.
type step struct {
	name string
	env  []string
	args []string
}

func runAll(ctx context.Context, steps []step) error {
	var failed []string
	var tallies []tally
	for _, s := range steps {
		fmt.Printf("== go test on %s\n", s.name)
		t, err := s.run(ctx)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err == nil && t.passed+t.failed == 0 {
			err = errors.New("no test ran")
		}
		err = cmp.Or(err, onlyForVersions(t.skipped))
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", s.name, err))
		}
		tallies = append(tallies, t)
	}
	fmt.Println()
	summarize(os.Stdout, steps, tallies)
	if failed != nil {
		return errors.New(strings.Join(failed, "; "))
	}
	return nil
}

// onlyForVersions refuses skips for another reason than the version of a CLI: what such a test
// proves would be proved nowhere, and nobody would notice.
func onlyForVersions(skipped []string) error {
	for _, s := range skipped {
		if _, why, _ := strings.Cut(s, ": "); !strings.Contains(why, "version") {
			return fmt.Errorf("skipped for another reason than a CLI's version: %s", s)
		}
	}
	return nil
}

func (s step) run(ctx context.Context) (tally, error) {
	cmd := command(ctx, "go", append([]string{"test", "-json"}, s.args...)...)
	cmd.Env = s.env
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return tally{}, err
	}
	if err := cmd.Start(); err != nil {
		return tally{}, err
	}
	t, err := follow(out, os.Stdout)
	return t, cmp.Or(cmd.Wait(), err)
}

// command is a child that an interrupt reaches, and that has then a moment to clean up.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// withoutCLI are the packages whose tests need no CLI.
func withoutCLI(ctx context.Context) ([]string, error) {
	all, err := command(ctx, "go", "list", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	provider := regexp.MustCompile(`/internal/provider(/|$)`)
	return slices.DeleteFunc(strings.Fields(string(all)), provider.MatchString), nil
}

// raceFlag turns the race detector on where it works, and says so where it does not.
func raceFlag(ctx context.Context, ci bool) ([]string, error) {
	if err := command(ctx, "go", "build", "-race", "runtime/cgo").Run(); err == nil {
		return []string{"-race"}, nil
	}
	const why = "the race detector needs a C compiler and a platform it knows, and this machine lacks one of them"
	if ci {
		return nil, errors.New(why + "; CI must use it")
	}
	fmt.Println("Without -race: " + why + ".")
	return nil, nil
}

// clean drops what would make a test depend on who runs it: every TF_ and QOD_ variable, except
// that a remote run needs the QOD_ ones. The CLI's own configuration file counts as one.
func clean(environ []string, remote bool) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "QOD_") && !remote
	})
	return append(kept, "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
}

// named checks that the environment names an API. Sessions are billed, so there is no default.
func named(getenv func(string) string) error {
	var missing []string
	if getenv("QOD_TEST_PHONE_NUMBER") == "" {
		missing = append(missing, "QOD_TEST_PHONE_NUMBER (a device of yours)")
	}
	if getenv("QOD_ENDPOINT") == "" {
		missing = append(missing, "QOD_ENDPOINT")
	}
	if getenv("QOD_ACCESS_TOKEN") == "" && (getenv("QOD_CLIENT_ID") == "" || getenv("QOD_CLIENT_SECRET") == "") {
		missing = append(missing, "QOD_CLIENT_ID and QOD_CLIENT_SECRET (or QOD_ACCESS_TOKEN)")
	}
	if missing != nil {
		return fmt.Errorf("these tests reserve sessions on a real API: set %s", strings.Join(missing, ", "))
	}
	return nil
}

// cli is a Terraform or an OpenTofu.
type cli struct{ product, version, path string }

func (c cli) String() string { return c.product + " " + c.version }

var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)$`)

func identify(ctx context.Context, path string) (cli, error) {
	path, err := exec.LookPath(path)
	if err != nil {
		return cli{}, err
	}
	// Tests run in their package's directory.
	if path, err = filepath.Abs(path); err != nil {
		return cli{}, err
	}
	cmd := command(ctx, path, "version")
	cmd.Env = clean(os.Environ(), false)
	out, err := cmd.Output()
	if err != nil {
		return cli{}, fmt.Errorf("%s version: %w", path, err)
	}
	found := versionLine.FindStringSubmatch(string(out))
	if found == nil {
		return cli{}, fmt.Errorf("%s is neither Terraform nor OpenTofu", path)
	}
	return cli{product: found[1], version: found[2], path: path}, nil
}

// env chooses the CLI, for the testing library and for the tests that run one themselves.
func (c cli) env() []string {
	env := []string{"TF_ACC_TERRAFORM_PATH=" + c.path}
	if c.product == "OpenTofu" {
		// Where OpenTofu looks for a provider whose source names no registry.
		env = append(env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org")
	}
	return env
}

// enough says what has no CLI to run on. CI must have both, a person need not.
func enough(clis []cli, everything, ci bool) error {
	if len(clis) == 0 {
		return errors.New("no CLI to test on")
	}
	if !everything {
		return nil
	}
	for _, product := range []string{"Terraform", "OpenTofu"} {
		if slices.ContainsFunc(clis, func(c cli) bool { return c.product == product }) {
			continue
		}
		if ci {
			return fmt.Errorf("CI must test on Terraform and on OpenTofu, and there is no %s", product)
		}
		fmt.Printf("Without %s: there is none on the PATH.\n", product)
	}
	return nil
}
