// Proves that the check of a release can fail. The whole of it runs as "make release-check".
package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var ofCommit = time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)

// packed makes an archive of empty files.
func packed(t *testing.T, archive string, files ...zip.FileHeader) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), archive)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	for _, header := range files {
		if _, err := w.CreateHeader(&header); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func file(name string, mode fs.FileMode, modified time.Time) zip.FileHeader {
	header := zip.FileHeader{Name: name, Modified: modified}
	header.SetMode(mode)
	return header
}

func TestHolds(t *testing.T) {
	t.Parallel()
	binary := name + "_v" + version
	good := file(binary, 0o755, ofCommit)
	for title, test := range map[string]struct {
		archive string
		files   []zip.FileHeader
		says    string
	}{
		"as it should be": {"linux_amd64.zip", []zip.FileHeader{file("LICENSE", 0o644, ofCommit), good}, ""},
		"on Windows":      {name + "_windows_arm64.zip", []zip.FileHeader{file(binary+".exe", 0o755, ofCommit)}, ""},
		"no .exe":         {name + "_windows_arm64.zip", []zip.FileHeader{good}, "want " + binary + ".exe"},
		"nothing":         {"linux_amd64.zip", nil, "executables []"},
		"another version": {"linux_amd64.zip", []zip.FileHeader{file(name+"_v9", 0o755, ofCommit)}, "want " + binary},
		"two":             {"linux_amd64.zip", []zip.FileHeader{good, file(name, 0o755, ofCommit)}, "alone"},
		"not executable":  {"linux_amd64.zip", []zip.FileHeader{file(binary, 0o644, ofCommit)}, "cannot be executed"},
		"of today":        {"linux_amd64.zip", []zip.FileHeader{file("LICENSE", 0o644, ofCommit.Add(time.Hour)), good}, "LICENSE is of"},
	} {
		fails(t, title, holds(packed(t, test.archive, test.files...), ofCommit), test.says)
	}
}

func TestSums(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	manifest, err := os.ReadFile("terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	line := func(content []byte, of string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256(content), of) }
	ofManifest := line(manifest, name+"_"+version+"_manifest.json")
	ofArchive := line([]byte("an archive"), "a.zip")
	for title, test := range map[string]struct{ list, says string }{
		"right":          {ofArchive + ofManifest, ""},
		"no manifest":    {ofArchive, "lacks"},
		"no archive":     {ofManifest, "lacks"},
		"a wrong sum":    {line([]byte("another"), "a.zip") + ofManifest, "of a.zip, which is"},
		"a file extra":   {ofArchive + ofManifest + line(nil, "b.zip"), "lists b.zip"},
		"the same twice": {ofArchive + ofArchive + ofManifest, "lists a.zip"},
	} {
		c := check{dist: t.TempDir()}
		for name, content := range map[string]string{"a.zip": "an archive", sumsFile: test.list} {
			if err := os.WriteFile(filepath.Join(c.dist, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fails(t, title, c.sums(), test.says)
	}
}

func fails(t *testing.T, title string, err error, says string) {
	t.Helper()
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want %q", title, err, says)
	}
}
