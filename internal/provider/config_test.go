// Proves what the provider makes of its configuration and environment: which credentials it takes
// from where, which addresses it sends them to, and that it says all that is wrong at once, without
// a request and without a secret in the text.

package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

const (
	noID      = `error at client_id: Missing Client ID`
	noSecret  = `error at client_secret: Missing Client Secret`
	bothKinds = `error at access_token: Conflicting Credentials`
)

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
				"QOD_API": "hunter", "QOD_API_PATH": "hunter", "QOD_ENDPOINT": "http://ops:hunter2@opengateway.example", "QOD_TOKEN_URL": "token", "QOD_SCOPES": `"`, "QOD_CLIENT_SECRET": "hunter2\n",
			},
			want: []string{"api: Invalid API", "api_path: Invalid API Path", "client_id: Missing Client ID", "client_secret: Invalid Client Secret", "endpoint: Invalid Endpoint", "scopes: Invalid Scopes", "token_url: Invalid Token URL"},
		},
		{
			name: "in the configuration",
			config: attrs{
				"api": "hunter", "api_path": "hunter", "endpoint": "http://ops:hunter2@opengateway.example", "token_url": "token", "scopes": []any{"", `"`}, "max_retries": 1.5, "request_timeout": "soon",
				"client_id": "ops\n", "client_secret": "hunter2\n",
			},
			want: []string{
				"api: Invalid API", "api_path: Invalid API Path", "client_id: Invalid Client ID", "client_secret: Invalid Client Secret", "endpoint: Invalid Endpoint", "max_retries: Invalid Max Retries",
				"request_timeout: Invalid Request Timeout", "scopes[0]: Invalid Scopes", "scopes[1]: Invalid Scopes", "token_url: Invalid Token URL",
			},
		},
		{
			name:   "in both",
			config: attrs{"scopes": []any{nil}, "request_timeout": "0s"},
			env:    map[string]string{"QOD_ENDPOINT": "opengateway.example", "QOD_ACCESS_TOKEN": "hunter2\n"},
			want:   []string{"access_token: Invalid Access Token", "endpoint: Invalid Endpoint", "request_timeout: Invalid Request Timeout", "scopes[0]: Invalid Scopes"},
		},
		{
			name:   "in the configuration, and nothing in the environment",
			config: attrs{"max_retries": -1},
			want:   []string{"max_retries: Invalid Max Retries"},
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
				if variable := "QOD_" + strings.ToUpper(attribute); attribute != "max_retries" && !strings.Contains(d.Detail, variable) {
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
		{"what is not known yet", attrs{"api": acctest.Unknown{}, "api_path": acctest.Unknown{}, "endpoint": acctest.Unknown{}, "scopes": acctest.Unknown{}, "max_retries": acctest.Unknown{}}, false},
		{"an API", attrs{"api": "camara"}, true},
		{"an API path", attrs{"api_path": "qod"}, true},
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
		"api_path":        func(m *providerModel) { m.APIPath = types.StringUnknown() },
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
				"Extend": second(sessions.Extend(ctx, qod.Ref{}, time.Time{})),
				"List":   second(sessions.List(ctx, qod.Filter{})), "Now": second(sessions.Now(ctx)),
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

// Numbers arrive where they count, from the configuration or, if that has none, from the
// environment.
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

func listOf(values ...string) types.List {
	var elements []attr.Value
	for _, v := range values {
		elements = append(elements, types.StringValue(v))
	}
	return types.ListValueMust(types.StringType, elements)
}
