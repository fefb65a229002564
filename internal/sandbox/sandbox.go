// Package sandbox is an in-memory Open Gateway: the Quality on Demand API, its
// authorization server and the network behind them, for tests and for
// pipelines without credentials.
//
// It judges requests by its own copy of the API document (openapi.yaml), lets
// sessions live by a clock that a test may hold, and can be told to go wrong
// in every way that loses or doubles a session. Its Ledger is the truth that
// tests compare Terraform's state with.
package sandbox

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"
)

// Config says how a sandbox behaves. The zero value is a usable one: the real
// clock, immediate provisioning, one client.
type Config struct {
	Clock Clock // nil: the real one

	// Provisioning is the time from REQUESTED to AVAILABLE. With 0 the answer to
	// the creation says REQUESTED and the next look, whoever takes it, AVAILABLE;
	// with less, as Instant, the answer itself says AVAILABLE.
	Provisioning time.Duration

	// Latency is real time between doing and answering, for the API but not for
	// tokens and discovery. It ends early when the client gives up.
	Latency time.Duration

	TokenLifetime time.Duration // 0: one hour

	// MockRules adds what Telefónica documents of its own sandbox: 409 for an
	// identifier that ends in 9, the client mock_sandbox_app_id with the secret
	// mock_sandbox_app_secret, and the token mock_sandbox_access_token.
	MockRules bool

	// SeveralPerDevice takes any number of sessions for a device, as CAMARA allows networks to do.
	SeveralPerDevice bool

	// HoldAfterDelete is how long, by Clock, a device stays taken after the API has answered the
	// deletion of its session with 204: a network needs time to give back what it reserved.
	HoldAfterDelete time.Duration

	// RateLimit is how many requests a second of real time the API takes, tokens and discovery not
	// counted. Further ones are answered 429 without Retry-After, before anything is done or a Fault
	// spoils them. 0: any number.
	RateLimit int

	// PageSize has a list answer with so many sessions at a time, and name the next page in Link
	// (RFC 8288) and the number of all sessions in X-Total-Count. 0: all at once.
	PageSize int

	Clients []ClientCredentials // nil: DefaultClient

	// Control lets whoever reaches the sandbox give it orders; see PathControl.
	Control bool

	// Webhooks carries the deliveries to notification URLs. nil reaches loopback
	// addresses only, so that a sandbox is no way to send requests to others.
	Webhooks http.RoundTripper

	// Log, when not nil, is called once for every request when it has ended.
	Log func(Request)
}

// Instant is the Provisioning of a network that makes nobody wait.
const Instant time.Duration = -1

// Sandbox is one Open Gateway. It is safe for concurrent use.
type Sandbox struct {
	config        Config
	clock         Clock
	network       *network
	tokens        *tokens
	webhookSender *webhookSender
	requests      requests
	faults        faults
	overrides     overrides
	replicas      replicas
	dateSkew      dateSkew
	rateLimit     rateLimit
	inMemory      *inMemory

	closing context.Context // not of a call: done when the sandbox closes
	close   context.CancelFunc

	mu       sync.Mutex
	closed   bool
	inFlight sync.WaitGroup // requests being answered
}

// knobs are the changes tests make to what is sent.
type overrides struct {
	mu                     sync.Mutex
	echo, discovery, token func(map[string]any)
}

// New returns a running sandbox that nothing listens for; see Start, Listen,
// Handler and RoundTripper. It must be closed.
func New(c Config) *Sandbox {
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.Clients == nil {
		c.Clients = []ClientCredentials{DefaultClient}
	}
	c.TokenLifetime = cmp.Or(c.TokenLifetime, time.Hour)
	s := &Sandbox{config: c, clock: c.Clock, requests: requests{keep: maxLogged}, rateLimit: rateLimit{perSecond: c.RateLimit}}
	s.closing, s.close = context.WithCancel(context.Background())
	s.webhookSender = newWebhookSender(s.closing, c.Webhooks)
	s.network = newNetwork(c.Clock, c.Provisioning, c.Clients[0].ID, s.webhookSender.notify)
	s.network.several = c.SeveralPerDevice
	s.tokens = newTokens(c.Clock, c.TokenLifetime, c.Clients)
	if c.MockRules {
		s.tokens.register(mockClient)
		s.AcceptToken(mockToken, mockClient.ID)
	}
	s.inMemory = newInMemory(s.closing, s.Handler())
	return s
}

// Close ends what is under way, requests and webhook deliveries, and waits for
// it. The ledger and the logs can still be read afterwards.
func (s *Sandbox) Close() {
	s.startClosing()
	// First the connections: a request may be stuck writing to one.
	_ = s.inMemory.server.Close()
	s.wait()
}

func (s *Sandbox) startClosing() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.close()
	s.network.close()
}

func (s *Sandbox) wait() {
	s.inFlight.Wait()
	s.webhookSender.wait()
}

// enter reports whether the sandbox still takes requests, and counts one.
func (s *Sandbox) beginRequest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.inFlight.Add(1)
	return true
}

// Ledger returns the sessions that are on the network, lingering UNAVAILABLE
// ones too, by creation and then id. It is the truth: what is here is billed
// or blocks its device.
func (s *Sandbox) Ledger() []Session {
	return s.network.list(func(*Session) bool { return true })
}

// Seed puts a session on the network without a request, another team's when
// ClientID says so, and returns it. What is empty is filled: an AVAILABLE
// session of the first client, started now, for an hour and for a device of
// its own. Seed looks for no conflict, and only an ID that is a UUID can be
// asked for through the API.
func (s *Sandbox) Seed(session Session) Session {
	return s.network.seed(session)
}

// Revoke has the network end a session: it becomes UNAVAILABLE, lingers and
// blocks its device for 360 s of the clock, and is then gone. It reports
// whether there was such a session to end.
func (s *Sandbox) Revoke(id string) bool {
	revoked := false
	s.network.edit(id, func(session *Session) {
		revoked = session.Status != StatusUnavailable
		session.Status = StatusUnavailable
	})
	return revoked
}

// Remove ends a session at once, as if somebody had deleted it, and reports
// whether it was there.
func (s *Sandbox) Remove(id string) bool {
	return s.network.delete(id, func(*Session) bool { return true }, 0)
}

// Edit lets f change a session as the network might, and reports whether it
// was there. A new status takes its course from now on: REQUESTED provisions,
// UNAVAILABLE lingers. The id stays. f must not use the sandbox.
func (s *Sandbox) Edit(id string, f func(*Session)) bool {
	return s.network.edit(id, f)
}

// Echo has f change every SessionInfo before it is sent, in answers to
// creations, reads and lists: an API may leave out, add and re-spell. A later
// call replaces f; nil ends it. f gets what encoding/json decodes.
func (s *Sandbox) Echo(f func(info map[string]any)) { s.overrides.set(&s.overrides.echo, f) }

// Discovery has f change the discovery document before it is sent.
func (s *Sandbox) Discovery(f func(document map[string]any)) {
	s.overrides.set(&s.overrides.discovery, f)
}

// Tokens has f change every token answer before it is sent; the token that is
// valid stays the one issued.
func (s *Sandbox) Tokens(f func(answer map[string]any)) { s.overrides.set(&s.overrides.token, f) }

func (k *overrides) set(override *func(map[string]any), f func(map[string]any)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	*override = f
}

func (k *overrides) has(override *func(map[string]any)) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return *override != nil
}

func (k *overrides) apply(override *func(map[string]any), to map[string]any) {
	k.mu.Lock()
	f := *override
	k.mu.Unlock()
	if f != nil {
		f(to)
	}
}
