// Proves with a real CLI that each door opens, and that a plan which asks the API for nothing needs
// no credentials.

package provider

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const oneSession = `
resource "qod_session" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  duration    = 3600
}
`

// Each door is used from create to destroy.
func TestDoors(t *testing.T) {
	acctest.AnyCLI(t)
	client, privateKey := qodtest.KeyClient(t, sandbox.DefaultClient.ID)
	secret := sandbox.ClientCredentials{ID: sandbox.DefaultClient.ID, Secret: "s3cret/+"}
	header := map[string]string{"X-Gateway-Key": "k3y value"}
	for name, door := range map[string]struct {
		sandbox sandbox.Config
		block   string   // attributes of the provider
		env     []string // beside that of a sandbox, whose credentials are taken out
	}{
		"client_secret_post": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: secret.ID, Secret: secret.Secret, Method: "client_secret_post"}}},
			block:   `token_endpoint_auth_method = "client_secret_post"`,
			env:     []string{"QOD_CLIENT_ID=" + secret.ID, "QOD_CLIENT_SECRET=" + secret.Secret},
		},
		"private_key_jwt": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{client}},
			block:   `client_private_key = file("key.pem")`,
			env:     []string{"QOD_CLIENT_ID=" + secret.ID},
		},
		"private_key_jwt of the environment, on one line": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{client}},
			env:     []string{"QOD_CLIENT_ID=" + secret.ID, "QOD_CLIENT_PRIVATE_KEY=" + strings.ReplaceAll(privateKey, "\n", `\n`), "QOD_TOKEN_ENDPOINT_AUTH_METHOD=private_key_jwt"},
		},
		"a key header beside a client": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{secret}, RequiredHeaders: header},
			block:   `headers = { X-Gateway-Key = "k3y value" }`,
			env:     []string{"QOD_CLIENT_ID=" + secret.ID, "QOD_CLIENT_SECRET=" + secret.Secret},
		},
		"a key header alone": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{secret}, RequiredHeaders: header, TrustHeaders: true},
			env:     []string{`QOD_HEADERS={"X-Gateway-Key": "k3y value"}`},
		},
		"parameters, and no scopes": {
			sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{secret}},
			block:   "scopes = []\n  token_parameters = { audience = \"https://api.example\" }",
			env:     []string{"QOD_CLIENT_ID=" + secret.ID, "QOD_CLIENT_SECRET=" + secret.Secret},
		},
	} {
		t.Run(name, func(t *testing.T) {
			network := acc.NewNetwork(t, door.sandbox)
			c := network.CLI("provider \"qod\" {\n  "+door.block+"\n}\n"+oneSession, append([]string{"QOD_CLIENT_ID=", "QOD_CLIENT_SECRET="}, door.env...)...)
			c.Write("key.pem", privateKey)
			c.Apply()
			c.Destroy()
			for _, r := range network.Requests(sandbox.OpToken) {
				form, err := url.ParseQuery(string(r.Body))
				if err != nil || strings.HasPrefix(name, "private_key_jwt") != form.Has("client_assertion") || strings.HasPrefix(name, "parameters") == form.Has("scope") {
					t.Errorf("the form is %s", r.Body)
				}
			}
		})
	}
}

func TestWithoutCredentials(t *testing.T) {
	acctest.AnyCLI(t)
	const reservations = `
resource "qod_reservation" "match" {
  device      = { phone_number = "+34600000020" }
  qos_profile = "QOS_L"
  starts_at   = "2098-06-01T18:00:00Z"
  ends_at     = "2098-06-01T20:00:00Z"
}
`
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.CLI(oneSession+reservations, "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=")
	c.Must(0, "validate")
	if text := c.Plan(2); !strings.Contains(text, "Plan: 2 to add") || !strings.Contains(text, network.Endpoint()) {
		t.Errorf("the plan of new resources:\n%s", text)
	}
	text := c.Must(1, "apply", "-auto-approve", "-no-color")
	acctest.ContainsAll(t, text, []string{"Missing Credentials", "No session was created.", "QOD_CLIENT_ID", "QOD_ACCESS_TOKEN", "QOD_HEADERS"})
	if made := len(network.Requests()); made > 0 {
		t.Errorf("%d requests without credentials", made)
	}

	with := network.CLI(oneSession + reservations)
	with.Apply()
	without := *with
	without.Env = append(slices.Clone(with.Env), "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=")
	before := len(network.Requests())
	without.Plan(0, "-refresh=false")
	if text := without.Plan(1); strings.Count(text, "Missing Credentials") != 2 || !strings.Contains(text, "perhaps in a sandbox") {
		t.Errorf("a plan that refreshes:\n%s", text)
	}
	text = without.Must(1, "destroy", "-refresh=false", "-auto-approve", "-no-color")
	acctest.ContainsAll(t, text, []string{"Missing Credentials", "it stays in the state", "perhaps in a sandbox"})
	if made := len(network.Requests()) - before; made > 0 {
		t.Errorf("%d requests without credentials", made)
	}
	with.Destroy()

	if text := network.CLI(`data "qod_sessions" "all" {}`, "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=").Plan(1); !strings.Contains(text, "Missing Credentials") {
		t.Errorf("a list:\n%s", text)
	}
}
