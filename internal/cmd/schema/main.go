// Schema prints the provider's schema as "terraform providers schema -json" would, for the
// generator of docs/. It asks the provider itself, so that the pages do not depend on which CLI
// somebody has: OpenTofu knows no list resources, and Terraform before 1.12 no identities. The
// alternative, "tfplugindocs --tf-version", downloads a Terraform for every run.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/provider"
)

func main() {
	schemas, err := read(context.Background(), providerserver.NewProtocol6(provider.New("dev")())())
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(schemas); err != nil {
		log.Fatal(err)
	}
}

func read(ctx context.Context, server tfprotov6.ProviderServer) (*tfjson.ProviderSchemas, error) {
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	identity, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range append(schema.Diagnostics, identity.Diagnostics...) {
		return nil, fmt.Errorf("%s: %s", d.Summary, d.Detail)
	}

	// What is not converted must not be missing from the pages unnoticed.
	if n := len(schema.Functions) + len(schema.EphemeralResourceSchemas) + len(schema.ActionSchemas) + len(schema.StateStoreSchemas); n > 0 {
		return nil, fmt.Errorf("the provider has %d functions, ephemeral resources, actions or state stores, which this program does not convert", n)
	}
	var c converter
	qod := &tfjson.ProviderSchema{
		ConfigSchema:            c.schema(schema.Provider),
		ResourceSchemas:         each(schema.ResourceSchemas, c.schema),
		DataSourceSchemas:       each(schema.DataSourceSchemas, c.schema),
		ListResourceSchemas:     each(schema.ListResourceSchemas, c.schema),
		ResourceIdentitySchemas: each(identity.IdentitySchemas, c.identity),
	}
	return &tfjson.ProviderSchemas{
		FormatVersion: "1.0",
		Schemas:       map[string]*tfjson.ProviderSchema{"qod": qod},
	}, c.err
}

// converter turns the protocol's types into those of the JSON, and keeps the first error.
type converter struct{ err error }

func (c *converter) schema(s *tfprotov6.Schema) *tfjson.Schema {
	if len(s.Block.BlockTypes) > 0 {
		c.fail(fmt.Errorf("the schema has a block %q, and this program converts attributes only", s.Block.BlockTypes[0].TypeName))
	}
	return &tfjson.Schema{
		Block: &tfjson.SchemaBlock{
			Attributes:      c.attributes(s.Block.Attributes),
			Description:     s.Block.Description,
			DescriptionKind: kind(s.Block.DescriptionKind),
			Deprecated:      s.Block.Deprecated,
		},
	}
}

func (c *converter) attributes(from []*tfprotov6.SchemaAttribute) map[string]*tfjson.SchemaAttribute {
	to := make(map[string]*tfjson.SchemaAttribute, len(from))
	for _, a := range from {
		to[a.Name] = &tfjson.SchemaAttribute{
			Description:     a.Description,
			DescriptionKind: kind(a.DescriptionKind),
			Deprecated:      a.Deprecated,
			Required:        a.Required,
			Optional:        a.Optional,
			Computed:        a.Computed,
			Sensitive:       a.Sensitive,
			WriteOnly:       a.WriteOnly,
		}
		if a.NestedType == nil {
			c.recode(a.Type, &to[a.Name].AttributeType)
			continue
		}
		to[a.Name].AttributeNestedType = &tfjson.SchemaNestedAttributeType{
			Attributes:  c.attributes(a.NestedType.Attributes),
			NestingMode: tfjson.SchemaNestingMode(strings.ToLower(a.NestedType.Nesting.String())),
		}
	}
	return to
}

func (c *converter) identity(s *tfprotov6.ResourceIdentitySchema) *tfjson.IdentitySchema {
	to := &tfjson.IdentitySchema{Attributes: map[string]*tfjson.IdentityAttribute{}}
	for _, a := range s.IdentityAttributes {
		to.Attributes[a.Name] = &tfjson.IdentityAttribute{
			Description:       a.Description,
			RequiredForImport: a.RequiredForImport,
			OptionalForImport: a.OptionalForImport,
		}
		c.recode(a.Type, &to.Attributes[a.Name].IdentityType)
	}
	return to
}

// recode carries a type from one library to the other by the JSON that both write.
func (c *converter) recode(from, to any) {
	encoded, err := json.Marshal(from)
	c.fail(err)
	c.fail(json.Unmarshal(encoded, to))
}

func (c *converter) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func kind(k tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	return tfjson.SchemaDescriptionKind(strings.ToLower(k.String()))
}

func each[From, To any](from map[string]From, convert func(From) To) map[string]To {
	to := make(map[string]To, len(from))
	for name, f := range from {
		to[name] = convert(f)
	}
	return to
}
