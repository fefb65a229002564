// With jwt_bearer, an assertion about the device is all that the token endpoint gets.
package qod_test

import (
	"maps"
	"net/http"
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

// inJWTBearer runs f with a client that uses the grant.
func inJWTBearer(t *testing.T, options qodtest.Options, f func(t *testing.T, n *qodtest.Network)) {
	t.Helper()
	client, pem := qodtest.KeyClient(t, "key-client")
	key, problem := qod.ParsePrivateKey(pem)
	if problem != "" {
		t.Fatal(problem)
	}
	options.Sandbox.Clients = []sandbox.ClientCredentials{client}
	change := options.Client
	options.Client = func(c *qod.Config) {
		c.Grant, c.ClientID, c.ClientSecret, c.PrivateKey = qod.JWTBearer, client.ID, "", key
		c.Scopes = qod.DefaultScopes(c.API, qod.JWTBearer)
		if change != nil {
			change(c)
		}
	}
	inCAMARA(t, options, f)
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	inJWTBearer(t, qodtest.Options{Client: func(c *qod.Config) { c.TokenParameters = map[string]string{"resource": "https://api.example"} }}, func(t *testing.T, n *qodtest.Network) {
		one, two := mustReserve(t, n, numbered(1)), mustReserve(t, n, numbered(2))
		if _, err := n.Extend(t.Context(), one, time.Now().Add(3*time.Hour)); err != nil {
			t.Error(err)
		}
		if err := n.Delete(t.Context(), two); err != nil {
			t.Error(err)
		}
		qodtest.Equal(t, "live", qodtest.IDs(n.Ledger()), []string{one.ID})
		wantPrompts(t, n, 0)

		sent := n.Requests(sandbox.OpToken)
		qodtest.Equal(t, "token requests", len(sent), 2)
		seen := map[string]bool{}
		for i, form := range forms(t, n, sandbox.OpToken) {
			if sent[i].Header.Get("Authorization") != "" {
				t.Error("an Authorization is sent")
			}
			qodtest.Equal(t, "parameters", slices.Sorted(maps.Keys(form)), []string{"assertion", "grant_type", "resource"})
			signed, err := jwt.ParseSigned(form.Get("assertion"), []jose.SignatureAlgorithm{jose.EdDSA})
			if err != nil {
				t.Fatal(err)
			}
			var claims map[string]any
			if err := signed.UnsafeClaimsWithoutVerification(&claims); err != nil {
				t.Fatal(err)
			}
			if id, _ := claims["jti"].(string); id == "" || seen[id] {
				t.Errorf("the id %q is no new one", id)
			} else {
				seen[id] = true
			}
			for name, want := range map[string]any{
				"iss": "key-client", "sub": "tel:" + numbered(i+1).Device.PhoneNumber, "aud": qodtest.Gateway + "/oauth/token",
				"scope": strings.Join(qod.DefaultScopes(qod.CAMARAV1, qod.JWTBearer), " "),
			} {
				qodtest.Equal(t, name, claims[name], want)
			}
		}
		if scopes := qod.DefaultScopes(qod.CAMARAV1, qod.JWTBearer); scopes[0] != "dpv:RequestedServiceProvision" || len(scopes) != 6 {
			t.Errorf("%v", scopes)
		}
	})
}

// Nobody is asked, so that what fails in passing is repeated, with a new assertion each time, and
// what is refused is asked for again later. The error has no assertion in it.
func TestJWTBearerRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange  func(*qodtest.Network)
		consent  sandbox.ConsentAnswer
		code     string // empty: no error
		requests int
	}{
		"no consent":   {consent: sandbox.ConsentDeny, code: "invalid_grant", requests: 1},
		"lost answers": {arrange: func(n *qodtest.Network) { n.InjectFault(sandbox.OpToken, 2, sandbox.DropAfterCommit()) }, requests: 3},
		"the scope is not granted": {arrange: func(n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, 1, sandbox.Status(400, `{"error":"invalid_scope"}`))
		}, code: "invalid_scope", requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inJWTBearer(t, qodtest.Options{Sandbox: sandbox.Config{Consent: consent(test.consent, 0)}}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(n)
				}
				_, err := n.List(t.Context(), qod.Filter{Device: camaraSpec().Device})
				qodtest.Equal(t, "requests", n.Count(sandbox.OpToken), test.requests)
				if test.code == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := qodtest.ErrorAs[*qod.TokenError](t, err)
				if e.Code != test.code || e.Grant != qod.JWTBearer || strings.Contains(err.Error(), "eyJ") {
					t.Errorf("%#v", e)
				}
			})
		})
	}
}

// A token that is refused is replaced, that of this device alone.
func TestJWTBearerRevoked(t *testing.T) {
	t.Parallel()
	inJWTBearer(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		one, two := mustReserve(t, n, numbered(1)), mustReserve(t, n, numbered(2))
		n.RevokeTokensOf(sandbox.Device{PhoneNumber: one.Device.PhoneNumber})
		for _, ref := range []qod.Ref{one, two} {
			if _, err := n.Read(t.Context(), ref); err != nil {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 3)
	})
}

// What a server repeats of the assertion, which names the device, is in no error.
func TestJWTBearerLeaks(t *testing.T) {
	t.Parallel()
	options := qodtest.Options{Intercept: func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/token") {
			return next.RoundTrip(r)
		}
		_ = r.ParseForm()
		return qodtest.Response(r, 400, qodtest.JSON, `{"error":"invalid_grant","error_description":"`+r.PostForm.Get("assertion")+` of tel:+34611223344"}`), nil
	}}
	inJWTBearer(t, options, func(t *testing.T, n *qodtest.Network) {
		_, err := n.List(t.Context(), qod.Filter{Device: qod.Device{PhoneNumber: canaries.device.PhoneNumber}})
		if err == nil {
			t.Fatal("no error")
		}
		wantNoLeak(t, "the error", err.Error())
	})
}

// Grants that have no client, or the wrong proof of one, are refused.
func TestGrantConfigurations(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*qod.Config){
		"there is no grant": func(c *qod.Config) { c.Grant = "password" },
		"needs a client":    func(c *qod.Config) { c.Grant, c.AccessToken = qod.CIBA, "a-token" },
		"the grant ciba needs a client": func(c *qod.Config) {
			c.Grant, c.ClientID, c.ClientSecret, c.Headers = qod.CIBA, "", "", map[string]string{"X-Key": "k"}
		},
		"needs a private key":                func(c *qod.Config) { c.Grant = qod.JWTBearer },
		"by the assertion alone":             func(c *qod.Config) { c.Grant, c.AuthMethod = qod.JWTBearer, qod.ClientSecretPost },
		"the backchannel authentication URL": func(c *qod.Config) { c.Grant, c.BackchannelURL = qod.CIBA, "http://gateway.example" },
		"must be positive":                   func(c *qod.Config) { c.Grant, c.MaxPending = qod.CIBA, -1 },
	} {
		config := qodtest.Config(qodtest.Gateway)
		change(&config)
		if _, err := qod.New(config); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// A client that is refused is refused for all devices: its id is sent once.
func TestJWTBearerRefusedClientAsksOnce(t *testing.T) {
	t.Parallel()
	inJWTBearer(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, -1, sandbox.Status(http.StatusUnauthorized, `{"error": "invalid_client"}`))
		wantRefusedOnce(t, n, sandbox.OpToken)
	})
}
