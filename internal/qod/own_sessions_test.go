// What a process knows about sessions without a request: which ones it created, and which it is
// deleting.
package qod

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOwnSessions(openGateway{}.collide)
		phone := Device{PhoneNumber: "+34600000001"}
		both := Device{PhoneNumber: "34600000001", IPv6Address: "::1"}
		if !o.claim("b", flow{device: phone}, time.Now()) || !o.claim("a", flow{device: both}, time.Now()) || !o.claim("c", flow{device: Device{PhoneNumber: "+34600000002"}}, time.Now()) {
			t.Error("a claim fails")
		}
		if o.claim("a", flow{device: phone}, time.Now()) {
			t.Error("a session is claimed twice")
		}
		if got := o.colliding(flow{device: phone}); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("of the device: %v", got)
		}
		if !o.owns("a") || o.owns("x") || o.owns("") {
			t.Error("owns")
		}
		if got := o.deletedFor(flow{device: phone}); got != nil || !o.lastDeletion().IsZero() {
			t.Errorf("deleted without a delete: %v", got)
		}
		ended := o.beginDeletion(Ref{ID: "a", Device: both})
		if got := o.deletedFor(flow{device: phone}); !slices.Equal(got, []string{"a"}) || o.deleted("a") || !o.owns("a") {
			t.Errorf("while it is going on: %v", got)
		}
		time.Sleep(time.Minute)
		if !o.lastDeletion().Equal(time.Now()) {
			t.Error("a delete that goes on is not a present one")
		}
		ended(false)
		done := time.Now()
		time.Sleep(time.Minute)
		failed := o.beginDeletion(Ref{ID: "b", Device: phone})
		failed(true)
		if !o.deleted("a") || o.deleted("b") || o.owns("a") || !o.owns("b") {
			t.Error("what became of the deletes is not known")
		}
		if got := o.deletedFor(flow{device: phone}); !slices.Equal(got, []string{"a"}) {
			t.Errorf("a delete that failed explains conflicts: %v", got)
		}
		if got := o.deletedFor(flow{}); got != nil {
			t.Errorf("nobody's: %v", got)
		}
		if o.lastDeletion().Before(done) {
			t.Errorf("the last delete was at %v", o.lastDeletion())
		}
		// A delete in progress continues beside a new session, and its end is recorded.
		busy := o.beginDeletion(Ref{ID: "e", Device: phone})
		if !o.claim("f", flow{device: phone}, time.Now()) || !slices.Equal(o.deletedFor(flow{device: phone}), []string{"e"}) {
			t.Errorf("a new session ends a delete that goes on: %v", o.deletedFor(flow{device: phone}))
		}
		if busy(false); !o.deleted("e") {
			t.Error("that it has ended is not known")
		}
		// That there is a new session proves that the deleted ones are gone: they explain no later
		// conflict.
		if !o.claim("d", flow{device: phone}, time.Now()) || o.deletedFor(flow{device: phone}) != nil {
			t.Error("a new session does not end the excuse that a delete gives a conflict")
		}
	})
}
