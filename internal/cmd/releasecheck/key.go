package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// key signs as a release is signed, and is in no keyring of anybody. A nil key signs nothing, where
// there is no gpg.
type key struct{ home, fingerprint string }

var fingerprintLine = regexp.MustCompile(`(?m)^fpr:+([0-9A-F]{40}):$`)

func newKey(ctx context.Context, dir string) (*key, error) {
	if _, err := exec.LookPath("gpg"); err != nil {
		const why = "there is no gpg on the PATH"
		if os.Getenv("CI") == "true" {
			return nil, errors.New(why + "; CI must sign")
		}
		fmt.Println("Without a signature: " + why + ".")
		return nil, nil
	}
	k := &key{home: filepath.Join(dir, "gpg")}
	if err := os.Mkdir(k.home, 0o700); err != nil {
		return nil, err
	}
	// RSA, because a registry takes no other kind.
	if _, err := k.gpg(ctx, "--passphrase", "", "--quick-generate-key", "release-check", "rsa2048", "sign", "never"); err != nil {
		return nil, err
	}
	keys, err := k.gpg(ctx, "--with-colons", "--list-keys")
	if err != nil {
		return nil, err
	}
	found := fingerprintLine.FindSubmatch(keys)
	if found == nil {
		return nil, fmt.Errorf("gpg lists no key:\n%s", keys)
	}
	k.fingerprint = string(found[1])
	return k, nil
}

// environment is what goreleaser needs to sign.
func (k *key) environment() []string {
	if k == nil {
		return os.Environ()
	}
	return append(os.Environ(), "GNUPGHOME="+k.home, "GPG_FINGERPRINT="+k.fingerprint)
}

// signed checks that the signature beside a file is this key's, and in the binary form that a
// registry wants.
func (k *key) signed(ctx context.Context, file string) error {
	if k == nil {
		return nil
	}
	signature, err := os.ReadFile(file + ".sig")
	if err != nil {
		return fmt.Errorf("the checksums are not signed: %w", err)
	}
	if len(signature) == 0 || signature[0] == '-' {
		return errors.New("the signature of the checksums is not in binary form")
	}
	_, err = k.gpg(ctx, "--verify", file+".sig", file)
	return err
}

func (k *key) gpg(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "gpg", append([]string{"--batch", "--homedir", k.home}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("gpg %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return out, err
}

// forget ends the agent that gpg has started for this key.
func (k *key) forget(ctx context.Context) {
	if k == nil {
		return
	}
	stop := exec.CommandContext(context.WithoutCancel(ctx), "gpgconf", "--homedir", k.home, "--kill", "all")
	_ = stop.Run()
}
