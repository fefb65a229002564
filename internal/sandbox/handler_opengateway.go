package sandbox

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// The scopes of the API document.
const (
	ScopeRead  = "qod:sessions:read"
	ScopeWrite = "qod:sessions:write"
)

// openGatewayDefinition is openapi.yaml, Telefónica's Quality on Demand API. The servers of the
// document end in /v1, and its paths begin with /qod.
var openGatewayDefinition = definition{
	basePath: "/v1",
	apiPath:  "/qod",
	profiles: []Profile{
		{Name: "QOS_E", MaxDuration: 24 * time.Hour},
		{Name: "QOS_S", MaxDuration: 24 * time.Hour},
		{Name: "QOS_M", MaxDuration: 24 * time.Hour},
		{Name: "QOS_L", MaxDuration: 24 * time.Hour},
	},
	conflict: sameDevice,
	routes:   openGatewayRoutes,
	handler:  func(s *Sandbox) apiHandler { return openGateway{s} },
}

//go:embed openapi.yaml
var openGatewayText []byte

// openGatewayDocument never changes once it is loaded, so all sandboxes of a process share it.
var openGatewayDocument = sync.OnceValue(func() *openapi3.T { return loadDocument(openGatewayText) })

func openGatewayRoutes(apiPath string) []route {
	return []route{{
		path: apiPath + "/sessions", template: "/qod/sessions", document: openGatewayDocument(),
		methods: map[string]apiMethod{
			http.MethodGet:  {OpList, ScopeRead},
			http.MethodPost: {OpCreate, ScopeWrite},
		},
	}, {
		path: apiPath + "/sessions/{sessionId}", template: "/qod/sessions/{sessionId}", document: openGatewayDocument(),
		methods: map[string]apiMethod{
			http.MethodGet:    {OpRead, ScopeRead},
			http.MethodDelete: {OpDelete, ScopeWrite},
		},
	}}
}

// openGateway serves the API.
type openGateway struct{ *Sandbox }

func (g openGateway) answer(granted grant, c call) answer {
	switch c.op {
	case OpCreate:
		return g.create(granted, c)
	case OpList:
		return g.list(granted, c)
	case OpRead:
		return g.read(granted, c.parameter)
	default:
		return g.delete(granted, c.parameter)
	}
}

func (openGateway) refusal(status int, code, message string) answer {
	return newErrorResponse(status, code, message)
}

func (openGateway) device(c call) Device {
	var asked createSessionRequest
	if c.op == OpCreate && json.Unmarshal(c.body, &asked) == nil {
		return asked.Device.known()
	}
	return Device{}
}

func (g openGateway) event(ch statusChange) any {
	source := g.BasePath() + g.definition.apiPath + "/sessions/" + ch.ID
	return newCloudEvent("org.camaraproject.qod.v0.qos-status-changed", source, ch.at, eventData{ch.ID, ch.Status, ch.cause})
}

// createSessionRequest is the API document's schema of that name.
type createSessionRequest struct {
	Device                openGatewayDevice  `json:"device"`
	ApplicationServer     *openGatewayServer `json:"applicationServer"`
	QoSProfile            string             `json:"qosProfile"`
	Duration              int                `json:"duration"`
	NotificationURL       string             `json:"notificationUrl"`
	NotificationAuthToken string             `json:"notificationAuthToken"`
}

// openGatewayDevice is the API document's schema Device.
type openGatewayDevice struct {
	PhoneNumber             string           `json:"phoneNumber,omitempty"`
	NetworkAccessIdentifier string           `json:"networkAccessIdentifier,omitempty"`
	IPv4Address             *openGatewayIPv4 `json:"ipv4Address,omitempty"`
	IPv6Address             string           `json:"ipv6Address,omitempty"`
}

type openGatewayIPv4 struct {
	PublicAddress string `json:"publicAddress,omitempty"`
	PublicPort    *int   `json:"publicPort,omitempty"`
}

type openGatewayServer struct {
	IPv4Address string `json:"ipv4Address"`
	IPv6Address string `json:"ipv6Address"`
}

// known is the device as the network knows it.
func (d openGatewayDevice) known() Device {
	known := Device{PhoneNumber: d.PhoneNumber, NetworkAccessIdentifier: d.NetworkAccessIdentifier, IPv6Address: d.IPv6Address}
	if v4 := d.IPv4Address; v4 != nil {
		known.IPv4Address = &IPv4Address{PublicAddress: v4.PublicAddress, PublicPort: v4.PublicPort}
	}
	return known
}

// newOpenGatewayDevice is a device as the API shows it.
func newOpenGatewayDevice(d Device) openGatewayDevice {
	shown := openGatewayDevice{PhoneNumber: d.PhoneNumber, NetworkAccessIdentifier: d.NetworkAccessIdentifier, IPv6Address: d.IPv6Address}
	if v4 := d.IPv4Address; v4 != nil {
		shown.IPv4Address = &openGatewayIPv4{PublicAddress: v4.PublicAddress, PublicPort: v4.PublicPort}
	}
	return shown
}

// conflictMessage is the message of a 409 in Telefónica's documentation.
const conflictMessage = "Another session is created for the same UE"

func (g openGateway) create(granted grant, c call) answer {
	var asked createSessionRequest
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return g.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a CreateSessionRequest")
	}
	device := asked.Device.known()
	if !device.hasIdentifier() {
		return g.refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "device: at least one identifier is required")
	}
	if !granted.isFor(device) {
		return g.refusal(http.StatusForbidden, "PERMISSION_DENIED", "The access token is for another device")
	}
	if g.config.MockRules && device.endsIn9() {
		return g.refusal(http.StatusConflict, "CONFLICT", conflictMessage+" (sandbox mock rule: an identifier ends in 9)")
	}
	session, err := g.network.create(Session{
		ClientID:              granted.client,
		Device:                device,
		ApplicationServer:     (*ApplicationServer)(asked.ApplicationServer),
		QoSProfile:            asked.QoSProfile,
		Duration:              asked.Duration,
		NotificationURL:       asked.NotificationURL,
		NotificationAuthToken: asked.NotificationAuthToken,
	}, g.visible(OpCreate))
	if err != nil { // errConflict is the only error
		return g.refusal(http.StatusConflict, "CONFLICT", conflictMessage)
	}
	return jsonAnswer(http.StatusCreated, g.info(session))
}

func (g openGateway) list(granted grant, c call) answer {
	infos, visible := []any{}, g.visible(OpList)
	for _, session := range g.visibleInList(func(session *Session) bool { return granted.covers(session) && visible(session) }) {
		infos = append(infos, g.info(session))
	}
	if g.config.PageSize > 0 {
		return page(infos, g.config.PageSize, c.request)
	}
	return jsonAnswer(http.StatusOK, infos)
}

func (g openGateway) read(granted grant, id string) answer {
	session, ok := g.network.find(granted.client, id)
	if !ok || !granted.covers(&session) || !g.visible(OpRead)(&session) {
		return g.sessionNotFound()
	}
	return jsonAnswer(http.StatusOK, g.info(session))
}

func (g openGateway) delete(granted grant, id string) answer {
	visible := g.visible(OpDelete)
	mine := func(session *Session) bool { return granted.covers(session) && visible(session) }
	if !g.network.delete(id, mine, g.config.HoldAfterDelete) {
		return g.sessionNotFound()
	}
	return answer{status: http.StatusNoContent}
}

func (g openGateway) sessionNotFound() answer {
	return g.refusal(http.StatusNotFound, "NOT_FOUND", "There is no such session")
}

// sessionInfo is the API document's schema of that name: it has no application server and no
// webhook.
type sessionInfo struct {
	SessionID  string            `json:"sessionId"`
	Device     openGatewayDevice `json:"device"`
	QoSProfile string            `json:"qosProfile"`
	QoSStatus  string            `json:"qosStatus"`
	StartedAt  string            `json:"startedAt,omitempty"`
	ExpiresAt  string            `json:"expiresAt,omitempty"`
	Duration   int               `json:"duration"`
}

// info returns a session as the API shows it.
func (g openGateway) info(session Session) any {
	return g.echoed(sessionInfo{
		SessionID:  session.ID,
		Device:     newOpenGatewayDevice(session.Device),
		QoSProfile: session.QoSProfile,
		QoSStatus:  session.Status,
		StartedAt:  timestamp(session.StartedAt),
		ExpiresAt:  timestamp(session.ExpiresAt),
		Duration:   session.Duration,
	})
}
