// What a network, and what stands between it and Terraform, does wrong to sessions that are there:
// gateways that answer in the API's place, replicas that lag, lists that are cached, cut to a page or
// stand still, clocks that are wrong, answers that are mixed up. After each, the network holds what the
// state holds, or the run is red and names what may exist.

package provider

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// camera is a session of an hour, for one of many devices.
func cameraOf(n int, more attrs) attrs {
	return hour(more).With("device.phone_number", fmt.Sprintf("+3462%07d", n))
}

// cameras makes so many sessions, in one process.
func createCameras(network *acctest.Network, n int, more attrs) []acctest.State {
	network.T.Helper()
	c := network.Client()
	return sideBySide(n, func(i int) acctest.State {
		made := c.Create(cameraOf(i, more))
		if len(made.Diagnostics) > 0 {
			network.T.Errorf("create: %s", acctest.Describe(made.Diagnostics))
		}
		return made.State
	})
}

// sideBySide does something so many times at once, as Terraform does.
func sideBySide[T any](n int, do func(i int) T) []T {
	done := make([]T, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { done[i] = do(i) })
	}
	all.Wait()
	return done
}

// refreshAll is what a plan reads.
func refreshAll(c *acctest.ProtocolClient, records []acctest.State) []acctest.Result {
	c.T.Helper()
	return sideBySide(len(records), func(i int) acctest.Result { return c.Refresh(records[i]) })
}

// kept checks that an operation has left the record as it was; with what it says: nothing, or an error
// with these parts in which the session is named.
func expectKept(c *acctest.ProtocolClient, left acctest.Result, was acctest.State, says ...string) {
	c.T.Helper()
	if !left.Equal(was) {
		c.T.Errorf("the state has changed to %v", left.Values)
	}
	if acctest.HasError(left.Diagnostics) != (len(says) > 0) || len(left.Diagnostics) > 1 {
		c.T.Errorf("it says: %s", acctest.Describe(left.Diagnostics))
	}
	for _, part := range append(says, "Session: "+was.Text("id")) {
		if len(says) > 0 && !strings.Contains(left.Errors(), part) {
			c.T.Errorf("%q is missing in: %s", part, acctest.Describe(left.Diagnostics))
		}
	}
}

// patient is a record whose configuration gives a delete so much time.
func withDeleteTimeout(c *acctest.ProtocolClient, r acctest.State, deletes string) acctest.State {
	c.T.Helper()
	r.Values = maps.Clone(r.Values)
	r.Values["timeouts"] = c.Convert(r.Values["timeouts"].Type(), attrs{"delete": deletes})
	return r
}

// holds checks that the network holds just the sessions of these records.
func expectSessions(network *acctest.Network, records ...acctest.State) {
	network.T.Helper()
	var inState []string
	for _, r := range records {
		if id := r.Text("id"); id != "" {
			inState = append(inState, strings.ToLower(id))
		}
	}
	slices.Sort(inState)
	if onNetwork := network.SessionIDs(); !slices.Equal(inState, onNetwork) {
		network.T.Errorf("state and network differ:\n  state:   %v\n  network: %v", inState, onNetwork)
	}
}

// A gateway that has lost its route to the API answers 404 by itself. In no shape is that the API's word
// that a session is gone.
func TestSession_gatewayNotFound(t *testing.T) {
	t.Parallel()
	const unproven = "does not prove that the session is gone"
	for i, gateway := range sandbox.ForeignNotFound {
		t.Run(gateway.Name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 8, nil)

			// A list still comes through.
			network.InjectFault(sandbox.OpRead, -1, gateway.Effect)
			c := network.ClientPastLag()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i])
			}

			// Nothing does.
			network.InjectFault(sandbox.OpList, -1, gateway.Effect)
			c = network.Client()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i], "Unable to Read QoS Session: ", unproven, "No list of the sessions could settle it", "Status: 404 Not Found")
			}
			network.InjectFault(sandbox.OpDelete, -1, gateway.Effect)
			c = network.Client()
			for i, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				expectKept(c, left, made[i], "Unable to Delete QoS Session: ", unproven, "may still be live and billed")
			}

			// Only deletes do not.
			network.Heal()
			network.InjectFault(sandbox.OpDelete, -1, gateway.Effect)
			c = network.Client()
			if i < 2 { // it takes its time
				hasty := withDeleteTimeout(c, made[0], "1s")
				expectKept(c, c.Destroy(hasty), hasty, "Unable to Delete QoS Session: ", "the list of sessions still shows the session")
				expectSessions(network, made...)
			}

			// One answer in passing costs nothing.
			network.Heal()
			network.InjectFault(sandbox.OpDelete, 1, gateway.Effect)
			for _, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				if left.Values != nil || len(left.Diagnostics) > 0 {
					t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
				}
			}
			expectSessions(network)
		}))
	}
}

// The node that answers has not heard of a session that is seconds old, and says so in the API's own
// words.
func TestSession_replicaLags(t *testing.T) {
	t.Parallel()
	for name, operations := range map[string][]sandbox.Operation{
		"of a read":     {sandbox.OpRead},
		"of a delete":   {sandbox.OpDelete},
		"of everything": {sandbox.OpRead, sandbox.OpList, sandbox.OpDelete},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 8, nil)
			for _, op := range operations {
				network.Lag(op, 6*time.Second)
			}
			c := network.Client()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i])
			}
			expectSessions(network, made...)
			c = network.Client()
			for _, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				if left.Values != nil || len(left.Diagnostics) > 0 {
					t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
				}
			}
			expectSessions(network)
		}))
	}
}

// A session that was made and is not to be seen until the time is up is in the state, tainted, with its
// id in the error.
func TestSession_notSeenWhileWaiting(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.Lag(sandbox.OpRead, 25*time.Second)
		network.Lag(sandbox.OpList, 25*time.Second)
		made := network.Client().Create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
		expectSessions(network, made.State)
		acctest.ContainsAll(t, made.Errors(), []string{
			"Unable to Create QoS Session: ", "in the time allowed (timeouts.create)", "404 Not Found", "tainted", "terraform untaint keeps it", "Session: " + network.SessionIDs()[0],
		})
		network.Advance(30 * time.Second)
		c := network.Client()
		if read := c.Refresh(made.State); read.Text("id") != network.SessionIDs()[0] || read.Text("qos_status") != "AVAILABLE" || len(read.Diagnostics) > 0 {
			t.Errorf("a later run: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
	})(t)
}

// A gateway mixes up the answers to two creates: each state gets the session of its own device.
func TestSession_createsMixedUp(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.InjectFault(sandbox.OpCreate, 2, sandbox.SwapAnswers())
		made := createCameras(network, 2, nil)
		expectSessions(network, made...)
		for _, s := range network.Ledger() {
			i := slices.IndexFunc(made, func(r acctest.State) bool { return r.Text("id") == s.ID })
			if i < 0 || s.Device.PhoneNumber != fmt.Sprintf("+3462%07d", i) {
				t.Errorf("the session of %s is in the state of device %d", s.Device.PhoneNumber, i)
			}
		}
		if n := network.Count(sandbox.OpCreate); n != 2 {
			t.Errorf("%d POSTs, want 2", n)
		}
	})(t)
}

// So it is for reads and for deletes: what another session's answer says is nobody's.
func TestSession_readsMixedUp(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		made := createCameras(network, 2, nil)
		network.Edit(made[0].Text("id"), func(s *sandbox.Session) { s.QoSProfile = "QOS_S" })
		network.InjectFault(sandbox.OpRead, 2, sandbox.SwapAnswers())
		c := network.Client()
		for i, read := range refreshAll(c, made) {
			expectKept(c, read, made[i], "Unable to Read QoS Session: ", "the answer shows another")
		}
		// Where no id is shown the device tells.
		network.Echo(func(info map[string]any) { delete(info, "sessionId") })
		network.InjectFault(sandbox.OpRead, 2, sandbox.SwapAnswers())
		for i, read := range refreshAll(c, made) {
			expectKept(c, read, made[i], "Unable to Read QoS Session: ", "the answer shows another device")
		}
		network.Echo(nil)
		if read := c.Refresh(made[0]); read.Text("qos_profile") != "QOS_S" {
			t.Errorf("without a fault: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
		expectSessions(network, made...)
	})(t)
}

// The answer to a POST is lost, lists lag behind it, and the network would take a second session for the
// device. It has one in the end that the state has, or the error names both.
func TestSession_lostAnswerAndLaggingList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lost sandbox.Effect
		lag  time.Duration
		says []string // of the error; none: there is one session
	}{
		"for a moment":              {lost: sandbox.DropAfterCommit(), lag: 3 * time.Second},
		"for a moment, after a 502": {lost: sandbox.StatusAfterCommit(502, ""), lag: 3 * time.Second},
		"longer than anybody can wait": {lost: sandbox.DropAfterCommit(), lag: time.Hour, says: []string{
			"Unable to Create QoS Session: ", "may have made two sessions", "The later session is in the state", "tainted", "May be billed until: ", "x-correlator: ",
		}},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{SeveralPerDevice: true}, func(t *testing.T, network *acctest.Network) {
			network.Lag(sandbox.OpList, test.lag)
			network.Lag(sandbox.OpCreate, test.lag)
			network.InjectFault(sandbox.OpCreate, 1, test.lost)
			config := attrs{"max_retries": 2}
			if test.says != nil {
				config["request_timeout"] = "1s" // which bounds how long it is looked for
			}
			made := network.ClientWith(config).Create(hour(attrs{"timeouts": attrs{"create": "8s"}}))
			if test.says == nil {
				if len(made.Diagnostics) > 0 {
					t.Errorf("it says: %s", acctest.Describe(made.Diagnostics))
				}
				expectSessions(network, made.State)
				return
			}
			acctest.ContainsAll(t, made.Errors(), test.says)
			if !slices.Contains(network.SessionIDs(), made.Text("id")) || !strings.Contains(made.Errors(), "Session: "+made.Text("id")) {
				t.Errorf("the state has %q, the network %v; %s", made.Text("id"), network.SessionIDs(), acctest.Describe(made.Diagnostics))
			}
		}))
	}
}

// A list stands still: it shows as requested what has become available, or dead, and what has ended.
func TestSession_listStandsStill(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: time.Minute}, func(t *testing.T, network *acctest.Network) {
		requested := createCameras(network, 6, attrs{"wait_for_available": false})
		network.StaleList(true)
		network.Advance(time.Minute)
		network.Revoke(requested[5].Text("id"))
		c := network.Client()
		began := time.Now()
		resumed := sideBySide(len(requested), func(i int) acctest.Result { return c.Apply(c.Plan(requested[i], cameraOf(i, nil))) })
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("the waits took %s", took)
		}
		available := make([]acctest.State, 0, len(requested))
		for i, got := range resumed {
			status := map[bool]string{true: "UNAVAILABLE", false: "AVAILABLE"}[i == 5]
			if got.Text("qos_status") != status || acctest.HasError(got.Diagnostics) != (i == 5) {
				t.Errorf("session %d is %s in the state; %s", i, got.Text("qos_status"), acctest.Describe(got.Diagnostics))
			}
			available = append(available, got.State)
		}

		// What a list shows stays, whichever of them are asked for one by one; and when it shows better, all
		// that have ended leave the state, each named.
		network.StaleList(false)
		network.StaleList(true)
		network.RemovePastLag(network.SessionIDs()...)
		c = network.Client()
		for i, read := range refreshAll(c, available) {
			if read.Text("id") != available[i].Text("id") || acctest.HasError(read.Diagnostics) {
				t.Errorf("while a list shows it: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
			}
		}
		network.StaleList(false)
		c = network.Client()
		for i, read := range refreshAll(c, available) {
			network.ExpectGoneWarning(read, available[i].Text("id"))
		}
	})(t)
}

// A cache in front of the lists repeats what was so before: it confirms nothing and proves nothing.
func TestSession_listFromACache(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]func() sandbox.Effect{
		"with Age": sandbox.Cached, "without Age": sandbox.CachedWithoutAge, "that heeds no-cache": sandbox.CachedUnlessNoCache,
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 12, nil)
			network.InjectFault(sandbox.OpList, -1, effect())
			query(network.Client(), attrs{}, 0, false) // it is in the cache now
			network.AdvancePastLag()
			for _, r := range made[:6] {
				network.Revoke(r.Text("id"))
			}
			c := network.Client()
			c.Refresh(made[0]) // what time it is shows by an answer that is current, and by that the age of the list
			for i, read := range refreshAll(c, made) {
				if dead := read.Text("qos_status") == "UNAVAILABLE"; dead != (i < 6) || len(read.Diagnostics) > 0 {
					t.Errorf("session %d: %v; %s", i, read.Values, acctest.Describe(read.Diagnostics))
				}
			}
			expectSessions(network, made...)

			network.RemovePastLag(network.SessionIDs()...)
			c = network.Client()
			c.Refresh(made[0])
			for i, read := range refreshAll(c, made) {
				if name == "that heeds no-cache" {
					network.ExpectGoneWarning(read, made[i].Text("id"))
				} else {
					expectKept(c, read, made[i], "Unable to Read QoS Session: ", "does not prove that the session is gone", "a cache answered")
				}
			}
		}))
	}
}

// Networks spell ids as they like. Whatever one shows is read, listed, imported and deleted as it is.
func TestSession_idsInUpperCase(t *testing.T) {
	for name, spelled := range map[string]func(op int, id string) string{
		"always":           func(_ int, id string) string { return strings.ToUpper(id) },
		"now and then":     func(n int, id string) string { return []string{id, strings.ToUpper(id)}[n%2] },
		"only at creation": func(n int, id string) string { return []string{id, strings.ToUpper(id)}[max(0, 1-n/6)] },
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
			shown := 0
			var mu sync.Mutex
			network.Echo(func(info map[string]any) {
				mu.Lock()
				defer mu.Unlock()
				id, _ := info["sessionId"].(string)
				info["sessionId"] = spelled(shown, id)
				shown++
			})
			made := createCameras(network, 6, nil)
			expectSessions(network, made...)
			c := network.ClientPastLag()
			for i, read := range refreshAll(c, made) {
				expectKept(c, read, made[i])
			}
			for i, read := range sideBySide(len(made), func(i int) acctest.Result { return network.Client().Import(made[i].Text("id")) }) {
				if read.Text("id") != made[i].Text("id") || len(read.Diagnostics) > 0 {
					t.Errorf("import of %s: %v; %s", made[i].Text("id"), read.Values, acctest.Describe(read.Diagnostics))
				}
			}
			for _, one := range query(c, attrs{}, 0, true) {
				if imported := network.Client().Import(one.id); imported.Text("id") != one.id || one.resource.Text("id") != one.id {
					t.Errorf("import of %s, as it is listed: %v; %s", one.id, imported.Values, acctest.Describe(imported.Diagnostics))
				}
			}
			for _, left := range sideBySide(len(made), func(i int) acctest.Result { return c.Destroy(made[i]) }) {
				if left.Values != nil || len(left.Diagnostics) > 0 {
					t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
				}
			}
			expectSessions(network)
		}))
	}
}

// The network holds the device for a while after it has said that the old session is deleted.
func TestSession_deviceHeldAfterDelete(t *testing.T) {
	t.Parallel()
	t.Run("for a while", acc.InBubble(0, sandbox.Config{HoldAfterDelete: 50 * time.Second}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		old := c.MustCreate(hour(nil))
		if left := c.Destroy(old); len(left.Diagnostics) > 0 {
			t.Fatal(acctest.Describe(left.Diagnostics))
		}
		made := c.Create(hour(attrs{"duration": 1800}))
		if len(made.Diagnostics) > 0 {
			t.Errorf("it says: %s", acctest.Describe(made.Diagnostics))
		}
		expectSessions(network, made.State)
	}))
	t.Run("for too long", acc.InBubble(0, sandbox.Config{HoldAfterDelete: time.Hour}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		old := c.MustCreate(hour(nil))
		c.Destroy(old)
		made := c.Create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
		acctest.ContainsAll(t, made.Errors(), []string{"This run has deleted, or is deleting, a session of this device", "Deleted session: " + old.Text("id"), "apply again in a few minutes"})
		if strings.Contains(made.Errors(), "another team") || made.Values != nil {
			t.Errorf("%v; %s", made.Values, acctest.Describe(made.Diagnostics))
		}
		expectSessions(network)
	}))
}

// shownAs has the network show a session with another end, or anything else.
func showAs(network *acctest.Network, id string, changes map[string]any) {
	network.Echo(func(info map[string]any) {
		if info["sessionId"] == id {
			maps.Copy(info, changes)
		}
	})
}

// A session that the network still shows as in use past its own end is over, and is replaced where the
// clock that says so can be believed.
func TestSession_availablePastItsEnd(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"AVAILABLE", "EXPIRED"} {
		t.Run(status, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := network.Client().MustCreate(hour(nil))
			ended := time.Now().UTC().Add(-time.Hour)
			showAs(network, made.Text("id"), map[string]any{
				"qosStatus": status, "startedAt": ended.Add(-time.Hour).Format(time.RFC3339), "expiresAt": ended.Format(time.RFC3339),
			})
			c := network.ClientPastLag()
			over := c.Refresh(made)
			if acctest.HasError(over.Diagnostics) {
				t.Errorf("it says: %s", acctest.Describe(over.Diagnostics))
			}
			p := c.Plan(over.State, hour(nil))
			if !slices.Equal(p.Replace, []string{"qos_status"}) || acctest.HasError(p.Diagnostics) {
				t.Errorf("the plan replaces for %v; %s", p.Replace, acctest.Describe(p.Diagnostics))
			}
			if left := c.Destroy(over.State); left.Values != nil || acctest.HasError(left.Diagnostics) {
				t.Errorf("destroy: %v; %s", left.Values, acctest.Describe(left.Diagnostics))
			}
			expectSessions(network)
			next := c.MustCreate(hour(nil))
			expectSessions(network, next)
		}))
	}
	t.Run("by a clock six hours off", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		made := network.Client().MustCreate(hour(nil))
		network.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
		c := network.ClientPastLag()
		left := c.Refresh(made)
		expectKept(c, left, made, "Unable to Read QoS Session: ", "One of them is wrong, so nothing can be concluded", "This machine's clock shows")
		c.ExpectEmptyPlan(left.State, hour(nil))
		expectSessions(network, made)
	}))
	t.Run("by every second answer", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		made := network.Client().MustCreate(hour(nil))
		network.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * 6 * time.Hour })
		c := network.ClientPastLag()
		for range 3 {
			left := c.Refresh(made)
			if !left.Equal(made) {
				t.Errorf("the state has changed to %v", left.Values)
			}
			c.ExpectEmptyPlan(left.State, hour(nil))
		}
		expectSessions(network, made)
	}))
}

// Another word for a status is no reason to delete a good session, nor to keep a dead one in silence.
func TestSession_otherWordsForAStatus(t *testing.T) {
	t.Run("in lower case", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) { info["qosStatus"] = strings.ToLower(fmt.Sprint(info["qosStatus"])) })
		c := network.Client()
		made := c.MustCreate(hour(nil))
		if made.Text("qos_status") != "AVAILABLE" {
			t.Errorf("qos_status is %q", made.Text("qos_status"))
		}
		expectSessions(network, made)
	}))
	t.Run("unknown", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(nil))
		showAs(network, made.Text("id"), map[string]any{"qosStatus": "EXPIRED"})
		read := c.Refresh(made)
		if read.Text("qos_status") != "EXPIRED" || acctest.HasError(read.Diagnostics) {
			t.Errorf("%v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
		acctest.ContainsAll(t, strings.Join(read.Warnings(), ""), []string{"QoS Session " + made.Text("id") + " Has an Unknown Status: ", "EXPIRED", "-replace"})
		expectSessions(network, read.State)
	}))
}

// A delete that is refused for now is repeated.
func TestSession_busyDelete(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 423, 425, 429} {
		t.Run(fmt.Sprint(status), acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			c := network.Client()
			made := c.MustCreate(hour(nil))
			network.InjectFault(sandbox.OpDelete, 2, sandbox.Status(status, `{"code": "BUSY", "message": "not now"}`))
			if left := c.Destroy(made); left.Values != nil || len(left.Diagnostics) > 0 {
				t.Errorf("%v; %s", left.Values, acctest.Describe(left.Diagnostics))
			}
			expectSessions(network)
		}))
	}
	t.Run("for too long", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
		network.InjectFault(sandbox.OpDelete, -1, sandbox.Status(423, `{"code": "BUSY", "message": "not now"}`))
		expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "in the time allowed (timeouts.delete)", "does not delete the session yet (423 Locked)", "not now")
		expectSessions(network, made)
	}))
}

// A list that comes in pages is read to its end; one that is cut short is not taken for the whole; and
// one that is empty may say so in other ways.
func TestSession_listsInPages(t *testing.T) {
	acc.InBubble(0, sandbox.Config{PageSize: 2}, func(t *testing.T, network *acctest.Network) {
		made := createCameras(network, 7, nil)
		c := network.ClientPastLag()
		for i, read := range refreshAll(c, made) { // three of them by lists
			expectKept(c, read, made[i])
		}
		if found := query(c, attrs{}, 0, false); len(found) != 7 || len(found[0].Diagnostics) > 0 {
			t.Errorf("a query finds %v", found)
		}
		if n := len(sessionsRead(c, t, nil)); n != 7 {
			t.Errorf("the data source has %d sessions, want 7", n)
		}

		network.InjectFault(sandbox.OpList, -1, sandbox.Header("Link", ""))
		const part = "Incomplete List of QoS Sessions: "
		c = network.Client()
		if n := len(sessionsRead(c, t, []string{part, "shows 2 of 7"})); n != 2 {
			t.Errorf("the data source has %d sessions of the part, want 2", n)
		}
		found := query(c, attrs{}, 0, false)
		if len(found) != 2 || len(found[1].Diagnostics) > 0 || acctest.HasError(found[0].Diagnostics) {
			t.Errorf("a query of a part finds %v", found)
		}
		acctest.ContainsAll(t, strings.Join(found[0].Warnings(), ""), []string{part})
		// Where nothing is found there is nothing to carry a warning.
		nobody := query(c, attrs{"device": attrs{"phone_number": "+34600000099"}}, 0, false)
		if len(nobody) != 1 || !strings.Contains(nobody[0].Errors(), part) {
			t.Errorf("a query that finds nothing in a part says %v", nobody)
		}
		for i, read := range refreshAll(c, made) {
			expectKept(c, read, made[i])
		}
		network.RemovePastLag(made[0].Text("id"))
		c = network.Client()
		expectKept(c, c.Refresh(made[0]), made[0], "Unable to Read QoS Session: ", "the list of sessions is incomplete")
	})(t)
}

func TestSession_emptyLists(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"204": sandbox.EmptyListAs(http.StatusNoContent), "404 in the API's words": sandbox.EmptyListAs(http.StatusNotFound),
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := network.Client().MustCreate(hour(nil))
			network.RemovePastLag(made.Text("id"))
			network.InjectFault(sandbox.OpList, -1, effect)
			c := network.Client()
			if found := query(c, attrs{}, 0, false); len(found) > 0 {
				t.Errorf("a query finds %v", found)
			}
			if n := len(sessionsRead(c, t, nil)); n > 0 {
				t.Errorf("the data source has %d sessions", n)
			}
			if c := network.Client(); name == "204" {
				network.ExpectGoneWarning(c.Refresh(made), made.Text("id"))
			} else { // to lists a 404 means that nothing is there, but it proves nothing
				expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ")
			}
		}))
	}
}

// sessions reads the data source and checks what it warns of.
func sessionsRead(c *acctest.ProtocolClient, t *testing.T, warns []string) []tftypes.Value {
	t.Helper()
	schema := c.Schemas.DataSourceSchemas["qod_sessions"]
	read, diags := c.ReadDataSource(schema, attrs{})
	if acctest.HasError(diags) || (len(diags) > 0) != (len(warns) > 0) {
		t.Errorf("the data source says: %s", acctest.Describe(diags))
	}
	acctest.ContainsAll(t, strings.Join(acctest.Diagnostics(diags).Warnings(), ""), warns)
	var sessions []tftypes.Value
	if v, ok := read["sessions"]; ok {
		c.Must("As", v.As(&sessions))
	}
	return sessions
}

// Times in other spellings that can mean one instant only are read; of others the state says nothing,
// and a warning that it is so.
func TestSession_timesInOtherSpellings(t *testing.T) {
	t.Parallel()
	for layout, readable := range map[string]bool{
		"2006-01-02T15:04:05+0000": true, "2006-01-02 15:04:05Z": true, "2006-01-02T15:04:05.000000000+00:00": true, "2006-01-02t15:04:05z": true,
		"02/01/2006 15:04": false, "2006-01-02T15:04:05": false,
	} {
		t.Run(layout, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			network.Echo(func(info map[string]any) {
				for _, name := range []string{"startedAt", "expiresAt"} {
					shown, _ := info[name].(string)
					if at, err := time.Parse(time.RFC3339, shown); err == nil {
						info[name] = at.UTC().Format(layout)
					}
				}
			})
			c := network.Client()
			made := c.Create(hour(nil))
			expectSessions(network, made.State)
			for what, got := range map[string]acctest.Result{"create": made, "refresh": c.Refresh(made.State)} {
				shown := got.Text("started_at") != "" && got.Text("expires_at") != ""
				if shown != readable || acctest.HasError(got.Diagnostics) || (len(got.Warnings()) > 0) == readable {
					t.Errorf("%s: from %q until %q; %s", what, got.Text("started_at"), got.Text("expires_at"), acctest.Describe(got.Diagnostics))
				}
				if !readable {
					acctest.ContainsAll(t, strings.Join(got.Warnings(), ""), []string{"QoS Session " + made.Text("id") + " Shows Unreadable Values: ", "startedAt", "expiresAt"})
				}
			}
			c.ExpectEmptyPlan(made.State, hour(nil))
		}))
	}
}

// Whatever a server says of a device's number, in whatever spelling, is masked.
func TestSession_numbersInErrors(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		for _, spelled := range []string{
			"+34600000010", "+34 600 000 010", "34-600-000-010", "0034600000010", "msisdn34600000010", "tel%3A%2B34600000010", "(+34)600000010x", "600 00 00 10",
		} {
			network.InjectFault(sandbox.OpCreate, 1, sandbox.Status(400, fmt.Sprintf(`{"code": "INVALID_ARGUMENT", "message": "No line %s here"}`, spelled)))
			refusal := c.Create(hour(nil))
			digits := strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, strings.Split(refusal.Errors(), "x-correlator")[0])
			if !acctest.HasError(refusal.Diagnostics) || strings.Contains(digits, "60000001") {
				t.Errorf("%s: %s", spelled, acctest.Describe(refusal.Diagnostics))
			}
		}
		expectSessions(network)
	})(t)
}

// A session that is replaced because a value is not known yet is a live one that is cut, perhaps for the
// same value: the plan says so.
func TestSession_replacedForAnUnknownValue(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(nil))
		p := c.Plan(made, hour(attrs{"qos_profile": acctest.Unknown{}, "duration": acctest.Unknown{}}))
		if !slices.Equal(p.Replace, []string{"duration", "qos_profile"}) {
			t.Errorf("the plan replaces for %v", p.Replace)
		}
		acctest.ContainsAll(t, strings.Join(p.Warnings(), "\n"), []string{"QoS Session Replaced for an Unknown Value: ", "qos_profile", "duration", "-target"})
		if known := c.Plan(made, hour(attrs{"qos_profile": "QOS_S"})); len(known.Diagnostics) > 0 {
			t.Errorf("of a value that is known it says: %s", acctest.Describe(known.Diagnostics))
		}
	})(t)
}

// 410 is gone, said in another word: past the end it is proof, before it is an answer like a 404.
func TestSession_saidToBeGone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 410} {
		for name, list := range map[string]sandbox.Effect{"": {}, ", no list": sandbox.Status(403, ""), ", lists fail": sandbox.Status(503, "")} {
			t.Run(fmt.Sprint(status, name), func(t *testing.T) {
				// Not in a bubble: its clocks would agree.
				network := acc.NewNetwork(t, sandbox.Config{})
				made := network.Client().MustCreate(hour(nil))
				network.InjectFault(sandbox.OpRead, -1, sandbox.Status(status, ""))
				network.InjectFault(sandbox.OpDelete, -1, sandbox.Status(status, ""))
				if name != "" {
					network.InjectFault(sandbox.OpList, -1, list)
					c := network.ClientPastLag()
					expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ", "does not prove that the session is gone")
					expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "does not prove that the session is gone")
					expectSessions(network, made)
				}
				network.Advance(2 * time.Hour)
				c := network.Client()
				if name == ", lists fail" {
					// One answer is no clock, and no list confirms it; the next answer does.
					expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ")
				}
				for operation, left := range map[string]acctest.Result{"refresh": c.Refresh(made), "destroy": c.Destroy(made)} {
					if left.Values != nil || len(left.Diagnostics) > 0 {
						t.Errorf("%s past its end: %v; %s", operation, left.Values, acctest.Describe(left.Diagnostics))
					}
				}
				expectSessions(network)
			})
		}
	}
}

// However new a session is, another client's 404 proves nothing, and is not waited for to change.
func TestSession_newAndOfAnotherClient(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}}, func(t *testing.T, network *acctest.Network) {
		made := network.Client().MustCreate(hour(nil))
		c := network.ClientAs(network.Endpoint(), otherClient)
		began := time.Now()
		expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ", "it was made at "+network.Endpoint())
		expectKept(c, c.Destroy(made), made, "Unable to Delete QoS Session: ", "it was made at "+network.Endpoint())
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		expectSessions(network, made)
	})(t)
}

// A session that is over, by its own message, when it is made: green would buy another in every apply.
func TestSession_grantedInThePast(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) {
			info["expiresAt"] = network.Clock.Now().Add(-100 * time.Second).UTC().Format(time.RFC3339)
		})
		made := network.Client().Create(hour(nil))
		acctest.ContainsAll(t, made.Errors(), []string{"Unable to Create QoS Session: ", "past by its own clock", "Session: " + made.Text("id")})
		expectSessions(network, made.State)
	})(t)
}
