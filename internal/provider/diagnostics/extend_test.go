// What people read about the extension of a session.

package diagnostics

import (
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var extendFailures = map[string]failure{
	"extend/refused in this state": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingSession.ExtendFailed(lostID, &qod.Error{
			Operation: qod.OperationExtend, Status: http.StatusConflict, SessionID: lostID, Correlator: correlator,
			Code: "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED", Message: "Extending the session is not allowed in the current state.",
		}))
	}},
	"extend/no scope": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.ExtendFailed(lostID, &qod.Error{
			Operation: qod.OperationExtend, Status: http.StatusForbidden, SessionID: lostID, Correlator: correlator, Scope: "quality-on-demand:sessions:update",
			Code: "PERMISSION_DENIED", Message: "Client does not have sufficient permissions to perform this action.",
		}))
	}},
	"extend/403, a token for one device": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.ExtendFailed(lostID, &qod.Error{
			Operation: qod.OperationExtend, Status: http.StatusForbidden, SessionID: lostID, Correlator: correlator, Scope: "dpv:RequestedServiceProvision", PerDevice: true,
			Code: "PERMISSION_DENIED", Message: "Client does not have sufficient permissions to perform this action.",
		}))
	}},
	"extend/404, a token for one device": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.ExtendFailed(lostID, &qod.Error{
			Operation: qod.OperationExtend, Status: http.StatusNotFound, SessionID: lostID, Correlator: correlator, PerDevice: true,
			Code: "NOT_FOUND", Message: "The specified resource is not found.",
		}))
	}},
	"extend/not confirmed": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingSession.ExtendFailed(lostID, &qod.InterruptedError{Operation: qod.OperationExtend, Sent: true, Timeout: true}))
	}},
	"extend/no end": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingSession.ExtendFailed(lostID, &qod.Error{Operation: qod.OperationExtend, SessionID: lostID, Err: qod.ErrNoEnd}))
	}},
	"extend/gone": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.ExtendFailed(lostID, &qod.GoneError{ID: lostID, Err: &qod.Error{Operation: qod.OperationRead, Status: http.StatusNotFound}}))
	}},
	"extend/changed since the plan": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.NotExtended(lostID, "DUE"))
	}},
	"extend/still requested": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingSession.ExtendFailed(lostID, &qod.InterruptedError{Operation: qod.OperationExtend, Timeout: true, Err: qod.ErrStillRequested}))
	}},
	"extend/not offered": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingSession.ExtendFailed(lostID, &qod.Error{
			Operation: qod.OperationExtend, Status: http.StatusNotFound, SessionID: lostID, Correlator: correlator,
			Code: "NOT_FOUND", Message: "The specified resource is not found.",
		}))
	}},
	"extend/failed, and it ends early": {make: func(*bubble) diag.Diagnostics {
		return one(ExtensionFailed("until "+matchStarts, matchEnds, lostID))
	}},
	"extend/less": {make: func(*bubble) diag.Diagnostics {
		return one(ExtendedLess(qod.Session{ID: lostID, QoSProfile: "live-uplink", ExpiresAt: atKickOff}, atKickOff.Add(time.Hour)))
	}},
	"extend/more": {make: func(*bubble) diag.Diagnostics {
		return one(ExtendedMore(qod.Session{ID: lostID, ExpiresAt: atKickOff.Add(time.Hour)}, atKickOff))
	}},
	"extend/again later": {make: func(*bubble) diag.Diagnostics {
		return one(ExtensionPending("until "+matchStarts, matchEnds, lostID, atKickOff.Add(-time.Hour)))
	}},
	"extend/no more": {make: func(*bubble) diag.Diagnostics {
		return one(ExtensionPending("until "+matchStarts, matchEnds, lostID, time.Time{}))
	}},
}
