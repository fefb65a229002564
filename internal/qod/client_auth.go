package qod

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// AuthMethod is how the client proves who it is to the authorization server, by its name in RFC
// 7591 §2 (token_endpoint_auth_method).
type AuthMethod string

// The methods: two ways to send the secret (RFC 6749 §2.3.1), and a signed assertion (RFC 7523).
const (
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
)

// AuthMethods are all of them.
func AuthMethods() []AuthMethod {
	return []AuthMethod{ClientSecretBasic, ClientSecretPost, PrivateKeyJWT}
}

// chooseAuthMethod is the configured method; none with a grant that needs none; else the key's, if
// there is a key; else what the authorization server offers, Basic first. RFC 6749 §2.3.1 requires
// Basic of every server, so it is also the method where nothing is known of the server.
func (c *Config) chooseAuthMethod(offered []string) AuthMethod {
	switch {
	case c.AuthMethod != "":
		return c.AuthMethod
	case c.Grant == JWTBearer:
		return "" // its assertion says who the client is, and nothing else may
	case c.PrivateKey != nil:
		return PrivateKeyJWT
	case !slices.Contains(offered, string(ClientSecretBasic)) && slices.Contains(offered, string(ClientSecretPost)):
		return ClientSecretPost
	}
	return ClientSecretBasic
}

// checkClient says what is missing for the client to prove who it is.
func (c *Config) checkClient() error {
	method := c.chooseAuthMethod(nil)
	switch {
	case c.ClientID == "":
		return errors.New("there is no client id, no access token and no header that could stand for them")
	case c.Grant == JWTBearer && method != "":
		return fmt.Errorf("with the grant %s, a client authenticates by the assertion alone, and not by %s", c.Grant, method)
	case c.Grant == JWTBearer && c.PrivateKey == nil:
		return fmt.Errorf("the grant %s needs a private key", c.Grant)
	case c.Grant == JWTBearer:
		return nil
	case !slices.Contains(AuthMethods(), method):
		return fmt.Errorf("there is no authentication method %s", method)
	case method == PrivateKeyJWT && c.PrivateKey == nil:
		return errors.New("private_key_jwt needs a private key")
	case method != PrivateKeyJWT && c.ClientSecret == "":
		return fmt.Errorf("%s needs a client secret", method)
	}
	return nil
}

// authenticate adds to a form what proves who the client is to the endpoint of the authorization
// server to which it is about to be posted. The form must not be sent twice: servers refuse an
// assertion that they have seen.
func (c *Config) authenticate(method AuthMethod, endpoint string, form url.Values, header http.Header) error {
	switch method {
	case ClientSecretPost:
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
	case PrivateKeyJWT:
		audience := cmp.Or(c.AssertionAudience, endpoint)
		assertion, err := c.assertion(c.ClientID, audience, "")
		if err != nil {
			return err
		}
		form.Set("client_id", c.ClientID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	case ClientSecretBasic:
		basic := http.Request{Header: header}
		basic.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	}
	return nil
}

// assertionLifetime is how long an assertion is valid. CAMARA allows five minutes, which a server
// counts by its own clock: so this machine's clock may be up to two minutes ahead of it, and up to
// three behind.
const assertionLifetime = 3 * time.Minute

// assertion is a new JWT of the client (RFC 7523 §3) about a subject, which is the client itself
// where that has to prove who it is. No two have the same id.
func (c *Config) assertion(subject, audience, scope string) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: c.PrivateKey.algorithm, Key: jose.JSONWebKey{Key: c.PrivateKey.key, KeyID: c.PrivateKeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", errors.New("the private key cannot sign")
	}
	now := time.Now()
	signed, err := jwt.Signed(signer).Claims(assertionClaims{
		Issuer: c.ClientID, Subject: subject, Audience: audience, ID: uuid.NewString(), Scope: scope,
		IssuedAt: now.Unix(), Expires: now.Add(assertionLifetime).Unix(),
	}).Serialize()
	if err != nil {
		return "", errors.New("the private key cannot sign")
	}
	return signed, nil
}

// assertionClaims are jwt.Claims, but for the audience, which that writes as a list. Not every
// server reads one.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	Scope    string `json:"scope,omitempty"`
}

// ownParameters are those that grants and client authentication use themselves, in requests to the
// token endpoint or to that of CIBA (OpenID Connect CIBA Core §7.1).
var ownParameters = []string{
	"grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type",
	"assertion", "auth_req_id", "login_hint", "login_hint_token", "id_token_hint",
	"client_notification_token", "binding_message", "user_code", "request", "request_uri",
	"code", "code_verifier", "redirect_uri", "device_code", "refresh_token", "username", "password",
}

// CheckTokenParameter reports why a parameter must not be added to token requests; an empty string
// means that it may.
func CheckTokenParameter(name, value string) string {
	switch {
	case name == "":
		return "has no name"
	case strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return "has a name with a space or another character that parameters of OAuth do not have"
	case slices.Contains(ownParameters, strings.ToLower(name)):
		return "is one that the provider sends itself, or that belongs to another grant"
	case value == "":
		return "is empty, which counts as left out (RFC 6749, section 3.2): leave it out"
	}
	return ""
}
