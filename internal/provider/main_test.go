package provider

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
)

func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }

// Without any CLI, tests fail and say what to do; none of them downloads one.
func TestWithoutCLI(t *testing.T) {
	t.Parallel()
	needing := []string{"TestSession_life", "TestSessions", "TestRemote_life", "TestList_query", "TestSession_generatesConfiguration"}
	without := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^("+strings.Join(needing, "|")+")$")
	// Where a test would download, it is to find a closed door.
	without.Env = []string{"HTTPS_PROXY=http://127.0.0.1:1"}
	out, err := without.CombinedOutput()
	if err == nil {
		t.Errorf("the tests pass without a CLI:\n%s", out)
	}
	for _, name := range needing {
		if !strings.Contains(string(out), "--- FAIL: "+name+" ") {
			t.Errorf("%s does not fail", name)
		}
	}
	if said := strings.Count(string(out), `run "make test"`); said < len(needing) { // one has several parts
		t.Errorf("%d of %d tests say what to do:\n%s", said, len(needing), out)
	}
}

// acc is this provider, as acceptance tests run it.
var acc acctest.Provider = NewServer

// attrs is configuration by attribute name, as acceptance tests write it.
type attrs = acctest.Attrs
