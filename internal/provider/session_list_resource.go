package provider

import (
	"context"
	"iter"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ list.ListResourceWithConfigure      = (*sessionListResource)(nil)
	_ list.ListResourceWithValidateConfig = (*sessionListResource)(nil)
)

// sessionListResource lists sessions for terraform query (Terraform 1.14 or later).
type sessionListResource struct{ api qod.Sessions }

func newSessionListResource() list.ListResource { return &sessionListResource{} }

func (l *sessionListResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = sessionTypeName
}

func (l *sessionListResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	l.api = apiFrom(req.ProviderData, &resp.Diagnostics)
}

func (l *sessionListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the sessions that the credentials can see, for `terraform query`: all that are requested, available, " +
			"or unavailable and not deleted yet. `camara-v1` lists only those of one `device`, and `camara-v0` has no list. Requires Terraform 1.14 or later.",
		Attributes: map[string]schema.Attribute{},
	}
	for name, attribute := range filterAttributes() {
		resp.Schema.Attributes[name] = attribute
	}
}

// ValidateListResourceConfig refuses a filter that can match nothing.
func (l *sessionListResource) ValidateListResourceConfig(ctx context.Context, req list.ValidateConfigRequest, resp *list.ValidateConfigResponse) {
	resp.Diagnostics.Append(validateFilter(ctx, req.Config)...)
}

func (l *sessionListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filter sessionsFilter
	found, diags := listSessions(ctx, l.api, req.Config, &filter)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	if req.Limit > 0 && int64(len(found)) > req.Limit {
		found = found[:req.Limit]
	}
	if len(found) == 0 && len(diags) > 0 {
		// No result can carry the warning, and an incomplete list without a match proves nothing.
		stream.Results = list.ListResultsStreamDiagnostics(asErrors(diags))
		return
	}
	stream.Results = l.results(ctx, req, found, diags)
}

func asErrors(warnings diag.Diagnostics) diag.Diagnostics {
	var errs diag.Diagnostics
	for _, w := range warnings {
		errs.AddError(w.Summary(), w.Detail())
	}
	return errs
}

// results are the sessions. The first one carries the warnings, since Terraform accepts none
// without a result.
func (l *sessionListResource) results(ctx context.Context, req list.ListRequest, found []qod.Session, warnings diag.Diagnostics) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		for i, s := range found {
			result := l.toResult(ctx, req, s)
			if i == 0 {
				result.Diagnostics.Append(warnings...)
			}
			if !push(result) {
				return
			}
		}
	}
}

// toResult is a session that was found. Terraform prints the identity, which has the device only
// where an import needs it.
func (l *sessionListResource) toResult(ctx context.Context, req list.ListRequest, s qod.Session) (result list.ListResult) {
	result = req.NewListResult(ctx)
	defer diagnostics.Catch(&result.Diagnostics)
	result.DisplayName = displayName(s)
	var device qod.Device
	if l.api.Limits().PerDevice {
		device = s.Device
	}
	result.Diagnostics.Append(setIdentity(ctx, result.Identity, types.StringValue(s.ID), device)...)
	if req.IncludeResource {
		model := noSession()
		model.record(s, l.api.Endpoint())
		model.recordImported(s)
		result.Diagnostics.Append(result.Resource.Set(ctx, model)...)
	}
	return result
}

// displayName tells sessions apart for a person. The output of a query may be shown to anybody, so
// identifiers of devices are masked.
func displayName(s qod.Session) string {
	var parts []string
	for _, identifier := range []string{s.Device.PhoneNumber, s.Device.NetworkAccessIdentifier, publicAddress(s.Device), s.Device.IPv6Address} {
		if identifier != "" {
			parts = append(parts, qod.Mask(identifier))
			break
		}
	}
	for _, part := range []string{s.QoSProfile, string(s.Status)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if !s.ExpiresAt.IsZero() {
		parts = append(parts, "until", instantOrNull(s.ExpiresAt).ValueString())
	}
	if parts == nil {
		return s.ID
	}
	return strings.Join(parts, " ")
}

func publicAddress(d qod.Device) string {
	if d.IPv4Address == nil {
		return ""
	}
	return d.IPv4Address.PublicAddress
}
