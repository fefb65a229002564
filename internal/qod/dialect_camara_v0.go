package qod

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"
)

// camaraV0 is the dialect of CAMARA's QoD 0.10.1 and of Telefónica's document of it, which differ
// in the codes and the members of errors alone. It has no list of sessions: what cannot be found
// again is named in an error, and never asked for twice.
type camaraV0 struct{}

// The scopes of CAMARA's document, for client credentials.
const (
	camaraV0Read         = "qod-sessions-read"
	camaraV0Write        = "qod-sessions-write"
	camaraV0Delete       = "qod-sessions-delete"
	camaraV0ProfilesRead = "qod-profiles-read"

	// camaraV0Device is the one scope of Telefónica's document, whose tokens are for one device.
	camaraV0Device = "dpv:RequestedServiceProvision#qod"
)

const (
	camaraV0Longest = 24 * time.Hour
	// camaraV0LongestExtension is the most seconds of one extension.
	camaraV0LongestExtension = 86_399
	camaraV0LowestPort       = 0

	camaraV0ShortestToken, camaraV0LongestToken = 20, 256 // characters
)

func (camaraV0) path() string { return "/qod/v0" }

func (camaraV0) limits() Limits {
	return Limits{
		Profiles:     nil, // each operator has its own
		Scopes:       []string{camaraV0Read, camaraV0Write, camaraV0Delete},
		DeviceScopes: []string{camaraV0Device},
		CanExtend:    true,
		fields: []Field{
			FieldDevice, FieldPhoneNumber, FieldNetworkAccessIdentifier, FieldIPv4Address, FieldPublicAddress, FieldPublicPort, FieldPrivateAddress, FieldIPv6Address,
			FieldApplicationServer, FieldServerIPv4Address, FieldServerIPv6Address, FieldDevicePorts, FieldApplicationServerPorts,
			FieldQoSProfile, FieldDuration, FieldNotificationURL, FieldNotificationAuthToken,
		},
		maxSeconds: map[string]int64{anyProfile: int64(camaraV0Longest / time.Second)},
	}
}

func (d camaraV0) check(s Spec) []Problem {
	problems := checkCAMARA(s, camaraV0LowestPort)
	refuse := func(field Field, given, allowed string) {
		problems = append(problems, Problem{field, given, allowed})
	}
	if most := d.limits().MaxSeconds(s.QoSProfile); s.Seconds < 0 || s.Seconds > most {
		refuse(FieldDuration, strconv.FormatInt(s.Seconds, 10), fmt.Sprintf("1 to %d seconds (%.0f hours)", most, camaraV0Longest.Hours()))
	}
	allowed := fmt.Sprintf("from %d to %d characters long with api = %q", camaraV0ShortestToken, camaraV0LongestToken, CAMARAV0)
	switch length := utf8.RuneCountInString(s.NotificationAuthToken); {
	case length == 0:
	case length < camaraV0ShortestToken:
		refuse(FieldNotificationAuthToken, "a shorter token", allowed)
	case length > camaraV0LongestToken:
		refuse(FieldNotificationAuthToken, "a longer token", allowed)
	}
	return problems
}

// The bodies of the document. The document lets the duration be left out, and takes a day then; it
// is always sent, so that nobody buys a day by accident.
type (
	camaraV0Body struct {
		Device                 *camaraDevice          `json:"device"`
		ApplicationServer      *applicationServerBody `json:"applicationServer,omitempty"`
		DevicePorts            *camaraPorts           `json:"devicePorts,omitempty"`
		ApplicationServerPorts *camaraPorts           `json:"applicationServerPorts,omitempty"`
		QoSProfile             string                 `json:"qosProfile"`
		Webhook                *camaraV0Webhook       `json:"webhook,omitempty"`
		Duration               int64                  `json:"duration"`
	}
	camaraV0Webhook struct {
		NotificationURL       string `json:"notificationUrl"`
		NotificationAuthToken string `json:"notificationAuthToken,omitempty"`
	}
)

// create names the device also where the token stands for it: the document requires it.
func (camaraV0) create(s Spec, _ bool) (request, error) {
	body := camaraV0Body{
		Device: toCAMARADevice(s.Device), ApplicationServer: (*applicationServerBody)(s.ApplicationServer),
		DevicePorts: toCAMARAPorts(s.DevicePorts), ApplicationServerPorts: toCAMARAPorts(s.ApplicationServerPorts),
		QoSProfile: s.QoSProfile, Webhook: nil, Duration: s.Seconds,
	}
	if s.NotificationURL != "" {
		body.Webhook = &camaraV0Webhook{NotificationURL: s.NotificationURL, NotificationAuthToken: s.NotificationAuthToken}
	}
	r, err := postCAMARA(OperationCreate, "/sessions", camaraV0Write, body)
	r.secret = s.NotificationAuthToken
	return r, err
}

func (camaraV0) read(id string) request   { return readCAMARA(id, camaraV0Read) }
func (camaraV0) delete(id string) request { return deleteCAMARA(id, camaraV0Delete) }

func (camaraV0) extend(id string, seconds int64) request {
	return extendCAMARA(id, min(seconds, camaraV0LongestExtension), camaraV0Write)
}

// list is nothing that the document has, see Limits.
func (camaraV0) list(Device, bool) request { return request{operation: OperationList} }

// clockRequest is the list of profiles, which concerns no device: without a token it is refused,
// with a Date.
func (d camaraV0) clockRequest() request {
	r, _ := d.profiles(ProfileFilter{}, false)
	r.anonymous = true
	return r
}

// profiles are part of the API itself, and the same for all devices.
func (camaraV0) profiles(f ProfileFilter, bound bool) (request, bool) {
	query := url.Values{}
	if f.Name != "" {
		query.Set("name", f.Name)
	}
	if f.Status != "" {
		query.Set("status", f.Status)
	}
	r := request{
		operation: OperationProfiles, method: http.MethodGet, path: "/qos-profiles", template: "/qos-profiles",
		scope: camaraV0ProfilesRead, maxBody: maxSessionsBody,
	}
	if len(query) > 0 {
		r.path += "?" + query.Encode()
	}
	if bound {
		r.scope = camaraV0Device
	}
	return r, true
}

// collide goes by the device: it can have one session, whatever that is for.
func (camaraV0) collide(a, b flow) bool { return a.device.overlaps(b.device) }

// session has no times while it is REQUESTED. The document requires them all the same, so that
// gateways fill in what they have, such as the end of the longest session there could be.
func (camaraV0) session(body []byte) (Session, error) {
	s, err := decodeSessionBody(body)
	if s.Status == StatusRequested {
		s.StartedAt, s.ExpiresAt = time.Time{}, time.Time{}
	}
	return s, err
}

func (camaraV0) sessions(body []byte) ([]Session, error) { return decodeSessionsBody(body) }

func (camaraV0) failure(body []byte) (code, message string) { return decodeFailure(body) }

// The codes that say more than their status.
const (
	codeInvalidArgument = "INVALID_ARGUMENT"
	codeOutOfRange      = "OUT_OF_RANGE"
	codeNotImplemented  = "NOT_IMPLEMENTED"
)

// classify: the document has no 409 for an extension. A session that is not active is refused with
// the code of all that is wrong with a request, so the session has to be asked for its status. A
// duration out of range shares its code with ports. A 501 is about the device. A 404 to a list of
// profiles says that there are none.
func (camaraV0) classify(op Operation, status int, code string) class {
	switch {
	case op == OperationExtend && status == http.StatusBadRequest && code == codeInvalidArgument:
		return classBusy
	case (op == OperationCreate || op == OperationExtend) && status == http.StatusBadRequest && code == codeOutOfRange:
		return classTooLong
	case op == OperationCreate && status == http.StatusNotImplemented && code == codeNotImplemented:
		return classNotOffered
	}
	meaning := classifyStatus(op, status)
	if meaning == classMissing && notFoundCode.MatchString(code) {
		return classGone
	}
	return meaning
}
