package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The body of a POST is the configuration and nothing else: no null, no default, nothing that the
// API document does not name. Both sides hold it against that document: the sandbox, which would
// refuse it, and this test.
func TestSession_requestBody(t *testing.T) {
	acctest.AnyCLI(t)
	rows := map[string]struct{ config, body string }{
		"phone number": {
			`device = { phone_number = "+34600000010" }`,
			`{"device": {"phoneNumber": "+34600000010"}, "qosProfile": "QOS_L", "duration": 3601}`,
		},
		"network access identifier": {
			`device = { network_access_identifier = "camera@example.com" }`,
			`{"device": {"networkAccessIdentifier": "camera@example.com"}, "qosProfile": "QOS_L", "duration": 3602}`,
		},
		"IPv4 address": {
			`device = { ipv4_address = { public_address = "203.0.113.10" } }`,
			`{"device": {"ipv4Address": {"publicAddress": "203.0.113.10"}}, "qosProfile": "QOS_L", "duration": 3603}`,
		},
		"port 0 is a port": {
			`device = { ipv4_address = { public_address = "203.0.113.20", public_port = 0 } }`,
			`{"device": {"ipv4Address": {"publicAddress": "203.0.113.20", "publicPort": 0}}, "qosProfile": "QOS_L", "duration": 3604}`,
		},
		"IPv6 address as it is spelled": {
			`device = { ipv6_address = "2001:DB8:0::10" }`,
			`{"device": {"ipv6Address": "2001:DB8:0::10"}, "qosProfile": "QOS_L", "duration": 3605}`,
		},
		"everything": {
			`device = {
				phone_number              = "+34600000020"
				network_access_identifier = "drone@example.com"
				ipv4_address              = { public_address = "203.0.113.30", public_port = 65535 }
				ipv6_address              = "2001:db8::20"
			}
			application_server = {
				ipv4_address = "198.51.100.0/24"
				ipv6_address = "2001:db8:1::/48"
			}
			notification_url                = "https://example.com/qod?match=final"
			notification_auth_token         = "a-webhook-token"
			notification_auth_token_version = 7
			wait_for_available              = true
			timeouts                        = { create = "1m", delete = "1m" }`,
			`{
				"device": {
					"phoneNumber": "+34600000020",
					"networkAccessIdentifier": "drone@example.com",
					"ipv4Address": {"publicAddress": "203.0.113.30", "publicPort": 65535},
					"ipv6Address": "2001:db8::20"
				},
				"applicationServer": {"ipv4Address": "198.51.100.0/24", "ipv6Address": "2001:db8:1::/48"},
				"qosProfile": "QOS_L",
				"duration": 3606,
				"notificationUrl": "https://example.com/qod?match=final",
				"notificationAuthToken": "a-webhook-token"
			}`,
		},
		"one address of a server": {
			`device = { phone_number = "+34600000030" }
			application_server = { ipv6_address = "2001:db8::7" }`,
			`{"device": {"phoneNumber": "+34600000030"}, "applicationServer": {"ipv6Address": "2001:db8::7"}, "qosProfile": "QOS_L", "duration": 3607}`,
		},
		"webhook without token": {
			`device = { phone_number = "+34600000040" }
			notification_url   = "http://example.com/qod"
			wait_for_available = false`,
			`{"device": {"phoneNumber": "+34600000040"}, "notificationUrl": "http://example.com/qod", "qosProfile": "QOS_L", "duration": 3608}`,
		},
		"the shortest": {
			`device = { phone_number = "+12345" }
			duration = 1
			qos_profile = "QOS_E"`,
			`{"device": {"phoneNumber": "+12345"}, "qosProfile": "QOS_E", "duration": 1}`,
		},
		"the longest": {
			`device = { phone_number = "+123456789012345" }
			duration = 86400
			qos_profile = "QOS_M"`,
			`{"device": {"phoneNumber": "+123456789012345"}, "qosProfile": "QOS_M", "duration": 86400}`,
		},
	}
	network := acc.NewNetwork(t, sandbox.Config{Clock: sandbox.NewManualClock(acctest.KickOff)})
	config := ""
	want := map[float64]any{} // by duration
	for name, row := range rows {
		body, seconds := decoded(t, []byte(row.body))
		want[seconds] = body
		config += acctest.SessionBlock(strings.ReplaceAll(name, " ", "_"), row.config, int(seconds))
	}
	network.Test(network.ApplyStep(network.HCL(config),
		statecheck.ExpectKnownValue("qod_session.everything", tfjsonpath.New("notification_auth_token"), knownvalue.Null()),
	))

	document := documented(t)
	for _, r := range network.Requests(sandbox.OpCreate) {
		got, seconds := decoded(t, r.Body)
		if diff := cmp.Diff(want[seconds], any(got)); diff != "" {
			t.Errorf("POST %s (-want +got):\n%s", r.Body, diff)
		}
		delete(want, seconds)
	}
	if len(want) > 0 {
		t.Errorf("not asked for: %v", want)
	}
	for _, r := range network.Requests(sandbox.OpCreate, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete) {
		if err := conforms(document, r); err != nil {
			t.Errorf("%s %s %s: %v", r.Method, r.Path, r.Body, err)
		}
	}
}

// decoded is a body and its duration, which tells the rows apart.
func decoded(t *testing.T, body []byte) (map[string]any, float64) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	seconds, _ := fields["duration"].(float64)
	return fields, seconds
}

// documented reads the API document.
func documented(t *testing.T) routers.Router {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile("../sandbox/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// conforms holds a request against the API document.
func conforms(document routers.Router, r sandbox.Request) error {
	request, err := http.NewRequestWithContext(context.Background(), r.Method, r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	request.Header = r.Header
	route, parameters, err := document.FindRoute(request)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}
