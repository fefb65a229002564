package diagnostics

import (
	"errors"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ResumeFailed reports a wait that an update resumed. An error there does not taint.
func ResumeFailed(err error) diag.Diagnostic {
	if e, ok := errors.AsType[*qod.WaitError](err); ok {
		return ResumingWait.waitFailed(e)
	}
	return ResumingWait.failed(explain(err))
}

const (
	tainted     = "The session is tainted, so the next apply deletes it and requests a new one."
	resumesWait = "The next apply resumes the wait."
)

// waitFailed says how a wait ended, what the state holds now, and what the next apply will do.
func (o Operation) waitFailed(wait *qod.WaitError) diag.Diagnostic {
	var m, last message
	if wait.Err != nil && wait.Reason != qod.WaitInterrupted {
		last = explain(wait.Err)
		last.cause = introduced("The last check failed", last.cause)
	}
	reason := wait.Reason
	if reason == qod.WaitTimeout && wantsToken(wait.Err) {
		reason = qod.WaitUnauthorized // more time would not help
	}
	switch reason {
	case qod.WaitInterrupted:
		m.cause = "The wait for the session was interrupted. The session was requested and is in the state, but may not be available yet."
		m.remedy = resumesWait
		return diag.NewWarningDiagnostic(waitSummary, withSession(m, wait.Last.ID).detail())
	case qod.WaitUnavailable:
		m.cause = "The session is UNAVAILABLE: the network does not give this device the requested quality at present."
		m.remedy = tainted + " Until then it blocks the device. If the next one becomes UNAVAILABLE, too, try another profile or another time."
		if o.updates {
			m.remedy = "The next apply replaces it. Until then it blocks the device."
		}
	case qod.WaitGone:
		m.cause = "The session disappeared from the network while the provider waited for it. Most likely somebody deleted it."
		m.remedy = "The next apply requests a new one."
	case qod.WaitUnauthorized:
		m.cause = joined("The session was requested and is in the state, but whether it became available is unknown.", last.cause)
		m.remedy = joined(last.remedy, tainted+" To keep it, fix the credentials and run terraform untaint; the next apply then resumes the wait.")
		if o.updates {
			m.remedy = joined(last.remedy, resumesWait)
		}
	case qod.WaitTimeout:
		m.cause = joined("The session did not become available in the time allowed (timeouts.create).", last.cause)
		m.remedy = tainted + " If it may still become available, run terraform untaint to keep it; the next apply then resumes the wait."
		if o.updates {
			m.remedy = "It is still requested. " + resumesWait
		}
		m.remedy += " If the network is slow, allow more time."
	}
	if o.windowOver && o.updates && wait.Reason != qod.WaitGone {
		m.remedy = "Its window has closed in the meantime, so the next apply deletes it."
	}
	return o.failed(withSession(m.also(last.facts...), wait.Last.ID))
}

// wantsToken reports whether err is for want of a token that the API accepts.
func wantsToken(err error) bool {
	_, none := errors.AsType[*qod.TokenError](err)
	e, ok := errors.AsType[*qod.Error](err)
	return none || ok && e.Status == http.StatusUnauthorized
}
