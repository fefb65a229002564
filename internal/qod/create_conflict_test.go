// A 409 that this run causes itself passes: with a delete that is under way, or done, of the device's
// session, however long the network holds on to it. One that somebody else causes is told in seconds.
package qod_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// slowDeletes has the network take a while for each delete, and hold the device until then.
func slowDeletes(n *qodtest.Network, d time.Duration) {
	n.Before(sandbox.OpDelete, func(int, *http.Request) { time.Sleep(d) })
}

// deleting has this process begin to delete the session of the device.
func deleting(t *testing.T, n *qodtest.Network, device qod.Device, id string) {
	t.Helper()
	go func() { _ = n.Delete(t.Context(), qod.Ref{ID: id, Device: device}) }()
	time.Sleep(50 * time.Millisecond)
}

func TestCreateBehindAnOwnDelete(t *testing.T) {
	hold := func(d time.Duration) qodtest.Options {
		return qodtest.Options{Sandbox: sandbox.Config{HoldAfterDelete: d}}
	}
	other := qod.Device{PhoneNumber: "+34600000002"}
	visible := conflicted(func(t *testing.T, e *qod.ConflictError) {
		qodtest.Equal(t, "visible", len(e.Visible), 1)
		qodtest.Equal(t, "deleted", len(e.Deleted), 0)
	})
	scenarios := map[string]scenario{
		"of another device, and the session stays": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{})
				s := n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: other.PhoneNumber}})
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: other}); err != nil {
					t.Fatal(err)
				}
			},
			posts: -1, till: 17 * time.Second, check: visible,
		},
		"that has failed": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(403, ""))
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device}); err == nil {
					t.Fatal("it has not failed")
				}
			},
			posts: -1, till: 17 * time.Second, check: visible,
		},
		"that fails while it is waited for": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				slowDeletes(n, 5*time.Second)
				n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(403, ""))
				deleting(t, n, qodtest.Spec().Device, s.ID)
			},
			posts: -1, till: 25 * time.Second, check: visible,
		},
		"whose device is held for longer than there is time": {
			Options: hold(time.Hour), budget: time.Minute,
			arrange: func(t *testing.T, n *qodtest.Network) { released(t, n) },
			posts:   -1, till: time.Minute,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				qodtest.Equal(t, "visible", len(e.Visible), 0)
				qodtest.Equal(t, "deleted", len(e.Deleted), 1)
			}),
		},
		"and another's session comes in between": {
			Options: hold(5 * time.Second),
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				time.AfterFunc(4*time.Second, func() { n.SeedSession(sandbox.Session{}) })
			},
			posts: -1, till: 25 * time.Second, other: 1,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
	}
	for _, d := range []time.Duration{time.Second, 20 * time.Second, 45 * time.Second, time.Minute, 4 * time.Minute} {
		scenarios[fmt.Sprintf("that is done, and its device is held for %v", d)] = scenario{
			Options: hold(d), arrange: func(t *testing.T, n *qodtest.Network) { released(t, n) },
			posts: -1, made: true, till: d + 7*time.Second,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				if err != nil {
					t.Error(err)
				}
				if count, most := n.Count(sandbox.OpCreate), 5+int(d/(5*time.Second)); count > most {
					t.Errorf("%d POSTs, want at most %d", count, most)
				}
			},
		}
		scenarios[fmt.Sprintf("that takes %v", d)] = scenario{
			arrange: func(t *testing.T, n *qodtest.Network) {
				slowDeletes(n, d)
				// Answers that take longer than the request timeout are lost, and asked for again.
				deleting(t, n, qodtest.Spec().Device, n.SeedSession(sandbox.Session{}).ID)
			},
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Minute }},
			posts:   -1, made: true, till: d + 7*time.Second,
		}
	}
	play(t, scenarios)
}

// Resources that were renamed are created and deleted side by side, in any order: none is cut without
// coming back.
func TestCreateOfRenamedResources(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		resources, parallel int
		takes               time.Duration // a delete
	}{{4, 10, 0}, {4, 10, 300 * time.Millisecond}, {4, 10, 3 * time.Second}, {30, 10, time.Second}, {30, 10, 3 * time.Second}, {10, 20, 20 * time.Second}} {
		for order, createsFirst := range map[string]bool{"creates first": true, "deletes first": false} {
			t.Run(fmt.Sprintf("%d by %d, %s, deletes take %v", test.resources, test.parallel, order, test.takes), func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					slowDeletes(n, test.takes)
					var deletes, creates []func()
					for i := range test.resources {
						spec := qodtest.Spec()
						spec.Device.PhoneNumber = fmt.Sprintf("+346000001%02d", i)
						s := n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: spec.Device.PhoneNumber}})
						deletes = append(deletes, func() {
							if err := n.Delete(qodtest.WithTimeout(t, 2*time.Minute), qod.Ref{ID: s.ID, Device: spec.Device}); err != nil {
								t.Errorf("delete: %v", err)
							}
						})
						creates = append(creates, func() {
							if _, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), spec); err != nil {
								t.Errorf("create: %v", err)
							}
						})
					}
					// Terraform takes them in no order that anybody knows: here one and then another.
					var steps []func()
					for i := range deletes {
						if createsFirst {
							steps = append(steps, creates[i], deletes[i])
						} else {
							steps = append(steps, deletes[i], creates[i])
						}
					}
					slots := make(chan struct{}, test.parallel)
					var wg sync.WaitGroup
					for _, step := range steps {
						slots <- struct{}{}
						wg.Go(func() { step(); <-slots })
					}
					wg.Wait()
					qodtest.Equal(t, "on the network", len(n.Ledger()), test.resources)
				})
			})
		}
	}
}

// What a delete explains is told apart by device: an address and its ports are one.
func TestConflictNamesWhatThisRunHasDeleted(t *testing.T) {
	play(t, map[string]scenario{
		"under way": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Minute }}, budget: 20 * time.Second,
			arrange: func(t *testing.T, n *qodtest.Network) {
				slowDeletes(n, 5*time.Minute)
				deleting(t, n, qodtest.Spec().Device, n.SeedSession(sandbox.Session{}).ID)
			},
			posts: -1, till: 20 * time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				qodtest.Equal(t, "deleted", len(e.Deleted), 1)
				qodtest.Equal(t, "visible", len(e.Visible), 0)
			}),
		},
		"done": {
			Options: qodtest.Options{Sandbox: sandbox.Config{HoldAfterDelete: time.Hour}}, budget: 20 * time.Second,
			arrange: func(t *testing.T, n *qodtest.Network) { released(t, n) },
			posts:   -1, till: 20 * time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 1) }),
		},
		// Its own session is no reason to wait, lost answer or not: two rows have one device.
		"made by this run, behind a lost answer": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			},
			posts: 2, till: 25 * time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "own", len(e.Own), 1) }),
		},
		"done, and nobody's any more": {
			Options: qodtest.Options{Sandbox: sandbox.Config{HoldAfterDelete: time.Hour}},
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}})
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: qod.Device{PhoneNumber: "+34600000002"}}); err != nil {
					t.Fatal(err)
				}
				n.SeedSession(sandbox.Session{ClientID: "another team"})
			},
			posts: 1, till: time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 0) }),
		},
	})
}
