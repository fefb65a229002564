// Proves which addresses the provider accepts and sends credentials to, and what it says of others
// and of discovery that fails.

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

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

// The discovery document decides where the client secret goes next.
func TestConfig_discovery(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(document map[string]any)
		want   string
	}{
		{"http", func(d map[string]any) { d["token_endpoint"] = "http://opengateway.example/token" }, "its token_endpoint uses http, which would send credentials unencrypted (http is allowed"},
		{"user name", func(d map[string]any) { d["token_endpoint"] = "https://ops@opengateway.example/token" }, "its token_endpoint contains a user name or password"},
		{"relative", func(d map[string]any) { d["token_endpoint"] = "/token" }, "its token_endpoint is not an absolute URL"},
		{"none", func(d map[string]any) { delete(d, "token_endpoint") }, "the document names no token_endpoint"},
		{"other issuer", func(d map[string]any) { d["issuer"] = "https://other.example" }, "the document is for another issuer, https://other.example"},
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
