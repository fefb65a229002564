// Proves how the provider takes what the client proves itself with, and what gateways want beside:
// each form arrives, each wrong pairing is said before any request, and no text shows a secret.

package provider

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// doors is how the tables spell what opens the door: attributes by their name, and variables.
type doors map[string]string

func (d doors) model() providerModel {
	return providerModel{
		ClientID: spelt(d["client_id"]), ClientSecret: spelt(d["client_secret"]), AccessToken: spelt(d["access_token"]),
		ClientPrivateKey: spelt(d["client_private_key"]), ClientPrivateKeyID: spelt(d["client_private_key_id"]),
		ClientAssertionAudience: spelt(d["client_assertion_audience"]), TokenEndpointAuthMethod: spelt(d["token_endpoint_auth_method"]),
		Grant: spelt(d["grant"]), BackchannelURL: spelt(d["backchannel_authentication_url"]),
	}
}

// methodUsed is how the client has proved who it is.
func methodUsed(t *testing.T, s *sandbox.Server) qod.AuthMethod {
	t.Helper()
	r := s.Requests(sandbox.OpToken)[0]
	form, err := url.ParseQuery(string(r.Body))
	switch {
	case err != nil:
		t.Fatal(err)
	case form.Has("client_assertion"):
		return qod.PrivateKeyJWT
	case form.Has("client_secret"):
		return qod.ClientSecretPost
	}
	return qod.ClientSecretBasic
}

func TestConfig_clientAuthentication(t *testing.T) {
	t.Parallel()
	client, private := qodtest.KeyClient(t, "ops")
	_, other := qodtest.KeyClient(t, "other")
	client.Secret = "right"
	const id, secret, key, method = "client_id", "client_secret", "client_private_key", "token_endpoint_auth_method"
	const basic, post, jwt = "client_secret_basic", "client_secret_post", "private_key_jwt"
	for _, row := range []struct {
		name  string
		given doors // of the configuration, and the environment in upper case
		want  string
	}{
		{"key in configuration", doors{id: "ops", key: private}, jwt},
		{"key in environment", doors{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_PRIVATE_KEY": private}, jwt},
		{"key on one line, as env files have it", doors{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_PRIVATE_KEY": strings.ReplaceAll(private, "\n", `\n`)}, jwt},
		{"key of a file of DOS", doors{id: "ops", key: strings.ReplaceAll(private, "\n", "\r\n")}, jwt},
		{"key in both", doors{id: "ops", key: private, "QOD_CLIENT_PRIVATE_KEY": other}, jwt},
		{"key with its method", doors{id: "ops", key: private, method: jwt}, jwt},
		{"key for the issuer", doors{id: "ops", key: private, "QOD_CLIENT_ASSERTION_AUDIENCE": "issuer"}, jwt},
		{"key in configuration, secret in environment", doors{id: "ops", key: private, "QOD_CLIENT_SECRET": "wrong"}, jwt},
		{"secret in configuration, key in environment", doors{id: "ops", secret: "right", "QOD_CLIENT_PRIVATE_KEY": other}, basic},
		{"empty secret, key in environment", doors{id: "ops", secret: empty, "QOD_CLIENT_PRIVATE_KEY": private}, jwt},
		{"both, and the method", doors{id: "ops", secret: "wrong", key: private, method: jwt}, jwt},
		{"both, and the other method", doors{id: "ops", secret: "right", key: "no PEM", method: post}, post},
		{"both in the environment, and the method", doors{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "right", "QOD_CLIENT_PRIVATE_KEY": other, "QOD_TOKEN_ENDPOINT_AUTH_METHOD": basic}, basic},
		{"key in configuration, the method in the environment is for the secret", doors{id: "ops", key: other, "QOD_CLIENT_SECRET": "right", "QOD_TOKEN_ENDPOINT_AUTH_METHOD": post}, post},
		{"method in both", doors{id: "ops", secret: "right", method: post, "QOD_TOKEN_ENDPOINT_AUTH_METHOD": jwt}, post},
		{"key in configuration, token in environment", doors{key: private, "QOD_CLIENT_ID": "ops", "QOD_ACCESS_TOKEN": "wrong"}, jwt},

		{"secret and key in configuration", doors{id: "ops", secret: "right", key: private}, "error at token_endpoint_auth_method: Conflicting Credentials"},
		{"secret and key in environment", doors{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "right", "QOD_CLIENT_PRIVATE_KEY": private}, "error at token_endpoint_auth_method: Conflicting Credentials"},
		{"key and token in configuration", doors{"access_token": "right", key: private}, bothKinds},
		{"key without an id", doors{key: private}, noID},
		{"method of a key with a secret", doors{id: "ops", secret: "right", method: jwt}, "error at client_private_key: Missing Client Private Key"},
		{"method of a secret with a key", doors{id: "ops", key: private, method: basic}, noSecret},
		{"method without anything but an id", doors{id: "ops", method: post}, noSecret},
		{"id alone", doors{id: "ops"}, noSecret},
		{"key that is none", doors{id: "ops", key: "right"}, "error at client_private_key: Invalid Client Private Key"},
		{"no such method", doors{id: "ops", secret: "right", method: "tls_client_auth"}, "error at token_endpoint_auth_method: Invalid Token Endpoint Auth Method"},
		{"method in capitals", doors{id: "ops", secret: "right", "QOD_TOKEN_ENDPOINT_AUTH_METHOD": "PRIVATE_KEY_JWT"}, "error at token_endpoint_auth_method: Invalid Token Endpoint Auth Method"},
		{"key id without a key", doors{id: "ops", secret: "right", "client_private_key_id": "k"}, "error at client_private_key_id: Missing Client Private Key"},
		{"audience without a key", doors{id: "ops", secret: "right", "client_assertion_audience": "x"}, "error at client_assertion_audience: Missing Client Private Key"},
		{"key id of other runs", doors{id: "ops", secret: "right", "QOD_CLIENT_PRIVATE_KEY_ID": "k"}, basic},
		{"key id beside a key that is passed over", doors{id: "ops", secret: "right", key: private, "client_private_key_id": "k", method: basic}, basic},
		{"key id with a line feed", doors{id: "ops", key: private, "QOD_CLIENT_PRIVATE_KEY_ID": "k\n"}, "error at client_private_key_id: Invalid Client Private Key ID"},
		{"audience with a line feed", doors{id: "ops", key: private, "client_assertion_audience": "x\n"}, "error at client_assertion_audience: Invalid Client Assertion Audience"},

		{"key not known", doors{id: "ops", key: unknown}, "unknown client_private_key"},
		{"key not known beside a secret", doors{id: "ops", secret: "right", key: unknown}, "unknown client_private_key"},
		{"method not known beside both", doors{id: "ops", secret: "right", key: private, method: unknown}, "unknown token_endpoint_auth_method"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{Clients: []sandbox.ClientCredentials{client}})
			config := row.given.model()
			config.Endpoint = types.StringValue(s.Endpoint())
			env := maps.Clone(row.given)
			if env["QOD_CLIENT_ASSERTION_AUDIENCE"] == "issuer" {
				env["QOD_CLIENT_ASSERTION_AUDIENCE"] = s.URL()
			}
			sessions, diags := open(config, env)
			for _, d := range diags {
				if text := d.Detail(); strings.Contains(text, "right") || strings.Contains(text, private[30:60]) {
					t.Errorf("the text shows a secret:\n%s", text)
				}
			}
			if diags.HasError() {
				if got := onlyError(t, diags); got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
				return
			}
			_, err := sessions.List(t.Context(), qod.Filter{})
			if text, found := strings.CutPrefix(row.want, "unknown "); found {
				if err == nil || err.Error() != "the provider's "+text+" is not known yet" {
					t.Errorf("got %v, want %s", err, row.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := methodUsed(t, s); string(got) != row.want {
				t.Errorf("the method is %s, want %s", got, row.want)
			}
		})
	}
}

// What people read about each wrong pairing.
func TestConfig_clientAuthenticationTexts(t *testing.T) {
	t.Parallel()
	_, private := qodtest.KeyClient(t, "ops")
	for name, row := range map[string]struct {
		given doors
		want  []string
	}{
		"secret and key": {
			doors{"client_id": "ops", "client_secret": "hunter2", "client_private_key": private},
			[]string{"both a client secret (client_secret) and a private key (client_private_key)", "Remove one", "QOD_TOKEN_ENDPOINT_AUTH_METHOD", "client_secret_basic or client_secret_post for the secret", "private_key_jwt for the key"},
		},
		"secret and key in the environment": {
			doors{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "hunter2", "QOD_CLIENT_PRIVATE_KEY": private},
			[]string{"(QOD_CLIENT_SECRET)", "(QOD_CLIENT_PRIVATE_KEY)"},
		},
		"no key for the method":     {doors{"client_id": "ops", "client_secret": "hunter2", "token_endpoint_auth_method": "private_key_jwt"}, []string{"no private key", "QOD_CLIENT_PRIVATE_KEY", "To use a client secret"}},
		"no secret for the method":  {doors{"client_id": "ops", "client_private_key": private, "token_endpoint_auth_method": "client_secret_post"}, []string{"is client_secret_post, but there is no client secret", "To use a private key"}},
		"neither":                   {doors{"client_id": "ops"}, []string{"neither a secret nor a private key", "QOD_CLIENT_SECRET or QOD_CLIENT_PRIVATE_KEY"}},
		"a key without an id":       {doors{"QOD_CLIENT_PRIVATE_KEY": private}, []string{"There is a private key, but no client id"}},
		"a method that is mistyped": {doors{"QOD_TOKEN_ENDPOINT_AUTH_METHOD": "Private_Key_JWT"}, []string{"The environment variable QOD_TOKEN_ENDPOINT_AUTH_METHOD must be one of client_secret_basic, client_secret_post, private_key_jwt.", `Did you mean "private_key_jwt"?`}},
		"a method in quotes":        {doors{"QOD_TOKEN_ENDPOINT_AUTH_METHOD": "'private_key_jwt'"}, []string{"quotation marks"}},
		"an encrypted key":          {doors{"client_id": "ops", "client_private_key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"}, []string{"The attribute client_private_key is encrypted", "openssl pkey", "QOD_CLIENT_PRIVATE_KEY"}},
		"a key in quotes":           {doors{"client_id": "ops", "QOD_CLIENT_PRIVATE_KEY": `"hunter2"`}, []string{"The environment variable QOD_CLIENT_PRIVATE_KEY is in quotation marks"}},
		"a path":                    {doors{"client_id": "ops", "client_private_key": "/etc/hunter2.pem"}, []string{"is no PEM", "name of a file", `file("key.pem")`}},
		"a public key":              {doors{"client_id": "ops", "client_private_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, []string{"contains no private key, but a public key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, diags := open(row.given.model(), row.given)
			wantText(t, diags, row.want)
		})
	}
}

func wantText(t *testing.T, diags diag.Diagnostics, want []string) {
	t.Helper()
	onlyError(t, diags)
	for _, d := range diags {
		acctest.EndsOnce(t, d.Detail())
		for _, part := range want {
			if !strings.Contains(d.Detail(), part) {
				t.Errorf("the text does not say %q:\n%s", part, d.Detail())
			}
		}
		if strings.Contains(d.Detail(), "hunter2") {
			t.Errorf("the text shows a secret:\n%s", d.Detail())
		}
	}
}

func mapOf(pairs ...string) types.Map {
	elements := map[string]attr.Value{}
	for pair := range slices.Chunk(pairs, 2) {
		elements[pair[0]] = spelt(pair[1])
		if pair[1] == empty {
			elements[pair[0]] = types.StringValue("")
		}
	}
	return types.MapValueMust(types.StringType, elements)
}

func TestConfig_headers(t *testing.T) {
	t.Parallel()
	pair := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}
	for _, row := range []struct {
		name    string
		config  types.Map // null: none
		env     string
		creds   creds
		headers map[string]string // that arrive
		alone   bool
		want    []string // the text of the error says
	}{
		{name: "beside a client", config: mapOf("X-Key", "k"), creds: pair, headers: map[string]string{"X-Key": "k"}},
		{name: "alone", config: mapOf("X-Key", "k"), headers: map[string]string{"X-Key": "k"}, alone: true},
		{name: "alone, in the environment", config: types.MapNull(types.StringType), env: `{"X-RapidAPI-Key": "k", "X-RapidAPI-Host": "h"}`, headers: map[string]string{"X-Rapidapi-Key": "k", "X-Rapidapi-Host": "h"}, alone: true},
		{name: "configuration before environment", config: mapOf("X-Key", "k"), env: `{"X-Other": "o"}`, headers: map[string]string{"X-Key": "k", "X-Other": ""}, alone: true},
		{name: "none, in spite of the environment", config: mapOf(), env: `{"X-Other": "o"}`, creds: pair, headers: map[string]string{"X-Other": ""}},
		{name: "empty in the environment", config: types.MapNull(types.StringType), env: " ", creds: pair},
		{name: "an empty object in the environment", config: types.MapNull(types.StringType), env: "{}", creds: pair},

		{name: "Authorization", config: mapOf("authorization", "hunter2"), want: []string{`"authorization"`, "access_token"}},
		{name: "Host", config: mapOf("Host", "hunter2"), want: []string{"endpoint"}},
		{name: "Content-Type", config: mapOf("Content-Type", "hunter2"), want: []string{"the body, which the provider writes"}},
		{name: "hop by hop", config: mapOf("Connection", "hunter2"), want: []string{"about the connection"}},
		{name: "our own", config: mapOf("X-Correlator", "hunter2"), want: []string{"the provider sets itself"}},
		{name: "a name that is none", config: mapOf("X Key", "hunter2"), want: []string{`"X Key" has a name with a space`}},
		{name: "a value with a line feed", config: mapOf("X-Key", "hunter2\n"), want: []string{`"X-Key" has a value with a space or a line feed at its beginning or end`}},
		{name: "an empty value", config: mapOf("X-Key", empty), want: []string{`"X-Key" has an empty value: leave the header out`}},
		{name: "a null value", config: mapOf("X-Key", null), want: []string{`"X-Key" is null`}},
		{name: "twice", config: mapOf("X-Key", "hunter2", "x-key", "hunter2"), want: []string{`"X-Key" and "x-key" are the same header`}},
		{name: "forbidden, in the environment", config: types.MapNull(types.StringType), env: `{"Cache-Control": "hunter2"}`, want: []string{`The header "Cache-Control" in the environment variable QOD_HEADERS is one that the provider sets itself`}},
		{name: "no JSON", config: types.MapNull(types.StringType), env: "X-Key: hunter2", want: []string{"QOD_HEADERS must hold a JSON object of strings"}},
		{name: "JSON, but no object", config: types.MapNull(types.StringType), env: `["hunter2"]`, want: []string{"JSON object"}},
		{name: "JSON, but null", config: types.MapNull(types.StringType), env: "null", want: []string{"JSON object"}},
		{name: "an object, but not of strings", config: types.MapNull(types.StringType), env: `{"X-Key": ["hunter2"]}`, want: []string{"JSON object of strings"}},
		{name: "in quotation marks", config: types.MapNull(types.StringType), env: `'{"X-Key": "hunter2"}'`, want: []string{"The quotation marks around it have become part of the value"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{RequiredHeaders: row.headers, TrustHeaders: true})
			config := row.creds.model()
			config.Endpoint, config.Headers = types.StringValue(s.Endpoint()), row.config
			sessions, diags := open(config, map[string]string{"QOD_HEADERS": row.env})
			if row.want != nil {
				wantText(t, diags, row.want)
				return
			}
			if diags.HasError() {
				t.Fatal(diags)
			}
			if _, err := sessions.List(t.Context(), qod.Filter{}); err != nil {
				t.Fatal(err)
			}
			sent := s.Requests(sandbox.OpList)[0].Header
			if alone := sent.Get("Authorization") == "" && s.Count(sandbox.OpToken) == 0; alone != row.alone {
				t.Errorf("alone: %t, want %t", alone, row.alone)
			}
			if strings.HasSuffix(sessions.Origin(), " as headers") != row.alone {
				t.Errorf("the origin is %s", sessions.Origin())
			}
			for _, r := range s.Requests(sandbox.OpToken, sandbox.OpDiscovery) {
				for name, value := range row.headers {
					if value != "" && r.Header.Get(name) != "" {
						t.Errorf("%s is sent %s", r.Operation, name)
					}
				}
			}
		})
	}
	// Headers never decide against other credentials.
	for name, given := range map[string]struct {
		env  map[string]string
		want string
	}{
		"a token": {map[string]string{"QOD_ACCESS_TOKEN": "t"}, "token"},
		"a pair":  {map[string]string{"QOD_CLIENT_ID": "ops", "QOD_CLIENT_SECRET": "s"}, "client ops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sessions, diags := open(providerModel{Headers: mapOf("X-Key", "k")}, given.env)
			if diags.HasError() || !strings.HasSuffix(sessions.Origin(), " as "+given.want) {
				t.Errorf("%v, %v", sessions, diags)
			}
		})
	}
	t.Run("half a pair is wrong beside headers, too", func(t *testing.T) {
		t.Parallel()
		_, diags := open(providerModel{Headers: mapOf("X-Key", "k")}, map[string]string{"QOD_CLIENT_ID": "ops"})
		if got := onlyError(t, diags); got != noSecret {
			t.Error(got)
		}
	})
	t.Run("not known", func(t *testing.T) {
		t.Parallel()
		for _, config := range []providerModel{{Headers: types.MapUnknown(types.StringType)}, {Headers: mapOf("X-Key", unknown)}} {
			sessions, diags := open(config, nil)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if err := sessions.Delete(t.Context(), qod.Ref{}); err == nil || err.Error() != "the provider's headers is not known yet" {
				t.Error(err)
			}
		}
	})
}

func TestConfig_tokenParameters(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t, sandbox.Config{})
	config := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}.model()
	config.Endpoint, config.TokenParameters, config.Scopes = types.StringValue(s.Endpoint()), mapOf("audience", "https://api.example/"), listOf()
	sessions, diags := open(config, map[string]string{"QOD_SCOPES": "qod:sessions:read"})
	if diags.HasError() {
		t.Fatal(diags)
	}
	if _, err := sessions.List(t.Context(), qod.Filter{}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.Requests(sandbox.OpToken)[0].Body), "audience=https%3A%2F%2Fapi.example%2F&grant_type=client_credentials"; got != want {
		t.Errorf("the form is %s, want %s", got, want)
	}
	if got := s.Requests(sandbox.OpList)[0]; got.Header.Get("Authorization") == "" || got.Method != http.MethodGet {
		t.Errorf("%v", got)
	}
	for name, says := range map[string]string{
		"scope": "sends itself", "grant_type": "sends itself", "client_secret": "sends itself", "client_assertion": "sends itself",
		"login_hint": "another grant", "assertion": "another grant", "a b": "a name with a space",
	} {
		_, diags := open(providerModel{AccessToken: types.StringValue("t"), TokenParameters: mapOf(name, "hunter2")}, nil)
		wantText(t, diags, []string{"In token_parameters, ", says})
	}
	_, diags = open(providerModel{AccessToken: types.StringValue("t"), TokenParameters: mapOf("audience", empty)}, nil)
	wantText(t, diags, []string{"leave it out"})
}
