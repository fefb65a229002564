package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// currentSession is the session of a reservation, nil for none, and the private state that follows.
// A session that was lost before its end, and is there again, is taken back.
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
		return nil, private, diag.Diagnostics{op.ReadFailed(ref.ID, private.otherOrigin(api), err)}
	}
	diags := sessionGone(ctx, op, api, ref, private, err)
	if diags.HasError() {
		return nil, private, diags
	}
	return nil, private.withoutSession(ref, err), diags
}

// lostRef names the session that a reservation lost, if it was created at the provider's origin.
func (m reservationModel) lostRef(lost lostSession, api qod.Sessions) (ref qod.Ref, ok bool) {
	ref = m.ref(sessionPrivate{MadeAt: lost.MadeAt})
	ref.ID, ref.ExpiresAt = lost.ID, lost.ExpiresAt
	return ref, lost.ID != "" && lost.Origin == api.Origin()
}

// readLost looks for the session that a reservation lost, as long as that may be alive.
func readLost(ctx context.Context, api qod.Sessions, model reservationModel, private sessionPrivate) (*qod.Session, sessionPrivate) {
	lost := private.Lost
	ref, ok := model.lostRef(lost, api)
	if !ok || !lost.mayBeAlive(estimateNow(api)) {
		return nil, private
	}
	found, err := api.Read(ctx, ref)
	if err != nil {
		return nil, private
	}
	return &found, sessionPrivate{
		Imported: private.Imported, RequestedProfile: private.RequestedProfile, Owner: private.Owner,
		Origin: lost.Origin, MadeAt: lost.MadeAt, RequestedUntil: lost.RequestedUntil,
	}
}

// deleteLost deletes the session that a reservation lost. That was proven gone, so no answer about
// it blocks a destroy, and once it can no longer be alive there is nothing to warn of. A read has
// dropped it by then, so this is only reached by a destroy without a read, and the local clock will
// do.
func deleteLost(ctx context.Context, api qod.Sessions, model reservationModel, private sessionPrivate) diag.Diagnostics {
	ref, ok := model.lostRef(private.Lost, api)
	if !ok {
		return nil
	}
	err := api.Delete(ctx, ref)
	if err == nil || !private.Lost.mayBeAlive(time.Now()) {
		return nil
	}
	if gone, ok := errors.AsType[*qod.GoneError](err); ok {
		return diag.Diagnostics{diagnostics.DeletingReservation.GoneEarly(ref, gone)}
	}
	return diag.Diagnostics{diagnostics.LostNotDeleted(ref, err)}
}

// timeAndExpiry is the API's time, and whether a session (nil for none) has expired by it.
func (r *reservationResource) timeAndExpiry(ctx context.Context, w window, session *qod.Session, madeAt time.Time) (now time.Time, expired bool, err error) {
	now, err = r.api.Now(ctx)
	if err == nil && session != nil {
		expired, err = w.sessionExpired(*session, madeAt, now, time.Now())
	}
	return now, expired, err
}

// profileToRecord is the profile for the state, and the requested one for the private state if that
// differs. If the network changes the profile of a session in use, that is drift, which replaces
// the reservation. The profile of a session that is not in use does not matter.
func profileToRecord(state types.String, requested string, session *qod.Session, status reservationStatus) (types.String, string) {
	if requested == "" {
		requested = state.ValueString()
	}
	inUse := status == statusRequested || status == statusAvailable || status == statusExpiring
	switch {
	case session != nil && session.QoSProfile != "" && requested == "":
		return types.StringValue(session.QoSProfile), ""
	case inUse && session.QoSProfile != "" && session.QoSProfile != requested:
		return types.StringValue(session.QoSProfile), requested
	}
	return stringOrNull(requested), ""
}
