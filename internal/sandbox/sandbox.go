// Package sandbox is an in-memory Open Gateway: a Quality on Demand API, its authorization server
// and the network behind them, for tests and for pipelines without credentials.
//
// It validates requests against its own copy of the API document, keeps time with a clock that a
// test can control, and can be told to go wrong in every way that loses or doubles a session. Its
// Ledger is the truth that tests compare with Terraform's state.
package sandbox

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"
)

// Config configures a sandbox. The zero value is usable: the real clock, immediate provisioning,
// one client.
type Config struct {
	API     API    // empty: OpenGateway
	APIPath string // where the API is below Endpoint; empty: as in its document

	Clock Clock // nil: the real one

	// Provisioning is the time from REQUESTED to AVAILABLE. With 0, the answer to a create request
	// says REQUESTED, and the next request or call already sees AVAILABLE. With Instant, the answer
	// itself says AVAILABLE.
	Provisioning time.Duration

	// Latency is the real time between carrying out a request and answering it, for the API but not
	// for tokens and discovery. It ends early when the client gives up.
	Latency time.Duration

	TokenLifetime time.Duration // 0: one hour

	// Consent is how the person who has a device answers where a token is for one device. nil:
	// everybody agrees at once.
	Consent      func(Device) Consent
	ConsentTime  time.Duration // how long CIBA waits for an answer; 0: two minutes
	PollInterval time.Duration // between two polls of CIBA; 0: five seconds, which answers leave out

	// TelefonicaErrors has the errors of the authorization server in the form that Telefónica
	// documents, {code, message}, in place of OAuth's.
	TelefonicaErrors bool

	// MockRules adds what Telefónica documents for its own sandbox: 409 for an identifier that ends
	// in 9, the client mock_sandbox_app_id with the secret mock_sandbox_app_secret, and the token
	// mock_sandbox_access_token. With CAMARAV0, errors have the codes of its document, too.
	MockRules bool

	// Forgetful has CAMARAV0 keep no session, as a mock without a memory does: every create and
	// delete succeeds, and a read of any id is answered with the same example. The Ledger stays
	// empty. Other APIs ignore it.
	Forgetful bool

	// SeveralPerDevice allows any number of sessions per device, as CAMARA permits networks to do,
	// and never reports a conflict.
	SeveralPerDevice bool

	// HoldAfterDelete is how long, by Clock, a device stays blocked after the API has confirmed the
	// deletion of its session with 204: a network takes time to release resources.
	HoldAfterDelete time.Duration

	// RateLimit is the number of requests per second of real time that the API accepts, not
	// counting tokens and discovery. Further requests are answered with 429 without Retry-After;
	// they are not carried out and do not use up a Fault. 0 means no limit.
	RateLimit int

	// PageSize splits lists into pages of this many sessions. Link names the next page (RFC 8288)
	// and X-Total-Count has the number of all sessions. 0 means no pages.
	PageSize int

	// ExtendRemaining limits what remains of a session to its profile's longest duration whenever
	// it is extended, as CAMARAV0 always does, and some gateways with CAMARAV1. The rule of that
	// document limits the whole session.
	ExtendRemaining bool
	// ExtendRefuses refuses what is beyond that limit, in place of granting as much as it allows.
	ExtendRefuses bool

	// These are ways in which gateways deviate from CAMARA's document: times as seconds since 1970,
	// sessions that show no device, and another status for a create, such as 202.
	EpochTimes   bool
	OmitDevice   bool
	CreateStatus int

	// UnknownDevices are lines that the network does not have, and UnservedDevices those that it
	// reserves nothing for. CAMARA's APIs refuse them with codes of their own, such as
	// IDENTIFIER_NOT_FOUND and SERVICE_NOT_APPLICABLE; the default one knows neither.
	UnknownDevices, UnservedDevices []Device

	Clients []ClientCredentials // nil: DefaultClient

	// RequiredHeaders are what every request to the API must carry beside its access token, as an
	// API gateway wants its key. Others are answered with 401.
	RequiredHeaders map[string]string
	// TrustHeaders accepts RequiredHeaders alone: without an Authorization header, a request is one
	// of the first client, with all of its scopes.
	TrustHeaders bool

	// Control allows anybody who can reach the sandbox to control it; see PathControl.
	Control bool

	// Webhooks sends the deliveries to notification URLs. nil sends to loopback addresses only, so
	// that nobody can make a sandbox send requests to other machines.
	Webhooks http.RoundTripper

	// Log, if not nil, is called once for every request when it has ended.
	Log func(Request)
}

// Instant is a Provisioning that takes no time: create requests are answered with AVAILABLE.
const Instant time.Duration = -1

// Sandbox is one Open Gateway. It is safe for concurrent use.
type Sandbox struct {
	config        Config
	clock         Clock
	definition    definition
	routes        []route
	api           apiHandler
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

	closing context.Context // done when the sandbox closes; no call's context
	close   context.CancelFunc

	mu       sync.Mutex
	closed   bool
	inFlight sync.WaitGroup // requests being answered
}

// overrides change what the sandbox sends.
type overrides struct {
	mu                     sync.Mutex
	echo, discovery, token func(map[string]any)
}

// New returns a running sandbox that does not listen; see Start, Listen, Handler and RoundTripper.
// It must be closed. New panics if there is no such API.
func New(c Config) *Sandbox {
	d, err := define(&c)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return newSandbox(c, d)
}

func newSandbox(c Config, d definition) *Sandbox {
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.Clients == nil {
		c.Clients = []ClientCredentials{DefaultClient}
	}
	c.TokenLifetime = cmp.Or(c.TokenLifetime, time.Hour)
	if c.SeveralPerDevice {
		d.conflict = func(_, _ *Session) bool { return false }
	}
	s := &Sandbox{
		config: c, clock: c.Clock, definition: d, routes: d.routes(d.apiPath),
		requests: requests{keep: maxLogged}, rateLimit: rateLimit{perSecond: c.RateLimit},
	}
	s.api = d.handler(s)
	s.closing, s.close = context.WithCancel(context.Background())
	s.webhookSender = newWebhookSender(s.closing, c.Webhooks, s.api.event)
	s.network = newNetwork(c.Clock, c.Provisioning, c.Clients[0].ID, s.webhookSender.notify)
	s.network.conflict, s.network.profiles = d.conflict, d.profiles
	s.tokens = newTokens(c.Clock, s.scopes(), c.Clients)
	if c.MockRules {
		s.tokens.register(mockClient)
		s.AcceptToken(mockToken, mockClient.ID)
	}
	s.inMemory = newInMemory(s.closing, s.Handler())
	return s
}

// API is the API that the sandbox serves.
func (s *Sandbox) API() API { return s.config.API }

// BasePath is the path of the value for the provider's endpoint attribute.
func (s *Sandbox) BasePath() string { return s.definition.basePath }

// APIPath is the value for the provider's api_path attribute.
func (s *Sandbox) APIPath() string { return cmp.Or(s.definition.apiPath, "/") }

// Close ends all requests and webhook deliveries in flight and waits for them. The ledger and the
// logs stay readable.
func (s *Sandbox) Close() {
	s.startClosing()
	// The connections are closed first, because a request may be blocked writing to one.
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

// beginRequest counts a request in flight. It reports false if the sandbox is closed.
func (s *Sandbox) beginRequest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.inFlight.Add(1)
	return true
}

// Ledger returns the sessions on the network, including UNAVAILABLE ones, ordered by creation and
// then id. It is the truth: what it shows is billed or blocks its device.
func (s *Sandbox) Ledger() []Session {
	return s.network.list(func(*Session) bool { return true })
}

// History returns the sessions of the Ledger and those that are gone, in the same order. Of the
// latter it keeps at least the latest 45,000.
func (s *Sandbox) History() []Session { return s.network.history() }

// Seed adds a session without a request and returns it. With another ClientID it belongs to another
// team. Empty fields are filled: by default it is an AVAILABLE session of the first client that
// starts now and lasts an hour, for a device that no other session has. Seed checks for no
// conflict. The API finds the session only if its ID is a UUID.
func (s *Sandbox) Seed(session Session) Session {
	return s.network.seed(session)
}

// Revoke has the network end a session: it becomes UNAVAILABLE, blocks its device for 360 s by the
// sandbox's clock, and is then gone. It reports whether there was such a session to end.
func (s *Sandbox) Revoke(id string) bool {
	revoked := false
	s.network.edit(id, func(session *Session) {
		revoked = session.Status != StatusUnavailable
		session.Status = StatusUnavailable
	})
	return revoked
}

// Remove deletes a session at once, as if somebody had deleted it through the API, and reports
// whether it was there.
func (s *Sandbox) Remove(id string) bool {
	return s.network.delete(id, func(*Session) bool { return true }, 0)
}

// Edit lets f change a session as the network might, and reports whether it was there. A new status
// takes its course from now on: REQUESTED is provisioned, UNAVAILABLE ends after 360 s. The id
// cannot change. f must not use the sandbox.
func (s *Sandbox) Edit(id string, f func(*Session)) bool {
	return s.network.edit(id, f)
}

// Echo has f change every session before it is sent in the answer to a create, read or list
// request: an API may omit, add and respell members. A later call replaces f; nil ends it. f gets
// what encoding/json decodes.
func (s *Sandbox) Echo(f func(info map[string]any)) { s.overrides.set(&s.overrides.echo, f) }

// Discovery has f change the discovery document before it is sent.
func (s *Sandbox) Discovery(f func(document map[string]any)) {
	s.overrides.set(&s.overrides.discovery, f)
}

// Tokens has f change every token answer before it is sent. The token that was issued stays the
// valid one.
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
