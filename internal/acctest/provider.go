package acctest

import (
	"net/http"
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Provider starts a provider that Terraform has yet to configure. It reads its environment through
// getenv alone. Its requests go through transport, or over sockets where that is nil. Where api is
// not nil, it takes the place of the API that the configuration names.
type Provider func(getenv func(string) string, transport http.RoundTripper, api qod.Sessions) tfprotov6.ProviderServer

func emptyEnvironment(string) string { return "" }

// Factories are the provider for a resource.TestCase, with the environment of the test's process.
func (p Provider) Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"qod": func() (tfprotov6.ProviderServer, error) { return p(os.Getenv, nil, nil), nil },
	}
}

// NewClient is a client of a provider that has yet to be configured, and whose environment is env.
func (p Provider) NewClient(t testing.TB, env map[string]string) *ProtocolClient {
	t.Helper()
	return newClient(t, p(func(name string) string { return env[name] }, nil, nil))
}

// NewClientOf is a client of a provider whose API is a fake, for what no sandbox does on demand.
func (p Provider) NewClientOf(t testing.TB, api qod.Sessions) *ProtocolClient {
	t.Helper()
	c := newClient(t, p(emptyEnvironment, nil, api))
	c.mustConfigure(nil)
	return c
}
