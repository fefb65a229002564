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

	"github.com/getkin/kin-openapi/openapi3filter"
)

// noon is a whole second, as tests of times like it.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is a sandbox whose time stands still, and a client of it that holds
// every answer against the API document.
type world struct {
	t *testing.T
	*Sandbox
	clock *ManualClock
	token string
	to    http.RoundTripper
	base  string
}

// within makes a world in memory.
func within(t *testing.T, c Config) *world {
	t.Helper()
	clock := NewManualClock(noon)
	if c.Clock == nil {
		c.Clock = clock
	}
	s := New(c)
	t.Cleanup(s.Close)
	return inhabited(t, s, clock, s.RoundTripper(), "http://gateway.example")
}

// listening makes a world behind a socket, for what only sockets show.
func listening(t *testing.T, c Config) (*world, *Server) {
	t.Helper()
	clock := NewManualClock(noon)
	if c.Clock == nil {
		c.Clock = clock
	}
	server := Start(t, c)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return inhabited(t, server.Sandbox, clock, transport, server.URL()), server
}

func inhabited(t *testing.T, s *Sandbox, clock *ManualClock, to http.RoundTripper, base string) *world {
	s.AcceptToken("a-good-token", DefaultClient.ID)
	return &world{t: t, Sandbox: s, clock: clock, token: "a-good-token", to: to, base: base}
}

// as is the same world seen by another client.
func (w *world) as(client string) *world {
	other := *w
	other.token = "token-of-" + client
	w.AcceptToken(other.token, client)
	return &other
}

type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request and fails the test unless an answer comes back that the
// API document allows.
func (w *world) ask(method, path, body string, header ...string) reply {
	w.t.Helper()
	got, err := w.try(w.t.Context(), method, path, body, header...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	w.audit(method, path, got)
	return got
}

func (w *world) try(ctx context.Context, method, path, body string, header ...string) (reply, error) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := w.to.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 2<<20))
	return reply{response.StatusCode, response.Header, string(content)}, err
}

// audit holds an answer of the API against the document.
func (w *world) audit(method, path string, got reply) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://gateway.example"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := classify(request)
	if c.scope() == "" {
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: judged(c), Status: got.status, Header: got.header, Options: rules(),
	}
	input.SetBodyBytes([]byte(got.body))
	if err := openapi3filter.ValidateResponse(w.t.Context(), input); err != nil {
		w.t.Errorf("the answer to %s %s breaks the document: %v", method, path, err)
	}
	if got.status >= 400 { // not all of them have a body in the document; ours do
		var e errorResponse
		w.decode(got, &e)
		if e.Status != got.status || e.Code == "" || e.Message == "" {
			w.t.Errorf("%s %s: %d with an incomplete ErrorResponse: %s", method, path, got.status, got.body)
		}
	}
}

type errorResponse struct {
	Status  int
	Code    string
	Message string
}

func (w *world) decode(got reply, into any) {
	w.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(got.body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		w.t.Fatalf("the answer %q: %v", got.body, err)
	}
}

// refused asserts an ErrorResponse.
func (w *world) refused(got reply, status int, code string) errorResponse {
	w.t.Helper()
	if got.status != status {
		w.t.Fatalf("status %d, want %d: %s", got.status, status, got.body)
	}
	var e errorResponse
	w.decode(got, &e)
	if e.Code != code {
		w.t.Errorf("code %q, want %q", e.Code, code)
	}
	return e
}

// phone is a valid creation for a line.
func phone(number string) string {
	return `{"device":{"phoneNumber":"` + number + `"},"qosProfile":"QOS_E","duration":3600}`
}

// reserve creates a session.
func (w *world) reserve(body string) sessionInfo {
	w.t.Helper()
	got := w.ask(http.MethodPost, pathSessions, body)
	if got.status != http.StatusCreated {
		w.t.Fatalf("status %d, want 201: %s", got.status, got.body)
	}
	var info sessionInfo
	w.decode(got, &info)
	return info
}

// look reads a session that must be there.
func (w *world) look(id string) sessionInfo {
	w.t.Helper()
	got := w.ask(http.MethodGet, pathSessions+"/"+id, "")
	if got.status != http.StatusOK {
		w.t.Fatalf("status %d, want 200: %s", got.status, got.body)
	}
	var info sessionInfo
	w.decode(got, &info)
	return info
}

func (w *world) gone(id string) {
	w.t.Helper()
	w.refused(w.ask(http.MethodGet, pathSessions+"/"+id, ""), http.StatusNotFound, "NOT_FOUND")
}

func (w *world) listed() []sessionInfo {
	w.t.Helper()
	got := w.ask(http.MethodGet, pathSessions, "")
	var infos []sessionInfo
	w.decode(got, &infos)
	return infos
}
