package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// pathSessions is where the default API has its sessions.
const pathSessions = "/v1/qod/sessions"

// noon is a whole second, because some times have no fractions.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// harness is a sandbox with a clock that stands still, and a client that validates every answer
// against the API document.
type harness struct {
	t *testing.T
	*Sandbox
	clock *ManualClock
	token string
	to    http.RoundTripper
	base  string
}

// newHarness returns a harness whose client reaches the sandbox in memory.
func newHarness(t *testing.T, c Config) *harness {
	t.Helper()
	clock := NewManualClock(noon)
	if c.Clock == nil {
		c.Clock = clock
	}
	s := New(c)
	t.Cleanup(s.Close)
	return harnessOf(t, s, clock, s.RoundTripper(), "http://gateway.example")
}

// newServerHarness returns a harness whose client uses sockets.
func newServerHarness(t *testing.T, c Config) (*harness, *Server) {
	t.Helper()
	clock := NewManualClock(noon)
	if c.Clock == nil {
		c.Clock = clock
	}
	server := Start(t, c)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return harnessOf(t, server.Sandbox, clock, transport, server.URL()), server
}

func harnessOf(t *testing.T, s *Sandbox, clock *ManualClock, to http.RoundTripper, base string) *harness {
	s.AcceptToken("a-good-token", DefaultClient.ID)
	return &harness{t: t, Sandbox: s, clock: clock, token: "a-good-token", to: to, base: base}
}

// asClient returns the same harness with the token of another OAuth client.
func (h *harness) asClient(client string) *harness {
	other := *h
	other.token = "token-of-" + client
	h.AcceptToken(other.token, client)
	return &other
}

type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request. It fails the test unless the API document allows the answer.
func (h *harness) send(method, path, body string, header ...string) reply {
	h.t.Helper()
	got, err := h.do(h.t.Context(), method, path, body, header...)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	h.check(method, path, body, got, header...)
	return got
}

func (h *harness) request(ctx context.Context, method, path, body string, header ...string) *http.Request {
	h.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, h.base+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	return request
}

func (h *harness) do(ctx context.Context, method, path, body string, header ...string) (reply, error) {
	h.t.Helper()
	request := h.request(ctx, method, path, body, header...)
	response, err := h.to.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 2<<20))
	return reply{response.StatusCode, response.Header, string(content)}, err
}

// check fails the test unless the API's documents allow what was sent and received.
func (h *harness) check(method, path, body string, got reply, header ...string) {
	h.t.Helper()
	request := h.request(context.Background(), method, path, body, header...)
	h.CheckExchange(h.t, Exchanged{Request: request, Sent: []byte(body), Status: got.status, Header: got.header, Received: []byte(got.body)}, false)
	if got.status >= 400 && h.route(request).ofAPI() { // the default API's document does not define a body for all of them
		var e errorResponse
		h.decode(got, &e)
		if e.Status != got.status || e.Code == "" || e.Message == "" {
			h.t.Errorf("%s %s: %d with an incomplete ErrorResponse: %s", method, path, got.status, got.body)
		}
	}
}

type errorResponse struct {
	Status  int
	Code    string
	Message string
}

func (h *harness) decode(got reply, into any) {
	h.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(got.body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		h.t.Fatalf("the answer %q: %v", got.body, err)
	}
}

// wantError asserts an ErrorResponse.
func (h *harness) wantError(got reply, status int, code string) errorResponse {
	h.t.Helper()
	if got.status != status {
		h.t.Fatalf("status %d, want %d: %s", got.status, status, got.body)
	}
	var e errorResponse
	h.decode(got, &e)
	if e.Code != code {
		h.t.Errorf("code %q, want %q", e.Code, code)
	}
	return e
}

// createBody is the body of a valid create request.
func createBody(number string) string {
	return `{"device":{"phoneNumber":"` + number + `"},"qosProfile":"QOS_E","duration":3600}`
}

// createSession creates a session.
func (h *harness) createSession(body string) sessionInfo {
	h.t.Helper()
	got := h.send(http.MethodPost, pathSessions, body)
	if got.status != http.StatusCreated {
		h.t.Fatalf("status %d, want 201: %s", got.status, got.body)
	}
	var info sessionInfo
	h.decode(got, &info)
	return info
}

// readSession reads a session that must exist.
func (h *harness) readSession(id string) sessionInfo {
	h.t.Helper()
	got := h.send(http.MethodGet, pathSessions+"/"+id, "")
	if got.status != http.StatusOK {
		h.t.Fatalf("status %d, want 200: %s", got.status, got.body)
	}
	var info sessionInfo
	h.decode(got, &info)
	return info
}

func (h *harness) wantGone(id string) {
	h.t.Helper()
	h.wantError(h.send(http.MethodGet, pathSessions+"/"+id, ""), http.StatusNotFound, "NOT_FOUND")
}

func (h *harness) listSessions() []sessionInfo {
	h.t.Helper()
	got := h.send(http.MethodGet, pathSessions, "")
	var infos []sessionInfo
	h.decode(got, &infos)
	return infos
}
