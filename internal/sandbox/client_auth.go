package sandbox

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The methods by which a client can prove who it is, as discovery names them (RFC 7591 §2).
const (
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
	methodKey   = "private_key_jwt"
)

// assertionAlgorithms are those that CAMARA's security profile allows.
var assertionAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertion is how far ahead an assertion may expire, as CAMARA's security profile has it.
const maxAssertion = 5 * time.Minute

// ClientCredentials is an OAuth client. A session belongs to the client that created it.
type ClientCredentials struct {
	ID, Secret string
	// Keys are the public keys of those with which it signs assertions. One with an id counts only
	// for assertions with that id, or without one.
	Keys []jose.JSONWebKey
	// Method is the only authentication method that it may use; empty: all that it can.
	Method string
	Scopes []string // what it may request; nil: all of the API
}

// may reports whether the client can use an authentication method, and is allowed to.
func (c ClientCredentials) may(method string) bool {
	can := c.Secret != ""
	if method == methodKey {
		can = len(c.Keys) > 0
	}
	return can && (c.Method == "" || c.Method == method)
}

// authenticateClient returns the client that posted a form to the authorization server, with the
// proof that it chose (RFC 6749 §2.3, RFC 7523 §2.2).
func (s *Sandbox) authenticateClient(r *http.Request, form url.Values) (ClientCredentials, *answer) {
	id, secret, method := form.Get("client_id"), form.Get("client_secret"), methodPost
	basicID, basicSecret, basic := basicCredentials(r)
	assertion := form.Has("client_assertion")
	switch {
	case basic && (assertion || form.Has("client_secret")), assertion && form.Has("client_secret"):
		return ClientCredentials{}, new(oauthError(http.StatusBadRequest, "invalid_request",
			"the client uses two authentication methods in one request"))
	case assertion && form.Get("client_assertion_type") != assertionType:
		return ClientCredentials{}, new(oauthError(http.StatusBadRequest, "invalid_request",
			"the client_assertion_type is not "+assertionType))
	case assertion:
		return s.tokens.clientOfAssertion(form.Get("client_assertion"), id, originOf(r), r.URL.Path)
	case basic:
		id, secret, method = basicID, basicSecret, methodBasic
	}
	client, ok := s.tokens.clientWithSecret(id, secret, method)
	if !ok {
		return ClientCredentials{}, invalidClient("the client is unknown, its secret is wrong, or it may not use " + method)
	}
	return client, nil
}

func invalidClient(description string) *answer {
	return new(oauthError(http.StatusUnauthorized, "invalid_client", description).
		with("WWW-Authenticate", `Basic realm="qod-sandbox"`))
}

func (t *tokens) clientWithSecret(id, secret, method string) (ClientCredentials, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		if c.ID == id && c.may(method) && subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1 {
			return c, true
		}
	}
	return ClientCredentials{}, false
}

// clientOfAssertion is the client that an assertion is of. Its subject is the client itself.
func (t *tokens) clientOfAssertion(assertion, id, origin, path string) (ClientCredentials, *answer) {
	client, claims, problem := t.checkAssertion(assertion, origin, path)
	if problem == "" && (claims.Subject != client.ID || id != "" && id != client.ID) {
		problem = "the assertion is not of the client that sent it"
	}
	if problem != "" {
		return ClientCredentials{}, invalidClient(problem)
	}
	return client, nil
}

// hasSigned reports whether one of the client's keys has signed a JWT, whose claims it reads.
func (c ClientCredentials) hasSigned(token *jwt.JSONWebToken, claims *assertionClaims) bool {
	wanted := token.Headers[0].KeyID
	return slices.ContainsFunc(c.Keys, func(key jose.JSONWebKey) bool {
		return (wanted == "" || key.KeyID == "" || wanted == key.KeyID) && token.Claims(key.Key, claims) == nil
	})
}

// isFirst reports whether an assertion is seen for the first time. It needs the lock.
func (t *tokens) isFirst(id string, expires, now time.Time) bool {
	maps.DeleteFunc(t.assertions, func(_ string, at time.Time) bool { return !now.Before(at) })
	_, seen := t.assertions[id]
	t.assertions[id] = expires
	return !seen
}

// authMethods are those that discovery offers: what at least one client may use.
func (t *tokens) authMethods() []any {
	t.mu.Lock()
	defer t.mu.Unlock()
	var offered []any
	for _, method := range []string{methodBasic, methodPost, methodKey} {
		if slices.ContainsFunc(t.clients, func(c ClientCredentials) bool { return c.may(method) }) {
			offered = append(offered, method)
		}
	}
	return offered
}

// basicCredentials decodes the form encoding that RFC 6749 §2.3.1 applies before that of Basic.
func basicCredentials(r *http.Request) (id, secret string, ok bool) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		return user, password, true
	}
	return id, secret, true
}
