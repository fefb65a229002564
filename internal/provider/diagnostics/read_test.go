// What people read about a session that cannot be read, or is not what it was.

package diagnostics

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var readFailures = map[string]failure{
	"read/404 html": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(404, webPage, "Content-Type", "text/html"))
		return b.read()
	}},
	"read/404, and no list": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, "", &qod.UnprovenError{
			ID: lostID, ListErr: qod.ErrNoList, Err: &qod.Error{Operation: qod.OperationRead, SessionID: lostID, Status: 404, Message: "no Route matched with those values", Correlator: correlator},
		}))
	}},
	"read/403": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(403, ""))
		return b.read()
	}},
	"read/403, a token for one device": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Not yours"}`))
		return b.read()
	}},
	"read/503": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Service unavailable."}`))
		return b.read()
	}},
	"read/503 for three hours": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(503, "", "Retry-After", "10800"))
		return b.read()
	}},
	"read/200 html": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return b.read()
	}},
	"read/another session": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.Echo(func(info map[string]any) { info["sessionId"] = secondID })
		return b.read()
	}},
	"read/302": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Redirect(302, "https://login.example/sso?state=hunter2"))
		return b.read()
	}},
	"read/cut off": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.DropBeforeCommit())
		return b.read()
	}},
	"read/with another API": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, "https://gateway.example/v1 as client match-day", &qod.TokenError{
			URL: "https://gateway.example/oauth/token", Grant: qod.ClientCredentials, Status: 400, Code: "invalid_scope",
		}))
	}},
	"read/out of time": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, "", &qod.InterruptedError{Operation: qod.OperationRead, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationRead, SessionID: lostID, Status: 500}}))
	}},
	"read/no answer in time": {make: func(b *bubble) diag.Diagnostics {
		b.limit(10 * time.Second)
		b.fail(sandbox.OpRead, -1, sandbox.HangBeforeCommit())
		return b.read()
	}},
	"read/no answer to any try": {client: func(c *qod.Config) { c.MaxRetries, c.RequestTimeout = 1, 5*time.Second }, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.HangBeforeCommit())
		return b.read()
	}},
	"read/interrupted": {make: func(b *bubble) diag.Diagnostics {
		b.interruptAfter(100 * time.Millisecond) // between two tries
		b.fail(sandbox.OpRead, -1, sandbox.Status(500, ""))
		return b.read()
	}},
	"read/not configured yet": {make: func(*bubble) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"endpoint"}}
		return one(ReadingSession.ReadFailed(lostID, "", err))
	}},
	"read/404 of a gateway, and the list fails": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(404, kong))
		b.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		return b.read()
	}},
	"read/404, and the list comes from a cache": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Header("Age", "120"))
		return b.read()
	}},
	"read/404, and the list is a part": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Header("X-Total-Count", "319"))
		return b.read()
	}},
	"read/404 without a reason, and lists are not allowed": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(404, ""))
		b.fail(sandbox.OpList, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Scope missing"}`))
		return b.read()
	}},
	"read/404 of a gateway, and there are no lists": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(404, kong))
		b.fail(sandbox.OpList, -1, sandbox.Status(405, ""))
		return b.read()
	}},
	"read/410 before the end": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(410, ""))
		b.fail(sandbox.OpList, -1, sandbox.Status(500, ""))
		return b.read()
	}},
	"read/gone before its end":        {make: goneBeforeItsEnd(ReadingSession, atKickOff.Add(time.Hour))},
	"read/gone, its end not known":    {make: goneBeforeItsEnd(ReadingSession, time.Time{})},
	"read/gone, and there is no list": {make: goneWithoutList(ReadingSession)},
	"read/past its end by a wrong clock": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(time.Minute),
		}))
	}},
	"read/past its end by a wrong clock, no start": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(6*time.Hour + time.Minute),
		}))
	}},
	"read/past its end, clocks disagree": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &qod.ClockError{Expected: atKickOff, Shown: atKickOff.Add(6 * time.Hour)}))
	}},
	"read/past its end, the clock stands still": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, qod.ErrClockStandsStill))
	}},
	"read/past its end, no more answers": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		_, err := b.Now(b.ctx)
		return one(ReadingSession.TimeUnknown(lostID, err))
	}},
	"read/a status of its own": {make: func(*bubble) diag.Diagnostics {
		return SessionWarnings(qod.Session{ID: lostID, Status: "EXPIRED"})
	}},
	"read/times that cannot be read": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.Echo(func(info map[string]any) { info["startedAt"], info["expiresAt"] = "29/02/2028 20:15", "noon" })
		s, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID, Device: camera1})
		if err != nil {
			b.t.Fatal(err)
		}
		return SessionWarnings(s)
	}},
	"read/another device": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: sandbox.Device{PhoneNumber: "+34600000042"}})
		return b.read()
	}},
	"read/made elsewhere": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", b.Origin(), err))
	}},
	"read/made at another API": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.MadeElsewhere(lostID, "https://old.example (other, /other/v2) as client stadium", b.Origin(), err))
	}},
	"read/no answer without a date": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.MadeElsewhere(lostID, "https://gateway.example/v1 as token", b.Origin(), err))
	}},
	"read/404 for a static token": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.GoneForUnknownClient(lostID, "https://gateway.example/v1 as token"))
	}},
	"read/held twice": {make: func(*bubble) diag.Diagnostics { return one(ReadingSession.HeldTwice(lostID)) }},
}
