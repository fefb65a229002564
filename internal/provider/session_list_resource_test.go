// Speaks the plugin protocol, because terraform query needs a CLI of 1.14 or later, and one test
// goes through such a CLI where there is one.

package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// found is one result of a query.
type found struct {
	id, name string
	device   string // of the identity
	resource acctest.State
	acctest.Diagnostics
}

// query runs a list block.
func query(c *acctest.ProtocolClient, config attrs, limit int64, whole bool) []found {
	c.T.Helper()
	schema := c.Schemas.ListResourceSchemas["qod_session"]
	server, ok := c.Server.(framework)
	if !ok {
		c.T.Fatalf("a %T finds nothing", c.Server)
	}
	value := c.Value(schema, config)
	validated, err := server.ValidateListResourceConfig(c.T.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: "qod_session", Config: value})
	c.Must("ValidateListResourceConfig", err)
	if acctest.HasError(validated.Diagnostics) {
		return []found{{Diagnostics: validated.Diagnostics}}
	}
	stream, err := server.ListResource(c.T.Context(), &tfprotov6.ListResourceRequest{
		TypeName: "qod_session", Config: value, Limit: limit, IncludeResource: whole,
	})
	c.Must("ListResource", err)
	var all []found
	for result := range stream.Results {
		one := found{name: result.DisplayName, Diagnostics: result.Diagnostics}
		if result.Identity != nil {
			identity, err := result.Identity.IdentityData.Unmarshal(c.Identity.ValueType())
			c.Must("Unmarshal", err)
			c.Must("As", c.Members(identity)["id"].As(&one.id))
			var device *string
			c.Must("As", c.Members(identity)["device"].As(&device))
			if device != nil {
				one.device = *device
			}
		}
		if result.Resource != nil {
			one.resource = c.Decode(result.Resource, nil, nil)
		}
		all = append(all, one)
	}
	return all
}

func idsFound(all []found) []string {
	var ids []string
	for _, one := range all {
		ids = append(ids, one.id)
	}
	return ids
}

func TestList(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewManualClock(acctest.KickOff)})
	first := network.Seed(sandbox.Session{QoSProfile: "QOS_L", Duration: 7200, StartedAt: acctest.KickOff.Add(-2 * time.Minute), Device: sandbox.Device{PhoneNumber: "+34600000010"}}).ID
	second := network.Seed(sandbox.Session{QoSProfile: "QOS_S", StartedAt: acctest.KickOff.Add(-time.Minute), Device: sandbox.Device{NetworkAccessIdentifier: "drone@example.com"}}).ID
	third := network.Seed(sandbox.Session{QoSProfile: "QOS_L", Status: sandbox.StatusUnavailable, StartedAt: acctest.KickOff, Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.20"}}}).ID
	network.Seed(sandbox.Session{ClientID: "another team"})
	c := network.Client()

	for name, test := range map[string]struct {
		config attrs
		limit  int64
		want   []string
	}{
		"all":          {attrs{}, 0, []string{first, second, third}},
		"limited":      {attrs{}, 2, []string{first, second}},
		"not limiting": {attrs{}, 100, []string{first, second, third}},
		"a profile":    {attrs{"qos_profile": "QOS_L"}, 0, []string{first, third}},
		"limited, too": {attrs{"qos_profile": "QOS_L"}, 1, []string{first}},
		"a status":     {attrs{"qos_status": "UNAVAILABLE"}, 0, []string{third}},
		"a device":     {attrs{"device": attrs{"phone_number": "+34600000010"}}, 0, []string{first}},
		"nobody":       {attrs{"device": attrs{"phone_number": "+34600000099"}}, 0, nil},
	} {
		if got := query(c, test.config, test.limit, false); !slices.Equal(idsFound(got), test.want) {
			t.Errorf("%s: found %v, want %v", name, got, test.want)
		}
	}

	all := query(c, attrs{}, 0, true)
	names := []string{
		"…10 QOS_L AVAILABLE until 2028-02-29T22:13:00Z",
		"…om QOS_S AVAILABLE until 2028-02-29T21:14:00Z",
		"…20 QOS_L UNAVAILABLE until 2028-02-29T21:15:00Z",
	}
	for i, one := range all {
		if one.name != names[i] || one.device != "" {
			t.Errorf("shown as %q with the device %q, want %q", one.name, one.device, names[i])
		}
		if one.resource.Text("id") != one.id || len(one.Diagnostics) > 0 {
			t.Errorf("%s: %v, %s", one.id, one.resource.Values, acctest.Describe(one.Diagnostics))
		}
	}
	// What a query finds is what an import makes of it.
	imported := network.Client().Import(first)
	for name, value := range imported.Values {
		if !value.Equal(all[0].resource.Values[name]) {
			t.Errorf("%s: found %v, imported %v", name, all[0].resource.Values[name], value)
		}
	}
	if without := query(c, attrs{}, 0, false); without[0].resource.Values != nil {
		t.Errorf("the resource was not asked for: %v", without[0].resource.Values)
	}
}

func TestList_shortAnswers(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	id := network.Seed(sandbox.Session{}).ID
	network.Echo(func(info map[string]any) {
		for name := range info {
			if name != "sessionId" {
				delete(info, name)
			}
		}
	})
	all := query(network.Client(), attrs{}, 0, true)
	if len(all) != 1 || all[0].id != id || all[0].name != id || len(all[0].Diagnostics) > 0 {
		t.Fatalf("found %v", all)
	}
	for _, name := range []string{"device", "duration", "qos_profile", "qos_status", "timeouts"} {
		if v := all[0].resource.Values[name]; !v.IsNull() {
			t.Errorf("%s is %v", name, v)
		}
	}
}

func TestList_fails(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	for name, test := range map[string]struct {
		config attrs
		fault  *sandbox.Effect
		says   string
	}{
		"no such profile": {config: attrs{"qos_profile": "QOS_XL"}, says: "QOS_XL"},
		"no such status":  {config: attrs{"qos_status": "GONE"}, says: "GONE"},
		"an odd device":   {config: attrs{"device": attrs{"phone_number": "600000010"}}, says: "phone"},
		"an empty device": {config: attrs{"device": attrs{}}, says: "phone_number"},
		"refused":         {fault: new(sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"no"}`)), says: "qod:sessions:read"},
	} {
		before := network.Count(sandbox.OpList)
		if test.fault != nil {
			network.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: *test.fault})
		}
		got := query(c, test.config, 0, false)
		if len(got) != 1 || !acctest.HasError(got[0].Diagnostics) || !strings.Contains(acctest.Describe(got[0].Diagnostics), test.says) {
			t.Errorf("%s: %v, want an error that says %q", name, got, test.says)
		}
		if asked := network.Count(sandbox.OpList) > before; asked != (test.fault != nil) {
			t.Errorf("%s: the network is asked: %t", name, asked)
		}
	}
}

// A list resource that is not announced does not exist for Terraform, whatever the server can do.
func TestList_isAnnounced(t *testing.T) {
	t.Parallel()
	c := acc.NewClientOf(t, newStill(1))
	if c.Schemas.ListResourceSchemas["qod_session"] == nil {
		t.Error("the schema lacks it")
	}
	metadata, err := c.Server.GetMetadata(t.Context(), &tfprotov6.GetMetadataRequest{})
	if err != nil || len(metadata.ListResources) != 1 {
		t.Errorf("metadata: %v, %v", metadata, err)
	}
	for _, schema := range []*tfprotov6.Schema{c.Schemas.ListResourceSchemas["qod_session"], c.Schemas.DataSourceSchemas["qod_sessions"]} {
		for _, filter := range []string{"device", "qos_profile", "qos_status"} {
			if !slices.ContainsFunc(schema.Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == filter && a.Optional }) {
				t.Errorf("there is no filter %s", filter)
			}
		}
	}
}

// The whole way, where the CLI has terraform query: what it finds is imported as it writes it, and
// no device is printed.
func TestList_query(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.CLI("terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n")
	if !hasQuery(c) {
		t.Skip("terraform query needs Terraform of version 1.14 or later")
	}
	network.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}})
	network.Seed(sandbox.Session{QoSProfile: "QOS_S", Device: sandbox.Device{IPv6Address: "2001:db8::20"}})
	c.Write("find.tfquery.hcl", `
list "qod_session" "all" {
  provider = qod
}
`+readExample(t, "list-resources/qod_session/list-resource.tfquery.hcl"))
	said := c.Must(0, "query", "-no-color")
	acctest.ContainsAll(t, said, []string{"list.qod_session.all", "list.qod_session.best", "…10 QOS_L AVAILABLE", "…20 QOS_S AVAILABLE"})
	if strings.Contains(said, "600000010") || strings.Contains(said, "2001:db8") {
		t.Errorf("a device is printed: %s", said)
	}
	c.Write("find.tfquery.hcl", "list \"qod_session\" \"all\" {\n  provider = qod\n}\n")
	c.Must(0, "query", "-no-color", "-generate-config-out=found.tf")
	acctest.ContainsAll(t, c.Plan(2), []string{"2 to import, 0 to add, 0 to change, 0 to destroy"})
	c.Apply()
	c.Destroy()
}
