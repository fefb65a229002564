package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The servers of the API document end in /v1. Discovery has its well-known path at the origin.
const (
	pathSessions  = "/v1/qod/sessions"
	pathToken     = "/oauth/token"
	pathDiscovery = "/.well-known/openid-configuration"
)

// largestBody is larger than any valid request body.
const largestBody = 1 << 20

// call is a request and the operation it asks for.
type call struct {
	op      Operation
	id      string   // the session's, for OpRead and OpDelete
	allow   []string // the methods of the path, for OpOther; none: the path does not exist
	request *http.Request
	body    []byte
}

// Handler serves /.well-known/openid-configuration, /oauth/token and /v1/qod/sessions[/{id}].
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
	c := route(r)
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
	if c.scope() != "" {
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
func route(r *http.Request) call {
	c := call{op: OpOther, request: r}
	routes := map[string]Operation{}
	switch path := r.URL.Path; path {
	case pathDiscovery:
		routes[http.MethodGet] = OpDiscovery
	case pathToken:
		routes[http.MethodPost] = OpToken
	case pathSessions:
		routes[http.MethodGet], routes[http.MethodPost] = OpList, OpCreate
	default:
		id, ok := strings.CutPrefix(path, pathSessions+"/")
		if ok && id != "" && !strings.Contains(id, "/") {
			c.id = strings.ToLower(id) // a UUID in any case; the network uses lower case
			routes[http.MethodGet], routes[http.MethodDelete] = OpRead, OpDelete
		}
	}
	if op, ok := routes[r.Method]; ok {
		c.op = op
		return c
	}
	for method := range routes {
		c.allow = append(c.allow, method)
	}
	slices.Sort(c.allow)
	return c
}

// scope is the scope that the API document requires for an operation. Operations outside the API
// have none.
func (c call) scope() string {
	switch c.op {
	case OpRead, OpList:
		return ScopeRead
	case OpCreate, OpDelete:
		return ScopeWrite
	default:
		return ""
	}
}

// answer carries out a request, if it is allowed.
func (s *Sandbox) answer(c call) answer {
	switch {
	case c.op == OpDiscovery:
		return s.discovery(c)
	case c.op == OpToken:
		return s.token(c)
	case c.op == OpOther && c.allow == nil:
		return refusal(http.StatusNotFound, "NOT_FOUND", "Unknown path; sessions are at "+pathSessions)
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
	if err := validateRequest(c); err != nil {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
	}
	switch c.op {
	case OpCreate:
		return s.create(client, c)
	case OpList:
		return s.list(client, c)
	case OpRead:
		return s.read(client, c.id)
	default:
		return s.delete(client, c.id)
	}
}

// authorize returns the client that the request's token was issued to.
func (s *Sandbox) authorize(c call) (client string, refused *answer) {
	token, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	g, good := s.tokens.lookup(token)
	switch {
	case !ok:
		return "", new(refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The request has no bearer token").
			with("WWW-Authenticate", "Bearer"))
	case !good:
		return "", new(refusal(http.StatusUnauthorized, "UNAUTHENTICATED", "The access token is not valid or has expired").
			with("WWW-Authenticate", `Bearer error="invalid_token"`))
	case !slices.Contains(g.scopes, c.scope()):
		return "", new(refusal(http.StatusForbidden, "PERMISSION_DENIED", "The access token lacks the scope "+c.scope()))
	}
	return g.client, nil
}

// createSessionRequest is the API document's schema of that name.
type createSessionRequest struct {
	Device                Device             `json:"device"`
	ApplicationServer     *ApplicationServer `json:"applicationServer"`
	QoSProfile            string             `json:"qosProfile"`
	Duration              int                `json:"duration"`
	NotificationURL       string             `json:"notificationUrl"`
	NotificationAuthToken string             `json:"notificationAuthToken"`
}

// conflictMessage is the message of a 409 in Telefónica's documentation.
const conflictMessage = "Another session is created for the same UE"

func (s *Sandbox) create(client string, c call) answer {
	var asked createSessionRequest
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a CreateSessionRequest")
	}
	if !asked.Device.hasIdentifier() {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "device: at least one identifier is required")
	}
	if s.config.MockRules && asked.Device.endsIn9() {
		return refusal(http.StatusConflict, "CONFLICT", conflictMessage+" (sandbox mock rule: an identifier ends in 9)")
	}
	session, err := s.network.create(Session{
		ClientID:              client,
		Device:                asked.Device,
		ApplicationServer:     asked.ApplicationServer,
		QoSProfile:            asked.QoSProfile,
		Duration:              asked.Duration,
		NotificationURL:       asked.NotificationURL,
		NotificationAuthToken: asked.NotificationAuthToken,
	}, s.visible(OpCreate))
	if err != nil { // errConflict is the only error
		return refusal(http.StatusConflict, "CONFLICT", conflictMessage)
	}
	return jsonAnswer(http.StatusCreated, s.info(session))
}

func (s *Sandbox) list(client string, c call) answer {
	infos, visible := []any{}, s.visible(OpList)
	for _, session := range s.visibleInList(func(session *Session) bool { return session.ClientID == client && visible(session) }) {
		infos = append(infos, s.info(session))
	}
	if s.config.PageSize > 0 {
		return page(infos, s.config.PageSize, c.request)
	}
	return jsonAnswer(http.StatusOK, infos)
}

func (s *Sandbox) read(client, id string) answer {
	session, ok := s.network.find(client, id)
	if !ok || !s.visible(OpRead)(&session) {
		return sessionNotFound()
	}
	return jsonAnswer(http.StatusOK, s.info(session))
}

func (s *Sandbox) delete(client, id string) answer {
	visible := s.visible(OpDelete)
	mine := func(session *Session) bool { return session.ClientID == client && visible(session) }
	if !s.network.delete(id, mine, s.config.HoldAfterDelete) {
		return sessionNotFound()
	}
	return answer{status: http.StatusNoContent}
}

func sessionNotFound() answer {
	return refusal(http.StatusNotFound, "NOT_FOUND", "There is no such session")
}

// sessionInfo is the API document's schema of that name: it has no application server and no
// webhook.
type sessionInfo struct {
	SessionID  string `json:"sessionId"`
	Device     Device `json:"device"`
	QoSProfile string `json:"qosProfile"`
	QoSStatus  string `json:"qosStatus"`
	StartedAt  string `json:"startedAt,omitempty"`
	ExpiresAt  string `json:"expiresAt,omitempty"`
	Duration   int    `json:"duration"`
}

// info returns a session as the API shows it, changed by Echo if that is set.
func (s *Sandbox) info(session Session) any {
	info := sessionInfo{
		SessionID:  session.ID,
		Device:     session.Device,
		QoSProfile: session.QoSProfile,
		QoSStatus:  session.Status,
		StartedAt:  timestamp(session.StartedAt),
		ExpiresAt:  timestamp(session.ExpiresAt),
		Duration:   session.Duration,
	}
	if !s.overrides.has(&s.overrides.echo) {
		return info
	}
	var changed map[string]any
	if err := json.Unmarshal(jsonAnswer(0, info).body, &changed); err != nil {
		panic("sandbox: SessionInfo is not an object: " + err.Error())
	}
	s.overrides.apply(&s.overrides.echo, changed)
	return changed
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
