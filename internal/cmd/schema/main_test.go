// Proves that what the documentation generator is told is what the provider says, and that what
// cannot be told is an error and not a gap in the pages.
package main

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"

	"github.com/telefonica/terraform-provider-qod/internal/provider"
)

func TestRead(t *testing.T) {
	t.Parallel()
	schemas, err := read(t.Context(), providerserver.NewProtocol6(provider.New("test")())())
	if err != nil {
		t.Fatal(err)
	}
	qod := schemas.Schemas["qod"]
	session := qod.ResourceSchemas["qod_session"].Block.Attributes
	if a := session["notification_auth_token"]; !a.WriteOnly || !a.Optional || a.AttributeType != cty.String {
		t.Errorf("notification_auth_token is %+v", a)
	}
	if a := session["device"]; !a.Required || a.AttributeNestedType.NestingMode != "single" ||
		a.AttributeNestedType.Attributes["phone_number"].AttributeType != cty.String {
		t.Errorf("device is %+v", a)
	}
	if a := qod.ResourceIdentitySchemas["qod_session"].Attributes["id"]; !a.RequiredForImport || a.IdentityType != cty.String {
		t.Errorf("the identity's id is %+v", a)
	}
	if qod.DataSourceSchemas["qod_sessions"] == nil || qod.ConfigSchema.Block.Attributes["client_secret"] == nil {
		t.Error("the data source or the provider's configuration is missing")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	empty := &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{}}
	for want, schema := range map[string]*tfprotov6.GetProviderSchemaResponse{
		"actions or state stores": {Provider: empty, EphemeralResourceSchemas: map[string]*tfprotov6.Schema{"e": empty}},
		`variadic parameter "more"`: {Provider: empty, Functions: map[string]*tfprotov6.Function{"f": {
			Return: &tfprotov6.FunctionReturn{Type: tftypes.String}, VariadicParameter: &tfprotov6.FunctionParameter{Name: "more"},
		}}},
		`a block "b"`: {Provider: &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{
			BlockTypes: []*tfprotov6.SchemaNestedBlock{{TypeName: "b"}},
		}}},
		"broken: really": {Provider: empty, Diagnostics: []*tfprotov6.Diagnostic{{Summary: "broken", Detail: "really"}}},
	} {
		if _, err := read(t.Context(), server{schema: schema}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// server answers with a schema of the test's choice.
type server struct {
	tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

func (s server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return s.schema, nil
}

func (server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}
