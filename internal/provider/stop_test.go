// A provider that is told to stop ends what it does, and leaves nothing running.

package provider

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// It counts every goroutine of the process, so it does not run in parallel.
func TestStop(t *testing.T) {
	network := acc.StartNetwork(t, sandbox.Config{Provisioning: time.Hour})
	c := network.Client()
	polled := make(chan struct{})
	network.Before(sandbox.OpRead, func(n int, _ *http.Request) {
		if n == 2 {
			close(polled)
		}
	})
	ended := make(chan acctest.Result)
	go func() { ended <- c.Create(hour(nil)) }()
	<-polled
	if _, err := c.Server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		t.Error(err)
	}
	made := <-ended
	acctest.ContainsAll(t, strings.Join(made.Warnings(), "\n"), []string{"The next apply resumes the wait."})
	if ids := network.SessionIDs(); len(ids) != 1 || made.Text("id") != ids[0] {
		t.Errorf("state has %q, the network %v", made.Text("id"), ids)
	}
	left := ours()
	for patience := time.Now().Add(5 * time.Second); left != "" && time.Now().Before(patience); left = ours() {
		runtime.Gosched()
	}
	if left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// ours are the stacks of goroutines in the provider's code, tests themselves aside.
func ours() string {
	stacks := make([]byte, 1<<20)
	var found []string
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if (strings.Contains(stack, "internal/qod.") || strings.Contains(stack, "internal/provider.")) && !strings.Contains(stack, "testing.tRunner(") {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
