package qod

import (
	"encoding/json"
	"errors"
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
		Profiles:   []string{"QOS_E", "QOS_S", "QOS_M", "QOS_L"},
		Scopes:     []string{openGatewayRead, openGatewayWrite},
		CanList:    true,
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
		IPv4Address:             (*ipv4AddressBody)(d.IPv4Address),
		IPv6Address:             d.IPv6Address,
	}
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

// clockRequest is the list, which is never asked for in this way.
func (d openGateway) clockRequest() request { return d.list(Device{}, false) }

func (openGateway) delete(id string) request {
	return request{
		operation: OperationDelete, method: http.MethodDelete,
		path: "/sessions/" + url.PathEscape(id), template: "/sessions/{sessionId}",
		scope: openGatewayWrite, sessionID: id, maxBody: maxSessionBody,
	}
}

// extend is nothing that the document has, see Limits.CanExtend.
func (openGateway) extend(string, int64) request { return request{operation: OperationExtend} }

// collide goes by the device: it can have one session, whatever that is for.
func (openGateway) collide(a, b flow) bool { return a.device.overlaps(b.device) }

func (openGateway) session(body []byte) (Session, error) {
	fields, err := decodeObject(body)
	var s Session
	if err == nil {
		s, err = decodeSession(fields)
	}
	if s.ID == "" {
		s.ID = salvageID(body)
	}
	return s, err
}

func (openGateway) sessions(body []byte) ([]Session, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(jsonText(body), &items); err != nil {
		if _, err := decodeObject(body); err == nil {
			// An object around a list may say that this is one page of many.
			return nil, errors.New("the answer is a JSON object and not an array of sessions, which is what the API document has")
		}
		return nil, errors.New("the answer is not a JSON array of sessions")
	}
	if items == nil {
		return nil, errors.New("the answer is null and not a JSON array of sessions")
	}
	sessions := make([]Session, 0, len(items))
	position := make(map[string]int, len(items))
	for _, item := range items {
		// An entry without a usable id is kept: it may be the session that is looked for.
		var s Session
		if fields, err := decodeObject(item); err == nil {
			s, _ = decodeSession(fields)
		}
		if s.ID == "" {
			sessions = append(sessions, s)
			continue
		}
		// An id that is listed twice is one session; the last entry counts.
		if at, seen := position[s.ID]; seen {
			sessions[at] = s
			continue
		}
		position[s.ID] = len(sessions)
		sessions = append(sessions, s)
	}
	return sessions, nil
}

func decodeSession(fields object) (Session, error) {
	device := fields.object("device")
	s := Session{
		ID:         fields.text("sessionId"),
		QoSProfile: fields.text("qosProfile"),
		Status:     Status(strings.ToUpper(strings.TrimSpace(fields.text("qosStatus")))),
		Device: Device{
			PhoneNumber:             e164(device.text("phoneNumber")),
			NetworkAccessIdentifier: device.text("networkAccessIdentifier"),
			IPv4Address:             openGatewayIPv4(device.object("ipv4Address")),
			IPv6Address:             device.text("ipv6Address"),
		},
	}
	unread := unreadFields{fields: fields, device: s.Device}
	s.StartedAt = unread.instant("startedAt")
	s.ExpiresAt = unread.instant("expiresAt")
	s.Seconds = unread.wholeNumber("duration")
	s.Unread = strings.Join(unread.shown, ", ")
	if !validID(s.ID) {
		s.ID = ""
		return s, errors.New("the answer shows no usable sessionId")
	}
	return s, nil
}

// openGatewayIPv4 is nil where no public address is shown.
func openGatewayIPv4(fields object) *IPv4Address {
	public := fields.text("publicAddress")
	if public == "" {
		return nil
	}
	address := IPv4Address{PublicAddress: public, PublicPort: nil}
	if port, ok := fields.number("publicPort"); ok {
		address.PublicPort = &port
	}
	return &address
}

// e164 brings a phone number, which networks spell in several ways, into the form that generated
// configuration and import recipes need: a plus and digits. Anything else than a complete number
// stays as it is.
func e164(number string) string {
	if digits := phoneDigits(number); digits != "" {
		return "+" + digits
	}
	return number
}

// unreadFields decodes fields and records those whose values cannot be read. Without the reason,
// people would look for a missing end of session in the wrong place.
type unreadFields struct {
	fields object
	device Device
	shown  []string
}

func (u *unreadFields) instant(name string) time.Time {
	t, ok := u.fields.instant(name)
	if !ok {
		u.note(name)
		return time.Time{}
	}
	return t
}

func (u *unreadFields) wholeNumber(name string) int64 {
	n, ok := u.fields.wholeNumber(name)
	if !ok {
		u.note(name)
		return 0
	}
	return n
}

// maxUnread bounds what is shown of one value, in characters.
const maxUnread = 60

func (u *unreadFields) note(name string) {
	value := []rune(printable(redactServer(u.fields.raw(name), nil, u.device)))
	if len(value) > maxUnread {
		value = append(value[:maxUnread], '…')
	}
	if raw := u.fields[name]; len(raw) > 0 && raw[0] == '"' {
		u.shown = append(u.shown, fmt.Sprintf("%s %q", name, string(value)))
		return
	}
	u.shown = append(u.shown, name+" "+string(value))
}

func (openGateway) failure(body []byte) (code, message string) {
	fields, err := decodeObject(body)
	if err != nil {
		return "", ""
	}
	// The authorization endpoints of the same gateway use the error members of RFC 6749.
	return fields.firstText("code", "error"), fields.firstText("message", "error_description")
}

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
