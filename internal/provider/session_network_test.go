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

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// camera is a session of an hour, for one of many devices.
func cameraOf(n int, more attrs) attrs {
	return hour(more).with("device.phone_number", fmt.Sprintf("+3462%07d", n))
}

// cameras makes so many sessions, in one process.
func (w *world) cameras(n int, more attrs) []record {
	w.t.Helper()
	c := w.core()
	return sideBySide(n, func(i int) record {
		made := c.create(cameraOf(i, more))
		if len(made.tfdiags) > 0 {
			w.t.Errorf("create: %s", printed(made.tfdiags))
		}
		return made.record
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
func (c *core) refreshAll(records []record) []result {
	c.t.Helper()
	return sideBySide(len(records), func(i int) result { return c.refresh(records[i]) })
}

// kept checks that an operation has left the record as it was; with what it says: nothing, or an error
// with these parts in which the session is named.
func (c *core) kept(left result, was record, says ...string) {
	c.t.Helper()
	if !left.is(was) {
		c.t.Errorf("the state has changed to %v", left.values)
	}
	if refused(left.tfdiags) != (len(says) > 0) || len(left.tfdiags) > 1 {
		c.t.Errorf("it says: %s", printed(left.tfdiags))
	}
	for _, part := range append(says, "Session: "+was.text("id")) {
		if len(says) > 0 && !strings.Contains(left.errors(), part) {
			c.t.Errorf("%q is missing in: %s", part, printed(left.tfdiags))
		}
	}
}

// patient is a record whose configuration gives a delete so much time.
func (c *core) patient(r record, deletes string) record {
	c.t.Helper()
	r.values = maps.Clone(r.values)
	r.values["timeouts"] = c.convert(r.values["timeouts"].Type(), attrs{"delete": deletes})
	return r
}

// holds checks that the network holds just the sessions of these records.
func (w *world) holds(records ...record) {
	w.t.Helper()
	var inState []string
	for _, r := range records {
		if id := r.text("id"); id != "" {
			inState = append(inState, strings.ToLower(id))
		}
	}
	slices.Sort(inState)
	if onNetwork := w.ids(); !slices.Equal(inState, onNetwork) {
		w.t.Errorf("state and network differ:\n  state:   %v\n  network: %v", inState, onNetwork)
	}
}

func (w *world) spoil(op sandbox.Operation, times int, effect sandbox.Effect) {
	w.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// A gateway that has lost its route to the API answers 404 by itself. In no shape is that the API's word
// that a session is gone.
func TestSession_gatewayNotFound(t *testing.T) {
	t.Parallel()
	const unproven = "does not prove that the session is gone"
	for i, gateway := range sandbox.ForeignNotFound {
		t.Run(gateway.Name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			made := w.cameras(8, nil)

			// A list still comes through.
			w.spoil(sandbox.OpRead, -1, gateway.Effect)
			c := w.later()
			for i, read := range c.refreshAll(made) {
				c.kept(read, made[i])
			}

			// Nothing does.
			w.spoil(sandbox.OpList, -1, gateway.Effect)
			c = w.core()
			for i, read := range c.refreshAll(made) {
				c.kept(read, made[i], "Unable to Read QoS Session: ", unproven, "No list of the sessions could settle it", "Status: 404 Not Found")
			}
			w.spoil(sandbox.OpDelete, -1, gateway.Effect)
			c = w.core()
			for i, left := range sideBySide(len(made), func(i int) result { return c.destroy(made[i]) }) {
				c.kept(left, made[i], "Unable to Delete QoS Session: ", unproven, "may still be live and billed")
			}

			// Only deletes do not.
			w.Heal()
			w.spoil(sandbox.OpDelete, -1, gateway.Effect)
			c = w.core()
			if i < 2 { // it takes its time
				hasty := c.patient(made[0], "1s")
				c.kept(c.destroy(hasty), hasty, "Unable to Delete QoS Session: ", "the list of sessions still shows the session")
				w.holds(made...)
			}

			// One answer in passing costs nothing.
			w.Heal()
			w.spoil(sandbox.OpDelete, 1, gateway.Effect)
			for _, left := range sideBySide(len(made), func(i int) result { return c.destroy(made[i]) }) {
				if left.values != nil || len(left.tfdiags) > 0 {
					t.Errorf("destroy: %v; %s", left.values, printed(left.tfdiags))
				}
			}
			w.holds()
		})
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
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			made := w.cameras(8, nil)
			for _, op := range operations {
				w.Lag(op, 6*time.Second)
			}
			c := w.core()
			for i, read := range c.refreshAll(made) {
				c.kept(read, made[i])
			}
			w.holds(made...)
			c = w.core()
			for _, left := range sideBySide(len(made), func(i int) result { return c.destroy(made[i]) }) {
				if left.values != nil || len(left.tfdiags) > 0 {
					t.Errorf("destroy: %v; %s", left.values, printed(left.tfdiags))
				}
			}
			w.holds()
		})
	}
}

// A session that was made and is not to be seen until the time is up is in the state, tainted, with its
// id in the error.
func TestSession_notSeenWhileWaiting(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.Lag(sandbox.OpRead, 25*time.Second)
	w.Lag(sandbox.OpList, 25*time.Second)
	made := w.core().create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
	w.holds(made.record)
	containsAll(t, made.errors(), []string{
		"Unable to Create QoS Session: ", "in the time allowed (timeouts.create)", "404 Not Found", "tainted", "terraform untaint keeps it", "Session: " + w.ids()[0],
	})
	w.advance(30 * time.Second)
	c := w.core()
	if read := c.refresh(made.record); read.text("id") != w.ids()[0] || read.text("qos_status") != "AVAILABLE" || len(read.tfdiags) > 0 {
		t.Errorf("a later run: %v; %s", read.values, printed(read.tfdiags))
	}
}

// A gateway mixes up the answers to two creates: each state gets the session of its own device.
func TestSession_createsMixedUp(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.spoil(sandbox.OpCreate, 2, sandbox.SwapAnswers())
	made := w.cameras(2, nil)
	w.holds(made...)
	for _, s := range w.Ledger() {
		i := slices.IndexFunc(made, func(r record) bool { return r.text("id") == s.ID })
		if i < 0 || s.Device.PhoneNumber != fmt.Sprintf("+3462%07d", i) {
			t.Errorf("the session of %s is in the state of device %d", s.Device.PhoneNumber, i)
		}
	}
	if n := w.Count(sandbox.OpCreate); n != 2 {
		t.Errorf("%d POSTs, want 2", n)
	}
}

// So it is for reads and for deletes: what another session's answer says is nobody's.
func TestSession_readsMixedUp(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	made := w.cameras(2, nil)
	w.Edit(made[0].text("id"), func(s *sandbox.Session) { s.QoSProfile = "QOS_S" })
	w.spoil(sandbox.OpRead, 2, sandbox.SwapAnswers())
	c := w.core()
	for i, read := range c.refreshAll(made) {
		c.kept(read, made[i], "Unable to Read QoS Session: ", "the answer shows another")
	}
	// Where no id is shown the device tells.
	w.Echo(func(info map[string]any) { delete(info, "sessionId") })
	w.spoil(sandbox.OpRead, 2, sandbox.SwapAnswers())
	for i, read := range c.refreshAll(made) {
		c.kept(read, made[i], "Unable to Read QoS Session: ", "the answer shows another device")
	}
	w.Echo(nil)
	if read := c.refresh(made[0]); read.text("qos_profile") != "QOS_S" {
		t.Errorf("without a fault: %v; %s", read.values, printed(read.tfdiags))
	}
	w.holds(made...)
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
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{SeveralPerDevice: true})
			w.Lag(sandbox.OpList, test.lag)
			w.Lag(sandbox.OpCreate, test.lag)
			w.spoil(sandbox.OpCreate, 1, test.lost)
			config := attrs{"max_retries": 2}
			if test.says != nil {
				config["request_timeout"] = "1s" // which bounds how long it is looked for
			}
			made := w.configured(config).create(hour(attrs{"timeouts": attrs{"create": "8s"}}))
			if test.says == nil {
				if len(made.tfdiags) > 0 {
					t.Errorf("it says: %s", printed(made.tfdiags))
				}
				w.holds(made.record)
				return
			}
			containsAll(t, made.errors(), test.says)
			if !slices.Contains(w.ids(), made.text("id")) || !strings.Contains(made.errors(), "Session: "+made.text("id")) {
				t.Errorf("the state has %q, the network %v; %s", made.text("id"), w.ids(), printed(made.tfdiags))
			}
		})
	}
}

// A list stands still: it shows as requested what has become available, or dead, and what has ended.
func TestSession_listStandsStill(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: time.Minute})
	requested := w.cameras(6, attrs{"wait_for_available": false})
	w.StaleList(true)
	w.advance(time.Minute)
	w.Revoke(requested[5].text("id"))
	c := w.core()
	began := time.Now()
	resumed := sideBySide(len(requested), func(i int) result { return c.apply(c.plan(requested[i], cameraOf(i, nil))) })
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the waits took %s", took)
	}
	available := make([]record, 0, len(requested))
	for i, got := range resumed {
		status := map[bool]string{true: "UNAVAILABLE", false: "AVAILABLE"}[i == 5]
		if got.text("qos_status") != status || refused(got.tfdiags) != (i == 5) {
			t.Errorf("session %d is %s in the state; %s", i, got.text("qos_status"), printed(got.tfdiags))
		}
		available = append(available, got.record)
	}

	// What a list shows stays, whichever of them are asked for one by one; and when it shows better, all
	// that have ended leave the state, each named.
	w.StaleList(false)
	w.StaleList(true)
	w.removeOld(w.ids()...)
	c = w.core()
	for i, read := range c.refreshAll(available) {
		if read.text("id") != available[i].text("id") || refused(read.tfdiags) {
			t.Errorf("while a list shows it: %v; %s", read.values, printed(read.tfdiags))
		}
	}
	w.StaleList(false)
	c = w.core()
	for i, read := range c.refreshAll(available) {
		w.isNamedAsGone(read, available[i].text("id"))
	}
}

// A cache in front of the lists repeats what was so before: it confirms nothing and proves nothing.
func TestSession_listFromACache(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]func() sandbox.Effect{
		"with Age": sandbox.Cached, "without Age": sandbox.CachedWithoutAge, "that heeds no-cache": sandbox.CachedUnlessNoCache,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			made := w.cameras(12, nil)
			w.spoil(sandbox.OpList, -1, effect())
			w.core().query(attrs{}, 0, false) // it is in the cache now
			w.outgrowLag()
			for _, r := range made[:6] {
				w.Revoke(r.text("id"))
			}
			c := w.core()
			c.refresh(made[0]) // what time it is shows by an answer that is current, and by that the age of the list
			for i, read := range c.refreshAll(made) {
				if dead := read.text("qos_status") == "UNAVAILABLE"; dead != (i < 6) || len(read.tfdiags) > 0 {
					t.Errorf("session %d: %v; %s", i, read.values, printed(read.tfdiags))
				}
			}
			w.holds(made...)

			w.removeOld(w.ids()...)
			c = w.core()
			c.refresh(made[0])
			for i, read := range c.refreshAll(made) {
				if name == "that heeds no-cache" {
					w.isNamedAsGone(read, made[i].text("id"))
				} else {
					c.kept(read, made[i], "Unable to Read QoS Session: ", "does not prove that the session is gone", "a cache answered")
				}
			}
		})
	}
}

// Networks spell ids as they like. Whatever one shows is read, listed, imported and deleted as it is.
func TestSession_idsInUpperCase(t *testing.T) {
	for name, spelled := range map[string]func(op int, id string) string{
		"always":           func(_ int, id string) string { return strings.ToUpper(id) },
		"now and then":     func(n int, id string) string { return []string{id, strings.ToUpper(id)}[n%2] },
		"only at creation": func(n int, id string) string { return []string{id, strings.ToUpper(id)}[max(0, 1-n/6)] },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
			shown := 0
			var mu sync.Mutex
			w.Echo(func(info map[string]any) {
				mu.Lock()
				defer mu.Unlock()
				id, _ := info["sessionId"].(string)
				info["sessionId"] = spelled(shown, id)
				shown++
			})
			made := w.cameras(6, nil)
			w.holds(made...)
			c := w.later()
			for i, read := range c.refreshAll(made) {
				c.kept(read, made[i])
			}
			for i, read := range sideBySide(len(made), func(i int) result { return w.core().adopt(made[i].text("id")) }) {
				if read.text("id") != made[i].text("id") || len(read.tfdiags) > 0 {
					t.Errorf("import of %s: %v; %s", made[i].text("id"), read.values, printed(read.tfdiags))
				}
			}
			for _, one := range c.query(attrs{}, 0, true) {
				if imported := w.core().adopt(one.id); imported.text("id") != one.id || one.resource.text("id") != one.id {
					t.Errorf("import of %s, as it is listed: %v; %s", one.id, imported.values, printed(imported.tfdiags))
				}
			}
			for _, left := range sideBySide(len(made), func(i int) result { return c.destroy(made[i]) }) {
				if left.values != nil || len(left.tfdiags) > 0 {
					t.Errorf("destroy: %v; %s", left.values, printed(left.tfdiags))
				}
			}
			w.holds()
		})
	}
}

// The network holds the device for a while after it has said that the old session is deleted.
func TestSession_deviceHeldAfterDelete(t *testing.T) {
	t.Parallel()
	t.Run("for a while", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{HoldAfterDelete: 50 * time.Second})
		c := w.core()
		old := c.created(hour(nil))
		w.Before(sandbox.OpCreate, func(n int, _ *http.Request) {
			if n == 3 { // the second that is refused
				w.advance(time.Minute)
			}
		})
		if left := c.destroy(old); len(left.tfdiags) > 0 {
			t.Fatal(printed(left.tfdiags))
		}
		made := c.create(hour(attrs{"duration": 1800}))
		if len(made.tfdiags) > 0 {
			t.Errorf("it says: %s", printed(made.tfdiags))
		}
		w.holds(made.record)
	})
	t.Run("for too long", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{HoldAfterDelete: time.Hour})
		c := w.core()
		old := c.created(hour(nil))
		c.destroy(old)
		made := c.create(hour(attrs{"timeouts": attrs{"create": "2s"}}))
		containsAll(t, made.errors(), []string{"This run has deleted, or is deleting, a session of this device", "Deleted session: " + old.text("id"), "apply again in a few minutes"})
		if strings.Contains(made.errors(), "another team") || made.values != nil {
			t.Errorf("%v; %s", made.values, printed(made.tfdiags))
		}
		w.holds()
	})
}

// shownAs has the network show a session with another end, or anything else.
func (w *world) shownAs(id string, changes map[string]any) {
	w.Echo(func(info map[string]any) {
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
		t.Run(status, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			made := w.core().created(hour(nil))
			ended := time.Now().UTC().Add(-time.Hour)
			w.shownAs(made.text("id"), map[string]any{
				"qosStatus": status, "startedAt": ended.Add(-time.Hour).Format(time.RFC3339), "expiresAt": ended.Format(time.RFC3339),
			})
			c := w.later()
			over := c.refresh(made)
			if refused(over.tfdiags) {
				t.Errorf("it says: %s", printed(over.tfdiags))
			}
			p := c.plan(over.record, hour(nil))
			if !slices.Equal(p.replace, []string{"qos_status"}) || refused(p.tfdiags) {
				t.Errorf("the plan replaces for %v; %s", p.replace, printed(p.tfdiags))
			}
			if left := c.destroy(over.record); left.values != nil || refused(left.tfdiags) {
				t.Errorf("destroy: %v; %s", left.values, printed(left.tfdiags))
			}
			w.holds()
			next := c.created(hour(nil))
			w.holds(next)
		})
	}
	t.Run("by a clock six hours off", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{})
		made := w.core().created(hour(nil))
		w.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
		c := w.later()
		left := c.refresh(made)
		c.kept(left, made, "Unable to Read QoS Session: ", "One of them is wrong, so nothing can be concluded", "This machine's clock shows")
		c.plansNothing(left.record, hour(nil))
		w.holds(made)
	})
	t.Run("by every second answer", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{})
		made := w.core().created(hour(nil))
		w.SkewDate(func(n int, _ sandbox.Operation) time.Duration { return time.Duration(n%2) * 6 * time.Hour })
		c := w.later()
		for range 3 {
			left := c.refresh(made)
			if !left.is(made) {
				t.Errorf("the state has changed to %v", left.values)
			}
			c.plansNothing(left.record, hour(nil))
		}
		w.holds(made)
	})
}

// Another word for a status is no reason to delete a good session, nor to keep a dead one in silence.
func TestSession_otherWordsForAStatus(t *testing.T) {
	t.Run("in lower case", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{})
		w.Echo(func(info map[string]any) { info["qosStatus"] = strings.ToLower(fmt.Sprint(info["qosStatus"])) })
		c := w.core()
		made := c.created(hour(nil))
		if made.text("qos_status") != "AVAILABLE" {
			t.Errorf("qos_status is %q", made.text("qos_status"))
		}
		w.holds(made)
	})
	t.Run("unknown", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{})
		c := w.core()
		made := c.created(hour(nil))
		w.shownAs(made.text("id"), map[string]any{"qosStatus": "EXPIRED"})
		read := c.refresh(made)
		if read.text("qos_status") != "EXPIRED" || refused(read.tfdiags) {
			t.Errorf("%v; %s", read.values, printed(read.tfdiags))
		}
		containsAll(t, strings.Join(read.warnings(), ""), []string{"QoS Session " + made.text("id") + " Has an Unknown Status: ", "EXPIRED", "-replace"})
		w.holds(read.record)
	})
}

// A delete that is refused for now is repeated.
func TestSession_busyDelete(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 423, 425, 429} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			c := w.core()
			made := c.created(hour(nil))
			w.spoil(sandbox.OpDelete, 2, sandbox.Status(status, `{"code": "BUSY", "message": "not now"}`))
			if left := c.destroy(made); left.values != nil || len(left.tfdiags) > 0 {
				t.Errorf("%v; %s", left.values, printed(left.tfdiags))
			}
			w.holds()
		})
	}
	t.Run("for too long", func(t *testing.T) {
		w := newWorld(t, sandbox.Config{})
		c := w.core()
		made := c.created(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
		w.spoil(sandbox.OpDelete, -1, sandbox.Status(423, `{"code": "BUSY", "message": "not now"}`))
		c.kept(c.destroy(made), made, "Unable to Delete QoS Session: ", "in the time allowed (timeouts.delete)", "does not delete the session yet (423 Locked)", "not now")
		w.holds(made)
	})
}

// A list that comes in pages is read to its end; one that is cut short is not taken for the whole; and
// one that is empty may say so in other ways.
func TestSession_listsInPages(t *testing.T) {
	w := newWorld(t, sandbox.Config{PageSize: 2})
	made := w.cameras(7, nil)
	c := w.later()
	for i, read := range c.refreshAll(made) { // three of them by lists
		c.kept(read, made[i])
	}
	if found := c.query(attrs{}, 0, false); len(found) != 7 || len(found[0].tfdiags) > 0 {
		t.Errorf("a query finds %v", found)
	}
	if n := len(c.sessions(t, nil)); n != 7 {
		t.Errorf("the data source has %d sessions, want 7", n)
	}

	w.spoil(sandbox.OpList, -1, sandbox.Header("Link", ""))
	const part = "Incomplete List of QoS Sessions: "
	c = w.core()
	if n := len(c.sessions(t, []string{part, "shows 2 of 7"})); n != 2 {
		t.Errorf("the data source has %d sessions of the part, want 2", n)
	}
	found := c.query(attrs{}, 0, false)
	if len(found) != 2 || len(found[1].tfdiags) > 0 || refused(found[0].tfdiags) {
		t.Errorf("a query of a part finds %v", found)
	}
	containsAll(t, strings.Join(found[0].warnings(), ""), []string{part})
	// Where nothing is found there is nothing to carry a warning.
	nobody := c.query(attrs{"device": attrs{"phone_number": "+34600000099"}}, 0, false)
	if len(nobody) != 1 || !strings.Contains(nobody[0].errors(), part) {
		t.Errorf("a query that finds nothing in a part says %v", nobody)
	}
	for i, read := range c.refreshAll(made) {
		c.kept(read, made[i])
	}
	w.removeOld(made[0].text("id"))
	c = w.core()
	c.kept(c.refresh(made[0]), made[0], "Unable to Read QoS Session: ", "the list of sessions is incomplete")
}

func TestSession_emptyLists(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"204": sandbox.EmptyListAs(http.StatusNoContent), "404 in the API's words": sandbox.EmptyListAs(http.StatusNotFound),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			made := w.core().created(hour(nil))
			w.removeOld(made.text("id"))
			w.spoil(sandbox.OpList, -1, effect)
			c := w.core()
			if found := c.query(attrs{}, 0, false); len(found) > 0 {
				t.Errorf("a query finds %v", found)
			}
			if n := len(c.sessions(t, nil)); n > 0 {
				t.Errorf("the data source has %d sessions", n)
			}
			if c := w.core(); name == "204" {
				w.isNamedAsGone(c.refresh(made), made.text("id"))
			} else { // to lists a 404 means that nothing is there, but it proves nothing
				c.kept(c.refresh(made), made, "Unable to Read QoS Session: ")
			}
		})
	}
}

// sessions reads the data source and checks what it warns of.
func (c *core) sessions(t *testing.T, warns []string) []tftypes.Value {
	t.Helper()
	schema := c.schemas.DataSourceSchemas["qod_sessions"]
	read, diags := c.readDataSource(schema, attrs{})
	if refused(diags) || (len(diags) > 0) != (len(warns) > 0) {
		t.Errorf("the data source says: %s", printed(diags))
	}
	containsAll(t, strings.Join(tfdiags(diags).warnings(), ""), warns)
	var sessions []tftypes.Value
	if v, ok := read["sessions"]; ok {
		c.must("As", v.As(&sessions))
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
		t.Run(layout, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{})
			w.Echo(func(info map[string]any) {
				for _, name := range []string{"startedAt", "expiresAt"} {
					shown, _ := info[name].(string)
					if at, err := time.Parse(time.RFC3339, shown); err == nil {
						info[name] = at.UTC().Format(layout)
					}
				}
			})
			c := w.core()
			made := c.create(hour(nil))
			w.holds(made.record)
			for what, got := range map[string]result{"create": made, "refresh": c.refresh(made.record)} {
				shown := got.text("started_at") != "" && got.text("expires_at") != ""
				if shown != readable || refused(got.tfdiags) || (len(got.warnings()) > 0) == readable {
					t.Errorf("%s: from %q until %q; %s", what, got.text("started_at"), got.text("expires_at"), printed(got.tfdiags))
				}
				if !readable {
					containsAll(t, strings.Join(got.warnings(), ""), []string{"QoS Session " + made.text("id") + " Shows Unreadable Values: ", "startedAt", "expiresAt"})
				}
			}
			c.plansNothing(made.record, hour(nil))
		})
	}
}

// Whatever a server says of a device's number, in whatever spelling, is masked.
func TestSession_numbersInErrors(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	for _, spelled := range []string{
		"+34600000010", "+34 600 000 010", "34-600-000-010", "0034600000010", "msisdn34600000010", "tel%3A%2B34600000010", "(+34)600000010x", "600 00 00 10",
	} {
		w.spoil(sandbox.OpCreate, 1, sandbox.Status(400, fmt.Sprintf(`{"code": "INVALID_ARGUMENT", "message": "No line %s here"}`, spelled)))
		refusal := c.create(hour(nil))
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, strings.Split(refusal.errors(), "x-correlator")[0])
		if !refused(refusal.tfdiags) || strings.Contains(digits, "60000001") {
			t.Errorf("%s: %s", spelled, printed(refusal.tfdiags))
		}
	}
	w.holds()
}

// A session that is replaced because a value is not known yet is a live one that is cut, perhaps for the
// same value: the plan says so.
func TestSession_replacedForAnUnknownValue(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	made := c.created(hour(nil))
	p := c.plan(made, hour(attrs{"qos_profile": notKnownYet{}, "duration": notKnownYet{}}))
	if !slices.Equal(p.replace, []string{"duration", "qos_profile"}) {
		t.Errorf("the plan replaces for %v", p.replace)
	}
	containsAll(t, strings.Join(p.warnings(), "\n"), []string{"QoS Session Replaced for an Unknown Value: ", "qos_profile", "duration", "-target"})
	if known := c.plan(made, hour(attrs{"qos_profile": "QOS_S"})); len(known.tfdiags) > 0 {
		t.Errorf("of a value that is known it says: %s", printed(known.tfdiags))
	}
}

// 410 is gone, said in another word: past the end it is proof, before it is an answer like a 404.
func TestSession_saidToBeGone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 410} {
		for name, list := range map[string]sandbox.Effect{"": {}, ", no list": sandbox.Status(403, ""), ", lists fail": sandbox.Status(503, "")} {
			t.Run(fmt.Sprint(status, name), func(t *testing.T) {
				w := newWorld(t, sandbox.Config{})
				made := w.core().created(hour(nil))
				w.spoil(sandbox.OpRead, -1, sandbox.Status(status, ""))
				w.spoil(sandbox.OpDelete, -1, sandbox.Status(status, ""))
				if name != "" {
					w.spoil(sandbox.OpList, -1, list)
					c := w.later()
					c.kept(c.refresh(made), made, "Unable to Read QoS Session: ", "does not prove that the session is gone")
					c.kept(c.destroy(made), made, "Unable to Delete QoS Session: ", "does not prove that the session is gone")
					w.holds(made)
				}
				w.advance(2 * time.Hour)
				c := w.core()
				if name == ", lists fail" {
					// One answer is no clock, and no list confirms it; the next answer does.
					c.kept(c.refresh(made), made, "Unable to Read QoS Session: ")
				}
				for operation, left := range map[string]result{"refresh": c.refresh(made), "destroy": c.destroy(made)} {
					if left.values != nil || len(left.tfdiags) > 0 {
						t.Errorf("%s past its end: %v; %s", operation, left.values, printed(left.tfdiags))
					}
				}
				w.holds()
			})
		}
	}
}

// However new a session is, another client's 404 proves nothing, and is not waited for to change.
func TestSession_newAndOfAnotherClient(t *testing.T) {
	w := newWorld(t, sandbox.Config{Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, otherClient}})
	made := w.core().created(hour(nil))
	c := w.coreAs(w.Endpoint(), otherClient)
	began := time.Now()
	c.kept(c.refresh(made), made, "Unable to Read QoS Session: ", "it was made at "+w.Endpoint())
	c.kept(c.destroy(made), made, "Unable to Delete QoS Session: ", "it was made at "+w.Endpoint())
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	w.holds(made)
}

// A session that is over, by its own message, when it is made: green would buy another in every apply.
func TestSession_grantedInThePast(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
	w.Echo(func(info map[string]any) {
		info["expiresAt"] = w.clock.Now().Add(-100 * time.Second).UTC().Format(time.RFC3339)
	})
	made := w.core().create(hour(nil))
	containsAll(t, made.errors(), []string{"Unable to Create QoS Session: ", "past by its own clock", "Session: " + made.text("id")})
	w.holds(made.record)
}
