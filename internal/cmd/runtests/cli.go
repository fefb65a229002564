package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

// cli is a Terraform or an OpenTofu.
type cli struct{ product, version, path string }

func (c cli) name() string { return c.product + " " + c.version }

var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)$`)

func identify(ctx context.Context, path string) (cli, error) {
	path, err := exec.LookPath(path)
	if err != nil {
		return cli{}, err
	}
	// Tests run in the directory of their package.
	if path, err = filepath.Abs(path); err != nil {
		return cli{}, err
	}
	c := terraform.CLI{Path: path, Env: terraform.Environment(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull)}
	version, err := c.Execute(ctx, "version")
	if err != nil {
		return cli{}, err
	}
	found := versionLine.FindStringSubmatch(string(version.Stdout))
	if found == nil {
		return cli{}, fmt.Errorf("%s is neither Terraform nor OpenTofu", path)
	}
	return cli{product: found[1], version: found[2], path: path}, nil
}

// env chooses the CLI, for the testing library and for the tests that run one themselves.
func (c cli) env() []string {
	env := []string{"TF_ACC_TERRAFORM_PATH=" + c.path}
	if c.product == "OpenTofu" {
		// The registry in which OpenTofu looks for a provider whose source names none.
		env = append(env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org")
	}
	return env
}

// enough says which CLI there is none of. CI must have both, a person need not.
func (o options) enough(clis []cli) error {
	if len(clis) == 0 {
		return errors.New("no CLI to test on")
	}
	if !o.everything {
		return nil
	}
	for _, product := range []string{"Terraform", "OpenTofu"} {
		if slices.ContainsFunc(clis, func(c cli) bool { return c.product == product }) {
			continue
		}
		if o.ci {
			return fmt.Errorf("CI must test on Terraform and on OpenTofu, and there is no %s", product)
		}
		fmt.Printf("Without %s: there is none on the PATH.\n", product)
	}
	return nil
}

// command is a child that an interrupt reaches, and that then has a moment to clean up.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}
