package diagnostics

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// LookFirst is the advice where a session may exist that no state has.
const LookFirst = "Before the next apply, list the sessions (data source qod_sessions), if the API can: one that is not in the state may be live."

// CreateFailed reports an operation that did not end with an available session.
func (o Operation) CreateFailed(err error) diag.Diagnostic {
	if wait, ok := errors.AsType[*qod.WaitError](err); ok {
		return o.waitFailed(wait)
	}
	if lost, ok := errors.AsType[*qod.UnresolvedError](err); ok {
		o.perDevice = lost.PerDevice
		return o.failed(o.unresolved(lost))
	}
	if taken, ok := errors.AsType[*qod.ConflictError](err); ok {
		o.perDevice = taken.PerDevice
		return o.failed(o.conflict(taken))
	}
	m := explain(err)
	if e, ok := errors.AsType[*qod.Error](err); ok && qod.IsRateLimit(err) && e.RetryAfter > 0 && o.timeout != "" && !isInterruption(err) {
		// A create repeats it for as long as it has time.
		m.cause += " That is longer than the time left (timeouts.create)."
		m.remedy = "Allow more time, or apply again in " + waitText(e.RetryAfter) + "." + ifQuota(e)
	}
	switch {
	case isFault(err):
		m.remedy = joined(LookFirst, m.remedy)
	case madeNothing(err):
		m.cause += " No session was created."
	}
	return o.failed(m)
}

// madeNothing reports whether err, of a create, proves that the network made no session.
func madeNothing(err error) bool {
	if e, ok := errors.AsType[*qod.InterruptedError](err); ok {
		return !e.Sent
	}
	if e, ok := errors.AsType[*qod.Error](err); ok {
		return e.Status/100 != 2 && e.Status < 500 || e.Status == http.StatusNotImplemented // see the dialects
	}
	_, noToken := errors.AsType[*qod.TokenError](err)
	_, unknown := errors.AsType[*UnknownConfigurationError](err)
	_, missing := errors.AsType[*MissingCredentialsError](err)
	return noToken || unknown || missing || errors.Is(err, qod.ErrWindowClosed)
}

func isInterruption(err error) bool {
	_, ok := errors.AsType[*qod.InterruptedError](err)
	return ok
}

func isFault(err error) bool {
	_, ok := errors.AsType[*qod.PanicError](err)
	return ok
}

func (o Operation) OtherProfile(s qod.Session, asked string) diag.Diagnostic {
	next := tainted
	if o.updates {
		next = "The next apply deletes it and requests a new one."
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("qos_profile"), o.summary, message{
		cause:  fmt.Sprintf("The network created the session with the profile %s instead of %s.", s.QoSProfile, asked),
		remedy: next + " If the network does not offer that profile for this device, set qos_profile to the one that it offers.",
	}.fact("Session", s.ID).detail())
}

// GrantedInThePast reports a session that was over, by its own account, when it was made: to leave
// it at that would buy another one in every apply, without a word.
func (o Operation) GrantedInThePast(s qod.Session) diag.Diagnostic {
	return o.failed(message{
		cause:  fmt.Sprintf("The network shows the session as %s until %s, which has passed by its own clock. Whether the device has the requested quality is unknown.", s.Status, instantText(s.ExpiresAt)),
		remedy: tainted + " Report this to the operator. To keep the session anyway, run terraform untaint.",
	}.fact("Session", s.ID))
}

// GrantedLess warns of a session that is shorter than requested.
func GrantedLess(s qod.Session, asked int64) diag.Diagnostic {
	end := ""
	if !s.ExpiresAt.IsZero() {
		end = " The session ends at " + s.ExpiresAt.UTC().Format(time.RFC3339) + "."
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("duration"), "QoS Session Shorter Than Requested", message{
		cause:  fmt.Sprintf("The network granted %d of %d seconds.%s", s.Seconds, asked, end),
		remedy: "The first apply after the session has ended requests a new one.",
	}.fact("Session", s.ID).detail())
}

// GrantedMore warns of a session that is longer than requested, and billed for longer.
func GrantedMore(s qod.Session, asked int64) diag.Diagnostic {
	end := ""
	if !s.ExpiresAt.IsZero() {
		end = " The session ends at " + instantText(s.ExpiresAt) + "."
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("duration"), "QoS Session Longer Than Requested", message{
		cause:  fmt.Sprintf("The network granted %d seconds, although %d were requested, and may bill them all.%s", s.Seconds, asked, end),
		remedy: "To end it earlier, delete it in time: remove the resource from the configuration and apply.",
	}.fact("Session", s.ID).detail())
}
