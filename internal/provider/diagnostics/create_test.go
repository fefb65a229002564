// What people read about a session that is not created, or not as requested.

package diagnostics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var createFailures = map[string]failure{
	"create/400":                  {make: answers(400, `{"status":400,"code":"INVALID_ARGUMENT","message":"Unknown device +34611222333."}`)},
	"create/400 without a reason": {make: answers(400, "")},
	"create/401 and 401 again":    {make: answers(401, `{"status":401,"code":"UNAUTHENTICATED","message":"Token has the wrong audience."}`)},
	"create/401 and no new token": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.Status(401, ""))
		b.Fail(sandbox.Fault{Operation: sandbox.OpToken, Nth: 2, Times: -1, Effect: sandbox.Status(401, refuses("invalid_client", "The client was disabled."))})
		return b.create(wanted)
	}},
	"create/401 for a static token": {client: staticToken, make: func(b *bubble) diag.Diagnostics {
		b.AcceptToken("hunter2-static", sandbox.DefaultClient.ID)
		b.fail(sandbox.OpCreate, -1, sandbox.Status(401, `{"status":401,"code":"UNAUTHENTICATED","message":"Token expired."}`))
		return b.create(wanted)
	}},
	"create/401 for a static token, earlier in the run": {client: staticToken, make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
	"create/403":      {make: answers(403, `{"status":403,"code":"PERMISSION_DENIED","message":"Client does not have sufficient permissions to perform this action."}`)},
	"create/404 html": {make: answers(404, webPage, "Content-Type", "text/html")},
	"create/405":      {make: answers(405, "")},
	"create/429": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(errRateLimited))
	}},
	"create/429 until the time is up": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.InterruptedError{Operation: qod.OperationCreate, Timeout: true, Err: errRateLimited}))
	}},
	"create/429 for two hours": {make: answers(429, "", "Retry-After", "7200")},
	"create/307":               {make: answers(307, "", "Location", "https://login.example/sso?state=hunter2")},
	"create/TLS":               {make: unreachable(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})},
	"create/TLS version":       {make: unreachable(errors.New("tls: protocol version not supported"))},
	"create/DNS":               {make: unreachable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gateway.example", IsNotFound: true}})},
	"create/refused": {make: unreachable(&net.OpError{
		Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
	})},
	"create/fault of the provider": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.PanicError{Value: "index out of range [3] with length 3"}))
	}},
	"create/not configured yet": {make: func(*bubble) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"client_id", "client_secret"}}
		return one(CreatingSession.CreateFailed(err))
	}},
	"create/window closed": {make: func(b *bubble) diag.Diagnostics {
		late := wanted
		late.Until = time.Now().Add(-time.Minute)
		return b.create(late)
	}},
	"create/interrupted before anything": {make: func(b *bubble) diag.Diagnostics {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		b.ctx = ctx
		return b.create(wanted)
	}},
	"create/interrupted between tries": {make: func(b *bubble) diag.Diagnostics {
		b.interruptAt(sandbox.OpCreate, 2)
		b.fail(sandbox.OpCreate, -1, sandbox.Status(429, ""))
		return b.create(wanted)
	}},
	"create/out of time before anything": {make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Second)
		b.fail(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		return b.create(wanted)
	}},
	"create/interrupted, after a request was sent": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.InterruptedError{Operation: qod.OperationCreate, Sent: true}))
	}},
	"create/no token to be had": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
		return b.create(wanted)
	}},
	"create/planned elsewhere": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.PlannedElsewhere("https://gateway.example/v1", "https://sandbox.example/v1", ""))
	}},
	"create/quota used up, with Retry-After": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.Error{
			Operation: qod.OperationCreate, Status: http.StatusTooManyRequests, Code: "QUOTA_EXCEEDED", Message: "Out of resource quota.", RetryAfter: 2 * time.Second, Correlator: correlator,
		}))
	}},
	"granted/another profile": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.OtherProfile(qod.Session{ID: lostID, QoSProfile: "QOS_S"}, "QOS_L"))
	}},
	"granted/less": {make: func(*bubble) diag.Diagnostics {
		return one(GrantedLess(qod.Session{ID: lostID, Seconds: 600, ExpiresAt: atKickOff.Add(10 * time.Minute)}, 3600))
	}},
	"granted/more": {make: func(*bubble) diag.Diagnostics {
		return one(GrantedMore(qod.Session{ID: lostID, Seconds: 7200, ExpiresAt: atKickOff.Add(2 * time.Hour)}, 3600))
	}},
	"granted/less, end not known": {make: func(*bubble) diag.Diagnostics {
		return one(GrantedLess(qod.Session{ID: lostID, Seconds: 600}, 3600))
	}},
	"panic": {make: func(*bubble) (diags diag.Diagnostics) {
		defer Catch(&diags)
		panic("index out of range [3] with length 3")
	}},
	"create/proxy that refuses":          {make: unreachable(errDeadProxy)},
	"create/proxy that wants a password": {make: unreachable(errors.New(http.StatusText(http.StatusProxyAuthRequired)))},
	"create/404 of a gateway":            {make: answers(404, kong)},
	"create/404 of the API":              {make: answers(404, `{"status":404,"code":"NOT_FOUND","message":"The device is not known."}`)},
	"create/imported session adopted": {make: func(*bubble) diag.Diagnostics {
		return one(AdoptsConfiguration([]string{"notification_url", "duration"}))
	}},
	"create/imported session narrower": {make: func(*bubble) diag.Diagnostics {
		return one(LeavesOutImported([]string{"application_server.ipv6_address", "device_ports"}))
	}},
	"create/replaced for an unknown value": {make: func(*bubble) diag.Diagnostics {
		return one(ReplacedForUnknown("session", []string{"device.phone_number"}))
	}},
}
