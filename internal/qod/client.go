package qod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how to reach the API. It needs AccessToken, or ClientID with ClientSecret or
// PrivateKey, or Headers.
type Config struct {
	API          API    // one of APIs; empty: OpenGateway
	Endpoint     string // base URL, checked by CheckURL; a trailing slash is ignored
	APIPath      string // where the API lies below Endpoint, checked by CheckAPIPath; empty: as its document has it
	ProfilesPath string // path of the profiles API below the endpoint; empty: DefaultProfilesPath

	Grant             Grant // empty: ClientCredentials
	ClientID          string
	ClientSecret      string
	PrivateKey        *PrivateKey
	PrivateKeyID      string            // `kid` of assertions; may be empty
	AssertionAudience string            // `aud` of assertions; empty: the URL to which one is sent
	AuthMethod        AuthMethod        // empty: chosen by what there is; see chooseAuthMethod
	TokenURL          string            // empty: discovered from the endpoint's scheme and host
	BackchannelURL    string            // of CIBA; empty: discovered in the same way
	MaxPending        int               // how many people CIBA asks at a time; 0: DefaultMaxPending
	Scopes            []string          // to be requested; none: no scope is sent
	TokenParameters   map[string]string // further parameters of token requests

	AccessToken string // a token, instead of a client that gets some

	// DeviceInRequests says whether requests name the device, where the document leaves that to the
	// token; nil: unless each token is for one device. Gateways differ.
	DeviceInRequests *bool

	// Headers are sent with every request to the API, and never to another server. They are
	// credentials enough where there are no others; then no Authorization is sent.
	Headers map[string]string

	MaxRetries     int           // of one operation
	RequestTimeout time.Duration // of one request, including the body of its answer

	UserAgent string
	// Log is called for every request to the API; it may be nil. It must not block.
	Log func(context.Context, Event)
	// PostInFlight is held from before a POST until its outcome is known, so that the process can
	// be kept from ending meanwhile. Creates hold it at the same time: give an RWMutex's RLocker.
	// It may be nil.
	PostInFlight sync.Locker
	// Transport replaces the network in tests; otherwise it is nil.
	Transport http.RoundTripper
}

// Event is one request, or the end of a wait for somebody's consent, which has no Method, as logs
// may show it: no body, no header, no identifier of a device. Err may name the session and repeat a
// little of what the API said, with secrets and identifiers masked.
type Event struct {
	Operation  Operation
	Method     string
	Path       string // template
	Status     int    // 0 without an answer
	Duration   time.Duration
	Waits      time.Duration // how long somebody now has to agree; 0 where nobody is asked
	Attempt    int
	Correlator string
	Err        error // nil on success
}

// Client speaks to one endpoint with one set of credentials. It is safe for concurrent use, and New
// makes no request.
type Client struct {
	config             Config
	http               *http.Client
	dialect            dialect
	authorizer         Authorizer
	profilesAuthorizer Authorizer // a token of the profiles API
	profiles           sync.Map   // by name, as last shown; see KnownProfile

	clock        *serverClock
	readingClock sharedCall[time.Time]
	lists        *listCaches
	reads        *readCoalescer
	absences     absenceBurst
	pacer        *pacer

	locks       *deviceLocks
	own         *ownSessions
	firstCreate atomic.Pointer[time.Time] // when this process began to create sessions
}

// These say that an answer was meant for somebody else: gateways have been seen to mix up the
// answers to simultaneous requests.
var (
	ErrOtherDevice  = errors.New("the answer shows a different device")
	ErrOtherSession = errors.New("the answer shows a different session")
)

// New makes a client. Its errors name what is wrong with the configuration.
func New(config Config) (*Client, error) {
	speaks, supported := dialectOf(config.API)
	if !supported {
		return nil, fmt.Errorf("there is no API %q; supported are %s", config.API, apiNames())
	}
	return newClient(config, speaks)
}

func newClient(config Config, speaks dialect) (*Client, error) {
	config.APIPath = cmp.Or(config.APIPath, speaks.path())
	if problem := CheckAPIPath(config.APIPath); problem != "" {
		return nil, fmt.Errorf("the path of the API %s", problem)
	}
	if problem := CheckURL(config.Endpoint); problem != "" {
		return nil, fmt.Errorf("the endpoint %s", problem)
	}
	if problem := CheckURL(config.TokenURL); config.TokenURL != "" && problem != "" {
		return nil, fmt.Errorf("the token URL %s", problem)
	}
	if problem := CheckURL(config.BackchannelURL); config.BackchannelURL != "" && problem != "" {
		return nil, fmt.Errorf("the backchannel authentication URL %s", problem)
	}
	config.Grant = cmp.Or(config.Grant, ClientCredentials)
	switch {
	case !slices.Contains(Grants(), config.Grant):
		return nil, fmt.Errorf("there is no grant %q", config.Grant)
	case config.Grant.perDevice() && (config.AccessToken != "" || config.headersAlone()):
		return nil, fmt.Errorf("the grant %s needs a client", config.Grant)
	case config.MaxPending < 0:
		return nil, errors.New("the number of pending authorizations must be positive")
	case !isHeaderSafe(config.AccessToken):
		return nil, errors.New("the access token contains characters that are not allowed in a header")
	case config.RequestTimeout <= 0:
		return nil, errors.New("the request timeout must be positive")
	}
	if config.AccessToken == "" && !config.headersAlone() {
		if err := config.checkClient(); err != nil {
			return nil, err
		}
	}
	for name, value := range config.TokenParameters {
		if problem := CheckTokenParameter(name, value); problem != "" {
			return nil, fmt.Errorf("the token parameter %q %s", name, problem)
		}
	}
	for name, value := range config.Headers {
		if problem := CheckHeader(name, value); problem != "" {
			return nil, fmt.Errorf("the header %q %s", name, problem)
		}
	}
	config.ProfilesPath = cmp.Or(config.ProfilesPath, DefaultProfilesPath)
	if problem := CheckAPIPath(config.ProfilesPath); problem != "" {
		return nil, fmt.Errorf("the path of the profiles API %s", problem)
	}
	config.Endpoint = normalEndpoint(config.Endpoint)
	if config.PostInFlight == nil {
		config.PostInFlight = new(sync.RWMutex).RLocker()
	}
	if config.Log == nil {
		config.Log = func(context.Context, Event) {}
	}
	c := &Client{
		config: config, http: newHTTPClient(config.Transport, config.RequestTimeout), dialect: speaks,
		clock: &serverClock{}, pacer: newPacer(), locks: newDeviceLocks(), own: newOwnSessions(speaks.collide),
	}
	c.authorizer = c.newAuthorizer(config.Scopes)
	c.lists = newListCaches(c.Limits(), c.listOnce)
	c.reads = newReadCoalescer(c.lists.of(Device{}), c.clock)
	c.profilesAuthorizer = c.authorizer
	// Without scopes, none is ever sent. Where somebody is asked, a second token would be a second
	// question.
	perDevice := c.authorizer.PerDevice()
	profiles, can := speaks.profiles(ProfileFilter{}, c.bound())
	if can && !perDevice && len(config.Scopes) > 0 && !slices.Contains(config.Scopes, profiles.scope) {
		c.profilesAuthorizer = c.newAuthorizer([]string{profiles.scope})
	}
	return c, nil
}

// newAuthorizer provides tokens with these scopes, where it can choose them.
func (c *Client) newAuthorizer(scopes []string) Authorizer {
	switch {
	case c.config.AccessToken != "":
		return &staticToken{token: Token{value: c.config.AccessToken}, whenRefused: ErrNotRenewable}
	case c.config.headersAlone():
		return &staticToken{whenRefused: ErrHeadersRefused}
	}
	server := &authorizationServer{config: &c.config, http: c.http}
	switch c.config.Grant {
	case CIBA:
		return newTokenCache(newCIBA(server, scopes))
	case JWTBearer:
		return newTokenCache(&jwtBearer{server, scopes})
	case ClientCredentials:
	}
	return newTokenCache(&clientCredentials{server, scopes})
}

// atDocumentHost reports whether the endpoint is one that the document of the default API names. No
// other API has one, whatever its host: what belongs to the document does not, elsewhere on it.
func (c *Config) atDocumentHost() bool {
	endpoint := normalEndpoint(c.Endpoint)
	return cmp.Or(c.API, OpenGateway) == OpenGateway && (endpoint == DefaultEndpoint || endpoint == SandboxEndpoint)
}

// normalEndpoint normalises a URL that CheckURL allows: scheme and host in lower case (RFC 3986,
// section 6.2.2.1), no trailing slash. Paths are case-sensitive.
func normalEndpoint(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	host, path, _ := strings.Cut(rest, "/")
	return strings.TrimRight(strings.ToLower(scheme+"://"+host)+"/"+path, "/")
}

// Endpoint is where this client sends its requests, for people to read and for states to compare:
// the configured endpoint, normalised, with the path and the name of the API unless that is the
// default one in its usual place.
func (c *Client) Endpoint() string { return EndpointOf(c.Origin()) }

// EndpointFor is the Client.Endpoint of a client with this configuration, which may lack what a
// client needs to make requests.
func EndpointFor(config Config) string { return EndpointOf(config.place()) }

// originSeparator stands in an Origin before whose sessions are visible there.
const originSeparator = " as "

// EndpointOf is the Client.Endpoint that goes with an Origin.
func EndpointOf(origin string) string {
	endpoint, api, apiPath := splitOrigin(origin)
	if apiPath == "" {
		return endpoint
	}
	return fmt.Sprintf("%s%s (%s)", endpoint, strings.TrimSuffix(apiPath, "/"), api)
}

// APIOf is the API of an Origin.
func APIOf(origin string) API {
	_, api, _ := splitOrigin(origin)
	return api
}

// splitOrigin takes apart what Client.Origin puts together. The path is empty for the default API
// in its usual place. Neither an endpoint nor a path contains a space.
func splitOrigin(origin string) (endpoint string, api API, apiPath string) {
	where, _, _ := strings.Cut(origin, originSeparator)
	endpoint, named, found := strings.Cut(where, " (")
	if !found {
		return endpoint, OpenGateway, ""
	}
	name, apiPath, _ := strings.Cut(strings.TrimSuffix(named, ")"), ", ")
	return endpoint, API(name), apiPath
}

// IsClientUnknown reports whether an Origin does not say which client it is: what a token or
// headers do not show may be another client's.
func IsClientUnknown(origin string) bool {
	return strings.HasSuffix(origin, originSeparator+"token") || strings.HasSuffix(origin, originSeparator+"headers")
}

// Origin names where sessions of this client live: its Endpoint, the API where that is not the
// default one in its usual place, and its client id, or the word "token" or "headers". Nothing in
// it is derived from a secret. A 404 proves something about a session only at the origin that made
// it.
func (c *Client) Origin() string {
	where := c.config.place()
	switch {
	case c.config.AccessToken != "":
		return where + originSeparator + "token"
	case c.config.headersAlone():
		return where + originSeparator + "headers"
	}
	return where + originSeparator + "client " + c.config.ClientID
}

// place is the part of an Origin that does not depend on the credentials.
func (c *Config) place() string {
	where, api := normalEndpoint(c.Endpoint), cmp.Or(c.API, OpenGateway)
	apiPath := cmp.Or(c.APIPath, DefaultAPIPath(api))
	if api == OpenGateway && apiPath == DefaultAPIPath(OpenGateway) {
		return where
	}
	return where + fmt.Sprintf(" (%s, %s)", api, apiPath)
}

// bound reports whether requests leave out the device, since the access token stands for it.
func (c *Client) bound() bool {
	if named := c.config.DeviceInRequests; named != nil {
		return !*named
	}
	return c.authorizer.PerDevice()
}

// Limits are what the API allows and can do. A token that is for one device shows no sessions of
// others.
func (c *Client) Limits() Limits {
	return c.dialect.limits().perDevice(c.authorizer.PerDevice())
}

func (c *Client) secrets(t Token, r request) []string {
	return append(c.config.secrets(), t.value, r.secret)
}

// secrets are what must not come back in any text, including the Basic credential of RFC 6749
// §2.3.1. The private key is not among them, as it is never sent.
func (c *Config) secrets() []string {
	secrets := []string{c.AccessToken}
	secrets = slices.AppendSeq(secrets, maps.Values(c.TokenParameters))
	secrets = slices.AppendSeq(secrets, maps.Values(c.Headers))
	if c.ClientSecret != "" {
		secrets = append(secrets, url.QueryEscape(c.ClientID)+":"+url.QueryEscape(c.ClientSecret), c.ClientSecret)
	}
	return secrets
}

// Format keeps the credentials out of everything that is printed.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("configuration of " + c.Endpoint)) }

// Format names the origin.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("client of " + c.Origin())) }
