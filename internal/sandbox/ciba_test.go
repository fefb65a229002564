package sandbox

import (
	"crypto/ed25519"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	cibaLine = "+34600000021"
	asClient = "client_id=sandbox-client&client_secret=sandbox-secret"
)

// postForm posts a form to the authorization server, and decodes the answer.
func (h *harness) postForm(path, body string) (reply, map[string]any) {
	h.t.Helper()
	got := h.send(http.MethodPost, path, body, "Content-Type", form, "Authorization", "")
	var members map[string]any
	h.decode(got, &members)
	return got, members
}

// ask has CIBA ask a device's user, and returns the id.
func (h *harness) ask(hint string) string {
	h.t.Helper()
	got, members := h.postForm(pathBackchannel, asClient+"&scope=openid+"+scopeReadSession+"&login_hint="+url.QueryEscape(hint))
	id, _ := members["auth_req_id"].(string)
	if got.status != http.StatusOK || id == "" || members["expires_in"] != 120.0 {
		h.t.Fatalf("%d %s", got.status, got.body)
	}
	return id
}

// poll polls for a token, and returns it or the code of the refusal.
func (h *harness) poll(id string) string {
	h.t.Helper()
	_, members := h.postForm(pathToken, asClient+"&grant_type="+url.QueryEscape(cibaGrant)+"&auth_req_id="+id)
	if token, ok := members["access_token"].(string); ok {
		return token
	}
	code, _ := members["error"].(string)
	return code
}

// isToken reports whether a poll has brought a token.
func isToken(answer string) bool { return strings.HasPrefix(answer, "sandbox-token-") }

// A token of CIBA is for one device, and comes once.
func TestCIBA(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{API: CAMARAV1})
	id := h.ask("tel:" + cibaLine)
	token := h.poll(id)
	if !isToken(token) {
		t.Fatal(token)
	}
	if again := h.poll(id); again != "invalid_grant" {
		t.Errorf("again: %s", again)
	}
	h.token = token
	for phone, want := range map[string]int{cibaLine: http.StatusOK, "+34600000022": http.StatusForbidden} {
		s := h.Seed(Session{Device: Device{PhoneNumber: phone}, ApplicationServer: &ApplicationServer{IPv4Address: "198.51.100.1"}})
		if got := h.send(http.MethodGet, "/quality-on-demand/v1/sessions/"+s.ID, ""); got.status != want {
			t.Errorf("%s: %d", phone, got.status)
		}
	}
	if prompts := h.Prompts(); len(prompts) != 1 || prompts[0].PhoneNumber != cibaLine {
		t.Errorf("%v", prompts)
	}
	if logged := h.Requests(OpBackchannel); len(logged) != 1 || logged[0].Device.PhoneNumber != cibaLine {
		t.Errorf("%v", logged)
	}
	h.RevokeTokensOf(Device{PhoneNumber: cibaLine})
	if got := h.send(http.MethodGet, "/quality-on-demand/v1/sessions/"+h.Ledger()[0].ID, ""); got.status != http.StatusUnauthorized {
		t.Errorf("revoked: %d", got.status)
	}
}

// A token for one device does not reach the sessions of others through the default API either.
func TestCIBADefaultAPI(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.tokens.add("bound", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: cibaLine}, scopes: h.scopes()})
	h.token = "bound"
	mine, other := h.Seed(Session{Device: Device{PhoneNumber: cibaLine}}), h.Seed(Session{})
	if listed := h.listSessions(); len(listed) != 1 || listed[0].SessionID != mine.ID {
		t.Errorf("%v", listed)
	}
	h.wantGone(other.ID)
	if got := h.send(http.MethodDelete, pathSessions+"/"+other.ID, ""); got.status != http.StatusNotFound {
		t.Errorf("deleted: %d", got.status)
	}
	h.wantError(h.send(http.MethodPost, pathSessions, createBody("+34600000023")), http.StatusForbidden, "PERMISSION_DENIED")
}

func TestCIBAConsent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		consent Consent
		want    map[int]string // by seconds, with polls five seconds apart; "" is a token
	}{
		"at once":     {Consent{}, map[int]string{0: ""}},
		"later":       {Consent{After: 12 * time.Second}, map[int]string{0: "authorization_pending", 10: "authorization_pending", 15: ""}},
		"denied":      {Consent{Answer: ConsentDeny, After: 5 * time.Second}, map[int]string{0: "authorization_pending", 5: "access_denied"}},
		"never":       {Consent{Answer: ConsentNever}, map[int]string{115: "authorization_pending", 120: "expired_token"}},
		"later still": {Consent{After: time.Hour}, map[int]string{115: "authorization_pending", 120: "expired_token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{API: CAMARAV1, Consent: func(Device) Consent { return test.consent }})
			id := h.ask("tel:" + cibaLine)
			for at := 0; at <= 120; at += 5 {
				got := h.poll(id)
				if want, ok := test.want[at]; ok && got != want && (want != "" || !isToken(got)) {
					t.Errorf("after %d seconds: %s, want %q", at, got, want)
				}
				h.clock.Advance(5 * time.Second)
			}
		})
	}
}

// Polls that come too fast make the interval longer, for good.
func TestCIBASlowDown(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{API: CAMARAV1, PollInterval: 2 * time.Second, Consent: func(Device) Consent { return Consent{Answer: ConsentNever} }})
	id := h.ask("tel:" + cibaLine)
	var got []string
	for _, wait := range []time.Duration{0, time.Second, 6 * time.Second, 12 * time.Second, 17 * time.Second} {
		h.clock.Advance(wait)
		got = append(got, h.poll(id))
	}
	// two seconds, then seven, then twelve
	if want := []string{"authorization_pending", "slow_down", "slow_down", "authorization_pending", "authorization_pending"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestCIBARefuses(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{API: CAMARAV1, Consent: func(d Device) Consent {
		if d.IPv6Address != "" {
			return Consent{Answer: ConsentUnknown}
		}
		return Consent{}
	}})
	for name, test := range map[string]struct {
		path, body string
		status     int
		code       string
	}{
		"a wrong secret":   {pathBackchannel, "client_id=sandbox-client&client_secret=x", 401, "invalid_client"},
		"no scope":         {pathBackchannel, asClient + "&login_hint=tel:%2B34600000021", 400, "invalid_request"},
		"another scope":    {pathBackchannel, asClient + "&login_hint=tel:%2B34600000021&scope=openid+admin", 400, "invalid_scope"},
		"no hint":          {pathBackchannel, asClient + "&scope=openid", 400, "unknown_user_id"},
		"a number alone":   {pathBackchannel, asClient + "&scope=openid&login_hint=%2B34600000021", 400, "unknown_user_id"},
		"nobody":           {pathBackchannel, asClient + "&scope=openid&login_hint=ipport:[2001:db8::1]", 400, "unknown_user_id"},
		"no authorization": {pathToken, asClient + "&grant_type=" + url.QueryEscape(cibaGrant), 400, "invalid_grant"},
		"no form":          {pathBackchannel, "%", 400, "invalid_request"},
	} {
		got, members := h.postForm(test.path, test.body)
		if got.status != test.status || members["error"] != test.code {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if prompts := h.Prompts(); len(prompts) > 0 {
		t.Errorf("%v", prompts)
	}
}

func TestParseHint(t *testing.T) {
	t.Parallel()
	port := 5000
	for hint, want := range map[string]Device{
		"tel:+34600000021":          {PhoneNumber: "+34600000021"},
		"ipport:203.0.113.9":        {IPv4Address: &IPv4Address{PublicAddress: "203.0.113.9"}},
		"ipport:203.0.113.9:5000":   {IPv4Address: &IPv4Address{PublicAddress: "203.0.113.9", PublicPort: &port}},
		"ipport:[2001:db8::1]":      {IPv6Address: "2001:db8::1"},
		"ipport:[2001:db8::1]:5000": {IPv6Address: "2001:db8::1"},
	} {
		got, ok := parseHint(hint)
		if a, b := mustJSON(got), mustJSON(want); !ok || a != b {
			t.Errorf("%s is %s, want %s", hint, a, b)
		}
	}
	for _, hint := range []string{"", "tel:34600000021", "tel:+34 600", "ipport:", "ipport:2001:db8::1", "ipport:[203.0.113.9]", "ipport:[2001:db8::1]x", "ipport:203.0.113.9:x", "nai:a@b"} {
		if d, ok := parseHint(hint); ok {
			t.Errorf("%q is %s", hint, mustJSON(d))
		}
	}
}

func mustJSON(v any) string { return string(jsonAnswer(0, v).body) }

// Telefónica documents errors of another form, and a client for everybody.
func TestCIBAAsTelefonica(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{API: CAMARAV1, TelefonicaErrors: true, MockRules: true})
	got := h.send(http.MethodPost, pathBackchannel, "client_id=mock_sandbox_app_id&client_secret=wrong", "Content-Type", form, "Authorization", "")
	var e struct {
		Code    int
		Message string
	}
	if json.Unmarshal([]byte(got.body), &e) != nil || got.status != 401 || e.Code != 401 || !strings.HasPrefix(e.Message, "invalid_client: ") {
		t.Errorf("%d %s", got.status, got.body)
	}
	const mock = "client_id=mock_sandbox_app_id&client_secret=mock_sandbox_app_secret"
	_, members := h.postForm(pathBackchannel, mock+"&scope=openid&login_hint=tel:%2B34600000021")
	id, _ := members["auth_req_id"].(string)
	if _, members = h.postForm(pathToken, mock+"&grant_type="+url.QueryEscape(cibaGrant)+"&auth_req_id="+id); members["access_token"] == nil {
		t.Errorf("%v", members)
	}
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	public, private := newKey(t)
	_, other := newKey(t)
	client := ClientCredentials{ID: "key-client", Keys: []jose.JSONWebKey{{Key: public}}}
	for name, test := range map[string]struct {
		claims  map[string]any
		key     ed25519.PrivateKey
		more    []string
		header  string
		consent ConsentAnswer
		code    string // empty: a token
	}{
		"a token":            {},
		"by the issuer":      {claims: map[string]any{"aud": "http://gateway.example"}},
		"no consent":         {consent: ConsentDeny, code: "invalid_grant"},
		"another key":        {key: other, code: "invalid_grant"},
		"another issuer":     {claims: map[string]any{"iss": "sandbox-client"}, code: "invalid_grant"},
		"another server":     {claims: map[string]any{"aud": "https://other.example"}, code: "invalid_grant"},
		"expired":            {claims: map[string]any{"exp": time.Now().Add(-time.Second).Unix()}, code: "invalid_grant"},
		"for too long":       {claims: map[string]any{"exp": time.Now().Add(time.Hour).Unix()}, code: "invalid_grant"},
		"no id":              {claims: map[string]any{"jti": ""}, code: "invalid_grant"},
		"an address":         {claims: map[string]any{"sub": "ipport:203.0.113.9"}, code: "invalid_grant"},
		"no scope":           {claims: map[string]any{"scope": ""}, code: "invalid_scope"},
		"another scope":      {claims: map[string]any{"scope": "admin"}, code: "invalid_scope"},
		"a scope beside it":  {more: []string{"scope", scopeReadSession}, code: "invalid_request"},
		"a secret beside it": {more: []string{"client_secret", "x"}, code: "invalid_request"},
		"Basic beside it":    {header: "Basic eDp5", code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{API: CAMARAV1, Clients: []ClientCredentials{client}, Consent: func(Device) Consent { return Consent{Answer: test.consent} }})
			claims := map[string]any{"sub": "tel:" + cibaLine, "scope": "dpv:RequestedServiceProvision " + scopeReadSession}
			maps.Copy(claims, test.claims)
			key := private
			if test.key != nil {
				key = test.key
			}
			body := url.Values{"grant_type": {jwtBearerGrant}, "assertion": {sign(t, key, "", claims)}}
			for pair := range slices.Chunk(test.more, 2) {
				body.Set(pair[0], pair[1])
			}
			got := h.send(http.MethodPost, pathToken, body.Encode(), "Content-Type", form, "Authorization", test.header)
			var members map[string]any
			h.decode(got, &members)
			if code, _ := members["error"].(string); code != test.code || test.code == "" && members["access_token"] == nil {
				t.Errorf("%d %s", got.status, got.body)
			}
			if len(h.Prompts()) > 0 {
				t.Error("somebody was asked")
			}
		})
	}
}
