package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ resource.Resource                = (*sessionResource)(nil)
	_ resource.ResourceWithConfigure   = (*sessionResource)(nil)
	_ resource.ResourceWithIdentity    = (*sessionResource)(nil)
	_ resource.ResourceWithImportState = (*sessionResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*sessionResource)(nil)
)

// sessionResource is qod_session. The framework makes one for every call, so it holds nothing
// but what Configure left.
type sessionResource struct {
	api    qod.Sessions
	owners *sessionOwners
}

const sessionTypeName = "qod_session"

func newSessionResource() resource.Resource { return &sessionResource{} }

func (r *sessionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = sessionTypeName
}

func (r *sessionResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.api, r.owners = resourceDataFrom(req.ProviderData, &resp.Diagnostics)
}

// resourceDataFrom takes what the provider's Configure left for resources.
func resourceDataFrom(data any, diags *diag.Diagnostics) (qod.Sessions, *sessionOwners) {
	if given, ok := data.(resourceData); ok {
		return given.sessions, given.owners
	}
	return sessionsFrom(data, diags), nil
}

// sessionsFrom takes the API from what the provider's Configure left. There is nothing before
// that, when Terraform only validates.
func sessionsFrom(data any, diags *diag.Diagnostics) qod.Sessions {
	if data == nil {
		return unconfigured{}
	}
	sessions, ok := data.(qod.Sessions)
	if !ok {
		diags.AddError("Unexpected Provider Data", fmt.Sprintf("Expected qod.Sessions, got %T. This is a fault of the provider.", data))
	}
	return sessions
}

// ModifyPlan refuses what the API cannot express and decides between nothing, an update in place
// and a replacement.
func (r *sessionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	modifyPlan(ctx, r.api, req, resp, planSession)
}

// Create reserves a session, records it before anything else can fail, and waits for it.
func (r *sessionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model sessionModel
	var token types.String
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	timeout, diags := model.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(checkEndpoint(diagnostics.CreatingSession, r.api, model.Endpoint.ValueString(), "")...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	asked := model.toSpec(token)
	var private sessionPrivate
	granted, err := createSession(ctx, r.api, asked, model.waits(), func(made qod.Session) bool {
		model.record(made, r.api.Endpoint())
		// What was asked for is what is planned; another profile is reported below.
		model.QoSProfile = types.StringValue(asked.QoSProfile)
		model.nullUnknowns()
		resp.Diagnostics.Append(r.save(ctx, model, &resp.State, resp.Identity)...)
		private = private.withSession(made, r.api)
		resp.Diagnostics.Append(private.save(ctx, resp.Private)...)
		return !resp.Diagnostics.HasError()
	})
	if resp.Diagnostics.HasError() {
		return
	}
	if granted.ID == "" {
		// Nothing was made, or nothing is left to record: the next apply reserves anew.
		resp.State.RemoveResource(ctx)
		resp.Diagnostics.Append(diagnostics.CreatingSession.CreateFailed(err))
		return
	}
	before := model
	model.record(granted, r.api.Endpoint())
	model.QoSProfile = types.StringValue(asked.QoSProfile)
	if !model.recordUnchanged(before) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	if now := private.withSession(granted, r.api); now != private {
		resp.Diagnostics.Append(now.save(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(diagnostics.SessionWarnings(granted)...)
	var over bool
	if err == nil {
		over, err = sessionExpired(ctx, r.api, granted)
	}
	switch {
	case over:
		resp.Diagnostics.Append(diagnostics.CreatingSession.GrantedInThePast(granted))
	case err != nil:
		resp.Diagnostics.Append(diagnostics.CreatingSession.CreateFailed(err))
	case granted.QoSProfile != "" && granted.QoSProfile != asked.QoSProfile:
		resp.Diagnostics.Append(diagnostics.CreatingSession.OtherProfile(granted, asked.QoSProfile))
	case granted.Seconds > 0 && granted.Seconds < asked.Seconds:
		resp.Diagnostics.Append(diagnostics.GrantedLess(granted, asked.Seconds))
	}
}

func (r *sessionResource) save(ctx context.Context, model sessionModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	diags := state.Set(ctx, model)
	if identity != nil {
		diags.Append(identity.SetAttribute(ctx, path.Root("id"), model.ID)...)
	}
	return diags
}

// Read refreshes what the API decides. Only a 404 that proves something removes the session.
func (r *sessionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model sessionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Before anything can remove the state: state written before Terraform 1.12 has no identity,
	// and the framework would turn a session that is gone into an error of every plan.
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root("id"), model.ID)...)
	}

	// The first read of an import finds nothing in state but the id.
	importing := private.Imported && model.QoSProfile.IsNull() && model.Device.IsNull() && model.QoSStatus.IsNull()
	found, err := r.api.Read(ctx, model.ref(r.api, private))
	switch {
	case err == nil:
	case qod.IsGone(err) && importing:
		resp.Diagnostics.Append(diagnostics.ImportingSession.ImportUnknown(model.ID.ValueString(), r.api.Origin(), err))
		return
	case qod.IsGone(err):
		resp.Diagnostics.Append(sessionGone(ctx, diagnostics.ReadingSession, r.api, model.ref(r.api, private), private, err)...)
		if !resp.Diagnostics.HasError() {
			resp.State.RemoveResource(ctx)
		}
		return
	case importing:
		resp.Diagnostics.Append(diagnostics.ImportingSession.ImportFailed(model.ID.ValueString(), err))
		return
	default:
		resp.Diagnostics.Append(diagnostics.ReadingSession.ReadFailed(model.ID.ValueString(), err))
		return
	}

	over, err := sessionExpired(ctx, r.api, found)
	if err != nil {
		resp.Diagnostics.Append(diagnostics.ReadingSession.TimeUnknown(model.ID.ValueString(), err))
		return
	}
	before := model
	model.record(found, r.api.Endpoint())
	switch {
	case importing:
		model.recordImported(found)
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	case !model.recordUnchanged(before):
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	// Whoever can see the session is asked for it from now on.
	resp.Diagnostics.Append(diagnostics.SessionWarnings(found)...)
	now := private.withSession(found, r.api)
	now.Expired = over
	if now != private {
		resp.Diagnostics.Append(now.save(ctx, resp.Private)...)
	}
	if r.owners.heldByAnother(found.ID, now.Owner) {
		resp.Diagnostics.Append(diagnostics.ReadingSession.HeldTwice(found.ID))
	}
}

// Update runs for what the API never sees (waiting, timeouts, adoption after an import), and for
// a wait that is resumed. It sends nothing that changes a session.
func (r *sessionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var plan, prior sessionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}

	resp.Diagnostics.Append(checkSessionEndpoint(diagnostics.UpdatingSession, r.api, private, prior.Endpoint, prior.ID, prior.ExpiresAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resume := plan.QoSStatus.IsUnknown()
	plan.ID = prior.ID
	if resume {
		plan.QoSStatus, plan.StartedAt, plan.ExpiresAt = prior.QoSStatus, prior.StartedAt, prior.ExpiresAt
	}
	var err error
	if resume && plan.waits() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		var s qod.Session
		if s, err = r.api.Await(ctx, plan.ref(r.api, private)); s.Status != "" {
			resp.Diagnostics.Append(diagnostics.SessionWarnings(s)...)
			profile := plan.QoSProfile
			plan.record(s, plan.Endpoint.ValueString())
			plan.QoSProfile = profile // drift is for the next refresh: an update must return what was planned
		}
	}
	plan.nullUnknowns()
	resp.Diagnostics.Append(r.save(ctx, plan, &resp.State, resp.Identity)...)
	private.Imported = false
	resp.Diagnostics.Append(private.save(ctx, resp.Private)...)
	if err != nil {
		resp.Diagnostics.Append(diagnostics.ResumeFailed(err))
	}
}

// Delete releases the session. One that is gone already is deleted.
func (r *sessionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model sessionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(checkSessionEndpoint(diagnostics.DeletingSession, r.api, private, model.Endpoint, model.ID, model.ExpiresAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	resp.Diagnostics.Append(deleteSession(ctx, r.api, diagnostics.DeletingSession, model.ref(r.api, private), private)...)
}

// ImportState takes a session over by its id. The refresh that follows fills the state.
func (r *sessionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	id := req.ID
	if id == "" && req.Identity != nil {
		// Null where an empty id was given: Terraform then asks with neither.
		var identity types.String
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &identity)...)
		id = identity.ValueString()
	}
	if resp.Diagnostics.Append(diagnostics.CheckImportID(id)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root("id"), id)...)
	}
	resp.Diagnostics.Append(sessionPrivate{Imported: true}.save(ctx, resp.Private)...)
}

func instantOf(s types.String) time.Time {
	t, err := time.Parse(time.RFC3339, s.ValueString())
	if err != nil {
		return time.Time{}
	}
	return t
}

// asError is errors.As as an expression.
func asError[E error](err error) (E, bool) {
	var target E
	ok := errors.As(err, &target)
	return target, ok
}
