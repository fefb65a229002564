package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reconciler brings a reservation to the state that its window asks for now. Create and Update do
// nothing else. What became of a session is saved before the next step.
type reconciler struct {
	diagnostics.Operation
	api      qod.Sessions
	plan     reservationModel
	token    types.String
	session  *qod.Session // as last seen; nil for none
	private  sessionPrivate
	history  sessionHistory
	priorEnd validators.InstantValue // ends_at before this apply

	// After an import, the first apply takes the window from the configuration. It creates no
	// session, and deletes none whose window has not ended.
	firstApplyAfterImport bool

	// shortens says that the window only ends earlier: see reservationModel.shortens.
	shortens bool

	// save records session and private state. The state may have the planned window once
	// windowApplied is true.
	save func(windowApplied bool) diag.Diagnostics

	now      time.Time // the server's, when this step began
	expired  bool      // the session is past its end, although the API shows it
	deleted  bool      // this run deleted a session that the window does not ask for
	created  bool      // this run created the session
	extended bool      // this run has it last longer
}

func (r *reconciler) run(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := r.readClock(ctx); err != nil {
		diags.Append(r.ClockUnknown(err))
		return diags
	}
	if r.session != nil {
		w, _ := r.plan.window()
		var err error
		if r.expired, err = w.sessionExpired(*r.session, r.private.MadeAt, r.now, time.Now()); err != nil {
			diags.Append(r.TimeUnknown(r.session.ID, err))
			return diags
		}
	}
	status := r.status()
	if r.plan.onlyExtends() && status != statusAvailable {
		diags.Append(r.save(false)...)
		diags.Append(r.changedSincePlan())
		return diags
	}
	r.keepIfOutOfReach()
	cannotServe := status == statusUnavailable || (status == statusDue && r.session != nil) || r.extends(status)
	mayCreate := !r.firstApplyAfterImport && !r.shortens
	if status == statusOverdue || (cannotServe && mayCreate) {
		diags.Append(deleteSession(ctx, r.api, r.Operation, r.ref(), r.private)...)
		if diags.HasError() {
			return diags
		}
		r.deleted = true
		_ = r.readClock(ctx) // on failure, the earlier reading stands
		r.clearSession()
		if diags.Append(r.save(false)...); diags.HasError() {
			return diags
		}
		status = r.status()
	}
	switch {
	case status == statusDue && mayCreate:
		diags.Append(r.create(ctx)...)
	case status == statusRequested && r.plan.waits():
		diags.Append(r.await(ctx)...)
	default:
		diags.Append(r.save(true)...)
	}
	if !diags.HasError() {
		diags.Append(r.extend(ctx)...)
	}
	if !diags.HasError() && r.plan.onlyExtends() && r.status() != statusAvailable {
		diags.Append(r.changedSincePlan())
	}
	diags.Append(r.warnings(diags.HasError())...)
	return diags
}

// changedSincePlan says that the session which the plan extends cannot be extended any more. A plan
// that extends one was not for another one, so none is requested for it.
func (r *reconciler) changedSincePlan() diag.Diagnostic {
	return r.NotExtended(r.plan.SessionID.ValueString(), string(r.status()))
}

// extends reports whether the live session is to be replaced because the window was moved beyond
// it.
func (r *reconciler) extends(status reservationStatus) bool {
	w, _ := r.plan.window()
	live := status == statusRequested || status == statusAvailable
	return live && !r.api.Limits().CanExtend && r.plan.ReplaceToExtend.ValueBool() && w.outgrows(*r.session, r.private.settledEnd())
}

// keepIfOutOfReach records that no session lasts until the end of the window, so that the live one
// is not replaced for it: there would be a gap all the same, and an interruption now. One that can
// be extended is not replaced anyway.
func (r *reconciler) keepIfOutOfReach() {
	w, _ := r.plan.window()
	if longest := r.longest(); r.session != nil && !r.api.Limits().CanExtend && longest > 0 && w.ends.Sub(r.now) > longest {
		r.private.OutOfReach = w.ends
	}
}

// longest is how long a session of the requested profile lasts at most; zero if there is no limit.
func (r *reconciler) longest() time.Duration {
	return time.Duration(r.api.Limits().MaxSeconds(r.plan.QoSProfile.ValueString())) * time.Second
}

// readClock reads the API's time, which decides every step. It never goes back: another node of the
// API may be a little behind the one that said that the window is open.
func (r *reconciler) readClock(ctx context.Context) error {
	now, err := r.api.Now(ctx)
	if err == nil && now.After(r.now) {
		r.now = now
	}
	return err
}

// create asks for a session for what remains of the window, which is worked out before every POST.
func (r *reconciler) create(ctx context.Context) (diags diag.Diagnostics) {
	spec := r.plan.toSpec(r.token)
	session, err := createSession(ctx, r.api, spec, r.plan.waits(), func(created qod.Session) bool {
		r.created = true
		r.setSession(created)
		r.private.RequestedUntil = spec.Until
		diags.Append(r.save(true)...)
		return !diags.HasError()
	})
	if lost := r.lostIn(ctx, err); lost != nil {
		until := r.private.Lost.RequestedUntil
		r.setSession(*lost)
		r.private.RequestedUntil = until
		if diags.Append(r.save(true)...); diags.HasError() || lost.Status != qod.StatusRequested || !r.plan.waits() {
			return diags
		}
		return r.await(ctx)
	}
	switch _, mayExist := errors.AsType[*qod.UnresolvedError](err); {
	case diags.HasError():
		return diags
	case session.ID == "" && errors.Is(err, qod.ErrWindowClosed) && !mayExist:
		r.clearSession()
		// The window has ended meanwhile, which is no failure.
		r.now = spec.Until // so that status() is ENDED
		return r.save(true)
	}
	diags.Append(r.recordResult(ctx, session, err)...)
	if !diags.HasError() && session.QoSProfile != "" && session.QoSProfile != spec.QoSProfile {
		diags.Append(r.OtherProfile(session, spec.QoSProfile))
	}
	return diags
}

// await resumes the wait for a session that is only requested.
func (r *reconciler) await(ctx context.Context) diag.Diagnostics {
	session, err := awaitSession(ctx, r.api, r.ref(), *r.session)
	return r.recordResult(ctx, session, err)
}

// recordResult saves the result of a create or a wait. A session without an id is gone.
func (r *reconciler) recordResult(ctx context.Context, s qod.Session, err error) (diags diag.Diagnostics) {
	_ = r.readClock(ctx) // on failure, the earlier reading stands
	if s.ID == "" {
		if r.session != nil {
			r.private = r.private.withoutSession(r.ref(), err)
		}
		r.clearSession()
	} else {
		r.setSession(s)
	}
	diags.Append(diagnostics.SessionWarnings(s)...)
	// A session that ended with its window during the wait is no failure.
	_, waited := errors.AsType[*qod.WaitError](err)
	ended := waited && r.session == nil && r.status() == statusEnded
	// If the imported session has gone, its window has been applied all the same.
	diags.Append(r.save(r.session != nil || r.firstApplyAfterImport || ended)...)
	if err != nil && !ended {
		failed := r.Operation
		if r.status() == statusOverdue {
			failed = failed.AfterWindow()
		}
		diags.Append(failed.CreateFailed(err))
	}
	return diags
}

// setSession makes a session the reservation's. Its origin is recorded with it, so that a
// reservation without a session can move between endpoints.
func (r *reconciler) setSession(s qod.Session) {
	if r.session == nil || r.session.ID != s.ID {
		r.clearSession()
	}
	r.session, r.private = &s, r.private.withSession(s, r.api)
}

func (r *reconciler) clearSession() {
	r.session, r.expired = nil, false
	r.private = sessionPrivate{Imported: r.private.Imported, Lost: r.private.Lost, Owner: r.private.Owner}
}

// lostIn is the session that the reservation lost, if err is a conflict that shows it as the one
// that holds the device or, where no list can show it, a conflict while it can be read again. No
// other session is ever taken over.
func (r *reconciler) lostIn(ctx context.Context, err error) *qod.Session {
	conflict, ok := errors.AsType[*qod.ConflictError](err)
	if !ok || r.private.Lost.ID == "" || r.private.Lost.Origin != r.api.Origin() {
		return nil
	}
	for _, s := range conflict.Visible {
		if s.ID == r.private.Lost.ID {
			return &s
		}
	}
	if ref, ok := r.plan.lostRef(r.private.Lost, r.api); ok && errors.Is(conflict.ListErr, qod.ErrNoList) {
		if s, err := r.api.Read(ctx, ref); err == nil {
			return &s
		}
	}
	return nil
}

func (r *reconciler) ref() qod.Ref {
	return qod.Ref{
		ID: r.session.ID, Device: toDevice(r.plan.Device), QoSProfile: r.plan.QoSProfile.ValueString(),
		MadeAt: r.private.MadeAt, ExpiresAt: r.session.ExpiresAt,
	}
}

// status is that of the reservation in its planned window.
func (r *reconciler) status() reservationStatus {
	w, _ := r.plan.window()
	return statusOf(w, r.now, r.session, r.expired)
}

// recorded is the model with what is known of the session and of those before it.
func (r *reconciler) recorded(model reservationModel) reservationModel {
	if r.session == nil {
		r.history = r.history.gone(r.now)
	} else {
		r.history = r.history.seen(r.private.expected(*r.session), r.now, r.expired)
	}
	status := r.status()
	if w, _ := model.window(); isExpiring(r.api, r.private, w, status, r.session, r.now) {
		status = statusExpiring
	}
	model.record(r.session, status, r.history, r.api.Endpoint())
	return model
}
