// Mutants removes, one at a time, the lines that keep the provider's promises, and insists that
// the test of the promise goes red: a test that cannot fail proves nothing. Nor does one that is red
// anyway, so each has to be green first. It changes no file; each mutant exists in an overlay of the
// Go build alone.
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
)

func main() {
	only := flag.String("only", "", "run the mutants whose promise contains this text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	survived, tried := 0, 0
	green := map[string]bool{} // tests, by command, without a mutant
	for _, m := range mutants {
		if !strings.Contains(m.promise, only) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		tried++
		if command := strings.Join(m.command(), " "); !green[command] {
			if out, err := m.run(ctx, ""); err != nil {
				return fmt.Errorf("%s is red without a mutant:\n%s", m.test, out)
			}
			green[command] = true
		}
		killed, err := m.killed(ctx, root)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", m.promise, err)
		case killed:
			fmt.Printf("killed    %-52s by %s\n", m.promise, m.test)
		default:
			survived++
			fmt.Printf("SURVIVED  %-52s although %s ran\n", m.promise, m.test)
		}
	}
	if survived > 0 || tried == 0 {
		return fmt.Errorf("%d of %d mutants survived", survived, tried)
	}
	fmt.Printf("all %d mutants were killed\n", tried)
	return nil
}

// killed runs the mutant's test on the changed file.
func (m mutant) killed(ctx context.Context, root string) (bool, error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	file := filepath.Join(root, filepath.FromSlash(m.file))
	source, err := m.applied(file)
	if err != nil {
		return false, err
	}
	changed := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(changed, []byte(source), 0o600); err != nil {
		return false, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return false, err
	}
	config := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(config, overlay, 0o600); err != nil {
		return false, err
	}

	out, err := m.run(ctx, config)
	return judged(out, err)
}

// judged reports whether a test noticed its mutant. A command that fails for another reason than a
// test that does proves nothing either way.
func judged(out string, err error) (killed bool, _ error) {
	switch {
	case strings.Contains(out, "no tests to run"):
		return false, errors.New("there is no such test")
	case err == nil:
		return false, nil
	case strings.Contains(out, "--- FAIL: "), strings.Contains(out, "\npanic: "):
		return true, nil
	}
	return false, fmt.Errorf("no test failed, and yet: %w\n%s", err, out)
}

func (m mutant) command() []string {
	return []string{"test", "-count=1", "-timeout=5m", "-run=^(" + m.test + ")$", m.pkg}
}

// run runs the mutant's test, with the overlay if there is one.
func (m mutant) run(ctx context.Context, overlay string) (string, error) {
	test := exec.CommandContext(ctx, "go", m.command()...)
	if overlay != "" {
		// In the environment, so that the binary which a test builds is mutated, too.
		test.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay)
	}
	out, err := test.CombinedOutput()
	return string(out), err
}

// applied returns the file with the mutant in it, which must have the line once.
func (m mutant) applied(file string) (string, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.line); n != 1 {
		return "", fmt.Errorf("%s holds the line %d times, want once: %s", m.file, n, m.line)
	}
	return strings.Replace(string(source), m.line, m.instead, 1), nil
}
