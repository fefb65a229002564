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
	var outcome sandbox.ControlResponse
	if h.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(h.Body.Bytes(), &outcome); err != nil {
			t.Fatalf("%s: %v", h.Body, err)
		}
	}
	return h.Code, outcome
}

func TestControl(t *testing.T) {
	t.Parallel()
	clock := sandbox.NewManualClock(time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC))
	s := sandbox.New(sandbox.Config{Clock: clock, Control: true})
	defer s.Close()
	one := s.Seed(sandbox.Session{CreatedAt: clock.Now().Add(-time.Minute), Device: sandbox.Device{PhoneNumber: "+34600000010"}, NotificationAuthToken: "secret-of-the-webhook"})
	two := s.Seed(sandbox.Session{Device: sandbox.Device{NetworkAccessIdentifier: "drone@example.com"}, Duration: 7200})

	status, outcome := control(t, s, http.MethodGet, "ledger", "")
	if status != 200 || len(outcome.Sessions) != 2 || outcome.Sessions[0].ID != one.ID || !outcome.Sessions[1].ExpiresAt.Equal(two.ExpiresAt) {
		t.Errorf("ledger: %d, %+v", status, outcome)
	}
	if encoded, _ := json.Marshal(outcome); bytes.Contains(encoded, []byte("secret-of-the-webhook")) {
		t.Error("the ledger shows the webhook's token")
	}

	for _, device := range []string{"+34600000010", two.ID} {
		if status, outcome := control(t, s, http.MethodPost, "revoke", `{"device":"`+device+`"}`); status != 200 || len(outcome.Sessions) != 1 || outcome.Sessions[0].Status != sandbox.StatusUnavailable {
			t.Errorf("revoke %s: %d, %+v", device, status, outcome)
		}
	}
	for _, session := range s.Ledger() {
		if session.Status != sandbox.StatusUnavailable {
			t.Errorf("%s is %s", session.ID, session.Status)
		}
	}

	before := clock.Now()
	if status, outcome := control(t, s, http.MethodPost, "advance", `{"by":"4h"}`); status != 200 || !outcome.Now.Equal(before.Add(4*time.Hour)) {
		t.Errorf("advance: %d, %+v", status, outcome)
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
		t.Errorf("%d requests are on record; orders are none", n)
	}
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Config{Control: true})
	defer s.Close()
	for name, test := range map[string]struct{ method, verb, body, says string }{
		"no device":         {"POST", "revoke", `{"device":"+34600000010"}`, "no session"},
		"no name":           {"POST", "revoke", `{}`, "no session"},
		"no duration":       {"POST", "advance", `{"by":"soon"}`, "invalid duration"},
		"backwards":         {"POST", "advance", `{"by":"-1h"}`, "invalid duration"},
		"a clock that runs": {"POST", "advance", `{"by":"1h"}`, "cannot be advanced"},
		"no operation":      {"POST", "fail", `{"operation":"update","effect":"503"}`, "unknown operation"},
		"any operation":     {"POST", "fail", `{"effect":"503"}`, "unknown operation"},
		"no effect":         {"POST", "fail", `{"operation":"create"}`, "unknown kind of failure"},
		"success":           {"POST", "fail", `{"operation":"create","effect":"200"}`, "use an HTTP status from 400 to 599"},
		"often":             {"POST", "fail", `{"operation":"create","effect":"503","times":-2}`, "is -2"},
		"no JSON":           {"POST", "fail", `create`, "not valid JSON"},
		"no order":          {"POST", "explode", `{}`, "unknown order"},
		"the wrong method":  {"DELETE", "ledger", `{}`, "unknown order"},
	} {
		if status, outcome := control(t, s, test.method, test.verb, test.body); status != 400 || !strings.Contains(outcome.Reason, test.says) {
			t.Errorf("%s: %d, %q, want %q", name, status, outcome.Reason, test.says)
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
	if status, outcome := control(t, s, http.MethodGet, "ledger", ""); status != 404 || outcome.Sessions != nil {
		t.Errorf("%d, %v", status, outcome)
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
