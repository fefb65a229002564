package qod

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// openGateway is the dialect of Telefónica's Quality on Demand document, version 0.10.0.
type openGateway struct{}

const (
	maxSessionBody  = 1 << 20
	maxSessionsBody = 32 << 20

	openGatewayRead  = "qod:sessions:read"
	openGatewayWrite = "qod:sessions:write"

	openGatewayLongest = 24 * time.Hour
)

func (openGateway) path() string { return "/qod" }

func (openGateway) limits() Limits {
	return Limits{
		Profiles: []string{"QOS_E", "QOS_S", "QOS_M", "QOS_L"},
		Scopes:   []string{openGatewayRead, openGatewayWrite},
		CanList:  true,
		fields: []Field{
			FieldDevice, FieldPhoneNumber, FieldNetworkAccessIdentifier, FieldIPv4Address, FieldPublicAddress, FieldPublicPort, FieldIPv6Address,
			FieldApplicationServer, FieldServerIPv4Address, FieldServerIPv6Address,
			FieldQoSProfile, FieldDuration, FieldNotificationURL, FieldNotificationAuthToken,
		},
		maxSeconds: map[string]int64{anyProfile: int64(openGatewayLongest / time.Second)},
	}
}

func (d openGateway) check(s Spec) []Problem {
	limits := d.limits()
	var problems []Problem
	if s.QoSProfile != "" && !slices.Contains(limits.Profiles, s.QoSProfile) {
		problems = append(problems, Problem{FieldQoSProfile, fmt.Sprintf("%q", s.QoSProfile), "one of " + strings.Join(limits.Profiles, ", ")})
	}
	if most := limits.MaxSeconds(s.QoSProfile); s.Seconds < 0 || s.Seconds > most {
		problems = append(problems, Problem{FieldDuration, strconv.FormatInt(s.Seconds, 10), fmt.Sprintf("1 to %d seconds (%.0f hours)", most, openGatewayLongest.Hours())})
	}
	return problems
}

// The bodies of the document. They are strict: what is not set is left out, because the API refuses
// null, and nothing is sent that is not in the document.
type (
	createSessionRequest struct {
		Device                deviceBody             `json:"device"`
		ApplicationServer     *applicationServerBody `json:"applicationServer,omitempty"`
		QoSProfile            string                 `json:"qosProfile"`
		Duration              int64                  `json:"duration"`
		NotificationURL       string                 `json:"notificationUrl,omitempty"`
		NotificationAuthToken string                 `json:"notificationAuthToken,omitempty"`
	}
	deviceBody struct {
		PhoneNumber             string           `json:"phoneNumber,omitempty"`
		NetworkAccessIdentifier string           `json:"networkAccessIdentifier,omitempty"`
		IPv4Address             *ipv4AddressBody `json:"ipv4Address,omitempty"`
		IPv6Address             string           `json:"ipv6Address,omitempty"`
	}
	ipv4AddressBody struct {
		PublicAddress string `json:"publicAddress,omitempty"`
		PublicPort    *int64 `json:"publicPort,omitempty"`
	}
	applicationServerBody struct {
		IPv4Address string `json:"ipv4Address,omitempty"`
		IPv6Address string `json:"ipv6Address,omitempty"`
	}
)

func (openGateway) create(s Spec, _ bool) (request, error) {
	body := createSessionRequest{
		Device:                toDeviceBody(s.Device),
		ApplicationServer:     (*applicationServerBody)(s.ApplicationServer),
		QoSProfile:            s.QoSProfile,
		Duration:              s.Seconds,
		NotificationURL:       s.NotificationURL,
		NotificationAuthToken: s.NotificationAuthToken,
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return request{}, fmt.Errorf("encode session request: %w", err)
	}
	return request{
		operation: OperationCreate, method: http.MethodPost,
		path: "/sessions", template: "/sessions",
		scope: openGatewayWrite, body: encoded, secret: s.NotificationAuthToken, maxBody: maxSessionBody,
	}, nil
}

func toDeviceBody(d Device) deviceBody {
	return deviceBody{
		PhoneNumber:             d.PhoneNumber,
		NetworkAccessIdentifier: d.NetworkAccessIdentifier,
		IPv4Address:             toIPv4AddressBody(d.IPv4Address),
		IPv6Address:             d.IPv6Address,
	}
}

func toIPv4AddressBody(a *IPv4Address) *ipv4AddressBody {
	if a == nil {
		return nil
	}
	return &ipv4AddressBody{PublicAddress: a.PublicAddress, PublicPort: a.PublicPort}
}

func (openGateway) read(id string) request {
	return request{
		operation: OperationRead, method: http.MethodGet,
		path: "/sessions/" + url.PathEscape(id), template: "/sessions/{sessionId}",
		scope: openGatewayRead, sessionID: id, maxBody: maxSessionBody,
	}
}

func (openGateway) list(Device, bool) request {
	return request{
		operation: OperationList, method: http.MethodGet,
		path: "/sessions", template: "/sessions",
		scope: openGatewayRead, maxBody: maxSessionsBody,
	}
}

// clockRequest is the list without a token, which is refused, with a Date. It is used where each
// token is for one device.
func (d openGateway) clockRequest() request {
	r := d.list(Device{}, true)
	r.anonymous = true
	return r
}

func (openGateway) delete(id string) request {
	return request{
		operation: OperationDelete, method: http.MethodDelete,
		path: "/sessions/" + url.PathEscape(id), template: "/sessions/{sessionId}",
		scope: openGatewayWrite, sessionID: id, maxBody: maxSessionBody,
	}
}

// extend is nothing that the document has, see Limits.CanExtend.
func (openGateway) extend(string, int64) request { return request{operation: OperationExtend} }

// profiles are those of the document, see Limits.Profiles.
func (openGateway) profiles(ProfileFilter, bool) (request, bool) {
	return request{operation: OperationProfiles}, false
}

// collide goes by the device: it can have one session, whatever that is for.
func (openGateway) collide(a, b flow) bool { return a.device.overlaps(b.device) }

func (openGateway) session(body []byte) (Session, error) { return decodeSessionBody(body) }

func (openGateway) sessions(body []byte) ([]Session, error) { return decodeSessionsBody(body) }

func (openGateway) failure(body []byte) (code, message string) { return decodeFailure(body) }

// notFoundCode matches the codes of the API, and of later CAMARA documents, for what does not
// exist. Gateways have other codes for a route or a service that does not exist.
var notFoundCode = regexp.MustCompile(`\A(?:(?:[A-Z0-9_]+\.)?(?:SESSION_)?NOT_FOUND|GONE)\z`)

func (openGateway) classify(op Operation, status int, code string) class {
	meaning := classifyStatus(op, status)
	if meaning == classMissing && notFoundCode.MatchString(code) {
		return classGone
	}
	return meaning
}

// sessionID is deliberately wider than a UUID: the id that a network has issued is the only handle
// to a billed session, whatever it looks like. It allows nothing that could leave its path segment.
var sessionID = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)

// ValidSessionID reports whether a network could have issued this id, so that it can be imported.
func ValidSessionID(id string) bool { return sessionID.MatchString(id) }

func validID(id string) bool { return ValidSessionID(id) }

// The hosts that the API document names.
const (
	DefaultEndpoint = "https://opengateway.telefonica.com/v1"
	SandboxEndpoint = "https://sandbox.opengateway.telefonica.com/v1"
)
