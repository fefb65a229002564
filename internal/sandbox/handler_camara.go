package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// What CAMARA's documents have in common, from 0.10 on.

// sessionScopes are the scopes of the operations of sessions.
type sessionScopes struct{ create, read, delete, extend string }

// camaraRoutes are the paths of sessions.
func camaraRoutes(apiPath string, document *openapi3.T, scopes sessionScopes) []route {
	return []route{{
		path: apiPath + "/sessions", template: "/sessions", document: document,
		methods: map[string]apiMethod{http.MethodPost: {OpCreate, scopes.create}},
	}, {
		path: apiPath + "/sessions/{sessionId}", template: "/sessions/{sessionId}", document: document,
		methods: map[string]apiMethod{
			http.MethodGet:    {OpRead, scopes.read},
			http.MethodDelete: {OpDelete, scopes.delete},
		},
	}, {
		path: apiPath + "/sessions/{sessionId}/extend", template: "/sessions/{sessionId}/extend", document: document,
		methods: map[string]apiMethod{http.MethodPost: {OpExtend, scopes.extend}},
	}}
}

type camaraDevice struct {
	PhoneNumber             string      `json:"phoneNumber,omitempty"`
	NetworkAccessIdentifier string      `json:"networkAccessIdentifier,omitempty"`
	IPv4Address             *camaraIPv4 `json:"ipv4Address,omitempty"`
	IPv6Address             string      `json:"ipv6Address,omitempty"`
}

type camaraIPv4 struct {
	PublicAddress  string `json:"publicAddress,omitempty"`
	PrivateAddress string `json:"privateAddress,omitempty"`
	PublicPort     *int   `json:"publicPort,omitempty"`
}

type camaraServer struct {
	IPv4Address string `json:"ipv4Address,omitempty"`
	IPv6Address string `json:"ipv6Address,omitempty"`
}

// known is the device as the network knows it; zero without one.
func (d *camaraDevice) known() Device {
	if d == nil {
		return Device{}
	}
	return Device{
		PhoneNumber: d.PhoneNumber, NetworkAccessIdentifier: d.NetworkAccessIdentifier,
		IPv4Address: (*IPv4Address)(d.IPv4Address), IPv6Address: d.IPv6Address,
	}
}

// everyServer is what a session is for that was seeded without a server: the documents require one.
var everyServer = ApplicationServer{IPv4Address: "0.0.0.0/0"}

// ofSession answers a request about one session, if its token may make it.
func (s *Sandbox) ofSession(granted grant, c call, carryOut func(Session) answer) answer {
	visible := s.visible(c.op)
	found := s.network.list(func(known *Session) bool { return strings.EqualFold(known.ID, c.parameter) && visible(known) })
	switch {
	case len(found) == 0:
		return s.api.refusal(http.StatusNotFound, "NOT_FOUND", "The specified resource is not found")
	case !granted.covers(&found[0]):
		return s.api.refusal(http.StatusForbidden, "PERMISSION_DENIED",
			"The session belongs to another client, or to another device than the access token")
	}
	return carryOut(found[0])
}

// askedExtension is by how much a valid request asks to extend a session.
func askedExtension(c call) time.Duration {
	var asked struct{ RequestedAdditionalDuration int }
	_ = json.Unmarshal(c.body, &asked)
	return time.Duration(asked.RequestedAdditionalDuration) * time.Second
}
