// Releasecheck is what "make release-check" runs: goreleaser makes and signs the archives of a
// release, and each CLI installs the provider from them and takes the quickstart through its life.
// It signs with a key of its own and publishes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	dist   = "dist" // where goreleaser puts the files, those of the provider under this name:
	prefix = "terraform-provider-qod_0.1.0_"
	sums   = prefix + "SHA256SUMS"
)

func main() {
	goreleaser := flag.String("goreleaser", "goreleaser", "the goreleaser to run")
	demo := flag.String("demo", "", "the demo, built")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *goreleaser, *demo, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "releasecheck: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, goreleaser, demo string, clis []string) (err error) {
	dir, err := os.MkdirTemp("", "qod-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := build(ctx, goreleaser, filepath.Join(dir, "gpg")); err != nil {
		return err
	}
	mirror := filepath.Join(dir, "mirror")
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		if err := fill(filepath.Join(mirror, registry, "telefonica", "qod")); err != nil {
			return err
		}
	}
	for _, cli := range clis {
		fmt.Printf("\n== the quickstart on %s, which installs the provider from the archives\n", filepath.Base(cli))
		if err := command(ctx, "", demo, "-cli", cli, "-mirror", mirror); err != nil {
			return err
		}
	}
	return nil
}

// build makes the archives, and checks their sums and the signature of these.
func build(ctx context.Context, goreleaser, home string) error {
	const signer = "release-check"
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"GNUPGHOME": home, "GPG_FINGERPRINT": signer,
		// Without a remote goreleaser knows no commit, and so no time of it.
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "remote.origin.url", "GIT_CONFIG_VALUE_0": "https://github.com/telefonica/terraform-provider-qod",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	// RSA, because a registry takes no other kind.
	if err := command(ctx, "", "gpg", "--batch", "--passphrase", "", "--quick-generate-key", signer, "rsa2048", "sign", "never"); err != nil {
		return err
	}
	defer func() { _ = command(context.WithoutCancel(ctx), "", "gpgconf", "--kill", "all") }()
	for _, step := range []struct {
		dir     string
		command []string
	}{
		{"", []string{goreleaser, "release", "--snapshot", "--clean", "--skip=sbom"}},
		{dist, []string{"gpg", "--verify", sums + ".sig", sums}},
		// A release uploads it under this name from where it is.
		{"", []string{"cp", "terraform-registry-manifest.json", filepath.Join(dist, prefix+"manifest.json")}},
		{dist, []string{"sha256sum", "--check", "--strict", sums}},
	} {
		if err := command(ctx, step.dir, step.command...); err != nil {
			return err
		}
	}
	return complete()
}

// complete checks that each archive, and the manifest, has a line among the sums.
func complete() error {
	archives, err := filepath.Glob(filepath.Join(dist, "*.zip"))
	if err != nil || len(archives) == 0 {
		return fmt.Errorf("goreleaser made no archive: %w", err)
	}
	list, err := os.ReadFile(filepath.Join(dist, sums))
	for _, file := range append(archives, prefix+"manifest.json") {
		if !strings.Contains(string(list), "  "+filepath.Base(file)+"\n") {
			err = errors.Join(err, fmt.Errorf("%s has no sum of %s", sums, file))
		}
	}
	return err
}

// fill copies the archives of the provider to where a filesystem mirror has them.
func fill(dir string) error {
	archives, err := filepath.Glob(filepath.Join(dist, prefix+"*.zip"))
	err = errors.Join(err, os.MkdirAll(dir, 0o700))
	for _, archive := range archives {
		content, unread := os.ReadFile(archive)
		err = errors.Join(err, unread, os.WriteFile(filepath.Join(dir, filepath.Base(archive)), content, 0o600))
	}
	return err
}

func command(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(args[0]), err)
	}
	return nil
}
