// Proves what the provider makes of answers that are unusual or wrong: those of another session,
// ids, statuses and times in other spellings, ends that have passed, phone numbers in errors.

package provider

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

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
			expectKept(c, read, made[i], "Unable to Read QoS Session: ", "the answer shows a different")
		}
		// Where no id is shown the device tells.
		network.Echo(func(info map[string]any) { delete(info, "sessionId") })
		network.InjectFault(sandbox.OpRead, 2, sandbox.SwapAnswers())
		for i, read := range refreshAll(c, made) {
			expectKept(c, read, made[i], "Unable to Read QoS Session: ", "the answer shows a different device")
		}
		network.Echo(nil)
		if read := c.Refresh(made[0]); read.Text("qos_profile") != "QOS_S" {
			t.Errorf("without a fault: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
		expectSessions(network, made...)
	})(t)
}

// Networks spell ids as they like. Whatever one shows is read, listed, imported and deleted as it
// is.
func TestSession_idsInUpperCase(t *testing.T) {
	t.Parallel()
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

// Another word for a status is no reason to delete a good session, nor to keep a dead one in
// silence.
func TestSession_otherWordsForAStatus(t *testing.T) {
	t.Parallel()
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

// Times in other spellings that can mean one instant only are read; of others the state says
// nothing, and a warning that it is so.
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

// A session that the network still shows as in use past its own end is over, and is replaced where
// the clock that says so can be believed.
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
	t.Run("by a clock six hours off", acc.InBubble(0, sandbox.Config{}, func(_ *testing.T, network *acctest.Network) {
		made := network.Client().MustCreate(hour(nil))
		network.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
		c := network.ClientPastLag()
		left := c.Refresh(made)
		expectKept(c, left, made, "Unable to Read QoS Session: ", "One of them is wrong, so the provider cannot tell", "This machine's clock shows")
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

// A session that is over, by its own message, when it is made: green would buy another in every
// apply.
func TestSession_grantedInThePast(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		network.Echo(func(info map[string]any) {
			info["expiresAt"] = network.Clock.Now().Add(-100 * time.Second).UTC().Format(time.RFC3339)
		})
		made := network.Client().Create(hour(nil))
		acctest.ContainsAll(t, made.Errors(), []string{"Unable to Create QoS Session: ", "which has passed by its own clock", "Session: " + made.Text("id")})
		expectSessions(network, made.State)
	})(t)
}

// A failure of a refresh is an error that keeps the state, byte by byte, and says how to do without
// the refresh.
func TestSession_readFails(t *testing.T) {
	const other = `{"sessionId": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "qosStatus": "AVAILABLE"}`
	effects := map[string]sandbox.Effect{
		"403":                      sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
		"500":                      sandbox.Status(500, ""),
		"503 for a day":            sandbox.Status(503, "", "Retry-After", "86400"),
		"a redirect":               sandbox.Redirect(302, "https://login.example.com/"),
		"200 with a web page":      sandbox.Answer(200, "text/html", page),
		"200 with nothing":         sandbox.Answer(200, "application/json", ""),
		"200 with another session": sandbox.Answer(200, "application/json", other),
		"200 without an id":        sandbox.Answer(200, "application/json", `{"qosStatus": "UNAVAILABLE"}`),
		"200 with a list":          sandbox.Answer(200, "application/json", "["+other+"]"),
		"half an answer":           sandbox.Truncate(20),
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	made := c.MustCreate(hour(nil))
	for name, effect := range effects {
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: effect})
		read := c.Refresh(made)
		if !read.Equal(made) {
			t.Errorf("%s: the state has changed to %v", name, read.Values)
		}
		acctest.ContainsAll(t, read.Errors(), []string{"Unable to Read QoS Session: ", "-refresh=false", "Session: " + made.Text("id")})
	}
	if read := c.Refresh(made); !read.Equal(made) || len(read.Diagnostics) > 0 {
		t.Errorf("without a fault: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
	}
}
