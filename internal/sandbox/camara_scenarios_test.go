package sandbox

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// scenario is one of the scenarios that CAMARA publishes with quality-on-demand and that a server
// can be asked for. Every answer is judged by the API's documents; see harness.send.
type scenario struct {
	config Config
	token  *grant // that the client has; nil: one of all scopes, for any device
	run    func(h *harness)
}

const (
	unknownLine  = "+34600000404"
	unservedLine = "+34600000422"
	randomID     = "5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc"
)

// ofLine is the grant of a token that is bound to a device.
func ofLine(number string) *grant {
	return &grant{client: DefaultClient.ID, device: &Device{PhoneNumber: number}, scopes: camaraScopes}
}

var camaraScopes = []string{scopeCreate, scopeReadSession, scopeUpdate, scopeDelete, scopeRetrieveByDevice, scopeProfiles}

// refuses is a scenario in which a POST is refused. For a create, body is what differs from a valid
// one.
func refuses(path, body string, status int, code string) scenario {
	return scenario{run: func(h *harness) {
		h.t.Helper()
		before := len(h.Ledger())
		if path == camaraCreate && strings.HasPrefix(body, "{") {
			body = camaraBody(h.t, body)
		}
		h.wantError(h.send(http.MethodPost, path, body), status, code)
		if len(h.Ledger()) != before {
			h.t.Errorf("it was refused and reserved: %+v", h.Ledger())
		}
	}}
}

// with is the scenario for a client that has another token.
func (s scenario) with(token *grant) scenario {
	s.token = token
	return s
}

// camaraRequests are a request of each operation, for a session of the default line.
func camaraRequests(t *testing.T, id string) map[Operation]Request {
	return map[Operation]Request{
		OpCreate:   {Method: http.MethodPost, Path: camaraCreate, Body: []byte(camaraBody(t, `{"applicationServer":{"ipv4Address":"192.0.2.1"}}`))},
		OpRead:     {Method: http.MethodGet, Path: camaraCreate + "/" + id},
		OpList:     {Method: http.MethodPost, Path: camaraList, Body: []byte(`{"device":{"phoneNumber":"` + camaraLine + `"}}`)},
		OpExtend:   {Method: http.MethodPost, Path: camaraCreate + "/" + id + "/extend", Body: []byte(`{"requestedAdditionalDuration":60}`)},
		OpProfiles: {Method: http.MethodPost, Path: ProfilesPath + "/retrieve-qos-profiles", Body: []byte(`{}`)},
		OpDelete:   {Method: http.MethodDelete, Path: camaraCreate + "/" + id},
	}
}

// ofEach sends a request of each operation, a delete last, for a session that is AVAILABLE.
func ofEach(send func(h *harness, op Operation, r Request)) scenario {
	return scenario{config: Config{Provisioning: Instant}, run: func(h *harness) {
		requests := camaraRequests(h.t, h.createCAMARA(`{}`).SessionID)
		for _, op := range []Operation{OpCreate, OpRead, OpList, OpExtend, OpProfiles, OpDelete} {
			send(h, op, requests[op])
		}
	}}
}

// ofSessions is ofEach for the operations on one session.
func ofSessions(id string, status int, code string) scenario {
	return scenario{run: func(h *harness) {
		for op, r := range camaraRequests(h.t, id) {
			if op == OpRead || op == OpDelete || op == OpExtend {
				h.wantError(h.send(r.Method, r.Path, string(r.Body)), status, code)
			}
		}
	}}
}

func camaraScenarios() map[string]scenario {
	return map[string]scenario{
		// All operations.
		"the answer repeats the correlator, and is JSON": ofEach(func(h *harness, op Operation, r Request) {
			got := h.send(r.Method, r.Path, string(r.Body), "x-correlator", "b4333c46-49c0-4f62-80d7-f0ef930f1c46")
			if got.status >= 300 || got.header.Get("X-Correlator") != "b4333c46-49c0-4f62-80d7-f0ef930f1c46" {
				h.t.Errorf("%s: %d with the correlator %q", op, got.status, got.header.Get("X-Correlator"))
			}
			if media := got.header.Get("Content-Type"); got.body != "" && media != "application/json" {
				h.t.Errorf("%s: the answer is %s", op, media)
			}
		}),
		"an invalid correlator": ofEach(func(h *harness, _ Operation, r Request) {
			h.wantError(h.send(r.Method, r.Path, string(r.Body), "x-correlator", "what is this?"), 400, "INVALID_ARGUMENT")
		}),
		"no access token": ofEach(func(h *harness, _ Operation, r Request) {
			h.token = ""
			h.wantError(h.send(r.Method, r.Path, string(r.Body)), 401, "UNAUTHENTICATED")
		}),
		"an invalid access token": ofEach(func(h *harness, _ Operation, r Request) {
			h.token = "nobody's"
			h.wantError(h.send(r.Method, r.Path, string(r.Body)), 401, "UNAUTHENTICATED")
		}),
		"an expired access token": ofEach(func(h *harness, _ Operation, r Request) {
			h.token = "expired"
			h.tokens.add(h.token, grant{client: DefaultClient.ID, scopes: camaraScopes, until: noon})
			h.wantError(h.send(r.Method, r.Path, string(r.Body)), 401, "UNAUTHENTICATED")
		}),
		"an access token without the scope": ofEach(func(h *harness, op Operation, r Request) {
			needed := h.route(h.request(h.t.Context(), r.Method, r.Path, "")).scope
			h.token = "others"
			h.AcceptToken(h.token, DefaultClient.ID, slices.DeleteFunc(slices.Clone(camaraScopes), func(scope string) bool { return scope == needed })...)
			got := h.wantError(h.send(r.Method, r.Path, string(r.Body)), 403, "PERMISSION_DENIED")
			if !strings.Contains(got.Message, needed) {
				h.t.Errorf("%s: %s does not name %s", op, got.Message, needed)
			}
		}),
		"another client's session": ofEach(func(h *harness, op Operation, r Request) {
			if op == OpRead || op == OpDelete || op == OpExtend {
				h.wantError(h.asClient("somebody").send(r.Method, r.Path, string(r.Body)), 403, "PERMISSION_DENIED")
			}
		}),
		"another device's session": ofEach(func(h *harness, op Operation, r Request) {
			if op == OpRead || op == OpDelete || op == OpExtend {
				h.token = "of another"
				h.tokens.add(h.token, *ofLine("+34600000011"))
				h.wantError(h.send(r.Method, r.Path, string(r.Body)), 403, "PERMISSION_DENIED")
			}
		}),
		"an id that is no UUID":           ofSessions("1", 400, "INVALID_ARGUMENT"),
		"an id of no session":             ofSessions(randomID, 404, "NOT_FOUND"),
		"more requests than are accepted": rateLimited,
		"a path that there is not": {run: func(h *harness) {
			h.wantError(h.send(http.MethodPost, camaraBase+"/sessions/", `{}`), 404, "NOT_FOUND")
			h.wantError(h.send(http.MethodGet, camaraCreate, ""), 405, "METHOD_NOT_ALLOWED")
		}},

		// Create.
		"create: the answer shows what was requested, and no more": {config: Config{Provisioning: time.Second}, run: func(h *harness) {
			least := h.createCAMARA(`{}`)
			if least.DevicePorts != nil || least.ApplicationServerPorts != nil || least.Sink != "" || least.QoSProfile != "QOS_L" || least.Duration != 3600 {
				h.t.Errorf("created %+v", least)
			}
			most := h.createCAMARA(`{"applicationServer":{"ipv4Address":"192.0.2.0/24","ipv6Address":"2001:db8::/32"},"devicePorts":{"ranges":[{"from":5000,"to":5010}]},` +
				`"applicationServerPorts":{"ports":[443]},"sink":"https://hook.example/x"}`)
			switch {
			case *most.Device != camaraDevice{PhoneNumber: camaraLine} || *most.ApplicationServer != camaraServer{"192.0.2.0/24", "2001:db8::/32"} || most.Sink != "https://hook.example/x":
				h.t.Errorf("created %+v", most)
			case most.DevicePorts.Ranges[0] != PortRange{5000, 5010} || most.ApplicationServerPorts.Ports[0] != 443:
				h.t.Errorf("ports %+v, %+v", most.DevicePorts, most.ApplicationServerPorts)
			}
		}},
		"create: of several identifiers one is shown": {run: func(h *harness) {
			made := h.createCAMARA(`{"device":{"phoneNumber":"` + camaraLine + `","ipv4Address":{"publicAddress":"203.0.113.1","publicPort":5000},"ipv6Address":"2001:db8::1"}}`)
			if *made.Device != (camaraDevice{PhoneNumber: camaraLine}) {
				h.t.Errorf("created for %+v", made.Device)
			}
		}},
		"create: REQUESTED shows no times":  {config: Config{Provisioning: time.Second}, run: func(h *harness) { h.wantTimes(h.createCAMARA(`{}`), StatusRequested) }},
		"create: AVAILABLE shows its times": {config: Config{Provisioning: Instant}, run: func(h *harness) { h.wantTimes(h.createCAMARA(`{}`), StatusAvailable) }},
		"create: with a token of a device, and no device": scenario{run: func(h *harness) {
			if made := h.createCAMARA(`{"device":null}`); made.Device != nil || h.Ledger()[0].Device.PhoneNumber != camaraLine {
				h.t.Errorf("created %+v, the network has %+v", made, h.Ledger())
			}
		}}.with(ofLine(camaraLine)),
		"create: the same device twice": refuses(camaraCreate, `{}`, 422, "UNNECESSARY_IDENTIFIER").with(ofLine(camaraLine)),
		"create: no device":             refuses(camaraCreate, `{"device":null}`, 422, "MISSING_IDENTIFIER"),
		"create: unsupported device":    refuses(camaraCreate, `{"device":{"networkAccessIdentifier":"a@b.example"}}`, 422, "UNSUPPORTED_IDENTIFIER"),
		"create: unknown device":        refuses(camaraCreate, `{"device":{"phoneNumber":"`+unknownLine+`"}}`, 404, "IDENTIFIER_NOT_FOUND"),
		"create: unserved device":       refuses(camaraCreate, `{"device":{"phoneNumber":"`+unservedLine+`"}}`, 422, "SERVICE_NOT_APPLICABLE"),
		"create: unknown, by its token": refuses(camaraCreate, `{"device":null}`, 404, "IDENTIFIER_NOT_FOUND").with(ofLine(unknownLine)),
		"create: an empty device":       refuses(camaraCreate, `{"device":{}}`, 400, "INVALID_ARGUMENT"),
		"create: a national number":     refuses(camaraCreate, `{"device":{"phoneNumber":"600000010"}}`, 400, "INVALID_ARGUMENT"),
		"create: an address alone":      refuses(camaraCreate, `{"device":{"ipv4Address":{"publicAddress":"198.51.100.1"}}}`, 400, "INVALID_ARGUMENT"),
		"create: a port alone":          refuses(camaraCreate, `{"device":{"ipv4Address":{"publicPort":1}}}`, 400, "INVALID_ARGUMENT"),
		"create: no IPv4 address":       refuses(camaraCreate, `{"device":{"ipv4Address":{"publicAddress":"198.51.100","publicPort":1}}}`, 400, "INVALID_ARGUMENT"),
		"create: no IPv6 address":       refuses(camaraCreate, `{"device":{"ipv6Address":"198.51.100.1"}}`, 400, "INVALID_ARGUMENT"),

		"create: no body":             refuses(camaraCreate, "", 400, "INVALID_ARGUMENT"),
		"create: an array":            refuses(camaraCreate, "[]", 400, "INVALID_ARGUMENT"),
		"create: an empty object":     refuses(camaraCreate, `{"device":null,"applicationServer":null,"qosProfile":null,"duration":null}`, 400, "INVALID_ARGUMENT"),
		"create: an unknown member":   refuses(camaraCreate, `{"webhook":{}}`, 400, "INVALID_ARGUMENT"),
		"create: one deeper":          refuses(camaraCreate, `{"device":{"phoneNumber":"`+camaraLine+`","imei":"1"}}`, 400, "INVALID_ARGUMENT"),
		"create: one deeper still":    refuses(camaraCreate, `{"devicePorts":{"ranges":[{"from":1,"to":2,"step":1}]}}`, 400, "INVALID_ARGUMENT"),
		"create: no server":           refuses(camaraCreate, `{"applicationServer":null}`, 400, "INVALID_ARGUMENT"),
		"create: an empty server":     refuses(camaraCreate, `{"applicationServer":{}}`, 400, "INVALID_ARGUMENT"),
		"create: a server by name":    refuses(camaraCreate, `{"applicationServer":{"ipv4Address":"server.example"}}`, 400, "INVALID_ARGUMENT"),
		"create: a list of servers":   refuses(camaraCreate, `{"applicationServer":{"ipAddresses":["198.51.100.1"]}}`, 400, "INVALID_ARGUMENT"), // only 1.2 has it
		"create: empty device ports":  refuses(camaraCreate, `{"devicePorts":{}}`, 400, "INVALID_ARGUMENT"),
		"create: empty server ports":  refuses(camaraCreate, `{"applicationServerPorts":{}}`, 400, "INVALID_ARGUMENT"),
		"create: a list of no ports":  refuses(camaraCreate, `{"devicePorts":{"ports":[]}}`, 400, "INVALID_ARGUMENT"),
		"create: a range of no end":   refuses(camaraCreate, `{"devicePorts":{"ranges":[{"from":1}]}}`, 400, "INVALID_ARGUMENT"),
		"create: port 0":              refuses(camaraCreate, `{"devicePorts":{"ports":[0]}}`, 400, "INVALID_ARGUMENT"), // in 1.2
		"create: port 65536":          refuses(camaraCreate, `{"applicationServerPorts":{"ports":[65536]}}`, 400, "INVALID_ARGUMENT"),
		"create: public port 65536":   refuses(camaraCreate, `{"device":{"ipv4Address":{"publicAddress":"198.51.100.1","publicPort":65536}}}`, 400, "INVALID_ARGUMENT"),
		"create: no duration":         refuses(camaraCreate, `{"duration":null}`, 400, "INVALID_ARGUMENT"),
		"create: duration 0":          refuses(camaraCreate, `{"duration":0}`, 400, "INVALID_ARGUMENT"),
		"create: too long":            refuses(camaraCreate, `{"qosProfile":"live-uplink","duration":21601}`, 400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"),
		"create: too short":           refuses(camaraCreate, `{"qosProfile":"live-uplink","duration":59}`, 400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"),
		"create: no profile":          refuses(camaraCreate, `{"qosProfile":null}`, 400, "INVALID_ARGUMENT"),
		"create: an unknown profile":  refuses(camaraCreate, `{"qosProfile":"nobodys"}`, 400, "INVALID_ARGUMENT"),
		"create: inactive profile":    refuses(camaraCreate, `{"qosProfile":"retired"}`, 422, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE"),
		"create: deprecated profile":  refuses(camaraCreate, `{"qosProfile":"retiring"}`, 422, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE"),
		"create: a sink over http":    refuses(camaraCreate, `{"sink":"http://hook.example"}`, 400, "INVALID_ARGUMENT"),
		"create: a sink of no host":   refuses(camaraCreate, `{"sink":"https://"}`, 400, "INVALID_ARGUMENT"),
		"create: an empty credential": refuses(camaraCreate, `{"sink":"https://hook.example","sinkCredential":{}}`, 400, "INVALID_ARGUMENT"),
		"create: one of no end":       refuses(camaraCreate, withCredential(`"credentialType":"ACCESSTOKEN","accessToken":"t","accessTokenType":"bearer"`), 400, "INVALID_ARGUMENT"),
		"create: one of no bearer": refuses(camaraCreate,
			withCredential(`"credentialType":"ACCESSTOKEN","accessToken":"t","accessTokenType":"mac","accessTokenExpiresUtc":"2026-11-22T14:00:00Z"`), 400, "INVALID_ARGUMENT"),
		"create: one with a password": refuses(camaraCreate, withCredential(`"credentialType":"PLAIN","identifier":"i","secret":"s"`), 400, "INVALID_CREDENTIAL"),
		"create: a refresh token": refuses(camaraCreate, withCredential(`"credentialType":"REFRESHTOKEN","accessToken":"t","accessTokenType":"bearer",`+
			`"accessTokenExpiresUtc":"2026-11-22T14:00:00Z","refreshToken":"r","refreshTokenEndpoint":"https://hook.example"`), 400, "INVALID_CREDENTIAL"),
		"create: a private key": refuses(camaraCreate, withCredential(`"credentialType":"PRIVATE_KEY_JWT"`), 422, "PRIVATE_KEY_JWT_NOT_CONFIGURED"),
		"create: with a bearer token": {run: func(h *harness) {
			until := noon.Add(2 * time.Hour)
			made := h.createCAMARA(sinkUntil(until))
			if s := h.Ledger()[0]; s.NotificationAuthToken != "the token" || !s.NotificationsUntil.Equal(until) || made.SinkCredential != nil {
				h.t.Errorf("the network has %+v, the answer shows %+v", s, made)
			}
		}},
		"create: the device has a session": {run: func(h *harness) {
			h.createCAMARA(`{}`)
			h.wantError(h.send(http.MethodPost, camaraCreate, camaraBody(h.t, `{}`)), 409, "CONFLICT")
		}},
		"create: it had one that the network ended": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			h.Revoke(h.createCAMARA(`{}`).SessionID)
			h.clock.Advance(linger - time.Second)
			h.wantError(h.send(http.MethodPost, camaraCreate, camaraBody(h.t, `{}`)), 409, "CONFLICT")
			h.clock.Advance(time.Second)
			h.createCAMARA(`{}`)
		}},

		// Read and delete.
		"read: REQUESTED, AVAILABLE, UNAVAILABLE": {config: Config{Provisioning: time.Second}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{}`).SessionID
			h.wantTimes(sessionIn[camaraV1Session](h, 200, h.send(http.MethodGet, path, "")), StatusRequested)
			h.clock.Advance(time.Second)
			h.wantTimes(sessionIn[camaraV1Session](h, 200, h.send(http.MethodGet, path, "")), StatusAvailable)
			h.clock.Advance(10*time.Minute - time.Second)
			h.Revoke(h.Ledger()[0].ID)
			h.clock.Advance(linger - time.Second)
			dead := sessionIn[camaraV1Session](h, 200, h.send(http.MethodGet, path, ""))
			h.wantTimes(dead, StatusUnavailable)
			if dead.Duration != 599 || dead.StatusInfo != causeTerminated || dead.ExpiresAt != timestamp(noon.Add(10*time.Minute)) {
				h.t.Errorf("ended: %+v", dead)
			}
			h.clock.Advance(time.Second)
			h.wantError(h.send(http.MethodGet, path, ""), 404, "NOT_FOUND")
		}},
		"read: never granted": {config: Config{Provisioning: time.Hour}, run: func(h *harness) {
			id := h.createCAMARA(`{}`).SessionID
			h.Revoke(id)
			if got := sessionIn[camaraV1Session](h, 200, h.send(http.MethodGet, camaraCreate+"/"+id, "")); got.QoSStatus != StatusUnavailable || got.StatusInfo != causeTerminated || got.StartedAt != nil {
				h.t.Errorf("read %+v", got)
			}
		}},
		"read: with the token of its device": scenario{run: func(h *harness) {
			made := h.createCAMARA(`{"device":null}`)
			if got := sessionIn[camaraV1Session](h, 200, h.send(http.MethodGet, camaraCreate+"/"+made.SessionID, "")); got.Device != nil {
				h.t.Errorf("the device is shown: %+v", got)
			}
		}}.with(ofLine(camaraLine)),
		"read: past its end": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			id := h.createCAMARA(`{}`).SessionID
			h.clock.Advance(time.Hour)
			h.wantError(h.send(http.MethodGet, camaraCreate+"/"+id, ""), 404, "NOT_FOUND")
		}},
		"delete: then read, delete and create": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{}`).SessionID
			if got := h.send(http.MethodDelete, path, ""); got.status != http.StatusNoContent || got.body != "" {
				h.t.Errorf("delete: %+v", got)
			}
			h.wantError(h.send(http.MethodGet, path, ""), 404, "NOT_FOUND")
			h.wantError(h.send(http.MethodDelete, path, ""), 404, "NOT_FOUND")
			h.createCAMARA(`{}`)
		}},
		"delete: with the token of its device": scenario{run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{"device":null}`).SessionID
			if got := h.send(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
				h.t.Errorf("delete: %+v", got)
			}
		}}.with(ofLine(camaraLine)),

		// Extend.
		"extend: by what is requested": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{}`).SessionID + "/extend"
			longer := sessionIn[camaraV1Session](h, 200, h.send(http.MethodPost, path, `{"requestedAdditionalDuration":600}`))
			h.wantTimes(longer, StatusAvailable)
			if longer.Duration != 4200 || longer.ExpiresAt != timestamp(noon.Add(70*time.Minute)) {
				h.t.Errorf("extended to %+v", longer)
			}
		}},
		"extend: as far as the profile allows": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{"qosProfile":"live-uplink"}`).SessionID + "/extend"
			for range 2 {
				if longer := sessionIn[camaraV1Session](h, 200, h.send(http.MethodPost, path, `{"requestedAdditionalDuration":2147483647}`)); longer.Duration != 6*3600 {
					h.t.Errorf("extended to %+v", longer)
				}
			}
		}},
		"extend: REQUESTED": {config: Config{Provisioning: time.Hour}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{}`).SessionID + "/extend"
			h.wantError(h.send(http.MethodPost, path, `{"requestedAdditionalDuration":60}`), 409, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED")
		}},
		"extend: UNAVAILABLE": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			id := h.createCAMARA(`{}`).SessionID
			h.Revoke(id)
			h.wantError(h.send(http.MethodPost, camaraCreate+"/"+id+"/extend", `{"requestedAdditionalDuration":60}`), 409, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED")
		}},
		"extend: with the token of its device": scenario{config: Config{Provisioning: Instant}, run: func(h *harness) {
			path := camaraCreate + "/" + h.createCAMARA(`{"device":null}`).SessionID + "/extend"
			sessionIn[camaraV1Session](h, 200, h.send(http.MethodPost, path, `{"requestedAdditionalDuration":60}`))
		}}.with(ofLine(camaraLine)),
		"extend: by nothing":         refuses(camaraCreate+"/"+randomID+"/extend", `{"requestedAdditionalDuration":0}`, 400, "INVALID_ARGUMENT"),
		"extend: by no number":       refuses(camaraCreate+"/"+randomID+"/extend", `{}`, 400, "INVALID_ARGUMENT"),
		"extend: without a body":     refuses(camaraCreate+"/"+randomID+"/extend", "", 400, "INVALID_ARGUMENT"),
		"extend: an unknown member":  refuses(camaraCreate+"/"+randomID+"/extend", `{"requestedAdditionalDuration":60,"qosProfile":"QOS_E"}`, 400, "INVALID_ARGUMENT"),
		"extend: more than an int32": refuses(camaraCreate+"/"+randomID+"/extend", `{"requestedAdditionalDuration":2147483648}`, 400, "INVALID_ARGUMENT"),

		// Retrieve by device.
		"list: the client's sessions of the device": {config: Config{Provisioning: Instant}, run: func(h *harness) {
			h.createCAMARA(`{}`)
			dead := h.createCAMARA(`{"applicationServer":{"ipv4Address":"203.0.113.1"}}`).SessionID
			h.clock.Advance(time.Second)
			h.Revoke(dead)
			h.createCAMARA(`{"device":{"phoneNumber":"+34600000011"}}`)
			h.asClient("somebody").createCAMARA(`{"applicationServer":{"ipv4Address":"192.0.2.1"}}`)
			found := h.listCAMARA(`{"device":{"phoneNumber":"` + camaraLine + `"}}`)
			if len(found) != 2 {
				h.t.Fatalf("listed %+v", found)
			}
			for _, s := range found {
				h.wantTimes(s, map[bool]string{true: StatusUnavailable, false: StatusAvailable}[s.SessionID == dead])
			}
		}},
		"list: none": {run: func(h *harness) {
			if got := h.send(http.MethodPost, camaraList, `{"device":{"phoneNumber":"`+camaraLine+`"}}`); got.status != 200 || got.body != "[]" {
				h.t.Errorf("listed %+v", got)
			}
		}},
		"list: a hundred at most": {run: func(h *harness) {
			for i := range longestList + 1 {
				h.createCAMARA(`{"applicationServer":{"ipv4Address":"192.0.2.` + strconv.Itoa(i) + `"}}`)
			}
			if found := h.listCAMARA(`{"device":{"phoneNumber":"` + camaraLine + `"}}`); len(found) != longestList {
				h.t.Errorf("%d are shown", len(found))
			}
		}},
		"list: with the token of the device": scenario{run: func(h *harness) {
			made := h.createCAMARA(`{"device":null}`)
			if found := h.listCAMARA(`{}`); len(found) != 1 || found[0].SessionID != made.SessionID || found[0].Device != nil {
				h.t.Errorf("listed %+v", found)
			}
		}}.with(ofLine(camaraLine)),
		"list: the same device twice": refuses(camaraList, `{"device":{"phoneNumber":"`+camaraLine+`"}}`, 422, "UNNECESSARY_IDENTIFIER").with(ofLine(camaraLine)),
		"list: no device":             refuses(camaraList, `{}`, 422, "MISSING_IDENTIFIER"),
		"list: unsupported device":    refuses(camaraList, `{"device":{"networkAccessIdentifier":"a@b.example"}}`, 422, "UNSUPPORTED_IDENTIFIER"),
		"list: unknown device":        refuses(camaraList, `{"device":{"phoneNumber":"`+unknownLine+`"}}`, 404, "IDENTIFIER_NOT_FOUND"),
		"list: unserved device":       refuses(camaraList, `{"device":{"phoneNumber":"`+unservedLine+`"}}`, 422, "SERVICE_NOT_APPLICABLE"),
		"list: an empty device":       refuses(camaraList, `{"device":{}}`, 400, "INVALID_ARGUMENT"),
		"list: a national number":     refuses(camaraList, `{"device":{"phoneNumber":"600000010"}}`, 400, "INVALID_ARGUMENT"),
		"list: without a body":        refuses(camaraList, "", 400, "INVALID_ARGUMENT"),

		// Events.
		"events: granted, then deleted": notifies(sinkUntil(noon.Add(2*time.Hour)), func(h *harness, id string) {
			h.clock.Advance(time.Second)
			h.send(http.MethodDelete, camaraCreate+"/"+id, "")
		}, "AVAILABLE", "UNAVAILABLE DELETE_REQUESTED"),
		"events: granted, then ended by the network": notifies(sinkUntil(noon.Add(2*time.Hour)), func(h *harness, id string) {
			h.clock.Advance(time.Second)
			h.Revoke(id)
			h.send(http.MethodDelete, camaraCreate+"/"+id, "") // of which nobody is told
		}, "AVAILABLE", "UNAVAILABLE NETWORK_TERMINATED"),
		"events: granted, then over": notifies(sinkUntil(noon.Add(2*time.Hour)), func(h *harness, _ string) {
			h.clock.Advance(time.Hour + time.Second)
		}, "AVAILABLE", "UNAVAILABLE DURATION_EXPIRED"),
		"events: not granted":                   notifies(sinkUntil(noon.Add(2*time.Hour)), func(h *harness, id string) { h.Revoke(id) }, "UNAVAILABLE NETWORK_TERMINATED"),
		"events: none after the token's expiry": notifies(sinkUntil(noon.Add(time.Minute)), func(h *harness, _ string) { h.clock.Advance(2 * time.Hour) }, "AVAILABLE"),
		"events: without a credential":          notifies(`{"sink":"https://hook.example/q"}`, func(h *harness, _ string) { h.clock.Advance(time.Second) }, "AVAILABLE"),

		// Profiles.
		"profiles: of the device of a token":      refuses(ProfilesPath+"/retrieve-qos-profiles", `{"device":{"phoneNumber":"`+camaraLine+`"}}`, 422, "UNNECESSARY_IDENTIFIER").with(ofLine(camaraLine)),
		"profiles: of an unknown device":          refuses(ProfilesPath+"/retrieve-qos-profiles", `{"device":{"phoneNumber":"`+unknownLine+`"}}`, 404, "IDENTIFIER_NOT_FOUND"),
		"profiles: of an unserved device":         refuses(ProfilesPath+"/retrieve-qos-profiles", `{"device":{"phoneNumber":"`+unservedLine+`"}}`, 422, "SERVICE_NOT_APPLICABLE"),
		"profiles: of an unsupported device":      refuses(ProfilesPath+"/retrieve-qos-profiles", `{"device":{"networkAccessIdentifier":"a@b.example"}}`, 422, "UNSUPPORTED_IDENTIFIER"),
		"profiles: of an empty device":            refuses(ProfilesPath+"/retrieve-qos-profiles", `{"device":{}}`, 400, "INVALID_ARGUMENT"),
		"profiles: of a status that there is not": refuses(ProfilesPath+"/retrieve-qos-profiles", `{"status":"GOOD"}`, 400, "INVALID_ARGUMENT"),
		"profiles: one by its name": {run: func(h *harness) {
			var one camaraProfile
			h.decode(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/live-uplink", ""), &one)
			if *one.MaxDuration != (camaraQuantity{6, "Hours"}) || *one.MinDuration != (camaraQuantity{1, "Minutes"}) || one.MaxUpstreamRate.Unit != "Mbps" {
				h.t.Errorf("read %+v", one)
			}
			h.wantError(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/nobodys", ""), 404, "NOT_FOUND")
			h.wantError(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/?", ""), 404, "NOT_FOUND")
			h.wantError(h.send(http.MethodGet, ProfilesPath+"/qos-profiles/a", ""), 400, "INVALID_ARGUMENT")
		}},
		"profiles: those of a status": {run: func(h *harness) {
			var found []camaraProfile
			h.decode(h.send(http.MethodPost, ProfilesPath+"/retrieve-qos-profiles", `{"status":"ACTIVE","device":{"phoneNumber":"`+camaraLine+`"}}`), &found)
			if len(found) != len(camaraV1Definition.profiles)-2 {
				h.t.Errorf("active: %+v", found)
			}
		}},
	}
}

func TestCAMARAV1Scenarios(t *testing.T) {
	t.Parallel()
	for name, test := range camaraScenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.UnknownDevices = []Device{{PhoneNumber: unknownLine}}
			test.config.UnservedDevices = []Device{{PhoneNumber: unservedLine}}
			h := newCAMARAHarness(t, test.config)
			if test.token != nil {
				h.token = "of a device"
				h.tokens.add(h.token, *test.token)
			}
			test.run(h)
		})
	}
}

// wantTimes checks what a session in a status shows of its times, and why it has ended.
func (h *harness) wantTimes(s camaraV1Session, status string) {
	h.t.Helper()
	started, ends, now := timeOf(h.t, s.StartedAt), timeOf(h.t, s.ExpiresAt), h.clock.Now()
	switch {
	case s.QoSStatus != status:
		h.t.Errorf("it is %s, want %s", s.QoSStatus, status)
	case started.IsZero() != (status == StatusRequested) || started.After(now):
		h.t.Errorf("%s since %v at %v", status, started, now)
	case ends.IsZero() != (status == StatusRequested) || !ends.IsZero() && !ends.After(started):
		h.t.Errorf("%s from %v to %v", status, started, ends)
	case (s.StatusInfo != "") != (status == StatusUnavailable):
		h.t.Errorf("%s with the reason %q", status, s.StatusInfo)
	}
}

func timeOf(t *testing.T, shown any) time.Time {
	t.Helper()
	text, _ := shown.(string)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Error(err)
	}
	return at
}

// listCAMARA lists sessions.
func (h *harness) listCAMARA(body string) []camaraV1Session {
	h.t.Helper()
	var found []camaraV1Session
	h.decode(h.send(http.MethodPost, camaraList, body), &found)
	return found
}

var rateLimited = scenario{config: Config{RateLimit: 1}, run: func(h *harness) {
	limited := 0
	for _, r := range camaraRequests(h.t, randomID) {
		if got := h.send(r.Method, r.Path, string(r.Body)); got.status == http.StatusTooManyRequests {
			h.wantError(got, 429, "TOO_MANY_REQUESTS")
			limited++
		}
	}
	if limited < 2 { // a second may have passed meanwhile
		h.t.Errorf("%d requests were over the limit", limited)
	}
}}

func withCredential(members string) string {
	return `{"sink":"https://hook.example/q","sinkCredential":{` + members + `}}`
}

// sinkUntil is a sink with a token that expires.
func sinkUntil(expires time.Time) string {
	return withCredential(`"credentialType":"ACCESSTOKEN","accessTokenType":"bearer","accessToken":"the token","accessTokenExpiresUtc":"` + expires.Format(time.RFC3339) + `"`)
}

// roundTripper is a receiver of notifications.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// notifies is a scenario in which a sink is notified of these statuses, with their reasons.
func notifies(sink string, happens func(h *harness, id string), want ...string) scenario {
	type received struct {
		authorization, contentType string
		event                      []byte
	}
	var mu sync.Mutex
	var events []received
	config := Config{Provisioning: time.Second, Webhooks: roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		events = append(events, received{r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body})
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, err
	})}
	return scenario{config: config, run: func(h *harness) {
		happens(h, h.createCAMARA(sink).SessionID)
		var got []string
		for _, sent := range h.Deliveries() {
			got = append(got, strings.TrimSpace(sent.QoSStatus+" "+sent.StatusInfo))
		}
		if !slices.Equal(got, want) || len(events) != len(want) {
			h.t.Errorf("%d events: %v, want %v", len(events), got, want)
		}
		ids := map[string]bool{}
		for _, e := range events {
			var event cloudEvent
			h.decode(reply{body: string(e.event)}, &event)
			ids[event.ID] = true
			if (e.authorization == "Bearer the token") != strings.Contains(sink, "the token") {
				h.t.Errorf("Authorization: %q", e.authorization)
			}
			for _, d := range documentsFor(h.t, camaraV1Document()) {
				if err := d.checkEvent(e.contentType, e.event); err != nil {
					h.t.Errorf("%s: the event %s breaks the document: %v", d, e.event, err)
				}
			}
		}
		if len(ids) != len(events) {
			h.t.Error("two events have one id")
		}
	}}
}
