// Mutants is what "make mutants" runs. For each promise of the guide "Reliability" it undoes a line
// that keeps the promise, and insists that the promise's test fails: a test that cannot fail proves
// nothing. It changes no file; a mutant exists only in an overlay of the Go build.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"
)

// mutant is a change of one file, as testdata/*.txtar has it.
type mutant struct {
	promise       string // as the guide says it
	pkg           string // of the tests that notice
	tests         string // as go test -run takes them
	file          string // in which before stands exactly once
	before, after string
}

func main() {
	only := flag.String("only", "", "run only the mutants whose file name contains this text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	files, err := filepath.Glob("internal/cmd/mutants/testdata/*" + only + "*.txtar")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no mutants: %w", err)
	}
	mutants := map[string]mutant{}
	tests := map[string][]string{} // by package
	for _, file := range files {
		m, err := parse(file)
		if err != nil {
			return err
		}
		mutants[file] = m
		tests[m.pkg] = append(tests[m.pkg], m.tests)
	}
	// A test that fails anyway would notice nothing.
	for pkg, tests := range tests {
		if err := test(ctx, pkg, strings.Join(tests, "|"), ""); err != nil {
			return fmt.Errorf("without a mutant: %w", err)
		}
	}
	survived := 0
	for _, file := range files {
		killed, err := mutants[file].killed(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		verdict := "killed"
		if !killed {
			verdict = "SURVIVED"
			survived++
		}
		fmt.Printf("%-8s  %s\n", verdict, strings.TrimSuffix(filepath.Base(file), ".txtar"))
	}
	if survived > 0 {
		return fmt.Errorf("%d of %d mutants survived", survived, len(files))
	}
	return nil
}

func parse(file string) (mutant, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return mutant{}, err
	}
	parts := map[string]string{}
	for _, part := range archive.Files {
		parts[part.Name] = strings.TrimSuffix(string(part.Data), "\n")
	}
	pkg, tests, _ := strings.Cut(parts["test"], " ")
	return mutant{strings.TrimSpace(string(archive.Comment)), pkg, tests, parts["file"], parts["before"], parts["after"]}, nil
}

// apply returns the file with the mutant in it.
func (m mutant) apply(root string) (string, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.before); m.before == "" || n != 1 {
		return "", fmt.Errorf("%s holds this %d times, want once:\n%s", m.file, n, m.before)
	}
	return strings.Replace(string(source), m.before, m.after, 1), nil
}

// killed reports whether the tests notice the mutant. A build that fails proves nothing either way.
func (m mutant) killed(ctx context.Context) (killed bool, err error) {
	root, err := os.Getwd()
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	source, err := m.apply(root)
	if err != nil {
		return false, err
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): changed}})
	if err := errors.Join(err, os.WriteFile(changed, []byte(source), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return false, err
	}
	err = test(ctx, m.pkg, m.tests, overlay)
	if err != nil && (strings.Contains(err.Error(), "--- FAIL: ") || strings.Contains(err.Error(), "\npanic: ")) {
		return true, nil
	}
	return false, err
}

// test runs tests of a package, with an overlay if there is one.
func test(ctx context.Context, pkg, tests, overlay string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout=10m", "-failfast", "-run=^("+tests+")$", "./"+pkg)
	if overlay != "" {
		// In the environment, so that the binary which a test builds has the mutant, too.
		cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
