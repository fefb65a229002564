// Proves what happens when several POSTs of one create got no answer, on a network that takes several
// sessions of a device.
package qod_test

import (
	"errors"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The list that lags shows the session of the first POST before that of the second: adopting it must not
// leave the other one behind unsaid.
func TestReserveAdoptsOneOfTwo(t *testing.T) {
	t.Parallel()
	several := setting{network: sandbox.Config{SeveralPerDevice: true}, client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Second }}
	t.Run("both were made", func(t *testing.T) {
		t.Parallel()
		inBubble(t, several, func(t *testing.T, w *world) {
			w.Lag(sandbox.OpList, 40*time.Second)
			w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.HangAfterCommit()})
			s, err := w.Create(t.Context(), wanted())
			var lost *qod.UnresolvedError
			if made := w.Ledger(); len(made) != 2 || s.ID != made[0].ID || !errors.As(err, &lost) || lost.Kept != s.ID ||
				len(lost.Candidates) != 1 || lost.Candidates[0].ID != made[1].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the second was not", func(t *testing.T) {
		t.Parallel()
		inBubble(t, several, func(t *testing.T, w *world) {
			w.Lag(sandbox.OpList, 40*time.Second)
			w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			s, err := w.Create(t.Context(), wanted())
			if made := w.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
				t.Errorf("%s, %v; the network has %v", s.ID, err, made)
			}
		})
	})
	t.Run("the first was not", func(t *testing.T) {
		t.Parallel()
		inBubble(t, several, func(t *testing.T, w *world) {
			w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangBeforeCommit()})
			w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.HangAfterCommit()})
			began := time.Now()
			s, err := w.Create(t.Context(), wanted())
			if made := w.Ledger(); err != nil || len(made) != 1 || s.ID != made[0].ID {
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
func TestReserveNamesTheConflict(t *testing.T) {
	t.Parallel()
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Duplicate()})
		w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)})
		_, err := w.Create(t.Context(), wanted())
		var conflict *qod.ConflictError
		var then *qod.Error
		if made := w.Ledger(); !errors.As(err, &conflict) || len(conflict.Visible) != 1 || conflict.Visible[0].ID != made[0].ID ||
			!errors.As(conflict.Then, &then) || then.Status != 403 {
			t.Errorf("%v; the network has %v", err, made)
		}
	})
}
