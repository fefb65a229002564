package diagnostics

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func explainToken(e *qod.TokenError) message {
	if errors.Is(e, qod.ErrNotRenewable) {
		return notRenewable()
	}
	m := tokenCause(e)
	m.cause = "There is no access token, so nothing was sent to the API. " + m.cause
	if e.Status != 0 {
		m = m.fact("Status", statusText(e.Status))
	}
	return m.fact("Code", e.Code)
}

// tokenCause says why there is no access token.
func tokenCause(e *qod.TokenError) message {
	whom := strings.TrimSpace("the token endpoint " + e.URL)
	subject := capital(whom)
	switch {
	case e.Discovery && IsUntrusted(e.Err):
		return explainNoAnswer(e.URL, e.Err)
	case e.Discovery:
		again := ""
		if mayPass(e.Status) {
			again = "Try again later. "
		}
		return message{
			cause: sentence("The token endpoint could not be found at " + e.URL + discoveryCause(e)),
			remedy: again + "The default hosts are those of the API document; your operator or channel partner may run the API elsewhere. " +
				"Set endpoint (QOD_ENDPOINT) to the host you were given, or token_url (QOD_TOKEN_URL) where that host has no discovery document.",
		}
	case e.Code == "invalid_client" || e.Status == http.StatusUnauthorized:
		return message{
			cause: subject + " refused the client id or its secret." + inWords(e.Description),
			remedy: "Check client_id (QOD_CLIENT_ID) and client_secret (QOD_CLIENT_SECRET), and that they belong to this endpoint (QOD_ENDPOINT). " +
				"The provider asked only once, so as not to lock the client out.",
		}
	case e.Code == "invalid_scope":
		return message{cause: subject + " refused the scopes." + inWords(e.Description), remedy: "Set scopes (QOD_SCOPES) to those your client was given."}
	case e.Code == "unauthorized_client" || e.Code == "unsupported_grant_type":
		return message{
			cause:  subject + " does not give this client tokens for client credentials." + inWords(e.Description),
			remedy: "Ask the operator to allow this client the grant client_credentials.",
		}
	case mayPass(e.Status):
		return message{cause: subject + " failed with " + statusText(e.Status) + "." + inWords(e.Description), remedy: tryAgain}
	case e.Status != 0:
		answered := subject + " answered " + statusText(e.Status)
		if e.Err != nil {
			answered += ": " + e.Err.Error()
		}
		return message{cause: sentence(answered) + inWords(e.Description), remedy: "Check token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)."}
	}
	var network net.Error
	if e.Err != nil && !errors.As(e.Err, &network) && !IsUntrusted(e.Err) && !errors.Is(e.Err, io.EOF) {
		return message{cause: sentence(subject + " gave no token: " + e.Err.Error()), remedy: "Check token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)."}
	}
	m := explainNoAnswer(whom, e.Err)
	if errors.Is(e.Err, context.DeadlineExceeded) {
		m.remedy = tryAgain // it has a limit of its own
	}
	m.remedy = strings.Replace(m.remedy, "endpoint (QOD_ENDPOINT)", "token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)", 1)
	return m
}

func mayPass(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

func discoveryCause(e *qod.TokenError) string {
	switch {
	case e.Err != nil:
		return ": " + e.Err.Error()
	case e.Status != 0:
		return ": the answer was " + statusText(e.Status)
	}
	return ""
}

func notRenewable() message {
	return message{
		cause:  "The API refused the access token. It was given ready-made, so the provider cannot renew it: it may have expired or been revoked.",
		remedy: "Give a new one in QOD_ACCESS_TOKEN (or access_token), or client_id and client_secret, whose tokens the provider renews by itself.",
	}
}
