package sandbox

import (
	"crypto/ed25519"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func newKey(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// sign makes an assertion that is good, but for the changes.
func sign(t *testing.T, private ed25519.PrivateKey, keyID string, changes map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: keyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	claims := map[string]any{
		"iss": "key-client", "sub": "key-client", "aud": "http://gateway.example/oauth/token",
		"jti": "a", "iat": now.Unix(), "exp": now.Add(4 * time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	signed, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func assertionForm(assertion string, more ...string) string {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {assertion}, "client_assertion_type": {assertionType},
	}
	for pair := range slices.Chunk(more, 2) {
		form.Set(pair[0], pair[1])
	}
	return form.Encode()
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	public, private := newKey(t)
	_, other := newKey(t)
	now := time.Now()
	for name, test := range map[string]struct {
		assertion string
		more      []string
		basic     string
		status    int
	}{
		"good":                      {assertion: sign(t, private, "", nil), status: 200},
		"with the key's id":         {assertion: sign(t, private, "key-1", nil), status: 200},
		"for the issuer":            {assertion: sign(t, private, "", map[string]any{"aud": "http://gateway.example"}), status: 200},
		"for several servers":       {assertion: sign(t, private, "", map[string]any{"aud": []string{"x", "http://gateway.example/oauth/token"}}), status: 200},
		"with the client's id":      {assertion: sign(t, private, "", nil), more: []string{"client_id", "key-client"}, status: 200},
		"with another client's id":  {assertion: sign(t, private, "", nil), more: []string{"client_id", "sandbox-client"}, status: 401},
		"of another key":            {assertion: sign(t, other, "", nil), status: 401},
		"with another key's id":     {assertion: sign(t, private, "key-2", nil), status: 401},
		"of an unknown client":      {assertion: sign(t, private, "", map[string]any{"iss": "x", "sub": "x"}), status: 401},
		"of a client without a key": {assertion: sign(t, private, "", map[string]any{"iss": "sandbox-client", "sub": "sandbox-client"}), status: 401},
		"issued by somebody else":   {assertion: sign(t, private, "", map[string]any{"iss": "x"}), status: 401},
		"for another server":        {assertion: sign(t, private, "", map[string]any{"aud": "http://other.example/oauth/token"}), status: 401},
		"for nobody":                {assertion: sign(t, private, "", map[string]any{"aud": nil}), status: 401},
		"expired":                   {assertion: sign(t, private, "", map[string]any{"exp": now.Unix() - 1}), status: 401},
		"good for too long":         {assertion: sign(t, private, "", map[string]any{"exp": now.Add(6 * time.Minute).Unix()}), status: 401},
		"good for ever":             {assertion: sign(t, private, "", map[string]any{"exp": nil}), status: 401},
		"without an id":             {assertion: sign(t, private, "", map[string]any{"jti": nil}), status: 401},
		"no JWT":                    {assertion: "x", status: 401},
		"not signed":                {assertion: "eyJhbGciOiJub25lIn0.e30.", status: 401},
		"of another type":           {assertion: sign(t, private, "", nil), more: []string{"client_assertion_type", "x"}, status: 400},
		"and a secret":              {assertion: sign(t, private, "", nil), more: []string{"client_secret", "x"}, status: 400},
		"and a secret with Basic":   {assertion: sign(t, private, "", nil), basic: "sandbox-client:sandbox-secret", status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Clients: []ClientCredentials{DefaultClient, {ID: "key-client", Keys: []jose.JSONWebKey{{Key: public, KeyID: "key-1"}}}}})
			got, a := h.requestToken(test.basic, assertionForm(test.assertion, test.more...))
			if got.status != test.status || (got.status == http.StatusOK) != (a.AccessToken != "") || got.status == 401 && a.Error != "invalid_client" {
				t.Errorf("%d %s", got.status, got.body)
			}
			if again, a := h.requestToken(test.basic, assertionForm(test.assertion, test.more...)); again.status == http.StatusOK || a.Error == "" {
				t.Errorf("used again: %d %s", again.status, again.body)
			}
		})
	}
}

// A client uses the method that it is registered for.
func TestClientMethods(t *testing.T) {
	t.Parallel()
	public, private := newKey(t)
	for _, registered := range []string{"", methodBasic, methodPost, methodKey} {
		t.Run(registered, func(t *testing.T) {
			t.Parallel()
			client := ClientCredentials{ID: "key-client", Secret: "s", Keys: []jose.JSONWebKey{{Key: public}}, Method: registered}
			h := newHarness(t, Config{Clients: []ClientCredentials{client}})
			basic, _ := h.requestToken("key-client:s", "grant_type=client_credentials")
			post, _ := h.requestToken("", "grant_type=client_credentials&client_id=key-client&client_secret=s")
			key, _ := h.requestToken("", assertionForm(sign(t, private, "", nil)))
			var offered []string
			for _, got := range []struct {
				method string
				reply
			}{{methodBasic, basic}, {methodPost, post}, {methodKey, key}} {
				if want := registered == "" || registered == got.method; want != (got.status == http.StatusOK) {
					t.Errorf("%s: %d", got.method, got.status)
				} else if want {
					offered = append(offered, got.method)
				}
			}
			h.token = ""
			var document discoveryDocument
			if err := json.Unmarshal([]byte(h.send(http.MethodGet, pathDiscovery, "").body), &document); err != nil || !slices.Equal(document.Methods, offered) {
				t.Errorf("offered %v, want %v (%v)", document.Methods, offered, err)
			}
		})
	}
}

func TestRequiredHeaders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		trust  bool
		token  string
		header []string
		status int
	}{
		"token and header":         {token: "a-good-token", header: []string{"X-Key", "k"}, status: 200},
		"token alone":              {token: "a-good-token", status: 401},
		"token and a wrong header": {token: "a-good-token", header: []string{"X-Key", "x"}, status: 401},
		"header alone":             {header: []string{"X-Key", "k"}, status: 401},
		"header alone, trusted":    {trust: true, header: []string{"X-Key", "k"}, status: 200},
		"wrong header, trusted":    {trust: true, header: []string{"X-Key", "x"}, status: 401},
		"nothing, trusted":         {trust: true, status: 401},
		"header and a token that is not valid, trusted": {trust: true, token: "x", header: []string{"X-Key", "k"}, status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{RequiredHeaders: map[string]string{"X-Key": "k"}, TrustHeaders: test.trust})
			if h.token = test.token; h.send(http.MethodGet, pathSessions, "", test.header...).status != test.status {
				t.Errorf("not %d", test.status)
			}
			if got, _ := h.requestToken("sandbox-client:sandbox-secret", "grant_type=client_credentials"); got.status != http.StatusOK {
				t.Errorf("a token: %d", got.status)
			}
		})
	}
}
