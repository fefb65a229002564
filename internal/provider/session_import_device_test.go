// Proves that a session can be imported, read, changed and destroyed where each access token is for
// one device: the import names the device, and the state keeps it.

package provider

import (
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestImportDevice(t *testing.T) {
	t.Parallel()
	port := int64(5000)
	for text, want := range map[string]qod.Device{
		"+34600000010":       {PhoneNumber: "+34600000010"},
		"198.51.100.10":      {IPv4Address: &qod.IPv4Address{PublicAddress: "198.51.100.10"}},
		"198.51.100.10:5000": {IPv4Address: &qod.IPv4Address{PublicAddress: "198.51.100.10", PublicPort: &port}},
		"2001:db8::10":       {IPv6Address: "2001:db8::10"},
	} {
		got, ok := parseImportDevice(text)
		qodtest.Equal(t, text, fromDevice(got).String(), fromDevice(want).String())
		if !ok || importDevice(got) != text {
			t.Errorf("%s is %t, and named %s", text, ok, importDevice(got))
		}
	}
	for _, text := range []string{"", "34600000010", "camera@example.com", "198.51.100", "198.51.100.10:", "198.51.100.10:99999", "[198.51.100.10]", "[2001:db8::10]:5000", "fe80::1%eth0", "id"} {
		if d, ok := parseImportDevice(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
	if got, ok := parseImportDevice("[2001:db8::10]"); !ok || got.IPv6Address != "2001:db8::10" {
		t.Errorf("%v, %t", got, ok)
	}
}

// byCIBA is a client of its own, as each process has one, that asks for consent.
func byCIBA(network *acctest.Network) *acctest.ProtocolClient {
	return network.ClientWith(attrs{"grant": "ciba"})
}

// flowOf is a session of a device for a server.
func flowOf(device attrs) attrs {
	return attrs{"device": device, "application_server": attrs{"ipv4_address": "198.51.100.7"}, "qos_profile": "QOS_L", "duration": 3600}
}

// Each process asks once, and everything that a state goes through finds its token.
func TestSession_perDevice(t *testing.T) {
	t.Parallel()
	for api, asked := range map[sandbox.API]attrs{
		sandbox.OpenGateway: {"phone_number": "+34600000010"},
		sandbox.CAMARAV1:    {"ipv6_address": "2001:DB8:0::10"},
		sandbox.CAMARAV0:    {"ipv4_address": attrs{"public_address": "198.51.100.10", "public_port": 5000}},
	} {
		named := map[sandbox.API]string{sandbox.OpenGateway: "+34600000010", sandbox.CAMARAV1: "2001:DB8:0::10", sandbox.CAMARAV0: "198.51.100.10:5000"}[api]
		t.Run(string(api), acc.InBubble(0, sandbox.Config{API: api, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
			prompts := func(want int) {
				t.Helper()
				qodtest.Equal(t, "people asked", len(network.Prompts()), want)
			}
			c := byCIBA(network)
			r := c.MustCreate(flowOf(asked))
			prompts(1)
			qodtest.Equal(t, "the device of the identity", c.IdentityOf(r, "device"), named)

			c = byCIBA(network) // a plan
			r = c.Refresh(r).State
			c.ExpectEmptyPlan(r, flowOf(asked))
			prompts(2)
			waiting := flowOf(asked)
			waiting["wait_for_available"] = false
			respelled := flowOf(asked)
			if api == sandbox.CAMARAV1 {
				respelled["device"] = attrs{"ipv6_address": "2001:db8::10"}
			}
			for _, config := range []attrs{waiting, respelled} {
				r = c.Apply(c.Plan(r, config)).State
			}
			qodtest.Equal(t, "the device of the identity", c.IdentityOf(r, "device"), named)

			c = byCIBA(network)
			if gone := c.Destroy(r); acctest.HasError(gone.Diagnostics) || len(network.Ledger()) > 0 {
				t.Errorf("%s; the network has %v", acctest.Describe(gone.Diagnostics), network.Ledger())
			}
			prompts(3)
		}))
	}
}

// An import names the device, by its id or its identity; without it there is no token.
func TestSession_importWithDevice(t *testing.T) {
	t.Parallel()
	t.Run("ciba", acc.InBubble(0, sandbox.Config{API: sandbox.CAMARAV1, OmitDevice: true, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		id := network.Seed(sandbox.Session{
			Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 3600,
			ApplicationServer: &sandbox.ApplicationServer{IPv4Address: "198.51.100.7"},
		}).ID
		c := byCIBA(network)
		for _, c := range []*acctest.ProtocolClient{c, c.Reservations()} {
			for how, refused := range map[string]acctest.Result{
				"id": c.Import(id), "identity": c.ImportByIdentity(id),
				"no device": c.Import(id + ","), "nothing that is a device": c.Import(id + ",camera@example.com"), "a device alone": c.Import("+34600000010"),
				"an identity of no device": c.ImportByIdentityOf(attrs{"id": id, "device": "camera@example.com"}),
			} {
				text := refused.Errors()
				if !strings.HasPrefix(text, "Invalid Import ID: ") || refused.Values != nil || strings.Contains(text, "camera@") {
					t.Errorf("%s, %s: %v, %s", c.TypeName, how, refused.Values, text)
				}
			}
			qodtest.Equal(t, "the text for "+c.TypeName, c.ImportByIdentity(id).Errors(), byCIBA(network).Import(id).Errors())
		}
		acctest.ContainsAll(t, c.Import(id).Errors(), []string{
			"each access token is for one device", `"` + id + `,+34600000010"`, "(198.51.100.10)", "(198.51.100.10:5000)", "(2001:db8::10)",
		})
		if made := network.Requests(); len(made) > 0 {
			t.Errorf("requests were made: %v", made)
		}
		for how, imports := range map[string]func(*acctest.ProtocolClient) acctest.Result{
			"id":     func(c *acctest.ProtocolClient) acctest.Result { return c.Import(id + ",+34600000010") },
			"spaces": func(c *acctest.ProtocolClient) acctest.Result { return c.Import(id + ", +34600000010") },
			"identity": func(c *acctest.ProtocolClient) acctest.Result {
				return c.ImportByIdentityOf(attrs{"id": id, "device": "+34600000010"})
			},
		} {
			for _, c := range []*acctest.ProtocolClient{byCIBA(network), byCIBA(network).Reservations()} {
				imported := imports(c)
				if imported.Text("id") != id || len(imported.Diagnostics) > 0 || c.IdentityOf(imported.State, "device") != "+34600000010" {
					t.Errorf("%s, %s: %v; %s", c.TypeName, how, imported.Values, acctest.Describe(imported.Diagnostics))
					continue
				}
				again := c.Refresh(imported.State).State
				if c.TypeName == sessionTypeName {
					c.ExpectEmptyPlan(again, flowOf(attrs{"phone_number": "+34600000010"}))
				} else {
					qodtest.Equal(t, "the session", again.Text("session_id"), id)
				}
			}
		}
		qodtest.Equal(t, "people asked", len(network.Prompts()), 6)
		if other := c.Import(id + ",+34600000011").Errors(); !strings.HasPrefix(other, "Unable to Import QoS Session: ") {
			t.Errorf("with another device: %s", other)
		}
	}))
	t.Run("one token for all", acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		id := network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}}).ID
		c := network.Client()
		imported := c.Import(id + ",+34600000010")
		if imported.Text("id") != id || len(imported.Diagnostics) > 0 || c.IdentityOf(imported.State, "device") != "+34600000010" {
			t.Errorf("%v; %s", imported.Values, acctest.Describe(imported.Diagnostics))
		}
		text := c.Import(id + ",+34600000011").Errors()
		acctest.ContainsAll(t, text, []string{"Unable to Import QoS Session: ", "device"})
		if strings.Contains(text, "600000") {
			t.Errorf("the text names a device: %s", text)
		}
		if alone := network.Client().Import(id); c.IdentityOf(alone.State, "device") != "" || len(alone.Diagnostics) > 0 {
			t.Errorf("by its id alone: %s; %s", c.IdentityOf(alone.State, "device"), acctest.Describe(alone.Diagnostics))
		}
	}))
}

// An identity without a device, such as that of an import by the id alone, stays so.
func TestSession_identityWithoutDevice(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
	c := network.Client()
	r := c.MustCreate(flowOf(attrs{"phone_number": "+34600000010"}))
	id := r.Text("id")
	r.Identity = encodeIdentity(id)
	qodtest.Equal(t, "the id", c.IdentityOf(r, "id"), id)
	qodtest.Equal(t, "the device", c.IdentityOf(r, "device"), "")
	r = c.Refresh(r).State
	longer := flowOf(attrs{"phone_number": "+34600000010"})
	longer["wait_for_available"] = false
	r = c.Apply(c.Plan(r, longer)).State
	qodtest.Equal(t, "the device", c.IdentityOf(c.Refresh(r).State, "device"), "")

	// The way of sessions that a list shows unchanged leaves the identity as well.
	for range 5 {
		network.Seed(sandbox.Session{})
	}
	for _, session := range network.Ledger() {
		_ = c.Refresh(c.Import(session.ID).State)
	}
	qodtest.Equal(t, "the device", c.IdentityOf(c.Refresh(r).State, "device"), "")
}

// A bare id is what an error names, where an import needs the device as well.
func TestSession_importAdviceWithDevice(t *testing.T) {
	acc.InBubble(0, sandbox.Config{API: sandbox.CAMARAV1, Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		flow := flowOf(attrs{"phone_number": "+34600000010"})
		id := network.Seed(sandbox.Session{
			Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L",
			ApplicationServer: &sandbox.ApplicationServer{IPv4Address: "198.51.100.7"},
		}).ID
		flow["timeouts"] = attrs{"create": "10s"}
		text := byCIBA(network).Create(flow).Errors()
		acctest.ContainsAll(t, text, []string{id + ",DEVICE", "DEVICE is the device's phone number or address"})
	})(t)
}
