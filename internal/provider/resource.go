package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// apiResource is what the resources have in common. The framework makes a resource for every call,
// so it holds nothing but what Configure left.
type apiResource struct {
	api       qod.Sessions
	owners    *sessionOwners
	planned   *plannedRequests
	handovers *handovers
}

// resourceData is what the provider's Configure leaves for resources.
type resourceData struct {
	sessions  qod.Sessions
	owners    *sessionOwners
	planned   *plannedRequests
	handovers *handovers
}

// Configure takes what the provider's Configure left.
func (r *apiResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if data, ok := req.ProviderData.(resourceData); ok {
		r.api, r.owners, r.planned, r.handovers = data.sessions, data.owners, data.planned, data.handovers
		return
	}
	r.api = apiFrom(req.ProviderData, &resp.Diagnostics)
}

// apiFrom is the API that the provider's Configure left. There is none yet when Terraform only
// validates.
func apiFrom(data any, diags *diag.Diagnostics) qod.Sessions {
	if data == nil {
		return unconfigured{}
	}
	sessions, ok := data.(qod.Sessions)
	if !ok {
		diags.AddError("Unexpected Provider Data", fmt.Sprintf("Expected qod.Sessions, got %T. This is a fault of the provider.", data))
	}
	return sessions
}

// loadPlan reads what is planned, and the write-only token, which only the configuration has.
func loadPlan[M any](ctx context.Context, plan tfsdk.Plan, config tfsdk.Config) (model M, token types.String, diags diag.Diagnostics) {
	diags.Append(plan.Get(ctx, &model)...)
	diags.Append(config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	return model, token, diags
}

// loadState reads the state of a resource, and its private state.
func loadState[M any](ctx context.Context, state tfsdk.State, fromPrivate privateState) (model M, private sessionPrivate, diags diag.Diagnostics) {
	diags.Append(state.Get(ctx, &model)...)
	private, privateDiags := loadPrivate(ctx, fromPrivate)
	diags.Append(privateDiags...)
	return model, private, diags
}
