// Proves what asking for consent costs and shows, and that nobody is asked without need: each
// device once a process, and a plan and its apply are two.

package provider

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// threeCameras are sessions of three devices.
const threeCameras = `
variable "duration" {
  type = number
}

resource "qod_session" "camera" {
  for_each           = toset(["+34600000011", "+34600000022", "+34600000033"])
  device             = { phone_number = each.key }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = "QOS_L"
  duration           = var.duration
}
`

// The main job through a real CLI, with the number of people asked by each command. With every log
// on, no token, no id of an authorization and no login hint is written anywhere.
func TestCIBA_life(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant})
	c := network.CLI(threeCameras, "QOD_GRANT=ciba", "TF_VAR_duration=3600", "TF_LOG=TRACE", "TF_LOG_PATH=trace.log")
	asked := 0
	want := func(what string, more int) {
		t.Helper()
		asked += more
		qodtest.Equal(t, "people asked by "+what, len(network.Prompts()), asked)
	}
	var said strings.Builder
	must := func(code int, args ...string) {
		t.Helper()
		out := c.Run(append(args, "-no-color")...)
		if out.Code != code {
			t.Fatalf("%v: %d\n%s", args, out.Code, out.Text)
		}
		said.WriteString(out.Text)
	}
	must(0, "apply", "-auto-approve")
	want("an apply of new devices", 3)
	must(0, "plan", "-detailed-exitcode")
	want("a plan", 3)
	must(0, "plan", "-detailed-exitcode", "-refresh=false")
	want("a plan without a refresh", 0)
	c.Env = append(c.Env, "TF_VAR_duration=7200")
	must(0, "apply", "-auto-approve")
	want("an apply that extends", 6)

	canaries := map[string]string{"login hint": "tel:+346", "client secret": sandbox.DefaultClient.Secret}
	for i, token := range issuedTokens(network) {
		canaries[fmt.Sprintf("access token %d", i)] = token
	}
	for i, r := range network.Requests(sandbox.OpToken) {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil || form.Get("auth_req_id") == "" {
			t.Fatalf("a token request without an authorization: %v", err)
		}
		canaries[fmt.Sprintf("authorization %d", i)] = form.Get("auth_req_id")
	}
	files := filesIn(t, c.Dir)
	files["output"] = []byte(said.String())
	look(t, canaries, files)
	waits := 0
	for line := range strings.Lines(string(files["trace.log"])) {
		if strings.Contains(line, "(CIBA)") {
			waits++
			if strings.Contains(line, "3460000") {
				t.Errorf("a log line of the provider shows a device:\n%s", line)
			}
		}
	}
	qodtest.Equal(t, "log lines about consent", waits, 2*asked)

	must(0, "destroy", "-auto-approve")
	want("a destroy", 6)
	if left := network.SessionIDs(); len(left) > 0 {
		t.Errorf("sessions left: %v", left)
	}
}

// A user who takes long is asked once, by a create, a refresh and a delete; one who never answers
// leaves nothing bought, and the state as it was.
func TestCIBA_takesLong(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{15 * time.Second, 90 * time.Second} {
		t.Run(takes.String(), acc.InBubble(0, sandbox.Config{
			API: sandbox.CAMARAV1, Provisioning: sandbox.Instant, Consent: func(sandbox.Device) sandbox.Consent { return sandbox.Consent{After: takes} },
		}, func(t *testing.T, network *acctest.Network) {
			flow := flowOf(attrs{"phone_number": "+34600000010"})
			r := byCIBA(network).MustCreate(flow)
			refreshed := byCIBA(network).Refresh(r)
			if len(refreshed.Diagnostics) > 0 || !refreshed.Equal(r) {
				t.Errorf("%v; %s", refreshed.Values, acctest.Describe(refreshed.Diagnostics))
			}
			if gone := byCIBA(network).Destroy(r); len(gone.Diagnostics) > 0 || len(network.Ledger()) > 0 {
				t.Errorf("%s; the network has %v", acctest.Describe(gone.Diagnostics), network.Ledger())
			}
			qodtest.Equal(t, "people asked", len(network.Prompts()), 3)
		}))
	}
	answer := sandbox.ConsentAgree
	t.Run("never", acc.InBubble(0, sandbox.Config{
		API: sandbox.CAMARAV1, Provisioning: sandbox.Instant, Consent: func(sandbox.Device) sandbox.Consent { return sandbox.Consent{Answer: answer} },
	}, func(t *testing.T, network *acctest.Network) {
		flow := flowOf(attrs{"phone_number": "+34600000010"})
		r := byCIBA(network).MustCreate(flow)
		answer = sandbox.ConsentNever
		c := byCIBA(network)
		text := c.Refresh(r).Errors() + c.Create(flowOf(attrs{"phone_number": "+34600000010"})).Errors()
		acctest.ContainsAll(t, text, []string{"Unable to Read QoS Session: ", "-refresh=false", "Unable to Create QoS Session: ", "did not answer in time", "asks nobody a second time"})
		qodtest.Equal(t, "people asked", len(network.Prompts()), 2)
		qodtest.Equal(t, "sessions", len(network.Ledger()), 1)
	}))
}

// A provider that is told to stop does not wait for a person, and buys nothing.
func TestCIBA_stops(t *testing.T) {
	t.Parallel()
	t.Run("create", acc.InBubble(0, sandbox.Config{
		API: sandbox.CAMARAV1, Consent: func(sandbox.Device) sandbox.Consent { return sandbox.Consent{After: time.Minute} },
	}, func(t *testing.T, network *acctest.Network) {
		c := byCIBA(network)
		ended := make(chan acctest.Result)
		go func() { ended <- c.Create(flowOf(attrs{"phone_number": "+34600000010"})) }()
		network.Advance(10 * time.Second)
		began := time.Now()
		if _, err := c.Server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Error(err)
		}
		made := <-ended
		if took := time.Since(began); took > time.Second || made.Values != nil {
			t.Errorf("after %v, the state has %v", took, made.Values)
		}
		acctest.ContainsAll(t, made.Errors(), []string{"interrupted while it waited for the consent", "No session was created"})
		network.Advance(5 * time.Minute)
		qodtest.Equal(t, "sessions", len(network.Ledger()), 0)
	}))
}

// A reservation asks nobody about the time, nor for as long as it has no session.
func TestCIBA_reservation(t *testing.T) {
	t.Parallel()
	t.Run("window", acc.InBubble(time.Hour, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		prompts := func(when string, want int) {
			t.Helper()
			qodtest.Equal(t, "people asked "+when, len(network.Prompts()), want)
		}
		config := match(attrs{"application_server": attrs{"ipv4_address": "198.51.100.7"}})
		run := func(r acctest.State) acctest.State {
			t.Helper()
			c := byCIBA(network).Reservations()
			if r.Values != nil {
				r = c.Refresh(r).State
			}
			c = byCIBA(network).Reservations() // the apply is another process
			applied := c.Apply(c.Plan(r, config))
			if acctest.HasError(applied.Diagnostics) {
				t.Fatal(acctest.Describe(applied.Diagnostics))
			}
			return applied.State
		}
		r := run(acctest.State{})
		r = run(r)
		prompts("before the window", 0)
		network.AtMatch(time.Minute)
		r = run(r)
		prompts("by the apply that reserves", 1)
		r = byCIBA(network).Reservations().Refresh(r).State
		prompts("by a plan", 2)
		if got := r.Text("status"); got != "AVAILABLE" || len(network.Ledger()) != 1 {
			t.Errorf("it is %s, with %d sessions", got, len(network.Ledger()))
		}
	}))
}

// What a query finds can be imported: its identity has the device, which the API leaves out.
func TestCIBA_query(t *testing.T) {
	t.Parallel()
	t.Run("device", acc.InBubble(0, sandbox.Config{API: sandbox.CAMARAV1, OmitDevice: true, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		network.Seed(sandbox.Session{
			Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", ApplicationServer: &sandbox.ApplicationServer{IPv4Address: "198.51.100.7"},
		})
		all := query(byCIBA(network), attrs{"device": attrs{"phone_number": "+34600000010"}}, 0, true)
		if len(all) != 1 || all[0].device != "+34600000010" || !strings.Contains(all[0].resource.Values["device"].String(), "+34600000010") {
			t.Errorf("%+v", all)
		}
		if refused := query(byCIBA(network), nil, 0, false); len(refused) != 1 || !acctest.HasError(refused[0].Diagnostics) {
			t.Errorf("without a device: %+v", refused)
		}
		qodtest.Equal(t, "people asked", len(network.Prompts()), 1)
	}))
}

// What cannot have a token is refused by a plan, at its attribute.
func TestGrant_plan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		grant  attrs
		device attrs
		at     string
	}{
		"a name":     {attrs{"grant": "ciba"}, attrs{"network_access_identifier": "camera@example.com"}, "device.network_access_identifier"},
		"no number":  {attrs{"grant": "jwt_bearer", "client_secret": nil}, attrs{"ipv6_address": "2001:db8::10"}, "device.phone_number"},
		"an address": {attrs{"grant": "ciba"}, attrs{"ipv6_address": "2001:db8::10"}, ""},
		"no grant":   {nil, attrs{"network_access_identifier": "camera@example.com"}, ""},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			_, key := qodtest.KeyClient(t, "key-client")
			if test.grant["grant"] == "jwt_bearer" {
				test.grant["client_private_key"] = key
			}
			p := network.ClientWith(test.grant).Plan(acctest.State{}, flowOf(test.device))
			errs := acctest.Describe(p.Diagnostics)
			if test.at == "" && acctest.HasError(p.Diagnostics) || test.at != "" && !strings.Contains(errs, test.at) {
				t.Errorf("%s, want an error at %q", errs, test.at)
			}
			if made := network.Requests(); len(made) > 0 {
				t.Errorf("requests were made: %v", made)
			}
		}))
	}
}
