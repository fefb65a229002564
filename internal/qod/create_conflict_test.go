// A 409 that this run causes itself passes: it is about the device's session that the run is
// deleting, or has deleted, however long the network holds on to it. Any other is reported within
// seconds, with the sessions that may be in the way.
package qod_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// slowDeletes makes each delete take a while; until then, the device is blocked.
func slowDeletes(n *qodtest.Network, d time.Duration) {
	n.Before(sandbox.OpDelete, func(int, *http.Request) { time.Sleep(d) })
}

// deleting makes this process begin to delete the session of the device.
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
	visible := wantConflict(func(t *testing.T, e *qod.ConflictError) {
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
			posts: -1, limit: 17 * time.Second, check: visible,
		},
		"that has failed": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(403, ""))
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device}); err == nil {
					t.Fatal("it has not failed")
				}
			},
			posts: -1, limit: 17 * time.Second, check: visible,
		},
		"that fails while it is waited for": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				slowDeletes(n, 5*time.Second)
				n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(403, ""))
				deleting(t, n, qodtest.Spec().Device, s.ID)
			},
			posts: -1, limit: 25 * time.Second, check: visible,
		},
		"whose device is held for longer than there is time": {
			Options: hold(time.Hour), timeout: time.Minute,
			arrange: func(t *testing.T, n *qodtest.Network) { deleteExisting(t, n) },
			posts:   -1, limit: time.Minute,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				qodtest.Equal(t, "visible", len(e.Visible), 0)
				qodtest.Equal(t, "deleted", len(e.Deleted), 1)
			}),
		},
		"and another's session comes in between": {
			Options: hold(5 * time.Second),
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				time.AfterFunc(4*time.Second, func() { n.SeedSession(sandbox.Session{}) })
			},
			posts: -1, limit: 25 * time.Second, others: 1,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
	}
	for _, d := range []time.Duration{time.Second, 20 * time.Second, 45 * time.Second, time.Minute, 4 * time.Minute} {
		scenarios[fmt.Sprintf("that is done, and its device is held for %v", d)] = scenario{
			Options: hold(d), arrange: func(t *testing.T, n *qodtest.Network) { deleteExisting(t, n) },
			posts: -1, made: true, limit: d + 7*time.Second,
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
				// Answers that take longer than the request timeout are lost, and the request is
				// repeated.
				deleting(t, n, qodtest.Spec().Device, n.SeedSession(sandbox.Session{}).ID)
			},
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Minute }},
			posts:   -1, made: true, limit: d + 7*time.Second,
		}
	}
	runScenarios(t, scenarios)
}

// Renamed resources are created and deleted side by side, in any order: no session ends without its
// successor.
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
					// Terraform's order is not known: here one, then another.
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

// A delete explains a conflict of the same device only: an address and its ports are one device.
func TestConflictNamesWhatThisRunHasDeleted(t *testing.T) {
	runScenarios(t, map[string]scenario{
		"under way": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 10 * time.Minute }}, timeout: 20 * time.Second,
			arrange: func(t *testing.T, n *qodtest.Network) {
				slowDeletes(n, 5*time.Minute)
				deleting(t, n, qodtest.Spec().Device, n.SeedSession(sandbox.Session{}).ID)
			},
			posts: -1, limit: 20 * time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				qodtest.Equal(t, "deleted", len(e.Deleted), 1)
				qodtest.Equal(t, "visible", len(e.Visible), 0)
			}),
		},
		"done": {
			Options: qodtest.Options{Sandbox: sandbox.Config{HoldAfterDelete: time.Hour}}, timeout: 20 * time.Second,
			arrange: func(t *testing.T, n *qodtest.Network) { deleteExisting(t, n) },
			posts:   -1, limit: 20 * time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 1) }),
		},
		// A session that this process keeps is no reason to wait, lost answer or not: two resources
		// have one device.
		"made by this run, behind a lost answer": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			},
			posts: 2, limit: 25 * time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "own", len(e.Own), 1) }),
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
			posts: 1, limit: time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 0) }),
		},
	})
}

func TestCreateWhenTheDeviceHasASession(t *testing.T) {
	mine := func(_ *testing.T, n *qodtest.Network) { n.SeedSession(sandbox.Session{}) }
	runScenarios(t, map[string]scenario{
		"that can be seen": {
			// This process may be about to delete it: Terraform begins the creates and deletes of
			// renamed resources side by side.
			arrange: mine, posts: 3, limit: 5 * time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Visible) != 1 || len(e.Possible)+len(e.Own) > 0 || e.ListErr != nil {
					t.Errorf("%+v", e)
				}
				qodtest.Equal(t, "status", e.Visible[0].Status, qod.StatusAvailable)
			}),
		},
		"that cannot be seen": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{ClientID: "another team"})
				n.SeedSession(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}})
			},
			posts: 1,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Visible)+len(e.Possible)+len(e.Own) > 0 || e.ListErr != nil {
					t.Errorf("%+v", e)
				}
			}),
		},
		"that shows no device": {
			arrange: func(t *testing.T, n *qodtest.Network) { mine(t, n); n.Echo(withoutFields("device")) }, posts: 1,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Possible) != 1 || len(e.Visible)+len(e.Own) > 0 {
					t.Errorf("%+v", e)
				}
			}),
		},
		"that this process made": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
			},
			posts: 1,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				wantConflict(func(t *testing.T, e *qod.ConflictError) {
					if len(e.Own) != 1 || len(e.Visible)+len(e.Possible) > 0 {
						t.Errorf("%+v", e)
					}
				})(t, n, err)
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 1) // nobody has to be asked
			},
		},
		"and they cannot be listed": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				mine(t, n)
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(http.StatusForbidden, `{"code":"PERMISSION_DENIED"}`))
			},
			posts: 1,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) {
				if e.ListErr == nil {
					t.Error("why they could not be listed is missing")
				}
			}),
		},
		"that was deleted by this process and lingers": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				n.InjectFault(sandbox.OpCreate, 7, conflict)
			},
			posts: 8, made: true,
		},
		"that was deleted by this process and lingers for too long": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				n.InjectFault(sandbox.OpCreate, -1, conflict)
			},
			posts: -1, check: func(t *testing.T, n *qodtest.Network, err error) {
				wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 1) })(t, n, err)
				if count := n.Count(sandbox.OpCreate); count < 95 || count > 125 {
					t.Errorf("%d POSTs in the ten minutes that there were", count)
				}
			},
		},
		"that was deleted by this process, and there is no time to wait": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				n.InjectFault(sandbox.OpCreate, -1, conflict)
			},
			timeout: 3 * time.Second,
			posts:   2, check: wantConflict(func(*testing.T, *qod.ConflictError) {}),
		},
		// The create after the delete succeeded, so the delete is complete.
		"that this process made after it had deleted another": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
			},
			posts: 1, check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "own", len(e.Own), 1) }),
		},
		"that was deleted by this process long ago": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				deleteExisting(t, n)
				time.Sleep(time.Minute)
				n.SeedSession(sandbox.Session{})
			},
			posts: 3, check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
		"that was deleted by this process, which named it by another port": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.7"}}})
				var spec qod.Spec
				withAddress(nil)(&spec)
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: spec.Device}); err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 3, conflict)
			},
			spec: withAddress(new(int64(40000))), posts: 4, made: true,
		},
		// Two resources with one session would delete it for each other.
		"that the network gives out once more": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				other := qodtest.Spec()
				other.Device.PhoneNumber = "+34600000002"
				s, err := n.Create(t.Context(), other)
				if err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Answer(201, qodtest.JSON, `{"sessionId":"`+s.ID+`"}`))
			},
			posts: 1, others: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				qodtest.Equal(t, "names the session", qodtest.ErrorAs[*qod.ConflictError](t, err).OtherID != "", true)
			},
		},
		"that the network gives out instead of a 409": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+n.SeedSession(sandbox.Session{}).ID+`"}`))
			},
			posts: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
		"and another device's was deleted": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				mine(t, n)
				other := n.SeedSession(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}})
				if err := n.Delete(t.Context(), qod.Ref{ID: other.ID, Device: qod.Device{PhoneNumber: "+34600000002"}}); err != nil {
					t.Fatal(err)
				}
			},
			// This process is deleting sessions, so this one may be next.
			posts: 5, limit: 17 * time.Second, check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
	})
}

func TestCreateOneAtATimeForOneDevice(t *testing.T) {
	t.Parallel()
	ipv4 := func(port int64) qod.Device {
		return qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}}
	}
	tests := map[string]struct {
		devices []qod.Device
		made    int
		atOnce  int // POSTs under way at the same time, at most
	}{
		"one device":    {[]qod.Device{{PhoneNumber: qodtest.Phone}, {PhoneNumber: qodtest.Phone}, {PhoneNumber: qodtest.Phone}}, 1, 1},
		"three devices": {[]qod.Device{{PhoneNumber: "+34600000001"}, {PhoneNumber: "+34600000002"}, {PhoneNumber: "+34600000003"}}, 3, 3},
		"one identifier in common": {[]qod.Device{
			{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::1"}, {IPv6Address: "2001:DB8:0::1"}, {PhoneNumber: qodtest.Phone},
		}, 1, 2}, // the last two have nothing in common
		"two ports of one address": {[]qod.Device{ipv4(1), ipv4(2)}, 2, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
				var atOnce, most atomic.Int64
				n.Intercept = func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if qodtest.IsCreate(r) {
						most.Store(max(most.Load(), atOnce.Add(1)))
						defer atOnce.Add(-1)
					}
					return next.RoundTrip(r)
				}
				var wg sync.WaitGroup
				var made, own atomic.Int64
				for _, d := range test.devices {
					time.Sleep(time.Millisecond) // the first one comes first
					wg.Go(func() {
						spec := qodtest.Spec()
						spec.Device = d
						s, err := n.Create(t.Context(), spec)
						var conflict *qod.ConflictError
						switch {
						case s.ID != "" && err == nil:
							made.Add(1)
						case errors.As(err, &conflict) && len(conflict.Own) > 0:
							own.Add(1)
						default:
							t.Errorf("%q, %v", s.ID, err)
						}
					})
				}
				wg.Wait()
				qodtest.Equal(t, "made", int(made.Load()), test.made)
				qodtest.Equal(t, "on the network", len(n.Ledger()), test.made)
				qodtest.Equal(t, "refused because of this same process", int(own.Load()), len(test.devices)-test.made)
				qodtest.Equal(t, "POSTs at once", int(most.Load()), test.atOnce)
			})
		})
	}
}

// A conflict may be with a session of our own, where a proxy has sent the POST twice. However the
// repeated POST ends, the error names that session.
func TestCreateNamesTheConflict(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Duplicate()})
		n.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)})
		_, err := n.Create(t.Context(), qodtest.Spec())
		var conflict *qod.ConflictError
		var then *qod.Error
		if made := n.Ledger(); !errors.As(err, &conflict) || len(conflict.Visible) != 1 || conflict.Visible[0].ID != made[0].ID ||
			!errors.As(conflict.RetryErr, &then) || then.Status != 403 {
			t.Errorf("%v; the network has %v", err, made)
		}
	})
}
