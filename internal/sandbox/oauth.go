package sandbox

import (
	"crypto/rand"
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
}

// grant is what a bearer token allows.
type grant struct {
	client string
	device *Device // that the token is bound to; nil: any
	scopes []string
	until  time.Time // zero: it does not expire
}

func newTokens(clock Clock, scopes []string, clients []ClientCredentials) *tokens {
	t := &tokens{clock: clock, scopes: scopes, issued: map[string]grant{}, assertions: map[string]time.Time{}}
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

func (t *tokens) add(token string, g grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	maps.DeleteFunc(t.issued, func(_ string, g grant) bool { return g.expired(now) })
	t.issued[token] = g
}

func (g grant) expired(now time.Time) bool { return !g.until.IsZero() && !now.Before(g.until) }

// lookup returns the grant of a bearer token, if it is valid.
func (t *tokens) lookup(token string) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.issued[token]
	return g, ok && !g.expired(t.clock.Now())
}

// token is the token endpoint, with the client credentials grant (RFC 6749 §4.4).
func (s *Sandbox) token(c call) answer {
	media, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	form, err := url.ParseQuery(string(c.body))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return oauthError(http.StatusBadRequest, "invalid_request", "the body is not a form")
	}
	client, refused := s.authenticateClient(c.request, form)
	if refused != nil {
		return *refused
	}
	switch form.Get("grant_type") {
	case "client_credentials":
		return s.issue(client, strings.Fields(form.Get("scope")))
	case "":
		return oauthError(http.StatusBadRequest, "invalid_request", "grant_type is missing")
	default:
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "only client_credentials is supported")
	}
}

// issue answers with a new token of the client, with all of its scopes if none is requested.
func (s *Sandbox) issue(client ClientCredentials, scopes []string) answer {
	if len(scopes) == 0 {
		scopes = client.Scopes
	}
	for _, scope := range scopes {
		if !slices.Contains(client.Scopes, scope) {
			return oauthError(http.StatusBadRequest, "invalid_scope", "the client may not use one of the requested scopes")
		}
	}
	issued := "sandbox-token-" + rand.Text()
	s.tokens.add(issued, grant{client: client.ID, scopes: scopes, until: s.clock.Now().Add(s.config.TokenLifetime)})
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

// discovery serves the document that openIdConnectUrl in the API document points to. Its issuer is
// the origin that the client used.
func (s *Sandbox) discovery(c call) answer {
	origin := originOf(c.request)
	document := map[string]any{
		"issuer":                                origin,
		"token_endpoint":                        origin + pathToken,
		"token_endpoint_auth_methods_supported": s.tokens.authMethods(),
		"grant_types_supported":                 []any{"client_credentials"},
		"scopes_supported":                      s.scopes(),
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
