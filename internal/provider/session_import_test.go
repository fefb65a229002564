package provider

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A session that the API shows whole is imported whole, by the command and by a block, and
// nothing is planned for it.
func TestSession_imports(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	network.Test(
		network.ApplyStep(network.HCL(acctest.SessionBlock("camera", `device = {
			phone_number              = "+34600000010"
			network_access_identifier = "camera@example.com"
			ipv4_address              = { public_address = "203.0.113.10", public_port = 0 }
			ipv6_address              = "2001:db8::10"
		}`, 3600))),
		resource.TestStep{ResourceName: "qod_session.camera", ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: "qod_session.camera", ImportState: true, ImportStateKind: resource.ImportBlockWithID},
	)
}

// Whatever the API shows of an imported session is in its state, if it can be configured.
func TestSession_importsWhatIsShown(t *testing.T) {
	t.Parallel()
	for api, hidden := range map[sandbox.API][]string{
		sandbox.OpenGateway: {"application_server", "device_ports", "application_server_ports"},
		sandbox.CAMARAV1:    nil,
	} {
		t.Run(string(api), func(t *testing.T) {
			network := acc.NewNetwork(t, sandbox.Config{API: api})
			var everything sandbox.Session
			fill(reflect.ValueOf(&everything).Elem())
			// What makes it a live session of this client.
			lives := sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 3600}
			everything.ID, everything.ClientID, everything.Device, everything.QoSProfile, everything.Duration = "", "", lives.Device, lives.QoSProfile, lives.Duration
			everything.Status, everything.EndReason, everything.CreatedAt, everything.StartedAt, everything.ExpiresAt, everything.EndedAt = "", "", lives.CreatedAt, lives.StartedAt, lives.ExpiresAt, lives.EndedAt
			everything.ApplicationServer = &sandbox.ApplicationServer{IPv4Address: "198.51.100.7"}
			everything.NotificationURL, everything.DeviceOfToken = "", false
			imported := network.Client().Import(network.Seed(everything).ID)
			if text := imported.Errors(); text != "" {
				t.Fatal(text)
			}
			for name := range listedSchema().Attributes {
				value, argument := imported.Values[name]
				if argument && value.IsNull() && name != "status_info" && !slices.Contains(hidden, name) {
					t.Errorf("%s is not imported", name)
				}
			}
		})
	}
}

// An imported session takes from the configuration what the API does not show: one update in
// place without any request, and then nothing. Afterwards the same attributes replace it, as ever.
func TestSession_adoptsConfiguration(t *testing.T) {
	const webhook = `
		notification_auth_token         = "a-webhook-token"
		notification_auth_token_version = 3
		application_server              = { ipv4_address = "198.51.100.7", ipv6_address = "2001:db8::/32" }
		wait_for_available              = true
		timeouts                        = { create = "1m" }
		notification_url                = `
	rows := map[string]struct {
		device sandbox.Device // as the network has it
		echo   func(info map[string]any)
		config string
		later  string   // what then replaces it
		paths  []string // for these
	}{
		"never_shown": {
			config: webhook + `"https://example.com/a"`,
			later:  webhook + `"https://example.com/b"`, paths: []string{"notification_url"},
		},
		"more_identifiers": {
			device: sandbox.Device{PhoneNumber: "+34600000010"},
			config: `device = {
				phone_number              = "+34600000010"
				network_access_identifier = "camera@example.com"
				ipv4_address              = { public_address = "203.0.113.10", public_port = 1 }
				ipv6_address              = "2001:db8::10"
			}`,
			later: `device = { phone_number = "+34600000010" }`,
			paths: []string{"device.ipv4_address", "device.ipv6_address", "device.network_access_identifier"},
		},
		"fewer_identifiers": {
			device: sandbox.Device{
				PhoneNumber: "+34600000020", NetworkAccessIdentifier: "drone@example.com", IPv6Address: "2001:db8::20",
				IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.20", PublicPort: new(5060)},
			},
			config: `device = { ipv6_address = "2001:DB8:0::20" }`,
		},
		"a_port_more": {
			device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.30"}},
			config: `device = { ipv4_address = { public_address = "203.0.113.30", public_port = 0 } }`,
		},
		"a_port_less": {
			device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.40", PublicPort: new(0)}},
			config: `device = { ipv4_address = { public_address = "203.0.113.40" } }`,
		},
		"no_device": {
			echo:   func(info map[string]any) { delete(info, "device") },
			config: `device = { network_access_identifier = "robot@example.com" }`,
		},
		"no_profile":  {echo: func(info map[string]any) { delete(info, "qosProfile") }},
		"no_duration": {echo: func(info map[string]any) { delete(info, "duration") }},
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	var first, second string
	var adopts, replaced []plancheck.PlanCheck
	echoes := map[float64]func(map[string]any){}
	for name, row := range rows {
		n := 3600 + len(echoes)
		echoes[float64(n)] = row.echo
		if row.device == (sandbox.Device{}) {
			row.device.PhoneNumber = fmt.Sprintf("+3461%07d", n) // block's
		}
		seeded := network.Seed(sandbox.Session{Device: row.device, QoSProfile: "QOS_L", Duration: n})
		first += fmt.Sprintf("import {\n  to = qod_session.%s\n  id = %q\n}\n", name, seeded.ID) + acctest.SessionBlock(name, row.config, n)
		adopts = append(adopts, plancheck.ExpectResourceAction("qod_session."+name, plancheck.ResourceActionUpdate))
		if row.later != "" {
			second += acctest.SessionBlock(name, row.later, n)
			replaced = append(replaced, acctest.ExpectReplacement("qod_session."+name, row.paths...))
		}
	}
	network.Echo(func(info map[string]any) {
		seconds, _ := info["duration"].(float64)
		if echo := echoes[seconds]; echo != nil {
			echo(info)
		}
	})
	quiet := &silence{network: network}
	network.Test(
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(first), quiet), append(adopts, acctest.BetweenPlanAndApply(quiet.begin))...),
		acctest.WithPlanChecks(network.ApplyStep(network.HCL(second)), replaced...),
	)
}

// A plan that adopts configuration says which values nobody can check; what the API shows is not
// adopted but replaced, and so is another device.
func TestSession_adoptionIsNamed(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	seeded := network.Seed(sandbox.Session{QoSProfile: "QOS_L", Duration: 3600, Device: sandbox.Device{PhoneNumber: "+34600000010"}})
	imported := c.Import(seeded.ID)
	if len(imported.Diagnostics) > 0 {
		t.Fatalf("import: %s", acctest.Describe(imported.Diagnostics))
	}
	tests := map[string]struct {
		config  attrs
		replace []string
		names   []string
	}{
		"as it is": {},
		"a webhook and a server": {
			config: attrs{"notification_url": "https://example.com/qod", "application_server": attrs{"ipv4_address": "198.51.100.7"}},
			names:  []string{"notification_url", "application_server"},
		},
		"another identifier": {
			config: attrs{"device": attrs{"phone_number": "+34600000010", "ipv6_address": "2001:db8::10"}},
			names:  []string{"device.ipv6_address"},
		},
		"another duration":       {config: attrs{"duration": 7200}, replace: []string{"duration"}},
		"another profile":        {config: attrs{"qos_profile": "QOS_S"}, replace: []string{"qos_profile"}},
		"another number":         {config: attrs{"device": attrs{"phone_number": "+34600000020"}}, replace: []string{"device.phone_number"}},
		"another kind of device": {config: attrs{"device": attrs{"ipv6_address": "2001:db8::10"}}, replace: []string{"device.phone_number"}},
		"another number and more": {
			config:  attrs{"device": attrs{"phone_number": "+34600000020", "ipv6_address": "2001:db8::10"}},
			replace: []string{"device.phone_number"},
		},
	}
	for name, test := range tests {
		p := c.Plan(imported.State, hour(test.config))
		if !slices.Equal(p.Replace, test.replace) || acctest.HasError(p.Diagnostics) {
			t.Errorf("%s: replaces for %v, want %v; %s", name, p.Replace, test.replace, acctest.Describe(p.Diagnostics))
		}
		if warned := p.Warnings(); len(test.names) == 0 && len(warned) != 0 || len(test.names) > 0 && len(warned) != 1 {
			t.Errorf("%s: warnings: %q", name, warned)
		}
		acctest.ContainsAll(t, strings.Join(p.Warnings(), ""), test.names)
	}
}

// An id that no session can have is refused before any request is made of it, with the likely
// mistake; one that no session has is said not to exist.
func TestSession_importRefuses(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	const id = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	seeded := network.Seed(sandbox.Session{ID: id})
	const (
		phone, address, name = "looks like a phone number", "is an IP address", "looks like a network access identifier"
		quotes, blanks       = "Remove the quotation marks", "Remove the spaces or line feeds"
		holder, resource     = "This is a placeholder", "is the address of a resource"
		alone                = "Give the id alone: " + id
		no                   = "The data source" // no guess: the hint that always ends the text follows what was given
	)
	for given, hint := range map[string]string{
		"": no, " ": no, "../../admin": no, "..": no, ".hidden": no, "a/b": no, "a b": no, "ä": no, strings.Repeat("a", 1000): no,
		id + "/..": alone, id + "?x=y": alone, "{" + id + "}": alone, "urn:uuid:" + id: alone, "/qod/sessions/" + id: alone,
		" " + id: blanks, id + "\n": blanks, id + "\r": blanks, `"` + id + `"`: quotes, "'" + id + "'": quotes, "“" + id + "”": quotes,
		"+34600000010": phone, "+34 600 000 010": phone, "tel:+34600000010": phone, `"+34600000010"`: phone, "(+34) 600000010": phone,
		"203.0.113.10": address, "203.0.113.10:5000": address, "2001:db8::10": address, "[2001:db8::10]": address, `"2001:db8::10"`: address,
		"camera@example.com": name, "'camera@example.com'": name,
		"ID": holder, "<id>": holder, "SESSION_ID": holder, "session-id": holder, "<the id>": holder, "${var.id}": holder, "{id}": holder,
		"qod_session.camera": resource, `qod_session.cameras["a"]`: resource, "module.event.qod_reservation.camera": resource, "data.qod_sessions.all": resource,
	} {
		for how, refusal := range map[string]acctest.Result{"id": c.Import(given), "identity": c.ImportByIdentity(given)} {
			text := refusal.Errors()
			if refusal.Values != nil || !strings.HasPrefix(text, "Invalid Import ID: ") || !strings.Contains(text, hint) ||
				!strings.Contains(text, "1 to 128 letters, digits, dots, hyphens, underscores and tildes") {
				t.Errorf("%s %q: %v; %s", how, given, refusal.Values, acctest.Describe(refusal.Diagnostics))
			}
			for _, personal := range []string{"600000", "600 000", "203.0.113", "2001:db8", "camera@"} {
				if strings.Contains(text, personal) {
					t.Errorf("%s %q names a device: %s", how, given, text)
				}
			}
		}
	}
	if text := c.Import("a/b").Errors(); !strings.Contains(text, `Given: "a/b". The data source qod_sessions`) {
		t.Errorf("it does not say what was given: %s", text)
	}
	if made := network.Requests(); len(made) > 0 {
		t.Errorf("requests were made: %v", made)
	}
	for how, adopted := range map[string]acctest.Result{"id": c.Import(seeded.ID), "identity": network.Client().ImportByIdentity(seeded.ID)} {
		if adopted.Text("id") != seeded.ID || len(adopted.Diagnostics) > 0 {
			t.Errorf("by %s: %v; %s", how, adopted.Values, acctest.Describe(adopted.Diagnostics))
		}
	}
	const unknown = "aaaaaaaa-5717-4562-b3fc-2c963f66afa6"
	missing := c.Import(unknown)
	acctest.ContainsAll(t, missing.Errors(), []string{"Unable to Import QoS Session: ", unknown + " does not exist at " + network.Endpoint()})
	network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: sandbox.Status(404, page, "Content-Type", "text/html")})
	network.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: sandbox.Status(503, "")})
	disturbed := c.Import(seeded.ID)
	if strings.Contains(disturbed.Errors(), "does not exist") || !acctest.HasError(disturbed.Diagnostics) {
		t.Errorf("a web page says that the session does not exist: %s", acctest.Describe(disturbed.Diagnostics))
	}
}

// Whatever id a network gives, in whatever spelling, is importable just as the errors name it.
func TestSession_importsAnyID(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	const upper = "797CE24C-5717-4562-B3FC-2C963F66AFA6"
	network.Seed(sandbox.Session{ID: upper})
	for how, adopted := range map[string]acctest.Result{"id": network.Client().Import(upper), "identity": network.Client().ImportByIdentity(upper)} {
		if adopted.Text("id") != upper || len(adopted.Diagnostics) > 0 {
			t.Errorf("by %s: %v; %s", how, adopted.Values, acctest.Describe(adopted.Diagnostics))
		}
	}
	for _, id := range []string{ // the sandbox gives out no such ids, and refuses them by its document
		"3fa85f6457174562b3fc2c963f66afa6", "7", "1234567890", "QOD-2026-000017", "a~b.c_d-1", "_x", "~", "idle", "qod_session", strings.Repeat("a", 128),
	} {
		if refused := diagnostics.CheckImportID(id); len(refused) > 0 {
			t.Errorf("%s: %s", id, refused[0].Detail())
		}
	}
}

// The same through the CLI, which has to stop at these errors.
func TestSession_importStops(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	importing := func(id, text string) resource.TestStep {
		return resource.TestStep{Config: network.HCL(camera), ResourceName: "qod_session.camera", ImportState: true, ImportStateId: id, ExpectError: acctest.MessagePattern(text)}
	}
	network.Test(
		importing("../../admin", "Import a session by its id, spelled as the network spells it"),
		acctest.Before(func() {
			if made := network.Requests(); len(made) > 0 {
				t.Errorf("requests were made: %v", made)
			}
		}, importing("aaaaaaaa-5717-4562-b3fc-2c963f66afa6", "does not exist")),
	)
}

// What terraform plan -generate-config-out writes for an imported session applies, and then nothing
// is to be done; so it is where the API shows a number that the configuration could not have.
func TestSession_generatesConfiguration(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	network.Echo(func(info map[string]any) {
		if device, _ := info["device"].(map[string]any); device["phoneNumber"] == "+34600000030" {
			device["phoneNumber"] = "34600000030"
		}
	})
	imports := ""
	for n, device := range []sandbox.Device{
		{PhoneNumber: "+34600000010"},
		{
			PhoneNumber: "+34600000020", NetworkAccessIdentifier: "camera@example.com", IPv6Address: "2001:db8::20",
			IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.20", PublicPort: new(0)},
		},
		{PhoneNumber: "+34600000030"},
	} {
		// With a provider, because without a resource a coming Terraform (1.17) looks for
		// hashicorp/qod.
		imports += fmt.Sprintf("import {\n  to = qod_session.s%d\n  id = %q\n  provider = qod\n}\n", n, network.Seed(sandbox.Session{Device: device}).ID)
	}
	c := network.CLI(imports)
	c.Must(0, "plan", "-no-color", "-generate-config-out=generated.tf")
	c.Configure(strings.ReplaceAll(imports, "  provider = qod\n", "")) // refused where there is a resource
	c.Apply()
	c.Destroy()
	if got := network.Writes(); got != "DELETE DELETE DELETE" {
		t.Errorf("requests that change something: %s, want the three DELETEs in the end", got)
	}
}

// An import that cannot look has nothing to do with a state that is kept, or with -refresh=false.
func TestImport_notLookedAt(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	seeded := network.Seed(sandbox.Session{})
	network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Times: -1, Effect: sandbox.Status(http.StatusForbidden, "")})
	text := network.Client().Import(seeded.ID).Errors()
	if !strings.HasPrefix(text, "Unable to Import QoS Session: ") || !strings.Contains(text, "Nothing was imported.") || strings.Contains(text, "-refresh") {
		t.Errorf("the import says:\n%s", text)
	}
}
