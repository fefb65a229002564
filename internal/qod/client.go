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
	lists          *listCache
	reads          *readCoalescer
	locks          *deviceLocks
	own            *ownSessions
	absences       absenceBurst
	readingClock   sharedCall[time.Time]
	pace           *pacer
	firstCreate    atomic.Pointer[time.Time] // when this process began to create sessions
	maxRetries     int
	requestTimeout time.Duration
	userAgent      string
	log            func(context.Context, Event)
	postInFlight   sync.Locker
}

// errOtherDevice says that an answer was meant for somebody else: gateways have been seen to mix up
// what they answer at the same time.
var errOtherDevice = errors.New("the answer shows another device than the one asked for")

// readBudget bounds one read or list, retries included.
const readBudget = 2 * time.Minute

// New makes a client. It makes no request; errors name what of the configuration is unusable.
func New(config Config) (*Client, error) {
	if problem := CheckURL(config.Endpoint); problem != "" {
		return nil, fmt.Errorf("the endpoint %s", problem)
	}
	if problem := CheckURL(config.TokenURL); config.TokenURL != "" && problem != "" {
		return nil, fmt.Errorf("the token URL %s", problem)
	}
	if !isHeaderSafe(config.AccessToken) {
		return nil, errors.New("the access token holds characters that cannot stand in a header")
	}
	c := &Client{
		endpoint: normalEndpoint(config.Endpoint), config: config, http: newHTTPClient(config.Transport, config.RequestTimeout),
		dialect: openGateway{}, clock: &serverClock{}, locks: newDeviceLocks(), own: newOwnSessions(), pace: newPacer(),
		maxRetries: config.MaxRetries, requestTimeout: config.RequestTimeout,
		userAgent: config.UserAgent, log: config.Log, postInFlight: config.Posting,
	}
	if c.postInFlight == nil {
		c.postInFlight = new(sync.RWMutex).RLocker()
	}
	if c.log == nil {
		c.log = func(context.Context, Event) {}
	}
	if c.requestTimeout <= 0 {
		return nil, errors.New("the request timeout must be positive")
	}
	c.lists = newListCache(c.listOnce)
	c.reads = newReadCoalescer(c.lists, c.clock)
	if config.AccessToken != "" {
		c.authorizer = &staticToken{token: Token{value: config.AccessToken}}
		c.origin = c.endpoint + originSeparator + "token"
		return c, nil
	}
	if config.ClientID == "" || config.ClientSecret == "" {
		return nil, errors.New("neither an access token nor a client id with its secret is given")
	}
	c.authorizer = newTokenCache(&clientCredentials{
		config: config, http: c.http, webOrigin: webOriginOf(c.endpoint),
	}, c.requestTimeout)
	c.origin = c.endpoint + originSeparator + "client " + config.ClientID
	return c, nil
}

// normalEndpoint spells a URL that CheckURL allows in one way: scheme and host in lower case (RFC
// 3986, section 6.2.2.1), no slash at its end. A path is not the same in another case.
func normalEndpoint(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	host, path, _ := strings.Cut(rest, "/")
	return strings.TrimRight(strings.ToLower(scheme+"://"+host)+"/"+path, "/")
}

// Endpoint is the base URL that this client sends its requests to, normalised.
func (c *Client) Endpoint() string { return c.endpoint }

// originSeparator stands in an origin between the endpoint, which holds no space, and whose sessions are
// seen there.
const originSeparator = " as "

// EndpointOf is the endpoint part of an Origin.
func EndpointOf(origin string) string {
	endpoint, _, _ := strings.Cut(origin, originSeparator)
	return endpoint
}

// Origin names where sessions of this client live: its Endpoint and its client id, or the word
// "token". Nothing in it is derived from a secret. A 404 proves something about a session only at
// the origin that made it.
func (c *Client) Origin() string { return c.origin }

// Check names what of the Spec the API cannot express. It makes no request; empty fields are
// taken as not known yet.
func (c *Client) Check(s Spec) []Problem { return Check(s) }

// Check is Client.Check without a client, for when none can be configured yet.
func Check(s Spec) []Problem { return openGateway{}.check(s) }

// Read returns the session, as it was at most ten seconds ago and as it is since this process last
// changed it. IsGone(err) holds only where it is proven; an *UnprovenError is an answer that says so
// and proves nothing.
func (c *Client) Read(ctx context.Context, ref Ref) (s Session, err error) {
	defer recoverTo(&err)
	ctx, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	if !validID(ref.ID) {
		return Session{}, invalidID(OperationRead, ref.ID)
	}
	return c.reads.read(ctx, ref, func() (Session, error) {
		s, err := retry(ctx, OperationRead, c.maxRetries, func(attempt int) (Session, error) {
			return c.readOnce(ctx, ref, attempt)
		})
		if missing := notFound(err); missing != nil {
			again := func(ctx context.Context) (Session, error) { return c.readOnce(ctx, ref, 1) }
			s, _, err = absence{client: c, ref: ref, answer: missing, repeat: again}.prove(ctx)
		}
		return s, err
	})
}

// readOnce asks for the session itself, once.
func (c *Client) readOnce(ctx context.Context, ref Ref, attempt int) (Session, error) {
	r := c.dialect.read(ref.ID)
	a, err := c.get(ctx, r, ref.Device, attempt)
	if err != nil {
		return Session{}, err
	}
	s, err := c.decodeRead(r, a, ref.Device)
	if err == nil {
		c.own.recordSeen(ref)
	}
	return s, err
}

// ReadCached returns the session where a shared list shows that it is well; see reader. It never asks
// for the session itself, and false says nothing of it.
func (c *Client) ReadCached(ctx context.Context, ref Ref) (Session, bool) {
	return c.reads.readCached(ctx, ref)
}

// decodeRead decodes the answer to a read. A session that shows another id, or none, or another
// device, is not the one that was asked for.
func (c *Client) decodeRead(r request, a answer, d Device) (Session, error) {
	s, err := c.dialect.session(a.body)
	if contradicts(d, s.Device) {
		err = errOtherDevice
	}
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
// started (unknown starts last), then by id. None is no error. An *IncompleteListError comes with the
// sessions that were shown.
func (c *Client) List(ctx context.Context, f Filter) (found []Session, err error) {
	defer recoverTo(&err)
	ctx, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	taken, err := c.listSince(ctx, time.Now())
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound && e.documented {
		return nil, nil // nothing is there, in the API's own words
	}
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
	if taken.doubt != nil {
		return found, &IncompleteListError{Err: taken.doubt}
	}
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

// Now is the server's time, from the Dates of its answers: of two at least that agree and are not of
// the same second, since one may come from a cache or from a node whose clock is wrong. Lists are asked
// for until there are two. The local clock never stands in: a runner that is an hour slow would leave
// a broadcast without its session. Errors: *ClockError, ErrNoDate, ErrClockStandsStill, ErrCachedList, or why there
// was no answer, an *InterruptedError among it.
func (c *Client) Now(ctx context.Context) (now time.Time, err error) {
	defer recoverTo(&err)
	if now := c.clock.now(); !now.IsZero() {
		return now, nil
	}
	if err := firstError(c.clock.contradicted(), c.clock.recentFailure()); err != nil {
		return time.Time{}, err
	}
	within, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	now, err = c.readingClock.do(within, c.readClock)
	var interruption *InterruptedError
	if err != nil && within.Err() != nil && !errors.As(err, &interruption) {
		err = newInterruptedError(within, OperationList, true, nil)
	}
	var fault *PanicError
	if err != nil && ctx.Err() == nil && !errors.As(err, &fault) {
		c.clock.recordFailure(err)
	}
	return now, err
}

// clockLists bounds how many lists are asked for to learn the time: one, one that confirms it, and one
// more for a second that had not passed yet.
const clockLists = 3

// readClock asks for lists until the clock is known, or cannot be.
func (c *Client) readClock(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	for range clockLists {
		if err := c.requestDate(ctx); err != nil {
			return time.Time{}, err
		}
		if now := c.clock.now(); !now.IsZero() {
			return now, nil
		}
	}
	return time.Time{}, ErrClockStandsStill
}

// requestDate has one more answer read for its Date.
func (c *Client) requestDate(ctx context.Context) error {
	at, lastRead := c.clock.confirmable()
	if err := pause(ctx, time.Until(at)); err != nil {
		return err
	}
	taken, err := retry(ctx, OperationList, c.maxRetries, func(int) (*snapshot, error) {
		taken, err := c.lists.since(ctx, at)
		if _, read := c.clock.confirmable(); read.After(lastRead) {
			return nil, nil // a refusal has a Date, too
		}
		return taken, err
	})
	switch {
	case c.clock.contradicted() != nil:
		return c.clock.contradicted()
	case err != nil:
		return err
	case taken != nil && errors.Is(taken.doubt, ErrCachedList):
		return taken.doubt
	case taken != nil:
		return ErrNoDate
	}
	return nil
}

// EstimateNow is the server's time as one answer has shown it, to within some seconds; zero where none
// has, or two have contradicted each other.
func (c *Client) EstimateNow() time.Time { return c.clock.estimate() }

// requireFullBody insists on a body that arrived whole. Operations that change nothing ask again otherwise.
func requireFullBody(r request, a answer, err error) (answer, error) {
	if err == nil && a.bodyErr != nil {
		return a, unreadable(r, a, fmt.Errorf("the answer did not arrive whole: %w", a.bodyErr))
	}
	return a, err
}

// get is one try of an operation that changes nothing.
func (c *Client) get(ctx context.Context, r request, d Device, attempt int) (answer, error) {
	a, err := c.call(ctx, r, d, attempt)
	return requireFullBody(r, a, err)
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
	return &Error{Operation: op, Err: fmt.Errorf("%q is not a session id", readable(id)), outcome: unsent, permanent: true}
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
