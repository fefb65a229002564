package tlsserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox/tlsserver"
)

const token = "a-good-token"

// client returns a client that trusts the server.
func client(t *testing.T, s *tlsserver.Server) *http.Client {
	s.AcceptToken(token, sandbox.DefaultClient.ID)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: tlsserver.CertPool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

type reply struct {
	proto  string
	status int
	header http.Header
	body   string
}

// send sends a request. Unless it is repeatable, its body cannot be read again, so that net/http
// does not resend it.
func send(ctx context.Context, c *http.Client, method, url, body string, repeatable bool) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if !repeatable {
		request.GetBody = nil
	}
	if body == "" {
		request.Body = nil
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return reply{response.Proto, response.StatusCode, response.Header, string(content)}, err
}

func create(n int) string {
	return `{"device":{"phoneNumber":"+3460000` + strconv.Itoa(1000+n) + `"},"qosProfile":"QOS_E","duration":3600}`
}

func TestServes(t *testing.T) {
	t.Parallel()
	servers := map[string]func(testing.TB, sandbox.Config) *tlsserver.Server{
		"HTTP/2.0": tlsserver.Start, "HTTP/1.1": tlsserver.StartHTTP1,
	}
	for proto, start := range servers {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := start(t, sandbox.Config{Provisioning: sandbox.Instant})
			c := client(t, s)
			sessions := s.Endpoint() + "/qod/sessions"
			request := func(method, url, body string, status int) reply {
				t.Helper()
				got, err := send(t.Context(), c, method, url, body, true)
				if err != nil || got.proto != proto || got.status != status {
					t.Fatalf("%s: %+v, %v", method, got, err)
				}
				return got
			}
			var session struct{ SessionID string }
			if err := json.Unmarshal([]byte(request("POST", sessions, create(1), 201).body), &session); err != nil {
				t.Fatal(err)
			}
			if got := request("GET", sessions+"?page=1", "", 200); !strings.Contains(got.body, session.SessionID) || got.header.Get("Date") == "" {
				t.Errorf("the list: %+v", got)
			}
			request("GET", sessions+"/"+session.SessionID, "", 200)
			if got := request("DELETE", sessions+"/"+session.SessionID, "", 204); got.body != "" {
				t.Errorf("204 with a body: %q", got.body)
			}
			if got := request("GET", s.URL()+"/.well-known/openid-configuration", "", 200); !strings.Contains(got.body, `"`+s.TokenURL()+`"`) {
				t.Errorf("discovery: %s", got.body)
			}
			request("POST", sessions, strings.Repeat(" ", 900_000)+create(2), 201) // more than a window
			for range 300 {
				s.Seed(sandbox.Session{})
			}
			if got := request("GET", sessions, "", 200); strings.Count(got.body, "sessionId") != 301 { // more than a frame
				t.Errorf("an answer of %d bytes", len(got.body))
			}
			s.Fail(sandbox.Fault{Effect: sandbox.Truncate(20)})
			if got, err := send(t.Context(), c, "GET", sessions, "", false); err == nil || len(got.body) > 20 {
				t.Errorf("a truncated answer: %+v, %v", got, err)
			}
			remotes := map[string]bool{}
			for _, r := range s.Requests() {
				remotes[r.Remote] = true
			}
			if proto == "HTTP/2.0" && len(remotes) != 1 {
				t.Errorf("%d connections, want one", len(remotes))
			}
		})
	}
}

func TestServesManyAtOnce(t *testing.T) {
	t.Parallel()
	s := tlsserver.Start(t, sandbox.Config{})
	c := client(t, s)
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			got, err := send(t.Context(), c, "POST", s.Endpoint()+"/qod/sessions", create(n), true)
			if err != nil || got.status != 201 || !strings.Contains(got.body, strconv.Itoa(1000+n)) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

func TestStreamFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect sandbox.Effect
		err    string // what it contains
		live   int    // sessions
	}{
		"PROTOCOL_ERROR before":   {sandbox.ResetStreamBeforeCommit(sandbox.StreamProtocolError), "PROTOCOL_ERROR", 0},
		"PROTOCOL_ERROR after":    {sandbox.ResetStreamAfterCommit(sandbox.StreamProtocolError), "PROTOCOL_ERROR", 1},
		"REFUSED_STREAM before":   {sandbox.ResetStreamBeforeCommit(sandbox.StreamRefused), "REFUSED_STREAM", 0},
		"REFUSED_STREAM after":    {sandbox.ResetStreamAfterCommit(sandbox.StreamRefused), "REFUSED_STREAM", 1},
		"INTERNAL_ERROR before":   {sandbox.ResetStreamBeforeCommit(sandbox.StreamInternalError), "INTERNAL_ERROR", 0},
		"INTERNAL_ERROR after":    {sandbox.ResetStreamAfterCommit(sandbox.StreamInternalError), "INTERNAL_ERROR", 1},
		"CANCEL after":            {sandbox.ResetStreamAfterCommit(sandbox.StreamCancel), "CANCEL", 1},
		"ENHANCE_YOUR_CALM after": {sandbox.ResetStreamAfterCommit(sandbox.StreamEnhanceYourCalm), "ENHANCE_YOUR_CALM", 1},
		"HTTP_1_1_REQUIRED after": {sandbox.ResetStreamAfterCommit(sandbox.StreamHTTP11Required), "HTTP_1_1_REQUIRED", 1},
		"GOAWAY before":           {sandbox.GoAwayBeforeCommit(), "GOAWAY", 0},
		"GOAWAY after":            {sandbox.GoAwayAfterCommit(), "GOAWAY", 1},
		"drop after":              {sandbox.DropAfterCommit(), "INTERNAL_ERROR", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tlsserver.Start(t, sandbox.Config{})
			c := client(t, s)
			s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: test.effect})
			got, err := send(t.Context(), c, "POST", s.Endpoint()+"/qod/sessions", create(1), false)
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%+v, %v; want %s", got, err, test.err)
			}
			if live := len(s.Ledger()); live != test.live {
				t.Errorf("%d sessions are live, want %d", live, test.live)
			}
			if got, err := send(t.Context(), c, "GET", s.Endpoint()+"/qod/sessions", "", true); err != nil || got.status != 200 {
				t.Errorf("the next request: %+v, %v", got, err)
			}
		})
	}
}

// net/http resends requests that seem unprocessed, even a POST. These faults exist to show that, so
// it must happen with them.
func TestStreamFaultsThatNetHTTPResends(t *testing.T) {
	t.Parallel()
	tests := map[string]sandbox.Effect{
		"PROTOCOL_ERROR": sandbox.ResetStreamAfterCommit(sandbox.StreamProtocolError),
		"REFUSED_STREAM": sandbox.ResetStreamAfterCommit(sandbox.StreamRefused),
		"GOAWAY":         sandbox.GoAwayAfterCommit(),
	}
	for name, effect := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tlsserver.Start(t, sandbox.Config{SeveralPerDevice: true})
			c := client(t, s)
			s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: effect})
			got, err := send(t.Context(), c, "POST", s.Endpoint()+"/qod/sessions", create(1), true)
			if err != nil || got.status != 201 || len(s.Ledger()) != 2 {
				t.Errorf("%+v, %v, with %d sessions; want 201 with two", got, err, len(s.Ledger()))
			}
		})
	}
}

// cancelledAfterCreate is cancelled a while after the first create request has arrived.
func cancelledAfterCreate(t *testing.T, s *tlsserver.Server) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s.Before(sandbox.OpCreate, func(int, *http.Request) { time.AfterFunc(300*time.Millisecond, cancel) })
	return ctx
}

func TestBlackHole(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect sandbox.Effect
		live   int
	}{
		"before": {sandbox.BlackHoleBeforeCommit(), 0},
		"after":  {sandbox.BlackHoleAfterCommit(), 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tlsserver.Start(t, sandbox.Config{})
			c := client(t, s)
			sessions := s.Endpoint() + "/qod/sessions"
			s.Fail(sandbox.Fault{Effect: test.effect})
			if got, err := send(cancelledAfterCreate(t, s), c, "POST", sessions, create(1), false); !errors.Is(err, context.Canceled) {
				t.Errorf("%+v, %v", got, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if got, err := send(ctx, c, "POST", sessions, create(2), false); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("another one on the same connection: %+v, %v", got, err)
			}
			if live := len(s.Ledger()); live != test.live || s.Count(sandbox.OpCreate) != 1 {
				t.Errorf("%d sessions and %d requests, want %d and 1", live, s.Count(sandbox.OpCreate), test.live)
			}
			if got, err := send(t.Context(), client(t, s), "GET", sessions, "", true); err != nil || got.status != 200 {
				t.Errorf("on a new connection: %+v, %v", got, err)
			}
		})
	}
}

// Requests in flight on a connection are lost when it goes silent.
func TestBlackHoleTakesOtherAnswersToo(t *testing.T) {
	t.Parallel()
	s := tlsserver.Start(t, sandbox.Config{})
	c := client(t, s)
	sessions := s.Endpoint() + "/qod/sessions"
	arrived, silent := make(chan struct{}), make(chan struct{})
	s.Before(sandbox.OpList, func(int, *http.Request) { close(arrived); <-silent })
	ctx, cancel := context.WithCancel(t.Context())
	listed := make(chan error)
	go func() {
		_, err := send(ctx, c, "GET", sessions, "", true)
		listed <- err
	}()
	<-arrived
	s.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.BlackHoleBeforeCommit()})
	_, _ = send(cancelledAfterCreate(t, s), c, "POST", sessions, create(1), false)
	close(silent)
	time.AfterFunc(200*time.Millisecond, cancel)
	if err := <-listed; !errors.Is(err, context.Canceled) {
		t.Errorf("the list: %v", err)
	}
}

// A client that sends PINGs finds the black hole, because they are not answered, and connects anew.
func TestBlackHoleAnswersNoPing(t *testing.T) {
	t.Parallel()
	s := tlsserver.Start(t, sandbox.Config{})
	c := client(t, s)
	c.Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{ //nolint:forcetypeassert // client made it
		SendPingTimeout: 500 * time.Millisecond, PingTimeout: 500 * time.Millisecond,
	}
	s.Fail(sandbox.Fault{Effect: sandbox.BlackHoleAfterCommit()})
	if got, err := send(t.Context(), c, "POST", s.Endpoint()+"/qod/sessions", create(1), false); err == nil {
		t.Errorf("got %+v", got)
	}
	if got, err := send(t.Context(), c, "GET", s.Endpoint()+"/qod/sessions", "", true); err != nil || got.status != 200 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}

func TestARequestEndsWhenItsClientGivesUp(t *testing.T) {
	t.Parallel()
	ended := make(chan sandbox.Request, 2)
	s := tlsserver.Start(t, sandbox.Config{Log: func(r sandbox.Request) { ended <- r }})
	c := client(t, s)
	s.Fail(sandbox.Fault{Effect: sandbox.HangBeforeCommit()})
	if _, err := send(cancelledAfterCreate(t, s), c, "POST", s.Endpoint()+"/qod/sessions", create(1), false); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-ended
	if got, err := send(t.Context(), c, "GET", s.Endpoint()+"/qod/sessions", "", true); err != nil || got.status != 200 {
		t.Errorf("the next on the connection: %+v, %v", got, err)
	}
}

// Over HTTP/1.1, the faults of HTTP/2 do the closest equivalent.
func TestStreamFaultsOverHTTP1(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect sandbox.Effect
		err    error
	}{
		"reset":      {sandbox.ResetStreamAfterCommit(sandbox.StreamRefused), io.EOF},
		"go away":    {sandbox.GoAwayAfterCommit(), io.EOF},
		"black hole": {sandbox.BlackHoleAfterCommit(), context.Canceled},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tlsserver.StartHTTP1(t, sandbox.Config{})
			c := client(t, s)
			s.Fail(sandbox.Fault{Effect: test.effect})
			if got, err := send(cancelledAfterCreate(t, s), c, "POST", s.Endpoint()+"/qod/sessions", create(1), false); !errors.Is(err, test.err) || len(s.Ledger()) != 1 {
				t.Errorf("%+v, %v, with %d sessions", got, err, len(s.Ledger()))
			}
		})
	}
}

func TestCertFileIsWhatClientsTrust(t *testing.T) {
	t.Parallel()
	s := tlsserver.Start(t, sandbox.Config{})
	content, err := os.ReadFile(s.CertFile)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(content) || !pool.Equal(tlsserver.CertPool()) {
		t.Errorf("%v: %s", err, content)
	}
	if _, err := send(t.Context(), &http.Client{Transport: &http.Transport{}}, "GET", s.URL(), "", true); err == nil {
		t.Error("everybody trusts it")
	}
}
