package sandbox

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// openGateway serves openapi.yaml, Telefónica's Quality on Demand API.
type openGateway struct{ *Sandbox }

// The servers of the API document end in /v1.
const (
	openGatewayBase = "/v1"
	pathSessions    = openGatewayBase + "/qod/sessions"
)

// The scopes of the API document.
const (
	ScopeRead  = "qod:sessions:read"
	ScopeWrite = "qod:sessions:write"
)

//go:embed openapi.yaml
var openGatewayText []byte

// openGatewayDocument never changes once it is loaded, so all sandboxes of a process share it.
var openGatewayDocument = sync.OnceValue(func() *openapi3.T { return loadDocument(openGatewayText) })

func (openGateway) basePath() string { return openGatewayBase }

func (openGateway) document() *openapi3.T { return openGatewayDocument() }

func (openGateway) match(path string) (operations map[string]Operation, template, id string) {
	if path == pathSessions {
		return map[string]Operation{http.MethodGet: OpList, http.MethodPost: OpCreate}, "/qod/sessions", ""
	}
	id, ok := strings.CutPrefix(path, pathSessions+"/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return nil, "", ""
	}
	operations = map[string]Operation{http.MethodGet: OpRead, http.MethodDelete: OpDelete}
	return operations, "/qod/sessions/{sessionId}", strings.ToLower(id) // a UUID in any case; the network uses lower case
}

func (openGateway) scopes() []string { return []string{ScopeRead, ScopeWrite} }

func (openGateway) scope(op Operation) string {
	if op == OpRead || op == OpList {
		return ScopeRead
	}
	return ScopeWrite
}

func (g openGateway) answer(client string, c call) answer {
	switch c.op {
	case OpCreate:
		return g.create(client, c)
	case OpList:
		return g.list(client, c)
	case OpRead:
		return g.read(client, c.id)
	default:
		return g.delete(client, c.id)
	}
}

func (openGateway) event(ch statusChange) event {
	return newEvent("org.camaraproject.qod.v0.qos-status-changed", pathSessions+"/"+ch.ID, ch)
}

// createSessionRequest is the API document's schema of that name.
type createSessionRequest struct {
	Device                Device             `json:"device"`
	ApplicationServer     *ApplicationServer `json:"applicationServer"`
	QoSProfile            string             `json:"qosProfile"`
	Duration              int                `json:"duration"`
	NotificationURL       string             `json:"notificationUrl"`
	NotificationAuthToken string             `json:"notificationAuthToken"`
}

// conflictMessage is the message of a 409 in Telefónica's documentation.
const conflictMessage = "Another session is created for the same UE"

func (g openGateway) create(client string, c call) answer {
	var asked createSessionRequest
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "The body is not a CreateSessionRequest")
	}
	if !asked.Device.hasIdentifier() {
		return refusal(http.StatusBadRequest, "INVALID_ARGUMENT", "device: at least one identifier is required")
	}
	if g.config.MockRules && asked.Device.endsIn9() {
		return refusal(http.StatusConflict, "CONFLICT", conflictMessage+" (sandbox mock rule: an identifier ends in 9)")
	}
	session, err := g.network.create(Session{
		ClientID:              client,
		Device:                asked.Device,
		ApplicationServer:     asked.ApplicationServer,
		QoSProfile:            asked.QoSProfile,
		Duration:              asked.Duration,
		NotificationURL:       asked.NotificationURL,
		NotificationAuthToken: asked.NotificationAuthToken,
	}, g.visible(OpCreate))
	if err != nil { // errConflict is the only error
		return refusal(http.StatusConflict, "CONFLICT", conflictMessage)
	}
	return jsonAnswer(http.StatusCreated, g.info(session))
}

func (g openGateway) list(client string, c call) answer {
	infos, visible := []any{}, g.visible(OpList)
	for _, session := range g.visibleInList(func(session *Session) bool { return session.ClientID == client && visible(session) }) {
		infos = append(infos, g.info(session))
	}
	if g.config.PageSize > 0 {
		return page(infos, g.config.PageSize, c.request)
	}
	return jsonAnswer(http.StatusOK, infos)
}

func (g openGateway) read(client, id string) answer {
	session, ok := g.network.find(client, id)
	if !ok || !g.visible(OpRead)(&session) {
		return sessionNotFound()
	}
	return jsonAnswer(http.StatusOK, g.info(session))
}

func (g openGateway) delete(client, id string) answer {
	visible := g.visible(OpDelete)
	mine := func(session *Session) bool { return session.ClientID == client && visible(session) }
	if !g.network.delete(id, mine, g.config.HoldAfterDelete) {
		return sessionNotFound()
	}
	return answer{status: http.StatusNoContent}
}

// sessionInfo is the API document's schema of that name: it has no application server and no
// webhook.
type sessionInfo struct {
	SessionID  string `json:"sessionId"`
	Device     Device `json:"device"`
	QoSProfile string `json:"qosProfile"`
	QoSStatus  string `json:"qosStatus"`
	StartedAt  string `json:"startedAt,omitempty"`
	ExpiresAt  string `json:"expiresAt,omitempty"`
	Duration   int    `json:"duration"`
}

// info returns a session as the API shows it.
func (g openGateway) info(session Session) any {
	return g.echoed(sessionInfo{
		SessionID:  session.ID,
		Device:     session.Device,
		QoSProfile: session.QoSProfile,
		QoSStatus:  session.Status,
		StartedAt:  timestamp(session.StartedAt),
		ExpiresAt:  timestamp(session.ExpiresAt),
		Duration:   session.Duration,
	})
}
