// Proves which credentials the provider takes from where, and that it says so without a secret in
// the text.

package provider

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// creds are the three credentials in one place, attributes or environment.
type creds struct{ token, id, secret string }

func (c creds) model() providerModel {
	return providerModel{AccessToken: spelt(c.token), ClientID: spelt(c.id), ClientSecret: spelt(c.secret)}
}

func (c creds) env() map[string]string {
	return map[string]string{"QOD_ACCESS_TOKEN": c.token, "QOD_CLIENT_ID": c.id, "QOD_CLIENT_SECRET": c.secret}
}

func TestConfig_credentials(t *testing.T) {
	t.Parallel()
	inEnv := creds{"env-token", "env-id", "env-secret"}
	for _, row := range []struct {
		name      string
		attribute creds
		env       creds
		want      string // the credential that is sent, the attributes that are not known, or the error
	}{
		{"nothing", creds{}, creds{}, "missing"},
		{"empty attributes", creds{empty, empty, empty}, creds{}, "missing"},

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
	if _, missing := errors.AsType[*diagnostics.MissingCredentialsError](err); missing {
		return "missing"
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
		stands, isUnconfigured := sessions.(unconfigured)
		_, isMissing := errors.AsType[*diagnostics.MissingCredentialsError](stands.err)
		isUnconfigured = isUnconfigured && !isMissing
		nothing := strings.Trim(attribute.token+attribute.id+attribute.secret, empty)+env.token+env.id+env.secret == ""
		switch {
		case nothing != isMissing:
			t.Errorf("%s: no credentials: %t", at, isMissing)
		case conflict != (diags.HasError() && diags[0].Summary() == "Conflicting Credentials"):
			t.Errorf("%s: a conflict: %t, but %v", at, conflict, diags)
		case notKnown && !conflict && (diags.HasError() || !isUnconfigured):
			t.Errorf("%s: what is not known is taken for %v, %v", at, sessions, diags)
		case !notKnown && isUnconfigured:
			t.Errorf("%s: all is known, but not configured", at)
		case diags.HasError() == (sessions != nil):
			t.Errorf("%s: %v and %v", at, sessions, diags)
		}
		if sessions != nil && !isUnconfigured && !isMissing {
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
		{"no secret", creds{id: "attr-id"}, creds{}, []string{"QOD_CLIENT_SECRET", "client_secret"}},
		{"no id", creds{secret: "attr-secret"}, creds{}, []string{"QOD_CLIENT_ID", "client_id"}},
		{"no secret, token passed over", creds{id: "attr-id"}, creds{token: "env-token"}, []string{"QOD_CLIENT_SECRET", "QOD_ACCESS_TOKEN is not used"}},
		{"both kinds", creds{token: "attr-token", id: "attr-id"}, creds{}, []string{"access_token conflicts with client_id, client_secret and client_private_key", "QOD_ACCESS_TOKEN"}},
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

// A saved plan that was made without credentials is applied with them: it has to say the same.
func TestConfig_endpointWithoutCredentials(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/qod", "/quality-on-demand/v2"} {
		config := providerModel{Endpoint: types.StringValue("https://Gateway.example/v1/"), APIPath: types.StringValue(path)}
		without, _ := open(config, nil)
		with, diags := open(config, map[string]string{"QOD_ACCESS_TOKEN": "token"})
		if diags.HasError() {
			t.Fatal(diags)
		}
		qodtest.Equal(t, "endpoint", without.Endpoint(), with.Endpoint())
	}
}
