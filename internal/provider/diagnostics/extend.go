package diagnostics

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ExtendFailed reports that a session was not extended, or perhaps was. It stays in the state as it
// is. The next apply reads its end before it asks again, so that nothing is added twice.
func (o Operation) ExtendFailed(id string, err error) diag.Diagnostic {
	m := explain(err)
	e, failed := errors.AsType[*qod.Error](err)
	interruption, interrupted := errors.AsType[*qod.InterruptedError](err)
	switch {
	case qod.IsGone(err):
		m.cause = "The session is gone, so it cannot be extended."
		m.remedy = "Run Terraform again: the next plan requests a new session."
	case errors.Is(err, qod.ErrNoEnd):
		m.cause = "The API does not show when the session ends, so it is not known by how much to extend it."
		m.remedy = "To replace the session by a longer one: terraform apply -replace='ADDRESS' (" + addressAbove + ")."
	case errors.Is(err, qod.ErrStillRequested):
		m.cause = "The session is still REQUESTED, and the API extends only an AVAILABLE one. Nothing was requested."
		m.remedy = "Run Terraform again when it is AVAILABLE: the extension stays planned. If the network needs longer, allow more time (timeouts.create)."
	case interrupted && interruption.Sent:
		m.cause = joined("The extension was requested, but the API has not confirmed it.", m.cause)
		m.remedy = "Run Terraform again: it looks at the end of the session first, and asks only for what is missing."
	case failed && e.Operation == qod.OperationExtend && slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, e.Status):
		m.cause = "The API did not accept the request to extend the session (" + statusText(e.Status) + ")." + inWords(e.Message)
		m.remedy = "The API may not offer extensions: ask the operator. To replace the session by a longer one: terraform apply -replace='ADDRESS' (" + addressAbove + ")."
		if e.PerDevice && e.Status == http.StatusNotFound {
			m.remedy = joined(deviceFirst, m.remedy)
		}
	case failed && e.Status == http.StatusConflict:
		m.cause = "The API does not extend the session in its present state (409)." + inWords(e.Message)
		m.remedy = "It extends only an AVAILABLE session. Run Terraform again: the next plan shows what has become of it."
	}
	return o.failed(withSession(m, id))
}

// NotExtended reports that a session, which a plan extends, is not there any more or not AVAILABLE,
// by the status of the resource.
func (o Operation) NotExtended(id, status string) diag.Diagnostic {
	return o.failed(withSession(message{
		cause:  "The plan extends a session that cannot be extended any more: since the plan was made, it has ended, or its window has. Nothing was requested.",
		remedy: "Plan and apply again: the new plan shows what is needed now.",
	}.fact("Status", status), id))
}

// ExtensionPending warns of a session that ends before its window although the API can extend
// sessions. Again is when it is asked again; zero if it has granted all that it does.
func ExtensionPending(until, endsAt, sessionID string, again time.Time) diag.Diagnostic {
	m := message{
		cause:  fmt.Sprintf("The session lasts %s, but the window is open until %s. The network does not let this session last longer.", until, endsAt),
		remedy: "The first run of Terraform after the session has ended reserves the rest, so there is a gap until that run: schedule one.",
	}
	if !again.IsZero() {
		m.cause = fmt.Sprintf("The session lasts %s, but the window is open until %s. The network grants no more at a time.", until, endsAt)
		m.remedy = fmt.Sprintf("Schedule a run of Terraform after %s and before the session ends: it asks the network to extend the session.", instantText(again))
	}
	return warning("ends_at", "QoS Session Ends Before Its Window", m.fact("Session", sessionID))
}

// ExtensionFailed tells, beside an error that says why, when a session ends that was not extended.
func ExtensionFailed(until, endsAt, sessionID string) diag.Diagnostic {
	return warning("ends_at", "QoS Session Ends Before Its Window", message{
		cause:  fmt.Sprintf("The session lasts %s, but the window is open until %s. It was not extended.", until, endsAt),
		remedy: "Run Terraform again before the session ends: it asks the network to extend the session.",
	}.fact("Session", sessionID))
}

// ExtendedMore warns of an extension that the network has granted for longer than was requested.
func ExtendedMore(s qod.Session, until time.Time) diag.Diagnostic {
	return diag.NewWarningDiagnostic("QoS Session Extended by More Than Requested", message{
		cause: fmt.Sprintf("The session was to last until %s, but the network has extended it until %s, and may bill it until then. A proxy or gateway may have sent the request twice.",
			instantText(until), instantText(s.ExpiresAt)),
		remedy: "To replace the session by a shorter one: terraform apply -replace='ADDRESS' (" + addressAbove + ").",
	}.fact("Session", s.ID).detail())
}

// ExtendedLess warns of an extension that the network has granted only in part, or not at all.
func ExtendedLess(s qod.Session, until time.Time) diag.Diagnostic {
	return diag.NewWarningDiagnostic("QoS Session Extended by Less Than Requested", message{
		cause: fmt.Sprintf("The session was to last until %s, but the network grants it only until %s. The profile %s may not allow more at a time.",
			instantText(until), instantText(s.ExpiresAt), s.QoSProfile),
		remedy: "The first apply after the session has ended requests a new one.",
	}.fact("Session", s.ID).detail())
}
