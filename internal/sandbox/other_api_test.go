package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// This file is a second API, which differs from the default one in all that an API can differ in,
// and the proof that the rest of the sandbox does not depend on which one it serves.

const otherDocument = `
openapi: 3.0.3
info: {title: another API, version: "2"}
paths:
  /bookings:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [server, profile]
              properties:
                line: {type: string, minLength: 5}
                server: {type: string}
                port: {type: integer}
                profile: {type: string}
                minutes: {type: integer, minimum: 1}
                hook: {type: string, format: uri}
      responses: {default: {description: any}}
  /search:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              properties: {line: {type: string}}
      responses: {default: {description: any}}
  /bookings/{booking}:
    parameters: [{name: booking, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {responses: {default: {description: any}}}
    delete: {responses: {default: {description: any}}}
  /bookings/{booking}/longer:
    parameters: [{name: booking, in: path, required: true, schema: {type: string, format: uuid}}]
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [minutes]
              properties: {minutes: {type: integer, minimum: 1}}
      responses: {default: {description: any}}
  /profiles/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {responses: {default: {description: any}}}
`

var otherDefinition = definition{
	apiPath:  "/lines/v2",
	profiles: []Profile{{Name: "gold", MinDuration: time.Minute, MaxDuration: 3 * time.Hour}},
	conflict: sameFlow,
	handler:  func(s *Sandbox) apiHandler { return otherAPI{s} },
	routes: func(apiPath string) []route {
		document := loadDocument([]byte(otherDocument))
		return []route{
			{apiPath + "/bookings", "/bookings", document, map[string]apiMethod{http.MethodPost: {OpCreate, "book"}}},
			{apiPath + "/search", "/search", document, map[string]apiMethod{http.MethodPost: {OpList, "look"}}},
			{apiPath + "/bookings/{booking}", "/bookings/{booking}", document, map[string]apiMethod{
				http.MethodGet: {OpRead, "look"}, http.MethodDelete: {OpDelete, "book"},
			}},
			{apiPath + "/bookings/{booking}/longer", "/bookings/{booking}/longer", document, map[string]apiMethod{
				http.MethodPost: {OpExtend, "book"},
			}},
			{"/catalogue/profiles/{name}", "/profiles/{name}", document, map[string]apiMethod{http.MethodGet: {OpProfiles, "catalogue"}}},
		}
	},
}

type otherAPI struct{ *Sandbox }

type otherRequest struct {
	Line, Server, Profile, Hook string
	Port                        *int
	Minutes                     int
}

type otherBooking struct {
	Booking string
	State   string
	From    int64 `json:",omitempty"` // seconds since 1970, as are Until
	Until   int64 `json:",omitempty"`
}

func (otherAPI) show(s Session) any {
	shown := otherBooking{Booking: s.ID, State: strings.ToLower(s.Status)}
	if !s.StartedAt.IsZero() {
		shown.From, shown.Until = s.StartedAt.Unix(), s.ExpiresAt.Unix()
	}
	return shown
}

func (a otherAPI) answer(granted grant, c call) answer {
	var asked otherRequest
	_ = json.Unmarshal(c.body, &asked)
	line := a.device(c)
	if granted.device != nil { // the token stands for the line, which the body must leave out
		if line.hasIdentifier() {
			return a.refusal(http.StatusUnprocessableEntity, "LINE_IS_IN_THE_TOKEN", "leave out the line")
		}
		line = *granted.device
	}
	mine := func(s *Session) bool { return s.ClientID == granted.client }
	switch c.op { //nolint:exhaustive // the others are not the API's
	case OpCreate:
		wanted := Session{
			ClientID: granted.client, Device: line, ApplicationServer: &ApplicationServer{IPv4Address: asked.Server},
			QoSProfile: asked.Profile, Duration: asked.Minutes * 60, NotificationURL: asked.Hook,
		}
		if asked.Port != nil {
			wanted.ApplicationServerPorts = &Ports{Ports: []int{*asked.Port}}
		}
		created, err := a.network.create(wanted, a.visible(OpCreate))
		if err != nil {
			return a.refusal(http.StatusConflict, "TAKEN", err.Error())
		}
		return jsonAnswer(http.StatusAccepted, a.show(created))
	case OpList:
		found := []any{}
		for _, s := range a.visibleInList(func(s *Session) bool { return mine(s) && s.Device.sharesIdentifier(line) }) {
			found = append(found, a.show(s))
		}
		return jsonAnswer(http.StatusOK, found)
	case OpRead:
		if found, ok := a.network.find(granted.client, c.parameter); ok {
			return jsonAnswer(http.StatusOK, a.show(found))
		}
	case OpDelete:
		if a.network.delete(c.parameter, mine, 0) {
			return answer{status: http.StatusNoContent}
		}
	case OpExtend:
		longer, err := a.network.extend(c.parameter, mine, time.Duration(asked.Minutes)*time.Minute, limitTotal, false)
		switch {
		case err == nil:
			return jsonAnswer(http.StatusOK, a.show(longer))
		case errors.Is(err, errNotActive):
			return a.refusal(http.StatusConflict, "NOT_ACTIVE", err.Error())
		}
	case OpProfiles:
		if p, ok := a.network.profile(c.parameter); ok {
			return jsonAnswer(http.StatusOK, map[string]any{"name": p.Name, "longest": p.MaxDuration.Minutes()})
		}
	}
	return a.refusal(http.StatusGone, "NOTHING", "there is nothing")
}

func (otherAPI) refusal(status int, code, message string) answer {
	return jsonAnswer(status, map[string]string{"fault": code, "text": message})
}

func (otherAPI) device(c call) Device {
	var asked otherRequest
	_ = json.Unmarshal(c.body, &asked)
	return Device{PhoneNumber: asked.Line}
}

func (otherAPI) event(ch statusChange) any {
	return map[string]string{"type": "other.v2.changed", "booking": ch.ID, "why": ch.cause}
}

// otherClient sends requests to the second API over sockets.
type otherClient struct {
	*testing.T
	*Sandbox
	url, token string
	clock      *ManualClock
}

func newOtherClient(t *testing.T, c Config) *otherClient {
	t.Helper()
	clock := NewManualClock(noon)
	c.Clock, c.Control = clock, true
	s := newSandbox(c, otherDefinition)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	s.AcceptToken("all", DefaultClient.ID)
	return &otherClient{t, s, server.URL, "all", clock}
}

// ask sends a request and fails the test unless the answer has this status. It decodes the answer.
func (c *otherClient) ask(into any, status int, method, path, body string) string {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		c.Fatalf("%s %s: %s %s, %v; want %d", method, path, response.Status, content, err, status)
	}
	if into != nil {
		if err := json.Unmarshal(content, into); err != nil {
			c.Fatalf("%s: %v", content, err)
		}
	}
	return string(content)
}

func (c *otherClient) book(status int, body string) otherBooking {
	c.Helper()
	var made otherBooking
	c.ask(&made, status, http.MethodPost, "/lines/v2/bookings", body)
	return made
}

const (
	gamesFlow = `{"line":"+34600000001","server":"198.51.100.0/24","port":80,"profile":"gold","minutes":60}`
	videoFlow = `{"line":"+34600000001","server":"198.51.100.0/24","port":81,"profile":"gold","minutes":60}`
	innerFlow = `{"line":"+34600000001","server":"198.51.100.7","profile":"gold","minutes":60}`
)

func TestAnotherAPI(t *testing.T) {
	t.Parallel()
	c := newOtherClient(t, Config{Provisioning: time.Second})
	games := c.book(http.StatusAccepted, gamesFlow)
	if games.State != "requested" || games.From != 0 {
		t.Errorf("created %+v", games)
	}
	c.book(http.StatusConflict, gamesFlow)
	video := c.book(http.StatusAccepted, videoFlow)
	c.book(http.StatusConflict, innerFlow)
	c.book(http.StatusAccepted, strings.Replace(gamesFlow, "0001", "0002", 1))

	var found []otherBooking
	c.ask(&found, http.StatusOK, http.MethodPost, "/lines/v2/search", `{"line":"+34600000001"}`)
	if len(found) != 2 {
		t.Errorf("the device has %+v", found)
	}

	longer := "/lines/v2/bookings/" + games.Booking + "/longer"
	c.ask(nil, http.StatusConflict, http.MethodPost, longer, `{"minutes":30}`) // still REQUESTED
	c.clock.Advance(time.Second)
	for _, want := range []time.Duration{90 * time.Minute, 3 * time.Hour, 3 * time.Hour} { // the last ones at the limit
		c.ask(&games, http.StatusOK, http.MethodPost, longer, `{"minutes":`+map[bool]string{true: "30", false: "600"}[want < 2*time.Hour]+`}`)
		if start := noon.Add(time.Second); games.From != start.Unix() || games.Until != start.Add(want).Unix() {
			t.Errorf("extended to %+v, want %v", games, want)
		}
	}
	c.clock.Advance(time.Hour)
	c.ask(nil, http.StatusGone, http.MethodGet, "/lines/v2/bookings/"+video.Booking, "")
	c.ask(&games, http.StatusOK, http.MethodGet, "/lines/v2/bookings/"+strings.ToUpper(games.Booking), "")
	if live := c.Ledger()[0]; live.Duration != 3*3600 || !live.ExpiresAt.Equal(live.StartedAt.Add(3*time.Hour)) {
		t.Errorf("the ledger has %+v", live)
	}
	c.ask(nil, http.StatusNoContent, http.MethodDelete, "/lines/v2/bookings/"+games.Booking, "")
	c.ask(nil, http.StatusGone, http.MethodPost, longer, `{"minutes":30}`)
	if left := c.Ledger(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if n := c.Count(OpExtend); n != 5 {
		t.Errorf("%d requests to extend", n)
	}
}

func TestAnotherAPIHasItsOwnPathsScopesAndErrors(t *testing.T) {
	t.Parallel()
	c := newOtherClient(t, Config{})
	for _, test := range []struct {
		status       int
		method, path string
		want         string
	}{
		{http.StatusNotFound, http.MethodGet, pathSessions, "those of the API begin with /lines/v2"},
		{http.StatusNotFound, http.MethodPost, "/lines/v2/bookings//longer", "NOT_FOUND"},
		{http.StatusNotFound, http.MethodPost, "/lines/v2/bookings/1/2/longer", "NOT_FOUND"},
		{http.StatusMethodNotAllowed, http.MethodGet, "/lines/v2/bookings", "METHOD_NOT_ALLOWED"},
		{http.StatusBadRequest, http.MethodPost, "/lines/v2/bookings", `{"fault":"INVALID_ARGUMENT"`},
		{http.StatusBadRequest, http.MethodPost, "/lines/v2/bookings/1/longer", "booking: "},
		{http.StatusOK, http.MethodGet, "/catalogue/profiles/gold", `"longest":180`},
		{http.StatusOK, http.MethodGet, pathDiscovery, `"scopes_supported":["book","catalogue","look"]`},
	} {
		if got := c.ask(nil, test.status, test.method, test.path, `{"minutes":1}`); !strings.Contains(got, test.want) {
			t.Errorf("%s %s: %s", test.method, test.path, got)
		}
	}
	c.AcceptToken("look", DefaultClient.ID, "look")
	c.token = "look"
	c.ask(nil, http.StatusForbidden, http.MethodPost, "/lines/v2/bookings", gamesFlow)
	c.ask(nil, http.StatusForbidden, http.MethodGet, "/catalogue/profiles/gold", "")
	c.token = "none"
	if got := c.ask(nil, http.StatusUnauthorized, http.MethodPost, "/lines/v2/search", "{}"); !strings.Contains(got, `"fault":"UNAUTHENTICATED"`) {
		t.Error(got)
	}
}

func TestATokenBoundToADevice(t *testing.T) {
	t.Parallel()
	c := newOtherClient(t, Config{})
	c.tokens.add("line", grant{client: DefaultClient.ID, device: &Device{PhoneNumber: "+34600000003"}, scopes: c.scopes()})
	c.token = "line"
	c.ask(nil, http.StatusUnprocessableEntity, http.MethodPost, "/lines/v2/bookings", gamesFlow)
	c.book(http.StatusAccepted, strings.Replace(gamesFlow, `"line":"+34600000001",`, "", 1))
	if live := c.Ledger(); len(live) != 1 || live[0].Device.PhoneNumber != "+34600000003" {
		t.Errorf("ledger %+v", live)
	}
	var found []otherBooking
	if c.ask(&found, http.StatusOK, http.MethodPost, "/lines/v2/search", "{}"); len(found) != 1 {
		t.Errorf("found %+v", found)
	}
}

func TestFaultsControlAndEventsOfAnotherAPI(t *testing.T) {
	t.Parallel()
	received := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- string(body)
	}))
	t.Cleanup(hook.Close)
	c := newOtherClient(t, Config{Provisioning: Instant})
	made := c.book(http.StatusAccepted, strings.Replace(gamesFlow, "{", `{"hook":"`+hook.URL+`",`, 1))

	c.ask(nil, http.StatusOK, http.MethodPost, PathControl+"fail", `{"operation":"extend","effect":"503"}`)
	c.ask(nil, http.StatusServiceUnavailable, http.MethodPost, "/lines/v2/bookings/"+made.Booking+"/longer", `{"minutes":30}`)
	if r := c.Requests(OpCreate); len(r) != 1 || r[0].Device.PhoneNumber != "+34600000001" {
		t.Errorf("the log has %+v", r)
	}
	c.Remove(made.Booking)
	for _, want := range []string{`"why":""`, `"why":"DELETE_REQUESTED"`} {
		if got := <-received; !strings.Contains(got, `"type":"other.v2.changed"`) || !strings.Contains(got, want) {
			t.Errorf("event %s, want %s", got, want)
		}
	}
}
