// What people read about a session that may exist.

package diagnostics

import (
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var lostAnswerFailures = map[string]failure{
	"lost/none found":               {make: answers(500, `{"status":500,"code":"INTERNAL","message":"Database unavailable"}`)},
	"lost/none found, 503 for days": {make: answers(503, "", "Retry-After", "Thu, 02 Mar 2028 21:15:00 GMT")},
	"lost/success without a session": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return b.create(wanted)
	}},
	"lost/redirected": {make: answers(302, "", "Location", "https://login.example/sso?state=hunter2")},
	"lost/candidates": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		b.Echo(func(info map[string]any) { noDevice(info); info["sessionId"] = lostID })
		return b.create(wanted)
	}},
	"lost/no way to look": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		b.Fail(sandbox.Fault{Operation: sandbox.OpList, Nth: 2, Times: -1, Effect: sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Maintenance"}`)})
		return b.create(wanted)
	}},
	"lost/interrupted": {make: func(b *bubble) diag.Diagnostics {
		b.interruptAt(sandbox.OpCreate, 1)
		b.fail(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
		return b.create(wanted)
	}},
	"lost/interrupted, candidates": {make: func(b *bubble) diag.Diagnostics {
		b.interruptAt(sandbox.OpCreate, 1)
		b.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		b.Echo(func(info map[string]any) { noDevice(info); info["sessionId"] = lostID })
		return b.create(wanted)
	}},
	"lost/conflict behind": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		b.Before(sandbox.OpCreate, func(n int, _ *http.Request) {
			if n == 2 {
				b.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
			}
		})
		return b.create(wanted)
	}},
	"lost/refused behind": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		b.fail(sandbox.OpCreate, -1, sandbox.Status(400, `{"code":"INVALID_ARGUMENT","message":"No such profile"}`))
		return b.create(wanted)
	}},
	"lost/out of time": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
			Err: &qod.InterruptedError{Operation: qod.OperationCreate, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationCreate, Status: 500}},
		}))
	}},
	"lost/conflict behind, visible": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		b.Before(sandbox.OpCreate, func(n int, _ *http.Request) {
			if n == 2 {
				b.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
			}
		})
		return b.create(wanted)
	}},
	"lost/no answer in time": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.fail(sandbox.OpCreate, -1, sandbox.HangBeforeCommit())
		return b.create(wanted)
	}},
	"lost/candidates, one without an id": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Candidates: []qod.Session{{QoSProfile: "QOS_L"}, {ID: secondID, QoSProfile: "QOS_L"}},
			Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
		}))
	}},
	"lost/made twice": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, KeptID: lostID, Candidates: []qod.Session{{ID: secondID, QoSProfile: "QOS_L", Status: qod.StatusRequested}},
			Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 502, Correlator: correlator},
		}))
	}},
	"lost/made once more, no way to look": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, KeptID: lostID, Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
			ListErr: &qod.Error{Operation: qod.OperationList, Status: 403, Scope: "qod:sessions:read", Correlator: secondID},
			Err:     &qod.Error{Operation: qod.OperationCreate, Status: 502, Correlator: correlator},
		}))
	}},
	"lost/no list": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600, ListErr: qod.ErrNoList,
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 503, Code: "SERVICE_UNAVAILABLE", Message: "Service unavailable", Correlator: correlator},
		}))
	}},
	"lost/no list, of a reservation": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600, ListErr: qod.ErrNoList,
			Err: &qod.Error{Operation: qod.OperationCreate, Err: io.ErrUnexpectedEOF, Correlator: correlator},
		}))
	}},
	"lost/at an unknown time": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Seconds: 3600,
			Err: &qod.Error{Operation: qod.OperationCreate, Err: io.ErrUnexpectedEOF, Correlator: correlator},
		}))
	}},
}
