// Proves that no link between the pages is dead, neither on GitHub nor in the Registry.

package provider

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)">`)
	code    = regexp.MustCompile("(?ms)^```.*?^```")
)

// anchorOf is the anchor that GitHub and the Registry make of a heading.
func anchorOf(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteRune('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// anchorsOf are those of a page.
func anchorsOf(page string) map[string]bool {
	anchors := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(code.ReplaceAllString(page, ""), -1) {
		anchors[anchorOf(found[1])] = true
	}
	for _, found := range anchor.FindAllStringSubmatch(page, -1) {
		anchors[found[1]] = true
	}
	return anchors
}

func TestLinks(t *testing.T) {
	t.Parallel()
	const root = "../.."
	pages := []string{"README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(page string) string {
		content, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	checked := 0
	for _, page := range pages {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(read(page), ""), -1) {
			target := found[1]
			// What is of this repository is a file here, wherever the page is read.
			for _, view := range []string{"https://github.com/telefonica/terraform-provider-qod/tree/main/", "https://github.com/telefonica/terraform-provider-qod/blob/main/"} {
				if path, ours := strings.CutPrefix(target, view); ours {
					if _, err := os.Stat(filepath.Join(root, path)); err != nil {
						t.Errorf("%s links to %s, which is not there", page, path)
					}
				}
			}
			if strings.Contains(target, "://") {
				continue
			}
			checked++
			file, fragment, _ := strings.Cut(target, "#")
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s links to %s: there is no %s, and GitHub needs the .md", page, target, to)
				continue
			}
			if fragment != "" && !anchorsOf(read(to))[fragment] {
				t.Errorf("%s links to %s: %s has no such heading", page, target, to)
			}
			// Outside of docs, the Registry shows nothing.
			if strings.HasPrefix(page, "docs/") && !strings.HasPrefix(to, "docs/") {
				t.Errorf("%s links to %s, which the Registry does not show", page, target)
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d links were found", checked)
	}
}
