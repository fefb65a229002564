package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// enactment brings a reservation to where its window wants it to be now: Create and Update do nothing
// else. What became of the session is saved before the next step is taken.
type enactment struct {
	endeavour
	api       qod.Sessions
	plan      reservationModel
	token     types.String
	session   *qod.Session // as last seen; nil for none
	memory    sessionMemory
	adopting  bool         // the window, after an import, which must buy nothing
	formerEnd types.String // of the window, which a session from before was asked for

	// save records session and memory; done when nothing is left to be done for the window.
	save func(done bool) diag.Diagnostics

	now      time.Time // the server's, when this step began
	over     bool      // the session is past its own end, although the API shows it
	released bool      // a session that was not what the window wants
	reserved bool      // the session, by this very call
}

func (e *enactment) run(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := e.look(ctx); err != nil {
		diags.Append(e.clockUnknown(err))
		return diags
	}
	if e.session != nil {
		w, _ := e.plan.window()
		var err error
		if e.over, err = w.sessionOver(*e.session, e.memory.MadeAt, e.now, time.Now()); err != nil {
			diags.Append(e.timeUnknown(e.session.ID, err))
			return diags
		}
	}
	status := e.status()
	dead := status == statusUnavailable || (status == statusDue && e.session != nil)
	if status == statusOverdue || (dead && !e.adopting) {
		diags.Append(release(ctx, e.api, e.endeavour, e.ref(), e.memory)...)
		if diags.HasError() {
			return diags
		}
		e.released = true
		e.forget()
		_ = e.look(ctx)
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
	diags.Append(e.remarks(diags.HasError())...)
	return diags
}

// look sees what time it is at the API, which every step goes by from beginning to end. It never goes
// back: a second node of the API may be a little behind the one that said that the window is open.
func (e *enactment) look(ctx context.Context) error {
	now, err := e.api.Now(ctx)
	if err == nil && now.After(e.now) {
		e.now = now
	}
	return err
}

// reserve asks for a session for what remains of the window, which is worked out before every POST.
func (e *enactment) reserve(ctx context.Context) (diags diag.Diagnostics) {
	spec := e.plan.toSpec(e.token)
	w, _ := e.plan.window()
	spec.Until = w.ends
	granted, err := reserve(ctx, e.api, spec, e.plan.waits(), func(made qod.Session) bool {
		e.reserved = true
		e.hold(made)
		diags.Append(e.save(true)...)
		return !diags.HasError()
	})
	if back := e.takenBack(err); back != nil {
		e.hold(*back)
		if diags.Append(e.save(true)...); diags.HasError() || back.Status != qod.StatusRequested || !e.plan.waits() {
			return diags
		}
		return e.await(ctx)
	}
	switch _, mayExist := asError[*qod.UnresolvedError](err); {
	case diags.HasError():
		return diags
	case granted.ID == "" && errors.Is(err, qod.ErrWindowClosed) && !mayExist:
		e.forget()
		e.now = w.ends
		return e.save(true) // it is over, which is no failure
	}
	diags.Append(e.came(ctx, granted, err)...)
	if !diags.HasError() && granted.QoSProfile != "" && granted.QoSProfile != spec.QoSProfile {
		diags.Append(e.otherProfile(granted, spec.QoSProfile))
	}
	return diags
}

// await resumes the wait for a session that is only requested.
func (e *enactment) await(ctx context.Context) diag.Diagnostics {
	seen, err := await(ctx, e.api, e.ref(), *e.session)
	return e.came(ctx, seen, err)
}

// came takes in and saves what came of reserving or waiting.
func (e *enactment) came(ctx context.Context, s qod.Session, err error) (diags diag.Diagnostics) {
	if s.ID == "" {
		if e.session != nil {
			e.memory = e.memory.withoutSession(e.ref(), err)
		}
		e.forget()
	} else {
		e.hold(s)
	}
	diags.Append(sessionWarnings(s)...)
	_ = e.look(ctx)
	// A session that went with its window, while it was waited for, is no failure.
	_, waited := asError[*qod.WaitError](err)
	over := waited && e.session == nil && e.status() == statusEnded
	// Nor has an adoption anything more to do for a session that is gone.
	diags.Append(e.save(e.session != nil || e.adopting || over)...)
	if err != nil && !over {
		failed := e.endeavour
		failed.over = e.status() == statusOverdue
		diags.Append(failed.reserveFailed(err))
	}
	return diags
}

// hold makes a session the reservation's. Where it lives is remembered with it, so that a reservation
// without one can move between endpoints.
func (e *enactment) hold(s qod.Session) {
	if e.session == nil || e.session.ID != s.ID {
		e.forget()
	}
	e.session, e.memory = &s, e.memory.remember(s, e.api)
}

func (e *enactment) forget() {
	e.session, e.over, e.memory = nil, false, sessionMemory{Imported: e.memory.Imported, Lost: e.memory.Lost, Owner: e.memory.Owner}
}

// takenBack is the session that the reservation lost sight of, where err is a conflict that shows it to
// be what holds the device. No other is ever taken over.
func (e *enactment) takenBack(err error) *qod.Session {
	conflict, ok := asError[*qod.ConflictError](err)
	if !ok || e.memory.Lost.ID == "" || e.memory.Lost.Origin != e.api.Origin() {
		return nil
	}
	for _, s := range conflict.Visible {
		if s.ID == e.memory.Lost.ID {
			return &s
		}
	}
	return nil
}

func (e *enactment) ref() qod.Ref {
	return qod.Ref{
		ID: e.session.ID, Device: toDevice(e.plan.Device), QoSProfile: e.plan.QoSProfile.ValueString(),
		MadeAt: e.memory.MadeAt, ExpiresAt: e.session.ExpiresAt,
	}
}

// status is where the reservation stands in the window that is wanted.
func (e *enactment) status() reservationStatus {
	w, _ := e.plan.window()
	return statusOf(w, e.now, e.session, e.over)
}

// recordedIn is the model with what is known of the session.
func (e *enactment) recordedIn(model reservationModel) reservationModel {
	model.record(e.session, e.status(), e.api.Endpoint())
	return model
}
