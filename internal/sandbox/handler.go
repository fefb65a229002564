package sandbox

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// The paths of the authorization server, at the origin. Those of the API are in its handler.
const (
	pathToken       = "/oauth/token"
	pathBackchannel = "/oauth/bc-authorize"
	pathDiscovery   = "/.well-known/openid-configuration"
)

// largestBody is larger than any valid request body.
const largestBody = 1 << 20

// call is a request and the operation it asks for.
type call struct {
	op        Operation
	route     *route // nil: no path of the sandbox
	parameter string // of the path: as a rule the session's id
	scope     string // that the operation needs
	request   *http.Request
	body      []byte
}

// ofAPI reports whether the operation is one of the API, and not of the authorization server.
func (c call) ofAPI() bool {
	return !ofServer(c.op) && c.op != OpOther
}

// ofServer reports whether an operation is one of the authorization server.
func ofServer(op Operation) bool { return op == OpToken || op == OpBackchannel || op == OpDiscovery }

// device is the one that a request names, for logs; zero: none.
func (s *Sandbox) device(c call) Device {
	if c.op == OpBackchannel {
		return hintOf(c.body)
	}
	return s.api.device(c)
}

// Handler serves the API, its authorization server and, with Config.Control, the control path.
func (s *Sandbox) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request) {
	if s.config.Control && strings.HasPrefix(r.URL.Path, PathControl) {
		s.control(w, r)
		return
	}
	if !s.beginRequest() {
		panic(http.ErrAbortHandler)
	}
	defer s.inFlight.Done()
	// Read the whole body: only then does net/http notice that the client gives up, and end the
	// request's context.
	body, _ := io.ReadAll(io.LimitReader(r.Body, largestBody+1))
	if len(body) > largestBody { // a client that is still writing may miss the answer
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, largestBody))
	}
	c := s.route(r)
	c.body = body
	entry := s.requests.record(c, s.device(c), s.clock.Now())
	if s.config.Log != nil {
		defer func() { s.config.Log(s.requests.current(entry)) }()
	}
	x := &exchange{
		call: c, w: w, clock: s.clock, closing: s.closing,
		commit: func() answer { return s.answer(c) },
		sent:   func(status int) { s.requests.setStatus(entry, status) },
		skew:   s.dateSkew.next,

		noCorrelator: s.definition.noCorrelator,
	}
	if c.ofAPI() {
		x.latency = s.config.Latency
		if !s.rateLimit.passes() {
			x.send(s.tooManyRequests())
			return
		}
	}
	s.faults.next(c.op).perform(x)
}

// These are the routes of the authorization server.
var (
	tokenRoute       = route{methods: map[string]apiMethod{http.MethodPost: {op: OpToken}}}
	backchannelRoute = route{methods: map[string]apiMethod{http.MethodPost: {op: OpBackchannel}}}
	discoveryRoute   = route{methods: map[string]apiMethod{http.MethodGet: {op: OpDiscovery}}}
)

// route does not use http.ServeMux, which redirects paths that are not clean; a gateway answers
// them with 404.
func (s *Sandbox) route(r *http.Request) call {
	c := call{op: OpOther, request: r}
	switch path := r.URL.Path; path {
	case pathDiscovery:
		c.route = &discoveryRoute
	case pathToken:
		c.route = &tokenRoute
	case pathBackchannel:
		c.route = &backchannelRoute
	default:
		c.route, c.parameter = s.match(path)
	}
	if c.route != nil {
		if m, ok := c.route.methods[r.Method]; ok {
			c.op, c.scope = m.op, m.scope
		}
	}
	return c
}

// answer carries out a request, if it is allowed.
func (s *Sandbox) answer(c call) answer {
	switch {
	case c.op == OpDiscovery:
		return s.discovery(c)
	case c.op == OpToken:
		return s.spelled(s.token(c))
	case c.op == OpBackchannel:
		return s.spelled(s.backchannel(c))
	case c.route == nil:
		return s.api.refusal(http.StatusNotFound, "NOT_FOUND", "Unknown path; those of the API begin with "+s.definition.basePath+s.definition.apiPath)
	case c.op == OpOther:
		return s.api.refusal(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This path does not support the method "+c.request.Method).
			with("Allow", strings.Join(slices.Sorted(maps.Keys(c.route.methods)), ", "))
	}
	granted, refused := s.authorize(c)
	if refused != nil {
		return *refused
	}
	if len(c.body) > largestBody {
		return s.api.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is larger than 1 MiB")
	}
	if err := validateRequest(c); err != nil {
		return s.api.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
	}
	return s.api.answer(granted, c)
}

// authorize returns what the request's token grants, or what its headers stand for.
func (s *Sandbox) authorize(c call) (granted grant, refused *answer) {
	for name, value := range s.config.RequiredHeaders {
		if c.request.Header.Get(name) != value {
			return grant{}, new(s.api.refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The header "+name+" is missing or wrong"))
		}
	}
	if s.config.TrustHeaders && c.request.Header.Get("Authorization") == "" {
		return grant{client: s.config.Clients[0].ID, scopes: s.tokens.scopes}, nil
	}
	token, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	granted, valid := s.tokens.lookup(token)
	switch {
	case !ok:
		return grant{}, new(s.api.refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The request has no bearer token").
			with("WWW-Authenticate", "Bearer"))
	case !valid:
		return grant{}, new(s.api.refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The access token is not valid or has expired").
			with("WWW-Authenticate", `Bearer error="invalid_token"`))
	case !slices.Contains(granted.scopes, c.scope) && !slices.Contains(granted.scopes, s.definition.allScope):
		return grant{}, new(s.api.refusal(http.StatusForbidden, "PERMISSION_DENIED", "The access token lacks the scope "+c.scope))
	}
	return granted, nil
}

// echoed is a session as the API shows it, changed by Echo if that is set.
func (s *Sandbox) echoed(info any) any {
	if !s.overrides.has(&s.overrides.echo) {
		return info
	}
	var changed map[string]any
	if err := json.Unmarshal(jsonAnswer(0, info).body, &changed); err != nil {
		panic("sandbox: the session is not an object: " + err.Error())
	}
	s.overrides.apply(&s.overrides.echo, changed)
	return changed
}
