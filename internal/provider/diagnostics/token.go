package diagnostics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func explainToken(e *qod.TokenError) message {
	switch {
	case errors.Is(e, qod.ErrNotRenewable):
		return notRenewable("")
	case errors.Is(e, qod.ErrHeadersRefused):
		return headersRefused("")
	}
	m := tokenCause(e)
	m.cause = "There is no access token, so nothing was sent to the API. " + m.cause
	if e.Status != 0 {
		m = m.fact("Status", statusText(e.Status))
	}
	return m.fact("Code", e.Code)
}

const (
	looksLikeProxy = "That looks like a proxy or a login page: check HTTPS_PROXY and NO_PROXY. If there is no proxy, check "
	checkProxy     = looksLikeProxy + "endpoint (QOD_ENDPOINT)."
)

// settingOf names the setting with the endpoint that an error is about.
func settingOf(e *qod.TokenError) string {
	if e.Backchannel {
		return "backchannel_authentication_url (QOD_BACKCHANNEL_AUTHENTICATION_URL)"
	}
	return "token_url (QOD_TOKEN_URL)"
}

// settingsOf are those that decide which endpoint that is.
func settingsOf(e *qod.TokenError) string { return settingOf(e) + " and endpoint (QOD_ENDPOINT)" }

// endpointOf is what the endpoint is.
func endpointOf(e *qod.TokenError) string {
	if e.Backchannel {
		return "the backchannel authentication endpoint"
	}
	return "the token endpoint"
}

// tokenCause says why there is no access token.
func tokenCause(e *qod.TokenError) message {
	if e.Discovery {
		return discoveryCause(e)
	}
	whom := strings.TrimSpace(endpointOf(e) + " " + e.URL)
	subject, settings := capital(whom), settingsOf(e)
	checkURL, checkTokenProxy := "Check "+settings+".", looksLikeProxy+settings+"."
	if m, ok := explainConsent(e, subject); ok {
		return m
	}
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return proxyAuthentication(originOf(e.URL))
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return loginPortal(originOf(e.URL))
	case e.Code == "invalid_client" || e.Status == http.StatusUnauthorized:
		return clientRefused(subject, e)
	case e.Code == "invalid_scope":
		m := message{
			cause:  subject + " refused the scopes." + inWords(e.Description),
			remedy: "Set scopes (or QOD_SCOPES, separated by spaces) to the scopes granted to your client.",
		}
		if e.Device.IsZero() {
			m.remedy += " If it may not ask for any, set scopes = []."
		}
		return m
	case e.Code == "invalid_request" || e.Code == "invalid_target": // RFC 8707 §2
		return message{
			cause:  answered(subject, e) + inWords(e.Description),
			remedy: "If the server wants another parameter, such as audience or resource, set it in token_parameters. Otherwise check " + settings + ".",
		}
	case e.Code == "unauthorized_client" || e.Code == "unsupported_grant_type":
		return message{
			cause:  fmt.Sprintf("%s does not allow this client to use the grant %s.%s", subject, cmp.Or(e.Grant, qod.ClientCredentials), inWords(e.Description)),
			remedy: "Ask the operator to allow it.",
		}
	case isTransient(e.Status):
		return message{cause: subject + " failed with " + statusText(e.Status) + "." + inWords(e.Description), remedy: tryAgain}
	case e.Status/100 == 3:
		return message{cause: answered(subject, e), remedy: checkTokenProxy}
	case e.Status != 0:
		return message{cause: answered(subject, e) + inWords(e.Description), remedy: checkURL + mayBeProxy(e)}
	case errors.Is(e.Err, qod.ErrNotJSON):
		return message{
			cause:  sentence(subject + " gave no token: " + e.Err.Error()),
			remedy: checkTokenProxy,
		}
	case e.Err != nil && !gotNoAnswer(e.Err):
		return message{cause: sentence(subject + " gave no token: " + e.Err.Error()), remedy: checkURL}
	}
	m := noAnswerFrom(server{whom, settings, false}, e)
	if errors.Is(e.Err, context.DeadlineExceeded) {
		m.remedy = tryAgain // it has a limit of its own
	}
	return m
}

// clientRefused names how the client has proved who it is, as a server may want it done otherwise,
// and answers that with the same code.
func clientRefused(subject string, e *qod.TokenError) message {
	m := message{
		cause: fmt.Sprintf("%s refused the client id or its secret, which was sent with %s.", subject, e.Method),
		remedy: "Check client_id (QOD_CLIENT_ID) and client_secret (QOD_CLIENT_SECRET), and that they belong to this endpoint (QOD_ENDPOINT)." +
			otherMethods(e, "If they do, the server may want another method:"),
	}
	byAssertion := e.Grant == qod.JWTBearer // which is no method of the discovery document
	if byAssertion {
		m = message{
			cause: subject + " refused the client id, or the assertion signed with client_private_key (jwt_bearer).",
			remedy: "Check client_id (QOD_CLIENT_ID), that the public key is registered for this client (if under an id, set client_private_key_id), " +
				"client_assertion_audience (by default the URL above) and this machine's clock. If all that is right, ask the operator whether this client may use the grant jwt_bearer.",
		}
	} else if e.Method == qod.PrivateKeyJWT {
		m = message{
			cause: subject + " refused the client id, or the assertion signed with client_private_key (private_key_jwt).",
			remedy: "Check client_id (QOD_CLIENT_ID), that the public key is registered for this client (if under an id, set client_private_key_id), " +
				"client_assertion_audience (by default the URL above) and this machine's clock." + otherMethods(e, "If the server wants a secret,"),
		}
	}
	m.cause += inWords(e.Description)
	if !byAssertion && len(e.Offered) > 0 && !slices.Contains(e.Offered, string(e.Method)) {
		m.cause += fmt.Sprintf(" Its discovery document does not offer %s, only %s.", e.Method, enumerated(e.Offered))
	}
	m.remedy += mayBeProxy(e) + " The provider asked only once, so as not to lock the client out."
	return m
}

// otherMethods says how to use another method that the server may want, if there is any.
func otherMethods(e *qod.TokenError, when string) string {
	var others []string
	for _, method := range qod.AuthMethods() {
		if method == e.Method || len(e.Offered) > 0 && !slices.Contains(e.Offered, string(method)) {
			continue
		}
		name := string(method)
		if method == qod.PrivateKeyJWT {
			name += " with client_private_key"
		}
		others = append(others, name)
	}
	switch {
	case len(others) > 0:
		return " " + when + " set token_endpoint_auth_method to " + strings.Join(others, " or to ") + "."
	case slices.Contains(e.Offered, string(e.Method)):
		return ""
	}
	return " The provider supports none of the methods that the server offers: ask the operator for another one."
}

// mayBeProxy is advice for an answer that is not in the words of OAuth (RFC 6749 §5.2).
func mayBeProxy(e *qod.TokenError) string {
	if e.Code != "" || e.Description != "" {
		return ""
	}
	return " If that is all right, a proxy may have answered in the server's place (HTTPS_PROXY, NO_PROXY)."
}

// discoveryCause says why the token endpoint is not known. Only a default host that does not answer
// for the API speaks for another endpoint; whatever stands between is named first.
func discoveryCause(e *qod.TokenError) message {
	notFound := capital(endpointOf(e)) + " could not be discovered at " + e.URL
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return proxyAuthentication(originOf(e.URL))
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return loginPortal(originOf(e.URL))
	case e.Status/100 == 3:
		return message{cause: answered("A proxy or gateway answered in place of "+e.URL+": it", e), remedy: checkProxy}
	case errors.Is(e.Err, qod.ErrNotJSON):
		return message{cause: sentence("A proxy or gateway may have answered in place of " + e.URL + ": " + e.Err.Error()), remedy: checkProxy}
	case e.Status == http.StatusNotFound && e.DocumentHost:
		return message{cause: sentence(notFound + ": " + failureOf(e)), remedy: mayBeElsewhere}
	case isTransient(e.Status):
		return message{cause: sentence(notFound + ": " + failureOf(e)), remedy: tryAgain}
	case e.Err != nil && gotNoAnswer(e.Err):
		return noAnswerFrom(server{"the discovery document " + e.URL, endpointSetting, e.DocumentHost}, e)
	case e.Status != 0:
		return message{
			cause: sentence(notFound + ": " + failureOf(e)),
			remedy: "Check the host of endpoint (QOD_ENDPOINT), and whether a proxy has answered in its place (HTTPS_PROXY, NO_PROXY). " +
				"If that host publishes no discovery document, set " + settingOf(e) + ".",
		}
	}
	return message{
		cause:  sentence(notFound + ": " + failureOf(e)),
		remedy: "Set " + settingOf(e) + " to " + endpointOf(e) + " that you were given, or check endpoint (QOD_ENDPOINT).",
	}
}

func failureOf(e *qod.TokenError) string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return "the answer was " + statusText(e.Status)
}

// noAnswerFrom names the host alone where a proxy is to blame, which knows nothing else.
func noAnswerFrom(s server, e *qod.TokenError) message {
	if throughProxy(e.Err) {
		return explainProxy(originOf(e.URL), e.Err)
	}
	return explainNoAnswer(s, e.Err)
}

// answered says what status came, and what is known besides.
func answered(subject string, e *qod.TokenError) string {
	text := subject + " answered " + statusText(e.Status)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return sentence(text)
}

// gotNoAnswer tells a request without an answer from an answer that is wrong.
func gotNoAnswer(err error) bool {
	var network net.Error
	return errors.As(err, &network) || IsUntrusted(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || throughProxy(err) || isErrno(err)
}

// originOf is scheme and host of an endpoint.
func originOf(endpoint string) string {
	scheme, rest, _ := strings.Cut(endpoint, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

func isTransient(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// notRenewable is about a static token. The words are the API's.
func notRenewable(words string) message {
	return message{
		cause: "The API refused the access token. It is a static access token, which the provider cannot renew: it may have expired or been revoked." + inWords(words),
		remedy: "Set a new one in QOD_ACCESS_TOKEN (or access_token), or use client_id and client_secret, whose tokens the provider renews by itself. " +
			"If a gateway in front of the API requires a key as well, set headers (QOD_HEADERS).",
	}
}

// headersRefused is about headers that are the only credentials. The words are the API's.
func headersRefused(words string) message {
	return message{
		cause: "The API refused the headers, which are the only credentials." + inWords(words),
		remedy: "Check headers (QOD_HEADERS): the names and values that the API's gateway requires, and that the key belongs to this endpoint (QOD_ENDPOINT). " +
			"If the API requires an access token as well, set client_id and client_secret.",
	}
}
