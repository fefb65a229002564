package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A line that was reworded, or a test that was renamed, would leave a promise unguarded until
// somebody runs the mutants.
func TestMutantsApply(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	for _, m := range mutants {
		if _, err := m.applied(filepath.Join(root, filepath.FromSlash(m.file))); err != nil {
			t.Errorf("%s: %v", m.promise, err)
		}
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(m.pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var tests strings.Builder
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(source)
		}
		for _, name := range strings.Split(m.test, "|") {
			if !regexp.MustCompile(`(?m)^func ` + name + `\(`).MatchString(tests.String()) {
				t.Errorf("%s: there is no test %s in %s", m.promise, name, m.pkg)
			}
		}
	}
}

// Only a test that failed has noticed anything.
func TestJudged(t *testing.T) {
	t.Parallel()
	failed := errors.New("exit status 1")
	for out, want := range map[string]struct {
		err    error
		killed bool
		wrong  bool
	}{
		"ok  \tpkg\t0.1s":                                    {},
		"--- FAIL: TestX (0.00s)\nFAIL\tpkg\t0.1s":           {err: failed, killed: true},
		"x\npanic: test timed out after 5m0s\nFAIL\tpkg":     {err: failed, killed: true},
		"# pkg\nfile.go:1:1: undefined: x\nFAIL\tpkg":        {err: failed, wrong: true},
		"FAIL\tpkg [setup failed]":                           {err: failed, wrong: true},
		"signal: killed":                                     {err: failed, wrong: true},
		"testing: warning: no tests to run\nok  \tpkg\t0.1s": {wrong: true},
	} {
		killed, err := judged(out, want.err)
		if killed != want.killed || (err != nil) != want.wrong {
			t.Errorf("%q: killed %v, error %v", out, killed, err)
		}
	}
}
