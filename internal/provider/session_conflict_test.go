package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A 409 is an error that says whose session is in the way, as far as can be seen, and never takes
// one over: nothing is in state and the other session is as it was. Each text names
// create_before_destroy, which causes this, too.
func TestSession_conflicts(t *testing.T) {
	t.Parallel()
	const id, hidden = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "aaaaaaaa-5717-4562-b3fc-2c963f66afa6"
	camera := sandbox.Device{PhoneNumber: "+34600000010", IPv6Address: "2001:db8::10"}
	tests := map[string]struct {
		seeded  sandbox.Session
		echo    func(map[string]any)
		says    []string
		doesNot []string
		noList  bool
	}{
		"visible": {
			seeded: sandbox.Session{ID: id, Device: camera, QoSProfile: "QOS_S"},
			says: []string{
				id + " (QOS_S, AVAILABLE, until 2028-02-29T21:15:00Z)", "phone_number …10",
				"import {", "to = ADDRESS", `id = "` + id + `"`, "terraform import 'ADDRESS' " + id,
			},
		},
		"visible, and so are others": {
			seeded: sandbox.Session{ID: id, Device: camera},
			echo: func(info map[string]any) {
				if info["sessionId"] != id {
					delete(info, "device")
				}
			},
			says: []string{`id = "` + id + `"`},
		},
		"shows no device": {
			seeded: sandbox.Session{ID: id, Device: camera},
			echo:   func(info map[string]any) { delete(info, "device") },
			says:   []string{"It may be one of these, which show no device", id, "terraform import 'ADDRESS'"},
		},
		"of another client": {
			seeded:  sandbox.Session{ID: hidden, ClientID: "another team", Device: camera},
			says:    []string{"these credentials cannot see it", "another team, a vendor, or the operator", "by 2028-03-01T20:"},
			doesNot: []string{hidden, "import"},
		},
		"unknown, as the list fails": {
			seeded:  sandbox.Session{ID: hidden, Device: camera},
			noList:  true,
			says:    []string{"could not be listed"},
			doesNot: []string{"cannot see it", "import"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewOffsetClock(acctest.KickOff)})
			test.seeded.StartedAt = acctest.KickOff
			network.Seed(test.seeded)
			network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000020"}})
			network.Echo(test.echo)
			if test.noList {
				network.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: sandbox.Status(403, ""), Times: -1})
			}
			before := len(network.Ledger())
			made := network.Client().Create(hour(nil))
			if made.Values != nil {
				t.Errorf("a session is in state: %v", made.Values)
			}
			acctest.ContainsAll(t, made.Errors(), append(test.says,
				"Unable to Create QoS Session: The network already has a session for this device", "Status: 409 Conflict", "x-correlator: "))
			// A replaced resource's own session would be seen, if sessions can be.
			ownMayBe := !slices.Contains(test.says, "these credentials cannot see it")
			for _, cause := range []string{"create_before_destroy", "destroy = false"} {
				if strings.Contains(made.Errors(), cause) != ownMayBe {
					t.Errorf("%q is named: %t, want %t, in:\n%s", cause, !ownMayBe, ownMayBe, made.Errors())
				}
			}
			for _, part := range append(test.doesNot, "600000010") {
				if strings.Contains(made.Errors(), part) {
					t.Errorf("%q is in:\n%s", part, made.Errors())
				}
			}
			// The delete of a session that can be seen may be about to come: it is waited for a
			// moment.
			if got := network.Writes(); strings.Trim(got, "POST ") != "" || network.Count(sandbox.OpCreate) > 5 || len(network.Ledger()) != before {
				t.Errorf("requests that change something: %s; the network has %v", got, network.Ledger())
			}
		})
	}
}

// Two resources with one device: one gets it, the other is told of the two rows, and both heal
// when the second gets a device of its own.
func TestSession_twoRows(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	config := func(second string) string {
		return network.HCL(acctest.SessionBlock("first", `device = { phone_number = "+34600000010" }`, 3601) +
			acctest.SessionBlock("second", `device = { ipv6_address = "2001:db8::10", phone_number = "`+second+`" }
				depends_on = [qod_session.first]`, 3602))
	}
	network.Test(
		resource.TestStep{Config: config("+34600000010"), ExpectError: acctest.MessagePattern("Two resources, or two elements of a for_each, have this device")},
		acctest.WithPlanChecks(network.ApplyStep(config("+34600000020")),
			plancheck.ExpectResourceAction("qod_session.first", plancheck.ResourceActionNoop),
			plancheck.ExpectResourceAction("qod_session.second", plancheck.ResourceActionCreate)),
	)
}

// A replacement with create_before_destroy cannot work, since the network takes one session a
// device. It fails with the reason, and the old session is untouched on the network and in state.
func TestSession_createBeforeDestroy(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	config := func(seconds int) string {
		return network.HCL(acctest.SessionBlock("camera", `device = { phone_number = "+34600000010" }
			lifecycle { create_before_destroy = true }`, seconds))
	}
	var old []string
	network.Test(
		network.ApplyStep(config(3601)),
		acctest.Before(func() { old = network.SessionIDs() }, resource.TestStep{Config: config(3602), ExpectError: acctest.MessagePattern("remove create_before_destroy (here and in resources that depend on this one)")}),
		acctest.WithPlanChecks(network.ApplyStep(config(3601)), plancheck.ExpectEmptyPlan(), acctest.BetweenPlanAndApply(func() {
			if ids := network.SessionIDs(); len(ids) != 1 || ids[0] != old[0] {
				t.Errorf("the network has %v, want %v", ids, old)
			}
		})),
	)
}
