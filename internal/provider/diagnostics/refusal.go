package diagnostics

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// refusals are what to make of the codes of CAMARA's documents that say more than their HTTP
// status, by the part of the code behind its last dot: versions differ in what precedes it.
var refusals = map[string]message{
	"IDENTIFIER_NOT_FOUND": {
		cause:  "The operator knows no such device.",
		remedy: "Check that the device's line belongs to this operator, and that its number or address is right. An address must be the one that the device has now.",
	},
	"SERVICE_NOT_APPLICABLE": {
		cause:  "The operator does not offer quality on demand for this device.",
		remedy: "Ask the operator whether the device's subscription includes the service.",
	},
	"NOT_IMPLEMENTED": {
		cause:  "The operator does not offer quality on demand for this device.",
		remedy: "Ask the operator whether the device's subscription includes the service.",
	},
	"OUT_OF_RANGE": {
		cause:  "A number in the request, most likely the duration, is not in the range that the operator allows.",
		remedy: "Choose a duration within the limits of the profile, which the data source qod_profiles shows, and check the ports.",
	},
	"UNSUPPORTED_IDENTIFIER": {
		cause:  "The operator does not support this kind of device identifier.",
		remedy: "Identify the device in another way, such as by phone_number.",
	},
	"MISSING_IDENTIFIER": {
		cause: "The API cannot tell which device is meant.",
		remedy: "Identify the device by phone_number, by ipv4_address with public_port, or by ipv6_address. " +
			"If requests leave it out because each access token is for one device, and this gateway wants it nevertheless: device_in_requests = true (QOD_DEVICE_IN_REQUESTS).",
	},
	"UNNECESSARY_IDENTIFIER": {
		cause: "The access token is for one device, and the API then accepts no device in the request.",
		remedy: "Leave the device out of requests: device_in_requests = false (QOD_DEVICE_IN_REQUESTS). For several devices, use credentials of the application: " +
			"client_id and client_secret (QOD_CLIENT_ID, QOD_CLIENT_SECRET), without access_token (QOD_ACCESS_TOKEN).",
	},
	"INVALID_TOKEN_CONTEXT": {
		cause:  "The access token is for a different device from the one that is configured.",
		remedy: "Use credentials of the application: client_id and client_secret (QOD_CLIENT_ID, QOD_CLIENT_SECRET), without access_token (QOD_ACCESS_TOKEN).",
	},
	"IDENTIFIER_MISMATCH": {
		cause:  "The operator finds that the identifiers belong to different devices.",
		remedy: "Identify the device by one of them, such as phone_number. An address must be the one that the device has now.",
	},
	"QOS_PROFILE_NOT_APPLICABLE": {
		cause:  "The operator does not offer the QoS profile for new sessions at present.",
		remedy: "Choose another qos_profile. The data source qod_profiles shows which ones are ACTIVE.",
	},
	"DURATION_OUT_OF_RANGE": {
		cause:  "The QoS profile does not allow a session of this duration.",
		remedy: "Choose a duration within the limits of the profile, which the data source qod_profiles shows, or another qos_profile.",
	},
	"INVALID_SINK": {
		cause:  "The API does not notify this URL.",
		remedy: "Set notification_url to an https URL that the operator can reach.",
	},
	"INVALID_CREDENTIAL": {
		cause:  "The API does not accept the kind of credential for notifications.",
		remedy: "Leave out notification_auth_token, or ask the operator what it supports.",
	},
	"INVALID_TOKEN": {
		cause:  "The API does not accept the token for notifications.",
		remedy: "Check notification_auth_token. Its notification_auth_token_expires_at must lie after the end of the session.",
	},
}

// earlierCodes are what 0.11 and 1.0 call them.
var earlierCodes = map[string]string{
	"DEVICE_NOT_FOUND":            "IDENTIFIER_NOT_FOUND",
	"DEVICE_NOT_APPLICABLE":       "SERVICE_NOT_APPLICABLE",
	"DEVICE_IDENTIFIERS_MISMATCH": "IDENTIFIER_MISMATCH",
	"UNIDENTIFIABLE_DEVICE":       "MISSING_IDENTIFIER",
}

// explainRefusal explains a refusal by its code; false if that says no more than the status.
func explainRefusal(e *qod.Error) (m message, ok bool) {
	switch {
	case slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity}, e.Status),
		e.Status == http.StatusNotImplemented && e.Operation == qod.OperationCreate:
		code := e.Code[strings.LastIndex(e.Code, ".")+1:]
		if m, ok = refusals[cmp.Or(earlierCodes[code], code)]; e.PerDevice && code == "INVALID_TOKEN_CONTEXT" {
			if e.SessionID != "" {
				return refusedForDevice(e), true
			}
			m.remedy = "Each access token is for the device of the resource. If requests name the device as well (device_in_requests), leave it out there: device_in_requests = false (QOD_DEVICE_IN_REQUESTS)."
		}
	}
	m.cause += inWords(e.Message)
	if e.NoLimit != nil {
		m.cause += " To request as much as the profile allows, the provider asked for its limits, but could not find out. " + explain(e.NoLimit).cause
	}
	return m, ok
}
