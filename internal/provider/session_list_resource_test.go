// Speaks the plugin protocol, because terraform query needs a CLI of 1.14 or later, and one test
// through such a CLI where there is one.

package provider

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// found is one result of a query.
type found struct {
	id, name string
	resource record
	tfdiags
}

// query runs a list block.
func (c *core) query(config attrs, limit int64, whole bool) []found {
	c.t.Helper()
	schema := c.schemas.ListResourceSchemas["qod_session"]
	server, ok := c.server.(framework)
	if !ok {
		c.t.Fatalf("a %T finds nothing", c.server)
	}
	value := c.value(schema, config)
	validated, err := server.ValidateListResourceConfig(c.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: "qod_session", Config: value})
	c.must("ValidateListResourceConfig", err)
	if refused(validated.Diagnostics) {
		return []found{{tfdiags: validated.Diagnostics}}
	}
	stream, err := server.ListResource(c.t.Context(), &tfprotov6.ListResourceRequest{
		TypeName: "qod_session", Config: value, Limit: limit, IncludeResource: whole,
	})
	c.must("ListResource", err)
	var all []found
	for result := range stream.Results {
		one := found{name: result.DisplayName, tfdiags: result.Diagnostics}
		if result.Identity != nil {
			identity, err := result.Identity.IdentityData.Unmarshal(c.identity.ValueType())
			c.must("Unmarshal", err)
			c.must("As", c.members(identity)["id"].As(&one.id))
		}
		if result.Resource != nil {
			one.resource = c.record(result.Resource, nil, nil)
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
	w := newWorld(t, sandbox.Config{Clock: sandbox.NewManualClock(atKickOff)})
	first := w.Seed(sandbox.Session{QoSProfile: "QOS_L", Duration: 7200, StartedAt: atKickOff.Add(-2 * time.Minute), Device: sandbox.Device{PhoneNumber: "+34600000010"}}).ID
	second := w.Seed(sandbox.Session{QoSProfile: "QOS_S", StartedAt: atKickOff.Add(-time.Minute), Device: sandbox.Device{NetworkAccessIdentifier: "drone@example.com"}}).ID
	third := w.Seed(sandbox.Session{QoSProfile: "QOS_L", Status: sandbox.StatusUnavailable, StartedAt: atKickOff, Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.20"}}}).ID
	w.Seed(sandbox.Session{ClientID: "another team"})
	c := w.core()

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
		if got := c.query(test.config, test.limit, false); !slices.Equal(idsFound(got), test.want) {
			t.Errorf("%s: found %v, want %v", name, got, test.want)
		}
	}

	all := c.query(attrs{}, 0, true)
	names := []string{
		"…10 QOS_L AVAILABLE until 2028-02-29T22:13:00Z",
		"…om QOS_S AVAILABLE until 2028-02-29T21:14:00Z",
		"…20 QOS_L UNAVAILABLE until 2028-02-29T21:15:00Z",
	}
	for i, one := range all {
		if one.name != names[i] {
			t.Errorf("shown as %q, want %q", one.name, names[i])
		}
		if one.resource.text("id") != one.id || len(one.tfdiags) > 0 {
			t.Errorf("%s: %v, %s", one.id, one.resource.values, printed(one.tfdiags))
		}
	}
	// What a query finds is what an import makes of it.
	imported := w.core().adopt(first)
	for name, value := range imported.values {
		if !value.Equal(all[0].resource.values[name]) {
			t.Errorf("%s: found %v, imported %v", name, all[0].resource.values[name], value)
		}
	}
	if without := c.query(attrs{}, 0, false); without[0].resource.values != nil {
		t.Errorf("the resource was not asked for: %v", without[0].resource.values)
	}
}

func TestList_shortAnswers(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	id := w.Seed(sandbox.Session{}).ID
	w.Echo(func(info map[string]any) {
		for name := range info {
			if name != "sessionId" {
				delete(info, name)
			}
		}
	})
	all := w.core().query(attrs{}, 0, true)
	if len(all) != 1 || all[0].id != id || all[0].name != id || len(all[0].tfdiags) > 0 {
		t.Fatalf("found %v", all)
	}
	for _, name := range []string{"device", "duration", "qos_profile", "qos_status", "timeouts"} {
		if v := all[0].resource.values[name]; !v.IsNull() {
			t.Errorf("%s is %v", name, v)
		}
	}
}

func TestList_fails(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
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
		before := w.Count(sandbox.OpList)
		if test.fault != nil {
			w.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: *test.fault})
		}
		got := c.query(test.config, 0, false)
		if len(got) != 1 || !refused(got[0].tfdiags) || !strings.Contains(printed(got[0].tfdiags), test.says) {
			t.Errorf("%s: %v, want an error that says %q", name, got, test.says)
		}
		if asked := w.Count(sandbox.OpList) > before; asked != (test.fault != nil) {
			t.Errorf("%s: the network is asked: %t", name, asked)
		}
	}
}

// A list resource that is not announced does not exist for Terraform, whatever the server can do.
func TestList_isAnnounced(t *testing.T) {
	t.Parallel()
	c := coreWith(t, newStill(1))
	if c.schemas.ListResourceSchemas["qod_session"] == nil {
		t.Error("the schema lacks it")
	}
	metadata, err := c.server.GetMetadata(t.Context(), &tfprotov6.GetMetadataRequest{})
	if err != nil || len(metadata.ListResources) != 1 {
		t.Errorf("metadata: %v, %v", metadata, err)
	}
	for _, schema := range []*tfprotov6.Schema{c.schemas.ListResourceSchemas["qod_session"], c.schemas.DataSourceSchemas["qod_sessions"]} {
		for _, filter := range []string{"device", "qos_profile", "qos_status"} {
			if !slices.ContainsFunc(schema.Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == filter && a.Optional }) {
				t.Errorf("there is no filter %s", filter)
			}
		}
	}
}

// The whole way, where the CLI has terraform query.
func TestList_query(t *testing.T) {
	if os.Getenv("TF_ACC_PROVIDER_HOST") == openTofu {
		t.Skip("no version of OpenTofu has a query command yet")
	}
	w := newWorld(t, sandbox.Config{})
	acceptance(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			w.apply(w.hcl("%s", block("one", `qos_profile = "QOS_L"`, 3600)+block("two", `qos_profile = "QOS_S"`, 7200))),
			{
				Query: true,
				// The provider's configuration is the last step's.
				Config: `
list "qod_session" "all" {
  provider = qod
}

list "qod_session" "best" {
  provider         = qod
  include_resource = true

  config {
    qos_profile = "QOS_L"
  }
}
`,
				QueryResultChecks: []querycheck.QueryResultCheck{
					querycheck.ExpectLength("qod_session.all", 2),
					querycheck.ExpectLength("qod_session.best", 1),
				},
			},
		},
	})
}
