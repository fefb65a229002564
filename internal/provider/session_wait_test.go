package provider

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A session that nobody waits for stays REQUESTED, and that is no reason to plan anything. Once
// waiting is wanted the wait is resumed: an update in place that only polls, whose failure does
// not taint the session.
func TestSession_resumesWait(t *testing.T) {
	clock := sandbox.NewManualClock(acctest.KickOff)
	network := acc.NewNetwork(t, sandbox.Config{Clock: clock, Provisioning: 10 * time.Minute})
	config := func(more string) string { return network.HCL(acctest.SessionBlock("camera", more, 3600)) }
	isUpdate := plancheck.ExpectResourceAction("qod_session.camera", plancheck.ResourceActionUpdate)
	polls := 0
	isNull := func(attribute string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("qod_session.camera", tfjsonpath.New(attribute), knownvalue.Null())
	}
	network.Test(
		network.ApplyStep(config("wait_for_available = false"), cameraHas("qos_status", "REQUESTED"), isNull("started_at"), isNull("expires_at")),
		resource.TestStep{
			Config:      config(`timeouts = { create = "500ms" }`),
			ExpectError: acctest.MessagePattern("It is still requested. The next apply resumes the wait."),
		},
		acctest.WithPlanChecks(
			network.ApplyStep(config(""), cameraHas("qos_status", "AVAILABLE"), cameraHas("started_at", "2028-02-29T20:25:00Z")),
			isUpdate,
			plancheck.ExpectUnknownValue("qod_session.camera", tfjsonpath.New("qos_status")),
			acctest.BetweenPlanAndApply(func() {
				network.Before(sandbox.OpRead, func(int, *http.Request) {
					if polls++; polls == 2 {
						clock.Advance(10 * time.Minute)
					}
				})
			}),
		),
	)
	if got := network.Writes(); got != "POST DELETE" {
		t.Errorf("requests that change something: %s, want one POST and the DELETE in the end", got)
	}
}

// onlyAtFirst has the first answer show something that later ones leave out.
func onlyAtFirst(shown map[string]any) func(info map[string]any) {
	first := true
	return func(info map[string]any) {
		for name, value := range shown {
			info[name] = value
			if !first {
				delete(info, name)
			}
		}
		first = false
	}
}

// However a create ends after its POST, the state has what the network has, and the error says
// what happened and what the next apply will do.
func TestSession_createEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config      attrs
		injectFault func(*acctest.Network)
		says        []string // of the error; none: it is a success
		warns       []string // of the one warning; none: there is none
		status      string
	}{
		"available": {status: "AVAILABLE"},
		"requested, and nobody waits": {
			config: attrs{"wait_for_available": false},
			status: "REQUESTED",
		},
		"unavailable while it is waited for": {
			injectFault: func(network *acctest.Network) {
				network.Before(sandbox.OpRead, func(int, *http.Request) { network.Revoke(network.SessionIDs()[0]) })
			},
			says:   []string{"Unable to Create QoS Session", "UNAVAILABLE", "tainted", "Session: "},
			status: "UNAVAILABLE",
		},
		"unavailable at once, and nobody waits": {
			config: attrs{"wait_for_available": false},
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosStatus"] = "UNAVAILABLE" })
			},
			says:   []string{"Unable to Create QoS Session", "UNAVAILABLE", "tainted"},
			status: "UNAVAILABLE",
		},
		"another profile": {
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosProfile"] = "QOS_S" })
			},
			says:   []string{"Unable to Create QoS Session", "QOS_S", "instead of QOS_L", "tainted"},
			status: "AVAILABLE",
		},
		"another profile, and nobody waits": {
			config: attrs{"wait_for_available": false},
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosProfile"] = "QOS_S" })
			},
			says:   []string{"Unable to Create QoS Session", "QOS_S", "instead of QOS_L", "tainted"},
			status: "REQUESTED",
		},
		"too slow": {
			config: attrs{"timeouts": attrs{"create": "2s"}},
			injectFault: func(network *acctest.Network) {
				network.Echo(func(info map[string]any) { info["qosStatus"] = "REQUESTED" })
			},
			says:   []string{"Unable to Create QoS Session", "timeouts.create", "tainted", "run terraform untaint to keep it", "resumes the wait"},
			status: "REQUESTED",
		},
		"less than asked for": {
			injectFault: func(network *acctest.Network) { network.Echo(func(info map[string]any) { info["duration"] = 600 }) },
			warns:       []string{"QoS Session Shorter Than Requested", "600 of 3600 seconds"},
			status:      "AVAILABLE",
		},
		"less than asked for, as the first answer alone shows": {
			injectFault: func(network *acctest.Network) { network.Echo(onlyAtFirst(map[string]any{"duration": 600})) },
			warns:       []string{"QoS Session Shorter Than Requested", "600 of 3600 seconds"},
			status:      "AVAILABLE",
		},
		"another profile, as the first answer alone shows": {
			injectFault: func(network *acctest.Network) { network.Echo(onlyAtFirst(map[string]any{"qosProfile": "QOS_S"})) },
			says:        []string{"Unable to Create QoS Session", "QOS_S", "instead of QOS_L", "tainted"},
			status:      "AVAILABLE",
		},
		"more than asked for": {
			injectFault: func(network *acctest.Network) { network.Echo(func(info map[string]any) { info["duration"] = 7200 }) },
			warns:       []string{"QoS Session Longer Than Requested", "granted 7200 seconds", "3600 were requested"},
			status:      "AVAILABLE",
		},
		"polls fail in passing": {
			injectFault: func(network *acctest.Network) {
				network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: sandbox.Status(503, "")})
			},
			status: "AVAILABLE",
		},
	}
	for name, test := range tests {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			if test.injectFault != nil {
				test.injectFault(network)
			}
			c := network.Client()
			made := c.Create(hour(test.config))
			if ids := network.SessionIDs(); len(ids) != 1 || made.Text("id") != ids[0] {
				t.Errorf("state has %q, the network %v", made.Text("id"), ids)
			}
			if got := made.Text("qos_status"); got != test.status {
				t.Errorf("qos_status is %q, want %q", got, test.status)
			}
			if got := made.Text("qos_profile"); got != "QOS_L" {
				t.Errorf("qos_profile is %q, want what was planned", got)
			}
			if failed := acctest.HasError(made.Diagnostics); failed != (len(test.says) > 0) {
				t.Errorf("diagnostics: %s", acctest.Describe(made.Diagnostics))
			}
			acctest.ContainsAll(t, made.Errors(), test.says)
			warned := made.Warnings()
			if len(test.warns) == 0 && len(warned) != 0 || len(test.warns) > 0 && len(warned) != 1 {
				t.Errorf("warnings: %q", warned)
			}
			acctest.ContainsAll(t, strings.Join(warned, ""), test.warns)
			if len(test.says) == 0 {
				c.ExpectEmptyPlan(c.Refresh(made.State).State, hour(test.config))
			}
			if left := c.Destroy(made.State); left.Values != nil || len(network.SessionIDs()) != 0 {
				t.Errorf("after destroy: state %v, network %v; %s", left.Values, network.SessionIDs(), acctest.Describe(left.Diagnostics))
			}
		}))
	}
}

// api is an API that answers as a test says, for endings that take a real one long to reach.
type api struct {
	unconfigured
	reserve, await func() (qod.Session, error)
	broken         *atomic.Bool // whether its clock is
}

func (a api) Endpoint() string { return "https://fake.example" }
func (a api) Origin() string   { return "https://fake.example as a fake" }

func (a api) Now(context.Context) (time.Time, error) {
	if a.broken != nil && a.broken.Load() {
		panic("a fault")
	}
	return acctest.KickOff, nil
}

func (a api) EstimateNow() time.Time {
	if a.broken != nil && a.broken.Load() {
		panic("a fault")
	}
	return acctest.KickOff
}

func (a api) Create(context.Context, qod.Spec) (qod.Session, error) { return a.reserve() }
func (a api) Await(context.Context, qod.Ref) (qod.Session, error)   { return a.await() }

// The endings that depend on the client alone: an interrupted wait ends with a warning and a
// clean state, a session that vanished leaves none, and one that comes with an error, or before a
// fault of the provider, is recorded.
func TestSession_createEndsWith(t *testing.T) {
	t.Parallel()
	requested := qod.Session{ID: "3fa85f64-5717-4562-b3fc-2c963f66afa6", Status: qod.StatusRequested, QoSProfile: "QOS_L"}
	reserved := func() (qod.Session, error) { return requested, nil }
	fails := func(reason qod.WaitReason) func() (qod.Session, error) {
		return func() (qod.Session, error) { return requested, &qod.WaitError{Reason: reason, Last: requested} }
	}
	var broken atomic.Bool
	tests := map[string]struct {
		api         api
		says, warns string
		status      string // empty: not in state
	}{
		"interrupted": {api: api{reserve: reserved, await: fails(qod.WaitInterrupted)}, warns: "The next apply resumes the wait.", status: "REQUESTED"},
		"vanished":    {api: api{reserve: reserved, await: fails(qod.WaitGone)}, says: "The next apply requests a new one."},
		"denied":      {api: api{reserve: reserved, await: fails(qod.WaitUnauthorized)}, says: "fix the credentials and run terraform untaint", status: "REQUESTED"},
		"a fault while waiting": {
			api:  api{reserve: reserved, await: func() (qod.Session, error) { panic("a fault") }},
			says: "a fault", status: "REQUESTED",
		},
		"a fault before the wait": {
			api: api{broken: &broken, reserve: func() (qod.Session, error) {
				broken.Store(true)
				return requested, nil
			}},
			says: "a fault", status: "REQUESTED",
		},
		"a session with an error": {
			api:  api{reserve: func() (qod.Session, error) { return requested, &qod.PanicError{Value: "a fault"} }},
			says: "a fault", status: "REQUESTED",
		},
		"an error alone": {
			api: api{reserve: func() (qod.Session, error) {
				return qod.Session{}, &qod.InterruptedError{Operation: qod.OperationCreate}
			}},
			says: "No session was created.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := acc.NewClientOf(t, test.api).Create(hour(nil))
			if got := made.Text("qos_status"); got != test.status || (made.Values == nil) != (test.status == "") {
				t.Errorf("qos_status is %q, want %q", got, test.status)
			}
			if test.status != "" && made.Text("id") != requested.ID {
				t.Errorf("the id %q is recorded, want %q", made.Text("id"), requested.ID)
			}
			if acctest.HasError(made.Diagnostics) != (test.says != "") || !strings.Contains(made.Errors(), test.says) {
				t.Errorf("want an error that says %q: %s", test.says, acctest.Describe(made.Diagnostics))
			}
			if warned := strings.Join(made.Warnings(), "\n"); (warned != "") != (test.warns != "") || !strings.Contains(warned, test.warns) {
				t.Errorf("want a warning that says %q: %s", test.warns, acctest.Describe(made.Diagnostics))
			}
		})
	}
}

// A resumed wait that fails leaves the session in state and untainted, which over the wire means:
// with the record that it had. What became of it is in there, so that the next plan knows.
func TestSession_resumedWaitEnds(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewManualClock(acctest.KickOff), Provisioning: 10 * time.Minute})
	c := network.Client()
	made := c.MustCreate(hour(attrs{"wait_for_available": false}))

	slow := c.Apply(c.Plan(made, hour(attrs{"timeouts": attrs{"create": "300ms"}})))
	if slow.Text("id") != made.Text("id") || slow.Text("qos_status") != "REQUESTED" {
		t.Errorf("after a timeout the state has %q, %q", slow.Text("id"), slow.Text("qos_status"))
	}
	acctest.ContainsAll(t, slow.Errors(), []string{"QoS Session Not Available", "resumes the wait", made.Text("id")})

	// What drifted meanwhile is for the next refresh: an update has to leave what was planned.
	network.Edit(made.Text("id"), func(s *sandbox.Session) { s.QoSProfile = "QOS_S" })
	network.Revoke(made.Text("id"))
	dead := c.Apply(c.Plan(slow.State, hour(nil)))
	acctest.ContainsAll(t, dead.Errors(), []string{"QoS Session Not Available", "UNAVAILABLE"})
	if status, profile := dead.Text("qos_status"), dead.Text("qos_profile"); status != "UNAVAILABLE" || profile != "QOS_L" {
		t.Errorf("the state has %s, %s, want UNAVAILABLE, QOS_L", status, profile)
	}
	if next := c.Plan(dead.State, hour(nil)); len(next.Replace) != 1 || next.Replace[0] != "qos_status" {
		t.Errorf("the next plan replaces for %v, want qos_status", next.Replace)
	}
}

// What the error of a create that took too long advises works: untainted, the session is kept and
// its wait resumed.
func TestSession_untainted(t *testing.T) {
	clock := sandbox.NewManualClock(acctest.KickOff)
	network := acc.NewNetwork(t, sandbox.Config{Clock: clock, Provisioning: time.Minute})
	c := network.CLI(acctest.SessionBlock("camera", `timeouts = { create = "3s" }`, 3600))
	acctest.ContainsAll(t, c.Must(1, "apply", "-auto-approve", "-no-color", "-input=false"), []string{"run terraform untaint to keep it"})
	c.ExpectInSync()
	c.Must(0, "untaint", "qod_session.camera")
	looks := 0
	network.Before(sandbox.OpRead, func(int, *http.Request) {
		if looks++; looks == 3 { // the refresh of the plan, a poll, another poll
			clock.Advance(time.Minute)
		}
	})
	c.Apply()
	c.Destroy()
	if got := network.Writes(); got != "POST DELETE" {
		t.Errorf("requests that change something: %s, want one POST and the DELETE in the end", got)
	}
}

// A session that was made and is not to be seen until the time is up is in the state, tainted, with
// its id in the error.
func TestSession_notSeenWhileWaiting(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.Lag(sandbox.OpRead, 25*time.Second)
		network.Lag(sandbox.OpList, 25*time.Second)
		made := network.Client().Create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
		expectSessions(network, made.State)
		acctest.ContainsAll(t, made.Errors(), []string{
			"Unable to Create QoS Session: ", "in the time allowed (timeouts.create)", "404 Not Found", "tainted", "run terraform untaint to keep it", "Session: " + network.SessionIDs()[0],
		})
		network.Advance(30 * time.Second)
		c := network.Client()
		if read := c.Refresh(made.State); read.Text("id") != network.SessionIDs()[0] || read.Text("qos_status") != "AVAILABLE" || len(read.Diagnostics) > 0 {
			t.Errorf("a later run: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
	})(t)
}
