// Releasecheck is what "make release-check" runs: it makes the archives of a release, looks into them as
// a registry would, and takes the quickstart through its life with a provider that each CLI has
// installed from them. It signs with a key of its own, publishes nothing, and works in a temporary
// directory.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	name = "terraform-provider-qod"
	// No pre-release: those are installed only when a configuration names them.
	version = "0.0.1"

	sumsFile = name + "_" + version + "_SHA256SUMS"
)

func main() {
	var c check
	flag.StringVar(&c.goreleaser, "goreleaser", "goreleaser", "the goreleaser to run")
	flag.StringVar(&c.demo, "demo", "", "the demo, built")
	flag.BoolVar(&c.all, "all", false, "build for every platform, not for this one and a foreign one")
	flag.Parse()
	c.clis = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "releasecheck: %v\n", err)
		os.Exit(1)
	}
}

type check struct {
	goreleaser, demo string
	all              bool
	clis             []string

	dist string
}

func (c *check) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "qod-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.dist = filepath.Join(dir, "dist")
	if err := c.build(ctx, dir); err != nil {
		return err
	}
	archives, err := c.archives()
	if err != nil {
		return err
	}
	if err := c.sums(); err != nil {
		return err
	}
	committed, err := committed(ctx)
	if err != nil {
		return err
	}
	for _, archive := range archives {
		if err := holds(archive, committed); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(archive), err)
		}
	}
	fmt.Printf("%d archives are as a registry wants them, and their checksums are right\n", len(archives))
	if err := c.reproducible(ctx, dir); err != nil {
		return err
	}
	mirror, err := c.mirror(dir, archives)
	if err != nil {
		return err
	}
	for _, cli := range c.clis {
		fmt.Printf("\n== the quickstart on %s, which installs the provider from the archives\n", filepath.Base(cli))
		if err := stream(ctx, c.demo, "-cli", cli, "-mirror", mirror); err != nil {
			return err
		}
	}
	return nil
}

// targets are this platform, which is tried, and one that shows that others build.
func targets() []string {
	foreign := "windows_arm64"
	if runtime.GOOS == "windows" {
		foreign = "linux_arm64"
	}
	return []string{runtime.GOOS + "_" + runtime.GOARCH, foreign}
}

// build runs goreleaser by the release's own configuration, to which it adds where to put things, what
// to call the version, and which platforms are enough.
func (c *check) build(ctx context.Context, dir string) error {
	config, err := os.ReadFile(".goreleaser.yml")
	if err != nil {
		return err
	}
	text := string(config) + fmt.Sprintf("\ndist: %q\nsnapshot:\n  version_template: %q\n", c.dist, version)
	if !c.all {
		const before = "\n    goos: ["
		if strings.Count(text, before) != strings.Count(text, "\n  - id: ")/2 {
			return errors.New("the builds in .goreleaser.yml are not written as this check knows them")
		}
		text = strings.ReplaceAll(text, before, "\n    targets: ["+strings.Join(targets(), ", ")+"]"+before)
	}
	file := filepath.Join(dir, "goreleaser.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	key, err := newKey(ctx, dir)
	if err != nil {
		return err
	}
	defer key.forget(ctx)
	skip := "sbom,publish,announce"
	if key == nil {
		skip += ",sign"
	}
	fmt.Println("== building the archives")
	cmd := exec.CommandContext(ctx, c.goreleaser, "release", "--snapshot", "--clean", "--skip="+skip, "--config", file)
	// In a clone without a remote goreleaser knows no commit, and so no time of it.
	cmd.Env = append(key.environment(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=remote.origin.url", "GIT_CONFIG_VALUE_0=https://github.com/telefonica/terraform-provider-qod")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("goreleaser: %w\n%s", err, out)
	}
	return key.signed(ctx, filepath.Join(c.dist, sumsFile))
}

// committed is the time of the commit that is built.
func committed(ctx context.Context) (time.Time, error) {
	out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%cI").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("git log: %w", err)
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(string(out)))
}

// archives are those of the provider.
func (c *check) archives() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(c.dist, name+"_"+version+"_*.zip"))
	if err != nil {
		return nil, err
	}
	sandboxes, err := filepath.Glob(filepath.Join(c.dist, "qod-sandbox_"+version+"_*.zip"))
	if err != nil {
		return nil, err
	}
	if len(found) < 2 || len(found) != len(sandboxes) {
		return nil, fmt.Errorf("%d archives of the provider and %d of the sandbox were made", len(found), len(sandboxes))
	}
	return found, nil
}

// sums checks that SHA256SUMS has the right sum of every archive and of the manifest, and of nothing else.
func (c *check) sums() error {
	list, err := os.ReadFile(filepath.Join(c.dist, sumsFile))
	if err != nil {
		return err
	}
	expected, err := filepath.Glob(filepath.Join(c.dist, "*.zip"))
	if err != nil {
		return err
	}
	want := map[string]string{name + "_" + version + "_manifest.json": "terraform-registry-manifest.json"}
	for _, file := range expected {
		want[filepath.Base(file)] = file
	}
	for line := range strings.Lines(string(list)) {
		sum, of, _ := strings.Cut(strings.TrimSpace(line), "  ")
		file, known := want[of]
		if !known {
			return fmt.Errorf("SHA256SUMS lists %s, which is not there or is there twice", of)
		}
		delete(want, of)
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			return fmt.Errorf("SHA256SUMS says %s of %s, which is %s", sum, of, got)
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("SHA256SUMS lacks %v", want)
	}
	return manifest()
}

// manifest checks that the registry is told the protocol that the provider speaks.
func manifest() error {
	content, err := os.ReadFile("terraform-registry-manifest.json")
	if err != nil {
		return err
	}
	var m struct {
		Version  int
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return fmt.Errorf("terraform-registry-manifest.json: %w", err)
	}
	if m.Version != 1 || !slices.Equal(m.Metadata.ProtocolVersions, []string{"6.0"}) {
		return fmt.Errorf("terraform-registry-manifest.json says version %d and protocols %v, want 1 and [6.0]", m.Version, m.Metadata.ProtocolVersions)
	}
	return nil
}

// holds checks that an archive holds the one executable that a CLI looks for, and that nothing in it
// is of the time when it was built.
func holds(archive string, committed time.Time) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	binary := name + "_v" + version
	if strings.Contains(filepath.Base(archive), "_windows_") {
		binary += ".exe"
	}
	var executables []string
	for _, f := range r.File {
		if !f.Modified.Equal(committed) {
			return fmt.Errorf("%s is of %v, and not of the commit's time, so that nobody can make the same archive again", f.Name, f.Modified)
		}
		if strings.HasPrefix(f.Name, name) {
			executables = append(executables, f.Name)
			if f.Mode().Perm()&0o111 == 0 {
				return fmt.Errorf("%s cannot be executed", f.Name)
			}
		}
	}
	if !slices.Equal(executables, []string{binary}) {
		return fmt.Errorf("it holds the executables %v, want %s alone", executables, binary)
	}
	return nil
}

// reproducible checks that whoever builds the same commit gets the same bytes.
func (c *check) reproducible(ctx context.Context, dir string) error {
	again := filepath.Join(dir, "again")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -X main.version="+version, "-o", again, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	ours, err := os.ReadFile(again)
	if err != nil {
		return err
	}
	r, err := zip.OpenReader(filepath.Join(c.dist, fmt.Sprintf("%s_%s_%s_%s.zip", name, version, runtime.GOOS, runtime.GOARCH)))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		if !strings.HasPrefix(f.Name, name) {
			continue
		}
		var theirs bytes.Buffer
		in, err := f.Open()
		if err != nil {
			return err
		}
		if _, err := theirs.ReadFrom(in); err != nil { //nolint:gosec // it was made here a moment ago
			return err
		}
		if !bytes.Equal(ours, theirs.Bytes()) {
			return errors.New("the binary in the archive is not the one that go build makes of this commit")
		}
	}
	fmt.Println("the same commit builds to the same bytes")
	return nil
}

// mirror lays the archives out as a filesystem mirror of both registries.
func (c *check) mirror(dir string, archives []string) (string, error) {
	mirror := filepath.Join(dir, "mirror")
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		to := filepath.Join(mirror, registry, "telefonica", "qod")
		if err := os.MkdirAll(to, 0o700); err != nil {
			return "", err
		}
		for _, archive := range archives {
			content, err := os.ReadFile(archive)
			if err != nil {
				return "", err
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(archive)), content, 0o600); err != nil {
				return "", err
			}
		}
	}
	return mirror, nil
}

func stream(ctx context.Context, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}
