package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// jwtBearerGrant is the grant type of RFC 7523 §2.1.
const jwtBearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// assertionClaims are the claims of an assertion. CAMARA's security profile has the scopes in it.
type assertionClaims struct {
	jwt.Claims
	Scope string `json:"scope"`
}

// jwtBearer is the token endpoint for a client that asserts who the subject is. The assertion
// proves who the client is as well, and has the scopes. Nobody is asked: consent has been given
// before, or is missing.
func (s *Sandbox) jwtBearer(r *http.Request, form url.Values) answer {
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type", "scope"} {
		if form.Has(name) {
			return oauthError(http.StatusBadRequest, "invalid_request", "the assertion stands for "+name+", which must not be sent")
		}
	}
	if r.Header.Get("Authorization") != "" {
		return oauthError(http.StatusBadRequest, "invalid_request", "the assertion stands for the client's authentication")
	}
	client, claims, problem := s.tokens.checkAssertion(form.Get("assertion"), originOf(r), r.URL.Path)
	if problem != "" {
		return oauthError(http.StatusBadRequest, "invalid_grant", problem)
	}
	device, ok := parseHint(claims.Subject)
	if !ok || device.PhoneNumber == "" {
		return oauthError(http.StatusBadRequest, "invalid_grant", "the subject of the assertion is no phone number (tel:+34600000001)")
	}
	scopes := strings.Fields(claims.Scope)
	if len(scopes) == 0 {
		return oauthError(http.StatusBadRequest, "invalid_scope", "the assertion has no scope")
	}
	if refused := client.checkScopes(scopes); refused != nil {
		return *refused
	}
	if consent := s.consentOf(device); consent.Answer != "" && consent.Answer != ConsentAgree || consent.After > 0 {
		return oauthError(http.StatusBadRequest, "invalid_grant", "there is no consent of the subject")
	}
	return s.issue(client, scopes, &device)
}

// checkAssertion checks an assertion, and returns who has signed it: its signature, that it is
// meant for this server (by the URL that it was posted to, or by the issuer), and its time and id.
// A problem says what is wrong with it.
func (t *tokens) checkAssertion(assertion, origin, path string) (client ClientCredentials, claims assertionClaims, problem string) {
	signed, err := jwt.ParseSigned(assertion, assertionAlgorithms)
	if err != nil {
		return ClientCredentials{}, claims, "the assertion is no JWT signed with RS256, ES256 or EdDSA"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := false
	for _, c := range t.clients {
		if c.may(methodKey) && c.hasSigned(signed, &claims) && claims.Issuer == c.ID {
			client, known = c, true
			break
		}
	}
	// An assertion carries the time of the machine that signed it, whatever a test makes of Clock.
	now := time.Now()
	switch {
	case !known:
		problem = "the assertion is of no client that may use private_key_jwt, or was signed with another key"
	case !claims.Audience.Contains(origin+path) && !claims.Audience.Contains(origin):
		problem = "the assertion is meant for another server (aud)"
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time()):
		problem = "the assertion has expired (exp)"
	case claims.Expiry.Time().Sub(now) > maxAssertion:
		problem = "the assertion expires more than five minutes from now (exp)"
	case claims.ID == "" || !t.isFirst(client.ID+" "+claims.ID, claims.Expiry.Time(), now):
		problem = "the assertion was used before, or has no id (jti)"
	}
	return client, claims, problem
}
