//go:build oidc

// The client and an authorization server that others have written, npm's oidc-provider, understand
// each other: the sandbox could have our own mistakes. Run it with make oidc-check.
package qod_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// oddSecret has what the form encoding of RFC 6749 §2.3.1 is for.
const oddSecret = "p%ss/word+&=?:9 x"

// gateway is an API in front of oidc-provider: it issues the tokens that the API accepts.
type gateway struct {
	*httptest.Server
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	forms  []url.Values // sent to the token endpoint
	bearer string       // the last that the API was sent
	lose   int          // answers of the authorization server that get lost
	// loseOnly says for which forms; nil: for all.
	loseOnly func(url.Values) bool
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		g.mu.Lock()
		g.bearer = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		g.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("X-Gateway-Key") != "k3y" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "[]")
		return
	}
	if r.Header.Get("X-Gateway-Key") != "" {
		http.Error(w, "the authorization server is sent a header for the API", http.StatusTeapot)
		return
	}
	answer := httptest.NewRecorder()
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.proxy.ServeHTTP(answer, r)
	g.mu.Lock()
	form, err := url.ParseQuery(string(body))
	lost := g.lose > 0 && r.Method == http.MethodPost && (g.loseOnly == nil || g.loseOnly(form))
	if err == nil && r.Method == http.MethodPost {
		g.forms = append(g.forms, form)
	}
	if lost {
		g.lose--
	}
	g.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = answer.Body.WriteTo(w)
}

// startOIDCProvider starts the server with these clients behind a gateway.
func startOIDCProvider(t *testing.T, dir string, clients []map[string]any) *gateway {
	t.Helper()
	g := &gateway{}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	node := exec.CommandContext(t.Context(), "node", "server.mjs", g.URL, string(must(json.Marshal(clients))))
	node.Dir = dir
	var said bytes.Buffer
	node.Stderr = &said
	stdin := must(node.StdinPipe())
	stdout := must(node.StdoutPipe())
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close(); _ = node.Wait() })
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("oidc-provider does not start: %v\n%s", err, &said)
	}
	target := must(url.Parse("http://127.0.0.1:" + strings.TrimSpace(port)))
	g.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}}
	return g
}

func TestOIDCProvider(t *testing.T) {
	dir := os.Getenv("QOD_OIDC_PROVIDER") // which make oidc-check sets
	keys := map[string]any{"RS256": rsaKey(), "ES256": p256Key(), "EdDSA": edKey()}
	publicKeys := map[string]any{"RS256": rsaKey().Public(), "ES256": p256Key().Public(), "EdDSA": edKey().Public()}
	clients := []map[string]any{
		{"client_id": "basic", "client_secret": oddSecret, "token_endpoint_auth_method": "client_secret_basic"},
		{"client_id": "post", "client_secret": oddSecret, "token_endpoint_auth_method": "client_secret_post"},
	}
	for algorithm, public := range publicKeys {
		clients = append(clients, map[string]any{
			"client_id": algorithm, "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": algorithm,
			"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "key-1", Algorithm: algorithm, Use: "sig"}}},
		})
	}
	g := startOIDCProvider(t, dir, clients)
	withSecret := func(id string, method qod.AuthMethod) func(*qod.Config) {
		return func(c *qod.Config) { c.ClientID, c.ClientSecret, c.AuthMethod = id, oddSecret, method }
	}
	withKey := func(id string, key any) func(*qod.Config) {
		parsed, problem := qod.ParsePrivateKey(qodtest.PEM(t, key))
		if problem != "" {
			t.Fatal(problem)
		}
		return func(c *qod.Config) { c.ClientID, c.ClientSecret, c.PrivateKey = id, "", parsed }
	}
	for name, test := range map[string]struct {
		client   func(*qod.Config)
		lose     int
		code     string // of the refusal; empty: none
		requests int    // of tokens; 0: one
	}{
		"Basic":             {client: withSecret("basic", "")},
		"Basic, told":       {client: withSecret("basic", qod.ClientSecretBasic)},
		"post":              {client: withSecret("post", qod.ClientSecretPost)},
		"RSA":               {client: withKey("RS256", keys["RS256"])},
		"P-256":             {client: withKey("ES256", keys["ES256"])},
		"Ed25519":           {client: withKey("EdDSA", keys["EdDSA"])},
		"with the key's id": {client: func(c *qod.Config) { withKey("ES256", keys["ES256"])(c); c.PrivateKeyID = "key-1" }},
		"for the issuer":    {client: func(c *qod.Config) { withKey("ES256", keys["ES256"])(c); c.AssertionAudience = g.URL }},
		"with a resource": {client: func(c *qod.Config) {
			withKey("ES256", keys["ES256"])(c)
			c.TokenParameters = map[string]string{"resource": "https://api.example/qod"}
		}},
		"without scopes":             {client: func(c *qod.Config) { withSecret("basic", "")(c); c.Scopes = nil }},
		"an answer that gets lost":   {client: withKey("RS256", keys["RS256"]), lose: 1, requests: 2},
		"a wrong secret":             {client: func(c *qod.Config) { withSecret("basic", "")(c); c.ClientSecret = "wrong" }, code: "invalid_client"},
		"a secret in place of a key": {client: withSecret("ES256", qod.ClientSecretBasic), code: "invalid_client"},
		"another key":                {client: withKey("ES256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))), code: "invalid_client"},
		"another algorithm":          {client: withKey("ES256", keys["EdDSA"]), code: "invalid_client"},
		"another audience":           {client: func(c *qod.Config) { withKey("ES256", keys["ES256"])(c); c.AssertionAudience = "https://other.example" }, code: "invalid_client"},
		"an unknown client":          {client: withSecret("nobody", ""), code: "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			g.mu.Lock()
			g.forms, g.bearer, g.lose = nil, "", test.lose
			g.mu.Unlock()
			config := qodtest.Config(g.URL + "/v1")
			config.Scopes = []string{sandbox.ScopeRead, sandbox.ScopeWrite}
			config.Headers = map[string]string{"X-Gateway-Key": "k3y"}
			test.client(&config)
			_, err := must(qod.New(config)).List(t.Context(), qod.Filter{})
			want := max(test.requests, 1)
			if len(g.forms) != want {
				t.Errorf("%d token requests, want %d", len(g.forms), want)
			}
			if test.code != "" {
				if e := qodtest.ErrorAs[*qod.TokenError](t, err); e.Code != test.code {
					t.Errorf("%s, want %s", e.Code, test.code)
				}
				return
			}
			if err != nil || g.bearer == "" {
				t.Fatalf("the API was sent %q: %v", g.bearer, err)
			}
			if resource := config.TokenParameters["resource"]; resource != "" {
				var claims jwt.Claims
				token := must(jwt.ParseSigned(g.bearer, []jose.SignatureAlgorithm{jose.RS256}))
				if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || !claims.Audience.Contains(resource) {
					t.Errorf("the token is for %v: %v", claims.Audience, err)
				}
			}
		})
	}
	// Why each request needs a new assertion.
	t.Run("an assertion that is used again", func(t *testing.T) {
		config := qodtest.Config(g.URL + "/v1")
		config.Headers = map[string]string{"X-Gateway-Key": "k3y"}
		withKey("EdDSA", keys["EdDSA"])(&config)
		if _, err := must(qod.New(config)).List(t.Context(), qod.Filter{}); err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Timeout: time.Minute}
		again, err := client.PostForm(g.URL+"/token", g.forms[len(g.forms)-1]) //nolint:noctx // it ends in time
		if err != nil {
			t.Fatal(err)
		}
		defer again.Body.Close()
		if body := must(io.ReadAll(again.Body)); again.StatusCode != http.StatusUnauthorized || !bytes.Contains(body, []byte("invalid_client")) {
			t.Errorf("%d: %s", again.StatusCode, body)
		}
	})
}

// CIBA as another server has it: what it refuses, how it polls, and that a token comes once.
func TestOIDCProviderCIBA(t *testing.T) {
	dir := os.Getenv("QOD_OIDC_PROVIDER")
	clients := []map[string]any{
		{"client_id": "basic", "client_secret": oddSecret, "token_endpoint_auth_method": "client_secret_basic"},
		{"client_id": "post", "client_secret": oddSecret, "token_endpoint_auth_method": "client_secret_post"},
		{
			"client_id": "key", "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
			"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p256Key().Public(), KeyID: "key-1", Algorithm: "ES256", Use: "sig"}}},
		},
	}
	g := startOIDCProvider(t, dir, clients)
	withKey := func(c *qod.Config) {
		parsed, problem := qod.ParsePrivateKey(qodtest.PEM(t, p256Key()))
		if problem != "" {
			t.Fatal(problem)
		}
		c.ClientID, c.ClientSecret, c.PrivateKey = "key", "", parsed
	}
	const agrees, agreesLater, denies, never, unknown = "+34600000001", "+34600000002", "+34600000003", "+34600000004", "+34600000005"
	isAsk := func(form url.Values) bool { return form.Has("login_hint") }
	for name, test := range map[string]struct {
		client func(*qod.Config)
		phone  string
		lose   func(url.Values) bool // the first such answer
		code   string
		asked  int // people; 0: one
		polls  int // at least
	}{
		"Basic":          {phone: agrees, polls: 1},
		"post":           {client: func(c *qod.Config) { c.ClientID, c.AuthMethod = "post", qod.ClientSecretPost }, phone: agrees, polls: 1},
		"a key":          {client: withKey, phone: agrees, polls: 1},
		"a key, later":   {client: withKey, phone: agreesLater, polls: 2},
		"agrees later":   {phone: agreesLater, polls: 2},
		"denied":         {phone: denies, code: "access_denied", polls: 1},
		"never":          {phone: never, code: "expired_token", polls: 2},
		"nobody":         {phone: unknown, code: "unknown_user_id"},
		"without openid": {client: func(c *qod.Config) { c.Scopes = c.Scopes[1:] }, phone: agrees, code: "invalid_request"},
		"a wrong secret": {client: func(c *qod.Config) { c.ClientSecret = "wrong" }, phone: agrees, code: "invalid_client"},
		"a token that gets lost": {
			phone: agrees, asked: 2, polls: 3, lose: func(form url.Values) bool { return form.Has("auth_req_id") },
		},
		"an authorization that gets lost": {phone: agrees, asked: 2, polls: 1, lose: isAsk},
	} {
		t.Run(name, func(t *testing.T) {
			g.mu.Lock()
			g.forms, g.bearer, g.lose, g.loseOnly = nil, "", 0, test.lose
			if test.lose != nil {
				g.lose = 1
			}
			g.mu.Unlock()
			config := qodtest.Config(g.URL + "/v1")
			config.Grant, config.ClientID, config.ClientSecret = qod.CIBA, "basic", oddSecret
			config.Scopes = []string{"openid", "dpv:RequestedServiceProvision", sandbox.ScopeRead, sandbox.ScopeWrite}
			config.Headers = map[string]string{"X-Gateway-Key": "k3y"}
			if test.client != nil {
				test.client(&config)
			}
			client := must(qod.New(config))
			device := qod.Device{PhoneNumber: test.phone}
			var err error
			for range 2 {
				_, err = client.List(t.Context(), qod.Filter{Device: device})
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			asked, polls := 0, 0
			for _, form := range g.forms {
				if isAsk(form) {
					asked++
				} else {
					polls++
				}
			}
			if test.code == "" {
				if want := max(test.asked, 1); asked != want || polls < test.polls {
					t.Errorf("%d people asked, want %d; %d polls, want %d", asked, want, polls, test.polls)
				}
				if err != nil || g.bearer == "" {
					t.Errorf("the API was sent %q: %v", g.bearer, err)
				}
				return
			}
			if e := qodtest.ErrorAs[*qod.TokenError](t, err); e.Code != test.code {
				t.Errorf("%s, want %s: %v", e.Code, test.code, err)
			}
			if polls < test.polls || test.polls > 0 && asked != 1 {
				t.Errorf("%d people asked, and %d polls, want %d", asked, polls, test.polls)
			}
		})
	}
}
