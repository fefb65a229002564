// Proves by which grant the provider gets its tokens, and that each wrong pairing is said before
// any request, at its attribute.

package provider

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestConfig_grant(t *testing.T) {
	t.Parallel()
	client, private := qodtest.KeyClient(t, "ops")
	client.Secret = "right"
	const (
		ciba = "urn:openid:params:grant-type:ciba"
		jwt  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	)
	pair, key := doors{"client_id": "ops", "client_secret": "right"}, doors{"client_id": "ops", "client_private_key": private}
	with := func(d doors, more doors) doors {
		all := maps.Clone(d)
		maps.Copy(all, more)
		return all
	}
	for _, row := range []struct {
		name  string
		given doors // of the configuration, and the environment in upper case
		model func(*providerModel)
		want  string // the grant that is used, or the error
	}{
		{"by default", pair, nil, "client_credentials"},
		{"told so", with(pair, doors{"grant": "client_credentials"}), nil, "client_credentials"},
		{"ciba", with(pair, doors{"grant": "ciba"}), nil, ciba},
		{"ciba with a key", with(key, doors{"grant": "ciba"}), nil, ciba},
		{"ciba in the environment", with(pair, doors{"QOD_GRANT": "ciba"}), nil, ciba},
		{"ciba in the environment alone", doors{"QOD_GRANT": "ciba", "QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "right"}, nil, ciba},
		{"ciba, and another in the environment", with(pair, doors{"grant": "ciba", "QOD_GRANT": "jwt_bearer"}), nil, ciba},
		{"ciba names a client, token in the environment", doors{"grant": "ciba", "QOD_ACCESS_TOKEN": "wrong", "QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "right"}, nil, ciba},
		{"jwt_bearer", with(key, doors{"grant": "jwt_bearer"}), nil, jwt},
		{"jwt_bearer, a secret of other runs", with(key, doors{"grant": "jwt_bearer", "QOD_CLIENT_SECRET": "right", "QOD_TOKEN_ENDPOINT_AUTH_METHOD": "client_secret_post"}), nil, jwt},
		{"what belongs to ciba, of other runs", with(pair, doors{"QOD_BACKCHANNEL_AUTHENTICATION_URL": "http://gateway.example", "QOD_MAX_PENDING_AUTHORIZATIONS": "x"}), nil, "client_credentials"},
		{"a token, and the default grant in the environment", doors{"access_token": "right", "QOD_GRANT": "client_credentials"}, nil, "token"},

		{"no such grant", with(pair, doors{"grant": "password"}), nil, "error at grant: Invalid Grant"},
		{"in capitals", with(pair, doors{"QOD_GRANT": "CIBA"}), nil, "error at grant: Invalid Grant"},
		{"ciba and a token", doors{"grant": "ciba", "access_token": "right"}, nil, "error at access_token: Conflicting Credentials"},
		{"jwt_bearer and a token", doors{"grant": "jwt_bearer", "access_token": "right"}, nil, "error at access_token: Conflicting Credentials"},
		{"ciba and a token in the environment", doors{"QOD_ACCESS_TOKEN": "right", "QOD_GRANT": "ciba"}, nil, "error at access_token: Conflicting Credentials"},
		{"ciba in the environment and a token", doors{"access_token": "right", "QOD_GRANT": "ciba"}, nil, "error at access_token: Conflicting Credentials"},
		{"ciba and a token in the environment, and a client", with(pair, doors{"QOD_ACCESS_TOKEN": "wrong", "QOD_GRANT": "ciba"}), nil, ciba},
		{"ciba and headers alone", doors{"grant": "ciba", "QOD_HEADERS": `{"X-Key":"right"}`}, nil, "error at client_id: Missing Client ID"},
		{"ciba, no secret", doors{"grant": "ciba", "client_id": "ops"}, nil, noSecret},
		{"jwt_bearer without a key", doors{"grant": "jwt_bearer", "client_id": "ops"}, nil, "error at client_private_key: Missing Client Private Key"},
		{"jwt_bearer with a secret", with(key, doors{"grant": "jwt_bearer", "client_secret": "right"}), nil, "error at client_secret: Conflicting Credentials"},
		{"jwt_bearer with a method", with(key, doors{"grant": "jwt_bearer", "token_endpoint_auth_method": "private_key_jwt"}), nil, "error at token_endpoint_auth_method: Conflicting Credentials"},
		{"jwt_bearer, no id", doors{"grant": "jwt_bearer", "client_private_key": private}, nil, noID},
		{"a URL without ciba", with(pair, doors{"backchannel_authentication_url": "https://gateway.example/bc"}), nil, "error at backchannel_authentication_url: Conflicting Grant"},
		{"a URL with another grant", with(key, doors{"grant": "jwt_bearer", "backchannel_authentication_url": "https://gateway.example/bc"}), nil, "error at backchannel_authentication_url: Conflicting Grant"},
		{"a URL of http", with(pair, doors{"grant": "ciba", "backchannel_authentication_url": "http://gateway.example/bc"}), nil, "error at backchannel_authentication_url: Invalid Backchannel Authentication URL"},
		{"a URL of http in the environment", with(pair, doors{"grant": "ciba", "QOD_BACKCHANNEL_AUTHENTICATION_URL": "gateway.example"}), nil, "error at backchannel_authentication_url: Invalid Backchannel Authentication URL"},
		{"nobody at a time", with(pair, doors{"grant": "ciba"}), func(m *providerModel) { m.MaxPending = validators.NewWholeNumber(0) }, "error at max_pending_authorizations: Invalid Max Pending Authorizations"},
		{"nobody at a time, in the environment", with(pair, doors{"grant": "ciba", "QOD_MAX_PENDING_AUTHORIZATIONS": "0"}), nil, "error at max_pending_authorizations: Invalid Max Pending Authorizations"},
		{"ten at a time, in words", with(pair, doors{"grant": "ciba", "QOD_MAX_PENDING_AUTHORIZATIONS": "ten"}), nil, "error at max_pending_authorizations: Invalid Max Pending Authorizations"},
		{"a number in both", with(pair, doors{"grant": "ciba", "QOD_MAX_PENDING_AUTHORIZATIONS": "ten"}), func(m *providerModel) { m.MaxPending = validators.NewWholeNumber(3) }, ciba},
		{"a number without ciba", pair, func(m *providerModel) { m.MaxPending = validators.NewWholeNumber(3) }, "error at max_pending_authorizations: Conflicting Grant"},
		{"ciba without scopes", with(pair, doors{"grant": "ciba"}), func(m *providerModel) { m.Scopes = types.ListValueMust(types.StringType, []attr.Value{}) }, "error at scopes: Invalid Scopes"},

		{"grant not known", with(pair, doors{"grant": unknown}), nil, "unknown grant"},
		{"URL not known", with(pair, doors{"grant": "ciba", "backchannel_authentication_url": unknown}), nil, "unknown backchannel_authentication_url"},
		{"number not known", with(pair, doors{"grant": "ciba"}), func(m *providerModel) { m.MaxPending = validators.UnknownWholeNumber() }, "unknown max_pending_authorizations"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{API: sandbox.CAMARAV1, Clients: []sandbox.ClientCredentials{client}})
			s.AcceptToken("right", "ops")
			config := row.given.model()
			config.API, config.Endpoint = types.StringValue("camara-v1"), types.StringValue(s.Endpoint())
			config.MaxPending = validators.NullWholeNumber()
			if row.model != nil {
				row.model(&config)
			}
			sessions, diags := open(config, row.given)
			if diags.HasError() {
				if got := onlyError(t, diags); got != row.want {
					t.Errorf("got %s, want %s\n%s", got, row.want, diags[0].Detail())
				}
				if text := diags[0].Detail(); strings.Contains(text, "right") {
					t.Errorf("the text shows a secret: %s", text)
				}
				if len(s.Requests()) > 0 {
					t.Error("requests were sent")
				}
				return
			}
			_, err := sessions.List(t.Context(), qod.Filter{Device: qod.Device{PhoneNumber: "+34600000001"}})
			if what, ok := strings.CutPrefix(row.want, "unknown "); ok {
				if e, ok := errors.AsType[*diagnostics.UnknownConfigurationError](err); !ok || !slices.Equal(e.Attributes, []string{what}) {
					t.Errorf("%v, want that %s is not known", err, what)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := grantUsed(t, s); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// grantUsed is how the client has got its token.
func grantUsed(t *testing.T, s *sandbox.Server) string {
	t.Helper()
	sent := s.Requests(sandbox.OpToken)
	if len(sent) == 0 {
		return "token"
	}
	form, err := url.ParseQuery(string(sent[0].Body))
	if err != nil {
		t.Fatal(err)
	}
	return form.Get("grant_type")
}

// What a session cannot be planned with depends on the grant, also while the provider is not fully
// configured.
func TestConfig_grantAtPlan(t *testing.T) {
	t.Parallel()
	spec := qod.Spec{Device: qod.Device{NetworkAccessIdentifier: "camera@example.com"}}
	for name, env := range map[string]map[string]string{
		"configured":     {"QOD_GRANT": "ciba", "QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "s"},
		"no credentials": {"QOD_GRANT": "ciba"},
	} {
		sessions, diags := open(providerModel{MaxPending: validators.NullWholeNumber()}, env)
		if diags.HasError() {
			t.Fatal(diags)
		}
		if !slices.ContainsFunc(sessions.Check(spec), func(p qod.Problem) bool { return p.Field == qod.FieldNetworkAccessIdentifier }) {
			t.Errorf("%s: the name is not refused", name)
		}
	}
}
