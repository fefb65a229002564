package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultClient is the client of a sandbox without Config.Clients.
var DefaultClient = ClientCredentials{ID: "sandbox-client", Secret: "sandbox-secret"}

// The client and the token that Telefónica documents for its own sandbox.
var mockClient = ClientCredentials{ID: "mock_sandbox_app_id", Secret: "mock_sandbox_app_secret"}

const mockToken = "mock_sandbox_access_token"

// tokens is the authorization server: its clients and the tokens that are valid.
type tokens struct {
	clock  Clock
	scopes []string // all of the API

	mu         sync.Mutex
	clients    []ClientCredentials
	issued     map[string]grant
	assertions map[string]time.Time // when those that were used expire

	authorizations map[string]*authorization // by auth_req_id; those that were redeemed are gone
	prompts        []Device
}

// grant is what a bearer token allows.
type grant struct {
	client string
	device *Device // that the token is bound to; nil: any
	scopes []string
	until  time.Time // zero: it does not expire
}

func newTokens(clock Clock, scopes []string, clients []ClientCredentials) *tokens {
	t := &tokens{clock: clock, scopes: scopes, issued: map[string]grant{}, assertions: map[string]time.Time{}, authorizations: map[string]*authorization{}}
	for _, c := range clients {
		t.register(c)
	}
	return t
}

func (t *tokens) register(c ClientCredentials) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.Scopes = t.orAllScopes(c.Scopes)
	t.clients = append(t.clients, c)
}

func (t *tokens) orAllScopes(scopes []string) []string {
	if scopes == nil {
		scopes = t.scopes
	}
	return slices.Clone(scopes)
}

// AcceptToken makes token a valid bearer token of a client, with these scopes, or with all scopes
// if none is given. It does not expire.
func (s *Sandbox) AcceptToken(token, clientID string, scopes ...string) {
	s.tokens.add(token, grant{client: clientID, scopes: s.tokens.orAllScopes(scopes)})
}

// RevokeTokens makes all tokens so far invalid, issued or accepted: they are answered with 401.
func (s *Sandbox) RevokeTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.issued)
}

// RevokeTokensOf makes invalid the tokens that are bound to a device with one of its identifiers.
func (s *Sandbox) RevokeTokensOf(d Device) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	maps.DeleteFunc(s.tokens.issued, func(_ string, g grant) bool { return g.device != nil && g.device.sharesIdentifier(d) })
}

func (t *tokens) add(token string, g grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	maps.DeleteFunc(t.issued, func(_ string, g grant) bool { return g.expired(now) })
	t.issued[token] = g
}

func (g grant) expired(now time.Time) bool { return !g.until.IsZero() && !now.Before(g.until) }

// isFor reports whether the grant is for a device: as a rule it is for all of them.
func (g grant) isFor(d Device) bool { return g.device == nil || g.device.sharesIdentifier(d) }

// covers reports whether the grant is for a session.
func (g grant) covers(s *Session) bool { return s.ClientID == g.client && g.isFor(s.Device) }

// lookup returns the grant of a bearer token, if it is valid.
func (t *tokens) lookup(token string) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.issued[token]
	return g, ok && !g.expired(t.clock.Now())
}

// parseForm is the form that a request posts.
func parseForm(c call) (url.Values, *answer) {
	media, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	form, err := url.ParseQuery(string(c.body))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, new(oauthError(http.StatusBadRequest, "invalid_request", "the body is not a form"))
	}
	return form, nil
}

// token is the token endpoint, with client credentials (RFC 6749 §4.4), CIBA and JWT bearer.
func (s *Sandbox) token(c call) answer {
	form, refused := parseForm(c)
	if refused != nil {
		return *refused
	}
	grantType := form.Get("grant_type")
	if grantType == jwtBearerGrant {
		return s.jwtBearer(c.request, form)
	}
	client, refused := s.authenticateClient(c.request, form)
	if refused != nil {
		return *refused
	}
	switch grantType {
	case "client_credentials":
		scopes := strings.Fields(form.Get("scope"))
		for _, scope := range scopes {
			if !slices.Contains(client.Scopes, scope) {
				return oauthError(http.StatusBadRequest, "invalid_scope", "the client may not use one of the requested scopes")
			}
		}
		return s.issue(client, scopes, nil)
	case cibaGrant:
		return s.poll(client, form.Get("auth_req_id"))
	case "":
		return oauthError(http.StatusBadRequest, "invalid_request", "grant_type is missing")
	default:
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "only client_credentials, CIBA and JWT bearer are supported")
	}
}

// issue answers with a new token of the client, with all of its scopes if none is requested, and
// bound to a device if one is given.
func (s *Sandbox) issue(client ClientCredentials, scopes []string, bound *Device) answer {
	if len(scopes) == 0 {
		scopes = client.Scopes
	}
	issued := "sandbox-token-" + rand.Text()
	s.tokens.add(issued, grant{client: client.ID, device: bound, scopes: scopes, until: s.clock.Now().Add(s.config.TokenLifetime)})
	body := map[string]any{
		"access_token": issued,
		"token_type":   "Bearer",
		"expires_in":   int(s.config.TokenLifetime / time.Second),
		"scope":        strings.Join(scopes, " "),
	}
	s.overrides.apply(&s.overrides.token, body)
	return jsonAnswer(http.StatusOK, body).with("Cache-Control", "no-store")
}

func oauthError(status int, code, description string) answer {
	return jsonAnswer(status, map[string]string{"error": code, "error_description": description}).
		with("Cache-Control", "no-store")
}

// spelled is an answer of the authorization server in the form that is configured.
func (s *Sandbox) spelled(a answer) answer {
	if s.config.TelefonicaErrors {
		return telefonicaError(a)
	}
	return a
}

// telefonicaError is an error of the authorization server as Telefónica documents it: with an
// integer for a code. Its document says nothing of what the message has.
func telefonicaError(refused answer) answer {
	var e struct {
		Error       string
		Description string `json:"error_description"`
	}
	if refused.status < 400 || json.Unmarshal(refused.body, &e) != nil {
		return refused
	}
	return jsonAnswer(refused.status, map[string]any{"code": refused.status, "message": e.Error + ": " + e.Description}).
		with("Cache-Control", "no-store")
}

// discovery serves the document that openIdConnectUrl in the API document points to. Its issuer is
// the origin that the client used.
func (s *Sandbox) discovery(c call) answer {
	origin := originOf(c.request)
	document := map[string]any{
		"issuer":                                     origin,
		"token_endpoint":                             origin + pathToken,
		"token_endpoint_auth_methods_supported":      s.tokens.authMethods(),
		"grant_types_supported":                      []any{"client_credentials", cibaGrant, jwtBearerGrant},
		"backchannel_authentication_endpoint":        origin + pathBackchannel,
		"backchannel_token_delivery_modes_supported": []any{"poll"},
		"scopes_supported":                           s.scopes(),
	}
	s.overrides.apply(&s.overrides.discovery, document)
	return jsonAnswer(http.StatusOK, document)
}

// originOf returns the scheme and host that the client used.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
