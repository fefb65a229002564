// A configuration that would leak credentials makes no client, and a panic is an error.
package qod_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestNew(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*qod.Config)
		origin string
		err    string
	}{
		"client credentials": {func(*qod.Config) {}, "https://gateway.example/v1 as client sandbox-client", ""},
		"spelled otherwise":  {func(c *qod.Config) { c.Endpoint = "HTTPS://Gateway.Example/v1//" }, "https://gateway.example/v1 as client sandbox-client", ""},
		"a path in capitals": {func(c *qod.Config) { c.Endpoint = "https://GATEWAY.example:8443/QoD/V1/" }, "https://gateway.example:8443/QoD/V1 as client sandbox-client", ""},
		"no path":            {func(c *qod.Config) { c.Endpoint = "https://Gateway.example/" }, "https://gateway.example as client sandbox-client", ""},
		"a static token":     {func(c *qod.Config) { c.AccessToken = "abc" }, "https://gateway.example/v1 as token", ""},
		"only a token":       {func(c *qod.Config) { c.AccessToken, c.ClientID, c.ClientSecret = "abc", "", "" }, "https://gateway.example/v1 as token", ""},
		"loopback":           {func(c *qod.Config) { c.Endpoint = "http://127.0.0.1:8080/v1" }, "http://127.0.0.1:8080/v1 as client sandbox-client", ""},

		"the API by its name":      {func(c *qod.Config) { c.API, c.APIPath = qod.OpenGateway, "/qod" }, "https://gateway.example/v1 as client sandbox-client", ""},
		"the API in another place": {func(c *qod.Config) { c.APIPath = "/camara/qod/v0.10" }, "https://gateway.example/v1 (open-gateway, /camara/qod/v0.10) as client sandbox-client", ""},
		"the API at the endpoint":  {func(c *qod.Config) { c.APIPath = "/" }, "https://gateway.example/v1 (open-gateway, /) as client sandbox-client", ""},

		"no such API":                        {func(c *qod.Config) { c.API = "camara" }, "", `there is no API "camara"; supported are open-gateway`},
		"no such path":                       {func(c *qod.Config) { c.APIPath = "qod" }, "", "path of the API does not begin with a slash"},
		"no endpoint":                        {func(c *qod.Config) { c.Endpoint = "" }, "", "endpoint"},
		"http":                               {func(c *qod.Config) { c.Endpoint = "http://gateway.example/v1" }, "", "unencrypted"},
		"a token URL of http":                {func(c *qod.Config) { c.TokenURL = "http://gateway.example/token" }, "", "token URL"},
		"no secret":                          {func(c *qod.Config) { c.ClientSecret = "" }, "", "secret"},
		"no id":                              {func(c *qod.Config) { c.ClientID = "" }, "", "client id"},
		"no timeout":                         {func(c *qod.Config) { c.RequestTimeout = 0 }, "", "timeout"},
		"a token with a newline":             {func(c *qod.Config) { c.AccessToken = "abc\n" }, "", "access token"},
		"a token with a letter that is none": {func(c *qod.Config) { c.AccessToken = "añb" }, "", "access token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := qodtest.Config(qodtest.Gateway + "/v1")
			config.Transport = qodtest.RoundTripper(func(*http.Request) (*http.Response, error) {
				t.Error("New sends a request")
				return nil, errors.New("no network")
			})
			test.change(&config)
			client, err := qod.New(config)
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "":
				qodtest.Equal(t, "origin", client.Origin(), test.origin)
				endpoint, _, _ := strings.Cut(test.origin, " ")
				if config.APIPath != "" && config.APIPath != qod.DefaultAPIPath(qod.OpenGateway) {
					endpoint += strings.TrimSuffix(config.APIPath, "/") + " (open-gateway)"
				}
				qodtest.Equal(t, "endpoint", client.Endpoint(), endpoint)
				qodtest.Equal(t, "endpoint without credentials", qod.EndpointFor(qod.Config{API: config.API, APIPath: config.APIPath, Endpoint: config.Endpoint}), endpoint)
				qodtest.Equal(t, "endpoint of the origin", qod.EndpointOf(client.Origin()), endpoint)
				qodtest.Equal(t, "API of the origin", qod.APIOf(client.Origin()), qod.OpenGateway)
			case err == nil:
				t.Error("it is accepted")
			case !strings.Contains(err.Error(), test.err):
				t.Errorf("%q does not say %q", err, test.err)
			case config.AccessToken != "" && strings.Contains(err.Error(), "abc"):
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestCheckAPIPath(t *testing.T) {
	t.Parallel()
	for path, problem := range map[string]string{
		"/qod": "", "/quality-on-demand/v1": "", "/a.b/_~-/v0.11": "", "/...": "", "/": "",
		"": "begin", "qod": "begin", "https://gateway.example/qod": "begin",
		"/qod/":    "ends",
		"/qod?v=1": "query", "/qod?": "query", "/qod#a": "fragment",
		"//qod": "segment", "/qod//v1": "segment", "/../admin": "segment", "/qod/..": "segment", "/./qod": "segment",
		"/a b": "character", "/qod\n": "character", "/%2e%2e": "character", "/qod\\v1": "character", "/@host": "character", "/ä": "character",
	} {
		if got := qod.CheckAPIPath(path); problem == "" && got != "" || !strings.Contains(got, problem) {
			t.Errorf("%q %s, want %q", path, got, problem)
		}
	}
}

// A mock of an API's document serves it without the path of its servers.
func TestAPIPathNone(t *testing.T) {
	t.Parallel()
	for _, api := range sandbox.APIs() {
		qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{API: api, APIPath: "/"}}, func(t *testing.T, n *qodtest.Network) {
			s, err := n.Create(t.Context(), camaraSpec())
			if err != nil {
				t.Fatal(api, err)
			}
			if _, err := n.Profiles(t.Context(), qod.ProfileFilter{}); err != nil && api == sandbox.CAMARAV0 {
				t.Error(api, err)
			}
			if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: camaraSpec().Device}); err != nil || len(n.Ledger()) != 0 {
				t.Error(api, err)
			}
			for _, r := range n.Requests() {
				if strings.Contains(r.Path, "//") {
					t.Error(api, r.Path)
				}
			}
		})
	}
}

// What can be known of an API without a client is what its client says.
func TestAPIs(t *testing.T) {
	t.Parallel()
	for _, api := range qod.APIs() {
		config := qodtest.Config(qodtest.Gateway)
		config.API = api
		client, err := qod.New(config)
		if err != nil {
			t.Fatal(err)
		}
		qodtest.Equal(t, "profiles", client.Limits().Profiles, qod.LimitsOf(api).Profiles)
		qodtest.Equal(t, "problems", client.Check(qod.Spec{Seconds: -1}), qod.CheckFor(api, "", qod.Spec{Seconds: -1}))
		qodtest.Equal(t, "problem of its path", qod.CheckAPIPath(qod.DefaultAPIPath(api)), "")
	}
	qodtest.Equal(t, "the longest session", qod.LimitsOf("").MaxSeconds("QOS_E"), 86400)
	qodtest.Equal(t, "the longest of any profile", qod.LimitsOf("").Longest(), 24*time.Hour)
	qodtest.Equal(t, "the longest of an API without a limit", qod.Limits{}.Longest(), 0)
	qodtest.Equal(t, "the API of an origin", qod.APIOf("https://gateway.example (other, /other/v2) as client (x, y)"), "other")
	qodtest.Equal(t, "the endpoint of an origin", qod.EndpointOf("https://gateway.example (other, /other/v2) as client (x, y)"), "https://gateway.example/other/v2 (other)")
	qodtest.Equal(t, "the path of another API", qod.DefaultAPIPath("camara")+strings.Join(qod.LimitsOf("camara").Scopes, ""), "")
	qodtest.Equal(t, "problems of another API", len(qod.CheckFor("camara", "", qod.Spec{Seconds: -1})), 0)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spec qod.Spec
		want []qod.Field
	}{
		"nothing known yet": {qod.Spec{}, nil},
		"a good one":        {qodtest.Spec(), nil},
		"the longest":       {qod.Spec{Seconds: 86400}, nil},
		"too long":          {qod.Spec{Seconds: 86401}, []qod.Field{qod.FieldDuration}},
		"negative":          {qod.Spec{Seconds: -1}, []qod.Field{qod.FieldDuration}},
		"no such profile":   {qod.Spec{QoSProfile: "qos_e"}, []qod.Field{qod.FieldQoSProfile}},
		"both":              {qod.Spec{QoSProfile: "QOS_X", Seconds: 100000}, []qod.Field{qod.FieldQoSProfile, qod.FieldDuration}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := qod.New(qodtest.Config(qodtest.Gateway + "/v1"))
			if err != nil {
				t.Fatal(err)
			}
			var got []qod.Field
			for _, p := range client.Check(test.spec) {
				got = append(got, p.Field)
				if p.Given == "" || p.Allowed == "" {
					t.Errorf("%+v", p)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// A panic in any verb becomes its error.
func TestLookingPanics(t *testing.T) {
	t.Parallel()
	verbs := map[string]func(n *qodtest.Network) error{
		"Read": func(n *qodtest.Network) error {
			_, err := n.Read(n.T.Context(), qod.Ref{ID: qodtest.SessionID})
			return err
		},
		"List": func(n *qodtest.Network) error { _, err := n.List(n.T.Context(), qod.Filter{}); return err },
		"Now":  func(n *qodtest.Network) error { _, err := n.Now(n.T.Context()); return err },
	}
	for name, verb := range verbs {
		for where, path := range map[string]string{"the API": "/qod/", "the token": "/token", "discovery": "/.well-known/"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				t.Parallel()
				faulty := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if strings.Contains(r.URL.Path, path) {
						panic("a fault")
					}
					return next.RoundTrip(r)
				}
				qodtest.InBubble(t, qodtest.Options{Intercept: faulty}, func(t *testing.T, n *qodtest.Network) {
					n.T = t
					err := verb(n)
					qodtest.Equal(t, "the fault", fmt.Sprint(qodtest.ErrorAs[*qod.PanicError](t, err).Value), "a fault")
					// It must not have left a lock behind.
					n.Intercept = nil
					if err := verb(n); err != nil && !qod.IsGone(err) {
						t.Errorf("afterwards: %v", err)
					}
				})
			})
		}
	}
}
