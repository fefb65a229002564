package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
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
		case qod.OperationRead, qod.OperationList, qod.OperationExtend:
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
	switch e.Status {
	case 0:
		return explainNoAnswer("the API", e.Err)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		m := message{cause: "The API refused the request." + inWords(e.Message), remedy: "Correct the value that the API names, and run Terraform again."}
		if e.Message == "" {
			m.remedy = "It does not say why. Check the values of the resource. If they are right, give the operator " + correlatorBelow + "."
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
			cause:  fmt.Sprintf("These credentials are not allowed to %s sessions, which requires the scope %s.%s", e.Operation, e.Scope, inWords(e.Message)),
			remedy: "Ask the operator to grant this client the scope. If you set scopes (QOD_SCOPES), include it there.",
		}
		if e.SessionID != "" {
			m.remedy += " The API may also answer this way if another client created the session."
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
	case http.StatusConflict, http.StatusLocked, http.StatusTooEarly:
		if e.Operation == qod.OperationDelete {
			return message{
				cause:  "The API does not delete the session yet (" + statusText(e.Status) + ")." + inWords(e.Message),
				remedy: "The network may still be working on the session. Try again in a few minutes. " + giveToSupport,
			}
		}
	case http.StatusTooManyRequests:
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
			remedy: checkProxy + " (Following the redirect would send the access token elsewhere.)",
		}
	case e.Status/100 == 2 && errors.Is(e.Err, context.DeadlineExceeded):
		return message{cause: "The API reported success (" + status + "), but the rest of its answer did not arrive in time.", remedy: slowNetwork}
	case e.Status/100 == 2 && (errors.Is(e.Err, qod.ErrOtherDevice) || errors.Is(e.Err, qod.ErrOtherSession)):
		return message{
			cause:  sentence(fmt.Sprintf("The API reported success (%s), but %v", status, e.Err)),
			remedy: "A gateway may have mixed up two answers: try again. If the problem persists, report it to whoever runs the gateway.",
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

const slowNetwork = "Try again later. If the network is slow, allow more time (request_timeout)."

// explainNoAnswer explains a request to the API or to a token endpoint that got no answer.
func explainNoAnswer(whom string, err error) message {
	text := fmt.Sprint(err)
	var dns *net.DNSError
	switch {
	case throughProxy(err):
		return explainProxy(whom, err)
	case IsUntrusted(err):
		return message{
			cause: sentence("No trusted connection to " + whom + " could be made: " + text),
			remedy: "Check endpoint (QOD_ENDPOINT). Behind a proxy that inspects TLS, add the proxy's certificate authority to those of the system, " +
				"or name it in SSL_CERT_FILE.",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return message{cause: capital(whom) + " did not answer in time.", remedy: slowNetwork}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return message{
			cause:  sentence("The connection to " + whom + " was closed before an answer came: " + text),
			remedy: "Try again later. If the problem persists, check the network, its proxies and firewalls.",
		}
	case errors.As(err, &dns) && dns.IsNotFound:
		return message{
			cause:  sentence(capital(whom) + " could not be reached: " + text),
			remedy: "The host does not exist, or cannot be looked up from here. Check endpoint (QOD_ENDPOINT) and this machine's DNS; behind a proxy, set HTTPS_PROXY.",
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		return message{
			cause:  sentence(capital(whom) + " could not be reached: " + text),
			remedy: "Nothing accepts connections there. Check the host and port of endpoint (QOD_ENDPOINT), and firewalls; behind a proxy, set HTTPS_PROXY.",
		}
	}
	return message{
		cause:  sentence(capital(whom) + " could not be reached: " + text),
		remedy: "Check endpoint (QOD_ENDPOINT), the network and its proxy settings (HTTPS_PROXY, NO_PROXY).",
	}
}

// IsUntrusted reports whether TLS has failed.
func IsUntrusted(err error) bool {
	text := fmt.Sprint(err)
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") || strings.Contains(text, "HTTP response to HTTPS client")
}

func isErrno(err error) bool {
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}

// throughProxy reports whether it was a proxy that failed: it could not be reached, or would not
// connect.
func throughProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "proxyconnect" || strings.HasPrefix(op.Op, "socks")) || refusedByProxy(err) != 0
}

// refusedByProxy is the status with which a proxy refused to connect to an https host; 0 for
// anything else. Package net/http keeps only the text of it.
func refusedByProxy(err error) int {
	if err == nil {
		return 0
	}
	for status := http.StatusMultipleChoices; status < 600; status++ {
		if text := http.StatusText(status); text != "" && strings.EqualFold(err.Error(), text) {
			return status
		}
	}
	return 0
}

func explainProxy(whom string, err error) message {
	switch status := refusedByProxy(err); {
	case status == http.StatusProxyAuthRequired:
		return proxyAuthentication(whom)
	case status != 0:
		return message{
			cause:  fmt.Sprintf("The proxy (HTTPS_PROXY) refused to connect to %s: %s.", whom, statusText(status)),
			remedy: "Ask whoever runs the proxy to allow that host. If it can be reached without the proxy, name it in NO_PROXY.",
		}
	}
	proxy, reason := "The proxy", err
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		reason = op.Err
		if dial, ok := errors.AsType[*net.OpError](op.Err); ok && dial.Addr != nil {
			proxy += " " + dial.Addr.String()
		}
	}
	return message{
		cause:  sentence(fmt.Sprintf("%s (HTTPS_PROXY) could not be reached on the way to %s: %v", proxy, whom, reason)),
		remedy: "Check HTTPS_PROXY. If the host can be reached without the proxy, name it in NO_PROXY.",
	}
}

func proxyAuthentication(whom string) message {
	return message{
		cause:  "The proxy (HTTPS_PROXY) wants a user name and password before it connects to " + whom + " (407 Proxy Authentication Required).",
		remedy: "Put them into HTTPS_PROXY, as in http://USER:PASSWORD@HOST:PORT. If the host can be reached without the proxy, name it in NO_PROXY.",
	}
}
