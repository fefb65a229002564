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
		"two values":              {phone("+34600000001") + phone("+34600000002"), "body"},
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
		"bad phone":               {phone("34600000001"), "device.phoneNumber"},
		"long phone":              {phone("+3460000000100000"), "device.phoneNumber"},
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
		"more than a MiB":         {strings.Replace(phone("+34600000001"), "{", "{"+strings.Repeat(" ", largestBody), 1), "1 MiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := within(t, Config{})
			got := w.refused(w.ask(http.MethodPost, pathSessions, test.body), http.StatusBadRequest, "INVALID_ARGUMENT")
			if !strings.Contains(got.Message, test.names) {
				t.Errorf("message %q does not name %q", got.Message, test.names)
			}
			if strings.Contains(got.Message, "4600000001") {
				t.Errorf("message %q repeats a phone number", got.Message)
			}
			if left := w.Ledger(); len(left) != 0 {
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
			w := within(t, Config{})
			id := w.reserve(body).SessionID
			w.look(id) // every answer is held against the document
			w.listed()
			w.ask(http.MethodDelete, pathSessions+"/"+id, "")
		})
	}
}

func TestContentTypeMustBeJSON(t *testing.T) {
	t.Parallel()
	w := within(t, Config{})
	got := w.ask(http.MethodPost, pathSessions, phone("+34600000001"), "Content-Type", "text/plain")
	w.refused(got, http.StatusBadRequest, "INVALID_ARGUMENT")
	got = w.ask(http.MethodPost, pathSessions, phone("+34600000001"), "Content-Type", "application/json; charset=utf-8")
	if got.status != http.StatusCreated {
		t.Errorf("a charset makes it no other type: %d", got.status)
	}
}

func TestSessionIDsAreUUIDs(t *testing.T) {
	t.Parallel()
	w := within(t, Config{})
	for _, id := range []string{"1", "..%2f..", "5a5b2af9-4a64-4c3b-9142-e5f5f47cacf", "5a5b2af94a644c3b9142e5f5f47cacfc", "urn:uuid:5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc", "{5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc}"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			got, err := w.try(t.Context(), method, pathSessions+"/"+id, "")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(id, "%2f") { // a slash, however it is spelt
				w.refused(got, http.StatusNotFound, "NOT_FOUND")
			} else if e := w.refused(got, http.StatusBadRequest, "INVALID_ARGUMENT"); !strings.Contains(e.Message, "sessionId") {
				t.Errorf("%q does not name the parameter", e.Message)
			}
		}
	}
	w.gone("5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc")
}

func TestTheAuditCanFail(t *testing.T) {
	t.Parallel()
	w := within(t, Config{})
	w.Seed(Session{})
	for name, echo := range map[string]func(map[string]any){
		"epoch seconds":  func(info map[string]any) { info["startedAt"] = 1639479600 },
		"not a UUID":     func(info map[string]any) { info["sessionId"] = "1" },
		"unknown status": func(info map[string]any) { info["qosStatus"] = "PAUSED" },
		"null":           func(info map[string]any) { info["device"] = nil },
	} {
		w.Echo(echo)
		got, err := w.try(t.Context(), http.MethodGet, pathSessions, "")
		if err != nil {
			t.Fatal(err)
		}
		probe := &testing.T{}
		(&world{t: probe}).audit(http.MethodGet, pathSessions, got)
		if !probe.Failed() {
			t.Errorf("%s: %s passes the audit", name, got.body)
		}
	}
}
