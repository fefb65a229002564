package qodtest

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const (
	// Gateway is the origin of the network's API in a bubble.
	Gateway = "https://gateway.example"
	// Phone is the phone number of the device that Spec is for.
	Phone = "+34600000001"
	// SessionID is the id of a session that does not exist.
	SessionID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

	// JSON is a content type.
	JSON = "application/json"
	// HTML is a content type.
	HTML = "text/html; charset=utf-8"
	// LoginPage is what a captive portal answers with.
	LoginPage = `<!DOCTYPE html><html><body>Please <a href="/login">log in</a></body></html>`
)

// BubbleStart is when the time of every bubble begins.
var BubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Network is an in-memory network and a client of it.
type Network struct {
	*sandbox.Sandbox
	*qod.Client
	// T is the test that answers which cannot be read fail.
	T testing.TB
	// Intercept stands between the client and the network; nil passes every request on.
	Intercept Interceptor

	mu     sync.Mutex
	events []qod.Event
}

// Options are how a network and its client differ from the default ones.
type Options struct {
	Sandbox   sandbox.Config
	Client    func(*qod.Config)
	Intercept Interceptor
}

// Interceptor handles a request on its way to the network. It must not keep the request.
type Interceptor func(n *Network, r *http.Request, next http.RoundTripper) (*http.Response, error)

// InBubble runs f with a network and a client whose time is the bubble's. A goroutine that is left
// waiting for ever fails the test.
func InBubble(t *testing.T, options Options, f func(t *testing.T, n *Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// If nothing took time, a list from before a POST would be as old as one from after it.
		options.Sandbox.Latency = cmp.Or(options.Sandbox.Latency, 10*time.Millisecond)
		// Without this, the sandbox would look up the hosts of notification URLs in the real DNS.
		options.Sandbox.Webhooks = RoundTripper(func(r *http.Request) (*http.Response, error) {
			return Response(r, http.StatusNoContent, JSON, ""), nil
		})
		network := sandbox.New(options.Sandbox)
		t.Cleanup(network.Close)
		n := &Network{Sandbox: network, T: t, Intercept: options.Intercept}
		config := ConfigOf(network, Gateway)
		config.Transport = n.Transport()
		n.Connect(config, options.Client)
		f(t, n)
	})
}

// OnSockets is a network behind a real listener, for what only sockets show.
func OnSockets(t *testing.T, options Options) *Network {
	t.Helper()
	server := sandbox.Start(t, options.Sandbox)
	n := &Network{Sandbox: server.Sandbox, T: t, Intercept: options.Intercept}
	n.Connect(ConfigOf(server.Sandbox, server.URL()), options.Client)
	return n
}

// Config is the default configuration of a client, with the sandbox's credentials.
func Config(endpoint string) qod.Config {
	return qod.Config{
		Endpoint:       endpoint,
		ClientID:       sandbox.DefaultClient.ID,
		ClientSecret:   sandbox.DefaultClient.Secret,
		Scopes:         []string{sandbox.ScopeRead, sandbox.ScopeWrite},
		MaxRetries:     4,
		RequestTimeout: 30 * time.Second,
		UserAgent:      "terraform-provider-qod/test",
	}
}

// ConfigOf is the default configuration for the API of a network at this origin.
func ConfigOf(network *sandbox.Sandbox, origin string) qod.Config {
	config := Config(origin + network.BasePath())
	config.API, config.APIPath = qod.API(network.API()), network.APIPath()
	config.Scopes = qod.LimitsOf(config.API).Scopes
	return config
}

// Connect gives the network a new client. The configuration may be changed; nil leaves it as it is.
func (n *Network) Connect(config qod.Config, change func(*qod.Config)) {
	n.T.Helper()
	config.Log = n.record
	if change != nil {
		change(&config)
	}
	client, err := qod.New(config)
	if err != nil {
		n.T.Fatal(err)
	}
	n.Client = client
}

func (n *Network) record(_ context.Context, e qod.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

// Events are what the client has logged so far.
func (n *Network) Events() []qod.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.events)
}

// Transport is the client's way to the network, past the Interceptor.
func (n *Network) Transport() http.RoundTripper {
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		next := n.Sandbox.RoundTripper()
		if n.Intercept == nil {
			return next.RoundTrip(r)
		}
		return n.Intercept(n, r, next)
	})
}

// InjectFault makes the next requests of an operation fail; times is -1 for all of them.
func (n *Network) InjectFault(op sandbox.Operation, times int, effect sandbox.Effect) {
	n.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// InjectFaultFromSecond lets the next request of an operation pass, and makes those after it fail.
func (n *Network) InjectFaultFromSecond(op sandbox.Operation, times int, effect sandbox.Effect) {
	n.Fail(sandbox.Fault{Operation: op, Nth: 2, Times: times, Effect: effect})
}

// SeedSession puts a session on the network; by default it is one of the device that Spec is for.
func (n *Network) SeedSession(s sandbox.Session) sandbox.Session {
	if s.Device == (sandbox.Device{}) {
		s.Device.PhoneNumber = Phone
	}
	return n.Seed(s)
}

// SeedFleet puts sessions of different devices on the network, and returns their ids.
func (n *Network) SeedFleet(size int) []string {
	ids := make([]string, 0, size)
	for range size {
		ids = append(ids, n.Seed(sandbox.Session{}).ID)
	}
	return ids
}

// ReadAll reads sessions, which must be available, as Terraform does: ten at a time.
func (n *Network) ReadAll(ids []string) {
	n.T.Helper()
	InParallel(ids, func(id string) {
		s, err := n.Read(n.T.Context(), qod.Ref{ID: id})
		if err != nil || s.ID != id || s.Status != qod.StatusAvailable {
			n.T.Errorf("read %s: %v, %v", id, s, err)
		}
	})
}

// WantReads checks how many reads of single sessions and how many lists there have been.
func (n *Network) WantReads(reads, lists int) {
	n.T.Helper()
	Equal(n.T, "reads", n.Count(sandbox.OpRead), reads)
	Equal(n.T, "lists", n.Count(sandbox.OpList), lists)
}

// LearnTime makes the client know the network's time, by two answers that agree about it.
func (n *Network) LearnTime() {
	n.T.Helper()
	s := n.Seed(sandbox.Session{})
	for range 2 {
		if _, err := n.Read(n.T.Context(), Ref(s)); err != nil {
			n.T.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
	}
	n.Remove(s.ID)
}

// RoundTripper is a function as an http.RoundTripper.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Response is an answer that comes from no network.
func Response(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// Body reads the body of a response, and leaves it readable.
func Body(t testing.TB, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("read the network's answer: %v", err)
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return string(body)
}

// IsCreate reports whether a request creates a session.
func IsCreate(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/qod/sessions")
}

// IsList reports whether a request lists sessions.
func IsList(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/qod/sessions")
}

// Spec requests an hour of QOS_E for a device.
func Spec() qod.Spec {
	var s qod.Spec
	s.Device.PhoneNumber, s.QoSProfile, s.Seconds = Phone, "QOS_E", 3600
	return s
}

// Ref refers to a session of which nothing but the id is known.
func Ref(s sandbox.Session) qod.Ref { return qod.Ref{ID: s.ID} }

// IDs are the ids of sessions, sorted.
func IDs(sessions []sandbox.Session) []string {
	ids := make([]string, 0, len(sessions))
	for _, s := range sessions {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}
