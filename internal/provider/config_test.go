// Proves what the provider makes of its configuration and environment: which credentials it takes
// from where, which addresses it sends them to, and that it says all that is wrong at once, without
// a request and without a secret in the text.

package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// open connects with an environment that is env and nothing else.
func open(config providerModel, env map[string]string) (qod.Sessions, diag.Diagnostics) {
	return connect(config, func(name string) string { return env[name] }, "agent", nil, nil)
}

// How the tables spell a value of the configuration. The rest is as it is.
const (
	null    = ""
	empty   = "<empty>"
	unknown = "<unknown>"
)

func spelt(spelled string) types.String {
	switch spelled {
	case null:
		return types.StringNull()
	case empty:
		return types.StringValue("")
	case unknown:
		return types.StringUnknown()
	}
	return types.StringValue(spelled)
}

// creds are the three credentials in one place, attributes or environment.
type creds struct{ token, id, secret string }

func (c creds) model() providerModel {
	return providerModel{AccessToken: spelt(c.token), ClientID: spelt(c.id), ClientSecret: spelt(c.secret)}
}

func (c creds) env() map[string]string {
	return map[string]string{"QOD_ACCESS_TOKEN": c.token, "QOD_CLIENT_ID": c.id, "QOD_CLIENT_SECRET": c.secret}
}

const (
	noCredentials = `error at client_id: Missing Credentials`
	noID          = `error at client_id: Missing Client ID`
	noSecret      = `error at client_secret: Missing Client Secret`
	bothKinds     = `error at access_token: Conflicting Credentials`
)

func TestConfig_credentials(t *testing.T) {
	t.Parallel()
	inEnv := creds{"env-token", "env-id", "env-secret"}
	for _, row := range []struct {
		name      string
		attribute creds
		env       creds
		want      string // the credential that is sent, the attributes that are not known, or the error
	}{
		{"nothing", creds{}, creds{}, noCredentials},
		{"empty attributes", creds{empty, empty, empty}, creds{}, noCredentials},

		{"token in configuration", creds{token: "attr-token"}, creds{}, "Bearer attr-token"},
		{"token in environment", creds{}, creds{token: "env-token"}, "Bearer env-token"},
		{"token in both", creds{token: "attr-token"}, creds{token: "env-token"}, "Bearer attr-token"},
		{"token in configuration, everything in environment", creds{token: "attr-token"}, inEnv, "Bearer attr-token"},
		{"token empty in configuration", creds{token: empty}, creds{token: "env-token"}, "Bearer env-token"},
		{"token beside an empty pair", creds{"attr-token", empty, empty}, creds{}, "Bearer attr-token"},

		{"pair in configuration", creds{id: "attr-id", secret: "attr-secret"}, creds{}, "Basic attr-id:attr-secret"},
		{"pair in environment", creds{}, creds{id: "env-id", secret: "env-secret"}, "Basic env-id:env-secret"},
		{"pair in both", creds{id: "attr-id", secret: "attr-secret"}, creds{id: "env-id", secret: "env-secret"}, "Basic attr-id:attr-secret"},
		{"id in configuration, secret in environment", creds{id: "attr-id"}, creds{secret: "env-secret"}, "Basic attr-id:env-secret"},
		{"id in configuration, pair in environment", creds{id: "attr-id"}, creds{id: "env-id", secret: "env-secret"}, "Basic attr-id:env-secret"},
		{"secret in configuration, id in environment", creds{secret: "attr-secret"}, creds{id: "env-id"}, "Basic env-id:attr-secret"},
		{"id and an empty secret in configuration", creds{id: "attr-id", secret: empty}, creds{secret: "env-secret"}, "Basic attr-id:env-secret"},
		{"pair beside an empty token", creds{empty, "attr-id", "attr-secret"}, creds{}, "Basic attr-id:attr-secret"},
		{"empty pair in configuration, pair in environment", creds{"", empty, empty}, creds{id: "env-id", secret: "env-secret"}, "Basic env-id:env-secret"},

		{"pair in configuration, token in environment", creds{id: "attr-id", secret: "attr-secret"}, inEnv, "Basic attr-id:attr-secret"},
		{"id in configuration, everything in environment", creds{id: "attr-id"}, inEnv, "Basic attr-id:env-secret"},
		{"secret in configuration, everything in environment", creds{secret: "attr-secret"}, inEnv, "Basic env-id:attr-secret"},
		{"everything in environment", creds{}, inEnv, "Bearer env-token"},
		{"empty attributes, everything in environment", creds{empty, empty, empty}, inEnv, "Bearer env-token"},

		{"id alone in configuration", creds{id: "attr-id"}, creds{}, noSecret},
		{"id alone in environment", creds{}, creds{id: "env-id"}, noSecret},
		{"id in both", creds{id: "attr-id"}, creds{id: "env-id"}, noSecret},
		{"id in configuration, token in environment", creds{id: "attr-id"}, creds{token: "env-token"}, noSecret},
		{"secret alone in configuration", creds{secret: "attr-secret"}, creds{}, noID},
		{"secret alone in environment", creds{}, creds{secret: "env-secret"}, noID},
		{"secret in configuration, token in environment", creds{secret: "attr-secret"}, creds{token: "env-token"}, noID},

		{"both kinds in configuration", creds{"attr-token", "attr-id", "attr-secret"}, creds{}, bothKinds},
		{"token and id in configuration", creds{token: "attr-token", id: "attr-id"}, creds{secret: "env-secret"}, bothKinds},
		{"token and secret in configuration", creds{token: "attr-token", secret: "attr-secret"}, creds{id: "env-id"}, bothKinds},
		{"both kinds in configuration, one half not known", creds{"attr-token", "attr-id", unknown}, creds{}, bothKinds},

		{"token not known", creds{token: unknown}, creds{}, "unknown access_token"},
		{"token not known, everything in environment", creds{token: unknown}, inEnv, "unknown access_token"},
		{"token not known beside a pair", creds{unknown, "attr-id", "attr-secret"}, creds{}, "unknown access_token"},
		{"id not known", creds{id: unknown}, creds{}, "unknown client_id"},
		{"id not known, token in environment", creds{id: unknown}, creds{token: "env-token"}, "unknown client_id"},
		{"id not known, secret in environment", creds{id: unknown}, creds{secret: "env-secret"}, "unknown client_id"},
		{"id not known beside a token", creds{token: "attr-token", id: unknown}, creds{}, "unknown client_id"},
		{"secret not known", creds{secret: unknown}, creds{}, "unknown client_secret"},
		{"secret not known beside an id", creds{id: "attr-id", secret: unknown}, creds{}, "unknown client_secret"},
		{"pair not known", creds{id: unknown, secret: unknown}, creds{}, "unknown client_id, client_secret"},
		{"nothing known", creds{unknown, unknown, unknown}, inEnv, "unknown access_token, client_id, client_secret"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := credentialsUsed(t, row.attribute, row.env); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// credentialsUsed connects to a sandbox that knows every credential of the tables, makes a call,
// and looks at what arrives there.
func credentialsUsed(t *testing.T, attributes, env creds) string {
	t.Helper()
	s := sandbox.Start(t, sandbox.Config{Clients: []sandbox.ClientCredentials{
		{ID: "attr-id", Secret: "attr-secret"}, {ID: "attr-id", Secret: "env-secret"},
		{ID: "env-id", Secret: "attr-secret"}, {ID: "env-id", Secret: "env-secret"},
	}})
	s.AcceptToken("attr-token", "attr-id")
	s.AcceptToken("env-token", "env-id")
	config := attributes.model()
	config.Endpoint = types.StringValue(s.Endpoint())
	sessions, diags := open(config, env.env())
	if made := s.Requests(); len(made) > 0 {
		t.Errorf("configuring made %d requests", len(made))
	}
	if diags.HasError() {
		return onlyError(t, diags)
	}
	_, err := sessions.List(t.Context(), qod.Filter{})
	if unknown, ok := errors.AsType[*diagnostics.UnknownConfigurationError](err); ok {
		return "unknown " + strings.Join(unknown.Attributes, ", ")
	}
	if err != nil {
		t.Fatal(err)
	}
	if asked := s.Requests(sandbox.OpToken); len(asked) > 0 {
		id, secret, _ := (&http.Request{Header: asked[0].Header}).BasicAuth()
		return "Basic " + id + ":" + secret
	}
	return s.Requests(sandbox.OpList)[0].Header.Get("Authorization")
}

func onlyError(t *testing.T, diags diag.Diagnostics) string {
	t.Helper()
	if len(diags) != 1 {
		t.Errorf("want one error, got %v", diags)
	}
	return fmt.Sprintf("error at %s: %s", pathOf(diags[0]), diags[0].Summary())
}

func pathOf(d diag.Diagnostic) path.Path {
	if d, ok := d.(diag.DiagnosticWithPath); ok {
		return d.Path()
	}
	return path.Empty()
}

// What holds for all 512 ways to fill the six places.
func TestConfig_credentialsAlways(t *testing.T) {
	t.Parallel()
	tokens, ids, secrets := []string{null, empty, unknown, "attr-token"}, []string{null, empty, unknown, "attr-id"}, []string{null, empty, unknown, "attr-secret"}
	for i := range 4 * 4 * 4 * 2 * 2 * 2 {
		attribute := creds{tokens[i%4], ids[i/4%4], secrets[i/16%4]}
		var env creds
		if i/64%2 == 1 {
			env.token = "env-token"
		}
		if i/128%2 == 1 {
			env.id = "env-id"
		}
		if i/256%2 == 1 {
			env.secret = "env-secret"
		}
		at := fmt.Sprintf("attributes %q, environment %q", attribute, env)
		sessions, diags := open(attribute.model(), env.env())

		conflict := attribute.token == "attr-token" && (attribute.id == "attr-id" || attribute.secret == "attr-secret")
		notKnown := slices.Contains([]string{attribute.token, attribute.id, attribute.secret}, unknown)
		_, isUnconfigured := sessions.(unconfigured)
		switch {
		case conflict != (diags.HasError() && diags[0].Summary() == "Conflicting Credentials"):
			t.Errorf("%s: a conflict: %t, but %v", at, conflict, diags)
		case notKnown && !conflict && (diags.HasError() || !isUnconfigured):
			t.Errorf("%s: what is not known is taken for %v, %v", at, sessions, diags)
		case !notKnown && isUnconfigured:
			t.Errorf("%s: all is known, but not configured", at)
		case diags.HasError() == (sessions != nil):
			t.Errorf("%s: %v and %v", at, sessions, diags)
		}
		if sessions != nil && !isUnconfigured {
			named := attribute.id == "attr-id" || attribute.secret == "attr-secret"
			if named && strings.HasSuffix(sessions.Origin(), "token") {
				t.Errorf("%s: the environment overrides the client that the configuration names", at)
			}
		}
		withNulls := creds{strings.ReplaceAll(attribute.token, empty, null), strings.ReplaceAll(attribute.id, empty, null), strings.ReplaceAll(attribute.secret, empty, null)}
		again, same := open(withNulls.model(), env.env())
		if !same.Equal(diags) || (sessions != nil && again.Origin() != sessions.Origin()) {
			t.Errorf("%s: an empty string is not the same as none", at)
		}
		for _, d := range diags {
			for _, secret := range []string{"attr-token", "env-token", "attr-secret", "env-secret"} {
				if strings.Contains(d.Summary()+d.Detail(), secret) {
					t.Errorf("%s: the error shows a credential: %s", at, d.Detail())
				}
			}
		}
	}
}

func TestConfig_texts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		attribute creds
		env       creds
		want      []string
	}{
		{"no credentials", creds{}, creds{}, []string{"QOD_CLIENT_ID", "QOD_CLIENT_SECRET", "QOD_ACCESS_TOKEN", "client_id", "client_secret", "access_token"}},
		{"no secret", creds{id: "attr-id"}, creds{}, []string{"QOD_CLIENT_SECRET", "client_secret"}},
		{"no id", creds{secret: "attr-secret"}, creds{}, []string{"QOD_CLIENT_ID", "client_id"}},
		{"no secret, token passed over", creds{id: "attr-id"}, creds{token: "env-token"}, []string{"QOD_CLIENT_SECRET", "QOD_ACCESS_TOKEN is not used"}},
		{"both kinds", creds{token: "attr-token", id: "attr-id"}, creds{}, []string{"access_token conflicts with client_id and client_secret", "QOD_ACCESS_TOKEN"}},
		{"token with a line feed", creds{token: "attr-token\n"}, creds{}, []string{"The attribute access_token", "line feed", "trimspace"}},
		{"token with a space", creds{token: "attr-token attr-token"}, creds{}, []string{"The attribute access_token", "a space"}},
		{"token with its scheme", creds{}, creds{token: "bearer env-token"}, []string{"The environment variable QOD_ACCESS_TOKEN starts with \"Bearer\": give the token alone"}},
		{"token in quotation marks", creds{}, creds{token: `"env-token"`}, []string{"The environment variable QOD_ACCESS_TOKEN is in quotation marks"}},
		{"secret in quotation marks", creds{}, creds{id: "env-id", secret: "'env-secret'"}, []string{"The environment variable QOD_CLIENT_SECRET is in quotation marks"}},
		{"token with a line feed in the environment", creds{}, creds{token: "env-token\n"}, []string{"The environment variable QOD_ACCESS_TOKEN", "line feed", "tr -d"}},
		{"secret with a line feed", creds{id: "attr-id", secret: "attr-secret\r\n"}, creds{}, []string{"The attribute client_secret", "line feed"}},
		{"secret with a line feed in the environment", creds{id: "attr-id"}, creds{secret: "env-secret\n"}, []string{"The environment variable QOD_CLIENT_SECRET", "line feed"}},
		{"id with a line feed in the environment", creds{}, creds{id: "env-id\n", secret: "env-secret"}, []string{"The environment variable QOD_CLIENT_ID", "line feed"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, diags := open(row.attribute.model(), row.env.env())
			onlyError(t, diags)
			for _, part := range row.want {
				if !strings.Contains(diags[0].Detail(), part) {
					t.Errorf("the text does not say %q:\n%s", part, diags[0].Detail())
				}
			}
			for _, secret := range []string{"attr-token", "env-token", "attr-secret", "env-secret"} {
				if strings.Contains(diags[0].Detail(), secret) {
					t.Errorf("the text shows a credential:\n%s", diags[0].Detail())
				}
			}
		})
	}
}

func TestConfig_addresses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, value, want string }{
		{"http", "http://opengateway.example/v1", "https"},
		{"http to a name that resolves to loopback", "http://localhost.example/v1", "https"},
		{"http to a private address", "http://192.168.0.1/v1", "https"},
		{"http to all addresses", "http://0.0.0.0/v1", "https"},
		{"other scheme", "ws://127.0.0.1/v1", "https"},
		{"user", "https://hunter2@127.0.0.1/v1", "user name or password"},
		{"user and password", "https://ops:hunter2@127.0.0.1/v1", "user name or password"},
		{"query", "https://127.0.0.1/v1?key=hunter2", "query or fragment"},
		{"empty query", "https://127.0.0.1/v1?", "query or fragment"},
		{"fragment", "https://127.0.0.1/v1#hunter2", "query or fragment"},
		{"not absolute", "127.0.0.1/v1", "not an absolute URL"},
		{"no URL", "https://127.0.0.1:hunter2/v1", "not a URL"},
		{"line feed", "https://127.0.0.1/v1\n", "control character"},
	} {
		for _, attribute := range []string{"endpoint", "token_url"} {
			variable := "QOD_" + strings.ToUpper(attribute)
			for place, source := range map[string]string{"The attribute " + attribute: attribute, "The environment variable " + variable: variable} {
				t.Run(row.name+" in "+source, func(t *testing.T) {
					t.Parallel()
					config := creds{token: "attr-token"}.model()
					env := map[string]string{}
					switch source {
					case "endpoint":
						config.Endpoint = types.StringValue(row.value)
					case "token_url":
						config.TokenURL = types.StringValue(row.value)
					default:
						env[source] = row.value
					}
					_, diags := open(config, env)
					if got, want := onlyError(t, diags), "error at "+attribute+": Invalid "+validators.Title(attribute); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
					for _, part := range []string{place, row.want, attribute, variable, "Given: "} {
						if !strings.Contains(diags[0].Detail(), part) {
							t.Errorf("the text does not say %q:\n%s", part, diags[0].Detail())
						}
					}
					if row.name != "no URL" && strings.Contains(diags[0].Detail(), "hunter2") {
						t.Errorf("the text shows a secret:\n%s", diags[0].Detail())
					}
				})
			}
		}
	}
}

// A wrong address in the environment does not matter where the configuration has a good one.
func TestConfig_precedence(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"QOD_ENDPOINT": "http://env.example", "QOD_TOKEN_URL": "http://env.example", "QOD_SCOPES": "\"", "QOD_ACCESS_TOKEN": "env token",
	}
	config := providerModel{
		Endpoint: types.StringValue("https://API.example/v1/"), TokenURL: types.StringValue("https://attr.example/token"),
		ClientID: types.StringValue("attr-id"), ClientSecret: types.StringValue("attr-secret"),
		Scopes: listOf("qod:sessions:read"),
	}
	sessions, diags := open(config, env)
	if diags.HasError() {
		t.Fatal(diags)
	}
	if got, want := sessions.Origin(), "https://api.example/v1 as client attr-id"; got != want {
		t.Errorf("the origin is %q, want %q", got, want)
	}
	sessions, diags = open(creds{token: "attr-token"}.model(), nil)
	if diags.HasError() || sessions.Origin() != qod.DefaultEndpoint+" as token" {
		t.Errorf("without an endpoint: %v, %v", sessions, diags)
	}
}

func TestConfig_environment(t *testing.T) {
	t.Parallel()
	const wrong = "http://127.0.0.1:1"
	for _, row := range []struct {
		name      string
		config    func(s *sandbox.Server, m *providerModel)
		env       func(s *sandbox.Server, env map[string]string)
		discovers bool
		scope     string
	}{
		{
			name:      "endpoint in environment",
			env:       func(s *sandbox.Server, env map[string]string) { env["QOD_ENDPOINT"] = s.Endpoint() },
			discovers: true, scope: "qod:sessions:read qod:sessions:write",
		},
		{
			name:      "endpoint empty in configuration",
			config:    func(_ *sandbox.Server, m *providerModel) { m.Endpoint = types.StringValue("") },
			env:       func(s *sandbox.Server, env map[string]string) { env["QOD_ENDPOINT"] = s.Endpoint() },
			discovers: true, scope: "qod:sessions:read qod:sessions:write",
		},
		{
			name: "endpoint and token URL in environment",
			env: func(s *sandbox.Server, env map[string]string) {
				env["QOD_ENDPOINT"], env["QOD_TOKEN_URL"] = s.Endpoint(), s.TokenURL()
			},
			scope: "qod:sessions:read qod:sessions:write",
		},
		{
			name: "configuration before environment",
			config: func(s *sandbox.Server, m *providerModel) {
				m.Endpoint, m.TokenURL = types.StringValue(s.Endpoint()), types.StringValue(s.TokenURL())
				m.Scopes = listOf("qod:sessions:read")
			},
			env: func(_ *sandbox.Server, env map[string]string) {
				env["QOD_ENDPOINT"], env["QOD_TOKEN_URL"], env["QOD_SCOPES"] = wrong, wrong, "other"
			},
			scope: "qod:sessions:read",
		},
		{
			name: "scopes in environment, spaced out",
			env: func(s *sandbox.Server, env map[string]string) {
				env["QOD_ENDPOINT"], env["QOD_SCOPES"] = s.Endpoint(), " \tqod:sessions:write   qod:sessions:read\n"
			},
			discovers: true, scope: "qod:sessions:write qod:sessions:read",
		},
		{
			name: "scopes empty in environment",
			env: func(s *sandbox.Server, env map[string]string) {
				env["QOD_ENDPOINT"], env["QOD_SCOPES"] = s.Endpoint(), "  "
			},
			discovers: true, scope: "qod:sessions:read qod:sessions:write",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			config := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}.model()
			if row.config != nil {
				row.config(s, &config)
			}
			env := map[string]string{}
			row.env(s, env)
			sessions, diags := open(config, env)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if _, err := sessions.List(t.Context(), qod.Filter{}); err != nil {
				t.Fatal(err)
			}
			if got := s.Count(sandbox.OpDiscovery) > 0; got != row.discovers {
				t.Errorf("the token endpoint is discovered: %t", got)
			}
			form, err := url.ParseQuery(string(s.Requests(sandbox.OpToken)[0].Body))
			if err != nil || form.Get("scope") != row.scope {
				t.Errorf("the scopes are %q (%v), want %q", form.Get("scope"), err, row.scope)
			}
		})
	}
}

func TestConfig_wrongScopesInEnvironment(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`"qod:sessions:read"`:                   "The quotation marks have become part of the value: remove them.",
		"'qod:sessions:read'":                   "The quotation marks have become part of the value: remove them.",
		"qod:sessions:read,qod:sessions:write":  "It contains a comma or a semicolon: write a space in its place.",
		"qod:sessions:read; qod:sessions:write": "It contains a comma or a semicolon: write a space in its place.",
		`qod:sessions:"read`:                    "as in \"qod:sessions:read qod:sessions:write\". Given: ",
	} {
		_, diags := open(creds{token: "attr-token"}.model(), map[string]string{"QOD_SCOPES": given})
		if got := onlyError(t, diags); got != "error at scopes: Invalid Scopes" || !strings.Contains(diags[0].Detail(), "QOD_SCOPES") || !strings.Contains(diags[0].Detail(), want) {
			t.Errorf("%s: got %s: %v", given, got, diags)
		}
	}
}

// The discovery document decides where the client secret goes next.
func TestConfig_discovery(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(document map[string]any)
		want   string
	}{
		{"http", func(d map[string]any) { d["token_endpoint"] = "http://opengateway.example/token" }, "its token_endpoint uses http, which would send credentials unencrypted; use https"},
		{"user name", func(d map[string]any) { d["token_endpoint"] = "https://ops@opengateway.example/token" }, "its token_endpoint contains a user name or password"},
		{"relative", func(d map[string]any) { d["token_endpoint"] = "/token" }, "its token_endpoint is not an absolute URL"},
		{"none", func(d map[string]any) { delete(d, "token_endpoint") }, "the document names no token_endpoint"},
		{"other issuer", func(d map[string]any) { d["issuer"] = "https://other.example" }, "the document speaks for another issuer, https://other.example"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{})
			s.Discovery(row.change)
			diags := acc.NewClient(t, nil).ReadSessions(acctest.ProviderConfig(s), attrs{})
			if len(diags) != 1 || diags[0].Summary != "Unable to List QoS Sessions" {
				t.Fatalf("want one error, got:\n%s", acctest.Describe(diags))
			}
			for _, part := range []string{row.want, s.URL() + "/.well-known/openid-configuration", "QOD_ENDPOINT", "QOD_TOKEN_URL"} {
				if !strings.Contains(diags[0].Detail, part) {
					t.Errorf("the text does not say %q:\n%s", part, diags[0].Detail)
				}
			}
			for _, r := range s.Requests() {
				if r.Operation != sandbox.OpDiscovery || r.Header.Get("Authorization") != "" {
					t.Errorf("%s %s was sent all the same", r.Method, r.Path)
				}
			}
		})
	}
}

// A person sees everything that is wrong in one run, wherever it stands, at the attribute to set
// and with the variable that can be set instead.
func TestConfig_allErrorsTogether(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config attrs
		env    map[string]string
		want   []string
	}{
		{
			name: "in the environment",
			env: map[string]string{
				"QOD_ENDPOINT": "http://ops:hunter2@opengateway.example", "QOD_TOKEN_URL": "token", "QOD_SCOPES": `"`, "QOD_CLIENT_SECRET": "hunter2\n",
			},
			want: []string{"client_id: Missing Client ID", "client_secret: Invalid Client Secret", "endpoint: Invalid Endpoint", "scopes: Invalid Scopes", "token_url: Invalid Token URL"},
		},
		{
			name: "in the configuration",
			config: attrs{
				"endpoint": "http://ops:hunter2@opengateway.example", "token_url": "token", "scopes": []any{"", `"`}, "max_retries": 1.5, "request_timeout": "soon",
				"client_id": "ops\n", "client_secret": "hunter2\n",
			},
			want: []string{
				"client_id: Invalid Client ID", "client_secret: Invalid Client Secret", "endpoint: Invalid Endpoint", "max_retries: Invalid Max Retries",
				"request_timeout: Invalid Request Timeout", "scopes[0]: Invalid Scopes", "scopes[1]: Invalid Scopes", "token_url: Invalid Token URL",
			},
		},
		{
			name:   "in both",
			config: attrs{"scopes": []any{}, "request_timeout": "0s"},
			env:    map[string]string{"QOD_ENDPOINT": "opengateway.example", "QOD_ACCESS_TOKEN": "hunter2\n"},
			want:   []string{"access_token: Invalid Access Token", "endpoint: Invalid Endpoint", "request_timeout: Invalid Request Timeout", "scopes: Invalid Scopes"},
		},
		{
			name:   "in the configuration, and nothing in the environment",
			config: attrs{"max_retries": -1},
			want:   []string{"client_id: Missing Credentials", "max_retries: Invalid Max Retries"},
		},
		{
			name:   "two kinds of credentials",
			config: attrs{"access_token": "hunter2", "client_id": "ops"},
			env:    map[string]string{"QOD_TOKEN_URL": "token"},
			want:   []string{"access_token: Conflicting Credentials", "token_url: Invalid Token URL"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var at []string
			for _, d := range acc.NewClient(t, row.env).Configure(row.config) {
				at = append(at, acctest.PathString(d.Attribute)+": "+d.Summary)
				if strings.Contains(d.Detail, "hunter2") {
					t.Errorf("the text shows a secret:\n%s", d.Detail)
				}
				attribute, _, _ := strings.Cut(acctest.PathString(d.Attribute), "[")
				if variable := "QOD_" + strings.ToUpper(attribute); attribute != "max_retries" && attribute != "request_timeout" && !strings.Contains(d.Detail, variable) {
					t.Errorf("the text does not name %s:\n%s", variable, d.Detail)
				}
			}
			slices.Sort(at)
			if !slices.Equal(at, row.want) {
				t.Errorf("the errors are %q, want %q", at, row.want)
			}
		})
	}
}

// What terraform validate refuses: what no environment can make right. That of a machine without
// credentials is not wrong.
func TestConfig_validate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config attrs
		wrong  bool
	}{
		{"nothing", attrs{}, false},
		{"half of a pair", attrs{"client_id": "ops"}, false},
		{"what is not known yet", attrs{"endpoint": acctest.Unknown{}, "scopes": acctest.Unknown{}, "max_retries": acctest.Unknown{}}, false},
		{"an endpoint", attrs{"endpoint": "http://opengateway.example"}, true},
		{"a token URL", attrs{"token_url": "token"}, true},
		{"scopes", attrs{"scopes": []any{nil}}, true},
		{"retries", attrs{"max_retries": 21}, true},
		{"a timeout", attrs{"request_timeout": "30"}, true},
		{"a token", attrs{"access_token": "hunter2\n"}, true},
		{"a secret", attrs{"client_secret": "hunter2\n"}, true},
		{"two kinds of credentials", attrs{"access_token": "hunter2", "client_id": "ops"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// What is wrong with the environment is not what validate is asked.
			diags := acc.NewClient(t, map[string]string{"QOD_ENDPOINT": "http://env.example", "QOD_SCOPES": `"`}).ValidateProvider(row.config)
			if acctest.HasError(diags) != row.wrong {
				t.Errorf("refused: %t\n%s", acctest.HasError(diags), acctest.Describe(diags))
			}
		})
	}
}

func TestConfig_unknown(t *testing.T) {
	t.Parallel()
	pair := creds{id: "attr-id", secret: "attr-secret"}.model()
	for name, change := range map[string]func(*providerModel){
		"endpoint":        func(m *providerModel) { m.Endpoint = types.StringUnknown() },
		"token_url":       func(m *providerModel) { m.TokenURL = types.StringUnknown() },
		"scopes":          func(m *providerModel) { m.Scopes = types.ListUnknown(types.StringType) },
		"max_retries":     func(m *providerModel) { m.MaxRetries = validators.WholeNumber{Int64Value: basetypes.NewInt64Unknown()} },
		"request_timeout": func(m *providerModel) { m.RequestTimeout = types.StringUnknown() },
		"client_id":       func(m *providerModel) { m.ClientID = types.StringUnknown() },
		"client_secret":   func(m *providerModel) { m.ClientSecret = types.StringUnknown() },
		"access_token":    func(m *providerModel) { m.AccessToken = types.StringUnknown() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := pair
			change(&config)
			// The environment does not stand in for what the configuration will say, and is not
			// judged.
			sessions, diags := open(config, map[string]string{"QOD_" + strings.ToUpper(name): "http://env.example\n"})
			if len(diags) > 0 {
				t.Fatalf("what is not known fails: %v", diags)
			}
			ctx := t.Context()
			for verb, err := range map[string]error{
				"Reserve": second(sessions.Create(ctx, qod.Spec{})), "Await": second(sessions.Await(ctx, qod.Ref{})),
				"Read": second(sessions.Read(ctx, qod.Ref{})), "Release": sessions.Delete(ctx, qod.Ref{}),
				"List": second(sessions.List(ctx, qod.Filter{})), "Now": second(sessions.Now(ctx)),
			} {
				if err == nil || err.Error() != "the provider's "+name+" is not known yet" || qod.IsGone(err) {
					t.Errorf("%s says %v", verb, err)
				}
			}
			if found := sessions.Check(qod.Spec{QoSProfile: "QOS_XL"}); len(found) != 1 {
				t.Errorf("Check finds %v", found)
			}
			if sessions.Origin() != "" || sessions.Endpoint() != "" {
				t.Errorf("the origin is %q, the endpoint %q", sessions.Origin(), sessions.Endpoint())
			}
		})
	}
	t.Run("an error beside it", func(t *testing.T) {
		t.Parallel()
		config := pair
		config.Endpoint, config.TokenURL = types.StringUnknown(), types.StringValue("http://attr.example")
		if _, diags := open(config, nil); onlyError(t, diags) != "error at token_url: Invalid Token URL" {
			t.Errorf("got %v", diags)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Numbers arrive where they count.
func TestConfig_limits(t *testing.T) {
	t.Parallel()
	t.Run("max_retries", func(t *testing.T) {
		t.Parallel()
		for retries := range int64(2) {
			s := sandbox.Start(t, sandbox.Config{})
			s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.Status(http.StatusServiceUnavailable, "")})
			config := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}.model()
			config.Endpoint, config.MaxRetries = types.StringValue(s.Endpoint()), validators.NewWholeNumber(retries)
			sessions, diags := open(config, nil)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if _, err := sessions.List(t.Context(), qod.Filter{}); err == nil {
				t.Error("the call succeeds")
			}
			if got := s.Count(sandbox.OpList); got != int(retries)+1 {
				t.Errorf("%d requests with %d retries", got, retries)
			}
		}
	})
	t.Run("request_timeout", func(t *testing.T) {
		t.Parallel()
		s := sandbox.Start(t, sandbox.Config{})
		s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: sandbox.HangBeforeCommit()})
		config := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}.model()
		config.Endpoint, config.MaxRetries, config.RequestTimeout = types.StringValue(s.Endpoint()), validators.NewWholeNumber(0), types.StringValue("20ms")
		sessions, diags := open(config, nil)
		if diags.HasError() {
			t.Fatal(diags)
		}
		began := time.Now()
		if _, err := sessions.List(t.Context(), qod.Filter{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call ends with %v", err)
		}
		if took := time.Since(began); took > defaultRequestTimeout/2 {
			t.Errorf("the call took %s", took)
		}
	})
}

func TestConfig_userAgent(t *testing.T) {
	t.Parallel()
	const plain = "terraform-provider-qod/1.2.3 (+https://github.com/telefonica/terraform-provider-qod) Terraform/1.11.4"
	for _, row := range []struct{ name, extra, want string }{
		{"nothing appended", "", plain},
		{"only spaces", " \t ", plain},
		{"a product", "ci/7", plain + " ci/7"},
		{"with spaces around", "  ci/7 (nightly)\n", plain + " ci/7 (nightly)"},
		{"with a header smuggled in", "ci/7\r\nX-Evil: yes", plain + " ci/7X-Evil: yes"},
		{"with control characters", "ci\x00/\x1b[31m7\x7f\t8", plain + " ci/[31m78"},
		{"not ASCII", "señal/7 ☃", plain + " seal/7 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := userAgent("1.2.3", "1.11.4", func(name string) string {
				return map[string]string{"TF_APPEND_USER_AGENT": row.extra}[name]
			})
			if got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
	t.Run("sent with every request", func(t *testing.T) {
		t.Parallel()
		s := sandbox.Start(t, sandbox.Config{})
		w := acc.NewClient(t, map[string]string{"TF_APPEND_USER_AGENT": "ci/7\r\nX-Evil: yes"})
		if diags := w.ReadSessions(acctest.ProviderConfig(s), attrs{}); acctest.HasError(diags) {
			t.Fatalf("refused:\n%s", acctest.Describe(diags))
		}
		made := s.Requests(sandbox.OpDiscovery, sandbox.OpToken, sandbox.OpList)
		if len(made) != 3 {
			t.Fatalf("%d requests, want discovery, token and list", len(made))
		}
		want := strings.Replace(plain, "1.2.3", "test", 1) + " ci/7X-Evil: yes"
		for _, r := range made {
			if got := r.Header.Get("User-Agent"); got != want || r.Header.Get("X-Evil") != "" {
				t.Errorf("%s: the user agent is %q, want %q", r.Operation, got, want)
			}
		}
	})
}

func listOf(values ...string) types.List {
	var elements []attr.Value
	for _, v := range values {
		elements = append(elements, types.StringValue(v))
	}
	return types.ListValueMust(types.StringType, elements)
}
