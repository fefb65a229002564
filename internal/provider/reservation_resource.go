package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

var (
	_ resource.Resource                   = (*reservationResource)(nil)
	_ resource.ResourceWithConfigure      = (*reservationResource)(nil)
	_ resource.ResourceWithImportState    = (*reservationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*reservationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*reservationResource)(nil)
)

// reservationResource is qod_reservation.
type reservationResource struct{ apiResource }

const reservationTypeName = "qod_reservation"

func newReservationResource() resource.Resource { return &reservationResource{} }

func (r *reservationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName, resp.ResourceBehavior = reservationTypeName, identityBehavior
}

// ValidateConfig refuses a window that ends before it starts, if both are known.
func (r *reservationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	var starts, ends validators.InstantValue
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("starts_at"), &starts)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ends_at"), &ends)...)
	if !starts.Time().IsZero() && !ends.Time().IsZero() && !ends.Time().After(starts.Time()) {
		allowed := "must be after starts_at, which is " + validators.Quoted(starts.ValueString())
		if nextDay := ends.Time().AddDate(0, 0, 1); nextDay.After(starts.Time()) && nextDay.Sub(starts.Time()) <= 12*time.Hour {
			allowed += "; an event that goes on after midnight ends on the next day"
		}
		resp.Diagnostics.Append(validators.Invalid(path.Root("ends_at"), allowed, validators.Quoted(ends.ValueString())))
	}
}

// ModifyPlan refuses what the API cannot express, and plans the rest: see planReservation.
func (r *reservationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	planned, ok := modifyPlan(ctx, r.api, req, resp, planReservation)
	if ok && req.State.Raw.IsNull() {
		resp.Diagnostics.Append(r.warnIfWindowOver(planned)...)
	}
	replaced := len(resp.RequiresReplace) > 0
	if ok {
		resp.Diagnostics.Append(warnIfOverlapping(ctx, r.api, r.planned, planned.request(), req.State, replaced)...)
	}
	var prior reservationModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if ok && !replaced {
		resp.Diagnostics.Append(warnIfOutside(planned, prior, estimateNow(r.api))...)
	}
	if ok && (replaced || !planned.EndsAt.Equal(prior.EndsAt)) {
		resp.Diagnostics.Append(planned.notifiedUntil(planned.EndsAt.Time())...)
	}
	if ok && (replaced || !planned.WindowSeconds.Equal(prior.WindowSeconds)) {
		resp.Diagnostics.Append(outsideProfile(r.api, planned.QoSProfile, "ends_at", planned.WindowSeconds, diagnostics.WindowOutsideProfile)...)
	}
	hasSession, destroyed := !prior.SessionID.IsNull(), req.Plan.Raw.IsNull()
	switch {
	case hasSession && (destroyed || ok && !replaced && reservationStatus(prior.Status.ValueString()) == statusOverdue):
		resp.Diagnostics.Append(r.handovers.deletes(prior.flow())...)
	case ok && (replaced || !hasSession) && planned.Status.IsUnknown() && planned.isOpen(estimateTime(r.api)):
		resp.Diagnostics.Append(r.handovers.creates(planned.flow())...)
	}
}

// warnIfOutside warns of a live session that the apply deletes, because the window has been moved
// away from the present. No planned value depends on the clock. The plan that an apply makes once
// more has not heard the API's, and says nothing: this machine's decides nothing by itself.
func warnIfOutside(planned, prior reservationModel, now time.Time) diag.Diagnostics {
	w, known := planned.window()
	session := prior.session()
	if now.IsZero() || !known || !prior.live() || w.status(now, &session) != statusOverdue {
		return nil
	}
	if w.hasEnded(now) {
		return diag.Diagnostics{diagnostics.DeletedAfterWindow(planned.EndsAt.ValueString(), session.ID)}
	}
	return diag.Diagnostics{diagnostics.DeletedBeforeWindow(planned.StartsAt.ValueString(), session.ID)}
}

// warnIfWindowOver warns of a new reservation whose window has ended. It sends nothing, since the
// plan of a new resource needs neither credentials nor the network, and a saved plan that is
// applied at another endpoint is refused before anything is sent there. So the local clock has to
// do until an answer has shown the API's. No planned value depends on it.
func (r *reservationResource) warnIfWindowOver(planned reservationModel) diag.Diagnostics {
	w, known := planned.window()
	if !known {
		return nil
	}
	if now := estimateNow(r.api); !now.IsZero() && w.hasEnded(now) {
		return diag.Diagnostics{diagnostics.WindowEnded(planned.EndsAt.ValueString(), now)}
	} else if now.IsZero() && w.hasEnded(time.Now()) {
		return diag.Diagnostics{diagnostics.WindowSeemsEnded(planned.EndsAt.ValueString(), time.Now())}
	}
	return nil
}

// Create records the reservation, and creates a session if its window is open. If that fails, the
// rules are those of a qod_session.
func (r *reservationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	plan, token, diags := loadPlan[reservationModel](ctx, req.Plan, req.Config)
	resp.Diagnostics.Append(diags...)
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
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, plan.ID, toDevice(plan.Device))...)
	r.planned.created(plan.flow(), plan.ID.ValueString())
	work := reconciler{api: r.api, Operation: diagnostics.CreatingReservation, plan: plan, token: token}
	work.save = func(windowApplied bool) (diags diag.Diagnostics) {
		if work.session == nil && !windowApplied {
			resp.State.RemoveResource(ctx)
			return nil
		}
		diags.Append(resp.State.Set(ctx, work.recorded(plan))...)
		diags.Append(work.private.save(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(work.run(ctx)...)
}

// Read looks at the session, if there is one, and records the status that follows from it and from
// the API's time. A window that has ended needs no look.
func (r *reservationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	model, private, diags := loadState[reservationModel](ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(keepIdentity(ctx, resp.Identity, model.ID)...)
	if resp.Diagnostics.HasError() || model.endedForGood(private, time.Now()) {
		return
	}
	// On the first read after an import, the state has nothing but ids.
	importing := private.Imported && model.Status.IsNull()
	reading := diagnostics.ReadingReservation
	if importing {
		reading = diagnostics.ImportingReservation
	}
	session, updated, diags := currentSession(ctx, r.api, reading, model, private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var now time.Time
	var expired bool
	w, known := model.window()
	if known { // otherwise it counts as open at any time
		var err error
		now, expired, err = r.timeAndExpiry(ctx, w, session, private.MadeAt)
		switch {
		case err == nil:
		case session == nil:
			// Without a session nothing can be lost, and an API that is down must not block a plan
			// or a destroy.
			resp.Diagnostics.Append(diagnostics.StatusUnknown(err))
			if updated != private {
				resp.Diagnostics.Append(resp.State.Set(ctx, model.withoutSession(private, estimateTime(r.api)))...)
				resp.Diagnostics.Append(updated.save(ctx, resp.Private)...)
			}
			return
		default:
			resp.Diagnostics.Append(reading.TimeUnknown(session.ID, err))
			return
		}
	}

	if !updated.Lost.mayBeAlive(now) {
		updated.Lost = lostSession{}
	}
	before := model
	status := statusOf(w, now, session, expired)
	if known && isExpiring(r.api, updated, w, status, session, now) {
		status = statusExpiring
	}
	at := cmp.Or(now, estimateTime(r.api))
	h := model.history(private)
	if session == nil {
		h = h.gone(at)
	} else {
		h = h.seen(updated.expected(*session), at, expired)
	}
	if before.awaitsWindow() && status == statusEnded && !h.in(w) {
		resp.Diagnostics.Append(diagnostics.WindowMissed(model.EndsAt.ValueString()))
	}
	model.record(session, status, h, r.api.Endpoint())
	if session != nil {
		resp.Diagnostics.Append(diagnostics.SessionWarnings(*session)...)
		updated = updated.withSession(*session, r.api)
		if importing {
			model.recordImported(*session)
		}
		if r.owners.heldByAnother(session.ID, updated.Owner) {
			resp.Diagnostics.Append(diagnostics.ReadingReservation.HeldTwice(session.ID))
		}
	}
	model.QoSProfile, updated.RequestedProfile = profileToRecord(model.QoSProfile, private.RequestedProfile, session, status)
	if importing || !model.recordUnchanged(before) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
	if updated != private {
		resp.Diagnostics.Append(updated.save(ctx, resp.Private)...)
	}
}

// Update reconciles the reservation with its window, if planReservation has planned an update that
// acts on the network. Otherwise it sends nothing, even if the window has opened meanwhile.
func (r *reservationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	plan, token, diags := loadPlan[reservationModel](ctx, req.Plan, req.Config)
	resp.Diagnostics.Append(diags...)
	prior, private, diags := loadState[reservationModel](ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(keepIdentity(ctx, resp.Identity, prior.ID)...)
	if resp.Diagnostics.HasError() {
		return
	}
	// This holds even if the session must have expired: the next one would be bought here.
	resp.Diagnostics.Append(checkEndpoint(diagnostics.UpdatingReservation, r.api, private.endpoint(plan.Endpoint), prior.SessionID.ValueString())...)
	if resp.Diagnostics.HasError() {
		return
	}
	adopted := private
	adopted.Imported = false
	if !plan.actsOnNetwork() {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(adopted.save(ctx, resp.Private)...)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	history := prior.history(private)
	session, private, diags := currentSession(ctx, r.api, diagnostics.UpdatingReservation, prior, private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	work := reconciler{
		api: r.api, Operation: diagnostics.UpdatingReservation, plan: plan, token: token, private: private,
		session: session, history: history, priorEnd: prior.EndsAt,
		firstApplyAfterImport: prior.EndsAt.IsNull(), shortens: plan.shortens(prior),
	}
	work.save = func(windowApplied bool) (diags diag.Diagnostics) {
		// Until the window has been applied, the state keeps the prior one, so that the next plan
		// is the same.
		state, private := prior, work.private
		if windowApplied {
			state, private.Imported = plan, false
		}
		recorded := work.recorded(state)
		if plan.onlyExtends() {
			recorded.keepPlanned(plan)
		}
		diags.Append(resp.State.Set(ctx, recorded)...)
		diags.Append(private.save(ctx, resp.Private)...)
		return diags
	}
	resp.Diagnostics.Append(work.run(ctx)...)
}

// Delete deletes the session. If there is none, it sends nothing.
func (r *reservationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	model, private, diags := loadState[reservationModel](ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if model.SessionID.IsNull() { // nothing is sent, so the endpoint does not matter
		resp.Diagnostics.Append(deleteLost(ctx, r.api, model, private)...)
		return
	}
	resp.Diagnostics.Append(checkSessionEndpoint(diagnostics.DeletingReservation, r.api, private, model.Endpoint, model.SessionID, model.ExpiresAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(deleteSession(ctx, r.api, diagnostics.DeletingReservation, model.ref(private), private)...)
}

// ImportState imports a session, whose id becomes the id of the reservation. The update that
// follows takes the window from the configuration, and creates no session.
func (r *reservationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer diagnostics.Catch(&resp.Diagnostics)
	id := importState(ctx, r.api, req, resp)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("session_id"), id)...)
	}
}
