package sandbox

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// CAMARAV1 is CAMARA's quality-on-demand 1.x of camara-v1.yaml, with its qos-profiles of
// camara-profiles.yaml.
const CAMARAV1 API = "camara-v1"

// ProfilesPath is where the profiles API lies below the endpoint.
const ProfilesPath = "/qos-profiles/v1"

// camaraV1Scopes are the scopes of the two documents.
const (
	scopeCreate           = "quality-on-demand:sessions:create"
	scopeReadSession      = "quality-on-demand:sessions:read"
	scopeUpdate           = "quality-on-demand:sessions:update"
	scopeDelete           = "quality-on-demand:sessions:delete"
	scopeRetrieveByDevice = "quality-on-demand:sessions:retrieve-by-device"
	scopeProfiles         = "qos-profiles:read"
)

// camaraV1Definition has the profiles of no operator: two with the limits that are usual, one that
// is short, and two that are not for new sessions.
var camaraV1Definition = definition{
	apiPath: "/quality-on-demand/v1",
	profiles: []Profile{
		{Name: "QOS_E", Description: "Low latency: control of machines and vehicles", MaxDuration: 24 * time.Hour, Upstream: 2, Downstream: 2},
		{Name: "QOS_S", Description: "Stable throughput, small: voice and telemetry", MaxDuration: 24 * time.Hour, Upstream: 1, Downstream: 2},
		{Name: "QOS_M", Description: "Stable throughput, medium: one HD stream", MaxDuration: 24 * time.Hour, Upstream: 10, Downstream: 20},
		{Name: "QOS_L", Description: "Stable throughput, large: one UHD stream", MaxDuration: 24 * time.Hour, Upstream: 50, Downstream: 100},
		{Name: "live-uplink", Description: "Uplink of a live camera", MinDuration: time.Minute, MaxDuration: 6 * time.Hour, Upstream: 40, Downstream: 5},
		{Name: "long-event", Description: "Long events", MaxDuration: 7 * 24 * time.Hour, Upstream: 10, Downstream: 10},
		{Name: "retired", Description: "No longer offered", Status: ProfileInactive, MaxDuration: 24 * time.Hour},
		{Name: "retiring", Description: "Not for new sessions", Status: ProfileDeprecated, MaxDuration: 24 * time.Hour},
	},
	conflict: sameFlow,
	routes:   camaraV1Routes,
	handler:  func(s *Sandbox) apiHandler { return camaraV1{s} },
}

//go:embed camara-v1.yaml
var camaraV1Text []byte

//go:embed camara-profiles.yaml
var camaraProfilesText []byte

var (
	camaraV1Document       = sync.OnceValue(func() *openapi3.T { return loadDocument(camaraV1Text) })
	camaraProfilesDocument = sync.OnceValue(func() *openapi3.T { return loadDocument(camaraProfilesText) })
)

func camaraV1Routes(apiPath string) []route {
	sessions, profiles := camaraV1Document(), camaraProfilesDocument()
	return append(camaraRoutes(apiPath, sessions, sessionScopes{create: scopeCreate, read: scopeReadSession, delete: scopeDelete, extend: scopeUpdate}), route{
		path: apiPath + "/retrieve-sessions", template: "/retrieve-sessions", document: sessions,
		methods: map[string]apiMethod{http.MethodPost: {OpList, scopeRetrieveByDevice}},
	}, route{
		path: ProfilesPath + "/retrieve-qos-profiles", template: "/retrieve-qos-profiles", document: profiles,
		methods: map[string]apiMethod{http.MethodPost: {OpProfiles, scopeProfiles}},
	}, route{
		path: ProfilesPath + "/qos-profiles/{name}", template: "/qos-profiles/{name}", document: profiles,
		methods: map[string]apiMethod{http.MethodGet: {OpProfiles, scopeProfiles}},
	})
}

// camaraV1 serves the API.
type camaraV1 struct{ *Sandbox }

// camaraV1Session is SessionInfo and, in requests, CreateSession.
type camaraV1Session struct {
	SessionID              string            `json:"sessionId,omitempty"`
	Device                 *camaraDevice     `json:"device,omitempty"`
	ApplicationServer      *camaraServer     `json:"applicationServer,omitempty"`
	DevicePorts            *Ports            `json:"devicePorts,omitempty"`
	ApplicationServerPorts *Ports            `json:"applicationServerPorts,omitempty"`
	QoSProfile             string            `json:"qosProfile"`
	Sink                   string            `json:"sink,omitempty"`
	SinkCredential         *camaraCredential `json:"sinkCredential,omitempty"` // never returned
	Duration               int               `json:"duration"`
	StartedAt              any               `json:"startedAt,omitempty"`
	ExpiresAt              any               `json:"expiresAt,omitempty"`
	QoSStatus              string            `json:"qosStatus,omitempty"`
	StatusInfo             string            `json:"statusInfo,omitempty"`
}

type camaraCredential struct {
	CredentialType        string    `json:"credentialType"`
	AccessToken           string    `json:"accessToken"`
	AccessTokenExpiresUTC time.Time `json:"accessTokenExpiresUtc"`
}

// newCAMARADevice is the one identifier that DeviceResponse allows.
func newCAMARADevice(d Device) *camaraDevice {
	switch {
	case d.PhoneNumber != "":
		return &camaraDevice{PhoneNumber: d.PhoneNumber}
	case d.IPv4Address != nil:
		return &camaraDevice{IPv4Address: (*camaraIPv4)(d.IPv4Address)}
	case d.IPv6Address != "":
		return &camaraDevice{IPv6Address: d.IPv6Address}
	default:
		return &camaraDevice{NetworkAccessIdentifier: d.NetworkAccessIdentifier}
	}
}

func (v camaraV1) answer(granted grant, c call) answer {
	switch c.op { //nolint:exhaustive // the others are not the API's
	case OpCreate:
		return v.create(granted, c)
	case OpList:
		return v.list(granted, c)
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
		return v.showProfiles(granted, c)
	}
}

func (camaraV1) refusal(status int, code, message string) answer {
	return newErrorResponse(status, code, message)
}

func (camaraV1) device(c call) Device {
	var asked struct{ Device *camaraDevice }
	if json.Unmarshal(c.body, &asked) != nil {
		return Device{}
	}
	return asked.Device.known()
}

func (v camaraV1) event(ch statusChange) any {
	source := v.BasePath() + v.definition.apiPath + "/sessions/" + ch.ID
	return newCloudEvent("org.camaraproject.quality-on-demand.v1.qos-status-changed", source, ch.at, eventData{ch.ID, ch.Status, ch.cause})
}

// line is the device that a request is about: the one of the token, if that stands for one, else
// the one of the body. The document has a code for each way in which the two do not fit.
func (v camaraV1) line(granted grant, c call) (Device, *answer) {
	device := v.device(c)
	switch {
	case granted.device != nil && device.hasIdentifier():
		return Device{}, new(v.refusal(http.StatusUnprocessableEntity, "UNNECESSARY_IDENTIFIER",
			"The device is identified by the access token already"))
	case granted.device != nil:
		device = *granted.device
	case !device.hasIdentifier():
		return Device{}, new(v.refusal(http.StatusUnprocessableEntity, "MISSING_IDENTIFIER", "The device cannot be identified"))
	case device.PhoneNumber == "" && device.IPv4Address == nil && device.IPv6Address == "":
		return Device{}, new(v.refusal(http.StatusUnprocessableEntity, "UNSUPPORTED_IDENTIFIER",
			"The identifier provided is not supported"))
	}
	switch {
	case slices.ContainsFunc(v.config.UnknownDevices, device.sharesIdentifier):
		return Device{}, new(v.refusal(http.StatusNotFound, "IDENTIFIER_NOT_FOUND", "Device identifier not found"))
	case slices.ContainsFunc(v.config.UnservedDevices, device.sharesIdentifier):
		return Device{}, new(v.refusal(http.StatusUnprocessableEntity, "SERVICE_NOT_APPLICABLE",
			"The service is not available for the provided identifier"))
	}
	return device, nil
}

func (v camaraV1) create(granted grant, c call) answer {
	var asked camaraV1Session
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a CreateSession")
	}
	device, refused := v.line(granted, c)
	if refused != nil {
		return *refused
	}
	if refused := cmp.Or(v.checkProfile(asked), v.checkCredential(asked.SinkCredential)); refused != nil {
		return *refused
	}
	wanted := Session{
		ClientID: granted.client, Device: device, DeviceOfToken: granted.device != nil,
		ApplicationServer: (*ApplicationServer)(asked.ApplicationServer),
		DevicePorts:       asked.DevicePorts, ApplicationServerPorts: asked.ApplicationServerPorts,
		QoSProfile: asked.QoSProfile, Duration: asked.Duration, NotificationURL: asked.Sink,
	}
	if credential := asked.SinkCredential; credential != nil {
		wanted.NotificationAuthToken, wanted.NotificationsUntil = credential.AccessToken, credential.AccessTokenExpiresUTC
	}
	session, err := v.network.create(wanted, v.visible(OpCreate))
	if err != nil { // errConflict is the only error
		return v.refusal(http.StatusConflict, "CONFLICT", "A session for these flows of the device exists already")
	}
	return v.info(cmp.Or(v.config.CreateStatus, http.StatusCreated), session)
}

// checkProfile is why a profile, or its duration, cannot be had; nil for no reason.
func (v camaraV1) checkProfile(asked camaraV1Session) *answer {
	p, ok := v.network.profile(asked.QoSProfile)
	length := time.Duration(asked.Duration) * time.Second
	switch {
	case !ok:
		return new(v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "qosProfile: there is no such profile"))
	case cmp.Or(p.Status, ProfileActive) != ProfileActive:
		return new(v.refusal(http.StatusUnprocessableEntity, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE",
			"The requested QoS profile is currently not available for session creation"))
	case length < p.MinDuration, p.MaxDuration > 0 && length > p.MaxDuration:
		return new(v.outOfRange())
	}
	return nil
}

func (v camaraV1) outOfRange() answer {
	return v.refusal(http.StatusBadRequest, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE",
		"The requested duration is out of the allowed range for the specific QoS profile")
}

// checkCredential is why a credential for notifications cannot be used; nil for no reason.
func (v camaraV1) checkCredential(asked *camaraCredential) *answer {
	switch {
	case asked == nil, asked.CredentialType == "ACCESSTOKEN":
		return nil
	case asked.CredentialType == "PRIVATE_KEY_JWT":
		return new(v.refusal(http.StatusUnprocessableEntity, "PRIVATE_KEY_JWT_NOT_CONFIGURED",
			"No JWK Set configured for PRIVATE_KEY_JWT authentication"))
	}
	return new(v.refusal(http.StatusBadRequest, "INVALID_CREDENTIAL", "Only Access token is supported"))
}

// longestList is how many sessions the document allows a list to show.
const longestList = 100

func (v camaraV1) list(granted grant, c call) answer {
	device, refused := v.line(granted, c)
	if refused != nil {
		return *refused
	}
	infos, visible := []any{}, v.visible(OpList)
	for _, s := range v.visibleInList(func(s *Session) bool {
		return s.ClientID == granted.client && s.Device.sharesIdentifier(device) && visible(s)
	}) {
		infos = append(infos, v.echoed(v.newInfo(s)))
	}
	if v.config.PageSize > 0 {
		return page(infos, v.config.PageSize, c.request)
	}
	return jsonAnswer(http.StatusOK, infos[:min(len(infos), longestList)])
}

func (v camaraV1) extend(s Session, c call) answer {
	limit := limitTotal
	if v.config.ExtendRemaining {
		limit = limitRemaining
	}
	longer, err := v.network.extend(s.ID, func(*Session) bool { return true }, askedExtension(c), limit, v.config.ExtendRefuses)
	switch {
	case errors.Is(err, errTooLong):
		return v.outOfRange()
	case errors.Is(err, errNotActive):
		return v.refusal(http.StatusConflict, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED",
			"Extending the session duration is not allowed in the current state "+s.Status)
	case err != nil:
		return v.refusal(http.StatusNotFound, "NOT_FOUND", "The specified resource is not found")
	}
	return v.info(http.StatusOK, longer)
}

func (v camaraV1) info(status int, s Session) answer {
	return jsonAnswer(status, v.echoed(v.newInfo(s)))
}

// newInfo is a session as the API shows it. Its duration is what was granted and, once it is over,
// what it lasted.
func (v camaraV1) newInfo(s Session) camaraV1Session {
	info := camaraV1Session{
		SessionID: s.ID, ApplicationServer: (*camaraServer)(cmp.Or(s.ApplicationServer, &everyServer)),
		DevicePorts: s.DevicePorts, ApplicationServerPorts: s.ApplicationServerPorts,
		QoSProfile: s.QoSProfile, Sink: s.NotificationURL, Duration: s.Duration, QoSStatus: s.Status,
		StartedAt: v.time(s.StartedAt), ExpiresAt: v.time(s.ExpiresAt),
	}
	if !v.config.OmitDevice && !s.DeviceOfToken {
		info.Device = newCAMARADevice(s.Device)
	}
	if s.Status == StatusUnavailable {
		info.StatusInfo = s.EndReason
		info.ExpiresAt = v.time(s.EndedAt)
		if !s.StartedAt.IsZero() {
			info.Duration = max(1, int(math.Round(s.EndedAt.Sub(s.StartedAt).Seconds())))
		}
	}
	return info
}

// time is a time as the gateway spells it; nil for none.
func (v camaraV1) time(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case v.config.EpochTimes:
		return t.Unix()
	}
	return timestamp(t)
}

// camaraProfile is the document's schema QosProfile.
type camaraProfile struct {
	Name            string          `json:"name"`
	Description     string          `json:"description,omitempty"`
	Status          string          `json:"status"`
	MinDuration     *camaraQuantity `json:"minDuration,omitempty"`
	MaxDuration     *camaraQuantity `json:"maxDuration,omitempty"`
	MaxUpstreamRate *camaraQuantity `json:"maxUpstreamRate,omitempty"`
	MaxDownstream   *camaraQuantity `json:"maxDownstreamRate,omitempty"`
}

// camaraQuantity is the document's Duration or Rate.
type camaraQuantity struct {
	Value int    `json:"value"`
	Unit  string `json:"unit"`
}

// showProfiles lists the profiles that a request asks for, or shows the one of its path. Every
// device can use all of them.
func (v camaraV1) showProfiles(granted grant, c call) answer {
	if c.parameter != "" {
		p, ok := v.network.profile(c.parameter)
		if !ok {
			return v.refusal(http.StatusNotFound, "NOT_FOUND", "The specified resource is not found")
		}
		return jsonAnswer(http.StatusOK, newCAMARAProfile(p))
	}
	var asked struct{ Name, Status string }
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return v.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a QosProfileDeviceRequest")
	}
	if granted.device != nil || v.device(c).hasIdentifier() {
		if _, refused := v.line(granted, c); refused != nil {
			return *refused
		}
	}
	return jsonAnswer(http.StatusOK, v.profilesOf(asked.Name, asked.Status))
}

// profilesOf are the profiles of a name and a status; empty for all.
func (s *Sandbox) profilesOf(name, status string) []camaraProfile {
	found := []camaraProfile{}
	for _, p := range s.network.profiles {
		shown := newCAMARAProfile(p)
		if (name == "" || name == p.Name) && (status == "" || status == shown.Status) {
			found = append(found, shown)
		}
	}
	return found
}

func newCAMARAProfile(p Profile) camaraProfile {
	return camaraProfile{
		Name: p.Name, Description: p.Description, Status: cmp.Or(p.Status, ProfileActive),
		MinDuration: newCAMARADuration(p.MinDuration), MaxDuration: newCAMARADuration(p.MaxDuration),
		MaxUpstreamRate: newCAMARARate(p.Upstream), MaxDownstream: newCAMARARate(p.Downstream),
	}
}

// newCAMARADuration uses the largest unit that shows the whole duration, as operators do.
func newCAMARADuration(d time.Duration) *camaraQuantity {
	if d == 0 {
		return nil
	}
	switch {
	case d%(24*time.Hour) == 0:
		return &camaraQuantity{int(d / (24 * time.Hour)), "Days"}
	case d%time.Hour == 0:
		return &camaraQuantity{int(d / time.Hour), "Hours"}
	case d%time.Minute == 0:
		return &camaraQuantity{int(d / time.Minute), "Minutes"}
	}
	return &camaraQuantity{int(d / time.Second), "Seconds"}
}

func newCAMARARate(megabits int) *camaraQuantity {
	if megabits == 0 {
		return nil
	}
	return &camaraQuantity{megabits, "Mbps"}
}
