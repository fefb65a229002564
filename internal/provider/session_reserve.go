package provider

import (
	"cmp"
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reserve has a session made, has it recorded before anything else can fail, and waits for it where
// that is wanted. The session comes back as it was last known, perhaps with an error, of which
// endeavour.reserveFailed tells; without an id there is none, or none any more.
func reserve(ctx context.Context, api qod.Sessions, spec qod.Spec, waits bool, record func(qod.Session) bool) (qod.Session, error) {
	made, err := api.Reserve(ctx, spec)
	if made.ID == "" || !record(made) || err != nil {
		return made, err
	}
	switch {
	case made.Status == qod.StatusUnavailable:
		return made, &qod.WaitError{Reason: qod.WaitRefused, Last: made}
	case waits && made.Status != qod.StatusAvailable:
		return await(ctx, api, qod.Ref{ID: made.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}, made)
	}
	return made, nil
}

// await waits for a session of which last was known. Without an id it is gone.
func await(ctx context.Context, api qod.Sessions, ref qod.Ref, last qod.Session) (qod.Session, error) {
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
func release(ctx context.Context, api qod.Sessions, e endeavour, ref qod.Ref, memory sessionMemory) diag.Diagnostics {
	err := api.Release(ctx, ref)
	switch {
	case err == nil:
		return nil
	case !qod.IsGone(err):
		return diag.Diagnostics{e.releaseFailed(ref.ID, err)}
	}
	return e.sessionGone(ctx, api, ref, memory, err)
}

// checkSessionID refuses what no session can be imported by, before any URL is made of it. Networks
// spell ids as they like, in upper case for one: the id that an error or a list shows has to do.
func checkSessionID(id string) diag.Diagnostics {
	if qod.ValidSessionID(id) {
		return nil
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic("Invalid Import ID", fmt.Sprintf(
		"A session is imported by its id as the network spells it, such as 3fa85f64-5717-4562-b3fc-2c963f66afa6. Given: %q. "+
			"The data source qod_sessions lists the ids of live sessions.", cut(id)))}
}
