package qod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how to reach the API. Either AccessToken, or ClientID and ClientSecret, is needed.
type Config struct {
	Endpoint string // base URL without trailing slash needs; checked by CheckURL

	ClientID     string
	ClientSecret string
	AccessToken  string
	TokenURL     string   // empty: discovered at the endpoint's origin
	Scopes       []string // requested with client credentials

	MaxRetries     int           // repetitions after the first try of one operation
	RequestTimeout time.Duration // of one request, its answer's body included

	UserAgent string
	// Log is told of every request to the API; nil for nobody. It must not block.
	Log func(context.Context, Event)
	// Posting is held from before a POST until its fate is known, so that the process can be kept
	// from ending meanwhile. Creates hold it side by side: give an RWMutex's RLocker. Nil for none.
	Posting sync.Locker
	// Transport replaces the network, for tests; nil otherwise.
	Transport http.RoundTripper
}

// Event is one request as logs may show it: no body, no header, no identifier of a device. Err may
// name the session and repeat a little of what the API said, with secrets and identifiers masked.
type Event struct {
	Operation  Operation
	Method     string
	Path       string // template
	Status     int    // 0 without an answer
	Duration   time.Duration
	Attempt    int
	Correlator string
	Err        error // nil on success
}

// Client speaks to one endpoint with one set of credentials. It is safe for concurrent use and
// makes no request before its first verb.
type Client struct {
	endpoint       string
	origin         string
	config         Config
	http           *http.Client
	dialect        dialect
	authorizer     Authorizer
	clock          *serverClock
	lists          *lists
	reader         *reader
	held           *held
	pace           *pacer
	firstCreate    atomic.Pointer[time.Time] // when this process began to create sessions
	maxRetries     int
	requestTimeout time.Duration
	userAgent      string
	log            func(context.Context, Event)
	posting        sync.Locker
}

// lookBudget bounds one read or list, retries included.
const lookBudget = 2 * time.Minute

// New makes a client. It makes no request; errors name what of the configuration is unusable.
func New(config Config) (*Client, error) {
	if problem := CheckURL(config.Endpoint); problem != "" {
		return nil, fmt.Errorf("the endpoint %s", problem)
	}
	if problem := CheckURL(config.TokenURL); config.TokenURL != "" && problem != "" {
		return nil, fmt.Errorf("the token URL %s", problem)
	}
	if !headerSafe(config.AccessToken) {
		return nil, errors.New("the access token holds characters that cannot stand in a header")
	}
	c := &Client{
		endpoint: strings.TrimRight(config.Endpoint, "/"), config: config, http: newHTTPClient(config.Transport, config.RequestTimeout),
		dialect: openGateway{}, clock: &serverClock{}, held: newHeld(), pace: newPacer(),
		maxRetries: config.MaxRetries, requestTimeout: config.RequestTimeout,
		userAgent: config.UserAgent, log: config.Log, posting: config.Posting,
	}
	if c.posting == nil {
		c.posting = new(sync.RWMutex).RLocker()
	}
	if c.log == nil {
		c.log = func(context.Context, Event) {}
	}
	if c.requestTimeout <= 0 {
		return nil, errors.New("the request timeout must be positive")
	}
	c.lists = newLists(c.listOnce)
	c.reader = newReader(c.lists, c.clock)
	if config.AccessToken != "" {
		c.authorizer = &readyToken{token: Token{value: config.AccessToken}}
		c.origin = normalOrigin(c.endpoint, "token")
		return c, nil
	}
	if config.ClientID == "" || config.ClientSecret == "" {
		return nil, errors.New("neither an access token nor a client id with its secret is given")
	}
	c.authorizer = newTokenCache(&clientCredentials{
		config: config, http: c.http, origin: originOf(c.endpoint),
	}, c.requestTimeout)
	c.origin = normalOrigin(c.endpoint, "client "+config.ClientID)
	return c, nil
}

func normalOrigin(endpoint, who string) string {
	return strings.ToLower(endpoint) + " as " + who
}

// Origin names where sessions of this client live: normalised endpoint and client id, or the
// word "token". Nothing in it is derived from a secret. A 404 proves something about a session
// only at the origin that made it.
func (c *Client) Origin() string { return c.origin }

// Check names what of the Spec the API cannot express. It makes no request; empty fields are
// taken as not known yet.
func (c *Client) Check(s Spec) []Problem { return Check(s) }

// Check is Client.Check without a client, for when none can be configured yet.
func Check(s Spec) []Problem { return openGateway{}.check(s) }

// Read returns the session, as it was at most ten seconds ago and as it is since this process last
// changed it. IsGone(err) holds only for a proven 404.
func (c *Client) Read(ctx context.Context, ref Ref) (s Session, err error) {
	defer catch(&err)
	ctx, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	if !validID(ref.ID) {
		return Session{}, invalidID(OperationRead, ref.ID)
	}
	return c.reader.read(ctx, ref, func() (Session, error) {
		r := c.dialect.read(ref.ID)
		a, err := retry(ctx, r.operation, c.maxRetries, func(attempt int) (answer, error) {
			return c.get(ctx, r, ref.Device, attempt)
		})
		if err != nil {
			return Session{}, err
		}
		return c.decodeRead(r, a)
	})
}

// Confirm returns the session where a shared list shows that it is well; see reader. It never asks
// for the session itself, and false says nothing of it.
func (c *Client) Confirm(ctx context.Context, ref Ref) (Session, bool) {
	return c.reader.confirm(ctx, ref)
}

// decodeRead decodes the answer to a read. A session that shows another id, or none, is not the
// one that was asked for.
func (c *Client) decodeRead(r request, a answer) (Session, error) {
	s, err := c.dialect.session(a.body)
	if s.ID != "" && !strings.EqualFold(s.ID, r.sessionID) {
		err = errors.New("the answer shows another session")
	}
	if err != nil {
		return Session{}, unreadable(r, a, err)
	}
	s.ID = r.sessionID
	return s, nil
}

// List returns the sessions these credentials can see that pass the filter, in the order they
// started (unknown starts last), then by id. None is no error.
func (c *Client) List(ctx context.Context, f Filter) (found []Session, err error) {
	defer catch(&err)
	ctx, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	taken, err := c.listSince(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	for _, s := range taken.sessions {
		if s.ID != "" && f.Matches(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Session) int {
		return cmp.Or(compareStart(a.StartedAt, b.StartedAt), strings.Compare(a.ID, b.ID))
	})
	return found, nil
}

// listSince is a list that was requested at notBefore or later, with the retries of this caller:
// the request is shared, its budget is not.
func (c *Client) listSince(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	return retry(ctx, OperationList, c.maxRetries, func(int) (*snapshot, error) {
		return c.lists.since(ctx, notBefore)
	})
}

func compareStart(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return cmp.Compare(boolRank(a.IsZero()), boolRank(b.IsZero()))
	}
	return a.Compare(b)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listOnce is one list request, as lists shares it.
func (c *Client) listOnce(ctx context.Context) ([]Session, error) {
	r := c.dialect.list()
	a, err := c.get(ctx, r, Device{}, 1)
	if err != nil {
		return nil, err
	}
	sessions, err := c.dialect.sessions(a.body)
	if err != nil {
		return nil, unreadable(r, a, err)
	}
	return sessions, nil
}

// Now is the server's time, from the Date of its answers. Without any answer yet, one list is
// asked for. The local clock never stands in: a runner that is an hour slow would leave a
// broadcast without its session.
func (c *Client) Now(ctx context.Context) (now time.Time, err error) {
	defer catch(&err)
	if now := c.clock.now(); !now.IsZero() {
		return now, nil
	}
	if err := c.clock.why(); err != nil {
		return time.Time{}, err
	}
	within, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	_, err = retry(within, OperationList, c.maxRetries, func(int) (*snapshot, error) {
		taken, err := c.lists.since(within, c.clock.lastSeen())
		if !c.clock.now().IsZero() {
			return taken, nil // a refusal has a Date, too
		}
		return taken, err
	})
	if now := c.clock.now(); !now.IsZero() {
		return now, nil
	}
	if err == nil {
		err = ErrNoDate
	}
	var fault *PanicError
	if ctx.Err() == nil && !errors.As(err, &fault) {
		c.clock.failed(err)
	}
	return time.Time{}, err
}

// Glance is Now where it is known, or where one list within a few seconds tells. While lists fail,
// nobody else asks: the remarks of a thousand resources must not hold up a plan.
func (c *Client) Glance(ctx context.Context) (time.Time, bool) {
	if now := c.clock.now(); !now.IsZero() {
		return now, true
	}
	if !c.lists.promising() {
		return time.Time{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotBudget)
	defer cancel()
	if _, err := c.lists.since(ctx, c.clock.lastSeen()); err != nil && ctx.Err() != nil {
		c.lists.disappoint()
	}
	now := c.clock.now() // a refusal has a Date, too
	return now, !now.IsZero()
}

// whole insists on a body that arrived whole. Operations that change nothing ask again otherwise.
func whole(r request, a answer, err error) (answer, error) {
	if err == nil && a.bodyErr != nil {
		return a, unreadable(r, a, fmt.Errorf("the answer did not arrive whole: %w", a.bodyErr))
	}
	return a, err
}

// get is one try of an operation that changes nothing.
func (c *Client) get(ctx context.Context, r request, d Device, attempt int) (answer, error) {
	a, err := c.call(ctx, r, d, attempt)
	return whole(r, a, err)
}

// unreadable is the error for a success that says nothing usable: a login page of a captive
// portal, for one.
func unreadable(r request, a answer, err error) *Error {
	return &Error{
		Operation: r.operation, SessionID: r.sessionID, Scope: r.scope, Status: a.status,
		Correlator: a.correlator, ServerTime: a.date, Err: err, outcome: unknown,
	}
}

// invalidID refuses an id before a URL is made of it: joined to a path, `../..` leaves it.
func invalidID(op Operation, id string) *Error {
	return &Error{Operation: op, Err: fmt.Errorf("%q is not a session id", readable(id)), outcome: unsent, trust: true}
}

func (c *Client) secrets(t Token, r request) []string {
	return append(c.config.secrets(), t.value, r.secret)
}

// secrets are what must not come back in any text, the Basic credential of RFC 6749 §2.3.1 among
// them.
func (c Config) secrets() []string {
	if c.ClientSecret == "" {
		return []string{c.AccessToken}
	}
	return []string{c.AccessToken, url.QueryEscape(c.ClientID) + ":" + url.QueryEscape(c.ClientSecret), c.ClientSecret}
}

// Format keeps the credentials out of everything that is printed.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("configuration of " + c.Endpoint)) }

// Format names the origin.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("client of " + c.origin)) }
