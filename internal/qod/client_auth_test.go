// The client proves who it is by the method that it is told, or that the server offers, with a new
// assertion for every request; and what gateways want beside goes where it belongs, and nowhere
// else.
package qod_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const keyClient = "key-client"

// tokenForms are what was posted to the token endpoint.
func tokenForms(t *testing.T, n *qodtest.Network) []url.Values {
	t.Helper()
	var forms []url.Values
	for _, r := range n.Requests(sandbox.OpToken) {
		forms = append(forms, must(url.ParseQuery(string(r.Body))))
	}
	return forms
}

// withKey is a network whose client has a key and no secret.
func withKey(t *testing.T, change func(*qod.Config), f func(t *testing.T, n *qodtest.Network)) {
	t.Helper()
	client, private := qodtest.KeyClient(t, keyClient)
	key, problem := qod.ParsePrivateKey(private)
	if problem != "" {
		t.Fatal(problem)
	}
	qodtest.InBubble(t, qodtest.Options{
		Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{client}},
		Client: func(c *qod.Config) {
			c.ClientID, c.ClientSecret, c.PrivateKey = keyClient, "", key
			if change != nil {
				change(c)
			}
		},
	}, f)
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	offers := func(methods ...any) func(map[string]any) {
		return func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = methods }
	}
	registered, private := qodtest.KeyClient(t, keyClient)
	registered.Secret = "key-secret"
	key, _ := qod.ParsePrivateKey(private)
	both := func(method qod.AuthMethod) func(*qod.Config) {
		return func(c *qod.Config) { c.PrivateKey, c.AuthMethod = key, method }
	}
	for name, test := range map[string]struct {
		client    func(*qod.Config)
		discovery func(map[string]any)
		want      qod.AuthMethod
	}{
		"a secret":                            {want: qod.ClientSecretBasic},
		"a secret, post offered first":        {discovery: offers("client_secret_post", "client_secret_basic"), want: qod.ClientSecretBasic},
		"a secret, Basic not offered":         {discovery: offers("client_secret_post", "none"), want: qod.ClientSecretPost},
		"a secret, only assertions offered":   {discovery: offers("private_key_jwt"), want: qod.ClientSecretBasic},
		"a secret, post is told":              {client: func(c *qod.Config) { c.AuthMethod = qod.ClientSecretPost }, want: qod.ClientSecretPost},
		"a secret, Basic is told":             {client: func(c *qod.Config) { c.AuthMethod = qod.ClientSecretBasic }, discovery: offers("client_secret_post"), want: qod.ClientSecretBasic},
		"a secret, post is told, no document": {client: func(c *qod.Config) { c.AuthMethod, c.TokenURL = qod.ClientSecretPost, qodtest.Gateway+"/oauth/token" }, want: qod.ClientSecretPost},
		"a key":                               {client: func(c *qod.Config) { c.ClientSecret, c.PrivateKey = "", key }, want: qod.PrivateKeyJWT},
		"a key, not offered":                  {client: func(c *qod.Config) { c.ClientSecret, c.PrivateKey = "", key }, discovery: offers("client_secret_basic"), want: qod.PrivateKeyJWT},
		"both, a key is told":                 {client: both(qod.PrivateKeyJWT), want: qod.PrivateKeyJWT},
		"both, Basic is told":                 {client: both(qod.ClientSecretBasic), want: qod.ClientSecretBasic},
		"both, post is told":                  {client: both(qod.ClientSecretPost), want: qod.ClientSecretPost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := registered
			only.Method = string(test.want) // no other would be accepted
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{only}},
				Client: func(c *qod.Config) {
					c.ClientID, c.ClientSecret = registered.ID, registered.Secret
					if test.client != nil {
						test.client(c)
					}
				},
			}, func(t *testing.T, n *qodtest.Network) {
				if test.discovery != nil {
					n.Discovery(test.discovery)
				} else {
					n.Discovery(offers("client_secret_basic", "client_secret_post", "private_key_jwt"))
				}
				mustList(t, n)
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
				want := map[qod.AuthMethod][]string{
					qod.ClientSecretBasic: {"grant_type", "scope"},
					qod.ClientSecretPost:  {"client_id", "client_secret", "grant_type", "scope"},
					qod.PrivateKeyJWT:     {"client_assertion", "client_assertion_type", "client_id", "grant_type", "scope"},
				}[test.want]
				if got := slices.Sorted(maps.Keys(tokenForms(t, n)[0])); !slices.Equal(got, want) {
					t.Errorf("the form has %v, want %v", got, want)
				}
				basic := n.Requests(sandbox.OpToken)[0].Header.Get("Authorization") != ""
				qodtest.Equal(t, "Basic", basic, test.want == qod.ClientSecretBasic)
			})
		})
	}
}

// What an assertion says, and how it is signed.
func TestAssertion(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key       any
		public    any
		algorithm string
		id        string
		audience  string // empty: the URL of the token endpoint
	}{
		"RSA":     {key: rsaKey(), public: rsaKey().Public(), algorithm: "RS256"},
		"P-256":   {key: p256Key(), public: p256Key().Public(), algorithm: "ES256", id: "key-2026"},
		"Ed25519": {key: edKey(), public: edKey().Public(), algorithm: "EdDSA", audience: qodtest.Gateway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, _ := qod.ParsePrivateKey(qodtest.PEM(t, test.key))
			registered := sandbox.ClientCredentials{ID: keyClient, Keys: []jose.JSONWebKey{{Key: edKey().Public(), KeyID: "another"}, {Key: test.public, KeyID: test.id}}}
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{registered}},
				Client: func(c *qod.Config) {
					c.ClientID, c.ClientSecret, c.PrivateKey, c.PrivateKeyID, c.AssertionAudience = keyClient, "", key, test.id, test.audience
				},
			}, func(t *testing.T, n *qodtest.Network) {
				mustList(t, n)
				signed := must(jwt.ParseSigned(tokenForms(t, n)[0].Get("client_assertion"), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(test.algorithm)}))
				var claims map[string]any
				if err := signed.Claims(test.public, &claims); err != nil {
					t.Fatal(err)
				}
				qodtest.Equal(t, "kid", signed.Headers[0].KeyID, test.id)
				qodtest.Equal(t, "typ", signed.Headers[0].ExtraHeaders[jose.HeaderType], any("JWT"))
				audience := test.audience
				if audience == "" {
					audience = qodtest.Gateway + "/oauth/token"
				}
				now := float64(n.Requests(sandbox.OpToken)[0].At.Unix())
				for claim, want := range map[string]any{"iss": keyClient, "sub": keyClient, "aud": audience, "iat": now, "exp": now + 180} {
					qodtest.Equal(t, claim, claims[claim], want)
				}
				qodtest.Equal(t, "claims", len(claims), 6)
			})
		})
	}
}

// A server refuses an assertion that it has seen, even if it has answered with a failure.
func TestAssertionsAreFresh(t *testing.T) {
	t.Parallel()
	withKey(t, nil, func(t *testing.T, n *qodtest.Network) {
		n.Intercept = func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path == "/oauth/token" && r.GetBody != nil {
				t.Error("net/http could send the assertion again by itself")
			}
			return next.RoundTrip(r)
		}
		n.InjectFault(sandbox.OpToken, 1, sandbox.DropAfterCommit())
		n.InjectFault(sandbox.OpToken, 1, sandbox.Status(503, ""))
		mustList(t, n)
		time.Sleep(2 * time.Hour) // the token expires
		mustList(t, n)
		n.RevokeTokens()
		mustList(t, n)
		ids := map[string]bool{}
		for _, form := range tokenForms(t, n) {
			ids[form.Get("client_assertion")] = true
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 5)
		qodtest.Equal(t, "different assertions", len(ids), 5)
	})
}

// A token that ends during the run costs one request for another, as with a secret.
func TestKeyDuringTheRun(t *testing.T) {
	t.Parallel()
	withKey(t, nil, func(t *testing.T, n *qodtest.Network) {
		for _, err := range concurrently(50, func() error { return list(t, n) }) {
			if err != nil {
				t.Error(err)
			}
		}
		n.RevokeTokens()
		for _, err := range concurrently(50, func() error { return list(t, n) }) {
			if err != nil {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 2)
	})
}

// A client that is refused asks once, by whatever method, and the error names it.
func TestRefusedClientNamesTheMethod(t *testing.T) {
	t.Parallel()
	for _, method := range qod.AuthMethods() {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			withKey(t, func(c *qod.Config) { c.ClientID, c.ClientSecret, c.AuthMethod = "nobody", "wrong", method }, func(t *testing.T, n *qodtest.Network) {
				for range 3 {
					e := qodtest.ErrorAs[*qod.TokenError](t, list(t, n))
					qodtest.Equal(t, "code", e.Code, "invalid_client")
					qodtest.Equal(t, "method", e.Method, method)
					time.Sleep(time.Minute)
				}
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
			})
		})
	}
}

// Parameters are part of token requests only. Without scopes, none are sent.
func TestTokenParameters(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) {
		c.Scopes, c.TokenParameters = nil, map[string]string{"audience": "https://api.example/?a=b&c", "resource": "qod"}
	}}, func(t *testing.T, n *qodtest.Network) {
		mustList(t, n)
		want := url.Values{"grant_type": {"client_credentials"}, "audience": {"https://api.example/?a=b&c"}, "resource": {"qod"}}
		qodtest.Equal(t, "the form", tokenForms(t, n)[0].Encode(), want.Encode())
		for _, r := range n.Requests(sandbox.OpDiscovery, sandbox.OpRead) {
			if strings.Contains(r.Path, "audience") || strings.Contains(string(r.Body), "audience") {
				t.Errorf("%s is sent the parameters", r.Operation)
			}
		}
	})
}

func TestCheckTokenParameter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type",
		"assertion", "auth_req_id", "login_hint", "binding_message", "refresh_token", "", "a b", "ñ",
	} {
		if qod.CheckTokenParameter(name, "x") == "" {
			t.Errorf("%q is allowed", name)
		}
	}
	for _, name := range []string{"audience", "resource", "tenant", "authorization_details"} {
		if problem := qod.CheckTokenParameter(name, "any thing"); problem != "" {
			t.Errorf("%q %s", name, problem)
		}
	}
	if qod.CheckTokenParameter("audience", "") == "" {
		t.Error("an empty parameter is allowed")
	}
}

// Headers are for the API, and for nobody else.
func TestHeaders(t *testing.T) {
	t.Parallel()
	key := map[string]string{"x-gateway-key": "k3y value", "X-Gateway-Host": "qod.example"}
	qodtest.InBubble(t, qodtest.Options{
		Sandbox: sandbox.Config{RequiredHeaders: key},
		Client:  func(c *qod.Config) { c.Headers = key },
	}, func(t *testing.T, n *qodtest.Network) {
		mustList(t, n)
		for _, r := range n.Requests() {
			forAPI := r.Operation != sandbox.OpToken && r.Operation != sandbox.OpDiscovery
			for name, value := range key {
				if got := r.Header.Get(name); (got == value) != forAPI || got != "" != forAPI {
					t.Errorf("%s has %s: %q", r.Operation, name, got)
				}
			}
		}
	})
}

// Headers alone are credentials: no token is asked for, and none is sent. Once they are refused,
// nothing else is sent.
func TestHeadersAlone(t *testing.T) {
	t.Parallel()
	key := map[string]string{"X-Gateway-Key": "k3y"}
	alone := func(c *qod.Config) { c.ClientID, c.ClientSecret, c.Headers = "", "", key }
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{RequiredHeaders: key, TrustHeaders: true}, Client: alone}, func(t *testing.T, n *qodtest.Network) {
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil || s.ID == "" {
			t.Fatal(err)
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken)+n.Count(sandbox.OpDiscovery), 0)
		qodtest.Equal(t, "origin", n.Origin(), qodtest.Gateway+"/v1 as headers")
		for _, r := range n.Requests() {
			if _, sent := r.Header["Authorization"]; sent {
				t.Errorf("%s has an Authorization header", r.Operation)
			}
		}
		n.InjectFault(sandbox.OpRead, 1, sandbox.Status(403, `{"message":"You are not subscribed to this API."}`))
		if e := qodtest.ErrorAs[*qod.Error](t, list(t, n)); e.Status != http.StatusForbidden || e.Scope != "" {
			t.Errorf("%d, scope %q", e.Status, e.Scope)
		}
	})
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{RequiredHeaders: key, TrustHeaders: true}, Client: alone}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested})
		n.InjectFault(sandbox.OpRead, -1, sandbox.Status(401, ""))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := n.Await(ctx, qod.Ref{ID: s.ID})
		qodtest.Equal(t, "why the wait ends", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitUnauthorized)
	})
	wrong := func(c *qod.Config) { alone(c); c.Headers = map[string]string{"X-Gateway-Key": "wrong"} }
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{RequiredHeaders: key, TrustHeaders: true}, Client: wrong}, func(t *testing.T, n *qodtest.Network) {
		for range 3 {
			if err := list(t, n); !errors.Is(err, qod.ErrHeadersRefused) {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "requests", len(n.Requests()), 1)
	})
}

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"":                    "has no name",
		"X Key":               "RFC 9110",
		"X-Key:":              "RFC 9110",
		"X-Key\r\nX-Evil":     "RFC 9110",
		"X-Schlüssel":         "RFC 9110",
		"authorization":       "access_token",
		"HOST":                "endpoint",
		"Connection":          "connection",
		"te":                  "connection",
		"Transfer-Encoding":   "connection",
		"Proxy-Connection":    "connection",
		"Upgrade":             "connection",
		"Proxy-Authorization": "HTTPS_PROXY",
		"content-length":      "body",
		"Content-Type":        "body",
		"User-Agent":          "sets itself",
		"x-correlator":        "sets itself",
		"Accept":              "sets itself",
		"Idempotency-Key":     "what the API's answers mean",
		"If-None-Match":       "what the API's answers mean",

		"X-HTTP-Method-Override": "what the API's answers mean",
	} {
		if problem := qod.CheckHeader(name, "x"); !strings.Contains(problem, says) || problem == "" {
			t.Errorf("%q: %q does not say %q", name, problem, says)
		}
	}
	for value, says := range map[string]string{
		"": "empty", " x": "at its beginning or end", "x\n": "at its beginning or end", "x\r\ny": "line feed", "clé": "visible ASCII", "x\x7f": "visible ASCII",
	} {
		if problem := qod.CheckHeader("X-Key", value); !strings.Contains(problem, says) || problem == "" {
			t.Errorf("the value %q: %q does not say %q", value, problem, says)
		}
	}
	for _, name := range []string{"X-RapidAPI-Key", "apikey", "Ocp-Apim-Subscription-Key", "x_1", "X-Forwarded-For"} {
		if problem := qod.CheckHeader(name, "Basic abc/+= x"); problem != "" {
			t.Errorf("%q %s", name, problem)
		}
	}
}

// What does not go together makes no client.
func TestCredentialsThatDoNotMakeAClient(t *testing.T) {
	t.Parallel()
	key, _ := qod.ParsePrivateKey(qodtest.PEM(t, edKey()))
	for says, change := range map[string]func(*qod.Config){
		"client_secret_basic needs a client secret": func(c *qod.Config) { c.ClientSecret = "" },
		"client_secret_post needs a client secret":  func(c *qod.Config) { c.ClientSecret, c.PrivateKey, c.AuthMethod = "", key, qod.ClientSecretPost },
		"private_key_jwt needs a private key":       func(c *qod.Config) { c.AuthMethod = qod.PrivateKeyJWT },
		"no authentication method tls_client_auth":  func(c *qod.Config) { c.AuthMethod = "tls_client_auth" },
		"no client id": func(c *qod.Config) { c.ClientID = "" },
		`the token parameter "scope" is one that`:   func(c *qod.Config) { c.TokenParameters = map[string]string{"scope": "x"} },
		`the token parameter "Scope" is one that`:   func(c *qod.Config) { c.TokenParameters = map[string]string{"Scope": "x"} },
		`the header "Host" is the host of endpoint`: func(c *qod.Config) { c.Headers = map[string]string{"Host": "x"} },
	} {
		config := qodtest.Config(qodtest.Gateway)
		change(&config)
		if _, err := qod.New(config); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}
