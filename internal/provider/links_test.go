// Proves that the provider's binary carries nothing that only tests and the sandbox need.

package provider

import (
	"os/exec"
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
