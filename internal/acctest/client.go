package acctest

import (
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// ProtocolClient takes Terraform's place in the plugin protocol with one provider process, which
// runs within the test's own: an operation costs a millisecond instead of the second that a CLI
// takes, and nothing is hidden, such as each diagnostic by itself, identity, or a destroy without a
// refresh. Its resource is a qod_session; see Reservations for the other one. It checks less of
// the provider's answers than Terraform does, so what has to end well is tested with a CLI, too.
type ProtocolClient struct {
	T       testing.TB
	Server  tfprotov6.ProviderServer
	Schemas *tfprotov6.GetProviderSchemaResponse

	// The resource type.
	TypeName string
	Schema   *tfprotov6.Schema
	Identity *tfprotov6.ResourceIdentitySchema

	identities map[string]*tfprotov6.ResourceIdentitySchema
}

func newClient(t testing.TB, server tfprotov6.ProviderServer) *ProtocolClient {
	t.Helper()
	c := &ProtocolClient{T: t, Server: server}
	var err error
	c.Schemas, err = c.Server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	c.Must("GetProviderSchema", err)
	identities, err := c.Server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	c.Must("GetResourceIdentitySchemas", err)
	c.identities = identities.IdentitySchemas
	return c.of("qod_session")
}

// Reservations is the same provider process for the resource qod_reservation.
func (c *ProtocolClient) Reservations() *ProtocolClient {
	return c.of("qod_reservation")
}

func (c *ProtocolClient) of(typeName string) *ProtocolClient {
	same := *c
	same.TypeName, same.Schema, same.Identity = typeName, c.Schemas.ResourceSchemas[typeName], c.identities[typeName]
	return &same
}

// Client is a provider process of its own, configured for the network's client, without retries.
func (n *Network) Client() *ProtocolClient {
	n.T.Helper()
	return n.ClientAs(n.Endpoint(), sandbox.DefaultClient)
}

// ClientAs is Client for another endpoint and other credentials.
func (n *Network) ClientAs(endpoint string, client sandbox.ClientCredentials) *ProtocolClient {
	n.T.Helper()
	return n.ClientWith(Attrs{"endpoint": endpoint, "client_id": client.ID, "client_secret": client.Secret})
}

// ClientWith is Client with more, or other, attributes in the provider block; nil is null.
func (n *Network) ClientWith(more Attrs) *ProtocolClient {
	n.T.Helper()
	config := Attrs{
		"endpoint": n.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret, "max_retries": 0,
		"api": string(n.API()),
	}
	maps.Copy(config, more)
	c := newClient(n.T, n.server())
	c.mustConfigure(config)
	return c
}

// ProviderConfig is the provider block for a sandbox.
func ProviderConfig(s *sandbox.Server) Attrs {
	return Attrs{"endpoint": s.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret}
}

// Configure validates and configures the provider, as far as it gets.
func (c *ProtocolClient) Configure(config Attrs) []*tfprotov6.Diagnostic {
	c.T.Helper()
	if diags := c.ValidateProvider(config); HasError(diags) {
		return diags
	}
	value := c.Value(c.Schemas.Provider, config)
	configured, err := c.Server.ConfigureProvider(c.T.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.11.4", Config: value})
	c.Must("ConfigureProvider", err)
	return configured.Diagnostics
}

func (c *ProtocolClient) mustConfigure(config Attrs) {
	c.T.Helper()
	if diags := c.Configure(config); HasError(diags) {
		c.T.Fatalf("configure: %s", Describe(diags))
	}
}

// ValidateProvider is what terraform validate asks of the provider block.
func (c *ProtocolClient) ValidateProvider(config Attrs) []*tfprotov6.Diagnostic {
	c.T.Helper()
	validated, err := c.Server.ValidateProviderConfig(c.T.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: c.Value(c.Schemas.Provider, config)})
	c.Must("ValidateProviderConfig", err)
	return validated.Diagnostics
}

// ReadSessions validates the data source qod_sessions, configures the provider and reads it, as far
// as it gets: as a plan does whose configuration is known.
func (c *ProtocolClient) ReadSessions(provider, config Attrs) []*tfprotov6.Diagnostic {
	c.T.Helper()
	if diags := c.ValidateSessions(config); HasError(diags) {
		return diags
	}
	if diags := c.Configure(provider); HasError(diags) {
		return diags
	}
	_, diags := c.ReadDataSource("qod_sessions", config)
	return diags
}

// ValidateSessions is what terraform validate asks of the data source qod_sessions.
func (c *ProtocolClient) ValidateSessions(config Attrs) []*tfprotov6.Diagnostic {
	c.T.Helper()
	validated, err := c.Server.ValidateDataResourceConfig(c.T.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: "qod_sessions", Config: c.Value(c.Schemas.DataSourceSchemas["qod_sessions"], config),
	})
	c.Must("ValidateDataResourceConfig", err)
	return validated.Diagnostics
}

// ReadDataSource reads a data source.
func (c *ProtocolClient) ReadDataSource(typeName string, config Attrs) (map[string]tftypes.Value, []*tfprotov6.Diagnostic) {
	c.T.Helper()
	schema := c.Schemas.DataSourceSchemas[typeName]
	read, err := c.Server.ReadDataSource(c.T.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: c.Value(schema, config)})
	c.Must("ReadDataSource", err)
	if read.State == nil || HasError(read.Diagnostics) {
		return nil, read.Diagnostics
	}
	state, err := read.State.Unmarshal(schema.ValueType())
	c.Must("Unmarshal", err)
	var attributes map[string]tftypes.Value
	c.Must("As", state.As(&attributes))
	return attributes, read.Diagnostics
}

// Must ends the test if a call of the protocol failed, as opposed to one that was answered with
// errors.
func (c *ProtocolClient) Must(what string, err error) {
	c.T.Helper()
	if err != nil {
		c.T.Fatalf("%s: %v", what, err)
	}
}
