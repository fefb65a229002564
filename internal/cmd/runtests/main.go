// Runtests is what "make test" runs: first all tests without a CLI, in which those that ask for one
// are skipped, then just these on each CLI; those for which any CLI will do, on the last one. So a
// test that starts no CLI runs once, and nobody has to say which ones do. Gotestsum shows what
// happens; this program makes sure that the result does not depend on who runs it, and that no test
// is left out unnoticed.
package main

import (
	"cmp"
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

	noCLI   bool // tests that ask for a CLI are skipped, and left to later stages
	resumes bool // it runs just the tests that an earlier stage has left to it
}

func (o options) run(ctx context.Context, paths []string) error {
	stages, err := o.stages(ctx, paths)
	if err != nil {
		return err
	}
	var failures []error
	var summary strings.Builder
	var left []test // by the stage without a CLI to those with one
	for i, s := range stages {
		fmt.Printf("\n== %s\n", s.name)
		began := time.Now()
		mine, others := left, []test(nil)
		if i < len(stages)-1 {
			mine, others = divide(left)
		}
		if s.resumes {
			s.args = slices.Concat(s.args, only(mine, others))
		}
		r, err := o.test(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = errors.Join(err, r.complete())
		if s.noCLI {
			left = r.left()
		} else {
			err = errors.Join(err, r.ran(mine))
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", s.name, err))
		}
		fmt.Fprintf(&summary, "%-18s %s, in %v\n", s.name, r, time.Since(began).Round(time.Second))
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
	format := "pkgname"
	if o.remote {
		format = "standard-verbose" // what a test could not try there, it says in its log
	}
	args := []string{"--format=" + format, "--format-hide-empty-pkg", "--junitfile=" + report.Name()}
	if s.noCLI {
		args = append(args, "--hide-summary=skipped")
	}
	cmd := command(ctx, o.gotestsum, slices.Concat(args, []string{"--"}, s.args)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, os.Stdout, os.Stderr
	failed := cmd.Run()
	return r, errors.Join(failed, xml.NewDecoder(report).Decode(&r), report.Close())
}

// results are what this program looks at in a JUnit report.
type results struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Cases    []struct {
		Package string `xml:"classname,attr"`
		Name    string `xml:"name,attr"`
		Skipped *struct {
			Message string `xml:"message,attr"`
		} `xml:"skipped"`
	} `xml:"testsuite>testcase"`
}

// test is a test or a subtest, such as TestGuide/pipeline.
type test struct {
	pkg, name string
	anyCLI    bool // one CLI is enough
}

// sorted reads the reasons of the skips: some tests need a CLI, the others are returned with all
// that they said.
func (r results) sorted() (needCLI []test, others map[string]string) {
	others = map[string]string{}
	for _, c := range r.Cases {
		switch {
		case c.Skipped == nil:
		case strings.Contains(c.Skipped.Message, terraform.NeedsCLI), strings.Contains(c.Skipped.Message, terraform.NeedsAnyCLI):
			needCLI = append(needCLI, test{c.Package, c.Name, strings.Contains(c.Skipped.Message, terraform.NeedsAnyCLI)})
		default:
			others[c.Name] = c.Skipped.Message
		}
	}
	return needCLI, others
}

// left are the tests that the stages of the CLIs have to run.
func (r results) left() []test {
	left, _ := r.sorted()
	slices.SortFunc(left, func(a, b test) int { return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.name, b.name)) })
	return slices.Compact(left)
}

// divide separates the tests that have to run on each CLI from those for which one is enough.
func divide(tests []test) (each, enough []test) {
	for _, t := range tests {
		if t.anyCLI {
			enough = append(enough, t)
		} else {
			each = append(each, t)
		}
	}
	return each, enough
}

// only are the arguments with which go test runs these tests, and not the others.
func only(tests, others []test) []string {
	var names, packages, skipped []string
	for _, t := range tests {
		name, _, _ := strings.Cut(t.name, "/")
		names, packages = append(names, name), append(packages, t.pkg)
	}
	for _, t := range others {
		elements := strings.Split(regexp.QuoteMeta(t.name), "/")
		skipped = append(skipped, "^"+strings.Join(elements, "$/^")+"$")
	}
	args := []string{"-run=^(" + strings.Join(slices.Compact(names), "|") + ")$"}
	if len(skipped) > 0 {
		args = append(args, "-skip="+strings.Join(skipped, "|"))
	}
	return append(args, slices.Compact(packages)...)
}

// ran checks that the stage of a CLI has run each of these tests.
func (r results) ran(tests []test) error {
	if again := r.left(); len(again) > 0 {
		return fmt.Errorf("%s in %s found no CLI", again[0].name, again[0].pkg)
	}
	ran := map[test]bool{}
	for _, c := range r.Cases {
		ran[test{pkg: c.Package, name: c.Name}] = true
	}
	for _, t := range tests {
		if !ran[test{pkg: t.pkg, name: t.name}] {
			return fmt.Errorf("%s in %s starts a CLI, and did not run on this one", t.name, t.pkg)
		}
	}
	return nil
}

// A test says in an indented line why it is skipped. That go test names the test proves nothing.
var becauseOfVersion = regexp.MustCompile(`(?m)^ +[^- ].*version`)

// complete refuses skips for another reason than that it is for the stages of the CLIs, or the
// version of one: what such a test proves would be proved nowhere, and nobody would notice.
func (r results) complete() error {
	if r.Tests == 0 {
		return errors.New("no test ran")
	}
	_, others := r.sorted()
	for name, said := range others {
		if !becauseOfVersion.MatchString(said) {
			return fmt.Errorf("%s was skipped, and not because of a CLI's version", name)
		}
	}
	return nil
}

// String is the tally.
func (r results) String() string {
	needCLI, others := r.sorted()
	tally := fmt.Sprintf("%4d tests, %d failed, %d skipped", r.Tests-len(needCLI), r.Failures, len(others))
	if len(needCLI) > 0 {
		tally += fmt.Sprintf(", %d left to the CLIs", len(needCLI))
	}
	return tally
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
	// The processes of a test are short, and the machine has memory to spare.
	env = append(env, "GOGC=400")
	// The time limit is for tests that hang, not for a busy machine.
	args := []string{"-timeout=60m"}
	race, err := o.race(ctx)
	if err != nil {
		return nil, err
	}
	var stages []stage
	if o.everything {
		noCLI := cli{path: terraform.NoCLI}
		stages = append(stages, stage{name: "no CLI", env: slices.Concat(env, noCLI.env()), args: slices.Concat(args, []string{"-parallel=8", "./..."}), noCLI: true})
	}
	// No cached results: go does not see that the CLI at a path has become another version. More
	// tests at a time than without a CLI, where some measure time: most of these wait for one.
	args = append(args, "-count=1", "-parallel=16")
	for _, c := range clis {
		s := stage{name: c.name(), env: slices.Concat(env, c.env()), args: args, resumes: o.everything}
		switch {
		case o.remote:
			s.args = slices.Concat(args, []string{"./internal/provider", "-run=^TestRemote"})
		case !o.everything:
			s.args = slices.Concat(args, []string{"./internal/provider/..."})
		}
		stages = append(stages, s)
	}
	// Once is enough: what later stages run side by side is the same code of ours.
	stages[0].args = slices.Concat(race, stages[0].args)
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
