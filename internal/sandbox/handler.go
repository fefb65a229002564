package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// The paths of the authorization server, at the origin. Those of the API are in its handler.
const (
	pathToken     = "/oauth/token"
	pathDiscovery = "/.well-known/openid-configuration"
)

// largestBody is larger than any valid request body.
const largestBody = 1 << 20

// apiHandler serves one API document in front of the network, in a file handler_<api>.go. All that
// the documents have in common is outside of it: the network, the authorization server, webhooks
// and faults.
type apiHandler interface {
	basePath() string // of all paths of the document, after the origin
	// match returns the operations at a path, by method, and nil if the document has no such path.
	// template is the path in the document, and id the session's in it, if any.
	match(path string) (operations map[string]Operation, template, id string)
	scopes() []string // all of the document
	scope(op Operation) string
	document() *openapi3.T
	// answer carries out a valid request of a client that may make it.
	answer(client string, c call) answer
	event(statusChange) event // its notification
}

// call is a request and the operation it asks for.
type call struct {
	op       Operation
	template string   // the path in the API document, for operations of the API
	id       string   // the session's, for OpRead and OpDelete
	allow    []string // the methods of the path, for OpOther; none: the path does not exist
	request  *http.Request
	body     []byte
}

// ofAPI reports whether the operation is one of the API, and not of the authorization server.
func (c call) ofAPI() bool {
	return c.op != OpToken && c.op != OpDiscovery && c.op != OpOther
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
	c := s.route(r)
	c.body = body
	entry := s.requests.record(c, s.clock.Now())
	if s.config.Log != nil {
		defer func() { s.config.Log(s.requests.current(entry)) }()
	}
	x := &exchange{
		call: c, w: w, clock: s.clock, closing: s.closing,
		commit: func() answer { return s.answer(c) },
		sent:   func(status int) { s.requests.setStatus(entry, status) },
		skew:   s.dateSkew.next,
	}
	if c.ofAPI() {
		x.latency = s.config.Latency
		if !s.rateLimit.passes() {
			x.send(tooManyRequests())
			return
		}
	}
	s.faults.next(c.op).perform(x)
}

// route does not use http.ServeMux, which redirects paths that are not clean; a gateway answers
// them with 404.
func (s *Sandbox) route(r *http.Request) call {
	c := call{op: OpOther, request: r}
	var operations map[string]Operation
	switch path := r.URL.Path; path {
	case pathDiscovery:
		operations = map[string]Operation{http.MethodGet: OpDiscovery}
	case pathToken:
		operations = map[string]Operation{http.MethodPost: OpToken}
	default:
		operations, c.template, c.id = s.api.match(path)
	}
	if op, ok := operations[r.Method]; ok {
		c.op = op
		return c
	}
	for method := range operations {
		c.allow = append(c.allow, method)
	}
	slices.Sort(c.allow)
	return c
}

// answer carries out a request, if it is allowed.
func (s *Sandbox) answer(c call) answer {
	switch {
	case c.op == OpDiscovery:
		return s.discovery(c)
	case c.op == OpToken:
		return s.token(c)
	case c.op == OpOther && c.allow == nil:
		return refusal(http.StatusNotFound, "NOT_FOUND", "Unknown path; those of the API begin with "+s.api.basePath())
	case c.op == OpOther:
		return refusal(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This path does not support the method "+c.request.Method).
			with("Allow", strings.Join(c.allow, ", "))
	}
	client, refused := s.authorize(c)
	if refused != nil {
		return *refused
	}
	if len(c.body) > largestBody {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is larger than 1 MiB")
	}
	if err := validateRequest(s.api.document(), c); err != nil {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
	}
	return s.api.answer(client, c)
}

// authorize returns the client that the request's token was issued to.
func (s *Sandbox) authorize(c call) (client string, refused *answer) {
	token, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	g, valid := s.tokens.lookup(token)
	scope := s.api.scope(c.op)
	switch {
	case !ok:
		return "", new(refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The request has no bearer token").
			with("WWW-Authenticate", "Bearer"))
	case !valid:
		return "", new(refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The access token is not valid or has expired").
			with("WWW-Authenticate", `Bearer error="invalid_token"`))
	case !slices.Contains(g.scopes, scope):
		return "", new(refusal(http.StatusForbidden, "PERMISSION_DENIED", "The access token lacks the scope "+scope))
	}
	return g.client, nil
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
