// A test to copy: one fault, and what becomes of it.
package qodtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The network creates the session, and the connection breaks before the answer. The client looks
// for the session and adopts it: there is no second POST, and one session on the network.
func TestExample(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())

		s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}

		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
		if live := qodtest.IDs(n.Ledger()); !slices.Equal(live, []string{s.ID}) {
			t.Errorf("the network has %v, want %s alone", live, s.ID)
		}
	})
}
