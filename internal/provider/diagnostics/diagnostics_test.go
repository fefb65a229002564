// Proves what a person reads when something fails: the whole text of every kind of error, made by
// the real client and a network that goes wrong. Read testdata/golden as whoever was
// woken by it. go test ./internal/provider/diagnostics -run TestDiagnostics -update writes it anew.

package diagnostics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// lab is a client and a network in a bubble of time: minutes of retries take none.
type lab struct {
	*sandbox.Sandbox
	*qod.Client
	t    *testing.T
	ctx  context.Context
	wire http.RoundTripper // instead of the sandbox; nil for none
}

func (l *lab) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.wire != nil {
		return l.wire.RoundTrip(r)
	}
	return l.Sandbox.RoundTripper().RoundTrip(r)
}

// broken is a wire on which nothing gets through.
type broken struct{ err error }

func (b broken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, b.err
}

// kong is what an API gateway answers that has no route to the API.
const kong = `{"message":"no Route matched with those values"}`

const (
	webPage  = `<!DOCTYPE html><html><body>Please <a href="/login">log in</a></body></html>`
	lostID   = "11111111-1111-4111-8111-111111111111"
	secondID = "22222222-2222-4222-8222-222222222222"
	wholeTel = "+34611222333"

	correlator = "33333333-3333-4333-8333-333333333333"

	matchStarts = "2028-02-29T20:15:00Z"
	matchEnds   = "2028-03-01T00:15:00Z"
)

// atKickOff is when the match starts, and when everything fails.
var atKickOff = time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)

var (
	camera1 = qod.Device{PhoneNumber: wholeTel}
	wanted  = qod.Spec{Device: camera1, QoSProfile: "QOS_L", Seconds: 3600, NotificationURL: "https://example.com/qod", NotificationAuthToken: "hunter2-webhook"}
	tel     = sandbox.Device{PhoneNumber: wholeTel}
)

// A failure is one way in which something goes wrong, up to the diagnostics that tell of it.
type failure struct {
	client func(*qod.Config)
	make   func(l *lab) diag.Diagnostics
}

func one(d diag.Diagnostic) diag.Diagnostics { return diag.Diagnostics{d} }

// create fails like the resource's Create.
func (l *lab) create(spec qod.Spec) diag.Diagnostics {
	_, err := l.Create(l.ctx, spec)
	return one(CreatingSession.CreateFailed(err))
}

func (l *lab) read() diag.Diagnostics {
	_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID, Device: camera1})
	return one(ReadingSession.ReadFailed(lostID, err))
}

func (l *lab) remove() diag.Diagnostics {
	return one(DeletingSession.DeleteFailed(lostID, l.Delete(l.ctx, qod.Ref{ID: lostID, Device: camera1})))
}

func (l *lab) list() diag.Diagnostics {
	_, err := l.List(l.ctx, qod.Filter{})
	return one(ListFailed(err))
}

// incomplete is the warning about a list that is shown all the same.
func (l *lab) incomplete() diag.Diagnostics {
	found, err := l.List(l.ctx, qod.Filter{})
	part, ok := errors.AsType[*qod.IncompleteListError](err)
	if !ok {
		l.t.Fatalf("the list is taken for complete: %v", err)
	}
	return one(ListIncomplete(part, len(found)))
}

func (l *lab) fail(op sandbox.Operation, times int, effect sandbox.Effect) {
	l.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// within gives the calls a deadline.
func (l *lab) within(d time.Duration) {
	ctx, cancel := context.WithTimeout(l.ctx, d)
	l.t.Cleanup(cancel)
	l.ctx = ctx
}

// interruptAfter cancels the calls at a time when they wait.
func (l *lab) interruptAfter(d time.Duration) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.ctx = ctx
	timer := time.AfterFunc(d, cancel)
	l.t.Cleanup(func() { timer.Stop(); cancel() })
}

// interruptAt cancels the calls when the n-th request of an operation comes in.
func (l *lab) interruptAt(op sandbox.Operation, at int) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.t.Cleanup(cancel)
	l.ctx = ctx
	l.Before(op, func(n int, _ *http.Request) {
		if n == at {
			cancel()
		}
	})
}

func answers(status int, body string, header ...string) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		l.within(5 * time.Minute)
		l.fail(sandbox.OpCreate, -1, sandbox.Status(status, body, header...))
		return l.create(wanted)
	}
}

var rateLimited = &qod.Error{
	Operation: qod.OperationCreate, Status: http.StatusTooManyRequests, Code: "QUOTA_EXCEEDED", Message: "Too many sessions", Correlator: correlator,
}

func noDevice(info map[string]any) { delete(info, "device") }

func refuses(code, description string) string {
	return fmt.Sprintf(`{"error": %q, "error_description": %q}`, code, description)
}

// waited is the end of a wait, by a create or by an update that resumed it.
func waited(resumed bool, prepare func(l *lab, id string)) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		s := l.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		prepare(l, s.ID)
		_, err := l.Await(l.ctx, qod.Ref{ID: s.ID, Device: camera1})
		if resumed {
			return one(ResumeFailed(err))
		}
		return one(CreatingSession.CreateFailed(err))
	}
}

// disabled is a client that the operator takes out of service during the wait.
func disabled(l *lab, _ string) {
	l.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "The client was disabled.")))
}

// updated is the end of a wait by the update of a reservation.
func updated(prepare func(l *lab, id string)) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		prepare(l, lostID)
		_, err := l.Await(l.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(UpdatingReservation.CreateFailed(err))
	}
}

func (l *lab) reserve() error {
	_, err := l.Create(l.ctx, wanted)
	return err
}

// clockless is what an operation says when the API tells no time.
func clockless(e Operation, spoil func(l *lab)) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		spoil(l)
		_, err := l.Now(l.ctx)
		return one(e.ClockUnknown(err))
	}
}

// goneBeforeItsEnd is a session that a list proves gone.
func goneBeforeItsEnd(e Operation, end time.Time) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		ref := qod.Ref{ID: lostID, Device: camera1, ExpiresAt: end}
		_, err := l.Client.Read(l.ctx, ref)
		if e == DeletingSession {
			err = l.Delete(l.ctx, ref)
		}
		gone, ok := errors.AsType[*qod.GoneError](err)
		if !ok {
			l.t.Fatalf("not proven gone: %v", err)
		}
		return one(e.GoneEarly(ref, gone))
	}
}

// goneWithoutList is a session that the API says twice it does not know.
func goneWithoutList(e Operation) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(501, ""))
		return goneBeforeItsEnd(e, atKickOff.Add(time.Hour))(l)
	}
}

var failures = map[string]failure{
	"create/400":               {make: answers(400, `{"status":400,"code":"INVALID_ARGUMENT","message":"Unknown device +34611222333."}`)},
	"create/400 without words": {make: answers(400, "")},
	"create/401 and 401 again": {make: answers(401, `{"status":401,"code":"UNAUTHENTICATED","message":"Token has the wrong audience."}`)},
	"create/401 and no new token": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, -1, sandbox.Status(401, ""))
		l.Fail(sandbox.Fault{Operation: sandbox.OpToken, Nth: 2, Times: -1, Effect: sandbox.Status(401, refuses("invalid_client", "The client was disabled."))})
		return l.create(wanted)
	}},
	"create/401 for a ready token": {client: readyToken, make: func(l *lab) diag.Diagnostics {
		l.AcceptToken("hunter2-ready", sandbox.DefaultClient.ID)
		l.fail(sandbox.OpCreate, -1, sandbox.Status(401, `{"status":401,"code":"UNAUTHENTICATED","message":"Token expired."}`))
		return l.create(wanted)
	}},
	"create/401 for a ready token, earlier in the run": {client: readyToken, make: func(l *lab) diag.Diagnostics { return l.create(wanted) }},
	"list/401 for a ready token, again": {client: readyToken, make: func(l *lab) diag.Diagnostics {
		l.list()
		return l.list()
	}},
	"create/403":      {make: answers(403, `{"status":403,"code":"PERMISSION_DENIED","message":"Client does not have sufficient permissions to perform this action."}`)},
	"create/404 html": {make: answers(404, webPage, "Content-Type", "text/html")},
	"create/405":      {make: answers(405, "")},
	"create/429": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(rateLimited))
	}},
	"create/429 until the time is up": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.InterruptedError{Operation: qod.OperationCreate, Timeout: true, Err: rateLimited}))
	}},
	"create/429 for two hours": {make: answers(429, "", "Retry-After", "7200")},
	"create/307":               {make: answers(307, "", "Location", "https://login.example/sso?state=hunter2")},
	"create/TLS":               {make: unreachable(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})},
	"create/TLS version":       {make: unreachable(errors.New("tls: protocol version not supported"))},
	"create/DNS":               {make: unreachable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gateway.example", IsNotFound: true}})},
	"create/refused": {make: unreachable(&net.OpError{
		Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
	})},
	"create/fault of the provider": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.PanicError{Value: "index out of range [3] with length 3"}))
	}},
	"create/not configured yet": {make: func(*lab) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"client_id", "client_secret"}}
		return one(CreatingSession.CreateFailed(err))
	}},
	"create/window closed": {make: func(l *lab) diag.Diagnostics {
		late := wanted
		late.Until = time.Now().Add(-time.Minute)
		return l.create(late)
	}},
	"create/interrupted before anything": {make: func(l *lab) diag.Diagnostics {
		ctx, cancel := context.WithCancel(l.ctx)
		cancel()
		l.ctx = ctx
		return l.create(wanted)
	}},
	"create/interrupted between tries": {make: func(l *lab) diag.Diagnostics {
		l.interruptAt(sandbox.OpCreate, 2)
		l.fail(sandbox.OpCreate, -1, sandbox.Status(429, ""))
		return l.create(wanted)
	}},
	"create/out of time before anything": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Second)
		l.fail(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		return l.create(wanted)
	}},
	"create/interrupted, after a request was sent": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.InterruptedError{Operation: qod.OperationCreate, Sent: true}))
	}},
	"create/no token to be had": {make: func(l *lab) diag.Diagnostics {
		l.wire = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
		return l.create(wanted)
	}},

	"conflict/with a session of this run": {make: func(l *lab) diag.Diagnostics {
		_, _ = l.Create(l.ctx, wanted)
		return l.create(wanted)
	}},
	"conflict/with a session that this run has deleted": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		if err := l.Delete(l.ctx, qod.Ref{ID: lostID, Device: camera1}); err != nil {
			l.t.Fatal(err)
		}
		l.fail(sandbox.OpCreate, -1, sandbox.Status(409, `{"status":409,"code":"CONFLICT","message":"Device in use"}`))
		return l.create(wanted)
	}},
	"conflict/with a session that the network gives out twice": {make: func(l *lab) diag.Diagnostics {
		first, err := l.Create(l.ctx, qod.Spec{Device: qod.Device{PhoneNumber: "+34600000042"}, QoSProfile: "QOS_L", Seconds: 3600})
		if err != nil {
			l.t.Fatal(err)
		}
		l.fail(sandbox.OpCreate, 1, sandbox.Answer(201, "application/json", fmt.Sprintf(`{"sessionId":%q}`, first.ID)))
		return l.create(wanted)
	}},
	"conflict/with one that is given out instead": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.fail(sandbox.OpCreate, 1, sandbox.Answer(200, "application/json", fmt.Sprintf(`{"sessionId":%q}`, lostID)))
		return l.create(wanted)
	}},
	"conflict/with one that is visible": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
		return l.create(wanted)
	}},
	"conflict/with one that is lingering": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusUnavailable})
		return l.create(wanted)
	}},
	"conflict/with two that are visible": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.Seed(sandbox.Session{ID: secondID, Device: sandbox.Device{IPv6Address: "2a02:9130::77"}, Status: sandbox.StatusRequested})
		both := wanted
		both.Device.IPv6Address = "2a02:9130:0::77"
		return l.create(both)
	}},
	"conflict/with one that may be possible": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.Echo(noDevice)
		return l.create(wanted)
	}},
	"conflict/with twelve that may be possible": {make: func(l *lab) diag.Diagnostics {
		for i := range 12 {
			l.Seed(sandbox.Session{ID: fmt.Sprintf("%08d-1111-4111-8111-111111111111", i), Device: tel, Duration: 3600 + 300*i})
		}
		l.Echo(noDevice)
		return l.create(wanted)
	}},
	"conflict/with one that is not visible": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
		return l.create(wanted)
	}},
	"conflict/with one that is not visible, at an unknown time": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
		l.fail(sandbox.OpCreate, -1, sandbox.Header("Date", ""))
		return l.create(wanted)
	}},
	"conflict/that the list is refused for": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{Device: tel})
		l.fail(sandbox.OpList, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Scope missing"}`))
		return l.create(wanted)
	}},
	"conflict/that the list fails for": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{Device: tel})
		l.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		return l.create(wanted)
	}},

	"lost/none found":               {make: answers(500, `{"status":500,"code":"INTERNAL","message":"Database unavailable"}`)},
	"lost/none found, 503 for days": {make: answers(503, "", "Retry-After", "Thu, 02 Mar 2028 21:15:00 GMT")},
	"lost/success without a session": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return l.create(wanted)
	}},
	"lost/redirected": {make: answers(302, "", "Location", "https://login.example/sso?state=hunter2")},
	"lost/candidates": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		l.Echo(func(info map[string]any) { noDevice(info); info["sessionId"] = lostID })
		return l.create(wanted)
	}},
	"lost/no way to look": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		l.Fail(sandbox.Fault{Operation: sandbox.OpList, Nth: 2, Times: -1, Effect: sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Maintenance"}`)})
		return l.create(wanted)
	}},
	"lost/interrupted": {make: func(l *lab) diag.Diagnostics {
		l.interruptAt(sandbox.OpCreate, 1)
		l.fail(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
		return l.create(wanted)
	}},
	"lost/interrupted, candidates": {make: func(l *lab) diag.Diagnostics {
		l.interruptAt(sandbox.OpCreate, 1)
		l.fail(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		l.Echo(func(info map[string]any) { noDevice(info); info["sessionId"] = lostID })
		return l.create(wanted)
	}},
	"lost/conflict behind": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		l.Before(sandbox.OpCreate, func(n int, _ *http.Request) {
			if n == 2 {
				l.Seed(sandbox.Session{Device: tel, ClientID: "another team"})
			}
		})
		return l.create(wanted)
	}},
	"lost/refused behind": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		l.fail(sandbox.OpCreate, -1, sandbox.Status(400, `{"code":"INVALID_ARGUMENT","message":"No such profile"}`))
		return l.create(wanted)
	}},
	"lost/out of time": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
			Err: &qod.InterruptedError{Operation: qod.OperationCreate, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationCreate, Status: 500}},
		}))
	}},
	"lost/conflict behind, visible": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		l.Before(sandbox.OpCreate, func(n int, _ *http.Request) {
			if n == 2 {
				l.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
			}
		})
		return l.create(wanted)
	}},
	"lost/no answer in time": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.fail(sandbox.OpCreate, -1, sandbox.HangBeforeCommit())
		return l.create(wanted)
	}},
	"lost/candidates, one without an id": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Candidates: []qod.Session{{QoSProfile: "QOS_L"}, {ID: secondID, QoSProfile: "QOS_L"}},
			Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
		}))
	}},
	"lost/made twice": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, KeptID: lostID, Candidates: []qod.Session{{ID: secondID, QoSProfile: "QOS_L", Status: qod.StatusRequested}},
			Correlators: []string{correlator}, Until: atKickOff.Add(time.Hour), Seconds: 3600,
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 502, Correlator: correlator},
		}))
	}},
	"lost/at an unknown time": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Correlators: []string{correlator}, Seconds: 3600,
			Err: &qod.Error{Operation: qod.OperationCreate, Err: io.ErrUnexpectedEOF, Correlator: correlator},
		}))
	}},

	"token/refused": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "The secret sandbox-secret is wrong.")))
		return l.create(wanted)
	}},
	"token/refused without words": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(401, webPage, "Content-Type", "text/html"))
		return l.list()
	}},
	"token/scopes": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("invalid_scope", "")))
		return l.list()
	}},
	"token/other refusal": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("unauthorized_client", "This client may not use this grant.")))
		return l.list()
	}},
	"token/5xx": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(502, webPage, "Content-Type", "text/html"))
		return l.list()
	}},
	"token/429": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(429, ""))
		return l.list()
	}},
	"token/web page": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return l.list()
	}},
	"token/cut off": {client: tokenAt, make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.DropBeforeCommit())
		return l.list()
	}},
	"token/redirect": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.Redirect(302, "https://login.example/sso"))
		return l.list()
	}},
	"discovery/404": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDiscovery, -1, sandbox.Status(404, webPage, "Content-Type", "text/html"))
		return l.list()
	}},
	"discovery/5xx": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDiscovery, -1, sandbox.Status(503, ""))
		return l.read()
	}},
	"discovery/http": {make: func(l *lab) diag.Diagnostics {
		l.Discovery(func(d map[string]any) { d["token_endpoint"] = "http://gateway.example/token" })
		return l.list()
	}},
	"discovery/other issuer": {make: func(l *lab) diag.Diagnostics {
		l.Discovery(func(d map[string]any) { d["issuer"] = "https://login.example/realms/qod" })
		return l.list()
	}},
	"discovery/no issuer": {make: func(l *lab) diag.Diagnostics {
		l.Discovery(func(document map[string]any) {
			delete(document, "issuer")
			document["token_endpoint"] = "https://tokens.example/oauth/token"
		})
		return l.list()
	}},
	"discovery/DNS": {make: func(l *lab) diag.Diagnostics {
		l.wire = broken{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gateway.example", IsNotFound: true}}}
		return l.list()
	}},

	"discovery/TLS": {make: func(l *lab) diag.Diagnostics {
		l.wire = broken{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"proxy.example"}}, Host: "gateway.example"}}}
		return l.list()
	}},
	"token/TLS": {client: tokenAt, make: func(l *lab) diag.Diagnostics {
		l.wire = broken{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
		return l.list()
	}},
	"token/unreachable": {client: tokenAt, make: func(l *lab) diag.Diagnostics {
		l.wire = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}}
		return l.list()
	}},
	"token/no answer in time": {client: tokenAt, make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		return l.list()
	}},

	"read/404 html": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(404, webPage, "Content-Type", "text/html"))
		return l.read()
	}},
	"read/403": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(403, ""))
		return l.read()
	}},
	"read/503": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Service unavailable."}`))
		return l.read()
	}},
	"read/503 for three hours": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(503, "", "Retry-After", "10800"))
		return l.read()
	}},
	"read/200 html": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return l.read()
	}},
	"read/another session": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.Echo(func(info map[string]any) { info["sessionId"] = secondID })
		return l.read()
	}},
	"read/302": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Redirect(302, "https://login.example/sso?state=hunter2"))
		return l.read()
	}},
	"read/cut off": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.DropBeforeCommit())
		return l.read()
	}},
	"read/out of time": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, &qod.InterruptedError{Operation: qod.OperationRead, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationRead, SessionID: lostID, Status: 500}}))
	}},
	"read/no answer in time": {make: func(l *lab) diag.Diagnostics {
		l.within(10 * time.Second)
		l.fail(sandbox.OpRead, -1, sandbox.HangBeforeCommit())
		return l.read()
	}},
	"read/no answer to any try": {client: func(c *qod.Config) { c.MaxRetries, c.RequestTimeout = 1, 5*time.Second }, make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.HangBeforeCommit())
		return l.read()
	}},
	"read/interrupted": {make: func(l *lab) diag.Diagnostics {
		l.interruptAfter(100 * time.Millisecond) // between two tries
		l.fail(sandbox.OpRead, -1, sandbox.Status(500, ""))
		return l.read()
	}},
	"read/not configured yet": {make: func(*lab) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"endpoint"}}
		return one(ReadingSession.ReadFailed(lostID, err))
	}},
	"read/404 of a gateway, and the list fails": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(404, kong))
		l.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		return l.read()
	}},
	"read/404, and the list comes from a cache": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Header("Age", "120"))
		return l.read()
	}},
	"read/404, and the list is a part": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Header("X-Total-Count", "319"))
		return l.read()
	}},
	"read/404 without words, and lists are not allowed": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(404, ""))
		l.fail(sandbox.OpList, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Scope missing"}`))
		return l.read()
	}},
	"read/404 of a gateway, and there are no lists": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(404, kong))
		l.fail(sandbox.OpList, -1, sandbox.Status(405, ""))
		return l.read()
	}},
	"read/410 before the end": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(410, ""))
		l.fail(sandbox.OpList, -1, sandbox.Status(500, ""))
		return l.read()
	}},
	"read/gone before its end":        {make: goneBeforeItsEnd(ReadingSession, atKickOff.Add(time.Hour))},
	"read/gone, its end not known":    {make: goneBeforeItsEnd(ReadingSession, time.Time{})},
	"read/gone, and there is no list": {make: goneWithoutList(ReadingSession)},
	"read/past its end by a wrong clock": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(time.Minute),
		}))
	}},
	"read/past its end by a wrong clock, no start": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(6*time.Hour + time.Minute),
		}))
	}},
	"read/past its end, clocks disagree": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, &qod.ClockError{Expected: atKickOff, Shown: atKickOff.Add(6 * time.Hour)}))
	}},
	"read/past its end, the clock stands still": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.TimeUnknown(lostID, qod.ErrClockStandsStill))
	}},
	"read/past its end, no more answers": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		_, err := l.Now(l.ctx)
		return one(ReadingSession.TimeUnknown(lostID, err))
	}},
	"read/a status of its own": {make: func(*lab) diag.Diagnostics {
		return SessionWarnings(qod.Session{ID: lostID, Status: "EXPIRED"})
	}},
	"read/times that cannot be read": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.Echo(func(info map[string]any) { info["startedAt"], info["expiresAt"] = "29/02/2028 20:15", "noon" })
		s, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID, Device: camera1})
		if err != nil {
			l.t.Fatal(err)
		}
		return SessionWarnings(s)
	}},
	"read/another device": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: sandbox.Device{PhoneNumber: "+34600000042"}})
		return l.read()
	}},
	"read/made elsewhere": {make: func(l *lab) diag.Diagnostics {
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", l.Origin(), err))
	}},
	"read/no answer without a date": {make: func(l *lab) diag.Diagnostics {
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.MadeElsewhere(lostID, "https://gateway.example/v1 as token", l.Origin(), err))
	}},

	"create/planned elsewhere": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", ""))
	}},
	"delete/planned elsewhere": {make: func(*lab) diag.Diagnostics {
		return one(DeletingSession.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", lostID))
	}},
	"delete/planned in a sandbox": {make: func(*lab) diag.Diagnostics {
		return one(DeletingSession.PlannedElsewhere("http://127.0.0.1:8080/v1", "https://gateway.example/v1", lostID))
	}},
	"reservation/update, planned elsewhere": {make: func(*lab) diag.Diagnostics {
		return one(UpdatingReservation.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", ""))
	}},

	"delete/403": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDelete, -1, sandbox.Status(403, ""))
		return l.remove()
	}},
	"delete/500": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDelete, -1, sandbox.Status(500, ""))
		return l.remove()
	}},
	"delete/interrupted": {make: func(l *lab) diag.Diagnostics {
		l.interruptAfter(time.Second)
		l.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return l.remove()
	}},
	"delete/out of time": {make: func(*lab) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, &qod.InterruptedError{Operation: qod.OperationDelete, Sent: true, Timeout: true, Err: &qod.Error{Operation: qod.OperationDelete, SessionID: lostID, Status: 504}}))
	}},
	"delete/no answer in time": {make: func(l *lab) diag.Diagnostics {
		l.within(20 * time.Second)
		l.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return l.remove()
	}},
	"delete/404, and the list shows it": {make: func(l *lab) diag.Diagnostics {
		l.within(20 * time.Second)
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.fail(sandbox.OpDelete, -1, sandbox.Status(404, kong))
		return l.remove()
	}},
	"delete/404 of a gateway, and lists are not allowed": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDelete, -1, sandbox.Status(404, kong))
		l.fail(sandbox.OpList, -1, sandbox.Status(403, ""))
		return l.remove()
	}},
	"delete/busy for too long": {make: func(l *lab) diag.Diagnostics {
		l.within(20 * time.Second)
		l.Seed(sandbox.Session{ID: lostID, Device: tel})
		l.fail(sandbox.OpDelete, -1, sandbox.Status(409, `{"status":409,"code":"CONFLICT","message":"The session is being provisioned."}`))
		return l.remove()
	}},
	"delete/gone before its end": {make: goneBeforeItsEnd(DeletingSession, atKickOff.Add(time.Hour))},
	"delete/made elsewhere": {make: func(l *lab) diag.Diagnostics {
		err := l.Delete(l.ctx, qod.Ref{ID: lostID})
		return one(DeletingSession.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", l.Origin(), err))
	}},
	"delete/not configured yet": {make: func(*lab) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, &UnknownConfigurationError{[]string{"endpoint"}}))
	}},

	"import/403": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Not yours"}`))
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ImportingSession.ImportFailed(lostID, err))
	}},
	"import/unknown": {make: func(l *lab) diag.Diagnostics {
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ImportingSession.ImportUnknown(lostID, l.Origin(), err))
	}},
	"list/520": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(520, ""))
		return l.list()
	}},
	"list/404": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(404, `{"message":"no Route matched with those values"}`))
		return l.list()
	}},
	"list/a part of it": {make: func(l *lab) diag.Diagnostics {
		for range 3 {
			l.Seed(sandbox.Session{})
		}
		l.fail(sandbox.OpList, -1, sandbox.Partial(2))
		return l.incomplete()
	}},
	"list/of a cache": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Header("Age", "120"))
		return l.incomplete()
	}},
	"list/a next page elsewhere": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Header("Link", `<https://other.example/v1/qod/sessions?page=2>; rel="next"`))
		return l.incomplete()
	}},
	"list/302 to nowhere": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(302, ""))
		return l.list()
	}},
	"list/429 for a second, again and again": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(429, "", "Retry-After", "1"))
		return l.list()
	}},
	"list/half an answer": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.HeadThenHang())
		return l.list()
	}},
	"list/200 html": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return l.list()
	}},

	"wait/unavailable":          {make: waited(false, func(l *lab, id string) { l.Revoke(id) })},
	"wait/unavailable, resumed": {make: waited(true, func(l *lab, id string) { l.Revoke(id) })},
	"wait/gone":                 {make: waited(false, func(l *lab, id string) { l.Remove(id) })},
	"wait/gone, resumed":        {make: waited(true, func(l *lab, id string) { l.Remove(id) })},
	"wait/too long":             {make: waited(false, func(*lab, string) {})},
	"wait/too long, resumed":    {make: waited(true, func(*lab, string) {})},
	"wait/too long, failing":    {make: waited(false, func(l *lab, _ string) { l.fail(sandbox.OpRead, -1, sandbox.Status(503, "")) })},
	"wait/too long, failing, resumed": {make: waited(true, func(l *lab, _ string) {
		l.fail(sandbox.OpRead, -1, sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Maintenance"}`))
	})},
	"wait/interrupted":               {make: waited(false, func(l *lab, _ string) { l.interruptAfter(time.Second) })},
	"wait/interrupted, resumed":      {make: waited(true, func(l *lab, _ string) { l.interruptAfter(time.Second) })},
	"wait/denied":                    {make: waited(false, disabled)},
	"wait/denied, resumed":           {make: waited(true, disabled)},
	"wait/too long, without a token": {make: waited(false, func(l *lab, _ string) { l.fail(sandbox.OpRead, -1, sandbox.Status(401, "")) })},
	"wait/too long, without a token, resumed": {make: waited(true, func(l *lab, _ string) {
		l.fail(sandbox.OpToken, -1, sandbox.Status(403, webPage, "Content-Type", "text/html"))
	})},
	"wait/not configured yet": {make: func(*lab) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"endpoint"}}
		return one(ResumeFailed(err))
	}},

	"read/404 for a ready token": {make: func(*lab) diag.Diagnostics {
		return one(ReadingSession.GoneForToken(lostID, "https://gateway.example/v1 as token"))
	}},
	"delete/404 for a ready token": {make: func(*lab) diag.Diagnostics {
		return one(DeletingSession.GoneForToken(lostID, "https://gateway.example/v1 as token"))
	}},
	"reservation/gone, for a ready token": {make: func(*lab) diag.Diagnostics {
		return one(ReadingReservation.GoneForToken(lostID, "https://gateway.example/v1 as token"))
	}},
	"read/held twice":        {make: func(*lab) diag.Diagnostics { return one(ReadingSession.HeldTwice(lostID)) }},
	"reservation/held twice": {make: func(*lab) diag.Diagnostics { return one(ReadingReservation.HeldTwice(lostID)) }},
	"granted/another profile": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.OtherProfile(qod.Session{ID: lostID, QoSProfile: "QOS_S"}, "QOS_L"))
	}},
	"granted/less": {make: func(*lab) diag.Diagnostics {
		return one(GrantedLess(qod.Session{ID: lostID, Seconds: 600, ExpiresAt: atKickOff.Add(10 * time.Minute)}, 3600))
	}},
	"granted/less, end not known": {make: func(*lab) diag.Diagnostics {
		return one(GrantedLess(qod.Session{ID: lostID, Seconds: 600}, 3600))
	}},
	"reservation/update, too long":    {make: updated(func(*lab, string) {})},
	"reservation/update, unavailable": {make: updated(func(l *lab, id string) { l.Revoke(id) })},
	"reservation/update, gone":        {make: updated(func(l *lab, id string) { l.Remove(id) })},
	"reservation/update, interrupted": {make: updated(func(l *lab, _ string) { l.interruptAfter(time.Second) })},
	"reservation/update, 409, visible": {make: func(l *lab) diag.Diagnostics {
		l.Seed(sandbox.Session{ID: lostID, Device: tel, QoSProfile: "QOS_S"})
		return one(UpdatingReservation.CreateFailed(l.reserve()))
	}},
	"reservation/update, may exist": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
		l.Before(sandbox.OpCreate, func(int, *http.Request) { l.fail(sandbox.OpList, -1, sandbox.Status(403, "{}")) })
		return one(UpdatingReservation.CreateFailed(l.reserve()))
	}},
	"reservation/update, two may exist": {make: func(*lab) diag.Diagnostics {
		return one(UpdatingReservation.CreateFailed(&qod.UnresolvedError{
			Device: camera1, Candidates: []qod.Session{{ID: secondID, QoSProfile: "QOS_L", Status: "AVAILABLE"}}, KeptID: lostID, Seconds: 3600,
		}))
	}},
	"reservation/update, three may exist": {make: func(*lab) diag.Diagnostics {
		return one(UpdatingReservation.CreateFailed(&qod.UnresolvedError{Device: camera1, Correlators: []string{"first", "second"}, KeptID: lostID, Seconds: 3600}))
	}},
	"reservation/update, no time": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.fail(sandbox.OpCreate, -1, sandbox.Status(429, "", "Retry-After", "50"))
		return one(UpdatingReservation.CreateFailed(l.reserve()))
	}},
	"reservation/update, not released": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.fail(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		return one(UpdatingReservation.DeleteFailed(lostID, l.Delete(l.ctx, qod.Ref{ID: lostID, Device: camera1})))
	}},
	"reservation/update, not seen": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpRead, -1, sandbox.Status(503, ""))
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(UpdatingReservation.ReadFailed(lostID, err))
	}},
	"reservation/update, another profile": {make: func(*lab) diag.Diagnostics {
		return one(UpdatingReservation.OtherProfile(qod.Session{ID: lostID, QoSProfile: "QOS_S"}, "QOS_L"))
	}},
	"reservation/create, too long": {make: func(l *lab) diag.Diagnostics {
		l.within(time.Minute)
		l.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		_, err := l.Await(l.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(CreatingReservation.CreateFailed(err))
	}},
	"reservation/made elsewhere": {make: func(l *lab) diag.Diagnostics {
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ReadingReservation.MadeElsewhere(lostID, "https://old.example/v1 as client stadium", l.Origin(), err))
	}},
	"reservation/import, unknown": {make: func(l *lab) diag.Diagnostics {
		_, err := l.Client.Read(l.ctx, qod.Ref{ID: lostID})
		return one(ImportingReservation.ImportUnknown(lostID, l.Origin(), err))
	}},
	"reservation/gone before its end": {make: goneBeforeItsEnd(ReadingReservation, atKickOff.Add(time.Hour))},
	"reservation/lost, not deleted": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDelete, -1, sandbox.Status(503, ""))
		ref := qod.Ref{ID: lostID, Device: camera1, ExpiresAt: atKickOff.Add(time.Hour)}
		return one(LostNotDeleted(ref, l.Delete(l.ctx, ref)))
	}},
	"reservation/lost, not deleted, its end not known": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpDelete, -1, sandbox.Status(503, ""))
		ref := qod.Ref{ID: lostID, Device: camera1}
		return one(LostNotDeleted(ref, l.Delete(l.ctx, ref)))
	}},
	"reservation/no clock, no session": {make: func(l *lab) diag.Diagnostics {
		l.fail(sandbox.OpList, -1, sandbox.Status(503, ""))
		_, err := l.Now(l.ctx)
		return one(StatusUnknown(err))
	}},
	"reservation/wrong clock": {make: func(*lab) diag.Diagnostics {
		return one(ReadingReservation.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable, StartedAt: atKickOff, ExpiresAt: atKickOff.Add(time.Hour)},
			Now:     atKickOff.Add(-6 * time.Hour), Machine: atKickOff.Add(time.Minute),
		}))
	}},
	"reservation/wrong clock, no times shown": {make: func(*lab) diag.Diagnostics {
		return one(UpdatingReservation.TimeUnknown(lostID, &ContradictionError{
			Session: qod.Session{ID: lostID, Status: qod.StatusAvailable},
			Now:     atKickOff.Add(6 * time.Hour), Machine: atKickOff.Add(time.Minute), Vetoed: true,
		}))
	}},
	"reservation/no clock, a cache": {make: clockless(ReadingReservation, func(l *lab) { l.fail(sandbox.OpList, -1, sandbox.Header("Age", "1800")) })},
	"reservation/no clock in time": {make: func(l *lab) diag.Diagnostics {
		l.within(500 * time.Millisecond)
		_, err := l.Now(l.ctx)
		return one(CreatingReservation.ClockUnknown(err))
	}},
	"conflict/then refused": {make: func(*lab) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.ConflictError{
			Device: camera1, Visible: []qod.Session{{ID: lostID, QoSProfile: "QOS_L", Status: qod.StatusAvailable, ExpiresAt: atKickOff.Add(time.Hour)}},
			Err: &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT"}, RetryErr: &qod.Error{Operation: qod.OperationCreate, Status: 403, Scope: "qod:sessions:write"},
		}))
	}},
	"reservation/window not known": {make: func(*lab) diag.Diagnostics { return one(WindowUnknown()) }},
	"reservation/clocks differ":    {make: func(*lab) diag.Diagnostics { return one(ClocksDiffer(atKickOff, atKickOff.Add(-6*time.Hour))) }},
	"reservation/session ends behind": {make: func(*lab) diag.Diagnostics {
		return one(SessionEndsAfterWindow(matchEnds, qod.Session{ID: lostID, ExpiresAt: atKickOff.Add(6 * time.Hour)}))
	}},
	"reservation/no clock":           {make: clockless(ReadingReservation, func(l *lab) { l.wire = broken{syscall.ECONNREFUSED} })},
	"reservation/no clock to create": {make: clockless(CreatingReservation, func(l *lab) { l.fail(sandbox.OpList, -1, sandbox.Header("Date", "")) })},
	"reservation/no clock to update": {make: clockless(UpdatingReservation, func(l *lab) { l.interruptAt(sandbox.OpToken, 1) })},
	"reservation/not open yet":       {make: func(*lab) diag.Diagnostics { return one(WindowNotOpen(matchStarts)) }},
	"reservation/over": {make: func(*lab) diag.Diagnostics {
		return one(WindowEnded(matchEnds, "the API's clock", atKickOff.Add(28*time.Hour)))
	}},
	"reservation/session ends before": {make: func(*lab) diag.Diagnostics {
		return one(SessionEndsBeforeWindow("until 2028-02-29T21:15:00Z", matchEnds, lostID))
	}},
	"reservation/session may end before": {make: func(*lab) diag.Diagnostics {
		return one(SessionEndsBeforeWindow("for 24 hours at most after its start", matchEnds, lostID))
	}},
	"reservation/over in the meantime": {make: func(*lab) diag.Diagnostics {
		return one(WindowEndedMeanwhile("2028-02-29T20:00:00Z", lostID))
	}},
	"reservation/adopted without a session": {make: func(*lab) diag.Diagnostics { return one(WithoutSession()) }},
	"panic": {make: func(*lab) (diags diag.Diagnostics) {
		defer Catch(&diags)
		panic("index out of range [3] with length 3")
	}},
}

func tokenAt(c *qod.Config) { c.TokenURL = "https://gateway.example/oauth/token" }

func readyToken(c *qod.Config) { c.ClientID, c.ClientSecret, c.AccessToken = "", "", "hunter2-ready" }

func unreachable(err error) func(l *lab) diag.Diagnostics {
	return func(l *lab) diag.Diagnostics {
		_, _ = l.List(l.ctx, qod.Filter{}) // there is a token already
		l.wire = broken{err}
		return l.create(wanted)
	}
}

// happen runs a failure in a bubble of its own.
func (f failure) happen(t *testing.T) string {
	var text string
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(atKickOff)) // of the bubble: it takes no time
		l := &lab{Sandbox: sandbox.New(sandbox.Config{Provisioning: time.Hour, Latency: 10 * time.Millisecond}), t: t, ctx: t.Context()}
		defer l.Close()
		config := qod.Config{
			Endpoint: "https://gateway.example/v1", ClientID: sandbox.DefaultClient.ID, ClientSecret: sandbox.DefaultClient.Secret,
			Scopes: []string{"qod:sessions:read", "qod:sessions:write"}, MaxRetries: 2, RequestTimeout: 30 * time.Second, UserAgent: "test", Transport: l,
		}
		if f.client != nil {
			f.client(&config)
		}
		client, err := qod.New(config)
		if err != nil {
			t.Fatal(err)
		}
		l.Client = client
		text = rendered(f.make(l))
	})
	return text
}

// rendered is how the golden file shows
func rendered(diags diag.Diagnostics) string {
	var parts []string
	for _, d := range diags {
		head := d.Severity().String() + ": " + d.Summary()
		if d, ok := d.(diag.DiagnosticWithPath); ok {
			head += " (at " + d.Path().String() + ")"
		}
		parts = append(parts, head+"\n\n"+d.Detail())
	}
	return anonymous(strings.Join(parts, "\n\n"))
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// anyTime is one that may be some seconds late, as pauses are spread at random.
var anyTime = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`)

// anonymous numbers the ids that are random, and takes the seconds out of times.
func anonymous(text string) string {
	text = anyTime.ReplaceAllStringFunc(text, func(at string) string {
		t, _ := time.Parse(time.RFC3339, at)
		return t.Truncate(5 * time.Minute).Format(time.RFC3339)
	})
	seen := map[string]string{}
	return anyUUID.ReplaceAllStringFunc(text, func(id string) string {
		if strings.Contains(id, "-1111-4111-8111-") || id == secondID || id == correlator {
			return id
		}
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(seen)+1)
		}
		return seen[id]
	})
}

var goldenFile = filepath.Join("testdata", "diagnostics.golden")

const section = "\n=== "

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(failures))
	if *update {
		var b strings.Builder
		b.WriteString("What people read when something fails, by TestDiagnostics.\n")
		for _, name := range names {
			t.Run(name, func(t *testing.T) { b.WriteString(section + name + "\n" + failures[name].happen(t) + "\n") })
		}
		if err := os.MkdirAll(filepath.Dir(goldenFile), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, part := range strings.Split(string(golden), section)[1:] {
		name, text, _ := strings.Cut(part, "\n")
		want[name] = strings.TrimSuffix(text, "\n")
	}
	for name := range want {
		if _, known := failures[name]; !known {
			t.Errorf("the golden file has %q, which does not happen", name)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := failures[name].happen(t)
			if got != want[name] {
				t.Errorf("got\n%s\n\nwant\n%s", got, want[name])
			}
			readable(t, got)
		})
	}
}

// readable holds for every text.
func readable(t *testing.T, text string) {
	t.Helper()
	head, detail, _ := strings.Cut(text, "\n\n")
	summary := regexp.MustCompile(`^(Error|Warning): | \(at .*\)$`).ReplaceAllString(head, "")
	// Each session that two resources hold has a warning of its own, or Terraform would fold them.
	summary = regexp.MustCompile(`^QoS Session [0-9a-f-]{36} Held`).ReplaceAllString(summary, "QoS Session Held")
	if !slices.Contains([]string{
		createSummary, readSummary, deleteSummary, importSummary, listSummary, waitSummary, "QoS Session Shorter Than Asked", "Internal Fault", "Incomplete List of QoS Sessions",
		// Each of these has to be shown, and Terraform shows one of many with equal summaries.
		goneSummary(lostID), "QoS Session " + lostID + " Not Checked", "QoS Session " + lostID + " Has an Unknown Status", "QoS Session " + lostID + " Shows Unreadable Values",
		CreatingReservation.summary, ReadingReservation.summary, UpdatingReservation.summary, ImportingReservation.summary,
		"Reservation Window Is Not Open Yet", "Reservation Window Has Ended", "QoS Session Ends Before Its Window", "QoS Reservation Without Session", "QoS Session Held by Two Resources",
		"QoS Session Ends After Its Window", "Clocks Differ", "QoS Reservation Status Unknown", "Reservation Window Unknown",
	}, summary) {
		t.Errorf("the summary %q is not one of the constant ones", summary)
	}
	for _, secret := range []string{"hunter2", sandbox.DefaultClient.Secret, "611222333", "611 222", "2a02:9130"} {
		if strings.Contains(text, secret) {
			t.Errorf("the text shows %q", secret)
		}
	}
	for what, bad := range map[string]*regexp.Regexp{
		"a verb of fmt without a value":      regexp.MustCompile(`%!|<nil>|\bnil\b`),
		"markup":                             regexp.MustCompile(`<[a-zA-Z/!]`),
		"two spaces":                         regexp.MustCompile(`\S  \S`),
		"two full stops":                     regexp.MustCompile(`[^.]\.\.([^.]|$)|\.\.\.\.`),
		"a space before a full stop":         regexp.MustCompile(` [.,:;]( |$)`),
		"a colon and a full stop":            regexp.MustCompile(`:\.`),
		"a sentence that starts small":       regexp.MustCompile(`[a-z)]\. [a-z]`),
		"words of the program, not of users": regexp.MustCompile(`\b(POST|GET)\b|(?i)\b(goroutine|context deadline exceeded|context canceled|unmarshal|struct|reconcile|snapshot)\b`),
		"a time that is not known":           regexp.MustCompile(`an unknown time|0001-01-01`),
		"a word twice":                       regexp.MustCompile(`(?i)\b(the the|is is|a a|it it|to to|and and)\b`),
	} {
		if found := bad.FindString(detail); found != "" {
			t.Errorf("the text has %s: %q", what, found)
		}
	}
	paragraphs := strings.Split(detail, "\n\n")
	if len(paragraphs) < 2 {
		t.Errorf("the text does not say what to do")
	}
	if last := paragraphs[len(paragraphs)-1]; !regexp.MustCompile(`^((Session|Deleted session|Status|Code|x-correlator|May be billed until): .+\n?)+$`).MatchString(last) &&
		regexp.MustCompile(`(?m)^(Session|Status|x-correlator): `).MatchString(detail) {
		t.Errorf("the facts are not at the end")
	}
}
