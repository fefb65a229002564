package sandbox

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

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
	return sessionIn[camaraV1Session](h, http.StatusCreated, h.send(http.MethodPost, camaraCreate, camaraBody(h.t, changes)))
}

// sessionIn decodes an answer with one session, as an API has it.
func sessionIn[S any](h *harness, status int, got reply) S {
	h.t.Helper()
	if got.status != status {
		h.t.Fatalf("status %d, want %d: %s", got.status, status, got.body)
	}
	var s S
	h.decode(got, &s)
	return s
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
		longer := sessionIn[camaraV1Session](h, http.StatusOK, h.send(http.MethodPost, path, `{"requestedAdditionalDuration":86400}`))
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

func TestCAMARAV1Deviations(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{Provisioning: Instant, EpochTimes: true, OmitDevice: true, CreateStatus: http.StatusAccepted})
	got, err := h.do(t.Context(), http.MethodPost, camaraCreate, camaraBody(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	made := sessionIn[camaraV1Session](h, http.StatusAccepted, got)
	if made.Device != nil || made.StartedAt != float64(noon.Unix()) {
		t.Errorf("created %+v", made)
	}
}
