package qod

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// camaraV1 is the dialect of CAMARA's quality-on-demand 1.0, 1.1 and 1.2 (release candidate 3), and
// of 0.11, which has another path. What they require together is what is sent: 1.2 answers unknown
// members with 400, 1.1 takes only https for a sink, and 0.11 to 1.2 require a server.
type camaraV1 struct{}

// The scopes of the document.
const (
	camaraV1Create   = "quality-on-demand:sessions:create"
	camaraV1Read     = "quality-on-demand:sessions:read"
	camaraV1Update   = "quality-on-demand:sessions:update"
	camaraV1Delete   = "quality-on-demand:sessions:delete"
	camaraV1Retrieve = "quality-on-demand:sessions:retrieve-by-device"

	camaraProfilesRead = "qos-profiles:read" // of the profiles API

	// purpose is that of a request for consent, in the words of the W3C's Data Privacy Vocabulary.
	purpose = "dpv:RequestedServiceProvision"
)

// DefaultProfilesPath is where CAMARA's profiles API usually lies below the endpoint.
const DefaultProfilesPath = "/qos-profiles/v1"

// camaraV1LowestPort is the lowest port of 1.2; the versions before it allow 0 as well.
const camaraV1LowestPort = 1

// camaraV1Window is what is requested at a time for a longer window. The document leaves the limit
// to each profile, and a day is the usual one.
const camaraV1Window = 24 * time.Hour

// How long a sink and the token for it may be, in 1.2.
const (
	camaraV1LongestURL   = 2048
	camaraV1LongestToken = 4096
)

func (camaraV1) path() string { return "/quality-on-demand/v1" }

func (camaraV1) limits() Limits {
	return Limits{
		Profiles:        nil, // each operator has its own
		Scopes:          []string{camaraV1Create, camaraV1Read, camaraV1Update, camaraV1Delete, camaraV1Retrieve},
		DeviceScopes:    []string{openID, purpose, camaraV1Create, camaraV1Read, camaraV1Update, camaraV1Delete, camaraV1Retrieve},
		CanListByDevice: true,
		CanExtend:       true,
		PerFlow:         true,

		ProfilesAPI:       true,
		CanFilterProfiles: true,
		fields: []Field{
			FieldDevice, FieldPhoneNumber, FieldNetworkAccessIdentifier, FieldIPv4Address, FieldPublicAddress, FieldPublicPort, FieldPrivateAddress, FieldIPv6Address,
			FieldApplicationServer, FieldServerIPv4Address, FieldServerIPv6Address, FieldDevicePorts, FieldApplicationServerPorts,
			FieldQoSProfile, FieldDuration, FieldNotificationURL, FieldNotificationAuthToken, FieldNotificationAuthTokenExpiresAt,
		},
		windowSeconds: int64(camaraV1Window / time.Second),
		longestList:   100,
	}
}

func (camaraV1) check(s Spec) []Problem {
	problems := checkCAMARA(s, camaraV1LowestPort)
	refuse := func(field Field, given, allowed string) {
		problems = append(problems, Problem{field, given, allowed})
	}
	if s.Device.NetworkAccessIdentifier != "" {
		refuse(FieldNetworkAccessIdentifier, "a network access identifier", fmt.Sprintf("left out with api = %q, whose gateways do not take it yet. "+
			"Identify the device by phone_number, ipv4_address or ipv6_address", CAMARAV1))
	}
	if s.Seconds < 0 {
		refuse(FieldDuration, strconv.FormatInt(s.Seconds, 10), "at least 1 second")
	}
	if s.NotificationURL != "" && !strings.HasPrefix(s.NotificationURL, "https://") {
		refuse(FieldNotificationURL, "a URL without https://", "a URL that begins with https://, in lower case: CAMARA's API notifies no others")
	}
	if long := len(s.NotificationURL); long > camaraV1LongestURL {
		refuse(FieldNotificationURL, fmt.Sprintf("a URL of %d characters", long), fmt.Sprintf("at most %d characters", camaraV1LongestURL))
	}
	if long := len(s.NotificationAuthToken); long > camaraV1LongestToken {
		refuse(FieldNotificationAuthToken, fmt.Sprintf("a token of %d characters", long), fmt.Sprintf("at most %d characters", camaraV1LongestToken))
	}
	return problems
}

// The bodies of the document. They are strict: what is not set is left out, no object is empty, and
// nothing is sent that is not in the document.
type (
	camaraV1Body struct {
		Device                 *camaraDevice          `json:"device,omitempty"`
		ApplicationServer      *applicationServerBody `json:"applicationServer,omitempty"`
		DevicePorts            *camaraPorts           `json:"devicePorts,omitempty"`
		ApplicationServerPorts *camaraPorts           `json:"applicationServerPorts,omitempty"`
		QoSProfile             string                 `json:"qosProfile"`
		Sink                   string                 `json:"sink,omitempty"`
		SinkCredential         *camaraV1Credential    `json:"sinkCredential,omitempty"`
		Duration               int64                  `json:"duration"`
	}
	camaraV1Credential struct {
		CredentialType        string `json:"credentialType"`
		AccessToken           string `json:"accessToken"`
		AccessTokenExpiresUTC string `json:"accessTokenExpiresUtc"`
		AccessTokenType       string `json:"accessTokenType"`
	}
)

// create leaves the device out where the token stands for it: the document then refuses one, also
// the same (UNNECESSARY_IDENTIFIER).
func (camaraV1) create(s Spec, bound bool) (request, error) {
	body := camaraV1Body{
		Device: toCAMARAV1Device(s.Device, bound), ApplicationServer: (*applicationServerBody)(s.ApplicationServer),
		DevicePorts: toCAMARAPorts(s.DevicePorts), ApplicationServerPorts: toCAMARAPorts(s.ApplicationServerPorts),
		QoSProfile: s.QoSProfile, Sink: s.NotificationURL, Duration: s.Seconds,
	}
	if s.NotificationAuthToken != "" {
		body.SinkCredential = &camaraV1Credential{
			CredentialType: "ACCESSTOKEN", AccessToken: s.NotificationAuthToken, AccessTokenType: "bearer",
			AccessTokenExpiresUTC: s.NotificationAuthTokenExpiresAt.UTC().Format(time.RFC3339),
		}
	}
	r, err := postCAMARA(OperationCreate, "/sessions", camaraV1Create, body)
	r.secret = s.NotificationAuthToken
	return r, err
}

// toCAMARAV1Device leaves out the network access identifier, which no gateway takes yet, and
// everything where the token stands for the device.
func toCAMARAV1Device(d Device, bound bool) *camaraDevice {
	if bound {
		return nil
	}
	d.NetworkAccessIdentifier = ""
	return toCAMARADevice(d)
}

func (camaraV1) read(id string) request   { return readCAMARA(id, camaraV1Read) }
func (camaraV1) delete(id string) request { return deleteCAMARA(id, camaraV1Delete) }

// list is a POST, because a device is personal data and would stand in the logs of servers between
// if it were part of the path.
func (camaraV1) list(d Device, bound bool) request {
	r, _ := postCAMARA(OperationList, "/retrieve-sessions", camaraV1Retrieve, struct {
		Device *camaraDevice `json:"device,omitempty"`
	}{toCAMARAV1Device(d, bound)}) // it cannot fail
	return r
}

// clockRequest needs nobody's consent: without a token it is refused, with a Date.
func (d camaraV1) clockRequest() request {
	r := d.list(Device{}, true)
	r.anonymous = true
	return r
}

func (camaraV1) extend(id string, seconds int64) request {
	return extendCAMARA(id, seconds, camaraV1Update)
}

// profiles are an API of their own, qos-profiles 1.x.
func (camaraV1) profiles(f ProfileFilter, bound bool) (request, bool) {
	body := struct {
		Device *camaraDevice `json:"device,omitempty"`
		Name   string        `json:"name,omitempty"`
		Status string        `json:"status,omitempty"`
	}{nil, f.Name, f.Status}
	if !f.Device.IsZero() {
		body.Device = toCAMARAV1Device(f.Device, bound)
	}
	r, err := postCAMARA(OperationProfiles, "/retrieve-qos-profiles", camaraProfilesRead, body)
	return r, err == nil
}

// collide goes by flows: a device can have several sessions, for different servers or ports.
func (camaraV1) collide(a, b flow) bool { return a.overlaps(b) }

func (camaraV1) session(body []byte) (Session, error)    { return decodeSessionBody(body) }
func (camaraV1) sessions(body []byte) ([]Session, error) { return decodeSessionsBody(body) }

func (camaraV1) failure(body []byte) (code, message string) { return decodeFailure(body) }

// The codes that say more than their status. Those that the documents have for what is wrong with a
// request need no class: they are errors, whose advice is the provider's.
const (
	CodeIdentifierNotFound = "IDENTIFIER_NOT_FOUND" // of a device
	codeDeviceNotFound     = "DEVICE_NOT_FOUND"     // the same in 0.11
	CodeQuotaExceeded      = "QUOTA_EXCEEDED"
	CodeDurationOutOfRange = "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"
)

// classify: a 404 to a create is about the device, as is one to a list whose code says so; with
// another code, some gateways say that there is nothing to list. A quota that is used up is no rate
// that a slower client keeps to. A list that the document refuses with 422 is refused for the
// device, not for others.
func (camaraV1) classify(op Operation, status int, code string) class {
	switch {
	case code == CodeQuotaExceeded:
		return classOther
	case (op == OperationCreate || op == OperationExtend) && code == CodeDurationOutOfRange:
		return classTooLong
	case op == OperationList && (code == CodeIdentifierNotFound || code == codeDeviceNotFound || status == http.StatusUnprocessableEntity):
		return classNoList
	}
	meaning := classifyStatus(op, status)
	if meaning == classMissing && (ofSession(op) || op == OperationList) && notFoundCode.MatchString(code) {
		return classGone
	}
	return meaning
}
