// The world that the client's tests live in: an in-memory network whose ledger is the truth, a
// client of it, and the ways to reach in between. Nothing is proved here.
package qod_test

import (
	"cmp"
	"context"
	"errors"
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
	gateway = "https://gateway.example"
	phone   = "+34600000001"
	someID  = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

	jsonType  = "application/json"
	htmlType  = "text/html; charset=utf-8"
	loginPage = `<!DOCTYPE html><html><body>Please <a href="/login">log in</a></body></html>`
)

// world is a sandbox and a client of it.
type world struct {
	*sandbox.Sandbox
	*qod.Client
	t testing.TB

	mu     sync.Mutex
	events []qod.Event
	wire   wire
}

// setting is how a world differs from the usual one.
type setting struct {
	network sandbox.Config
	client  func(*qod.Config)
	wire    wire
}

// wire stands between the client and the network; nil passes everything on. It must not keep the
// request.
type wire func(w *world, r *http.Request, next http.RoundTripper) (*http.Response, error)

// bubbleBegan is when the time of every bubble begins.
var bubbleBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// inBubble runs f in a world whose time is the bubble's: it passes only while everybody waits, so
// that minutes of retries take no time and are the same each time. A goroutine that is left
// waiting for ever fails the test.
func inBubble(t *testing.T, s setting, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// Where nothing takes time, a list from before a POST is as young as one from after it.
		s.network.Latency = cmp.Or(s.network.Latency, 10*time.Millisecond)
		// Without this the sandbox asks the real DNS for the hosts of notification URLs.
		s.network.Webhooks = roundTripper(func(r *http.Request) (*http.Response, error) {
			return answerOf(r, http.StatusNoContent, jsonType, ""), nil
		})
		network := sandbox.New(s.network)
		t.Cleanup(network.Close)
		w := &world{Sandbox: network, t: t, wire: s.wire}
		config := usual(gateway + "/v1")
		config.Transport = transport{w}
		w.connect(t, config, s.client)
		f(t, w)
	})
}

// onSockets makes a world behind a real listener, for what only sockets show.
func onSockets(t *testing.T, s setting) *world {
	t.Helper()
	server := sandbox.Start(t, s.network)
	w := &world{Sandbox: server.Sandbox, t: t, wire: s.wire}
	w.connect(t, usual(server.Endpoint()), s.client)
	return w
}

func usual(endpoint string) qod.Config {
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

func (w *world) connect(t testing.TB, config qod.Config, change func(*qod.Config)) {
	t.Helper()
	config.Log = w.record
	if change != nil {
		change(&config)
	}
	client, err := qod.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = client
}

func (w *world) record(_ context.Context, e qod.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// logged are the events so far.
func (w *world) logged() []qod.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// transport is the world's end of the wire.
type transport struct{ w *world }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.w.Sandbox.RoundTripper()
	if t.w.wire == nil {
		return next.RoundTrip(r)
	}
	return t.w.wire(t.w, r, next)
}

// roundTripper is a function as a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// made up are answers that come from no network.
func answerOf(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// bodyOf reads a response to its end and leaves it readable.
func bodyOf(t testing.TB, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("read the network's answer: %v", err)
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return string(body)
}

func isCreate(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/qod/sessions")
}

func isList(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/qod/sessions")
}

// spoil adds a fault to the next requests of an operation.
func (w *world) spoil(op sandbox.Operation, times int, effect sandbox.Effect) {
	w.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// spoilFromSecond lets the next request of an operation pass and adds a fault to those behind it.
func (w *world) spoilFromSecond(op sandbox.Operation, times int, effect sandbox.Effect) {
	w.Fail(sandbox.Fault{Operation: op, Nth: 2, Times: times, Effect: effect})
}

// seed puts a session of the device on the network.
func (w *world) seed(s sandbox.Session) sandbox.Session {
	if s.Device == (sandbox.Device{}) {
		s.Device.PhoneNumber = phone
	}
	return w.Seed(s)
}

// wanted is a usual thing to ask for.
func wanted() qod.Spec {
	return qod.Spec{Device: qod.Device{PhoneNumber: phone}, QoSProfile: "QOS_E", Seconds: 3600}
}

func refOf(s sandbox.Session) qod.Ref { return qod.Ref{ID: s.ID} }

// idsOf names the sessions on the network, sorted.
func idsOf(sessions []sandbox.Session) []string {
	ids := make([]string, 0, len(sessions))
	for _, s := range sessions {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}

// as is errors.As as an expression that fails the test.
func as[E error](t testing.TB, err error) E {
	t.Helper()
	var target E
	if !errors.As(err, &target) {
		t.Fatalf("the error is %T, want %T: %v", err, target, err)
	}
	return target
}

func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// within is the test's context with an end.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// cancelledIn is the test's context, cancelled after d.
func cancelledIn(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	t.Cleanup(func() { timer.Stop(); cancel() })
	return ctx
}

// took is how long f takes.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

// equal fails the test unless got is want.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
