// What people read about a device that has a session already.

package diagnostics

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var conflictFailures = map[string]failure{
	"conflict/with a session of this run": {make: func(b *bubble) diag.Diagnostics {
		_, _ = b.Create(b.ctx, wanted)
		return b.create(wanted)
	}},
	"conflict/with a session that this run has deleted": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		if err := b.Delete(b.ctx, qod.Ref{ID: lostID, Device: camera1}); err != nil {
			b.t.Fatal(err)
		}
		b.fail(sandbox.OpCreate, -1, sandbox.Status(409, `{"status":409,"code":"CONFLICT","message":"Device in use"}`))
		return b.create(wanted)
	}},
	"conflict/with a session that this run has deleted, and the list fails": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, Deleted: []string{lostID}, ListErr: &qod.Error{Operation: qod.OperationList, Status: 500},
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"},
		}))
	}},
	"conflict/with a session that the network gives out twice": {make: func(b *bubble) diag.Diagnostics {
		first, err := b.Create(b.ctx, qod.Spec{Device: qod.Device{PhoneNumber: "+34600000042"}, QoSProfile: "QOS_L", Seconds: 3600})
		if err != nil {
			b.t.Fatal(err)
		}
		b.fail(sandbox.OpCreate, 1, sandbox.Answer(201, "application/json", fmt.Sprintf(`{"sessionId":%q}`, first.ID)))
		return b.create(wanted)
	}},
	"conflict/with one that is given out instead": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.fail(sandbox.OpCreate, 1, sandbox.Answer(200, "application/json", fmt.Sprintf(`{"sessionId":%q}`, lostID)))
		return b.create(wanted)
	}},
	"conflict/with one that no list can show": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, ListErr: qod.ErrNoList, Now: atKickOff, Longest: 24 * time.Hour, CanExtend: true,
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"},
		}))
	}},
	"conflict/with one that is visible": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
		return b.create(wanted)
	}},
	"conflict/of flows, with one that is visible": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, PerFlow: true, Visible: []qod.Session{{ID: lostID, QoSProfile: "QOS_L", Status: qod.StatusAvailable, ExpiresAt: atKickOff}},
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"},
		}))
	}},
	"conflict/of flows, with one that is not visible": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, PerFlow: true, Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"},
		}))
	}},
	"conflict/of flows, with one of this run": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, PerFlow: true, Own: []string{lostID}, Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"},
		}))
	}},
	"conflict/with one that is lingering": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusUnavailable})
		return b.create(wanted)
	}},
	"conflict/with two that are visible": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.Seed(sandbox.Session{ID: secondID, Device: sandbox.Device{IPv6Address: "2a02:9130::77"}, Status: sandbox.StatusRequested})
		both := wanted
		both.Device.IPv6Address = "2a02:9130:0::77"
		return b.create(both)
	}},
	"conflict/with one that may be possible": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		b.Echo(noDevice)
		return b.create(wanted)
	}},
	"conflict/with twelve that may be possible": {make: func(b *bubble) diag.Diagnostics {
		for i := range 12 {
			b.Seed(sandbox.Session{ID: fmt.Sprintf("%08d-1111-4111-8111-111111111111", i), Device: tel, Duration: 3600 + 300*i})
		}
		b.Echo(noDevice)
		return b.create(wanted)
	}},
	"conflict/with one that is not visible": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
		return b.create(wanted)
	}},
	"conflict/with one that is not visible, at an unknown time": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
		b.fail(sandbox.OpCreate, -1, sandbox.Header("Date", ""))
		return b.create(wanted)
	}},
	"conflict/that the list is refused for": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{Device: tel})
		b.fail(sandbox.OpList, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Scope missing"}`))
		return b.create(wanted)
	}},
	"conflict/that the list fails for": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{Device: tel})
		b.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		return b.create(wanted)
	}},
	"conflict/then refused": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, Visible: []qod.Session{{ID: lostID, QoSProfile: "QOS_L", Status: qod.StatusAvailable, ExpiresAt: atKickOff.Add(time.Hour)}},
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"}, RetryErr: &qod.Error{Operation: qod.OperationCreate, Status: 403, Scope: "qod:sessions:write"},
		}))
	}},
}
