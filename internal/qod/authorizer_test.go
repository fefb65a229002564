// Tokens are fetched rarely, renewed in time, dropped when refused, and never fetched twice at
// once. A refused client is not locked out by further requests, and no caller waits past its
// deadline.
package qod_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// list makes one request with a token.
func list(t *testing.T, n *qodtest.Network) error {
	t.Helper()
	_, err := n.Read(qodtest.WithTimeout(t, 5*time.Minute), qod.Ref{ID: qodtest.SessionID})
	if qod.IsGone(err) {
		return nil
	}
	return err
}

func mustList(t *testing.T, n *qodtest.Network) {
	t.Helper()
	if err := list(t, n); err != nil {
		t.Fatal(err)
	}
}

// A token is used until shortly before its expiry, whatever form the server states that in.
func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		expiresIn any
		absent    bool
		renewed   time.Duration
	}{
		"an hour":          {expiresIn: 3600, renewed: 59 * time.Minute},
		"a minute":         {expiresIn: 60, renewed: 54 * time.Second},
		"text":             {expiresIn: "3600", renewed: 59 * time.Minute},
		"a float":          {expiresIn: 3600.5, renewed: 59 * time.Minute},
		"a float as text":  {expiresIn: "3600.0", renewed: 59 * time.Minute},
		"an exponent":      {expiresIn: 3.6e3, renewed: 59 * time.Minute},
		"huge":             {expiresIn: 9223372036854775807, renewed: 23*time.Hour + 59*time.Minute},
		"beyond any int":   {expiresIn: 1e300, renewed: 23*time.Hour + 59*time.Minute},
		"beyond any float": {expiresIn: "1e999", renewed: 4*time.Minute + 30*time.Second},
		"short":            {expiresIn: 1, renewed: 9 * time.Second},
		"absent":           {absent: true, renewed: 4*time.Minute + 30*time.Second},
		"null":             {expiresIn: nil, renewed: 4*time.Minute + 30*time.Second},
		"empty":            {expiresIn: "", renewed: 4*time.Minute + 30*time.Second},
		"zero":             {expiresIn: 0, renewed: 4*time.Minute + 30*time.Second},
		"negative":         {expiresIn: -1, renewed: 4*time.Minute + 30*time.Second},
		"not a number":     {expiresIn: "NaN", renewed: 4*time.Minute + 30*time.Second},
		"words":            {expiresIn: "an hour", renewed: 4*time.Minute + 30*time.Second},
		"a bool":           {expiresIn: true, renewed: 4*time.Minute + 30*time.Second},
		"an object":        {expiresIn: map[string]any{}, renewed: 4*time.Minute + 30*time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{TokenLifetime: 48 * time.Hour}}, func(t *testing.T, n *qodtest.Network) {
				n.Tokens(func(answer map[string]any) {
					if answer["expires_in"] = test.expiresIn; test.absent {
						delete(answer, "expires_in")
					}
				})
				mustList(t, n)
				issued := n.Requests(sandbox.OpToken)[0].At
				time.Sleep(time.Until(issued.Add(test.renewed - time.Second)))
				mustList(t, n)
				qodtest.Equal(t, "token requests while it is good", n.Count(sandbox.OpToken), 1)
				time.Sleep(2 * time.Second)
				mustList(t, n)
				qodtest.Equal(t, "token requests afterwards", n.Count(sandbox.OpToken), 2)
			})
		})
	}
}

// The same holds for a form, which some servers answer with.
func TestTokenLifetimeInAForm(t *testing.T) {
	t.Parallel()
	for expiresIn, renewed := range map[string]time.Duration{
		"3600": 59 * time.Minute, "999999999": 23*time.Hour + 59*time.Minute,
		"99999999999999999999": 4*time.Minute + 30*time.Second, "": 4*time.Minute + 30*time.Second,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.AcceptToken("a-good-token", sandbox.DefaultClient.ID)
				n.InjectFault(sandbox.OpToken, -1, sandbox.Answer(200, "application/x-www-form-urlencoded", "access_token=a-good-token&expires_in="+expiresIn))
				mustList(t, n)
				time.Sleep(renewed - time.Second)
				mustList(t, n)
				qodtest.Equal(t, "token requests while it is good", n.Count(sandbox.OpToken), 1)
				time.Sleep(2 * time.Second)
				mustList(t, n)
				qodtest.Equal(t, "token requests afterwards", n.Count(sandbox.OpToken), 2)
			})
		})
	}
}

// Token responses that differ from RFC 6749 are understood where possible, and otherwise reported.
func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	good := `{"access_token":"a-good-token","token_type":"bearer","expires_in":3600}`
	tests := map[string]struct {
		effect   sandbox.Effect
		fails    bool
		status   int
		code     string
		says     string
		requests int // of tokens; 0: one
	}{
		"as it should":                {effect: sandbox.Answer(200, qodtest.JSON, good)},
		"with a charset":              {effect: sandbox.Answer(200, "application/json;charset=UTF-8", good)},
		"201":                         {effect: sandbox.Answer(201, qodtest.JSON, good)},
		"called text":                 {effect: sandbox.Answer(200, "text/plain", good)},
		"called HTML":                 {effect: sandbox.Answer(200, qodtest.HTML, good)},
		"called nothing":              {effect: sandbox.Header("Content-Type", "")},
		"unknown fields":              {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":"a-good-token","refresh_token":7,"scope":["a"],"x":{}}`)},
		"a form":                      {effect: sandbox.Answer(200, "application/x-www-form-urlencoded", "access_token=a-good-token&token_type=bearer&expires_in=3600")},
		"a token type we do not know": {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":"a-good-token","token_type":"BeArEr"}`)},

		"no token":        {effect: sandbox.Answer(200, qodtest.JSON, `{"token_type":"bearer"}`), fails: true, requests: 3},
		"a null token":    {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":null}`), fails: true, requests: 3},
		"a page":          {effect: sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage), fails: true, says: "not a JSON object", requests: 3},
		"empty":           {effect: sandbox.Answer(200, qodtest.JSON, ""), fails: true, requests: 3},
		"cut":             {effect: sandbox.Truncate(20), fails: true, requests: 3},
		"endless":         {effect: sandbox.Endless(), fails: true, says: "larger than 1 MiB", requests: 3},
		"a bomb":          {effect: sandbox.GzipBomb(), fails: true, says: "larger than 1 MiB", requests: 3},
		"a newline in it": {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":"a-good\ntoken"}`), fails: true, says: "characters"},
		"a letter in it":  {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":"añgood-token"}`), fails: true, says: "characters"},
		"a blank in it":   {effect: sandbox.Answer(200, qodtest.JSON, `{"access_token":"a good token"}`), fails: true, says: "characters"},
		"200 with an error": {
			effect: sandbox.Answer(200, qodtest.JSON, `{"error":"invalid_client","error_description":"who are you"}`), fails: true, status: 200, code: "invalid_client", says: "who are you",
		},
		"invalid_client": {
			effect: sandbox.Status(401, `{"error":"invalid_client","error_description":"who are you"}`), fails: true, status: 401, code: "invalid_client", says: "who are you",
		},
		"invalid_client, 400":   {effect: sandbox.Status(400, `{"error":"invalid_client"}`), fails: true, status: 400, code: "invalid_client"},
		"invalid_scope":         {effect: sandbox.Status(400, `{"error":"invalid_scope"}`), fails: true, status: 400, code: "invalid_scope"},
		"Telefónica's spelling": {effect: sandbox.Status(401, `{"code":"UNAUTHENTICATED","message":"no"}`), fails: true, status: 401, code: "UNAUTHENTICATED", says: "no"},
		"a number as code":      {effect: sandbox.Status(400, `{"code":1012,"message":"no"}`), fails: true, status: 400, code: "1012"},
		"401 of a page":         {effect: sandbox.Status(401, qodtest.LoginPage, "Content-Type", qodtest.HTML), fails: true, status: 401},
		"404 of a page":         {effect: sandbox.Status(404, qodtest.LoginPage, "Content-Type", qodtest.HTML), fails: true, status: 404},
		"500":                   {effect: sandbox.Status(500, ""), fails: true, status: 500, requests: 3},
		"503 and an error":      {effect: sandbox.Status(503, `{"error":"temporarily_unavailable"}`), fails: true, status: 503, code: "temporarily_unavailable", requests: 3},
		"429":                   {effect: sandbox.Status(429, ""), fails: true, status: 429, requests: 3},
		"dropped":               {effect: sandbox.DropBeforeCommit(), fails: true, requests: 3},
		"a redirect":            {effect: sandbox.Redirect(307, "https://user:word@evil.example/token?secret=1"), fails: true, status: 307, says: "redirected to https://evil.example,"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.AcceptToken("a-good-token", sandbox.DefaultClient.ID)
				n.InjectFault(sandbox.OpToken, -1, test.effect)
				err := list(t, n)
				requests := test.requests
				if requests == 0 {
					requests = 1
				}
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), requests)
				if !test.fails {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := qodtest.ErrorAs[*qod.TokenError](t, err)
				qodtest.Equal(t, "status", e.Status, test.status)
				qodtest.Equal(t, "code", e.Code, test.code)
				qodtest.Equal(t, "URL", e.URL, qodtest.Gateway+"/oauth/token")
				qodtest.Equal(t, "discovery", e.Discovery, false)
				if text := err.Error(); !strings.Contains(text, test.says) || len(text) > 500 || strings.ContainsAny(text, "\n<") ||
					strings.Contains(text, "good") || strings.Contains(text, "word") {
					t.Errorf("%q", text)
				}
				qodtest.Equal(t, "requests to the API", n.Count(sandbox.OpRead), 0)
			})
		})
	}
}

// An outage that ends by the second or third try goes unnoticed.
func TestTokenOutage(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{"503": unavailable, "dropped": sandbox.DropBeforeCommit(), "hangs": sandbox.HangBeforeCommit()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpToken, 2, effect)
				spent := qodtest.Elapsed(func() { mustList(t, n) })
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 3)
				if spent > 25*time.Second {
					t.Errorf("it took %v", spent)
				}
			})
		})
	}
}

// concurrently runs n calls at the same time and returns their errors.
func concurrently(count int, call func() error) []error {
	errs := make([]error, count)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = call() })
	}
	wg.Wait()
	return errs
}

// A client that is refused sends one token request, however many callers want a token then or
// later: some identity providers lock a client that keeps trying.
func TestTokenRefusedClientAsksOnce(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.ClientSecret = "wrong" }}, func(t *testing.T, n *qodtest.Network) {
		for range 3 {
			for _, err := range concurrently(100, func() error { return list(t, n) }) {
				qodtest.Equal(t, "code", qodtest.ErrorAs[*qod.TokenError](t, err).Code, "invalid_client")
			}
			time.Sleep(time.Hour)
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
		qodtest.Equal(t, "discoveries", n.Count(sandbox.OpDiscovery), 1)
	})
}

// Any other failure is returned to all callers of a burst after one request, and tried again later.
func TestTokenFailureIsShared(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, 3, unavailable)
		for _, err := range concurrently(100, func() error { return list(t, n) }) {
			_ = qodtest.ErrorAs[*qod.TokenError](t, err)
		}
		_ = qodtest.ErrorAs[*qod.TokenError](t, list(t, n))
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 3)
		time.Sleep(2 * time.Second)
		mustList(t, n)
		qodtest.Equal(t, "token requests in the end", n.Count(sandbox.OpToken), 4)
	})
}

// A hundred calls in progress when the token is revoked fetch one new token.
func TestTokenRevokedUnderWay(t *testing.T) {
	t.Parallel()
	const calls = 100
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		mustList(t, n)
		var arrived sync.WaitGroup
		arrived.Add(calls)
		n.Before(sandbox.OpRead, func(nth int, _ *http.Request) {
			if nth > 1 && nth <= 1+calls {
				arrived.Done()
				arrived.Wait()
				n.RevokeTokens()
				time.Sleep(time.Duration(nth) * time.Millisecond) // the answers come one by one
			}
		})
		for _, err := range concurrently(calls, func() error { return list(t, n) }) {
			if err != nil {
				t.Error(err)
			}
		}
		if count := n.Count(sandbox.OpToken); count > 2 {
			t.Errorf("%d token requests", count)
		}
	})
}

// A 401 drops the token that it was for and not the next one, also where a server issues the same
// token again.
func TestTokenGivenOutAgain(t *testing.T) {
	t.Parallel()
	const calls = 100
	var sent atomic.Int64
	refusing := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/qod/") {
			if count := sent.Add(1); count > 1 && count <= 1+calls {
				time.Sleep(time.Duration(count) * time.Millisecond) // the answers come one by one
				return qodtest.Response(r, http.StatusUnauthorized, qodtest.JSON, ""), nil
			}
		}
		return next.RoundTrip(r)
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: refusing}, func(t *testing.T, n *qodtest.Network) {
		n.SeedSession(sandbox.Session{ID: qodtest.SessionID}) // one that is gone would be looked for
		n.AcceptToken("the-same", sandbox.DefaultClient.ID)
		n.InjectFault(sandbox.OpToken, -1, sandbox.Answer(200, qodtest.JSON, `{"access_token":"the-same","expires_in":3600}`))
		mustList(t, n)
		for _, err := range concurrently(calls, func() error { return list(t, n) }) {
			if err != nil {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 2)
	})
}

// A run that outlives its tokens renews them before they expire, so that no call gets a 401.
func TestTokenExpiresDuringTheRun(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{TokenLifetime: 5 * time.Minute}}, func(t *testing.T, n *qodtest.Network) {
		for range 60 {
			for _, err := range concurrently(10, func() error { return list(t, n) }) {
				if err != nil {
					t.Error(err)
				}
			}
			time.Sleep(30 * time.Second)
		}
		if count := n.Count(sandbox.OpToken); count < 6 || count > 8 {
			t.Errorf("%d token requests in half an hour", count)
		}
		for _, r := range n.Requests(sandbox.OpRead) {
			if r.Status == http.StatusUnauthorized {
				t.Error("a call met a 401")
			}
		}
	})
}

// A token that cannot be renewed early is used for as long as it is valid, also by callers for whom
// the client must not send another token request.
func TestTokenIsUsedToItsEndInAnOutage(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{"503": unavailable, "invalid_client": sandbox.Status(401, `{"error":"invalid_client"}`)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				mustList(t, n)
				n.InjectFault(sandbox.OpToken, -1, effect)
				time.Sleep(59*time.Minute + 10*time.Second)
				for range 5 {
					mustList(t, n)
					time.Sleep(5 * time.Second)
				}
				time.Sleep(time.Minute)
				_ = qodtest.ErrorAs[*qod.TokenError](t, list(t, n))
			})
		})
	}
}

// A server that issues the same token again is asked once, and not forever.
func TestTokenThatStaysRefused(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, -1, sandbox.Answer(200, qodtest.JSON, `{"access_token":"the-same","expires_in":3600}`))
		qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, list(t, n)).Status, http.StatusUnauthorized)
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 2)
		n.AcceptToken("the-same", sandbox.DefaultClient.ID)
		mustList(t, n)
		qodtest.Equal(t, "token requests in the end", n.Count(sandbox.OpToken), 2)
	})
}

// A caller waits for a hung token endpoint no longer than its deadline. The last caller to leave
// ends the request; one that leaves earlier does not affect the others.
func TestTokenEndpointHangs(t *testing.T) {
	t.Parallel()
	t.Run("its deadline", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
			var err error
			spent := qodtest.Elapsed(func() { _, err = n.Read(qodtest.WithTimeout(t, 300*time.Millisecond), qod.Ref{ID: qodtest.SessionID}) })
			qodtest.Equal(t, "timeout", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, true)
			qodtest.Equal(t, "spent", spent, 300*time.Millisecond)
		})
	})
	t.Run("nobody's deadline", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
			var err error
			spent := qodtest.Elapsed(func() { err = list(t, n) })
			_ = qodtest.ErrorAs[*qod.TokenError](t, err)
			if spent > 30*time.Second {
				t.Errorf("it took %v", spent)
			}
		})
	})
	t.Run("the last one leaves", func(t *testing.T) {
		t.Parallel()
		var ended sync.Map
		watch := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if strings.HasSuffix(r.URL.Path, "/token") {
				ended.Store("at", time.Now())
			}
			return response, err
		}
		qodtest.InBubble(t, qodtest.Options{Intercept: watch}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
			for i := range 3 {
				go func() {
					_, _ = n.Read(qodtest.WithTimeout(t, time.Duration(i+1)*time.Second), qod.Ref{ID: qodtest.SessionID})
				}()
			}
			time.Sleep(2900 * time.Millisecond)
			synctest.Wait()
			if _, over := ended.Load("at"); over {
				t.Error("the request ended although somebody waits for it")
			}
			time.Sleep(200 * time.Millisecond)
			synctest.Wait()
			if _, over := ended.Load("at"); !over {
				t.Error("the request goes on for nobody")
			}
			time.Sleep(time.Minute)
			qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
		})
	})
	t.Run("the last one leaves, and another comes", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, 1, sandbox.HangBeforeCommit())
			_, err := n.Read(qodtest.WithTimeout(t, time.Second), qod.Ref{ID: qodtest.SessionID})
			qodtest.Equal(t, "timeout", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, true)
			synctest.Wait()
			mustList(t, n)
		})
	})
	t.Run("the first one leaves", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpToken, 1, sandbox.Delay(5*time.Second))
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := n.Read(qodtest.CancelAfter(t, time.Second), qod.Ref{ID: qodtest.SessionID})
				_ = qodtest.ErrorAs[*qod.InterruptedError](t, err)
			})
			for range 10 {
				wg.Go(func() {
					time.Sleep(500 * time.Millisecond)
					mustList(t, n)
				})
			}
			wg.Wait()
			qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
		})
	})
}

// The secret and the scopes go to the token endpoint, by the authentication method that it wants,
// and nowhere else.
func TestTokenRequest(t *testing.T) {
	t.Parallel()
	const id, secret = "id:with spaces", "p%ss/wörd+&=?"
	inForm := func(document map[string]any) {
		document["token_endpoint_auth_methods_supported"] = []any{"client_secret_post", "private_key_jwt"}
	}
	tests := map[string]struct {
		discovery func(map[string]any)
		tokenURL  string
		form      bool
	}{
		"both are offered":         {},
		"nothing is said":          {discovery: withoutFields("token_endpoint_auth_methods_supported")},
		"nonsense is said":         {discovery: func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = "client_secret_post" }},
		"neither is offered":       {discovery: func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = []any{"private_key_jwt"} }},
		"only the form is offered": {discovery: inForm, form: true},
		"the endpoint is given":    {tokenURL: qodtest.Gateway + "/oauth/token", discovery: inForm},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{
				Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: id, Secret: secret}}},
				Client:  func(c *qod.Config) { c.ClientID, c.ClientSecret, c.TokenURL = id, secret, test.tokenURL },
			}, func(t *testing.T, n *qodtest.Network) {
				n.Discovery(test.discovery)
				mustList(t, n)
				r := n.Requests(sandbox.OpToken)[0]
				form, err := url.ParseQuery(string(r.Body))
				if err != nil {
					t.Fatal(err)
				}
				want := []string{"grant_type", "scope"}
				if test.form {
					want = []string{"client_id", "client_secret", "grant_type", "scope"}
					qodtest.Equal(t, "secret", form.Get("client_secret"), secret)
				}
				if got := slices.Sorted(keys(form)); !slices.Equal(got, want) {
					t.Errorf("the form has %v, want %v", got, want)
				}
				qodtest.Equal(t, "Basic", r.Header.Get("Authorization") != "", !test.form)
				qodtest.Equal(t, "scopes", form.Get("scope"), "qod:sessions:read qod:sessions:write")
				qodtest.Equal(t, "User-Agent", r.Header.Get("User-Agent"), "terraform-provider-qod/test")
				qodtest.Equal(t, "discoveries", n.Count(sandbox.OpDiscovery) == 1, test.tokenURL == "")
			})
		})
	}
}

func keys(form url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range form {
			if !yield(k) {
				return
			}
		}
	}
}

// A static token is used as it is, and once it has been refused no further request is sent.
func TestStaticToken(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.AccessToken = "ready" }}, func(t *testing.T, n *qodtest.Network) {
		n.AcceptToken("ready", sandbox.DefaultClient.ID)
		mustList(t, n)
		n.RevokeTokens()
		before := n.Count(sandbox.OpRead)
		for _, err := range []error{list(t, n), list(t, n)} {
			if !errors.Is(err, qod.ErrNotRenewable) {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "requests after it was revoked", n.Count(sandbox.OpRead)-before, 1)
		qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken)+n.Count(sandbox.OpDiscovery), 0)
	})
}

// A panic while a token is fetched becomes the error of every caller, and ends no process.
func TestTokenPanics(t *testing.T) {
	t.Parallel()
	faulty := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = io.Copy(io.Discard, r.Body)
			panic("a fault")
		}
		return next.RoundTrip(r)
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: faulty}, func(t *testing.T, n *qodtest.Network) {
		for _, err := range concurrently(20, func() error { return list(t, n) }) {
			_ = qodtest.ErrorAs[*qod.PanicError](t, err)
		}
		n.Intercept = nil
		mustList(t, n)
	})
}
