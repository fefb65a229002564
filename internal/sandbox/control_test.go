package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// control sends a control request and returns the status and the response.
func control(t *testing.T, s *sandbox.Sandbox, method, verb, body string) (int, sandbox.ControlResponse) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, sandbox.PathControl+verb, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h := httptest.NewRecorder()
	s.Handler().ServeHTTP(h, r)
	var response sandbox.ControlResponse
	if h.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(h.Body.Bytes(), &response); err != nil {
			t.Fatalf("%s: %v", h.Body, err)
		}
	}
	return h.Code, response
}

func TestControl(t *testing.T) {
	t.Parallel()
	clock := sandbox.NewManualClock(time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC))
	s := sandbox.New(sandbox.Config{Clock: clock, Control: true})
	defer s.Close()
	one := s.Seed(sandbox.Session{CreatedAt: clock.Now().Add(-time.Minute), Device: sandbox.Device{PhoneNumber: "+34600000010"}, NotificationAuthToken: "secret-of-the-webhook"})
	two := s.Seed(sandbox.Session{Device: sandbox.Device{NetworkAccessIdentifier: "drone@example.com"}, Duration: 7200})

	status, response := control(t, s, http.MethodGet, "ledger", "")
	if status != 200 || len(response.Sessions) != 2 || response.Sessions[0].ID != one.ID || !response.Sessions[1].ExpiresAt.Equal(two.ExpiresAt) {
		t.Errorf("ledger: %d, %+v", status, response)
	}
	if encoded, _ := json.Marshal(response); bytes.Contains(encoded, []byte("secret-of-the-webhook")) {
		t.Error("the ledger shows the webhook's token")
	}

	for _, device := range []string{"+34600000010", two.ID} {
		if status, response := control(t, s, http.MethodPost, "revoke", `{"device":"`+device+`"}`); status != 200 || len(response.Sessions) != 1 || response.Sessions[0].Status != sandbox.StatusUnavailable {
			t.Errorf("revoke %s: %d, %+v", device, status, response)
		}
	}
	for _, session := range s.Ledger() {
		if session.Status != sandbox.StatusUnavailable {
			t.Errorf("%s is %s", session.ID, session.Status)
		}
	}

	before := clock.Now()
	if status, response := control(t, s, http.MethodPost, "advance", `{"by":"4h"}`); status != 200 || !response.Now.Equal(before.Add(4*time.Hour)) {
		t.Errorf("advance: %d, %+v", status, response)
	}
	if left := s.Ledger(); len(left) != 0 {
		t.Errorf("four hours later there still are %v", left)
	}
	if status, _ := control(t, s, http.MethodPost, "fail", `{"operation":"discovery","effect":"503","times":2}`); status != 200 {
		t.Errorf("fail: %d", status)
	}
	for _, want := range []int{503, 503, 200} {
		h := httptest.NewRecorder()
		s.Handler().ServeHTTP(h, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/.well-known/openid-configuration", nil))
		if h.Code != want {
			t.Errorf("discovery answered %d, want %d", h.Code, want)
		}
	}
	if n := len(s.Requests()); n != 3 {
		t.Errorf("%d requests are logged; control requests must not be", n)
	}
}

func TestControlOfTime(t *testing.T) {
	t.Parallel()
	start := time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)
	s := sandbox.New(sandbox.Config{Clock: sandbox.NewManualClock(start), Control: true})
	defer s.Close()
	s.Seed(sandbox.Session{Duration: 3600})
	if status, response := control(t, s, http.MethodGet, "clock", ""); status != 200 || !response.Now.Equal(start) {
		t.Errorf("clock: %d, %+v", status, response)
	}
	for _, to := range []string{"2028-02-29T22:14:59+01:00", "2028-02-29T21:14:59Z"} { // one instant: the second is no advance
		if status, response := control(t, s, http.MethodPost, "advance", `{"to":"`+to+`"}`); status != 200 || !response.Now.Equal(start.Add(time.Hour-time.Second)) {
			t.Errorf("advance to %s: %d, %+v", to, status, response)
		}
	}
	if len(s.Ledger()) != 1 {
		t.Error("the session has ended too early")
	}
	if status, _ := control(t, s, http.MethodPost, "advance", `{"to":"2028-02-29T21:15:00Z"}`); status != 200 || len(s.Ledger()) != 0 {
		t.Errorf("advance to the end: %d, %v", status, s.Ledger())
	}
}

func TestControlHeals(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Config{Control: true})
	defer s.Close()
	s.Fail(sandbox.Fault{Operation: sandbox.OpDiscovery, Times: -1, Effect: sandbox.Status(503, "")})
	if status, _ := control(t, s, http.MethodPost, "heal", `{}`); status != 200 {
		t.Errorf("heal: %d", status)
	}
	h := httptest.NewRecorder()
	s.Handler().ServeHTTP(h, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/.well-known/openid-configuration", nil))
	if h.Code != 200 {
		t.Errorf("discovery answered %d", h.Code)
	}
}

func TestRevokeByAddressAndPort(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Config{Control: true})
	defer s.Close()
	device := func(port *int) sandbox.Device {
		return sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: port}}
	}
	one := s.Seed(sandbox.Session{Device: device(new(5060))})
	s.Seed(sandbox.Session{Device: device(new(5061))})
	s.Seed(sandbox.Session{Device: device(nil)})
	s.Seed(sandbox.Session{})
	status, response := control(t, s, http.MethodPost, "revoke", `{"device":"203.0.113.7:5060"}`)
	if status != 200 || len(response.Sessions) != 1 || response.Sessions[0].ID != one.ID {
		t.Errorf("with the port: %d, %+v", status, response)
	}
	for _, name := range []string{"203.0.113.7:5062", "203.0.113.8:5060", "203.0.113.7:"} {
		if status, response := control(t, s, http.MethodPost, "revoke", `{"device":"`+name+`"}`); status != 400 {
			t.Errorf("%s: %+v", name, response)
		}
	}
	if status, response := control(t, s, http.MethodPost, "revoke", `{"device":"203.0.113.7"}`); status != 200 || len(response.Sessions) != 2 {
		t.Errorf("without a port: %d, %+v", status, response)
	}
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Config{Control: true})
	defer s.Close()
	for name, test := range map[string]struct{ method, verb, body, says string }{
		"no device":        {"POST", "revoke", `{"device":"+34600000010"}`, "no session"},
		"no name":          {"POST", "revoke", `{}`, "no session"},
		"no duration":      {"POST", "advance", `{"by":"soon"}`, "invalid duration"},
		"backwards":        {"POST", "advance", `{"by":"-1h"}`, "invalid duration"},
		"into the past":    {"POST", "advance", `{"to":"2020-02-29T20:15:00Z"}`, "cannot go back"},
		"no time":          {"POST", "advance", `{"to":"soon"}`, "not valid JSON"},
		"a real clock":     {"POST", "advance", `{"by":"1h"}`, "cannot be advanced"},
		"no operation":     {"POST", "fail", `{"operation":"update","effect":"503"}`, "unknown operation"},
		"not of this API":  {"POST", "fail", `{"operation":"extend","effect":"503"}`, `has no operation "extend": use create, read, list, delete, token, bc-authorize, discovery`},
		"any operation":    {"POST", "fail", `{"effect":"503"}`, "unknown operation"},
		"no effect":        {"POST", "fail", `{"operation":"create"}`, "unknown kind of failure"},
		"success":          {"POST", "fail", `{"operation":"create","effect":"200"}`, "use an HTTP status from 400 to 599"},
		"often":            {"POST", "fail", `{"operation":"create","effect":"503","times":-2}`, "is -2"},
		"no JSON":          {"POST", "fail", `create`, "not valid JSON"},
		"no such request":  {"POST", "explode", `{}`, "unknown request"},
		"the wrong method": {"DELETE", "ledger", `{}`, "unknown request"},
	} {
		if status, response := control(t, s, test.method, test.verb, test.body); status != 400 || !strings.Contains(response.Reason, test.says) {
			t.Errorf("%s: %d, %q, want %q", name, status, response.Reason, test.says)
		}
	}
	// A web page can send this without the browser asking first.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sandbox.PathControl+"fail", strings.NewReader(`{"operation":"create","effect":"503"}`))
	r.Header.Set("Content-Type", "text/plain")
	h := httptest.NewRecorder()
	s.Handler().ServeHTTP(h, r)
	if h.Code != 400 {
		t.Errorf("a control request that is not JSON was accepted: %d", h.Code)
	}
}

// A test's sandbox cannot be controlled by what it tests.
func TestControlIsOff(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Config{})
	defer s.Close()
	if status, response := control(t, s, http.MethodGet, "ledger", ""); status != 404 || response.Sessions != nil {
		t.Errorf("%d, %v", status, response)
	}
}

func TestParseEffect(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"400", "503", "599", "drop", "lose", "hang", "10s", "1m30s"} {
		if _, err := sandbox.ParseEffect(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "0", "200", "399", "600", "-503", "0s", "-1s", "explode"} {
		if _, err := sandbox.ParseEffect(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
