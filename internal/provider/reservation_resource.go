package provider

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ resource.Resource                   = (*reservationResource)(nil)
	_ resource.ResourceWithConfigure      = (*reservationResource)(nil)
	_ resource.ResourceWithImportState    = (*reservationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*reservationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*reservationResource)(nil)
)

// reservationResource is qod_reservation. It has no identity: what could tell it from others is its
// session, which changes.
type reservationResource struct {
	api    qod.Sessions
	owners *sessionOwners
}

const reservationTypeName = "qod_reservation"

func newReservationResource() resource.Resource { return &reservationResource{} }

func (r *reservationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = reservationTypeName
}

func (r *reservationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.api, r.owners = resourceDataFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig refuses a window that cannot be, if it is known.
func (r *reservationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	defer catch(&resp.Diagnostics)
	var starts, ends types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("starts_at"), &starts)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ends_at"), &ends)...)
	from, fromErr := parseInstant(starts.ValueString())
	to, toErr := parseInstant(ends.ValueString())
	if fromErr == nil && toErr == nil && !to.After(from) {
		resp.Diagnostics.Append(invalid(path.Root("ends_at"), "must be after starts_at, which is "+quoted(starts.ValueString()), quoted(ends.ValueString())))
	}
}

// ModifyPlan refuses what the API cannot express and decides between nothing, an update in place and a
// replacement.
func (r *reservationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer catch(&resp.Diagnostics)
	planned, ok := modifyPlan(ctx, r.api, req, resp, planReservation)
	if ok && req.State.Raw.IsNull() {
		resp.Diagnostics.Append(r.foresee(ctx, planned)...)
	}
}

// foresee warns of a reservation that would be made too late for its window. It changes no planned
// value, so it may look at the clock.
func (r *reservationResource) foresee(ctx context.Context, planned reservationModel) diag.Diagnostics {
	w, known := planned.window()
	if !known {
		return nil
	}
	if now, known := r.api.Glance(ctx); known && w.over(now) {
		return diag.Diagnostics{windowOver(planned)}
	}
	return nil
}

// Create records the reservation, and reserves a session if the window is open. What it cannot do then
// follows the same rules as a qod_session.
func (r *reservationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer catch(&resp.Diagnostics)
	var plan reservationModel
	var token types.String
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(creatingReservation.checkEndpoint(r.api, plan.Endpoint.ValueString(), "")...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	plan.ID = types.StringValue(uuid.NewString())
	e := enactment{api: r.api, endeavour: creatingReservation, plan: plan, token: token}
	e.save = func(done bool) (diags diag.Diagnostics) {
		if e.session == nil && !done {
			resp.State.RemoveResource(ctx)
			return nil
		}
		diags.Append(resp.State.Set(ctx, e.recordedIn(plan))...)
		diags.Append(e.memory.keep(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(e.run(ctx)...)
}

// Read looks at the session, if there is one, and concludes from the server's time where the
// reservation stands.
func (r *reservationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer catch(&resp.Diagnostics)
	var model reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	memory, diags := recall(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// The first read of an import finds nothing in state but ids.
	importing := memory.Imported && model.Status.IsNull()
	reading := readingReservation
	if importing {
		reading = importingReservation
	}
	session, diags := currentSession(ctx, r.api, reading, model, memory)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var now time.Time
	w, known := model.window()
	if known {
		var err error
		if now, err = r.api.Now(ctx); err != nil {
			resp.Diagnostics.Append(reading.clockUnknown(err))
			return
		}
	} // else it counts as open, whatever the time

	before := model
	status := w.status(now, session)
	endpoint := r.api.Endpoint()
	model.record(session, status, endpoint)
	seen := sessionMemory{Imported: memory.Imported, Owner: memory.Owner}
	if session != nil {
		seen = memory.remember(*session, r.api.Origin(), timeBy(ctx, r.api))
		if importing {
			model.recordImported(*session)
		}
		if r.owners.shared(session.ID, seen.Owner) {
			resp.Diagnostics.Append(readingReservation.heldTwice(session.ID))
		}
	}
	model.QoSProfile, seen.AskedProfile = profileSeen(model.QoSProfile, memory.AskedProfile, session, status)
	if importing || !model.recordedSame(before) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	if seen != memory {
		resp.Diagnostics.Append(seen.keep(ctx, resp.Private)...)
	}
}

// profileSeen is the profile to record, and the one that was asked for where that is another. A network
// that changes the profile of a session in use is drift, which replaces the reservation; that of a
// session that is over is nobody's concern.
func profileSeen(recorded types.String, asked string, session *qod.Session, status reservationStatus) (types.String, string) {
	if asked == "" {
		asked = recorded.ValueString()
	}
	inUse := status == statusRequested || status == statusAvailable
	switch {
	case session != nil && session.QoSProfile != "" && asked == "":
		return types.StringValue(session.QoSProfile), ""
	case inUse && session.QoSProfile != "" && session.QoSProfile != asked:
		return types.StringValue(session.QoSProfile), asked
	}
	return stringOrNull(asked), ""
}

// currentSession returns the session of a reservation; nil when there is none, or none any more. Only a 404 that
// proves something says so.
func currentSession(ctx context.Context, api qod.Sessions, e endeavour, model reservationModel, memory sessionMemory) (*qod.Session, diag.Diagnostics) {
	if model.SessionID.IsNull() {
		return nil, nil
	}
	id := model.SessionID.ValueString()
	found, err := api.Read(ctx, model.ref())
	switch {
	case err == nil:
		found = completed(found, qod.Session{StartedAt: instantOf(model.StartedAt), ExpiresAt: instantOf(model.ExpiresAt)})
		return &found, nil
	case e == importingReservation && qod.IsGone(err):
		return nil, diag.Diagnostics{e.importUnknown(id, api.Origin(), err)}
	case e == importingReservation:
		return nil, diag.Diagnostics{e.importFailed(id, err)}
	case !qod.IsGone(err):
		return nil, diag.Diagnostics{e.readFailed(id, err)}
	case memory.elsewhere(api.Origin(), instantOf(model.ExpiresAt), serverTimeOf(err)):
		return nil, diag.Diagnostics{e.madeElsewhere(id, memory.Origin, api.Origin(), err)}
	case memory.anybody(api.Origin(), instantOf(model.ExpiresAt), serverTimeOf(err)):
		return nil, diag.Diagnostics{e.goneForToken(id, api.Origin())}
	}
	return nil, nil
}

// Update brings the reservation to where its window wants it to be, if that was planned; see
// planReservation. Otherwise it sends nothing, even if the window has opened meanwhile.
func (r *reservationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer catch(&resp.Diagnostics)
	var plan, prior reservationModel
	var token types.String
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	memory, diags := recall(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Also for a session that must be over: the next one would be bought here.
	resp.Diagnostics.Append(updatingReservation.checkEndpoint(r.api, memory.endpoint(plan.Endpoint), prior.SessionID.ValueString())...)
	if resp.Diagnostics.HasError() {
		return
	}
	adopted := memory
	adopted.Imported = false
	if !plan.Status.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(adopted.keep(ctx, resp.Private)...)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	session, diags := currentSession(ctx, r.api, updatingReservation, prior, memory)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	e := enactment{
		api: r.api, endeavour: updatingReservation, plan: plan, token: token, memory: memory,
		session: session, adopting: prior.EndsAt.IsNull(), formerEnd: prior.EndsAt,
	}
	e.save = func(done bool) (diags diag.Diagnostics) {
		// Until it is done the window stays as it was, and so the work stays planned.
		recorded, remembered := prior, e.memory
		if done {
			recorded, remembered.Imported = plan, false
		}
		diags.Append(resp.State.Set(ctx, e.recordedIn(recorded))...)
		diags.Append(remembered.keep(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(e.run(ctx)...)
}

// Delete releases the session. Where there is none nothing is sent.
func (r *reservationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer catch(&resp.Diagnostics)
	var model reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	memory, diags := recall(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || model.SessionID.IsNull() {
		return
	}
	resp.Diagnostics.Append(deletingReservation.checkSessionEndpoint(r.api, memory, model.Endpoint, model.SessionID, model.ExpiresAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp.Diagnostics.Append(release(ctx, r.api, deletingReservation, model.ref(), memory, instantOf(model.ExpiresAt))...)
}

// ImportState takes over a session by its id, which becomes that of the reservation. The window is
// adopted from the configuration, by an update that reserves nothing.
func (r *reservationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer catch(&resp.Diagnostics)
	if resp.Diagnostics.Append(checkSessionID(req.ID)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("session_id"), req.ID)...)
	resp.Diagnostics.Append(sessionMemory{Imported: true}.keep(ctx, resp.Private)...)
}
