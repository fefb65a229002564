package sandbox

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every answer is held against the document; see harness.send.

const (
	camaraV0Create   = "/qod/v0/sessions"
	camaraV0Profiles = "/qod/v0/qos-profiles"
	noSession        = "/qod/v0/sessions/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc"
)

func newV0Harness(t *testing.T, c Config) *harness {
	t.Helper()
	c.API = CAMARAV0
	return newHarness(t, c)
}

// createV0 creates a session.
func (h *harness) createV0(changes string) camaraV0Session {
	h.t.Helper()
	return sessionIn[camaraV0Session](h, http.StatusCreated, h.send(http.MethodPost, camaraV0Create, camaraBody(h.t, changes)))
}

func TestCAMARAV0Refuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path, changes string
		status        int
		code          string
	}{
		"no device":                {camaraV0Create, `{"device":null}`, 400, "INVALID_ARGUMENT"},
		"an empty device":          {camaraV0Create, `{"device":{}}`, 400, "INVALID_ARGUMENT"},
		"an address alone":         {camaraV0Create, `{"device":{"ipv4Address":{"publicAddress":"198.51.100.1"}}}`, 400, "INVALID_ARGUMENT"},
		"a phone number of words":  {camaraV0Create, `{"device":{"phoneNumber":"tel:+34600000010"}}`, 400, "INVALID_ARGUMENT"},
		"no server":                {camaraV0Create, `{"applicationServer":null}`, 400, "INVALID_ARGUMENT"},
		"an empty server":          {camaraV0Create, `{"applicationServer":{}}`, 400, "INVALID_ARGUMENT"},
		"empty ports":              {camaraV0Create, `{"devicePorts":{}}`, 400, "INVALID_ARGUMENT"},
		"port 65536":               {camaraV0Create, `{"devicePorts":{"ports":[65536]}}`, 400, "INVALID_ARGUMENT"},
		"duration 0":               {camaraV0Create, `{"duration":0}`, 400, "INVALID_ARGUMENT"},
		"a day and a second":       {camaraV0Create, `{"duration":86401}`, 400, "INVALID_ARGUMENT"},
		"too long for the profile": {camaraV0Create, `{"qosProfile":"live-uplink","duration":21601}`, 400, "OUT_OF_RANGE"},
		"too short for it":         {camaraV0Create, `{"qosProfile":"live-uplink","duration":59}`, 400, "OUT_OF_RANGE"},
		"an unknown profile":       {camaraV0Create, `{"qosProfile":"nobodys"}`, 400, "INVALID_ARGUMENT"},
		"an inactive profile":      {camaraV0Create, `{"qosProfile":"retired"}`, 400, "INVALID_ARGUMENT"},
		"a webhook of no URL":      {camaraV0Create, `{"webhook":{"notificationAuthToken":"12345678901234567890"}}`, 400, "INVALID_ARGUMENT"},
		"a token of 19 characters": {camaraV0Create, `{"webhook":{"notificationUrl":"https://hook.example","notificationAuthToken":"1234567890123456789"}}`, 400, "INVALID_ARGUMENT"},
		"a member of 1.x":          {camaraV0Create, `{"sink":"https://hook.example"}`, 400, "INVALID_ARGUMENT"},
		"an id that is no UUID":    {camaraV0Create + "/1/extend", `{"requestedAdditionalDuration":1}`, 400, "INVALID_ARGUMENT"},
		"extended by nothing":      {noSession + "/extend", `{}`, 400, "INVALID_ARGUMENT"},
		"extended by a day":        {noSession + "/extend", `{"requestedAdditionalDuration":86400}`, 400, "INVALID_ARGUMENT"},
		"extended without session": {noSession + "/extend", `{"requestedAdditionalDuration":1}`, 404, "NOT_FOUND"},
		"a list of sessions":       {"/qod/v0/retrieve-sessions", `{}`, 404, "NOT_FOUND"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newV0Harness(t, Config{})
			body := test.changes
			if test.path == camaraV0Create {
				body = camaraBody(t, test.changes)
			}
			h.wantError(h.send(http.MethodPost, test.path, body), test.status, test.code)
			if left := h.Ledger(); len(left) != 0 {
				t.Errorf("it was refused and reserved: %+v", left)
			}
		})
	}
}

func TestCAMARAV0Life(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{Provisioning: time.Second})
	made := h.createV0(`{"devicePorts":{"ranges":[{"from":5000,"to":5010}]},"applicationServerPorts":{"ports":[0,443]},` +
		`"webhook":{"notificationUrl":"https://hook.example/x","notificationAuthToken":"12345678901234567890"}}`)
	switch {
	case made.QoSStatus != StatusRequested || made.StartedAt != noon.Unix() || made.ExpiresAt != noon.Add(24*time.Hour).Unix():
		t.Errorf("created %+v, without the times that stand for none", made)
	case made.Device.PhoneNumber != camaraLine || made.ApplicationServer.IPv4Address != "198.51.100.0/24" || *made.Webhook != camaraWebhook{"https://hook.example/x", "12345678901234567890"}:
		t.Errorf("the answer does not show what was asked for: %+v", made)
	case made.DevicePorts.Ranges[0].To != 5010 || made.ApplicationServerPorts.Ports[1] != 443:
		t.Errorf("ports %+v, %+v", made.DevicePorts, made.ApplicationServerPorts)
	}
	path := camaraV0Create + "/" + made.SessionID
	if read := h.send(http.MethodGet, path, "", "X-Correlator", "c1"); read.header.Get("X-Correlator") != "" {
		t.Errorf("the answer has a correlator: %v", read.header)
	}
	h.wantError(h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":60}`), 400, "INVALID_ARGUMENT")

	h.clock.Advance(time.Second)
	live := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodGet, path, ""))
	if live.QoSStatus != StatusAvailable || live.StartedAt != noon.Unix()+1 || live.ExpiresAt != noon.Unix()+3601 {
		t.Errorf("read %+v", live)
	}
	h.wantError(h.send(http.MethodPost, camaraV0Create, camaraBody(t, `{"applicationServer":{"ipv4Address":"203.0.113.1"}}`)), 409, "CONFLICT")
	longer := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":600}`))
	if longer.Duration != 4200 || longer.ExpiresAt != noon.Unix()+4201 {
		t.Errorf("extended to %+v", longer)
	}

	h.Revoke(made.SessionID)
	dead := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodGet, path, ""))
	if dead.QoSStatus != StatusUnavailable {
		t.Errorf("ended: %+v", dead)
	}
	h.wantError(h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":60}`), 400, "INVALID_ARGUMENT")
	if got := h.send(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %+v", got)
	}
	h.wantError(h.send(http.MethodGet, path, ""), 404, "NOT_FOUND")
	h.wantError(h.send(http.MethodDelete, path, ""), 404, "NOT_FOUND")
}

// Where the duration is left out, it is a day; a phone number may lack its plus.
func TestCAMARAV0Defaults(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{})
	if made := h.createV0(`{"duration":null,"device":{"phoneNumber":"34600000010"}}`); made.Duration != 86400 || h.Ledger()[0].Device.PhoneNumber != camaraLine {
		t.Errorf("%+v for %+v", made, h.Ledger())
	}
}

// The limit is on what remains, so that the whole may pass a day: the example of the documents.
func TestCAMARAV0LimitsWhatRemains(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{Provisioning: Instant})
	made := h.createV0(`{"duration":80000}`)
	h.clock.Advance(10000 * time.Second)
	longer := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodPost, camaraV0Create+"/"+made.SessionID+"/extend", `{"requestedAdditionalDuration":20000}`))
	if longer.Duration != 96400 || longer.ExpiresAt != made.StartedAt+96400 {
		t.Errorf("extended to %+v", longer)
	}
}

func TestCAMARAV0Scopes(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{})
	path := camaraV0Create + "/" + h.createV0(`{}`).SessionID
	for _, test := range []struct{ method, path, body, scope string }{
		{http.MethodPost, camaraV0Create, camaraBody(t, `{}`), scopeV0Write},
		{http.MethodGet, path, "", scopeV0Read},
		{http.MethodDelete, path, "", scopeV0Delete},
		{http.MethodPost, path + "/extend", `{"requestedAdditionalDuration":60}`, scopeV0Write},
		{http.MethodGet, camaraV0Profiles, "", scopeV0Profiles},
		{http.MethodGet, camaraV0Profiles + "/QOS_E", "", scopeV0Profiles},
	} {
		others := slices.DeleteFunc(h.scopes(), func(scope string) bool { return scope == test.scope || scope == scopeV0All })
		h.AcceptToken("others", DefaultClient.ID, others...)
		h.token = "others"
		h.wantError(h.send(test.method, test.path, test.body), 403, "PERMISSION_DENIED")
	}
	h.AcceptToken("all", DefaultClient.ID, scopeV0All)
	h.token = "all"
	if got := h.send(http.MethodGet, path, ""); got.status != http.StatusOK {
		t.Errorf("with the one scope: %+v", got)
	}
}

// A token that stands for a device goes with the device in the body, which has to be the same.
func TestCAMARAV0TokenOfADevice(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{})
	h.tokens.add("of a line", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: camaraLine}, scopes: h.scopes()})
	h.tokens.add("of another", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: "+34600000011"}, scopes: h.scopes()})
	h.token = "of another"
	h.wantError(h.send(http.MethodPost, camaraV0Create, camaraBody(t, `{}`)), 403, "PERMISSION_DENIED")
	h.token = "of a line"
	path := camaraV0Create + "/" + h.createV0(`{}`).SessionID
	for _, token := range []string{"of another", "of a line"} {
		want := map[string]int{"of another": 403, "of a line": 204}[token]
		h.token = token
		if got := h.send(http.MethodDelete, path, ""); got.status != want {
			t.Errorf("%s: %+v", token, got)
		}
	}
}

func TestCAMARAV0Profiles(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{})
	for query, want := range map[string]int{"": 6, "?status=ACTIVE": 5, "?name=live-uplink": 1, "?name=live-uplink&status=ACTIVE": 1} {
		var found []camaraProfile
		h.decode(h.send(http.MethodGet, camaraV0Profiles+query, ""), &found)
		if len(found) != want {
			t.Errorf("%q: %+v", query, found)
		}
	}
	h.wantError(h.send(http.MethodGet, camaraV0Profiles+"?status=DEPRECATED", ""), 404, "NOT_FOUND")
	h.wantError(h.send(http.MethodGet, camaraV0Profiles+"/nobodys", ""), 404, "NOT_FOUND")
	var one camaraProfile
	h.decode(h.send(http.MethodGet, camaraV0Profiles+"/live-uplink", ""), &one)
	if *one.MaxDuration != (camaraQuantity{6, "Hours"}) {
		t.Errorf("read %+v", one)
	}
}

// Telefónica's rules, and the codes and members of its errors.
func TestCAMARAV0MockRules(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{MockRules: true})
	refused := func(body string, status int, code string) {
		t.Helper()
		got, err := h.do(t.Context(), http.MethodPost, camaraV0Create, body)
		if err != nil {
			t.Fatal(err)
		}
		h.wantError(got, status, code)
		if strings.Contains(got.body, "status") {
			t.Errorf("%s has a status", got.body)
		}
	}
	h.token = "mock_sandbox_access_token"
	refused(camaraBody(t, `{"device":{"phoneNumber":"+34600000019"}}`), 409, "CONFLICT")
	refused(camaraBody(t, `{"duration":0}`), 400, "INVALID_ARGUMENT")
	h.createV0(`{}`)
	h.token = "unheard of"
	refused(camaraBody(t, `{}`), 401, "UNAUTHORIZED")
	h.AcceptToken("reader", DefaultClient.ID, scopeV0Read)
	h.token = "reader"
	refused(camaraBody(t, `{}`), 403, "FORBIDDEN")
}

// A mock without a memory knows every id, and has no session.
func TestCAMARAV0Forgetful(t *testing.T) {
	t.Parallel()
	h := newV0Harness(t, Config{Forgetful: true, MockRules: true})
	for range 2 { // no conflict
		if made := h.createV0(`{}`); made.QoSStatus != StatusAvailable || made.Device.PhoneNumber != camaraLine || made.ExpiresAt-made.StartedAt != 3600 {
			t.Errorf("created %+v", made)
		}
	}
	h.clock.Advance(48 * time.Hour)
	if read := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodGet, noSession, "")); !strings.HasSuffix(noSession, read.SessionID) || read.QoSStatus != StatusAvailable {
		t.Errorf("read %+v", read)
	}
	if longer := sessionIn[camaraV0Session](h, http.StatusOK, h.send(http.MethodPost, noSession+"/extend", `{"requestedAdditionalDuration":60}`)); longer.Duration != 3660 {
		t.Errorf("extended %+v", longer)
	}
	if got := h.send(http.MethodDelete, noSession, ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %+v", got)
	}
	if got, err := h.do(t.Context(), http.MethodPost, camaraV0Create, camaraBody(t, `{"device":{"phoneNumber":"+34600000019"}}`)); err != nil || got.status != http.StatusConflict {
		t.Errorf("an identifier that ends in 9: %+v, %v", got, err)
	}
	if left := h.History(); len(left) != 0 {
		t.Errorf("it remembers %+v", left)
	}
}

func TestCAMARAV0Notifies(t *testing.T) {
	t.Parallel()
	received := make(chan string, 4)
	h := newV0Harness(t, Config{
		Provisioning: Instant,
		Webhooks: roundTripper(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			for _, d := range documentsFor(t, camaraV0Document()) {
				if err := d.checkEvent(r.Header.Get("Content-Type"), body); err != nil {
					t.Errorf("%s: the event %s breaks the document: %v", d, body, err)
				}
			}
			received <- r.URL.String() + " " + r.Header.Get("Authorization") + " " + string(body)
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, err
		}),
	})
	made := h.createV0(`{"webhook":{"notificationUrl":"https://hook.example/q","notificationAuthToken":"12345678901234567890"}}`)
	h.send(http.MethodDelete, camaraV0Create+"/"+made.SessionID, "")
	for _, want := range []string{`"qosStatus":"AVAILABLE"}`, `"qosStatus":"UNAVAILABLE","statusInfo":"DELETE_REQUESTED"}`} {
		got := <-received
		if !strings.HasPrefix(got, "https://hook.example/q Bearer 12345678901234567890 ") || !strings.Contains(got, want) ||
			!strings.Contains(got, `"type":"org.camaraproject.qod.v0.qos-status-changed"`) {
			t.Errorf("received %s, want %s", got, want)
		}
	}
}

// Each document of 0.10 finds what it forbids in a request or an answer.
func TestCAMARAV0DocumentsCanForbid(t *testing.T) {
	t.Parallel()
	for mock, refusal := range map[bool]string{false: `{"code":"CONFLICT","message":"No"}`, true: `{"status":409,"code":"CONFLICT","message":"No"}`} {
		h := newV0Harness(t, Config{MockRules: mock})
		shown := string(jsonAnswer(http.StatusCreated, camaraV0{h.Sandbox}.newInfo(h.Seed(Session{}))).body)
		for name, test := range map[string]struct {
			changes string // of a valid request; empty: the answer is judged
			status  int
			answer  string
			own     bool // the sandbox's document forbids it, too
		}{
			"an unknown member":          {changes: `{"sink":"https://hook.example"}`, own: true},
			"an address alone":           {changes: `{"device":{"ipv4Address":{"publicAddress":"198.51.100.1"}}}`, own: true},
			"a day and a second":         {changes: `{"duration":86401}`, own: true},
			"a short token":              {changes: `{"webhook":{"notificationUrl":"https://hook.example","notificationAuthToken":"short"}}`, own: true},
			"a time in words":            {status: 201, answer: strings.Replace(shown, `"startedAt":`, `"startedAt":"2026-11-30T12:00:00Z","x":`, 1), own: true},
			"a member of the answer":     {status: 201, answer: strings.Replace(shown, `"startedAt":`, `"statusInfo":"DURATION_EXPIRED","startedAt":`, 1), own: true},
			"no device":                  {status: 201, answer: strings.Replace(shown, `"device":`, `"webhook":`, 1), own: true},
			"the other document's 409":   {status: 409, answer: refusal},
			"a status that is not there": {status: 418, answer: `{"status":418,"code":"TEAPOT","message":"No"}`, own: true},
		} {
			sent := camaraBody(t, cmp.Or(test.changes, "{}"))
			c := h.route(h.request(t.Context(), http.MethodPost, camaraV0Create, sent))
			c.body = []byte(sent)
			e := Exchanged{Status: test.status, Header: http.Header{"Content-Type": {"application/json"}}, Received: []byte(test.answer)}
			for _, d := range documentsFor(t, c.route.document) {
				err := d.checkRequest(c)
				if test.changes == "" {
					if err != nil {
						t.Errorf("%s: %s: %v", name, d, err)
					}
					err = d.checkAnswer(c, e)
				}
				if forbids := (d.published || test.own) && (test.status < 400 || d.judges(h.Sandbox, c.op, test.status)); forbids && err == nil {
					t.Errorf("%s: %s allows it", name, d)
				}
			}
		}
	}
}
