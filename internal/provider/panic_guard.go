package provider

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
)

// panicGuard turns a panic anywhere in a call into a diagnostic. A plugin that dies takes the state
// of every session of the run with it. The operations of a resource recover earlier, by
// diagnostics.Catch, and keep what they know.
type panicGuard struct{ framework }

// recoverRPC makes one call, and answers with a diagnostic if it panics.
func recoverRPC[Request, Response any](ctx context.Context, req Request, call func(context.Context, Request) (*Response, error)) (resp *Response, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			resp, err = new(Response), nil
			// Every response type here has the field, but no interface says so.
			reflect.ValueOf(resp).Elem().FieldByName("Diagnostics").Set(reflect.ValueOf(internalFault(fault)))
		}
	}()
	return call(ctx, req)
}

func internalFault(fault any) []*tfprotov6.Diagnostic {
	d := diagnostics.InternalFault(fault)
	return []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: d.Summary(), Detail: d.Detail()}}
}

// ApplyResourceChange keeps the prior state: a response without a state means that nothing is
// there.
func (g panicGuard) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (resp *tfprotov6.ApplyResourceChangeResponse, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			resp, err = &tfprotov6.ApplyResourceChangeResponse{
				NewState: req.PriorState, Private: req.PlannedPrivate, NewIdentity: req.PlannedIdentity, Diagnostics: internalFault(fault),
			}, nil
			resp.Diagnostics[0].Detail += "\n\n" + diagnostics.LookFirst
		}
	}()
	return g.framework.ApplyResourceChange(ctx, req)
}

// ListResource produces its results after the call has returned, so it recovers there.
func (g panicGuard) ListResource(ctx context.Context, req *tfprotov6.ListResourceRequest) (*tfprotov6.ListResourceServerStream, error) {
	return &tfprotov6.ListResourceServerStream{Results: func(push func(tfprotov6.ListResourceResult) bool) {
		defer func() {
			if fault := recover(); fault != nil {
				push(tfprotov6.ListResourceResult{Diagnostics: internalFault(fault)})
			}
		}()
		stream, err := g.framework.ListResource(ctx, req)
		if err != nil {
			panic(err) // the framework never returns one
		}
		stream.Results(push)
	}}, nil
}

// CallFunction has an error of its own in its answer, in place of diagnostics.
func (g panicGuard) CallFunction(ctx context.Context, req *tfprotov6.CallFunctionRequest) (resp *tfprotov6.CallFunctionResponse, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			d := internalFault(fault)[0]
			resp, err = &tfprotov6.CallFunctionResponse{Error: &tfprotov6.FunctionError{Text: d.Summary + ": " + d.Detail}}, nil
		}
	}()
	return g.framework.CallFunction(ctx, req)
}

// The other calls that reach code of this provider.

func (g panicGuard) GetFunctions(ctx context.Context, req *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return recoverRPC(ctx, req, g.framework.GetFunctions)
}

func (g panicGuard) GetMetadata(ctx context.Context, req *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	return recoverRPC(ctx, req, g.framework.GetMetadata)
}

func (g panicGuard) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return recoverRPC(ctx, req, g.framework.GetProviderSchema)
}

func (g panicGuard) GetResourceIdentitySchemas(ctx context.Context, req *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return recoverRPC(ctx, req, g.framework.GetResourceIdentitySchemas)
}

func (g panicGuard) ValidateProviderConfig(ctx context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return recoverRPC(ctx, req, g.framework.ValidateProviderConfig)
}

func (g panicGuard) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return recoverRPC(ctx, req, g.framework.ConfigureProvider)
}

func (g panicGuard) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return recoverRPC(ctx, req, g.framework.ValidateResourceConfig)
}

func (g panicGuard) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return recoverRPC(ctx, req, g.framework.UpgradeResourceState)
}

func (g panicGuard) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return recoverRPC(ctx, req, g.framework.UpgradeResourceIdentity)
}

func (g panicGuard) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return recoverRPC(ctx, req, g.framework.ReadResource)
}

func (g panicGuard) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return recoverRPC(ctx, req, g.framework.PlanResourceChange)
}

func (g panicGuard) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return recoverRPC(ctx, req, g.framework.ImportResourceState)
}

func (g panicGuard) MoveResourceState(ctx context.Context, req *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	return recoverRPC(ctx, req, g.framework.MoveResourceState)
}

func (g panicGuard) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	return recoverRPC(ctx, req, g.framework.GenerateResourceConfig)
}

func (g panicGuard) ValidateDataResourceConfig(ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return recoverRPC(ctx, req, g.framework.ValidateDataResourceConfig)
}

func (g panicGuard) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	return recoverRPC(ctx, req, g.framework.ReadDataSource)
}

func (g panicGuard) ValidateListResourceConfig(ctx context.Context, req *tfprotov6.ValidateListResourceConfigRequest) (*tfprotov6.ValidateListResourceConfigResponse, error) {
	return recoverRPC(ctx, req, g.framework.ValidateListResourceConfig)
}
