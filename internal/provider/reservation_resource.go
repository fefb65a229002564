package provider

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
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
	defer diagnostics.Catch(&resp.Diagnostics)
	var starts, ends types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("starts_at"), &starts)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ends_at"), &ends)...)
	from, fromErr := validators.ParseInstant(starts.ValueString())
	to, toErr := validators.ParseInstant(ends.ValueString())
	if fromErr == nil && toErr == nil && !to.After(from) {
		resp.Diagnostics.Append(validators.Invalid(path.Root("ends_at"), "must be after starts_at, which is "+validators.Quoted(starts.ValueString()), validators.Quoted(ends.ValueString())))
	}
}

// ModifyPlan refuses what the API cannot express and decides between nothing, an update in place and a
// replacement.
func (r *reservationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	planned, ok := modifyPlan(ctx, r.api, req, resp, planReservation)
	if ok && req.State.Raw.IsNull() {
		resp.Diagnostics.Append(r.warnIfWindowOver(planned)...)
	}
}

// warnIfWindowOver warns of a reservation that would be made too late for its window. It sends
// nothing: a plan of new resources needs neither credentials nor the network, and a saved plan that is
// applied at another endpoint is refused before anything is sent there. So where no answer has shown the
// API's clock yet, this machine's has to do. No planned value depends on it.
func (r *reservationResource) warnIfWindowOver(planned reservationModel) diag.Diagnostics {
	w, known := planned.window()
	if !known {
		return nil
	}
	if now := r.api.EstimateNow(); !now.IsZero() && w.hasEnded(now) {
		return diag.Diagnostics{diagnostics.WindowEnded(planned.EndsAt.ValueString(), "the API's clock", now)}
	} else if now.IsZero() && w.hasEnded(time.Now()) {
		return diag.Diagnostics{diagnostics.WindowEnded(planned.EndsAt.ValueString(), "this machine's clock", time.Now())}
	}
	return nil
}

// Create records the reservation, and reserves a session if the window is open. What it cannot do then
// follows the same rules as a qod_session.
func (r *reservationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var plan reservationModel
	var token types.String
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(checkEndpoint(diagnostics.CreatingReservation, r.api, plan.Endpoint.ValueString(), "")...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	plan.ID = types.StringValue(uuid.NewString())
	e := reconciler{api: r.api, Operation: diagnostics.CreatingReservation, plan: plan, token: token}
	e.save = func(done bool) (diags diag.Diagnostics) {
		if e.session == nil && !done {
			resp.State.RemoveResource(ctx)
			return nil
		}
		diags.Append(resp.State.Set(ctx, e.recordedIn(plan))...)
		diags.Append(e.private.save(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(e.run(ctx)...)
}

// Read looks at the session, if there is one, and concludes from the server's time where the
// reservation stands. What is over needs no look: it is over for good.
func (r *reservationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || model.endedForGood(private, time.Now()) {
		return
	}
	// The first read of an import finds nothing in state but ids.
	importing := private.Imported && model.Status.IsNull()
	reading := diagnostics.ReadingReservation
	if importing {
		reading = diagnostics.ImportingReservation
	}
	session, seen, diags := currentSession(ctx, r.api, reading, model, private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var now time.Time
	var over bool
	w, known := model.window()
	if known { // else it counts as open, whatever the time
		var err error
		now, over, err = r.timeOf(ctx, w, session, private.MadeAt)
		switch {
		case err == nil:
		case session == nil:
			// There is nothing that a guess could lose, and an API that is down must not keep a plan or a
			// destroy from its work.
			resp.Diagnostics.Append(diagnostics.StatusUnknown(err))
			if seen != private {
				resp.Diagnostics.Append(resp.State.Set(ctx, model.withoutSession())...)
				resp.Diagnostics.Append(seen.save(ctx, resp.Private)...)
			}
			return
		default:
			resp.Diagnostics.Append(reading.TimeUnknown(session.ID, err))
			return
		}
	}

	if !seen.Lost.mayBeAlive(now) {
		seen.Lost = lostSession{}
	}

	before := model
	status := statusOf(w, now, session, over)
	endpoint := r.api.Endpoint()
	model.record(session, status, endpoint)
	if session != nil {
		resp.Diagnostics.Append(diagnostics.SessionWarnings(*session)...)
		seen = seen.withSession(*session, r.api)
		if importing {
			model.recordImported(*session)
		}
		if r.owners.heldByAnother(session.ID, seen.Owner) {
			resp.Diagnostics.Append(diagnostics.ReadingReservation.HeldTwice(session.ID))
		}
	}
	model.QoSProfile, seen.AskedProfile = profileToRecord(model.QoSProfile, private.AskedProfile, session, status)
	if importing || !model.recordUnchanged(before) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	if seen != private {
		resp.Diagnostics.Append(seen.save(ctx, resp.Private)...)
	}
}

// timeOf is the server's time, and whether a session (nil for none) is past its own end by it.
func (r *reservationResource) timeOf(ctx context.Context, w window, session *qod.Session, madeAt time.Time) (now time.Time, over bool, err error) {
	now, err = r.api.Now(ctx)
	if err == nil && session != nil {
		over, err = w.sessionExpired(*session, madeAt, now, time.Now())
	}
	return now, over, err
}

// profileToRecord is the profile to record, and the one that was asked for where that is another. A network
// that changes the profile of a session in use is drift, which replaces the reservation; that of a
// session that is over is nobody's concern.
func profileToRecord(recorded types.String, asked string, session *qod.Session, status reservationStatus) (types.String, string) {
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

// currentSession returns the session of a reservation, and what its record knows of it; nil when there
// is none, or none any more. One that was lost sight of before its end, and is there again, is taken
// back.
func currentSession(ctx context.Context, api qod.Sessions, op diagnostics.Operation, model reservationModel, private sessionPrivate) (*qod.Session, sessionPrivate, diag.Diagnostics) {
	if model.SessionID.IsNull() {
		found, private := readLost(ctx, api, model, private)
		return found, private, nil
	}
	ref := model.ref(private)
	found, err := api.Read(ctx, ref)
	switch {
	case err == nil:
		found = completed(found, qod.Session{StartedAt: instantOf(model.StartedAt), ExpiresAt: instantOf(model.ExpiresAt)})
		return &found, private, nil
	case op == diagnostics.ImportingReservation && qod.IsGone(err):
		return nil, private, diag.Diagnostics{op.ImportUnknown(ref.ID, api.Origin(), err)}
	case op == diagnostics.ImportingReservation:
		return nil, private, diag.Diagnostics{op.ImportFailed(ref.ID, err)}
	case !qod.IsGone(err):
		return nil, private, diag.Diagnostics{op.ReadFailed(ref.ID, err)}
	}
	diags := sessionGone(ctx, op, api, ref, private, err)
	if diags.HasError() {
		return nil, private, diags
	}
	return nil, private.withoutSession(ref, err), diags
}

// readLost looks for the session that a reservation lost sight of, as long as that can be alive.
func readLost(ctx context.Context, api qod.Sessions, model reservationModel, private sessionPrivate) (*qod.Session, sessionPrivate) {
	lost := private.Lost
	was := sessionPrivate{Imported: private.Imported, AskedProfile: private.AskedProfile, Owner: private.Owner, Origin: lost.Origin, MadeAt: lost.MadeAt}
	if lost.ID == "" || lost.Origin != api.Origin() || !lost.mayBeAlive(api.EstimateNow()) {
		return nil, private
	}
	ref := model.ref(was)
	ref.ID, ref.ExpiresAt = lost.ID, lost.ExpiresAt
	found, err := api.Read(ctx, ref)
	if err != nil {
		return nil, private
	}
	return &found, was
}

// Update brings the reservation to where its window wants it to be, if that was planned; see
// planReservation. Otherwise it sends nothing, even if the window has opened meanwhile.
func (r *reservationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var plan, prior reservationModel
	var token types.String
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("notification_auth_token"), &token)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Also for a session that must be over: the next one would be bought here.
	resp.Diagnostics.Append(checkEndpoint(diagnostics.UpdatingReservation, r.api, private.endpoint(plan.Endpoint), prior.SessionID.ValueString())...)
	if resp.Diagnostics.HasError() {
		return
	}
	adopted := private
	adopted.Imported = false
	if !plan.Status.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(adopted.save(ctx, resp.Private)...)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	session, private, diags := currentSession(ctx, r.api, diagnostics.UpdatingReservation, prior, private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	e := reconciler{
		api: r.api, Operation: diagnostics.UpdatingReservation, plan: plan, token: token, private: private,
		session: session, adopting: prior.EndsAt.IsNull(), formerEnd: prior.EndsAt,
	}
	e.save = func(done bool) (diags diag.Diagnostics) {
		// Until it is done the window stays as it was, and so the work stays planned.
		recorded, remembered := prior, e.private
		if done {
			recorded, remembered.Imported = plan, false
		}
		diags.Append(resp.State.Set(ctx, e.recordedIn(recorded))...)
		diags.Append(remembered.save(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(e.run(ctx)...)
}

// Delete releases the session. Where there is none nothing is sent.
func (r *reservationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var model reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	private, diags := loadPrivate(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if model.SessionID.IsNull() { // wherever it was planned, nothing is sent
		resp.Diagnostics.Append(r.deleteLost(ctx, model, private)...)
		return
	}
	resp.Diagnostics.Append(checkSessionEndpoint(diagnostics.DeletingReservation, r.api, private, model.Endpoint, model.SessionID, model.ExpiresAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(deleteSession(ctx, r.api, diagnostics.DeletingReservation, model.ref(private), private)...)
}

// deleteLost deletes the session that a reservation lost sight of. It has been proven gone, so nothing
// about it keeps a destroy from its work; once it can no longer be alive, not even a warning is due. A read
// has forgotten it by then, so only a destroy without one gets here, and no clock decides for it.
func (r *reservationResource) deleteLost(ctx context.Context, model reservationModel, private sessionPrivate) diag.Diagnostics {
	lost := private.Lost
	was := sessionPrivate{Origin: lost.Origin, MadeAt: lost.MadeAt}
	if lost.ID == "" || lost.Origin != r.api.Origin() {
		return nil
	}
	ref := model.ref(was)
	ref.ID, ref.ExpiresAt = lost.ID, lost.ExpiresAt
	err := r.api.Delete(ctx, ref)
	if err == nil || !lost.mayBeAlive(time.Now()) {
		return nil
	}
	if gone, ok := asError[*qod.GoneError](err); ok {
		return diag.Diagnostics{diagnostics.DeletingReservation.GoneEarly(ref, gone)}
	}
	return diag.Diagnostics{diagnostics.LostNotDeleted(ref, err)}
}

// ImportState takes over a session by its id, which becomes that of the reservation. The window is
// adopted from the configuration, by an update that reserves nothing.
func (r *reservationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	if resp.Diagnostics.Append(diagnostics.CheckImportID(req.ID)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("session_id"), req.ID)...)
	resp.Diagnostics.Append(sessionPrivate{Imported: true}.save(ctx, resp.Private)...)
}
