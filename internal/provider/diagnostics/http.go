package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	tryAgain        = "Try again later. If the problem persists, contact the operator."
	correlatorBelow = "the x-correlator below"
	giveToSupport   = "If the problem persists, give the operator " + correlatorBelow + "."

	behindCache = "A cache or proxy answers in the API's place. Ask whoever runs it not to cache the API: every request says so (Cache-Control: no-cache)."
)

func explainInterruption(e *qod.InterruptedError) message {
	m := message{cause: "The run was interrupted."}
	if e.Operation != qod.OperationDelete { // whose remedy says so itself
		m.remedy = "Run Terraform again."
	}
	if e.Operation == qod.OperationCreate && e.Sent {
		m.remedy = LookFirst
	}
	if e.Timeout {
		m = message{cause: "The API gave no usable answer in the time allowed.", remedy: tryAgain}
		switch e.Operation {
		case qod.OperationCreate:
			m = message{cause: "The session could not be requested in the time allowed (timeouts.create).", remedy: "If the network is slow, allow more time."}
		case qod.OperationDelete:
			m = message{cause: "The session could not be deleted in the time allowed (timeouts.delete).", remedy: "If the network is slow, allow more time."}
		case qod.OperationRead, qod.OperationList, qod.OperationExtend, qod.OperationProfiles, qod.OperationConsent:
		}
	}
	if e.Err == nil {
		return m
	}
	last := explain(e.Err)
	return message{
		cause:  joined(m.cause, introduced("The last failure", last.cause)),
		remedy: last.remedy,
		facts:  last.facts,
	}
}

func explainError(e *qod.Error) message {
	wait := ""
	if e.RetryAfter > 0 {
		wait = " It asks clients to wait " + waitText(e.RetryAfter) + "."
	}
	if m, ok := explainRefusal(e); ok {
		return m
	}
	switch e.Status {
	case 0:
		if errors.Is(e.Err, qod.ErrNoDevice) {
			return deviceUnknown()
		}
		return explainNoAnswer(server{"the API", endpointSetting, e.DocumentHost}, e.Err)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		m := message{cause: "The API refused the request." + inWords(e.Message), remedy: "Correct the value that the API names, and run Terraform again."}
		if e.Message == "" {
			m.remedy = "It does not say why. Check the values of the resource. If they are right, give the operator " + correlatorBelow + "."
		}
		return m
	case http.StatusUnauthorized:
		switch {
		case errors.Is(e, qod.ErrNotRenewable):
			return notRenewable(e.Message)
		case errors.Is(e, qod.ErrHeadersRefused):
			return headersRefused(e.Message)
		}
		if token, ok := errors.AsType[*qod.TokenError](e.Err); ok {
			m := tokenCause(token)
			if errors.Is(token, qod.ErrRefusedAgain) {
				return m
			}
			m.cause = "The API refused the access token, and there is no new one. " + m.cause
			return m
		}
		m := message{
			cause: "The API refused the access token, and a new one as well." + inWords(e.Message),
			remedy: "Check that the client (QOD_CLIENT_ID) and the scopes (QOD_SCOPES) belong to this endpoint (QOD_ENDPOINT). " +
				"If a gateway in front of the API requires a key as well, set headers (QOD_HEADERS).",
		}
		if e.Code == "" && e.Message == "" {
			m.remedy += " If that is all right, a proxy may have answered in the API's place (HTTPS_PROXY, NO_PROXY)."
		}
		return m
	case http.StatusForbidden:
		if e.PerDevice && e.SessionID != "" {
			return refusedForDevice(e)
		}
		if e.Scope == "" {
			return message{
				cause:  fmt.Sprintf("The API does not allow these headers, which are the only credentials, to %s sessions.%s", e.Operation, inWords(e.Message)),
				remedy: "Check headers (QOD_HEADERS), and that their key is subscribed to this API at this endpoint (QOD_ENDPOINT).",
			}
		}
		m := message{
			cause:  fmt.Sprintf("These credentials are not allowed to %s, which requires the scope %s.%s", work(e.Operation), e.Scope, inWords(e.Message)),
			remedy: "Ask the operator to grant this client the scope. If you set scopes (QOD_SCOPES), include it there.",
		}
		if e.SessionID != "" {
			m.remedy += " The API may also answer this way if another client created the session."
		}
		if e.Code == "" && e.Message == "" {
			m.remedy += " " + mayBeFirewall
		}
		return m
	case http.StatusNotFound:
		switch {
		case e.Message == "":
			return message{
				cause:  "The answer was 404 Not Found, and does not look like the API's own.",
				remedy: "Either endpoint (QOD_ENDPOINT) or api_path (QOD_API_PATH) is wrong, or a proxy has answered in the API's place (HTTPS_PROXY, NO_PROXY). Check all of them.",
			}
		case e.Code == "":
			return message{
				cause:  "The answer was 404 Not Found." + inWords(e.Message),
				remedy: "Check endpoint (QOD_ENDPOINT) and api_path (QOD_API_PATH): a gateway in front of the API does not seem to know the path that they make.",
			}
		}
		return message{cause: "The API answered 404 Not Found." + inWords(e.Message), remedy: "Check the value that the API names, endpoint (QOD_ENDPOINT) and api_path (QOD_API_PATH)."}
	case http.StatusProxyAuthRequired:
		return proxyAuthentication("the API")
	case http.StatusNetworkAuthenticationRequired:
		return loginPortal("the API")
	case http.StatusConflict, http.StatusLocked, http.StatusTooEarly:
		if e.Operation == qod.OperationDelete {
			return message{
				cause:  "The API does not delete the session yet (" + statusText(e.Status) + ")." + inWords(e.Message),
				remedy: "The network may still be working on the session. Try again in a few minutes. " + giveToSupport,
			}
		}
	case http.StatusTooManyRequests:
		if isQuota(e) && !qod.IsRateLimit(e) {
			return message{cause: "The quota of this client is used up (429)." + inWords(e.Message) + wait, remedy: laterThanLimit(e)}
		}
		return message{cause: "The API is limiting requests (429)." + inWords(e.Message) + wait, remedy: laterThanLimit(e)}
	}
	status := statusText(e.Status)
	switch {
	case e.Status/100 == 3:
		where := "a redirect, which is not followed"
		if e.Err != nil {
			where = e.Err.Error()
		}
		return message{
			cause:  sentence("The API answered " + status + ": " + where),
			remedy: checkProxy + " (Following the redirect would send the credentials elsewhere.)",
		}
	case e.Status/100 == 2 && errors.Is(e.Err, context.DeadlineExceeded):
		return message{cause: "The API reported success (" + status + "), but the rest of its answer did not arrive in time.", remedy: slowNetwork}
	case e.Status/100 == 2 && (errors.Is(e.Err, qod.ErrOtherDevice) || errors.Is(e.Err, qod.ErrOtherSession)):
		return message{
			cause:  sentence(fmt.Sprintf("The API reported success (%s), but %v", status, e.Err)),
			remedy: "A gateway may have mixed up two answers: try again. If the problem persists, report it to whoever runs the gateway, unless that is a mock, which answers each read with an example.",
		}
	case e.Status/100 == 2:
		return message{
			cause:  sentence(fmt.Sprintf("The API reported success (%s), but %v", status, e.Err)),
			remedy: "A gateway, a proxy or a login page may have answered in the API's place. Check endpoint (QOD_ENDPOINT) and the proxy settings (HTTPS_PROXY, NO_PROXY).",
		}
	case e.Status >= 500:
		return message{cause: "The API failed with " + status + "." + inWords(e.Message) + wait, remedy: "Try again later. " + giveToSupport}
	}
	return message{cause: "The API refused the request with " + status + "." + inWords(e.Message), remedy: "Check endpoint (QOD_ENDPOINT). If it is right, give the operator " + correlatorBelow + "."}
}

// deviceFirst is what to check first where each access token is for one device.
const deviceFirst = "First check the device, that of the resource or the one that an import names: the session has to be for it."

// refusedForDevice is where each access token is for one device, so that the first question about a
// session that it may not touch is whose the session is.
func refusedForDevice(e *qod.Error) message {
	m := message{
		cause: fmt.Sprintf("The API does not allow the access token, which is for one device, to %s this session, which may be for another device.%s", e.Operation, inWords(e.Message)),
		remedy: deviceFirst + " If that is right, another client may have created the session, or this one lacks the scope " + e.Scope +
			": ask the operator. If you set scopes (QOD_SCOPES), include it there.",
	}
	if e.Code == "" && e.Message == "" {
		m.remedy += " " + mayBeFirewall
	}
	return m
}

// mayBeFirewall is advice for a 403 that is not in the words of the API.
const mayBeFirewall = "If all that is right, a proxy or firewall may have answered in the API's place (HTTPS_PROXY, NO_PROXY)."

// work is what an operation does.
func work(op qod.Operation) string {
	if op == qod.OperationProfiles {
		return string(op)
	}
	return string(op) + " sessions"
}

// laterThanLimit says when to try again after a 429, and what else may help: fewer requests at a
// time help against a rate limit, but not against a quota, nor a single request.
func laterThanLimit(e *qod.Error) string {
	switch {
	case e.RetryAfter >= time.Minute:
		return "Try again in " + waitText(e.RetryAfter) + "." + ifQuota(e)
	case isQuota(e), e.Operation == qod.OperationList:
		return "Try again later." + ifQuota(e)
	}
	return "Try again later, or run Terraform with a lower -parallelism."
}

func isQuota(e *qod.Error) bool { return strings.Contains(e.Code, "QUOTA") }

func ifQuota(e *qod.Error) string {
	switch {
	case isQuota(e):
		return " Ask the operator about the quota of this client."
	case e.RetryAfter >= time.Minute:
		return " If this is a quota, ask the operator."
	}
	return ""
}
