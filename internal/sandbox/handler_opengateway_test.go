package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	const someID = "/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc"
	tests := map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"no such path":        {http.MethodGet, "/", http.StatusNotFound, ""},
		"without version":     {http.MethodGet, "/qod/sessions", http.StatusNotFound, ""},
		"trailing slash":      {http.MethodDelete, pathSessions + "/", http.StatusNotFound, ""},
		"too deep":            {http.MethodPost, pathSessions + someID + "/extend", http.StatusNotFound, ""},
		"doubled slash":       {http.MethodGet, "/v1//qod/sessions", http.StatusNotFound, ""},
		"no update":           {http.MethodPut, pathSessions + someID, http.StatusMethodNotAllowed, "DELETE, GET"},
		"no mass deletion":    {http.MethodDelete, pathSessions, http.StatusMethodNotAllowed, "GET, POST"},
		"tokens are posted":   {http.MethodGet, pathToken, http.StatusMethodNotAllowed, "POST"},
		"discovery is gotten": {http.MethodPost, pathDiscovery, http.StatusMethodNotAllowed, "GET"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			code := "NOT_FOUND"
			if test.status == http.StatusMethodNotAllowed {
				code = "METHOD_NOT_ALLOWED"
			}
			got := h.send(test.method, test.path, "")
			h.wantError(got, test.status, code)
			if allow := got.header.Get("Allow"); allow != test.allow {
				t.Errorf("Allow %q, want %q", allow, test.allow)
			}
			if h.Count(OpOther) != 1 {
				t.Error("it must be counted as other")
			}
		})
	}
}

func TestTokensAreNeeded(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Clients: []ClientCredentials{{ID: "reader", Secret: "s"}}})
	h.AcceptToken("read", "reader", ScopeRead)
	h.AcceptToken("write", "reader", ScopeWrite)
	id := h.Seed(Session{}).ID
	path := pathSessions + "/" + id
	tests := []struct {
		method, path, body string
		authorization      string
		status             int
	}{
		{http.MethodGet, pathSessions, "", "", http.StatusUnauthorized},
		{http.MethodGet, path, "", "", http.StatusUnauthorized},
		{http.MethodPost, pathSessions, createBody("+34600000001"), "", http.StatusUnauthorized},
		{http.MethodDelete, path, "", "", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer unknown", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer ", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Basic read", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer write", http.StatusForbidden},
		{http.MethodGet, path, "", "Bearer write", http.StatusForbidden},
		{http.MethodPost, pathSessions, createBody("+34600000001"), "Bearer read", http.StatusForbidden},
		{http.MethodDelete, path, "", "Bearer read", http.StatusForbidden},
		{http.MethodGet, pathSessions, "", "Bearer read", http.StatusOK},
		{http.MethodGet, path, "", "Bearer read", http.StatusOK},
		{http.MethodPost, pathSessions, createBody("+34600000001"), "Bearer write", http.StatusCreated},
		{http.MethodDelete, path, "", "Bearer write", http.StatusNoContent},
	}
	h.token = ""
	for _, test := range tests {
		before := len(h.Ledger())
		got := h.send(test.method, test.path, test.body, "Authorization", test.authorization)
		if got.status != test.status {
			t.Errorf("%s %s with %q: status %d, want %d", test.method, test.path, test.authorization, got.status, test.status)
		}
		switch test.status {
		case http.StatusUnauthorized:
			h.wantError(got, test.status, "UNAUTHENTICATED")
			if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("a 401 must say how to authenticate")
			}
		case http.StatusForbidden:
			if e := h.wantError(got, test.status, "PERMISSION_DENIED"); !strings.Contains(e.Message, "qod:sessions:") {
				t.Errorf("%q does not name the scope", e.Message)
			}
		default:
			continue
		}
		if len(h.Ledger()) != before {
			t.Errorf("%s %s was refused and changed the network", test.method, test.path)
		}
	}
}

func TestEveryAnswerSaysTheSandboxsTimeAndTheCorrelator(t *testing.T) {
	t.Parallel()
	for _, socket := range []bool{false, true} {
		h := newHarness(t, Config{})
		if socket {
			h, _ = newServerHarness(t, Config{})
		}
		h.Fail(Fault{Operation: OpRead, Effect: Status(http.StatusServiceUnavailable, "")})
		requests := [][3]string{
			{http.MethodPost, pathSessions, createBody("+34600000001")},
			{http.MethodPost, pathSessions, createBody("+34600000001")},
			{http.MethodPost, pathSessions, "{"},
			{http.MethodGet, pathSessions, ""},
			{http.MethodGet, pathSessions + "/x", ""},
			{http.MethodDelete, pathSessions + "/" + h.Seed(Session{}).ID, ""},
			{http.MethodGet, pathDiscovery, ""},
			{http.MethodPost, pathToken, ""},
			{http.MethodGet, "/nowhere", ""},
		}
		for _, request := range requests {
			got, err := h.do(t.Context(), request[0], request[1], request[2], "x-correlator", "c-"+request[1])
			if err != nil {
				t.Fatal(err)
			}
			if got.header.Get("X-Correlator") != "c-"+request[1] || got.header.Get("Date") != "Sun, 22 Nov 2026 12:00:00 GMT" {
				t.Errorf("%s %s: %v", request[0], request[1], got.header)
			}
		}
		h.clock.Advance(90 * time.Minute)
		got := h.send(http.MethodGet, pathSessions, "")
		if date := got.header.Get("Date"); date != "Sun, 22 Nov 2026 13:30:00 GMT" {
			t.Errorf("Date %s after an advance", date)
		}
		if _, ok := got.header["X-Correlator"]; ok {
			t.Error("there was no correlator to echo")
		}
	}
}

func TestEchoChangesEverySessionInfo(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Echo(func(info map[string]any) {
		delete(info, "duration")
		if device, ok := info["device"].(map[string]any); ok {
			device["phoneNumber"] = "+34700000000"
		}
	})
	want := func(got string) {
		t.Helper()
		if strings.Contains(got, "duration") || !strings.Contains(got, "+34700000000") {
			t.Errorf("not changed: %s", got)
		}
	}
	want(h.send(http.MethodPost, pathSessions, createBody("+34600000001")).body)
	session := h.Ledger()[0]
	want(h.send(http.MethodGet, pathSessions+"/"+session.ID, "").body)
	want(h.send(http.MethodGet, pathSessions, "").body)
	if session.Device.PhoneNumber != "+34600000001" {
		t.Error("an echo must not change the network")
	}
	h.Echo(nil)
	if got := h.readSession(session.ID); got.Device.PhoneNumber != "+34600000001" || got.Duration != 3600 {
		t.Errorf("still changed: %+v", got)
	}
}

func TestLatencyIsOfTheAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Latency: time.Second, Clock: realClock{}})
		took := func(method, path, body string) time.Duration {
			start := time.Now()
			h.send(method, path, body)
			return time.Since(start)
		}
		if got := took(http.MethodPost, pathSessions, createBody("+34600000001")); got != time.Second {
			t.Errorf("a creation took %v, want 1s", got)
		}
		if got := took(http.MethodGet, pathDiscovery, ""); got != 0 {
			t.Errorf("discovery took %v, want 0s", got)
		}
		if got := took(http.MethodPost, pathToken, ""); got != 0 {
			t.Errorf("a token took %v, want 0s", got)
		}
	})
}

func TestMockRules(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"phone": createBody("+34600000009"),
		"NAI":   `{"device":{"networkAccessIdentifier":"device-9"},"qosProfile":"QOS_E","duration":60}`,
		"IPv4":  `{"device":{"ipv4Address":{"publicAddress":"203.0.113.9"}},"qosProfile":"QOS_E","duration":60}`,
		"IPv6":  `{"device":{"ipv6Address":"2001:db8::9"},"qosProfile":"QOS_E","duration":60}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{MockRules: true})
			h.token = "mock_sandbox_access_token"
			got := h.wantError(h.send(http.MethodPost, pathSessions, body), http.StatusConflict, "CONFLICT")
			if !strings.Contains(got.Message, "sandbox mock rule") {
				t.Errorf("%q does not say that it is a mock rule", got.Message)
			}
			h.createSession(createBody("+34600000091"))
			if live := h.Ledger(); len(live) != 1 || live[0].ClientID != "mock_sandbox_app_id" {
				t.Errorf("ledger: %v", live)
			}

			withoutRules := newHarness(t, Config{})
			withoutRules.createSession(body)
			withoutRules.token = "mock_sandbox_access_token"
			withoutRules.wantError(withoutRules.send(http.MethodGet, pathSessions, ""), http.StatusUnauthorized, "UNAUTHENTICATED")
		})
	}
}
