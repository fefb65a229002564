// Discovery finds the token endpoint once. The secret goes only to an https endpoint that the
// document of this very origin names.
package qod_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	set := func(field string, value any) func(*qodtest.Network) {
		return func(n *qodtest.Network) { n.Discovery(func(document map[string]any) { document[field] = value }) }
	}
	failDiscovery := func(effect sandbox.Effect) func(*qodtest.Network) {
		return func(n *qodtest.Network) { n.InjectFault(sandbox.OpDiscovery, -1, effect) }
	}
	tests := map[string]struct {
		endpoint string
		arrange  func(*qodtest.Network)
		says     string // the error does; empty: none
		status   int
		requests int // for the document; 0: once
	}{
		"as it should":             {},
		"an issuer with a slash":   {arrange: set("issuer", qodtest.Gateway+"/")},
		"no issuer":                {arrange: func(n *qodtest.Network) { n.Discovery(withoutFields("issuer")) }},
		"another host for tokens":  {arrange: set("token_endpoint", "https://auth.example/oauth/token")},
		"the endpoint in capitals": {endpoint: "https://Gateway.Example/v1", arrange: set("issuer", qodtest.Gateway)},
		"the issuer in capitals":   {arrange: set("issuer", "https://GATEWAY.example")},
		"the document is called plain": {arrange: func(n *qodtest.Network) {
			n.InjectFault(sandbox.OpDiscovery, 1, sandbox.Header("Content-Type", "text/plain"))
		}},

		"no issuer, and another host for tokens": {
			arrange: func(n *qodtest.Network) {
				n.Discovery(func(document map[string]any) {
					delete(document, "issuer")
					document["token_endpoint"] = "https://auth.example/oauth/token"
				})
			},
			says: "names no issuer, so the provider will not send the client's credentials to the other host it names, https://auth.example",
		},
		"no issuer, and another port for tokens": {
			arrange: func(n *qodtest.Network) {
				n.Discovery(func(document map[string]any) {
					delete(document, "issuer")
					document["token_endpoint"] = qodtest.Gateway + ":8443/oauth/token"
				})
			},
			says: "the other host it names, " + qodtest.Gateway + ":8443",
		},
		"another issuer":                {arrange: set("issuer", "https://evil.example"), says: "another issuer, https://evil.example"},
		"an issuer of another scheme":   {arrange: set("issuer", "http://gateway.example"), says: "another issuer"},
		"an issuer with a path":         {arrange: set("issuer", qodtest.Gateway+"/tenant"), says: "another issuer"},
		"no token endpoint":             {arrange: func(n *qodtest.Network) { n.Discovery(withoutFields("token_endpoint")) }, says: "no token_endpoint"},
		"a token endpoint that is null": {arrange: set("token_endpoint", nil), says: "no token_endpoint"},
		"a token endpoint of http":      {arrange: set("token_endpoint", "http://gateway.example/oauth/token"), says: "unencrypted"},
		"a token endpoint with a user":  {arrange: set("token_endpoint", "https://u:p@gateway.example/oauth/token"), says: "user name"},
		"a token endpoint with a query": {arrange: set("token_endpoint", "https://gateway.example/oauth/token?x"), says: "query"},
		"a relative token endpoint":     {arrange: set("token_endpoint", "/oauth/token"), says: "absolute URL"},
		"a token endpoint of files":     {arrange: set("token_endpoint", "file:///etc/passwd"), says: "absolute URL"},
		"a page":                        {arrange: failDiscovery(sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), says: "not a JSON object"},
		"empty":                         {arrange: failDiscovery(sandbox.Answer(200, qodtest.JSON, "")), says: "not a JSON object"},
		"an array":                      {arrange: failDiscovery(sandbox.Answer(200, qodtest.JSON, "[]")), says: "not a JSON object"},
		"404":                           {arrange: failDiscovery(sandbox.Status(404, qodtest.LoginPage, "Content-Type", qodtest.HTML)), says: "404", status: 404},
		"a redirect":                    {arrange: failDiscovery(sandbox.Redirect(302, "https://sso.example/login?next=x")), says: "redirected to https://sso.example,", status: 302},
		"503":                           {arrange: failDiscovery(unavailable), says: "503", status: 503, requests: 3},
		"429":                           {arrange: failDiscovery(sandbox.Status(429, "")), says: "429", status: 429, requests: 3},
		"dropped":                       {arrange: failDiscovery(sandbox.DropBeforeCommit()), says: "EOF", requests: 3},
		"cut":                           {arrange: failDiscovery(sandbox.Truncate(20)), says: "EOF", requests: 3},
		"endless":                       {arrange: failDiscovery(sandbox.Endless()), says: "larger than 1 MiB", requests: 3},
		"a bomb":                        {arrange: failDiscovery(sandbox.GzipBomb()), says: "larger than 1 MiB", requests: 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) {
				if test.endpoint != "" {
					c.Endpoint = test.endpoint
				}
			}}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(n)
				}
				err := list(t, n)
				requests := test.requests
				if requests == 0 {
					requests = 1
				}
				qodtest.Equal(t, "requests for the document", n.Count(sandbox.OpDiscovery), requests)
				if test.says == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := qodtest.ErrorAs[*qod.TokenError](t, err)
				qodtest.Equal(t, "discovery", e.Discovery, true)
				qodtest.Equal(t, "status", e.Status, test.status)
				qodtest.Equal(t, "URL", e.URL, qodtest.Gateway+"/.well-known/openid-configuration")
				if text := err.Error(); !strings.Contains(text, test.says) || len(text) > 500 || strings.ContainsAny(text, "<\n") {
					t.Errorf("%q does not say %q", text, test.says)
				}
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 0)
				qodtest.Equal(t, "other requests", n.Count(sandbox.OpOther)+n.Count(sandbox.OpRead), 0)
			})
		})
	}
}

// The document is read once, without credentials, however many tokens there are.
func TestDiscoveryOnce(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{TokenLifetime: time.Minute}}, func(t *testing.T, n *qodtest.Network) {
		for range 10 {
			for _, err := range concurrently(20, func() error { return list(t, n) }) {
				if err != nil {
					t.Error(err)
				}
			}
			time.Sleep(5 * time.Minute)
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 10)
		qodtest.Equal(t, "discoveries", n.Count(sandbox.OpDiscovery), 1)
		r := n.Requests(sandbox.OpDiscovery)[0]
		qodtest.Equal(t, "User-Agent", r.Header.Get("User-Agent"), "terraform-provider-qod/test")
		if r.Header.Get("Authorization") != "" || r.Method != http.MethodGet {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
	})
}

// After a failure, discovery is repeated once the burst that needed it is over.
func TestDiscoveryRecovers(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpDiscovery, 1, sandbox.Status(404, ""))
		_ = qodtest.ErrorAs[*qod.TokenError](t, list(t, n))
		time.Sleep(2 * time.Second)
		mustList(t, n)
	})
}
