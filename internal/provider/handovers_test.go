// Many devices that pass from one resource to another are warned of in the plan.

package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// matchOf is the reservation of one of many devices.
func matchOf(i int, more attrs) attrs {
	return match(more).With("device.phone_number", fmt.Sprintf("+3462%07d", i))
}

// Many devices pass from one resource to another: the plan of the tenth warns, once, in whichever
// order Terraform plans.
func TestHandovers(t *testing.T) {
	t.Parallel()
	const n = 12
	type client = *acctest.ProtocolClient
	type step = func(c client, held []acctest.State, i int) acctest.Diagnostics // for the device i
	var (
		session     = func(c client, i int) acctest.State { return c.MustCreate(cameraOf(i, nil)) }
		reservation = func(c client, i int) acctest.State { return c.Reservations().MustCreate(matchOf(i, nil)) }

		destroySession     = func(c client, held []acctest.State, i int) acctest.Diagnostics { return c.PlanDestroy(held[i]) }
		destroyReservation = func(c client, held []acctest.State, i int) acctest.Diagnostics {
			return c.Reservations().PlanDestroy(held[i])
		}
		createSession = func(c client, _ []acctest.State, i int) acctest.Diagnostics {
			return c.Plan(acctest.State{}, cameraOf(i, nil)).Diagnostics
		}
		createReservation = func(c client, _ []acctest.State, i int) acctest.Diagnostics {
			return c.Reservations().Plan(acctest.State{}, matchOf(i, nil)).Diagnostics
		}
	)
	to := func(server string) attrs { return attrs{"application_server": attrs{"ipv4_address": server}} }
	flowTo := func(server string) func(c client, i int) acctest.State {
		return func(c client, i int) acctest.State { return c.MustCreate(cameraOf(i, to(server))) }
	}
	createFlowTo := func(server string) step {
		return func(c client, _ []acctest.State, i int) acctest.Diagnostics {
			return c.Plan(acctest.State{}, cameraOf(i, to(server))).Diagnostics
		}
	}
	for name, test := range map[string]struct {
		held             func(c client, i int) acctest.State
		deletes, creates step
		none             bool // no warning
		network          sandbox.Config
	}{
		"sessions":                 {held: session, deletes: destroySession, creates: createSession},
		"reservations":             {held: reservation, deletes: destroyReservation, creates: createReservation},
		"sessions to reservations": {held: session, deletes: destroySession, creates: createReservation},
		"sessions to others that are replaced": {
			held: session, deletes: destroySession,
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				replaced := c.Plan(held[(i+1)%n].With("id", lostID), cameraOf(i, nil))
				if len(replaced.Replace) == 0 {
					c.T.Error("nothing is replaced")
				}
				createSession(c, held, i) // once more, as a new one, and Terraform drops what is said then
				return replaced.Diagnostics
			},
		},
		"a window closes as another one opens": {
			held: reservation,
			deletes: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().Plan(held[i].With("status", "OVERDUE"), matchOf(i, nil)).Diagnostics
			},
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().Plan(held[i].With("id", lostID).With("session_id", nil).With("status", "DUE"), matchOf(i, nil)).Diagnostics
			},
		},
		"sessions to reservations for later": {
			held: session, deletes: destroySession, none: true,
			creates: func(c client, _ []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().Plan(acctest.State{}, matchOf(i, attrs{"starts_at": "2028-02-29T20:16:00Z"})).Diagnostics
			},
		},
		"reservations without a session": {
			held: reservation, creates: createReservation, none: true,
			deletes: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().PlanDestroy(held[i].With("session_id", nil).With("status", "DUE"))
			},
		},
		"to reservations that have a session": {
			held: reservation, deletes: destroyReservation, none: true,
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().Plan(held[i].With("id", lostID).With("session_id", secondID).With("status", "REQUESTED"), matchOf(i, nil)).Diagnostics
			},
		},
		"to reservations that were not due when they were read": {
			held: reservation, deletes: destroyReservation, none: true,
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Reservations().Plan(held[i].With("id", lostID).With("session_id", nil).With("status", "SCHEDULED"), matchOf(i, attrs{"replace_to_extend": true})).Diagnostics
			},
		},
		"each replaced by itself": {
			held: session, none: true,
			deletes: func(c client, held []acctest.State, i int) acctest.Diagnostics {
				return c.Plan(held[i], cameraOf(i, attrs{"qos_profile": "QOS_S"})).Diagnostics
			},
			creates: createSession,
		},
		"other devices": {
			held: session, deletes: destroySession, none: true,
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics { return createSession(c, held, n+i) },
		},
		"other flows of the devices": {
			network: camaraNetwork, held: flowTo("198.51.100.1"), deletes: destroySession, creates: createFlowTo("198.51.100.2"), none: true,
		},
		"flows that overlap": {
			network: camaraNetwork, held: flowTo("198.51.100.1"), deletes: destroySession, creates: createFlowTo("198.51.100.0/24"),
		},
		"nine devices, planned again": {
			held: session, none: true,
			deletes: func(c client, held []acctest.State, i int) acctest.Diagnostics { return destroySession(c, held, i%9) },
			creates: func(c client, held []acctest.State, i int) acctest.Diagnostics { return createSession(c, held, i%9) },
		},
	} {
		for order, two := range map[string][][]step{
			"deletes first": {{test.deletes}, {test.creates}},
			"creates first": {{test.creates}, {test.deletes}},
			"alternately":   {{test.deletes, test.creates}},
		} {
			t.Run(name+", "+order, acc.InBubble(0, sandbox.Config{API: test.network.API, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
				var held []acctest.State
				before := network.Client()
				for i := range n {
					held = append(held, test.held(before, i))
				}
				c := network.Client()
				var warned []string
				for _, steps := range two {
					for i := range n {
						for _, plan := range steps {
							warned = append(warned, plan(c, held, i).Warnings()...)
						}
					}
				}
				warned = slices.DeleteFunc(warned, func(text string) bool { return !strings.Contains(text, "Many Devices Pass") })
				if (len(warned) == 0) != test.none || len(warned) > 1 {
					t.Errorf("%d warnings, none wanted: %t: %q", len(warned), test.none, warned)
				}
			}))
		}
	}
}
