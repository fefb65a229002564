package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ resource.Resource                = (*sessionResource)(nil)
	_ resource.ResourceWithConfigure   = (*sessionResource)(nil)
	_ resource.ResourceWithImportState = (*sessionResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*sessionResource)(nil)
)

// sessionResource is qod_session.
type sessionResource struct{ apiResource }

const sessionTypeName = "qod_session"

func newSessionResource() resource.Resource { return &sessionResource{} }

func (r *sessionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName, resp.ResourceBehavior = sessionTypeName, identityBehavior
}

// ModifyPlan refuses what the API cannot express, and plans the rest: see planSession.
func (r *sessionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	planned, ok := modifyPlan(ctx, r.api, req, resp, planSession)
	replaced := len(resp.RequiresReplace) > 0
	if ok {
		resp.Diagnostics.Append(warnIfOverlapping(ctx, r.api, r.planned, planned.request(estimateTime(r.api)), req.State, replaced)...)
	}
	var prior sessionModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	isNew := replaced || req.State.Raw.IsNull()
	if ok && isSet(planned.Duration) && (isNew || planned.extends(prior)) {
		resp.Diagnostics.Append(planned.notifiedUntil(planned.request(estimateTime(r.api)).ends)...)
	}
	switch {
	case req.Plan.Raw.IsNull():
		resp.Diagnostics.Append(r.handovers.deletes(prior.flow())...)
	case ok && isNew:
		resp.Diagnostics.Append(r.handovers.creates(planned.flow())...)
		resp.Diagnostics.Append(outsideProfile(r.api, planned.QoSProfile, "duration", planned.Duration, diagnostics.SessionOutsideProfile)...)
	case ok && planned.extends(prior):
		resp.Diagnostics.Append(outsideProfile(r.api, planned.QoSProfile, "duration", planned.Duration, diagnostics.ExtensionOutsideProfile)...)
	}
}

// Create creates a session, records it before anything else can fail, and waits for it.
func (r *sessionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	model, token, diags := loadPlan[sessionModel](ctx, req.Plan, req.Config)
	resp.Diagnostics.Append(diags...)
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

	spec := model.toSpec(token)
	// A create has to record what was planned. That the network chose another profile is reported
	// below.
	record := func(s qod.Session) {
		model.record(s, r.api.Endpoint())
		model.QoSProfile = types.StringValue(spec.QoSProfile)
	}
	var private sessionPrivate
	session, err := createSession(ctx, r.api, spec, model.waits(), func(created qod.Session) bool {
		record(created)
		r.planned.created(model.flow(), created.ID)
		model.nullUnknowns()
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
		resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, model.ID, spec.Device)...)
		private = private.withSession(created, r.api)
		resp.Diagnostics.Append(private.save(ctx, resp.Private)...)
		return !resp.Diagnostics.HasError()
	})
	if resp.Diagnostics.HasError() {
		return
	}
	if session.ID == "" {
		// Nothing was created, or nothing is left to record: the next apply requests a new session.
		resp.State.RemoveResource(ctx)
		resp.Diagnostics.Append(diagnostics.CreatingSession.CreateFailed(err))
		return
	}
	before := model
	record(session)
	if !model.recordUnchanged(before) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	if updated := private.withSession(session, r.api); updated != private {
		resp.Diagnostics.Append(updated.save(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(diagnostics.SessionWarnings(session)...)
	var expired bool
	if err == nil {
		expired, err = sessionExpired(ctx, r.api, session)
	}
	switch {
	case expired:
		resp.Diagnostics.Append(diagnostics.CreatingSession.GrantedInThePast(session))
	case err != nil:
		resp.Diagnostics.Append(diagnostics.CreatingSession.CreateFailed(err))
	case session.QoSProfile != "" && session.QoSProfile != spec.QoSProfile:
		resp.Diagnostics.Append(diagnostics.CreatingSession.OtherProfile(session, spec.QoSProfile))
	case session.Seconds > 0 && session.Seconds < spec.Seconds:
		resp.Diagnostics.Append(diagnostics.GrantedLess(session, spec.Seconds))
	case time.Duration(session.Seconds-spec.Seconds)*time.Second > lateTolerance:
		resp.Diagnostics.Append(diagnostics.GrantedMore(session, spec.Seconds))
	}
}

// Read refreshes what the API decides. Only proof that the session is gone removes it from the
// state.
func (r *sessionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	model, private, diags := loadState[sessionModel](ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Before the state can be removed, or the framework turns a session that is gone into an error
	// of every plan.
	resp.Diagnostics.Append(keepIdentity(ctx, resp.Identity, model.ID)...)

	// On the first read after an import, the state has nothing but the id, and maybe the device.
	importing := private.Imported && model.QoSProfile.IsNull() && model.QoSStatus.IsNull()
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
		resp.Diagnostics.Append(diagnostics.ReadingSession.ReadFailed(model.ID.ValueString(), private.otherOrigin(r.api), err))
		return
	}

	expired, err := sessionExpired(ctx, r.api, found)
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
	resp.Diagnostics.Append(diagnostics.SessionWarnings(found)...)
	updated := private.withSession(found, r.api)
	updated.Expired = expired
	if updated != private {
		resp.Diagnostics.Append(updated.save(ctx, resp.Private)...)
	}
	if r.owners.heldByAnother(found.ID, updated.Owner) {
		resp.Diagnostics.Append(diagnostics.ReadingSession.HeldTwice(found.ID))
	}
}

// Update changes what the API never sees (waiting, timeouts, what an import adopts), resumes a
// wait, and extends a session where the API can.
func (r *sessionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var plan sessionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	prior, private, diags := loadState[sessionModel](ctx, req.State, req.Private)
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
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resume := plan.QoSStatus.IsUnknown()
	extended := plan.extends(prior)
	plan.ID = prior.ID
	if resume {
		plan.QoSStatus, plan.StartedAt, plan.StatusInfo = prior.QoSStatus, prior.StartedAt, prior.StatusInfo
	}
	if resume || extended {
		plan.ExpiresAt = prior.ExpiresAt
	}
	var failure diag.Diagnostic
	// How long a session is to last counts from its start.
	if resume && (plan.waits() || extended && plan.StartedAt.IsNull()) {
		s, err := r.api.Await(ctx, plan.ref(r.api, private))
		if s.Status != "" {
			resp.Diagnostics.Append(diagnostics.SessionWarnings(s)...)
			profile := plan.QoSProfile
			plan.record(s, plan.Endpoint.ValueString())
			plan.QoSProfile = profile // an update has to return what was planned; the next refresh shows the drift
		}
		if err != nil {
			failure = diagnostics.ResumeFailed(err)
		}
	}
	if extended && failure == nil {
		failure = r.extend(ctx, &plan, private, &resp.Diagnostics)
	}
	if extended && failure != nil {
		plan.Duration = prior.Duration
	}
	plan.nullUnknowns()
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(keepIdentity(ctx, resp.Identity, plan.ID)...)
	private.Imported = false
	resp.Diagnostics.Append(private.save(ctx, resp.Private)...)
	if failure != nil {
		resp.Diagnostics.Append(failure)
	}
}

// extend has the session last as long as is planned, and records the end that the API grants.
func (r *sessionResource) extend(ctx context.Context, plan *sessionModel, private sessionPrivate, diags *diag.Diagnostics) (failure diag.Diagnostic) {
	// A session that shows no start began when it was made, or little later. The state has whole
	// seconds, cut, so that up to another one belongs to the end.
	started := cmp.Or(instantOf(plan.StartedAt), private.MadeAt)
	until := started.Add(time.Duration(plan.Duration.ValueInt64())*time.Second + time.Second - time.Nanosecond)
	ref := plan.ref(r.api, private)
	s, err := r.api.Extend(ctx, ref, until)
	if !s.ExpiresAt.IsZero() {
		plan.ExpiresAt = instantOrNull(s.ExpiresAt)
	}
	switch {
	case qod.IsGone(err):
		// An error in its place says that the session may be live, and stays in the state.
		if held := sessionGone(ctx, diagnostics.UpdatingSession, r.api, ref, private, err).Errors(); len(held) > 0 {
			return held[0]
		}
		return diagnostics.UpdatingSession.ExtendFailed(ref.ID, err)
	case err != nil:
		return diagnostics.UpdatingSession.ExtendFailed(ref.ID, err)
	case s.Status == qod.StatusUnavailable:
		return diagnostics.UpdatingSession.NotExtended(s.ID, string(s.Status))
	}
	switch {
	case until.Sub(s.ExpiresAt) > endTolerance:
		diags.Append(diagnostics.ExtendedLess(s, until))
	case s.ExpiresAt.Sub(until) > lateTolerance && s.ExpiresAt.Sub(ref.ExpiresAt) >= time.Second: // the state cuts to seconds
		diags.Append(diagnostics.ExtendedMore(s, until))
	}
	return nil
}

// Delete deletes the session. It is no error if the session is gone already.
func (r *sessionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	model, private, diags := loadState[sessionModel](ctx, req.State, req.Private)
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
