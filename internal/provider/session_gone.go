package provider

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// sessionGone says what it means for a session's record that err proves it gone at the provider's
// endpoint: an error where that is not where the session was made, since it may be live and billed
// there; a warning where it has not reached its end, which names it; nothing where it has, or where
// this run has deleted it.
func sessionGone(ctx context.Context, op diagnostics.Operation, api qod.Sessions, ref qod.Ref, private sessionPrivate, err error) diag.Diagnostics {
	gone, _ := asError[*qod.GoneError](err)
	if gone.Proof == qod.ProofExpired || gone.Proof == qod.ProofDeleted {
		return nil
	}
	elsewhere := private.Origin != "" && private.Origin != api.Origin()
	switch {
	case elsewhere && private.mayBeAlive(ref.ExpiresAt, timeOrZero(ctx, api)):
		return diag.Diagnostics{op.MadeElsewhere(ref.ID, private.Origin, api.Origin(), err)}
	case !private.mayBeAlive(ref.ExpiresAt, api.EstimateNow()):
		return nil
	case strings.HasSuffix(api.Origin(), " as token"):
		return diag.Diagnostics{op.GoneForToken(ref.ID, api.Origin())}
	}
	return diag.Diagnostics{op.GoneEarly(ref, gone)}
}

// timeOrZero is the API's time; zero where it is not known.
func timeOrZero(ctx context.Context, api qod.Sessions) time.Time {
	now, err := api.Now(ctx)
	if err != nil {
		return time.Time{}
	}
	return now
}
