// Proves what the provider makes of its environment, and that an error names the variable it comes
// from.

package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

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

// Numbers come from the environment where the configuration has none.
func TestConfig_numbersInEnvironment(t *testing.T) {
	t.Parallel()
	list := func(t *testing.T, config providerModel, env map[string]string, fault sandbox.Effect) (requests int, err error) {
		s := sandbox.Start(t, sandbox.Config{})
		s.AcceptToken("attr-token", sandbox.DefaultClient.ID)
		s.Fail(sandbox.Fault{Operation: sandbox.OpList, Times: -1, Effect: fault})
		config.Endpoint = types.StringValue(s.Endpoint())
		sessions, diags := open(config, env)
		if diags.HasError() {
			t.Fatal(diags)
		}
		_, err = sessions.List(t.Context(), qod.Filter{})
		return s.Count(sandbox.OpList), err
	}
	t.Run("count", func(t *testing.T) {
		t.Parallel()
		without, with := creds{token: "attr-token"}.model(), creds{token: "attr-token"}.model()
		with.MaxRetries, with.RequestTimeout = validators.NewWholeNumber(0), types.StringValue("1m")
		env := map[string]string{"QOD_MAX_RETRIES": " 1\n", "QOD_REQUEST_TIMEOUT": "20ms"}
		if got, err := list(t, with, env, sandbox.Status(http.StatusServiceUnavailable, "")); got != 1 || err == nil {
			t.Errorf("%d requests with what is configured, want 1: %v", got, err)
		}
		if got, err := list(t, without, map[string]string{"QOD_MAX_RETRIES": " 1\n"}, sandbox.Status(http.StatusServiceUnavailable, "")); got != 2 || err == nil {
			t.Errorf("%d requests with what is in the environment, want 2: %v", got, err)
		}
		if _, err := list(t, without, env, sandbox.HangBeforeCommit()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call ends with %v", err)
		}
	})
	for variable, values := range map[string][]string{
		"QOD_MAX_RETRIES":     {"-1", "21", "1.5", "many", `"4"`},
		"QOD_REQUEST_TIMEOUT": {"30", "0s", "11m", "soon", `"30s"`},
	} {
		for _, value := range values {
			_, diags := open(creds{token: "attr-token"}.model(), map[string]string{variable: value})
			attribute := strings.ToLower(strings.TrimPrefix(variable, "QOD_"))
			if got := onlyError(t, diags); !strings.HasPrefix(got, "error at "+attribute+": Invalid ") || !strings.Contains(diags[0].Detail(), "The environment variable "+variable+" must be") {
				t.Errorf("%s=%s: got %s: %v", variable, value, got, diags)
			}
			acctest.EndsOnce(t, diags[0].Detail())
		}
	}
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
