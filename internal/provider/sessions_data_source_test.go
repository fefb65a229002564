package provider

import (
	"reflect"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The types of a listed session are written down, which makes a long list cheap, and are those that
// the framework would compose.
func TestSessions_types(t *testing.T) {
	t.Parallel()
	listed := listedSchema()
	for name, a := range listed.Attributes {
		nested, ok := a.(schema.SingleNestedAttribute)
		if !ok {
			continue
		}
		written := nested.CustomType
		nested.CustomType = nil
		if composed := nested.GetType(); written == nil || !composed.Equal(written) {
			t.Errorf("%s has the type %v, want %v", name, written, composed)
		}
	}
	written := listed.CustomType
	listed.CustomType = nil
	if composed := listed.Type(); written == nil || !composed.Equal(written) {
		t.Errorf("a listed session has the type %v, want %v", written, composed)
	}
}

// The data source lists what these credentials can see, whole, in the order of the start (none
// last) and then of the id, and narrows it by each filter; none is a success. A list that fails
// is an error.
func TestSessions(t *testing.T) {
	const (
		first  = "00000000-0000-4000-8000-000000000001"
		second = "00000000-0000-4000-8000-000000000002"
		third  = "00000000-0000-4000-8000-000000000003"
		fourth = "00000000-0000-4000-8000-000000000004"
		fifth  = "00000000-0000-4000-8000-000000000005"
		nobody = "+34600000099"
	)
	clock := sandbox.NewManualClock(acctest.KickOff)
	network := acc.NewNetwork(t, sandbox.Config{Clock: clock, Provisioning: time.Hour})
	line := func(number string) sandbox.Device { return sandbox.Device{PhoneNumber: number} }
	seed := func() {
		// The network lists by creation, which is the other way round here.
		for n, session := range []sandbox.Session{
			{ID: fifth, Device: line("+34600000050"), Status: sandbox.StatusRequested},
			{ID: fourth, Device: line("+34600000040"), Status: sandbox.StatusRequested, QoSProfile: "QOS_S"},
			{ID: second, QoSProfile: "QOS_S", Duration: 600, Device: sandbox.Device{
				PhoneNumber: "+34600000020", NetworkAccessIdentifier: "drone@example.com", IPv6Address: "2001:db8::20",
				IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.20", PublicPort: new(0)},
			}},
			{ID: first, Device: line("+34600000010")},
			{ID: third, Device: line("+34600000030"), StartedAt: acctest.KickOff.Add(-time.Minute), Status: sandbox.StatusUnavailable},
			{ClientID: "another team", Device: line("+34600000060")},
		} {
			session.CreatedAt = acctest.KickOff.Add(time.Duration(n-10) * time.Minute)
			network.Seed(session)
		}
		network.Echo(func(info map[string]any) {
			if info["sessionId"] == fifth {
				delete(info, "device")
				delete(info, "duration")
			}
		})
	}
	filters := map[string]struct {
		filter string
		ids    []string
	}{
		"all":           {"", []string{third, first, second, fourth, fifth}},
		"phone":         {`device = { phone_number = "+34600000020" }`, []string{second}},
		"nai":           {`device = { network_access_identifier = "drone@example.com" }`, []string{second}},
		"any_port":      {`device = { ipv4_address = { public_address = "203.0.113.20" } }`, []string{second}},
		"other_port":    {`device = { ipv4_address = { public_address = "203.0.113.20", public_port = 1 } }`, nil},
		"spelling":      {`device = { ipv6_address = "2001:0DB8:0::20" }`, []string{second}},
		"one_is_enough": {`device = { phone_number = "+34600000010", ipv6_address = "2001:db8::10" }`, []string{first}},
		"contradiction": {`device = { phone_number = "+34600000020", ipv6_address = "2001:db8::10" }`, nil},
		"profile":       {`qos_profile = "QOS_S"`, []string{second, fourth}},
		"status":        {`qos_status = "REQUESTED"`, []string{fourth, fifth}},
		"all_filters":   {`qos_status = "AVAILABLE"` + "\n" + `qos_profile = "QOS_S"` + "\n" + `device = { phone_number = "+34600000020" }`, []string{second}},
		"none":          {`device = { phone_number = "` + nobody + `" }`, nil},
	}
	config := network.ProviderHCL("")
	var found, empty []statecheck.StateCheck
	for name, f := range filters {
		config += "data \"qod_sessions\" \"" + name + "\" {\n" + f.filter + "\n}\n"
		var ids []knownvalue.Check
		for _, id := range f.ids {
			ids = append(ids, knownvalue.ObjectPartial(map[string]knownvalue.Check{"id": knownvalue.StringExact(id)}))
		}
		sessions := tfjsonpath.New("sessions")
		found = append(found, statecheck.ExpectKnownValue("data.qod_sessions."+name, sessions, knownvalue.ListExact(ids)))
		empty = append(empty, statecheck.ExpectKnownValue("data.qod_sessions."+name, sessions, knownvalue.ListSizeExact(0)))
	}
	none := knownvalue.Null()
	text := knownvalue.StringExact
	whole := map[int]map[string]knownvalue.Check{
		2: {
			"id": text(second), "qos_profile": text("QOS_S"), "qos_status": text("AVAILABLE"), "duration": knownvalue.Int64Exact(600),
			"started_at": text("2028-02-29T20:15:00Z"), "expires_at": text("2028-02-29T20:25:00Z"),
			"device": knownvalue.ObjectExact(map[string]knownvalue.Check{
				"phone_number": text("+34600000020"), "network_access_identifier": text("drone@example.com"), "ipv6_address": text("2001:db8::20"),
				"ipv4_address": knownvalue.ObjectExact(map[string]knownvalue.Check{"public_address": text("203.0.113.20"), "public_port": knownvalue.Int64Exact(0), "private_address": none}),
			}),
		},
		4: {"id": text(fifth), "qos_profile": text("QOS_E"), "qos_status": text("REQUESTED")},
	}
	for at, session := range whole {
		for name := range listedSchema().Attributes {
			if session[name] == nil {
				session[name] = none
			}
		}
		found = append(found, statecheck.ExpectKnownValue("data.qod_sessions.all", tfjsonpath.New("sessions").AtSliceIndex(at), knownvalue.ObjectExact(session)))
	}
	noChange := resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	acctest.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acc.Factories(),
		Steps: []resource.TestStep{
			{Config: config, ConfigStateChecks: empty, ConfigPlanChecks: noChange},
			{PreConfig: seed, Config: config, ConfigStateChecks: found, ConfigPlanChecks: noChange},
			{
				PreConfig: func() {
					network.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: sandbox.Status(403, ""), Times: -1})
				},
				Config: config, ExpectError: acctest.MessagePattern("Unable to List QoS Sessions"),
			},
		},
	})
}

// Whatever keeps the sessions from being listed is an error, never an empty list.
func TestSessions_listFails(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	provider := attrs{"endpoint": network.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret, "max_retries": 0}
	for name, effect := range map[string]sandbox.Effect{
		"403":                 sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
		"404 of a gateway":    sandbox.Status(404, `{"message":"no Route matched with those values"}`),
		"500":                 sandbox.Status(500, ""),
		"200 with a web page": sandbox.Answer(200, "text/html", page),
		"200 with an object":  sandbox.Answer(200, "application/json", `{"sessions": []}`),
		"half an answer":      sandbox.Truncate(1),
	} {
		network.Fail(sandbox.Fault{Operation: sandbox.OpList, Effect: effect})
		acctest.ContainsAll(t, name+": "+acctest.Diagnostics(c.ReadSessions(provider, attrs{})).Errors(), []string{name + ": Unable to List QoS Sessions: "})
	}
	if diags := c.ReadSessions(provider, attrs{}); len(diags) > 0 {
		t.Errorf("without a fault: %s", acctest.Describe(diags))
	}
}

// The time of a list is the API's, which is years ahead of this machine's here, and null where the
// API shows none.
func TestSessions_readAt(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	readAt := func() (at string) {
		read, diags := network.Client().ReadDataSource("qod_sessions", attrs{})
		if len(diags) > 0 {
			t.Fatal(acctest.Describe(diags))
		}
		if read["read_at"].IsNull() {
			return ""
		}
		if err := read["read_at"].As(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	at, err := time.Parse(time.RFC3339, readAt())
	if err != nil || network.Clock.Now().Sub(at).Abs() > time.Minute {
		t.Errorf("read_at is %v (%v), and the API's clock shows %v", at, err, network.Clock.Now())
	}
	network.InjectFault(sandbox.OpList, 1, sandbox.Header("Date", ""))
	network.InjectFault(sandbox.OpToken, 1, sandbox.Header("Date", ""))
	if at := readAt(); at != "" {
		t.Errorf("read_at is %q, and the API has shown no time", at)
	}
}

// Whatever the client knows of a session is shown.
func TestSessions_everyAttribute(t *testing.T) {
	t.Parallel()
	var s qod.Session
	fill(reflect.ValueOf(&s).Elem())
	walkKnown(t, "sessions", toListed(t.Context(), s))
	// Unread is for a warning.
	if fields, attributes := reflect.TypeFor[qod.Session]().NumField()-1, len(listedSchema().Attributes); attributes != fields {
		t.Errorf("%d attributes show the %d fields of a session", attributes, fields)
	}
}

// fill sets every field of a struct to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(acctest.KickOff))
			return
		}
		for _, field := range v.Fields() {
			fill(field)
		}
	default:
		panic("a session has a field of type " + v.Type().String())
	}
}

func walkKnown(t *testing.T, at string, v tftypes.Value) {
	t.Helper()
	if v.IsNull() {
		t.Errorf("%s is null", at)
		return
	}
	var attributes map[string]tftypes.Value
	if v.As(&attributes) != nil {
		return
	}
	for name, attribute := range attributes {
		walkKnown(t, at+"."+name, attribute)
	}
}
