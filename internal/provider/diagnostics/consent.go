package diagnostics

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	askedOnce = "This run asks nobody a second time."
	askNobody = "If the operator offers a grant that asks nobody, set grant to it (jwt_bearer or client_credentials)."
)

// ofDevice names whose user an error is about.
func ofDevice(d qod.Device) string {
	if d.IsZero() {
		return "the device"
	}
	return fmt.Sprintf("the device (%s)", d)
}

// explainConsent explains why there is no access token for one device. It reports false for what
// has nothing to do with a device.
func explainConsent(e *qod.TokenError, subject string) (message, bool) {
	device := ofDevice(e.Device)
	switch {
	case errors.Is(e, qod.ErrNoDevice):
		return deviceUnknown(), true
	case errors.Is(e, qod.ErrRefusedAgain):
		return message{
			cause: "The API refused the access token of " + device + ", and then the one that replaced it. " + askedOnce,
			remedy: "Check that endpoint (QOD_ENDPOINT) belongs to the authorization server that issues the tokens, and that scopes (QOD_SCOPES) are those that the API requires. " +
				"Then run Terraform again.",
		}, true
	case e.Grant == qod.JWTBearer && e.Code == "invalid_grant":
		return message{
			cause: fmt.Sprintf("%s gave no token for %s, most likely because its user has not consented.%s", subject, device, inWords(e.Description)),
			remedy: "Have the consent recorded with the operator. If there is one, check client_id (QOD_CLIENT_ID), that the public key is registered for this client " +
				"(if under an id, set client_private_key_id), client_assertion_audience (by default the URL above) and this machine's clock.",
		}, true
	case e.Grant != qod.CIBA:
		return message{}, false
	}
	switch e.Code {
	case qod.CodeAccessDenied:
		return message{
			cause:  fmt.Sprintf("The user of %s did not agree, or the operator has no consent for it.%s %s", device, inWords(e.Description), askedOnce),
			remedy: "Have the user agree, or the operator record the consent. Then run Terraform again. " + askNobody,
		}, true
	case qod.CodeExpiredToken:
		return message{
			cause:  fmt.Sprintf("The user of %s was asked for consent, and did not answer in time.%s %s", device, inWords(e.Description), askedOnce),
			remedy: "Have the user look out for the message, and run Terraform again. " + askNobody,
		}, true
	case qod.CodeUnknownUserID:
		return message{
			cause:  fmt.Sprintf("The operator knows no user of %s whom it could ask for consent.%s", device, inWords(e.Description)),
			remedy: "Check the phone number or address, and that the line belongs to this operator. Telefónica's sandbox knows only the lines that you have registered there.",
		}, true
	case "invalid_grant":
		return message{
			cause: fmt.Sprintf("%s does not accept the authentication request (auth_req_id) that the backchannel authentication endpoint has accepted for %s.%s", subject, device, inWords(e.Description)),
			remedy: "Check that token_url (QOD_TOKEN_URL) and backchannel_authentication_url (QOD_BACKCHANNEL_AUTHENTICATION_URL) belong to the same server. " +
				"If they do, run Terraform again, which asks the user again.",
		}, true
	case "invalid_request":
		return message{
			cause: answered(subject, e) + inWords(e.Description),
			remedy: "Check scopes (QOD_SCOPES): some servers require openid among them, others refuse it. If the server wants another parameter, such as resource, set it in token_parameters. " +
				"Otherwise check " + settingsOf(e) + ".",
		}, true
	}
	if _, err := strconv.Atoi(e.Code); err == nil && !isTransient(e.Status) {
		return message{
			cause: answered(subject, e) + inWords(e.Description),
			remedy: "The answer has no OAuth error code, so only its text says why. If that is about the user, have the user of " + device + " agree, or the operator record the consent. " +
				"If it is about the scope, set scopes (QOD_SCOPES); if it is about the client, check client_id (QOD_CLIENT_ID) and its secret or private key.",
		}, true
	}
	return message{}, false
}

// deviceUnknown is where each access token is for one device.
func deviceUnknown() message {
	return message{
		cause: "With this grant, each access token is for one device. The provider does not know which device this is about, or cannot get a token for a device with these identifiers.",
		remedy: "Name the device: for a data source, in its argument device; for an import, as the session's id, a comma and the device. With grant = \"ciba\" it needs a phone number or an IP address, " +
			"with \"jwt_bearer\" a phone number.",
	}
}

// explainPending is where a run ended while a user was being asked. Nothing was sent to the API,
// unless that had refused a token.
func explainPending(err error, pending *qod.PendingConsentError) message {
	device := ofDevice(pending.Device)
	m := message{
		cause:  fmt.Sprintf("The run was interrupted while it waited for the consent of the user of %s.", device),
		remedy: "Run Terraform again, which asks the user again.",
	}
	if e, ok := errors.AsType[*qod.InterruptedError](err); ok && e.Timeout {
		limit := "The user of " + device + " did not agree in the time allowed"
		switch e.Operation {
		case qod.OperationDelete:
			limit += " (timeouts.delete)"
		case qod.OperationCreate, qod.OperationExtend:
			limit += " (timeouts.create)"
		case qod.OperationRead, qod.OperationList, qod.OperationProfiles, qod.OperationConsent:
		}
		m = message{
			cause:  limit + ".",
			remedy: "Allow as much time as the user may take, and run Terraform again, which asks the user again. " + askNobody,
		}
	}
	if refusal, ok := errors.AsType[*qod.Error](err); ok {
		m.cause = "The API refused the access token. " + m.cause
		return withError(m, refusal)
	}
	m.cause += " Nothing was sent to the API."
	return m
}
