// Proves that the provider's binary carries nothing that only tests and the sandbox need, and is as
// large as the README says.

package provider

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestBinaryLinks(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../..").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	if len(linked) < 100 {
		t.Fatalf("go list names only %d packages", len(linked))
	}
	for _, pkg := range linked {
		for _, unwanted := range []string{
			"github.com/getkin/kin-openapi",
			"github.com/telefonica/terraform-provider-qod/internal/sandbox",
			"github.com/hashicorp/terraform-plugin-testing",
			"github.com/hashicorp/terraform-plugin-sdk",
		} {
			if strings.HasPrefix(pkg, unwanted) {
				t.Errorf("the provider links %s", pkg)
			}
		}
	}
}

func TestBinarySize(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`The provider's binary is ([0-9]+) MB`).FindSubmatch(readme)
	if found == nil {
		t.Fatal("the README does not say how large the provider is")
	}
	said, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "provider")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", file, "../..")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v\n%s", err, out)
	}
	binary, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	// A release is built with one Go on one machine, and this with whatever there is.
	if measured := float64(binary.Size()) / 1e6; math.Abs(measured-said) > 1 {
		t.Errorf("the provider's binary has %.1f MB, and the README says %.0f", measured, said)
	}
}
