package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

// promises are those of the guide, each with its tests.
func promises(t *testing.T) map[string]string {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join(root, "templates", "guides", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (.+) \\| (`Test.+`) \\|$").FindAllStringSubmatch(string(guide), -1) {
		found[row[1]] = row[2]
	}
	return found
}

// A line that was reworded, a test that was renamed, or a promise that is new would leave the
// promise unguarded until somebody runs the mutants.
func TestMutants(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	promises := promises(t)
	mutated := map[string]bool{}
	declared := map[string]map[string]bool{} // by package
	for _, file := range files {
		m, err := parse(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.apply(root); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if promises[m.promise] == "" {
			t.Errorf("%s: the guide does not promise: %s", file, m.promise)
		}
		mutated[m.promise] = true
		if declared[m.pkg] == nil {
			declared[m.pkg] = testsOf(t, filepath.Join(root, m.pkg))
		}
		for test := range strings.SplitSeq(m.tests, "|") {
			if !declared[m.pkg][test] || !strings.Contains(promises[m.promise], "`"+test+"`") {
				t.Errorf("%s: %s is no test in %s that the guide names for this promise", file, test, m.pkg)
			}
		}
	}
	for promise := range promises {
		if !mutated[promise] {
			t.Errorf("no mutant shows that a test holds this promise: %s", promise)
		}
	}
	if len(promises) < 30 {
		t.Errorf("the guide has %d promises that this test can read", len(promises))
	}
}

func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}
