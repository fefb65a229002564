// Runtests is what "make test" runs: the tests that need no CLI once, then those of
// internal/provider on each CLI that it is given. Gotestsum shows what happens; this program makes
// sure that the result does not depend on who runs it, and that no test is left out unnoticed.
package main

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

type options struct {
	gotestsum          string
	everything, remote bool
	ci                 bool
}

func main() {
	o := options{ci: os.Getenv("CI") == "true"}
	flag.StringVar(&o.gotestsum, "gotestsum", "gotestsum", "the gotestsum to run")
	flag.BoolVar(&o.everything, "everything", false, "run the tests that need no CLI as well; if CI=true, insist on Terraform and OpenTofu")
	flag.BoolVar(&o.remote, "remote", false, "run only the tests that are safe on a real API, on the one that QOD_* name")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := o.run(ctx, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "runtests: %v\n", err)
		os.Exit(1)
	}
}

// stage is one run of go test.
type stage struct {
	name string
	env  []string
	args []string
}

func (o options) run(ctx context.Context, paths []string) error {
	stages, err := o.stages(ctx, paths)
	if err != nil {
		return err
	}
	var failures []error
	var summary strings.Builder
	for _, s := range stages {
		fmt.Printf("\n== %s\n", s.name)
		began := time.Now()
		r, err := o.test(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := errors.Join(err, r.complete()); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", s.name, err))
		}
		fmt.Fprintf(&summary, "%-18s %4d tests, %d failed, %d skipped, in %v\n", s.name, r.Tests, r.Failures, len(r.skipped()), time.Since(began).Round(time.Second))
	}
	fmt.Printf("\n%s", &summary)
	return errors.Join(failures...)
}

// test runs gotestsum, which prints what fails and what is skipped.
func (o options) test(ctx context.Context, s stage) (r results, _ error) {
	report, err := os.CreateTemp("", "qod-tests-*.xml")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.Remove(report.Name()) }()
	cmd := command(ctx, o.gotestsum, append([]string{"--format=pkgname", "--format-hide-empty-pkg", "--junitfile=" + report.Name(), "--"}, s.args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, os.Stdout, os.Stderr
	failed := cmd.Run()
	return r, errors.Join(failed, xml.NewDecoder(report).Decode(&r), report.Close())
}

// results are what this program looks at in a JUnit report.
type results struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Cases    []struct {
		Name    string `xml:"name,attr"`
		Skipped *struct {
			Message string `xml:"message,attr"`
		} `xml:"skipped"`
	} `xml:"testsuite>testcase"`
}

// skipped are the tests that were skipped, with all that they said.
func (r results) skipped() map[string]string {
	skipped := map[string]string{}
	for _, c := range r.Cases {
		if c.Skipped != nil {
			skipped[c.Name] = c.Skipped.Message
		}
	}
	return skipped
}

// A test says in an indented line why it is skipped. That go test names the test proves nothing.
var becauseOfVersion = regexp.MustCompile(`(?m)^ +[^- ].*version`)

// complete refuses skips for another reason than the version of a CLI: what such a test proves
// would be proved nowhere, and nobody would notice.
func (r results) complete() error {
	if r.Tests == 0 {
		return errors.New("no test ran")
	}
	for name, said := range r.skipped() {
		if !becauseOfVersion.MatchString(said) {
			return fmt.Errorf("%s was skipped, and not because of a CLI's version", name)
		}
	}
	return nil
}

func (o options) stages(ctx context.Context, paths []string) ([]stage, error) {
	var clis []cli
	for _, path := range paths {
		c, err := identify(ctx, path)
		if err != nil {
			return nil, err
		}
		clis = append(clis, c)
	}
	if err := o.enough(clis); err != nil {
		return nil, err
	}
	// Whoever runs this may have a configuration file for the CLI, which the tests must not see.
	env := terraform.Environment(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull)
	if o.remote {
		if os.Getenv("QOD_ENDPOINT") == "" {
			return nil, errors.New("these tests create sessions on a real API: name it in QOD_ENDPOINT")
		}
		env = append(env, slices.DeleteFunc(os.Environ(), func(v string) bool { return !strings.HasPrefix(v, "QOD_") })...)
	}
	// More tests at a time than there are processors: most of them wait for a CLI or for the
	// network.
	args := []string{"-parallel=8"}
	race, err := o.race(ctx)
	if err != nil {
		return nil, err
	}
	var stages []stage
	if o.everything {
		packages, err := command(ctx, "go", "list", "./...").Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		provider := regexp.MustCompile(`/internal/provider(/|$)`)
		withoutCLI := slices.DeleteFunc(strings.Fields(string(packages)), provider.MatchString)
		stages = append(stages, stage{"no CLI", env, slices.Concat(args, race, withoutCLI)})
	}
	// No cached results: go does not see that the CLI at a path has become another version.
	args = append(args, "-count=1", "-timeout=20m", "./internal/provider/...")
	if o.remote {
		args = append(args, "-run=^TestRemote")
	}
	for _, c := range clis {
		stages = append(stages, stage{c.name(), slices.Concat(env, c.env()), slices.Concat(race, args)})
		race = nil // another CLI runs the same code of ours, which has been watched once
	}
	return stages, nil
}

// race is the flag that turns the race detector on, where there is one.
func (o options) race(ctx context.Context) ([]string, error) {
	const needs = "the race detector, which needs a C compiler and a platform that it knows"
	switch err := command(ctx, "go", "build", "-race", "runtime/cgo").Run(); {
	case err == nil:
		return []string{"-race"}, nil
	case o.ci:
		return nil, errors.New("CI must use " + needs)
	}
	fmt.Println("Without " + needs + ".")
	return nil, nil
}
