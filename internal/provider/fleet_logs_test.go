// Counts what the built binary logs when nobody asks for logs. The wrapper around it is a shell
// script.

//go:build !windows

package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Nobody reads the logs of a plan that does not ask for any, and to write them takes a quarter of
// its time.
func TestFleet_logsOnlyWhatIsAsked(t *testing.T) {
	acctest.AnyCLI(t)
	for name, test := range map[string]struct {
		env  []string
		says bool
	}{
		"nothing is asked":        {},
		"all":                     {env: []string{"TF_LOG=DEBUG"}, says: true},
		"the provider's own":      {env: []string{"TF_LOG_PROVIDER_QOD=DEBUG", "TF_LOG_PROVIDER=DEBUG"}, says: true},
		"a log of Terraform only": {env: []string{"TF_LOG_CORE=TRACE"}},
		"none":                    {env: []string{"TF_LOG=off"}},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := network.CLI(fleet(1), test.env...)
			stderr := filepath.Join(c.Dir, "stderr")
			provider, err := acctest.ProviderDir()
			if err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf("#!/bin/sh\nexec %q 2>>%q\n", filepath.Join(provider, "terraform-provider-qod"), stderr)
			//nolint:gosec // it must be executable
			if err := os.WriteFile(filepath.Join(c.Dir, "terraform-provider-qod"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := c.UseProvider(c.Dir); err != nil {
				t.Fatal(err)
			}
			c.Must(0, "apply", "-auto-approve", "-no-color", "-input=false")
			c.Destroy()
			said, err := os.ReadFile(stderr)
			if err != nil {
				t.Fatalf("the wrapper was not used: %v", err)
			}
			// Lines without a module are two a process, from the library that starts it.
			if lines := strings.Count(string(said), `"@module"`); (lines > 0) != test.says {
				t.Errorf("the provider wrote %d lines of logs:\n%.1000s", lines, said)
			}
		})
	}
}
