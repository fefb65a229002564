package provider

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reserve has a session made, has it recorded before anything else can fail, and waits for it where
// that is wanted. The session comes back as it was last known, perhaps with an error, of which
// operation.createFailed tells; without an id there is none, or none any more.
func createSession(ctx context.Context, api qod.Sessions, spec qod.Spec, waits bool, record func(qod.Session) bool) (qod.Session, error) {
	made, err := api.Create(ctx, spec)
	if made.ID == "" || !record(made) || err != nil {
		return made, err
	}
	switch {
	case made.Status == qod.StatusUnavailable:
		return made, &qod.WaitError{Reason: qod.WaitUnavailable, Last: made}
	case waits && made.Status != qod.StatusAvailable:
		return awaitSession(ctx, api, qod.Ref{ID: made.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}, made)
	}
	return made, nil
}

// await waits for a session of which last was known. Without an id it is gone.
func awaitSession(ctx context.Context, api qod.Sessions, ref qod.Ref, last qod.Session) (qod.Session, error) {
	s, err := api.Await(ctx, ref)
	if wait, ok := asError[*qod.WaitError](err); ok && wait.Reason == qod.WaitGone {
		return qod.Session{}, err
	}
	return completed(s, last), err
}

// completed is the session as it was seen, with what it does not show as it was known before: an
// answer may leave out anything, and some networks tell what they granted only once.
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

// release deletes a session. One that is gone already is released.
func deleteSession(ctx context.Context, api qod.Sessions, op diagnostics.Operation, ref qod.Ref, private sessionPrivate) diag.Diagnostics {
	err := api.Delete(ctx, ref)
	switch {
	case err == nil:
		return nil
	case !qod.IsGone(err):
		return diag.Diagnostics{op.DeleteFailed(ref.ID, err)}
	}
	return sessionGone(ctx, op, api, ref, private, err)
}
