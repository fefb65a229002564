package sandbox

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
)

// CAMARAV0 is CAMARA's QoD 0.10 of camara-v0.yaml, which Telefónica's developer sandbox speaks.
const CAMARAV0 API = "camara-v0"

// The scopes of CAMARA's document, and the one that stands for all of them in Telefónica's.
const (
	scopeV0Read     = "qod-sessions-read"
	scopeV0Write    = "qod-sessions-write"
	scopeV0Delete   = "qod-sessions-delete"
	scopeV0Profiles = "qod-profiles-read"
	scopeV0All      = "dpv:RequestedServiceProvision#qod"
)

// camaraV0Longest is the longest session, and the default.
const camaraV0Longest = 24 * time.Hour

var camaraV0Definition = definition{
	apiPath: "/qod/v0",
	profiles: []Profile{
		{Name: "QOS_E", Description: "Low latency: control of machines and vehicles", MaxDuration: camaraV0Longest, Upstream: 2, Downstream: 2},
		{Name: "QOS_S", Description: "Stable throughput, small: voice and telemetry", MaxDuration: camaraV0Longest, Upstream: 1, Downstream: 2},
		{Name: "QOS_M", Description: "Stable throughput, medium: one HD stream", MaxDuration: camaraV0Longest, Upstream: 10, Downstream: 20},
		{Name: "QOS_L", Description: "Stable throughput, large: one UHD stream", MaxDuration: camaraV0Longest, Upstream: 50, Downstream: 100},
		{Name: "live-uplink", Description: "Uplink of a live camera", MinDuration: time.Minute, MaxDuration: 6 * time.Hour, Upstream: 40, Downstream: 5},
		{Name: "retired", Description: "No longer offered", Status: ProfileInactive, MaxDuration: camaraV0Longest},
	},
	conflict:     sameDevice,
	allScope:     scopeV0All,
	noCorrelator: true,
	routes:       camaraV0Routes,
	handler:      func(s *Sandbox) apiHandler { return camaraV0{s} },
}

//go:embed camara-v0.yaml
var camaraV0Text []byte

var camaraV0Document = sync.OnceValue(func() *openapi3.T { return loadDocument(camaraV0Text) })

func camaraV0Routes(apiPath string) []route {
	document := camaraV0Document()
	return append(camaraRoutes(apiPath, document, sessionScopes{create: scopeV0Write, read: scopeV0Read, delete: scopeV0Delete, extend: scopeV0Write}), route{
		path: apiPath + "/qos-profiles", template: "/qos-profiles", document: document,
		methods: map[string]apiMethod{http.MethodGet: {OpProfiles, scopeV0Profiles}},
	}, route{
		path: apiPath + "/qos-profiles/{name}", template: "/qos-profiles/{name}", document: document,
		methods: map[string]apiMethod{http.MethodGet: {OpProfiles, scopeV0Profiles}},
	})
}

// camaraV0 serves the API.
type camaraV0 struct{ *Sandbox }

// camaraV0Session is SessionInfo and, in requests, CreateSession.
type camaraV0Session struct {
	SessionID              string         `json:"sessionId,omitempty"`
	Device                 *camaraDevice  `json:"device,omitempty"`
	ApplicationServer      *camaraServer  `json:"applicationServer,omitempty"`
	DevicePorts            *Ports         `json:"devicePorts,omitempty"`
	ApplicationServerPorts *Ports         `json:"applicationServerPorts,omitempty"`
	QoSProfile             string         `json:"qosProfile"`
	Webhook                *camaraWebhook `json:"webhook,omitempty"`
	Duration               int            `json:"duration"`
	StartedAt              int64          `json:"startedAt"`
	ExpiresAt              int64          `json:"expiresAt"`
	QoSStatus              string         `json:"qosStatus,omitempty"`
}

type camaraWebhook struct {
	NotificationURL       string `json:"notificationUrl"`
	NotificationAuthToken string `json:"notificationAuthToken,omitempty"`
}

func (v camaraV0) answer(granted grant, c call) answer {
	if v.config.Forgetful && c.op != OpProfiles {
		return v.forgetful(c)
	}
	switch c.op { //nolint:exhaustive // the others are not the API's
	case OpCreate:
		return v.create(granted, c)
	case OpRead:
		return v.ofSession(granted, c, func(s Session) answer { return v.info(http.StatusOK, s) })
	case OpDelete:
		return v.ofSession(granted, c, func(s Session) answer {
			v.network.delete(s.ID, func(*Session) bool { return true }, v.config.HoldAfterDelete)
			return answer{status: http.StatusNoContent}
		})
	case OpExtend:
		return v.ofSession(granted, c, func(s Session) answer { return v.extend(s, c) })
	default:
		return v.showProfiles(c)
	}
}

// refusal has Telefónica's codes and members where its rules are in force.
func (v camaraV0) refusal(status int, code, message string) answer {
	if !v.config.MockRules {
		return newErrorResponse(status, code, message)
	}
	switch code {
	case "UNAUTHENTICATED":
		code = "UNAUTHORIZED"
	case "PERMISSION_DENIED":
		code = "FORBIDDEN"
	}
	return jsonAnswer(status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

func (camaraV0) device(c call) Device {
	var asked struct{ Device *camaraDevice }
	if json.Unmarshal(c.body, &asked) != nil {
		return Device{}
	}
	device := asked.Device.known()
	if device.PhoneNumber != "" { // the plus may be left out
		device.PhoneNumber = "+" + strings.TrimPrefix(device.PhoneNumber, "+")
	}
	return device
}

func (v camaraV0) event(ch statusChange) any {
	source := v.BasePath() + v.definition.apiPath + "/sessions/" + ch.ID
	return newCloudEvent("org.camaraproject.qod.v0.qos-status-changed", source, ch.at, eventData{ch.ID, ch.Status, ch.cause})
}

// asked is the session that a create asks for, or why it cannot be had.
func (v camaraV0) asked(granted grant, c call) (wanted Session, refused *answer) {
	var asked camaraV0Session
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return wanted, new(v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a CreateSession"))
	}
	device := v.device(c)
	length := time.Duration(cmp.Or(asked.Duration, int(camaraV0Longest/time.Second))) * time.Second
	p, ok := v.network.profile(asked.QoSProfile)
	switch {
	case v.config.MockRules && device.endsIn9():
		return wanted, new(v.refusal(http.StatusConflict, "CONFLICT", conflictMessage+" (sandbox mock rule: an identifier ends in 9)"))
	case slices.ContainsFunc(v.config.UnknownDevices, device.sharesIdentifier):
		return wanted, new(v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "Unable to identify device from specified parameters: device"))
	case slices.ContainsFunc(v.config.UnservedDevices, device.sharesIdentifier):
		return wanted, new(v.refusal(http.StatusNotImplemented, "NOT_IMPLEMENTED", "Service not implemented for the specified user device"))
	case granted.device != nil && !device.sharesIdentifier(*granted.device):
		return wanted, new(v.refusal(http.StatusForbidden, "PERMISSION_DENIED", "The access token is for another device"))
	case !ok, p.Status == ProfileInactive:
		return wanted, new(v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "qosProfile: there is no such profile"))
	case length < p.MinDuration, length > p.MaxDuration:
		return wanted, new(v.outOfRange())
	}
	wanted = Session{
		ClientID: granted.client, Device: device, ApplicationServer: (*ApplicationServer)(asked.ApplicationServer),
		DevicePorts: asked.DevicePorts, ApplicationServerPorts: asked.ApplicationServerPorts,
		QoSProfile: asked.QoSProfile, Duration: int(length / time.Second),
	}
	if asked.Webhook != nil {
		wanted.NotificationURL, wanted.NotificationAuthToken = asked.Webhook.NotificationURL, asked.Webhook.NotificationAuthToken
	}
	return wanted, nil
}

func (v camaraV0) create(granted grant, c call) answer {
	wanted, refused := v.asked(granted, c)
	if refused != nil {
		return *refused
	}
	session, err := v.network.create(wanted, v.visible(OpCreate))
	if err != nil { // errConflict is the only error
		return v.refusal(http.StatusConflict, "CONFLICT", "Another session is created for the same device")
	}
	return v.info(cmp.Or(v.config.CreateStatus, http.StatusCreated), session)
}

func (v camaraV0) outOfRange() answer {
	return v.refusal(http.StatusBadRequest, "OUT_OF_RANGE", "The requested duration is out of the allowed range for the specific QoS profile")
}

// extend limits what remains of a session: its document has no other rule.
func (v camaraV0) extend(s Session, c call) answer {
	longer, err := v.network.extend(s.ID, func(*Session) bool { return true }, askedExtension(c), limitRemaining, v.config.ExtendRefuses)
	switch {
	case errors.Is(err, errTooLong):
		return v.outOfRange()
	case errors.Is(err, errNotActive):
		return v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The target session is inactive")
	case err != nil:
		return v.refusal(http.StatusNotFound, "NOT_FOUND", "Session Id does not exist")
	}
	return v.info(http.StatusOK, longer)
}

func (v camaraV0) info(status int, s Session) answer {
	return jsonAnswer(status, v.echoed(v.newInfo(s)))
}

// newInfo is a session as the API shows it: what was asked for, with the webhook's token, and times
// also where there are none yet. Until the session starts, they say no more than that it lasts a
// day at most, as CAMARA's own implementation has it.
func (v camaraV0) newInfo(s Session) camaraV0Session {
	info := camaraV0Session{
		SessionID: s.ID, ApplicationServer: (*camaraServer)(cmp.Or(s.ApplicationServer, &everyServer)),
		DevicePorts: s.DevicePorts, ApplicationServerPorts: s.ApplicationServerPorts,
		QoSProfile: s.QoSProfile, Duration: s.Duration, QoSStatus: s.Status,
		StartedAt: s.StartedAt.Unix(), ExpiresAt: s.ExpiresAt.Unix(),
	}
	if s.NotificationURL != "" {
		info.Webhook = &camaraWebhook{s.NotificationURL, s.NotificationAuthToken}
	}
	if !v.config.OmitDevice {
		info.Device = &camaraDevice{
			PhoneNumber: s.Device.PhoneNumber, NetworkAccessIdentifier: s.Device.NetworkAccessIdentifier,
			IPv4Address: (*camaraIPv4)(s.Device.IPv4Address), IPv6Address: s.Device.IPv6Address,
		}
	}
	if s.StartedAt.IsZero() {
		info.StartedAt, info.ExpiresAt = s.CreatedAt.Unix(), s.CreatedAt.Add(camaraV0Longest).Unix()
	}
	return info
}

// forgetful answers as a mock without a memory does: it makes up a session for every request, with
// what the request says and examples for all else.
func (v camaraV0) forgetful(c call) answer {
	if c.op == OpDelete {
		return answer{status: http.StatusNoContent}
	}
	now := v.clock.Now()
	s := Session{
		ID: c.parameter, Device: Device{PhoneNumber: "+123456789"}, QoSProfile: v.network.profiles[0].Name,
		Status: StatusAvailable, Duration: int(time.Hour / time.Second),
	}
	status := http.StatusOK
	switch c.op { //nolint:exhaustive // a read shows the example as it is
	case OpCreate:
		wanted, refused := v.asked(grant{}, c)
		if refused != nil {
			return *refused
		}
		status, s = http.StatusCreated, wanted
		s.ID, s.Status = uuid.NewString(), StatusAvailable
	case OpExtend:
		s.Duration += int(askedExtension(c) / time.Second)
	}
	s.StartedAt, s.ExpiresAt = now, now.Add(time.Duration(s.Duration)*time.Second)
	return v.info(status, s)
}

// showProfiles lists the profiles that a query asks for, or shows the one of its path. A list
// without any is a 404. In Telefónica's document a profile is one of four names, and nothing else.
func (v camaraV0) showProfiles(c call) answer {
	query := c.request.URL.Query()
	found := v.profilesOf(cmp.Or(c.parameter, query.Get("name")), query.Get("status"))
	names := []string{}
	for _, p := range found {
		if slices.ContainsFunc(openGatewayDefinition.profiles, func(named Profile) bool { return named.Name == p.Name }) {
			names = append(names, p.Name)
		}
	}
	switch mock := v.config.MockRules; {
	case len(found) == 0, mock && len(names) == 0:
		return v.refusal(http.StatusNotFound, "NOT_FOUND", "No QoS Profiles found")
	case mock && c.parameter != "":
		return jsonAnswer(http.StatusOK, names[0])
	case mock:
		return jsonAnswer(http.StatusOK, names)
	case c.parameter != "":
		return jsonAnswer(http.StatusOK, found[0])
	}
	return jsonAnswer(http.StatusOK, found)
}
