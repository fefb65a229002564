package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

func TestRequestsTheDocumentForbids(t *testing.T) {
	t.Parallel()
	const device = `"device":{"phoneNumber":"+34600000001"}`
	tests := map[string]struct {
		body  string
		names string // what the message must name
	}{
		"no body":                 {"", "request body"},
		"not JSON":                {"{", "request body"},
		"two values":              {createBody("+34600000001") + createBody("+34600000002"), "body"},
		"not an object":           {"[]", "object"},
		"null":                    {"null", "not nullable"},
		"unknown field":           {`{` + device + `,"qosProfile":"QOS_E","duration":60,"webhook":{}}`, "webhook"},
		"unknown field of device": {`{"device":{"phoneNumber":"+34600000001","imsi":"1"},"qosProfile":"QOS_E","duration":60}`, "imsi"},
		"unknown field of address": {
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.7","privateAddress":"10.0.0.1"}},"qosProfile":"QOS_E","duration":60}`, "privateAddress",
		},
		"unknown field of server": {`{` + device + `,"qosProfile":"QOS_E","duration":60,"applicationServer":{"host":"a"}}`, "host"},
		"null field":              {`{` + device + `,"qosProfile":"QOS_E","duration":60,"applicationServer":null}`, "applicationServer"},
		"null deep down":          {`{"device":{"phoneNumber":"+34600000001","ipv6Address":null},"qosProfile":"QOS_E","duration":60}`, "device.ipv6Address"},
		"relative URL":            {`{` + device + `,"qosProfile":"QOS_E","duration":60,"notificationUrl":"/hook"}`, "notificationUrl"},
		"URL without host":        {`{` + device + `,"qosProfile":"QOS_E","duration":60,"notificationUrl":"http:hook"}`, "notificationUrl"},
		"bad phone":               {createBody("34600000001"), "device.phoneNumber"},
		"long phone":              {createBody("+3460000000100000"), "device.phoneNumber"},
		"no device":               {`{"qosProfile":"QOS_E","duration":60}`, "device"},
		"no profile":              {`{` + device + `,"duration":60}`, "qosProfile"},
		"unknown profile":         {`{` + device + `,"qosProfile":"QOS_X","duration":60}`, "qosProfile"},
		"no duration":             {`{` + device + `,"qosProfile":"QOS_E"}`, "duration"},
		"no time at all":          {`{` + device + `,"qosProfile":"QOS_E","duration":0}`, "duration"},
		"more than a day":         {`{` + device + `,"qosProfile":"QOS_E","duration":86401}`, "duration"},
		"half a second":           {`{` + device + `,"qosProfile":"QOS_E","duration":1.5}`, "duration"},
		"duration in a string":    {`{` + device + `,"qosProfile":"QOS_E","duration":"60"}`, "duration"},
		"device without a name":   {`{"device":{},"qosProfile":"QOS_E","duration":60}`, "identifier"},
		"device with a port only": {`{"device":{"ipv4Address":{"publicPort":80}},"qosProfile":"QOS_E","duration":60}`, "identifier"},
		"device of an empty name": {`{"device":{"networkAccessIdentifier":""},"qosProfile":"QOS_E","duration":60}`, "identifier"},
		"more than a MiB":         {strings.Replace(createBody("+34600000001"), "{", "{"+strings.Repeat(" ", largestBody), 1), "1 MiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			got := h.wantError(h.send(http.MethodPost, pathSessions, test.body), http.StatusBadRequest, "INVALID_ARGUMENT")
			if !strings.Contains(got.Message, test.names) {
				t.Errorf("message %q does not name %q", got.Message, test.names)
			}
			if strings.Contains(got.Message, "4600000001") {
				t.Errorf("message %q repeats a phone number", got.Message)
			}
			if left := h.Ledger(); len(left) != 0 {
				t.Errorf("a refused creation left %v", left)
			}
		})
	}
}

func TestRequestsTheDocumentAllows(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"least":      `{"device":{"phoneNumber":"+34600"},"qosProfile":"QOS_S","duration":1}`,
		"a day":      `{"device":{"networkAccessIdentifier":"123@domain.example"},"qosProfile":"QOS_L","duration":86400}`,
		"everything": `{"device":{"phoneNumber":"+34600000001","networkAccessIdentifier":"a@b","ipv4Address":{"publicAddress":"203.0.113.7","publicPort":0},"ipv6Address":"2001:db8::1"},"applicationServer":{"ipv4Address":"198.51.100.0/24","ipv6Address":"2001:db8::/64"},"qosProfile":"QOS_M","duration":60,"notificationUrl":"https://hooks.example/qod?a=b","notificationAuthToken":"t"}`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			id := h.createSession(body).SessionID
			h.readSession(id) // every answer is validated against the document
			h.listSessions()
			h.send(http.MethodDelete, pathSessions+"/"+id, "")
		})
	}
}

func TestContentTypeMustBeJSON(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	got := h.send(http.MethodPost, pathSessions, createBody("+34600000001"), "Content-Type", "text/plain")
	h.wantError(got, http.StatusBadRequest, "INVALID_ARGUMENT")
	got = h.send(http.MethodPost, pathSessions, createBody("+34600000001"), "Content-Type", "application/json; charset=utf-8")
	if got.status != http.StatusCreated {
		t.Errorf("a charset makes it no other type: %d", got.status)
	}
}

func TestSessionIDsAreUUIDs(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	for _, id := range []string{"1", "..%2f..", "5a5b2af9-4a64-4c3b-9142-e5f5f47cacf", "5a5b2af94a644c3b9142e5f5f47cacfc", "urn:uuid:5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc", "{5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc}"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			got, err := h.do(t.Context(), method, pathSessions+"/"+id, "")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(id, "%2f") { // a slash, even when escaped
				h.wantError(got, http.StatusNotFound, "NOT_FOUND")
			} else if e := h.wantError(got, http.StatusBadRequest, "INVALID_ARGUMENT"); !strings.Contains(e.Message, "sessionId") {
				t.Errorf("%q does not name the parameter", e.Message)
			}
		}
	}
	h.wantGone("5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc")
}

func TestResponseValidationCanFail(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Seed(Session{})
	for name, echo := range map[string]func(map[string]any){
		"epoch seconds":  func(info map[string]any) { info["startedAt"] = 1639479600 },
		"not a UUID":     func(info map[string]any) { info["sessionId"] = "1" },
		"unknown status": func(info map[string]any) { info["qosStatus"] = "PAUSED" },
		"null":           func(info map[string]any) { info["device"] = nil },
	} {
		h.Echo(echo)
		got, err := h.do(t.Context(), http.MethodGet, pathSessions, "")
		if err != nil {
			t.Fatal(err)
		}
		probe := &testing.T{}
		(&harness{t: probe, Sandbox: h.Sandbox, base: h.base}).check(http.MethodGet, pathSessions, "", got)
		if !probe.Failed() {
			t.Errorf("%s: %s passes validation", name, got.body)
		}
	}
}
