package main

import (
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
