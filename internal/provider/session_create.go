package provider

import (
	"cmp"
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// createSession creates a session, has it recorded before anything else can fail, and waits for it
// if wanted. It returns the session as last seen, perhaps with an error, which CreateFailed
// explains. Without an id there is no session, or none any more.
func createSession(ctx context.Context, api qod.Sessions, spec qod.Spec, waits bool, record func(qod.Session) bool) (qod.Session, error) {
	created, err := api.Create(ctx, spec)
	if created.ID == "" || !record(created) || err != nil {
		return created, err
	}
	switch {
	case created.Status == qod.StatusUnavailable:
		return created, &qod.WaitError{Reason: qod.WaitUnavailable, Last: created}
	case waits && created.Status != qod.StatusAvailable:
		return awaitSession(ctx, api, qod.Ref{ID: created.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}, created)
	}
	return created, nil
}

// awaitSession waits for a session, of which last was seen. Without an id it is gone.
func awaitSession(ctx context.Context, api qod.Sessions, ref qod.Ref, last qod.Session) (qod.Session, error) {
	s, err := api.Await(ctx, ref)
	if wait, ok := errors.AsType[*qod.WaitError](err); ok && wait.Reason == qod.WaitGone {
		return qod.Session{}, err
	}
	return completed(s, last), err
}

// completed is the session as it was seen, completed by what was seen before: an answer may leave
// out anything, and some networks show what they granted only once.
func completed(seen, before qod.Session) qod.Session {
	if seen.Status == "" { // it was not seen at all
		return before
	}
	seen.QoSProfile = cmp.Or(seen.QoSProfile, before.QoSProfile)
	seen.Seconds = cmp.Or(seen.Seconds, before.Seconds)
	seen.StartedAt = cmp.Or(seen.StartedAt, before.StartedAt)
	seen.ExpiresAt = cmp.Or(seen.ExpiresAt, before.ExpiresAt)
	return seen
}

// deleteSession deletes a session. It is no error if the session has been deleted already.
func deleteSession(ctx context.Context, api qod.Sessions, op diagnostics.Operation, ref qod.Ref, private sessionPrivate) diag.Diagnostics {
	err := api.Delete(ctx, ref)
	switch {
	case err == nil:
		return nil
	case !qod.IsGone(err):
		return diag.Diagnostics{op.DeleteFailed(ref.ID, private.otherOrigin(api), err)}
	}
	return sessionGone(ctx, op, api, ref, private, err)
}
