package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const form = "application/x-www-form-urlencoded"

type tokenAnswer struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type"`
	ExpiresIn        int    `json:"expires_in"`
	Scope            string
	Error            string
	ErrorDescription string `json:"error_description"`
}

// requestToken requests a token; basic is "id:secret" or empty.
func (h *harness) requestToken(basic, body string) (reply, tokenAnswer) {
	h.t.Helper()
	header := []string{"Content-Type", form, "Authorization", ""}
	if basic != "" {
		id, secret, _ := strings.Cut(basic, ":")
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(id, secret)
		header[3] = r.Header.Get("Authorization")
	}
	got := h.send(http.MethodPost, pathToken, body, header...)
	var a tokenAnswer
	h.decode(got, &a)
	if got.header.Get("Cache-Control") != "no-store" {
		h.t.Errorf("RFC 6749 §5.1 wants no-store: %v", got.header)
	}
	return got, a
}

func TestTokensForClientCredentials(t *testing.T) {
	t.Parallel()
	odd := ClientCredentials{ID: "odd id", Secret: "p@ss:hörd+%", Scopes: []string{ScopeRead}}
	tests := map[string]struct{ basic, body, scope string }{
		"basic":               {"sandbox-client:sandbox-secret", "grant_type=client_credentials", ScopeRead + " " + ScopeWrite},
		"form":                {"", "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret", ScopeRead + " " + ScopeWrite},
		"basic, id in form":   {"sandbox-client:sandbox-secret", "grant_type=client_credentials&client_id=sandbox-client", ScopeRead + " " + ScopeWrite},
		"one scope":           {"sandbox-client:sandbox-secret", "grant_type=client_credentials&scope=" + ScopeWrite, ScopeWrite},
		"basic, form encoded": {url.QueryEscape(odd.ID) + ":" + url.QueryEscape(odd.Secret), "grant_type=client_credentials", ScopeRead},
		"basic, as it is":     {"odd id:p@ss:hörd+%", "grant_type=client_credentials", ScopeRead},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Clients: []ClientCredentials{DefaultClient, odd}})
			got, a := h.requestToken(test.basic, test.body)
			if got.status != http.StatusOK || a.TokenType != "Bearer" || a.ExpiresIn != 3600 || a.Scope != test.scope {
				t.Fatalf("%d %s", got.status, got.body)
			}
			h.token = a.AccessToken
			read := h.send(http.MethodGet, pathSessions, "").status
			write := h.send(http.MethodPost, pathSessions, createBody("+34600000001")).status
			if (read == http.StatusOK) != strings.Contains(test.scope, ScopeRead) || (write == http.StatusCreated) != strings.Contains(test.scope, ScopeWrite) {
				t.Errorf("with scope %q: read %d, write %d", test.scope, read, write)
			}
		})
	}
}

func TestTokensRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		basic, body string
		status      int
		code        string
	}{
		"unknown client":   {"nobody:sandbox-secret", "grant_type=client_credentials", http.StatusUnauthorized, "invalid_client"},
		"wrong secret":     {"sandbox-client:wrong", "grant_type=client_credentials", http.StatusUnauthorized, "invalid_client"},
		"wrong in form":    {"", "grant_type=client_credentials&client_id=sandbox-client&client_secret=wrong", http.StatusUnauthorized, "invalid_client"},
		"no client":        {"", "grant_type=client_credentials", http.StatusUnauthorized, "invalid_client"},
		"two ways at once": {"sandbox-client:sandbox-secret", "grant_type=client_credentials&client_secret=sandbox-secret", http.StatusBadRequest, "invalid_request"},
		"no grant":         {"sandbox-client:sandbox-secret", "scope=" + ScopeRead, http.StatusBadRequest, "invalid_request"},
		"no form":          {"sandbox-client:sandbox-secret", "%", http.StatusBadRequest, "invalid_request"},
		"another grant":    {"sandbox-client:sandbox-secret", "grant_type=password", http.StatusBadRequest, "unsupported_grant_type"},
		"unknown scope":    {"sandbox-client:sandbox-secret", "grant_type=client_credentials&scope=" + ScopeRead + "+admin", http.StatusBadRequest, "invalid_scope"},
		"forbidden scope":  {"reader:r", "grant_type=client_credentials&scope=" + ScopeWrite, http.StatusBadRequest, "invalid_scope"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Clients: []ClientCredentials{DefaultClient, {ID: "reader", Secret: "r", Scopes: []string{ScopeRead}}}})
			got, a := h.requestToken(test.basic, test.body)
			if got.status != test.status || a.Error != test.code || a.ErrorDescription == "" || a.AccessToken != "" {
				t.Errorf("%d %s", got.status, got.body)
			}
			if challenged := got.header.Get("WWW-Authenticate") != ""; challenged != (test.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate %q with %d", got.header.Get("WWW-Authenticate"), got.status)
			}
			if strings.Contains(got.body, "secret") && !strings.Contains(a.ErrorDescription, "its secret is wrong") {
				t.Errorf("%s repeats a secret", got.body)
			}
		})
	}
}

func TestTokenRequestsAreForms(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	got := h.send(http.MethodPost, pathToken, `{"grant_type":"client_credentials"}`)
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "invalid_request") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end  func(h *harness)
		want int
	}{
		"still good":         {func(h *harness) { h.clock.Advance(time.Minute - 1) }, http.StatusOK},
		"expired":            {func(h *harness) { h.clock.Advance(time.Minute) }, http.StatusUnauthorized},
		"revoked":            {func(h *harness) { h.RevokeTokens() }, http.StatusUnauthorized},
		"another was issued": {func(h *harness) { h.requestToken("sandbox-client:sandbox-secret", "grant_type=client_credentials") }, http.StatusOK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{TokenLifetime: time.Minute})
			_, a := h.requestToken("sandbox-client:sandbox-secret", "grant_type=client_credentials")
			if a.ExpiresIn != 60 {
				t.Errorf("expires_in %d, want 60", a.ExpiresIn)
			}
			test.end(h)
			h.token = a.AccessToken
			if got := h.send(http.MethodGet, pathSessions, "").status; got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			_, fresh := h.requestToken("sandbox-client:sandbox-secret", "grant_type=client_credentials")
			if h.token = fresh.AccessToken; h.send(http.MethodGet, pathSessions, "").status != http.StatusOK {
				t.Error("a new token must be good")
			}
		})
	}
}

func TestAcceptedTokensAreRevokedToo(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.clock.Advance(1000 * time.Hour)
	if got := h.send(http.MethodGet, pathSessions, "").status; got != http.StatusOK {
		t.Errorf("an accepted token does not expire: %d", got)
	}
	h.RevokeTokens()
	if got := h.send(http.MethodGet, pathSessions, "").status; got != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", got)
	}
}

func TestTokensKnob(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Tokens(func(answer map[string]any) { answer["expires_in"] = "3600" })
	got := h.send(http.MethodPost, pathToken, "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret", "Content-Type", form)
	if !strings.Contains(got.body, `"expires_in":"3600"`) {
		t.Errorf("not changed: %s", got.body)
	}
}

func TestMockClient(t *testing.T) {
	t.Parallel()
	const mock = "mock_sandbox_app_id:mock_sandbox_app_secret"
	with, without := newHarness(t, Config{MockRules: true}), newHarness(t, Config{})
	if got, _ := with.requestToken(mock, "grant_type=client_credentials"); got.status != http.StatusOK {
		t.Errorf("with mock rules: %d", got.status)
	}
	if got, _ := without.requestToken(mock, "grant_type=client_credentials"); got.status != http.StatusUnauthorized {
		t.Errorf("without: %d", got.status)
	}
}

type discoveryDocument struct {
	Issuer        string
	Backchannel   string   `json:"backchannel_authentication_endpoint"`
	TokenEndpoint string   `json:"token_endpoint"`
	Methods       []string `json:"token_endpoint_auth_methods_supported"`
	Grants        []string `json:"grant_types_supported"`
	Scopes        []string `json:"scopes_supported"`
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"http://127.0.0.1:8080", "https://gateway.example"} {
		h := newHarness(t, Config{})
		h.base, h.token = origin, ""
		var got discoveryDocument
		if err := json.Unmarshal([]byte(h.send(http.MethodGet, pathDiscovery, "").body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Issuer != origin || got.TokenEndpoint != origin+"/oauth/token" ||
			!slices.Equal(got.Methods, []string{"client_secret_basic", "client_secret_post"}) ||
			!slices.Equal(got.Grants, []string{"client_credentials", cibaGrant, jwtBearerGrant}) || got.Backchannel != origin+"/oauth/bc-authorize" ||
			!slices.Equal(got.Scopes, []string{ScopeRead, ScopeWrite}) {
			t.Errorf("of %s: %+v", origin, got)
		}
		h.Discovery(func(document map[string]any) { delete(document, "token_endpoint") })
		if body := h.send(http.MethodGet, pathDiscovery, "").body; strings.Contains(body, "token_endpoint\"") {
			t.Errorf("not changed: %s", body)
		}
	}
}
