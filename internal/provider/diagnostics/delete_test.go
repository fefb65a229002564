// What people read about a session that cannot be deleted.

package diagnostics

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var deleteFailures = map[string]failure{
	"delete/planned elsewhere": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", lostID))
	}},
	"delete/planned in a sandbox": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.PlannedElsewhere("http://127.0.0.1:8080/v1", "https://gateway.example/v1", lostID))
	}},
	"delete/403": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(403, ""))
		return b.remove()
	}},
	"delete/403, a token for one device": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(403, ""))
		return b.remove()
	}},
	"delete/500": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(500, ""))
		return b.remove()
	}},
	"delete/interrupted": {make: func(b *bubble) diag.Diagnostics {
		b.interruptAfter(time.Second)
		b.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return b.remove()
	}},
	"delete/out of time": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, "", &qod.InterruptedError{Operation: qod.OperationDelete, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationDelete, SessionID: lostID, Status: 504}}))
	}},
	"delete/no answer in time": {make: func(b *bubble) diag.Diagnostics {
		b.limit(20 * time.Second)
		b.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return b.remove()
	}},
	"delete/404, and the list shows it": {make: func(b *bubble) diag.Diagnostics {
		b.limit(20 * time.Second)
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.fail(sandbox.OpDelete, -1, sandbox.Status(404, kong))
		return b.remove()
	}},
	"delete/404 of a gateway, and lists are not allowed": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(404, kong))
		b.fail(sandbox.OpList, -1, sandbox.Status(403, ""))
		return b.remove()
	}},
	"delete/busy for too long": {make: func(b *bubble) diag.Diagnostics {
		b.limit(20 * time.Second)
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.fail(sandbox.OpDelete, -1, sandbox.Status(409, `{"status":409,"code":"CONFLICT","message":"The session is being provisioned."}`))
		return b.remove()
	}},
	"delete/gone before its end": {make: goneBeforeItsEnd(DeletingSession, atKickOff.Add(time.Hour))},
	"delete/made elsewhere": {make: func(b *bubble) diag.Diagnostics {
		err := b.Delete(b.ctx, qod.Ref{ID: lostID})
		return one(DeletingSession.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", b.Origin(), err))
	}},
	"delete/not configured yet": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, "", &UnknownConfigurationError{[]string{"endpoint"}}))
	}},
	"delete/404 for a static token": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.GoneForUnknownClient(lostID, "https://gateway.example/v1 as token"))
	}},
}
