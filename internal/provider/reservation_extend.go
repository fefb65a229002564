package provider

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Where the API can extend sessions, that of a reservation is extended in place, in two cases: its
// window was moved beyond what the session was requested for, or is longer than the API grants at a
// time. In the latter case nobody knows the API's limit: of a whole session, or of what remains of
// it. So it is asked again when half of the session has passed since it was last asked, until it
// once grants no more.

// isExtensionDue reports whether the session is to be extended until the end of the window now.
func (p sessionPrivate) isExtensionDue(w window, s qod.Session, now time.Time) bool {
	return w.outgrows(s, p.settledEnd()) || w.outlasts(s) && now.After(p.nextExtension(s))
}

// nextExtension is when the API is asked again to extend a session that ends before its window; the
// session's end if it is not.
func (p sessionPrivate) nextExtension(s qod.Session) time.Time {
	asked := latest(p.ExtendedAt, cmp.Or(s.StartedAt, p.MadeAt))
	if p.NoLonger || asked.IsZero() {
		return s.ExpiresAt
	}
	return asked.Add(s.ExpiresAt.Sub(asked) / 2)
}

// isExpiring reports whether a session that is AVAILABLE is to be extended.
func isExpiring(api qod.Sessions, p sessionPrivate, w window, status reservationStatus, s *qod.Session, now time.Time) bool {
	return api.Limits().CanExtend && status == statusAvailable && s != nil && p.isExtensionDue(w, *s, now)
}

// extend has the session last until the end of the window, or as long as the API grants.
func (r *reconciler) extend(ctx context.Context) (diags diag.Diagnostics) {
	w, _ := r.plan.window()
	if !isExpiring(r.api, r.private, w, r.status(), r.session, r.now) {
		return nil
	}
	before := *r.session
	moved := w.outgrows(before, r.private.settledEnd())
	s, err := r.api.Extend(ctx, r.ref(), w.ends)
	_ = r.readClock(ctx) // on failure, the earlier reading stands
	switch {
	case qod.IsGone(err):
		r.private = r.private.withoutSession(r.ref(), err)
		r.clearSession()
	case s.ID != "":
		r.setSession(completed(s, before))
	}
	switch {
	case err == nil:
		r.extended = true
		gained := r.session.ExpiresAt.Sub(before.ExpiresAt) > endTolerance
		r.private.RequestedUntil, r.private.ExtendedAt = w.ends, r.now
		r.private.NoLonger = !gained && !moved
	case errors.Is(err, qod.ErrNoEnd):
		r.private.OutOfReach, err = w.ends, nil // a warning says until when it lasts
	case qod.IsTooLong(err): // as if the API had granted nothing, and a warning says the same
		r.private.RequestedUntil, r.private.ExtendedAt, r.private.NoLonger, err = w.ends, r.now, true, nil
	}
	diags.Append(r.save(true)...)
	if err != nil {
		diags.Append(r.ExtendFailed(before.ID, err))
	}
	return diags
}

// extensionPending says what becomes of a session that ends before its window.
func (r *reconciler) extensionPending(until, endsAt string) diag.Diagnostic {
	if w, _ := r.plan.window(); isExpiring(r.api, r.private, w, r.status(), r.session, r.now) {
		return diagnostics.ExtensionFailed(until, endsAt, r.session.ID)
	}
	again := time.Time{}
	if next := r.private.nextExtension(*r.session); next.Before(r.session.ExpiresAt) {
		again = next
	}
	return diagnostics.ExtensionPending(until, endsAt, r.session.ID, again)
}
