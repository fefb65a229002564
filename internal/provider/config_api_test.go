// Proves that the provider speaks the API that it is told to, at the path that it is told, and says
// what there is when it is told something else.

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestConfig_apiAndPath(t *testing.T) {
	t.Parallel()
	const moved = "/quality/v9"
	for _, row := range []struct {
		name      string
		api, path string // in the configuration
		env       map[string]string
		served    string // where the network has its API
	}{
		{name: "neither"},
		{name: "the default API by name", api: "open-gateway"},
		{name: "the default path", path: "/qod"},
		{name: "the endpoint itself", path: "/", served: "/"},
		{name: "both in the environment", env: map[string]string{"QOD_API": "open-gateway", "QOD_API_PATH": moved}, served: moved},
		{name: "empty in the configuration", api: empty, path: empty, env: map[string]string{"QOD_API": "open-gateway", "QOD_API_PATH": moved}, served: moved},
		{name: "configuration before environment", api: "open-gateway", path: moved, env: map[string]string{"QOD_API": "other", "QOD_API_PATH": "/other"}, served: moved},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.Config{APIPath: row.served})
			config := creds{id: sandbox.DefaultClient.ID, secret: sandbox.DefaultClient.Secret}.model()
			config.API, config.APIPath, config.Endpoint = spelt(row.api), spelt(row.path), types.StringValue(s.Endpoint())
			sessions, diags := open(config, row.env)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if _, err := sessions.List(t.Context(), qod.Filter{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfig_wrongAPI(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config attrs
		env    map[string]string
		want   []string
	}{
		{
			"an API", attrs{"api": "camara"}, nil,
			[]string{"api: Invalid API", "The attribute api", "QOD_API", "Supported: open-gateway (the default), camara-v1, camara-v0. Set api or QOD_API to one of these.", `Given: "camara"`},
		},
		{"in capitals", attrs{"api": "Open-Gateway"}, nil, []string{"api: Invalid API", `Did you mean "open-gateway"?`}},
		{
			"in the environment", attrs{}, map[string]string{"QOD_API": `"open-gateway"`},
			[]string{"api: Invalid API", "The environment variable QOD_API", "The quotation marks have become part of the value", `Given: "\"open-gateway\""`},
		},
		{
			"not known", attrs{"api": acctest.Unknown{}}, map[string]string{"QOD_API": "open-gateway"},
			[]string{"api: Unknown API", "is not known yet", "Supported: open-gateway"},
		},
		{
			"a path", attrs{"api_path": "qod"}, nil,
			[]string{"api_path: Invalid API Path", "The attribute api_path does not begin with a slash", "QOD_API_PATH", `"/qod"`, `Given: "qod"`},
		},
		{
			"a URL for a path, in the environment", attrs{}, map[string]string{"QOD_API_PATH": "https://ops:hunter2@opengateway.example/qod"},
			[]string{"api_path: Invalid API Path", "The environment variable QOD_API_PATH", `Given: "https://…@opengateway.example/qod"`},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.config["access_token"] = "t"
			diags := acc.NewClient(t, row.env).Configure(row.config)
			if len(diags) != 1 {
				t.Fatalf("want one error:\n%s", acctest.Describe(diags))
			}
			acctest.EndsOnce(t, diags[0].Detail)
			text := acctest.PathString(diags[0].Attribute) + ": " + diags[0].Summary + "\n" + diags[0].Detail
			for _, want := range row.want {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %s:\n%s", want, text)
				}
			}
		})
	}
}

// Only the default API has an endpoint that is everybody's.
func TestConfig_endpointOfAnAPI(t *testing.T) {
	t.Parallel()
	const other qod.API = "other"
	for _, row := range []struct {
		name  string
		given types.String
		api   qod.API
		env   map[string]string // nil: it does not count
		want  string
		error string
	}{
		{"the default API", types.StringNull(), qod.OpenGateway, map[string]string{}, qod.DefaultEndpoint, ""},
		{"another API", types.StringNull(), other, map[string]string{}, "", "error at endpoint: Missing Endpoint"},
		{"another API, without an environment", types.StringNull(), other, nil, "", ""},
		{"another API, in the environment", types.StringNull(), other, map[string]string{"QOD_ENDPOINT": "https://a.example"}, "https://a.example", ""},
		{"another API, not known yet", types.StringUnknown(), other, map[string]string{}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := &resolver{}
			if row.env != nil {
				r.getenv = func(name string) string { return row.env[name] }
			}
			got := r.endpoint(r.orEnv(configured("endpoint", "QOD_ENDPOINT", row.given)), row.api)
			if got != row.want {
				t.Errorf("the endpoint is %q, want %q", got, row.want)
			}
			if row.error == "" && len(r.diags) > 0 {
				t.Errorf("errors: %v", r.diags)
			} else if row.error != "" && (onlyError(t, r.diags) != row.error || !strings.Contains(r.diags[0].Detail(), "The API other has no endpoint")) {
				t.Errorf("errors: %v", r.diags)
			}
		})
	}
}

// Whether requests name the device is for the API that leaves it open. A variable of the
// environment may be there for another run.
func TestConfig_deviceInRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api        string
		configured types.Bool
		env        string
		want       *bool
		error      string
	}{
		"neither":                      {api: "camara-v1"},
		"configured":                   {api: "camara-v1", configured: types.BoolValue(false), env: "true", want: new(false)},
		"in the environment":           {api: "camara-v1", env: "true", want: new(true)},
		"no bool":                      {api: "camara-v1", env: "yes", error: "device_in_requests: Invalid Device in Requests"},
		"another API":                  {configured: types.BoolValue(true), error: "device_in_requests: Conflicting API"},
		"another API, the environment": {env: "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &resolver{getenv: func(string) string { return test.env }}
			got := r.deviceInRequests(test.configured, r.api(setting{attribute: "api", value: test.api}))
			if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
				t.Errorf("it is %v", got)
			}
			text := ""
			for _, d := range r.diags {
				text += "device_in_requests: " + d.Summary()
			}
			if text != test.error {
				t.Errorf("it says %q, want %q", text, test.error)
			}
		})
	}
}
