package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// These rows are the scenarios that CAMARA publishes with quality-on-demand, as far as they can be
// asked of a server. Every answer is held against the document; see harness.send.

const (
	camaraBase   = "/quality-on-demand/v1"
	camaraCreate = camaraBase + "/sessions"
	camaraList   = camaraBase + "/retrieve-sessions"
	camaraLine   = "+34600000010"
)

// camaraBody is a valid create request, with members replaced or, by null, left out.
func camaraBody(t *testing.T, changes string) string {
	t.Helper()
	body := map[string]any{}
	for _, text := range []string{
		`{"device":{"phoneNumber":"` + camaraLine + `"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","duration":3600}`,
		changes,
	} {
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range body {
		if value == nil {
			delete(body, name)
		}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func newCAMARAHarness(t *testing.T, c Config) *harness {
	t.Helper()
	c.API = CAMARAV1
	return newHarness(t, c)
}

// createCAMARA creates a session.
func (h *harness) createCAMARA(changes string) camaraV1Session {
	h.t.Helper()
	return h.camaraSession(http.StatusCreated, h.send(http.MethodPost, camaraCreate, camaraBody(h.t, changes)))
}

// camaraSession decodes an answer with one session.
func (h *harness) camaraSession(status int, got reply) camaraV1Session {
	h.t.Helper()
	if got.status != status {
		h.t.Fatalf("status %d, want %d: %s", got.status, status, got.body)
	}
	var s camaraV1Session
	h.decode(got, &s)
	return s
}

func TestCAMARAV1Refuses(t *testing.T) {
	t.Parallel()
	const one = `{"device":{"phoneNumber":"` + camaraLine + `"}}`
	tests := map[string]struct {
		path, changes string
		status        int
		code          string
	}{
		"no device":                {camaraCreate, `{"device":null}`, 422, "MISSING_IDENTIFIER"},
		"a network identifier":     {camaraCreate, `{"device":{"networkAccessIdentifier":"a@b.example"}}`, 422, "UNSUPPORTED_IDENTIFIER"},
		"an empty device":          {camaraCreate, `{"device":{}}`, 400, "INVALID_ARGUMENT"},
		"a national number":        {camaraCreate, `{"device":{"phoneNumber":"600000010"}}`, 400, "INVALID_ARGUMENT"},
		"an address alone":         {camaraCreate, `{"device":{"ipv4Address":{"publicAddress":"198.51.100.1"}}}`, 400, "INVALID_ARGUMENT"},
		"no server":                {camaraCreate, `{"applicationServer":null}`, 400, "INVALID_ARGUMENT"},
		"an empty server":          {camaraCreate, `{"applicationServer":{}}`, 400, "INVALID_ARGUMENT"},
		"empty device ports":       {camaraCreate, `{"devicePorts":{}}`, 400, "INVALID_ARGUMENT"},
		"empty server ports":       {camaraCreate, `{"applicationServerPorts":{}}`, 400, "INVALID_ARGUMENT"},
		"a list of no ports":       {camaraCreate, `{"devicePorts":{"ports":[]}}`, 400, "INVALID_ARGUMENT"},
		"port 0":                   {camaraCreate, `{"devicePorts":{"ports":[0]}}`, 400, "INVALID_ARGUMENT"},
		"port 65536":               {camaraCreate, `{"devicePorts":{"ports":[65536]}}`, 400, "INVALID_ARGUMENT"},
		"no duration":              {camaraCreate, `{"duration":null}`, 400, "INVALID_ARGUMENT"},
		"duration 0":               {camaraCreate, `{"duration":0}`, 400, "INVALID_ARGUMENT"},
		"too long for the profile": {camaraCreate, `{"qosProfile":"live-uplink","duration":21601}`, 400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"},
		"too short for it":         {camaraCreate, `{"qosProfile":"live-uplink","duration":59}`, 400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"},
		"an unknown profile":       {camaraCreate, `{"qosProfile":"nobodys"}`, 400, "INVALID_ARGUMENT"},
		"an inactive profile":      {camaraCreate, `{"qosProfile":"retired"}`, 422, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE"},
		"a sink over http":         {camaraCreate, `{"sink":"http://hook.example"}`, 400, "INVALID_ARGUMENT"},
		"an empty credential":      {camaraCreate, `{"sink":"https://hook.example","sinkCredential":{}}`, 400, "INVALID_ARGUMENT"},
		"a credential of no end":   {camaraCreate, `{"sink":"https://hook.example","sinkCredential":{"credentialType":"ACCESSTOKEN","accessToken":"t","accessTokenType":"bearer"}}`, 400, "INVALID_ARGUMENT"},
		"an unknown member":        {camaraCreate, `{"webhook":{}}`, 400, "INVALID_ARGUMENT"},
		"an unknown member below":  {camaraCreate, `{"device":{"phoneNumber":"` + camaraLine + `","imei":"1"}}`, 400, "INVALID_ARGUMENT"},
		"a list of nobody":         {camaraList, `{}`, 422, "MISSING_IDENTIFIER"},
		"an id that is no UUID":    {camaraCreate + "/1/extend", `{"requestedAdditionalDuration":1}`, 400, "INVALID_ARGUMENT"},
		"extended by nothing":      {camaraCreate + "/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc/extend", `{}`, 400, "INVALID_ARGUMENT"},
		"extended without session": {camaraCreate + "/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc/extend", `{"requestedAdditionalDuration":1}`, 404, "NOT_FOUND"},
		"no such profile":          {ProfilesPath + "/retrieve-qos-profiles", `{"status":"GOOD"}`, 400, "INVALID_ARGUMENT"},
		"a list of another name":   {camaraBase + "/sessions/", one, 404, "NOT_FOUND"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newCAMARAHarness(t, Config{})
			body := test.changes
			if test.path == camaraCreate {
				body = camaraBody(t, test.changes)
			}
			h.wantError(h.send(http.MethodPost, test.path, body), test.status, test.code)
			if left := h.Ledger(); len(left) != 0 {
				t.Errorf("it was refused and reserved: %+v", left)
			}
		})
	}
}

func TestCAMARAV1Life(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{Provisioning: time.Second})
	made := h.createCAMARA(`{"devicePorts":{"ranges":[{"from":5000,"to":5010}]},"applicationServerPorts":{"ports":[443]},"sink":"https://hook.example/x"}`)
	switch {
	case made.QoSStatus != StatusRequested || made.StartedAt != nil || made.ExpiresAt != nil || made.StatusInfo != "":
		t.Errorf("created %+v", made)
	case made.Device.PhoneNumber != camaraLine || made.ApplicationServer.IPv4Address != "198.51.100.0/24" || made.Sink != "https://hook.example/x":
		t.Errorf("the answer does not show what was asked for: %+v", made)
	case made.DevicePorts.Ranges[0].To != 5010 || made.ApplicationServerPorts.Ports[0] != 443:
		t.Errorf("ports %+v, %+v", made.DevicePorts, made.ApplicationServerPorts)
	}
	path := camaraCreate + "/" + made.SessionID
	h.wantError(h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":60}`), 409, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED")

	h.clock.Advance(time.Second)
	live := h.camaraSession(http.StatusOK, h.send(http.MethodGet, path, ""))
	if live.QoSStatus != StatusAvailable || live.StartedAt != timestamp(noon.Add(time.Second)) || live.ExpiresAt != timestamp(noon.Add(time.Hour+time.Second)) {
		t.Errorf("read %+v", live)
	}
	longer := h.camaraSession(http.StatusOK, h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":600}`))
	if longer.Duration != 4200 || longer.ExpiresAt != timestamp(noon.Add(70*time.Minute+time.Second)) {
		t.Errorf("extended to %+v", longer)
	}

	h.clock.Advance(10*time.Minute - time.Second)
	h.Revoke(made.SessionID)
	dead := h.camaraSession(http.StatusOK, h.send(http.MethodGet, path, ""))
	if dead.QoSStatus != StatusUnavailable || dead.StatusInfo != causeTerminated || dead.Duration != 599 || dead.ExpiresAt != timestamp(noon.Add(10*time.Minute)) {
		t.Errorf("ended: %+v", dead)
	}
	h.wantError(h.send(http.MethodPost, path+"/extend", `{"requestedAdditionalDuration":60}`), 409, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED")
	if got := h.send(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %+v", got)
	}
	h.wantError(h.send(http.MethodGet, path, ""), 404, "NOT_FOUND")
	h.wantError(h.send(http.MethodDelete, path, ""), 404, "NOT_FOUND")
}

// The rule of the document limits a whole session to the profile's longest duration; some gateways
// limit what remains of it.
func TestCAMARAV1LimitsExtensions(t *testing.T) {
	t.Parallel()
	for remaining, want := range map[bool]time.Duration{false: 6 * time.Hour, true: 7 * time.Hour} {
		h := newCAMARAHarness(t, Config{Provisioning: Instant, ExtendRemaining: remaining})
		made := h.createCAMARA(`{"qosProfile":"live-uplink"}`)
		h.clock.Advance(time.Hour - time.Minute)
		path := camaraCreate + "/" + made.SessionID + "/extend"
		longer := h.camaraSession(http.StatusOK, h.send(http.MethodPost, path, `{"requestedAdditionalDuration":86400}`))
		if remaining {
			want -= time.Minute
		}
		if longer.Duration != int(want/time.Second) {
			t.Errorf("remaining %t: %d s, want %v", remaining, longer.Duration, want)
		}
	}
}

// Sessions of one device for different flows live side by side.
func TestCAMARAV1ConflictsAreOfFlows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changes string
		status  int
	}{
		"the same":         {`{}`, 409},
		"within":           {`{"applicationServer":{"ipv4Address":"198.51.100.7"}}`, 409},
		"everything":       {`{"applicationServer":{"ipv4Address":"0.0.0.0/0"}}`, 409},
		"another server":   {`{"applicationServer":{"ipv4Address":"203.0.113.0/24"}}`, 201},
		"the other family": {`{"applicationServer":{"ipv6Address":"2001:db8::/32"}}`, 201},
		"other ports":      {`{"applicationServerPorts":{"ports":[81]}}`, 201},
		"a range with it":  {`{"applicationServerPorts":{"ranges":[{"from":1,"to":443}]}}`, 409},
		"other own ports":  {`{"devicePorts":{"ports":[6000]},"applicationServerPorts":{"ports":[443]}}`, 201},
		"another device":   {`{"device":{"phoneNumber":"+34600000011"}}`, 201},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newCAMARAHarness(t, Config{})
			h.createCAMARA(`{"devicePorts":{"ports":[5000]},"applicationServerPorts":{"ports":[443]}}`)
			got := h.send(http.MethodPost, camaraCreate, camaraBody(t, test.changes))
			if got.status != test.status {
				t.Errorf("%d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestCAMARAV1ListsByDevice(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{})
	h.createCAMARA(`{}`)
	h.createCAMARA(`{"applicationServer":{"ipv4Address":"203.0.113.1"}}`)
	h.createCAMARA(`{"device":{"phoneNumber":"+34600000011"}}`)
	h.asClient("somebody").createCAMARA(`{"applicationServer":{"ipv4Address":"192.0.2.1"}}`)
	for line, want := range map[string]int{camaraLine: 2, "+34600000011": 1, "+34600000012": 0} {
		got := h.send(http.MethodPost, camaraList, `{"device":{"phoneNumber":"`+line+`"}}`)
		var found []camaraV1Session
		h.decode(got, &found)
		if found == nil || len(found) != want {
			t.Errorf("%s: %s", line, got.body)
		}
	}
	h.wantError(h.send(http.MethodGet, camaraCreate, ""), 405, "METHOD_NOT_ALLOWED")
}

// A token that stands for a device takes the place of the device in the body.
func TestCAMARAV1TokenOfADevice(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{})
	h.tokens.add("of a line", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: camaraLine}, scopes: h.scopes()})
	h.tokens.add("of another", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: "+34600000011"}, scopes: h.scopes()})
	h.token = "of a line"
	made := h.createCAMARA(`{"device":null}`)
	path := camaraCreate + "/" + made.SessionID
	h.wantError(h.send(http.MethodPost, camaraCreate, camaraBody(t, `{}`)), 422, "UNNECESSARY_IDENTIFIER")
	h.wantError(h.send(http.MethodPost, camaraList, `{"device":{"phoneNumber":"`+camaraLine+`"}}`), 422, "UNNECESSARY_IDENTIFIER")
	if got := h.send(http.MethodPost, camaraList, `{}`); !strings.Contains(got.body, made.SessionID) {
		t.Errorf("listed %s", got.body)
	}
	if live := h.Ledger(); live[0].Device.PhoneNumber != camaraLine {
		t.Errorf("ledger %+v", live)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		h.token = "of another"
		h.wantError(h.send(method, path, ""), 403, "PERMISSION_DENIED")
		h.wantError(h.asClient("somebody").send(method, path, ""), 403, "PERMISSION_DENIED")
	}
	h.token = "of a line"
	if got := h.send(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %+v", got)
	}
}

func TestCAMARAV1Scopes(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{})
	path := camaraCreate + "/" + h.createCAMARA(`{}`).SessionID
	for _, test := range []struct{ method, path, body, scope string }{
		{http.MethodPost, camaraCreate, camaraBody(t, `{}`), scopeCreate},
		{http.MethodGet, path, "", scopeReadSession},
		{http.MethodDelete, path, "", scopeDelete},
		{http.MethodPost, path + "/extend", `{"requestedAdditionalDuration":60}`, scopeUpdate},
		{http.MethodPost, camaraList, `{}`, scopeRetrieveByDevice},
		{http.MethodPost, ProfilesPath + "/retrieve-qos-profiles", `{}`, scopeProfiles},
		{http.MethodGet, ProfilesPath + "/qos-profiles/QOS_E", "", scopeProfiles},
	} {
		var others []string
		for _, scope := range h.scopes() {
			if scope != test.scope {
				others = append(others, scope)
			}
		}
		h.AcceptToken("others", DefaultClient.ID, others...)
		h.token = "others"
		h.wantError(h.send(test.method, test.path, test.body), 403, "PERMISSION_DENIED")
	}
}

func TestCAMARAV1Deviations(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{Provisioning: Instant, EpochTimes: true, OmitDevice: true, CreateStatus: http.StatusAccepted})
	got, err := h.do(t.Context(), http.MethodPost, camaraCreate, camaraBody(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	made := h.camaraSession(http.StatusAccepted, got)
	if made.Device != nil || made.StartedAt != float64(noon.Unix()) {
		t.Errorf("created %+v", made)
	}
}

func TestCAMARAV1Profiles(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{})
	var found []camaraProfile
	h.decode(h.send(http.MethodPost, ProfilesPath+"/retrieve-qos-profiles", `{"status":"ACTIVE"}`), &found)
	if len(found) != len(camaraV1Definition.profiles)-2 {
		t.Errorf("active: %+v", found)
	}
	var one camaraProfile
	h.decode(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/live-uplink", ""), &one)
	if *one.MaxDuration != (camaraQuantity{6, "Hours"}) || *one.MinDuration != (camaraQuantity{1, "Minutes"}) || one.MaxUpstreamRate.Unit != "Mbps" {
		t.Errorf("read %+v", one)
	}
	h.wantError(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/nobodys", ""), 404, "NOT_FOUND")
}

// roundTripper is a receiver of notifications.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCAMARAV1Notifies(t *testing.T) {
	t.Parallel()
	received := make(chan string, 4)
	h := newCAMARAHarness(t, Config{
		Provisioning: Instant,
		Webhooks: roundTripper(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			received <- r.URL.String() + " " + r.Header.Get("Authorization") + " " + string(body)
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, err
		}),
	})
	sink := func(expires time.Time) string {
		return `{"sink":"https://hook.example/q","sinkCredential":{"credentialType":"ACCESSTOKEN","accessTokenType":"bearer",` +
			`"accessToken":"the token","accessTokenExpiresUtc":"` + expires.Format(time.RFC3339) + `"}}`
	}
	made := h.createCAMARA(sink(noon.Add(time.Hour)))
	h.send(http.MethodDelete, camaraCreate+"/"+made.SessionID, "")
	for _, want := range []string{`"qosStatus":"AVAILABLE"}`, `"qosStatus":"UNAVAILABLE","statusInfo":"DELETE_REQUESTED"}`} {
		got := <-received
		if !strings.HasPrefix(got, "https://hook.example/q Bearer the token ") || !strings.Contains(got, want) ||
			!strings.Contains(got, `"type":"org.camaraproject.quality-on-demand.v1.qos-status-changed"`) {
			t.Errorf("received %s, want %s", got, want)
		}
	}
	h.createCAMARA(sink(noon)) // whose token has expired
	if sent := h.Deliveries(); len(sent) != 2 {
		t.Errorf("notified with an expired token: %+v", sent)
	}
}
