// Proves what happens when several POSTs of one create got no answer, on a network that takes several
// sessions of a device.
package qod_test

import (
	"errors"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The list that lags shows the session of the first POST before that of the second: adopting it must not
// leave the other one behind unsaid.
func TestCreateAdoptsOneOfTwo(t *testing.T) {
	t.Parallel()
	several := qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}, Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Second }}
	t.Run("both were made", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 40*time.Second)
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.HangAfterCommit()})
			s, err := n.Create(t.Context(), qodtest.Spec())
			var lost *qod.UnresolvedError
			if made := n.Ledger(); len(made) != 2 || s.ID != made[0].ID || !errors.As(err, &lost) || lost.Kept != s.ID ||
				len(lost.Candidates) != 1 || lost.Candidates[0].ID != made[1].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the second was not", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 40*time.Second)
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			s, err := n.Create(t.Context(), qodtest.Spec())
			if made := n.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the first was not", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, several, func(t *testing.T, n *qodtest.Network) {
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			began := time.Now()
			s, err := n.Create(t.Context(), qodtest.Spec())
			if made := n.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	})
}

// A conflict may be with a session of our own, where a proxy has sent the POST twice. Whatever comes of the
// repetition, the error names it.
func TestCreateNamesTheConflict(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Duplicate()})
		n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)})
		_, err := n.Create(t.Context(), qodtest.Spec())
		var conflict *qod.ConflictError
		var then *qod.Error
		if made := n.Ledger(); !errors.As(err, &conflict) || len(conflict.Visible) != 1 || conflict.Visible[0].ID != made[0].ID ||
			!errors.As(conflict.Then, &then) || then.Status != 403 {
			t.Errorf("%v; the network has %v", err, made)
		}
	})
}
