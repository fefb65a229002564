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
			w := within(t, Config{})
			code := "NOT_FOUND"
			if test.status == http.StatusMethodNotAllowed {
				code = "METHOD_NOT_ALLOWED"
			}
			got := w.ask(test.method, test.path, "")
			w.refused(got, test.status, code)
			if allow := got.header.Get("Allow"); allow != test.allow {
				t.Errorf("Allow %q, want %q", allow, test.allow)
			}
			if w.Count(OpOther) != 1 {
				t.Error("it must be counted as other")
			}
		})
	}
}

func TestTokensAreNeeded(t *testing.T) {
	t.Parallel()
	w := within(t, Config{Clients: []ClientCredentials{{ID: "reader", Secret: "s"}}})
	w.AcceptToken("read", "reader", ScopeRead)
	w.AcceptToken("write", "reader", ScopeWrite)
	id := w.Seed(Session{}).ID
	path := pathSessions + "/" + id
	tests := []struct {
		method, path, body string
		authorization      string
		status             int
	}{
		{http.MethodGet, pathSessions, "", "", http.StatusUnauthorized},
		{http.MethodGet, path, "", "", http.StatusUnauthorized},
		{http.MethodPost, pathSessions, phone("+34600000001"), "", http.StatusUnauthorized},
		{http.MethodDelete, path, "", "", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer unknown", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer ", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Basic read", http.StatusUnauthorized},
		{http.MethodGet, pathSessions, "", "Bearer write", http.StatusForbidden},
		{http.MethodGet, path, "", "Bearer write", http.StatusForbidden},
		{http.MethodPost, pathSessions, phone("+34600000001"), "Bearer read", http.StatusForbidden},
		{http.MethodDelete, path, "", "Bearer read", http.StatusForbidden},
		{http.MethodGet, pathSessions, "", "Bearer read", http.StatusOK},
		{http.MethodGet, path, "", "Bearer read", http.StatusOK},
		{http.MethodPost, pathSessions, phone("+34600000001"), "Bearer write", http.StatusCreated},
		{http.MethodDelete, path, "", "Bearer write", http.StatusNoContent},
	}
	w.token = ""
	for _, test := range tests {
		before := len(w.Ledger())
		got := w.ask(test.method, test.path, test.body, "Authorization", test.authorization)
		if got.status != test.status {
			t.Errorf("%s %s with %q: status %d, want %d", test.method, test.path, test.authorization, got.status, test.status)
		}
		switch test.status {
		case http.StatusUnauthorized:
			w.refused(got, test.status, "UNAUTHENTICATED")
			if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("a 401 must say how to authenticate")
			}
		case http.StatusForbidden:
			if e := w.refused(got, test.status, "PERMISSION_DENIED"); !strings.Contains(e.Message, "qod:sessions:") {
				t.Errorf("%q does not name the scope", e.Message)
			}
		default:
			continue
		}
		if len(w.Ledger()) != before {
			t.Errorf("%s %s was refused and changed the network", test.method, test.path)
		}
	}
}

func TestEveryAnswerSaysTheSandboxsTimeAndTheCorrelator(t *testing.T) {
	t.Parallel()
	for _, socket := range []bool{false, true} {
		w := within(t, Config{})
		if socket {
			w, _ = listening(t, Config{})
		}
		w.Fail(Fault{Operation: OpRead, Effect: Status(http.StatusServiceUnavailable, "")})
		requests := [][3]string{
			{http.MethodPost, pathSessions, phone("+34600000001")},
			{http.MethodPost, pathSessions, phone("+34600000001")},
			{http.MethodPost, pathSessions, "{"},
			{http.MethodGet, pathSessions, ""},
			{http.MethodGet, pathSessions + "/x", ""},
			{http.MethodDelete, pathSessions + "/" + w.Seed(Session{}).ID, ""},
			{http.MethodGet, pathDiscovery, ""},
			{http.MethodPost, pathToken, ""},
			{http.MethodGet, "/nowhere", ""},
		}
		for _, request := range requests {
			got, err := w.try(t.Context(), request[0], request[1], request[2], "x-correlator", "c-"+request[1])
			if err != nil {
				t.Fatal(err)
			}
			if got.header.Get("X-Correlator") != "c-"+request[1] || got.header.Get("Date") != "Sun, 22 Nov 2026 12:00:00 GMT" {
				t.Errorf("%s %s: %v", request[0], request[1], got.header)
			}
		}
		w.clock.Advance(90 * time.Minute)
		got := w.ask(http.MethodGet, pathSessions, "")
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
	w := within(t, Config{})
	w.Echo(func(info map[string]any) {
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
	want(w.ask(http.MethodPost, pathSessions, phone("+34600000001")).body)
	session := w.Ledger()[0]
	want(w.ask(http.MethodGet, pathSessions+"/"+session.ID, "").body)
	want(w.ask(http.MethodGet, pathSessions, "").body)
	if session.Device.PhoneNumber != "+34600000001" {
		t.Error("an echo must not change the network")
	}
	w.Echo(nil)
	if got := w.look(session.ID); got.Device.PhoneNumber != "+34600000001" || got.Duration != 3600 {
		t.Errorf("still changed: %+v", got)
	}
}

func TestLatencyIsOfTheAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := within(t, Config{Latency: time.Second, Clock: realClock{}})
		took := func(method, path, body string) time.Duration {
			start := time.Now()
			w.ask(method, path, body)
			return time.Since(start)
		}
		if got := took(http.MethodPost, pathSessions, phone("+34600000001")); got != time.Second {
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
		"phone": phone("+34600000009"),
		"NAI":   `{"device":{"networkAccessIdentifier":"device-9"},"qosProfile":"QOS_E","duration":60}`,
		"IPv4":  `{"device":{"ipv4Address":{"publicAddress":"203.0.113.9"}},"qosProfile":"QOS_E","duration":60}`,
		"IPv6":  `{"device":{"ipv6Address":"2001:db8::9"},"qosProfile":"QOS_E","duration":60}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := within(t, Config{MockRules: true})
			w.token = "mock_sandbox_access_token"
			got := w.refused(w.ask(http.MethodPost, pathSessions, body), http.StatusConflict, "CONFLICT")
			if !strings.Contains(got.Message, "sandbox mock rule") {
				t.Errorf("%q does not say that it is a mock rule", got.Message)
			}
			w.reserve(phone("+34600000091"))
			if live := w.Ledger(); len(live) != 1 || live[0].ClientID != "mock_sandbox_app_id" {
				t.Errorf("ledger: %v", live)
			}

			plain := within(t, Config{})
			plain.reserve(body)
			plain.token = "mock_sandbox_access_token"
			plain.refused(plain.ask(http.MethodGet, pathSessions, ""), http.StatusUnauthorized, "UNAUTHENTICATED")
		})
	}
}
