package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const modulePath = "github.com/telefonica/terraform-provider-qod"

// published writes the module of this working tree to a file-based module proxy.
func published(t *testing.T, version string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	// go run with a version refuses modules that have a replace directive.
	if bytes.Contains(gomod, []byte("\nreplace ")) {
		t.Error("go.mod replaces modules, so that nobody can run its commands without a clone")
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, module.Version{Path: modulePath, Version: version}, sources(t, root)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2028-02-29T20:15:00Z"}`, version),
		version + ".mod":  gomod,
		version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proxy
}

// sources are the files of the module, without nested modules and build results.
func sources(t *testing.T, root string) []zip.File {
	t.Helper()
	var files []zip.File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if name != "." && (nested == nil || strings.HasPrefix(name, ".") || name == "bin" || name == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			files = append(files, source{path: path, name: filepath.ToSlash(name)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

type source struct{ path, name string }

func (s source) Path() string                 { return s.name }
func (s source) Lstat() (os.FileInfo, error)  { return os.Lstat(s.path) }
func (s source) Open() (io.ReadCloser, error) { return os.Open(s.path) }

// The first command in the documentation: go run …/qod-sandbox@latest exec, outside a clone and
// outside a module.
func TestRunWithoutAClone(t *testing.T) {
	t.Parallel()
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	downloads := filepath.ToSlash(filepath.Join(strings.TrimSpace(string(cache)), "cache", "download"))
	cmd := exec.CommandContext(t.Context(), "go", "run", modulePath+"/internal/cmd/qod-sandbox@latest", "exec", "-quiet", "--", os.Args[0], "child", "create=+34600123456")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(),
		"GOPROXY=file://"+filepath.ToSlash(published(t, "v0.0.1"))+",file://"+downloads,
		"GOMODCACHE="+t.TempDir(), // keep the test's module out of the user's cache
		// Without the paths of that directory, dependencies are built once for all runs.
		"GOFLAGS=-modcacherw -mod=mod -trimpath", "GOSUMDB=off", "GONOPROXY=", "GOPRIVATE=", "GOWORK=off",
	)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 session was still live:") {
		t.Errorf("%v\n%s", err, out)
	}
}
