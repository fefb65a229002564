package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// otherOrigin is where the session was created or last seen, if that is another origin than the
// provider's; otherwise empty.
func (p sessionPrivate) otherOrigin(api qod.Sessions) string {
	if p.Origin == api.Origin() {
		return ""
	}
	return p.Origin
}

// sessionGone says what it means that err proves a session gone at the provider's endpoint. It is
// an error if the session was created at another origin, where it may still be live and billed. It
// is a warning that names the session if that has not reached its end. And it is nothing if the
// session has, or if this run has deleted it.
func sessionGone(ctx context.Context, op diagnostics.Operation, api qod.Sessions, ref qod.Ref, private sessionPrivate, err error) diag.Diagnostics {
	gone, _ := errors.AsType[*qod.GoneError](err)
	if gone.Proof == qod.ProofExpired || gone.Proof == qod.ProofDeleted {
		return nil
	}
	switch {
	case private.otherOrigin(api) != "" && private.mayBeAlive(ref.ExpiresAt, timeOrZero(ctx, api)):
		return diag.Diagnostics{op.MadeElsewhere(ref.ID, private.Origin, api.Origin(), err)}
	case !private.mayBeAlive(ref.ExpiresAt, estimateNow(api)):
		return nil
	case qod.IsClientUnknown(api.Origin()):
		return diag.Diagnostics{op.GoneForUnknownClient(ref.ID, api.Origin())}
	}
	return diag.Diagnostics{op.GoneEarly(ref, gone)}
}
