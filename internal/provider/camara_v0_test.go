// Proves that CAMARA's 0.10 does the provider's main job, on a real CLI, and what becomes of its
// promises where no session can be listed.

package provider

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var v0Network = sandbox.Config{API: sandbox.CAMARAV0}

// v0Hour is a session of an hour, as a configuration.
func v0Hour(more attrs) attrs {
	config := hour(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}})
	maps.Copy(config, more)
	return config
}

// v0Match is a reservation from kick-off for so many hours.
func v0Match(hours int) attrs { return broadcast("QOS_L", hours) }

// The main job, with tokens that stand for a device each, as Telefónica's gateway gives them out: a
// session and a reservation are requested, extended in place, imported and destroyed, and every
// second plan is empty.
func TestCAMARAV0_mainJob(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Minute, v0Network)
	job := func(seconds int, ends time.Duration) string {
		return fmt.Sprintf(`
data "qod_profiles" "uplink" {
  name   = "live-uplink"
  device = { phone_number = "+34600000010" }
}

resource "qod_session" "camera" {
  device                   = { phone_number = "+34600000010" }
  application_server       = { ipv4_address = "198.51.100.7" }
  application_server_ports = { ports = [443] }
  qos_profile              = data.qod_profiles.uplink.profiles[0].name
  duration                 = %d
  notification_url         = "http://127.0.0.1:1/hook"
  notification_auth_token  = "webhook-token-of-some-length"
}

resource "qod_reservation" "drone" {
  device             = { ipv4_address = { public_address = "203.0.113.10", public_port = 5000 } }
  application_server = { ipv4_address = "0.0.0.0/0" }
  qos_profile        = "QOS_L"
  starts_at          = %q
  ends_at            = %q
}
`, seconds, matchStarts, acctest.KickOff.Add(ends).Format(time.RFC3339))
	}
	network.AtMatch(0)
	c := network.CLI(job(3600, 3*time.Hour), "QOD_GRANT=ciba")
	c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	before := network.SessionIDs()

	c.Configure(job(7200, 30*time.Hour))
	acctest.ContainsAll(t, c.Plan(2), []string{"qod_session.camera will be updated in-place", "qod_reservation.drone will be updated in-place", "0 to add, 2 to change, 0 to destroy"})
	c.Sends("0 POST 0 DELETE 2 EXTEND", 0, acctest.ApplyCommand...)
	c.Plan(0)
	if after := network.SessionIDs(); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the sessions were %v, and are %v", before, after)
	}
	for _, s := range network.Ledger() {
		want := 2 * time.Hour
		if s.Device.PhoneNumber == "" {
			want = 24 * time.Hour // what remains is at most a day
		} else {
			c.Must(0, "state", "rm", "qod_session.camera")
			c.Must(0, "import", "-no-color", "-input=false", "qod_session.camera", s.ID+",+34600000010")
		}
		if lasts := s.ExpiresAt.Sub(s.StartedAt); (lasts - want).Abs() > time.Minute {
			t.Errorf("%s lasts %s, want %s", s.ID, lasts, want)
		}
	}
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...) // adopts what the API does not show
	c.Plan(0)
	c.Destroy()
}

// What the API cannot express is refused by the plan, at its attribute, and nothing is sent.
func TestCAMARAV0_plans(t *testing.T) {
	t.Parallel()
	network := acc.StartNetwork(t, v0Network)
	hook := attrs{"notification_url": "https://hook.example", "notification_auth_token": strings.Repeat("t", 20)}
	with := func(one attrs, more attrs) attrs {
		all := maps.Clone(one)
		maps.Copy(all, more)
		return all
	}
	for name, row := range map[string]struct {
		more      attrs
		attribute string // empty: it is allowed
		says      string
	}{
		"as it is":             {nil, "", ""},
		"a network identifier": {attrs{"device": attrs{"network_access_identifier": "a@b.example"}}, "", ""},
		"a private address":    {attrs{"device": attrs{"ipv4_address": attrs{"public_address": "203.0.113.9", "private_address": "10.0.0.1"}}}, "", ""},
		"an address alone":     {attrs{"device": attrs{"ipv4_address": attrs{"public_address": "203.0.113.9"}}}, "device.ipv4_address", "public_port or private_address"},
		"ports":                {attrs{"device_ports": attrs{"ports": []any{5000}}}, "", ""},
		"no server":            {attrs{"application_server": nil}, "application_server", "Set its ipv4_address or ipv6_address"},
		"a profile of anybody": {attrs{"qos_profile": "TI_B2C"}, "", ""},
		"more than a day":      {attrs{"duration": 86401}, "duration", "1 to 86400 seconds"},
		"a hook without TLS":   {attrs{"notification_url": "http://hook.example"}, "", ""},
		"a token":              {hook, "", ""},
		"a short token":        {with(hook, attrs{"notification_auth_token": strings.Repeat("t", 19)}), "notification_auth_token", "from 20 to 256 characters"},
		"a long token":         {with(hook, attrs{"notification_auth_token": strings.Repeat("t", 257)}), "notification_auth_token", "from 20 to 256 characters"},
		"a token that expires": {with(hook, attrs{"notification_auth_token_expires_at": "2030-01-01T00:00:00Z"}), "notification_auth_token_expires_at", `left out with api = "camara-v0"`},
	} {
		planned := network.Client().Plan(acctest.State{}, v0Hour(row.more))
		text := acctest.Describe(planned.Diagnostics)
		if row.attribute == "" {
			if len(planned.Diagnostics) > 0 {
				t.Errorf("%s: %s", name, text)
			}
			continue
		}
		if len(planned.Diagnostics) != 1 || acctest.PathString(planned.Diagnostics[0].Attribute) != row.attribute || !strings.Contains(text, row.says) || strings.Contains(text, "tttt") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if diags := acc.NewClient(t, nil).Configure(attrs{"api": "camara-v0", "endpoint": "https://gateway.example", "access_token": "t", "profiles_path": "/qos-profiles/v1"}); len(diags) != 1 || acctest.PathString(diags[0].Attribute) != "profiles_path" {
		t.Errorf("a path of profiles: %s", acctest.Describe(diags))
	}
	if asked := network.Requests(); len(asked) > 0 {
		t.Errorf("%d requests", len(asked))
	}
}

// What cannot be listed is said at once, with what can be done, and without a request. Profiles are
// the same for all devices.
func TestCAMARAV0_lists(t *testing.T) {
	t.Parallel()
	network := acc.StartNetwork(t, v0Network)
	c := network.Client()
	for _, config := range []attrs{{}, {"device": attrs{"phone_number": "+34600000010"}}} {
		_, diags := c.ReadDataSource("qod_sessions", config)
		says := []string{"Unable to List QoS Sessions", "This API has no list of sessions", "import it"}
		acctest.ContainsAll(t, acctest.Describe(diags), says)
		queried := query(c, config, 0, false) // as terraform query does
		if len(queried) != 1 {
			t.Fatalf("terraform query finds %v", queried)
		}
		acctest.ContainsAll(t, acctest.Describe(queried[0].Diagnostics), says)
	}
	_, diags := c.ReadDataSource("qod_profiles", attrs{"device": attrs{"phone_number": "+34600000010"}})
	acctest.ContainsAll(t, acctest.Describe(diags), []string{`ERROR at "device": Unable to List QoS Profiles`, "Leave out device"})
	if asked := network.Requests(); len(asked) > 0 {
		t.Errorf("%d requests", len(asked))
	}
}

// The answer to a create is lost: the error says what may exist, and until when. The next apply
// meets a conflict if it does, which adopts nothing, and requests a session once it has ended.
func TestCAMARAV0_lostAnswer(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"after it was carried out": sandbox.DropAfterCommit(),
		"with a 503, to wait":      sandbox.StatusAfterCommit(http.StatusServiceUnavailable, `{"code":"SERVICE_UNAVAILABLE","message":"Wait"}`, "Retry-After", "1"),
	} {
		t.Run(name, acc.InBubble(time.Hour, v0Network, func(t *testing.T, network *acctest.Network) {
			c := network.ClientWith(attrs{"max_retries": 4})
			network.InjectFault(sandbox.OpCreate, 1, effect)
			until := network.Clock.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04")
			lost := c.Create(v0Hour(nil))
			acctest.ContainsAll(t, lost.Errors(), []string{
				"may exist and be billed", "(phone_number …10)", "this API has no list of sessions", "May be billed until: " + until, "x-correlator: ",
			})
			if lost.Values != nil || network.Writes() != "POST" {
				t.Errorf("the state has %v; sent was %s", lost.Values, network.Writes())
			}
			there := network.SessionIDs()

			again := network.Client().Create(v0Hour(nil))
			acctest.ContainsAll(t, again.Errors(), []string{
				"The network already has a session", "an earlier run requested without a usable answer", "another client's", "The provider adopts none", "at the latest unless somebody extends it",
			})
			if left := network.SessionIDs(); again.Values != nil || len(left) != 1 || left[0] != there[0] {
				t.Errorf("the state has %v; the network has %v, want %v", again.Values, left, there)
			}

			network.Advance(time.Hour)
			expectSessions(network, network.Client().MustCreate(v0Hour(nil)))
		}))
	}
}

// A session that is gone by the API's own words, twice, leaves the state with a warning that names
// it; by a gateway's words, it stays.
func TestCAMARAV0_gone(t *testing.T) {
	t.Parallel()
	t.Run("gone", acc.InBubble(time.Hour, v0Network, func(_ *testing.T, network *acctest.Network) {
		r := network.Client().MustCreate(v0Hour(nil))
		id := r.Text("id")
		network.RemovePastLag(id)
		network.ExpectGoneWarning(network.Client().Refresh(r), id)
		network.ExpectGoneWarning(network.Client().Destroy(r), id)
	}))
	for _, gateway := range sandbox.ForeignNotFound {
		t.Run(gateway.Name, acc.InBubble(time.Hour, v0Network, func(_ *testing.T, network *acctest.Network) {
			r := network.Client().MustCreate(v0Hour(nil))
			network.InjectFault(sandbox.OpRead, -1, gateway.Effect)
			network.InjectFault(sandbox.OpDelete, -1, gateway.Effect)
			c := network.ClientPastLag()
			expectKept(c, c.Refresh(r), r, "does not prove that the session is gone", "This API has no list of sessions")
			expectKept(c, c.Destroy(r), r, "does not prove that the session is gone")
			expectSessions(network, r)
		}))
	}
}

// An import takes over what the API shows, and the next plan is empty; what it does not show is
// adopted.
func TestCAMARAV0_imports(t *testing.T) {
	acc.InBubble(time.Hour, v0Network, func(t *testing.T, network *acctest.Network) {
		for name, config := range map[string]attrs{
			"all of it": v0Hour(attrs{"application_server_ports": attrs{"ports": []any{443}}}),
			"a webhook": v0Hour(attrs{"device": attrs{"phone_number": "+34600000020"}, "notification_url": "https://hook.example"}),
		} {
			c := network.Client()
			imported := c.Refresh(c.Import(c.MustCreate(config).Text("id")).State)
			planned := c.Plan(imported.State, config)
			if len(imported.Diagnostics) > 0 || len(planned.Replace) > 0 {
				t.Errorf("%s: it replaces for %v; %s", name, planned.Replace, acctest.Describe(imported.Diagnostics))
				continue
			}
			before := network.Writes()
			c.ExpectEmptyPlan(c.Apply(planned).State, config)
			if network.Writes() != before {
				t.Errorf("%s: the import was followed by %s", name, network.Writes())
			}
		}
	})(t)
}

// The answers repeat the webhook's token, which nothing that Terraform keeps has.
func TestCAMARAV0_webhookToken(t *testing.T) {
	const token = "webhook-token-of-some-length"
	acc.InBubble(time.Hour, v0Network, func(t *testing.T, network *acctest.Network) {
		config := v0Hour(attrs{"notification_url": "https://hook.example", "notification_auth_token": token})
		c := network.Client()
		planned := c.Plan(acctest.State{}, config)
		r := c.Apply(planned).State
		read := c.Refresh(r)
		imported := c.Import(r.Text("id"))
		for what, text := range map[string]string{
			"the plan":          fmt.Sprint(planned.Planned.Values) + string(planned.Planned.Private),
			"the state":         fmt.Sprint(r.Values) + string(r.Private),
			"the read":          fmt.Sprint(read.Values) + string(read.Private) + acctest.Describe(read.Diagnostics),
			"the imported":      fmt.Sprint(imported.Values) + string(imported.Private) + acctest.Describe(imported.Diagnostics),
			"the read imported": fmt.Sprint(c.Refresh(imported.State).Values),
		} {
			if strings.Contains(text, token) || text == "" {
				t.Errorf("%s: %s", what, text)
			}
		}
		if network.Ledger()[0].NotificationAuthToken != token {
			t.Error("the network does not have it")
		}
	})(t)
}

// Renamed resources: the create meets the old session, which this run is about to delete and no
// list can show.
func TestCAMARAV0_renamed(t *testing.T) {
	acc.InBubble(time.Hour, v0Network, func(t *testing.T, network *acctest.Network) {
		old := network.Client().MustCreate(v0Hour(nil))
		c := network.ClientPastLag()
		renamed := make(chan acctest.Result)
		go func() { renamed <- c.Create(v0Hour(nil)) }()
		network.Advance(time.Second)
		if gone := c.Destroy(old); len(gone.Diagnostics) > 0 {
			t.Errorf("destroy: %s", acctest.Describe(gone.Diagnostics))
		}
		made := <-renamed
		if len(made.Diagnostics) > 0 {
			t.Errorf("create: %s", acctest.Describe(made.Diagnostics))
		}
		expectSessions(network, made.State)
	})(t)
}

// An end that is moved beyond a day from now is an extension by what the network grants, at once,
// and once more when it is time.
func TestCAMARAV0_reservationBeyondADay(t *testing.T) {
	acc.InBubble(time.Hour, v0Network, func(_ *testing.T, network *acctest.Network) {
		r := createScheduled(network, v0Match(3))
		r = network.Expect(network.Run(r, v0Match(3)), "AVAILABLE", "POST")
		network.AtMatch(time.Hour)
		extended := network.Run(r, v0Match(30))
		r = network.Expect(extended, "AVAILABLE", "EXTEND")
		network.ExpectOneWarning(extended, "QoS Session Ends Before Its Window", r.Text("session_id"))
		network.ExpectDuration(25 * time.Hour)
		network.AtMatch(20 * time.Hour)
		r = network.Expect(network.Run(r, v0Match(30)), "AVAILABLE", "EXTEND")
		network.ExpectDuration(30 * time.Hour)
		network.ExpectNoChange(r, v0Match(30), "AVAILABLE")
	})(t)
}

// A session that a reservation lost sight of is taken back, by its id alone.
func TestCAMARAV0_takenBack(t *testing.T) {
	t.Parallel()
	t.Run("by a read", acc.InBubble(0, v0Network, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, v0Match(4))
		network.Seed(session)
		back := network.Expect(network.Run(r, v0Match(4)), "AVAILABLE", "")
		if back.Text("session_id") != session.ID {
			t.Errorf("the state has %v", back.Values)
		}
	}))
	t.Run("by a conflict", acc.InBubble(0, v0Network, func(t *testing.T, network *acctest.Network) {
		r, session := loseSession(network, v0Match(4))
		network.Before(sandbox.OpCreate, once(func() { network.Seed(session) }))
		back := network.Run(r, v0Match(4))
		if back.Text("session_id") != session.ID || back.Text("status") != "AVAILABLE" || back.Errors() != "" {
			t.Errorf("the state has %v; %s", back.Values, acctest.Describe(back.Diagnostics))
		}
		network.ExpectNoChange(back.State, v0Match(4), "AVAILABLE")
	}))
	t.Run("not another one of the device", acc.InBubble(0, v0Network, func(t *testing.T, network *acctest.Network) {
		r, _ := loseSession(network, v0Match(4))
		network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 4 * 3600})
		refused := network.Run(r, v0Match(4))
		expectErrors(network, refused, "Unable to Update QoS Reservation", "already has a session for this device", "The provider adopts none")
		if refused.Text("status") != "DUE" || !refused.Values["session_id"].IsNull() {
			t.Errorf("the state has %v", refused.Values)
		}
	}))
}

// Telefónica's developer sandbox remembers nothing: what is created and destroyed there is green,
// and a read is an error that says what is shown. No session leaves the state, and nothing
// crashes.
func TestCAMARAV0_forgetfulMock(t *testing.T) {
	acc.InBubble(time.Hour, sandbox.Config{API: sandbox.CAMARAV0, Forgetful: true, MockRules: true}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.Create(v0Hour(nil))
		if len(made.Diagnostics) > 0 || made.Text("qos_status") != "AVAILABLE" {
			t.Fatalf("create: %v, %s", made.Values, acctest.Describe(made.Diagnostics))
		}
		r := made.State
		expectKept(c, c.Refresh(r), r, "the answer shows a different device")
		if gone := c.Destroy(r); len(gone.Diagnostics) > 0 || gone.Values != nil {
			t.Errorf("destroy: %s", acctest.Describe(gone.Diagnostics))
		}
		taken := c.Create(v0Hour(attrs{"device": attrs{"phone_number": "+34600000019"}}))
		acctest.ContainsAll(t, taken.Errors(), []string{"The network already has a session", "CONFLICT"})

		// One that answers with what was asked for is believed for ever, also past the end.
		network.Echo(func(info map[string]any) {
			info["device"], info["qosProfile"] = map[string]any{"phoneNumber": "34600000010"}, "QOS_L"
		})
		network.Advance(48 * time.Hour)
		if read := network.Client().Refresh(r); len(read.Diagnostics) > 0 || read.Text("id") != r.Text("id") || read.Text("qos_status") != "AVAILABLE" {
			t.Errorf("read: %v, %s", read.Values, acctest.Describe(read.Diagnostics))
		}
	})(t)
}
