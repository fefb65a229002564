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

// reconciler brings a reservation to where its window wants it to be now: Create and Update do nothing
// else. What became of the session is saved before the next step is taken.
type reconciler struct {
	diagnostics.Operation
	api       qod.Sessions
	plan      reservationModel
	token     types.String
	session   *qod.Session // as last seen; nil for none
	private   sessionPrivate
	adopting  bool         // the window, after an import, which must buy nothing
	formerEnd types.String // of the window, which a session from before was asked for

	// save records session and private state; done when nothing is left to be done for the window.
	save func(done bool) diag.Diagnostics

	now      time.Time // the server's, when this step began
	over     bool      // the session is past its own end, although the API shows it
	released bool      // a session that was not what the window wants
	reserved bool      // the session, by this very call
}

func (e *reconciler) run(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := e.readClock(ctx); err != nil {
		diags.Append(e.ClockUnknown(err))
		return diags
	}
	if e.session != nil {
		w, _ := e.plan.window()
		var err error
		if e.over, err = w.sessionExpired(*e.session, e.private.MadeAt, e.now, time.Now()); err != nil {
			diags.Append(e.TimeUnknown(e.session.ID, err))
			return diags
		}
	}
	status := e.status()
	dead := status == statusUnavailable || (status == statusDue && e.session != nil)
	if status == statusOverdue || (dead && !e.adopting) {
		diags.Append(deleteSession(ctx, e.api, e.Operation, e.ref(), e.private)...)
		if diags.HasError() {
			return diags
		}
		e.released = true
		e.clearSession()
		_ = e.readClock(ctx)
		if diags.Append(e.save(false)...); diags.HasError() {
			return diags
		}
		status = e.status()
	}
	switch {
	case status == statusDue && !e.adopting:
		diags.Append(e.reserve(ctx)...)
	case status == statusRequested && e.plan.waits():
		diags.Append(e.await(ctx)...)
	default:
		diags.Append(e.save(true)...)
	}
	diags.Append(e.warnings(diags.HasError())...)
	return diags
}

// readClock sees what time it is at the API, which every step goes by from beginning to end. It never goes
// back: a second node of the API may be a little behind the one that said that the window is open.
func (e *reconciler) readClock(ctx context.Context) error {
	now, err := e.api.Now(ctx)
	if err == nil && now.After(e.now) {
		e.now = now
	}
	return err
}

// reserve asks for a session for what remains of the window, which is worked out before every POST.
func (e *reconciler) reserve(ctx context.Context) (diags diag.Diagnostics) {
	spec := e.plan.toSpec(e.token)
	granted, err := createSession(ctx, e.api, spec, e.plan.waits(), func(made qod.Session) bool {
		e.reserved = true
		e.setSession(made)
		diags.Append(e.save(true)...)
		return !diags.HasError()
	})
	if back := e.lostIn(err); back != nil {
		e.setSession(*back)
		if diags.Append(e.save(true)...); diags.HasError() || back.Status != qod.StatusRequested || !e.plan.waits() {
			return diags
		}
		return e.await(ctx)
	}
	switch _, mayExist := asError[*qod.UnresolvedError](err); {
	case diags.HasError():
		return diags
	case granted.ID == "" && errors.Is(err, qod.ErrWindowClosed) && !mayExist:
		e.clearSession()
		e.now = spec.Until
		return e.save(true) // it is over, which is no failure
	}
	diags.Append(e.recordResult(ctx, granted, err)...)
	if !diags.HasError() && granted.QoSProfile != "" && granted.QoSProfile != spec.QoSProfile {
		diags.Append(e.OtherProfile(granted, spec.QoSProfile))
	}
	return diags
}

// await resumes the wait for a session that is only requested.
func (e *reconciler) await(ctx context.Context) diag.Diagnostics {
	seen, err := awaitSession(ctx, e.api, e.ref(), *e.session)
	return e.recordResult(ctx, seen, err)
}

// recordResult takes in and saves what recordResult of reserving or waiting.
func (e *reconciler) recordResult(ctx context.Context, s qod.Session, err error) (diags diag.Diagnostics) {
	if s.ID == "" {
		if e.session != nil {
			e.private = e.private.withoutSession(e.ref(), err)
		}
		e.clearSession()
	} else {
		e.setSession(s)
	}
	diags.Append(diagnostics.SessionWarnings(s)...)
	_ = e.readClock(ctx)
	// A session that went with its window, while it was waited for, is no failure.
	_, waited := asError[*qod.WaitError](err)
	over := waited && e.session == nil && e.status() == statusEnded
	// Nor has an adoption anything more to do for a session that is gone.
	diags.Append(e.save(e.session != nil || e.adopting || over)...)
	if err != nil && !over {
		failed := e.Operation
		if e.status() == statusOverdue {
			failed = failed.AfterWindow()
		}
		diags.Append(failed.CreateFailed(err))
	}
	return diags
}

// setSession makes a session the reservation's. Where it lives is remembered with it, so that a reservation
// without one can move between endpoints.
func (e *reconciler) setSession(s qod.Session) {
	if e.session == nil || e.session.ID != s.ID {
		e.clearSession()
	}
	e.session, e.private = &s, e.private.withSession(s, e.api)
}

func (e *reconciler) clearSession() {
	e.session, e.over, e.private = nil, false, sessionPrivate{Imported: e.private.Imported, Lost: e.private.Lost, Owner: e.private.Owner}
}

// lostIn is the session that the reservation lost sight of, where err is a conflict that shows it to
// be what holds the device. No other is ever taken over.
func (e *reconciler) lostIn(err error) *qod.Session {
	conflict, ok := asError[*qod.ConflictError](err)
	if !ok || e.private.Lost.ID == "" || e.private.Lost.Origin != e.api.Origin() {
		return nil
	}
	for _, s := range conflict.Visible {
		if s.ID == e.private.Lost.ID {
			return &s
		}
	}
	return nil
}

func (e *reconciler) ref() qod.Ref {
	return qod.Ref{
		ID: e.session.ID, Device: toDevice(e.plan.Device), QoSProfile: e.plan.QoSProfile.ValueString(),
		MadeAt: e.private.MadeAt, ExpiresAt: e.session.ExpiresAt,
	}
}

// status is where the reservation stands in the window that is wanted.
func (e *reconciler) status() reservationStatus {
	w, _ := e.plan.window()
	return statusOf(w, e.now, e.session, e.over)
}

// recordedIn is the model with what is known of the session.
func (e *reconciler) recordedIn(model reservationModel) reservationModel {
	model.record(e.session, e.status(), e.api.Endpoint())
	return model
}
