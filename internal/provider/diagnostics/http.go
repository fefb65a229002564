package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	tryAgain      = "Try again later. If it goes on, ask the operator."
	giveToSupport = "If it goes on, give the operator the x-correlator below."
)

const behindCache = "A cache or proxy in front of the API answers in its place. Ask whoever runs it not to cache the API: every request says so (Cache-Control: no-cache)."

func explainInterruption(e *qod.InterruptedError) message {
	m := message{cause: "The run was interrupted."}
	if e.Operation != qod.OperationDelete { // whose remedy says so itself
		m.remedy = "Run Terraform again."
	}
	if e.Timeout {
		m = message{cause: "The API gave no usable answer in the time allowed.", remedy: tryAgain}
		switch e.Operation {
		case qod.OperationCreate:
			m = message{cause: "The session could not be requested in the time allowed (timeouts.create).", remedy: "Where the network is slow, allow more time."}
		case qod.OperationDelete:
			m = message{cause: "The session could not be deleted in the time allowed (timeouts.delete).", remedy: "Where the network is slow, allow more time."}
		case qod.OperationRead, qod.OperationList:
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
		wait = " It asks to wait " + waitText(e.RetryAfter) + "."
	}
	switch e.Status {
	case 0:
		return explainNoAnswer("the API", e.Err)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		m := message{cause: "The API refused the request." + inWords(e.Message), remedy: "Correct what it names, and run Terraform again."}
		if e.Message == "" {
			m.remedy = "It does not say why. Check the values of the resource; if they are right, give the operator the x-correlator below."
		}
		return m
	case http.StatusUnauthorized:
		if errors.Is(e, qod.ErrNotRenewable) {
			return notRenewable()
		}
		if token, ok := errors.AsType[*qod.TokenError](e.Err); ok {
			m := tokenCause(token)
			m.cause = "The API refused the access token, and there is no new one. " + m.cause
			return m
		}
		return message{
			cause:  "The API refused the access token, and a new one as well." + inWords(e.Message),
			remedy: "Check that the credentials (QOD_CLIENT_ID, QOD_CLIENT_SECRET) and the scopes (QOD_SCOPES) belong to this endpoint (QOD_ENDPOINT).",
		}
	case http.StatusForbidden:
		m := message{
			cause:  fmt.Sprintf("The API does not let these credentials %s sessions; that takes the scope %s.%s", e.Operation, e.Scope, inWords(e.Message)),
			remedy: "Ask the operator to grant this client the scope. If you set scopes (QOD_SCOPES), the scope has to be among them.",
		}
		if e.SessionID != "" {
			m.remedy += " The API may also answer like this because another client made the session."
		}
		return m
	case http.StatusNotFound:
		m := message{cause: "The API answered 404 Not Found." + inWords(e.Message), remedy: "Check what it names, and endpoint (QOD_ENDPOINT)."}
		if e.Message == "" {
			m = message{
				cause:  "The answer was 404 Not Found, and does not look like the API's own.",
				remedy: "Either the path of endpoint (QOD_ENDPOINT) is wrong, or a proxy has answered instead of the API. Check both.",
			}
		}
		return m
	case http.StatusConflict, http.StatusLocked, http.StatusTooEarly:
		if e.Operation == qod.OperationDelete {
			return message{
				cause:  "The API does not delete the session yet (" + statusText(e.Status) + ")." + inWords(e.Message),
				remedy: "It may be at work on the session. Try again in a few minutes. " + giveToSupport,
			}
		}
	case http.StatusTooManyRequests:
		return message{cause: "The API takes no more requests for now." + inWords(e.Message) + wait, remedy: "Try again later, or with a smaller -parallelism."}
	}
	status := statusText(e.Status)
	switch {
	case e.Status/100 == 3:
		where := "a redirect, which is not followed"
		if e.Err != nil {
			where = e.Err.Error()
		}
		return message{
			cause: sentence("The API answered " + status + ": " + where),
			remedy: "Following it would carry the access token elsewhere. Set endpoint (QOD_ENDPOINT) to where the API really is. " +
				"If it leads to a login page, a proxy has answered instead of the API.",
		}
	case e.Status/100 == 2 && errors.Is(e.Err, context.DeadlineExceeded):
		return message{cause: "The API reported success (" + status + "), but the rest of its answer did not arrive in time.", remedy: "Try again later. Where the network is slow, allow more time (request_timeout)."}
	case e.Status/100 == 2:
		return message{
			cause:  sentence(fmt.Sprintf("The API reported success (%s), but %v", status, e.Err)),
			remedy: "A gateway, a proxy or a login page may have answered instead of the API. Check endpoint (QOD_ENDPOINT) and the proxy settings (HTTPS_PROXY, NO_PROXY).",
		}
	case e.Status >= 500:
		return message{cause: "The API failed with " + status + "." + inWords(e.Message) + wait, remedy: "Try again later. " + giveToSupport}
	}
	return message{cause: "The API refused the request with " + status + "." + inWords(e.Message), remedy: "Check endpoint (QOD_ENDPOINT). If it is right, give the operator the x-correlator below."}
}

// explainNoAnswer explains a request to the API or to a token endpoint that got no answer.
func explainNoAnswer(whom string, err error) message {
	text := fmt.Sprint(err)
	switch {
	case IsUntrusted(err):
		return message{
			cause: sentence("No trusted connection to " + whom + " could be made: " + text),
			remedy: "Check endpoint (QOD_ENDPOINT). Behind a proxy that inspects TLS, add the proxy's certificate authority to those of the system, " +
				"or name it in SSL_CERT_FILE.",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return message{cause: capital(whom) + " did not answer in time.", remedy: "Try again later. Where the network is slow, allow more time (request_timeout)."}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return message{
			cause:  sentence("The connection to " + whom + " was closed before an answer came: " + text),
			remedy: "Try again later. If it goes on, check the network, its proxies and firewalls.",
		}
	}
	return message{
		cause:  sentence(capital(whom) + " could not be reached: " + text),
		remedy: "Check endpoint (QOD_ENDPOINT), the network and its proxy settings (HTTPS_PROXY, NO_PROXY).",
	}
}

// IsUntrusted reports whether a connection failed for its TLS.
func IsUntrusted(err error) bool {
	text := fmt.Sprint(err)
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") || strings.Contains(text, "HTTP response to HTTPS client")
}
