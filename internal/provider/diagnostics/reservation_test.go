// What people read about a reservation.

package diagnostics

import (
	"net/http"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var reservationFailures = map[string]failure{
	"reservation/update, planned elsewhere": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", ""))
	}},
	"reservation/gone, for a static token": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingReservation.GoneForUnknownClient(lostID, "https://gateway.example/v1 as token"))
	}},
	"reservation/held twice":          {make: func(*bubble) diag.Diagnostics { return one(ReadingReservation.HeldTwice(lostID)) }},
	"reservation/update, too long":    {make: updated(func(*bubble, string) {})},
	"reservation/update, unavailable": {make: updated(func(b *bubble, id string) { b.Revoke(id) })},
	"reservation/update, gone":        {make: updated(func(b *bubble, id string) { b.Remove(id) })},
	"reservation/update, interrupted": {make: updated(func(b *bubble, _ string) { b.interruptAfter(time.Second) })},
	"reservation/update, 409, visible": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
		return one(UpdatingReservation.CreateFailed(b.createSession()))
	}},
	"reservation/update, may exist": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
		b.Before(sandbox.OpCreate, func(int, *http.Request) { b.fail(sandbox.OpList, -1, sandbox.Status(403, "{}")) })
		return one(UpdatingReservation.CreateFailed(b.createSession()))
	}},
	"reservation/update, two may exist": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Candidates: []qod.Session{{ID: secondID, QoSProfile: "QOS_L", Status: "AVAILABLE"}}, KeptID: lostID, Seconds: 3600,
		}))
	}},
	"reservation/update, three may exist": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.CreateFailed(&qod.UnresolvedError{Device: camera1, Correlators: []string{"first", "second"}, KeptID: lostID, Seconds: 3600}))
	}},
	"reservation/update, no time": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.fail(sandbox.OpCreate, -1, sandbox.Status(429, "", "Retry-After", "50"))
		return one(UpdatingReservation.CreateFailed(b.createSession()))
	}},
	"reservation/update, not released": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return one(UpdatingReservation.DeleteFailed(lostID, "", b.Delete(b.ctx, qod.Ref{ID: lostID, Device: camera1})))
	}},
	"reservation/update, not seen": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(503, ""))
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(UpdatingReservation.ReadFailed(lostID, "", err))
	}},
	"reservation/update, another profile": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.OtherProfile(qod.Session{ID: lostID, QoSProfile: "QOS_S"}, "QOS_L"))
	}},
	"reservation/create, too long": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		_, err := b.Await(b.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(CreatingReservation.CreateFailed(err))
	}},
	"reservation/made elsewhere": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ReadingReservation.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", b.Origin(), err))
	}},
	"reservation/import, unknown": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ImportingReservation.ImportUnknown(lostID, b.Origin(), err))
	}},
	"reservation/gone before its end": {make: goneBeforeItsEnd(ReadingReservation, atKickOff.Add(time.Hour))},
	"reservation/lost, not deleted": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(503, ""))
		ref := qod.Ref{ID: lostID, Device: camera1, ExpiresAt: atKickOff.Add(time.Hour)}
		return one(LostNotDeleted(ref, b.Delete(b.ctx, ref)))
	}},
	"reservation/lost, not deleted, its end not known": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDelete, -1, sandbox.Status(503, ""))
		ref := qod.Ref{ID: lostID, Device: camera1}
		return one(LostNotDeleted(ref, b.Delete(b.ctx, ref)))
	}},
	"reservation/no clock, no session": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		_, err := b.Now(b.ctx)
		return one(StatusUnknown(err))
	}},
	"reservation/wrong clock": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingReservation.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(-6 * time.Hour), Machine: atKickOff.Add(time.Minute),
		}))
	}},
	"reservation/wrong clock, no times shown": {make: func(*bubble) diag.Diagnostics {
		return one(UpdatingReservation.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(time.Minute), Vetoed: true,
		}))
	}},
	"reservation/no clock, a cache": {make: clockless(ReadingReservation, func(b *bubble) { b.fail(sandbox.OpList, -1, sandbox.Header("Age", "1800")) })},
	"reservation/no clock in time": {make: func(b *bubble) diag.Diagnostics {
		b.limit(500 * time.Millisecond)
		_, err := b.Now(b.ctx)
		return one(CreatingReservation.ClockUnknown(err))
	}},
	"reservation/window not known": {make: func(*bubble) diag.Diagnostics { return one(WindowUnknown()) }},
	"reservation/clocks differ":    {make: func(*bubble) diag.Diagnostics { return one(ClocksDiffer(atKickOff, atKickOff.Add(-6*time.Hour))) }},
	"reservation/session ends behind": {make: func(*bubble) diag.Diagnostics {
		return one(SessionEndsAfterWindow(matchEnds, qod.Session{ID: lostID, ExpiresAt: atKickOff.Add(6 * time.Hour)}))
	}},
	"reservation/no clock":           {make: clockless(ReadingReservation, func(b *bubble) { b.transport = broken{syscall.ECONNREFUSED} })},
	"reservation/no clock to create": {make: clockless(CreatingReservation, func(b *bubble) { b.fail(sandbox.OpList, -1, sandbox.Header("Date", "")) })},
	"reservation/no clock to update": {make: clockless(UpdatingReservation, func(b *bubble) { b.interruptAt(sandbox.OpToken, 1) })},
	"reservation/window seems ended": {make: func(*bubble) diag.Diagnostics { return one(WindowSeemsEnded(matchEnds, atKickOff.Add(28*time.Hour))) }},
	"reservation/window missed":      {make: func(*bubble) diag.Diagnostics { return one(WindowMissed(matchEnds)) }},
	"reservation/not open yet":       {make: func(*bubble) diag.Diagnostics { return one(WindowNotOpen(matchStarts)) }},
	"reservation/over": {make: func(*bubble) diag.Diagnostics {
		return one(WindowEnded(matchEnds, atKickOff.Add(28*time.Hour)))
	}},
	"reservation/session ends before": {make: func(*bubble) diag.Diagnostics {
		return one(SessionEndsBeforeWindow("until 2028-02-29T21:15:00Z", matchEnds, lostID, false))
	}},
	"reservation/session may end before": {make: func(*bubble) diag.Diagnostics {
		return one(SessionEndsBeforeWindow("for 24 hours at most after its start", matchEnds, lostID, false))
	}},
	"reservation/session ends before, and the next apply replaces it": {make: func(*bubble) diag.Diagnostics {
		return one(SessionEndsBeforeWindow("until 2028-02-29T21:15:00Z", matchEnds, lostID, true))
	}},
	"reservation/over in the meantime": {make: func(*bubble) diag.Diagnostics {
		return one(WindowEndedMeanwhile("2028-02-29T20:00:00Z", lostID))
	}},
	"reservation/adopted without a session":   {make: func(*bubble) diag.Diagnostics { return one(WithoutSession(true)) }},
	"reservation/shortened without a session": {make: func(*bubble) diag.Diagnostics { return one(WithoutSession(false)) }},
	"reservation/imported session deleted":    {make: func(*bubble) diag.Diagnostics { return one(ImportedSessionDeleted()) }},
	"reservation/delete, 404 for a static token": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingReservation.GoneForUnknownClient(lostID, "https://gateway.example/v1 as token"))
	}},
}
