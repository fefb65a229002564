// Proves of what runs only on GitHub that all of it is there, and that no workflow can do more than
// it must.
package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestWorkflows(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows: %v, %v", files, err)
	}
	uses := regexp.MustCompile(`uses: (\S+)(.*)`)
	pinned := regexp.MustCompile(`^[\w-]+/[\w/-]+@[0-9a-f]{40}$`)
	for _, file := range append(files, "examples/pipeline/github-actions.yml") {
		text := read(t, file)
		if !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s does not begin with the right to read and no other", file)
		}
		for _, match := range uses.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(match[1], "./") && (!pinned.MatchString(match[1]) || !strings.HasPrefix(match[2], " # v")) {
				t.Errorf("%s uses %s%s, which is not pinned to a commit with its version beside it", file, match[1], match[2])
			}
		}
		for part, of := range map[string]string{
			"persist-credentials: false": "uses: actions/checkout@",
			"timeout-minutes: ":          "runs-on: ",
			"terraform_wrapper: false":   "uses: hashicorp/setup-terraform@",
		} {
			if got, want := strings.Count(text, part), strings.Count(text, of); got != want {
				t.Errorf("%s has %q %d times for %d times %q", file, part, got, want, of)
			}
		}
	}
	rights := regexp.MustCompile(`(?m)^ +[\w-]+: write`)
	for file, want := range map[string][]string{
		"test.yml":    nil,
		"nightly.yml": nil,
		"release.yml": {"contents: write", "id-token: write", "attestations: write"},
	} {
		var got []string
		for _, right := range rights.FindAllString(read(t, ".github/workflows/"+file), -1) {
			got = append(got, strings.TrimSpace(right))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s may %v, want %v", file, got, want)
		}
	}
}

// Every check has a job, and a release is signed, attested and can be built again to the same
// bytes.
func TestConfiguration(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	for file, parts := range map[string][]string{
		".github/workflows/test.yml": {
			"run: make lint", "run: make docs-check", "run: make test", "run: make demo", "run: make vulncheck", "run: make release-check",
			"run: make testacc", "version: ['1.11.*', '1.12.*', '1.13.*', '1.14.*', latest]", "cli: tofu",
		},
		".github/workflows/nightly.yml": {"run: make soak", "run: make mutants", "run: make vulncheck", "cron: "},
		".github/workflows/release.yml": {"tags: ['v*']", "needs: test", "run: make release", "attest-build-provenance", "download-syft", "ghaction-import-gpg"},
		".goreleaser.yml": {
			"goos: [linux, darwin, windows, freebsd]\n    goarch: [amd64, arm64, arm, '386']", "artifacts: checksum", "artifacts: archive",
			"mod_timestamp: '{{ .CommitTimestamp }}'", "- -trimpath", "mtime: '{{ .CommitDate }}'",
		},
		// The protocol that the provider speaks, as the registry is told.
		"terraform-registry-manifest.json": {`"version": 1`, `"protocol_versions": ["6.0"]`},
	} {
		text := read(t, file)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q", file, part)
			}
		}
	}
	if strings.Contains(read(t, ".goreleaser.yml"), "--armor") {
		t.Error("a registry wants signatures in binary form")
	}
}

// The changelog is written by hand, in a form that readers and the Registry's users know.
func TestChangelog(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	kinds := []string{"BREAKING CHANGES:", "NOTES:", "FEATURES:", "ENHANCEMENTS:", "BUG FIXES:"}
	entry := regexp.MustCompile(`^\* (\*\*New [A-Z][A-Za-z ]+:\*\* |(resource|data-source|list-resource)/qod_[a-z]+(, resource/qod_[a-z]+)?: |(provider|qod-sandbox|docs): )`)
	heading := regexp.MustCompile(`^## \d+\.\d+\.\d+ \((unreleased|\d{4}-\d\d-\d\d)\)$`)
	kind := -1
	for line := range strings.Lines(read(t, "CHANGELOG.md")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "## "):
			if !heading.MatchString(line) {
				t.Errorf("no version and date: %s", line)
			}
			kind = -1
		case strings.HasPrefix(line, "* ") && (kind < 0 || !entry.MatchString(line)):
			t.Errorf("says not what it concerns, or is of no kind: %s", line)
		case strings.HasSuffix(line, ":") && line == strings.ToUpper(line):
			at := slices.Index(kinds, line)
			if at <= kind {
				t.Errorf("%s is no kind, or not in the order of %v", line, kinds)
			}
			kind = at
		}
	}
}

// CONTRIBUTING leads newcomers to files by name, so each of them must exist.
func TestContributing(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	var files []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".tools") {
			return filepath.SkipDir
		}
		files = append(files, "/"+filepath.ToSlash(path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w./-]+(?:\\.(?:go|md|yaml)|/[\\w-]+))`").FindAllStringSubmatch(read(t, ".github/CONTRIBUTING.md"), -1)
	if len(named) < 40 {
		t.Errorf("CONTRIBUTING names %d files, want those of every step", len(named))
	}
	// Of the repositories of the API documents, which "make specs-check" needs.
	published := []string{"quality-on-demand.yaml", "qos-profiles.yaml", "qod-api.yaml", "code/API_definitions", "v0/catalog/qod/qod_010_openapi.yaml"}
	for _, match := range named {
		name := match[1]
		if slices.Contains(published, name) || strings.Contains(name, "NAME") || name == "testing/synctest" {
			continue
		}
		if !slices.ContainsFunc(files, func(file string) bool { return strings.HasSuffix(file, "/"+name) }) {
			t.Errorf("CONTRIBUTING names %s, which does not exist", name)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
