// Another API than those that are supported, for seam_test.go: it lists sessions by device, takes
// one for each flow, extends them, knows no longest session, and has words of its own for all that.
// Its tokens are for one device each, and somebody is asked before there is one. Nothing outside
// these two files knows it.

package qod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// otherDialect is the document.
type otherDialect struct{}

func (otherDialect) path() string { return "/quality/v9" }

func (otherDialect) limits() Limits {
	return Limits{
		Scopes: []string{"quality"}, CanListByDevice: true, CanExtend: true,
		fields: Fields(), maxSeconds: map[string]int64{"BURST": 600}, longestList: 4,
	}
}

func (otherDialect) check(s Spec) []Problem {
	if s.ApplicationServer == nil && !s.Unknown[FieldApplicationServer] {
		return []Problem{{FieldApplicationServer, "nothing", "set: this API needs a server"}}
	}
	return nil
}

func otherRequest(op Operation, method, path string, body any) request {
	r := request{operation: op, method: method, path: path, template: path, scope: "quality", maxBody: maxSessionBody}
	if body != nil {
		r.body, _ = json.Marshal(body)
	}
	return r
}

func ofOther(op Operation, method, id, verb string, body any) request {
	r := otherRequest(op, method, "/bookings/"+url.PathEscape(id)+verb, body)
	r.sessionID, r.template = id, "/bookings/{id}"+verb
	return r
}

// otherBody is what a booking is asked for with. A token that is for the device says which it is.
type otherBody struct {
	Line    string `json:"line,omitempty"`
	Server  string `json:"server"`
	Profile string `json:"profile"`
	Seconds int64  `json:"seconds"`
}

func (otherDialect) create(s Spec, bound bool) (request, error) {
	if s.ApplicationServer == nil {
		return request{}, errors.New("no server")
	}
	body := otherBody{s.Device.PhoneNumber, s.ApplicationServer.IPv4Address, s.QoSProfile, s.Seconds}
	if bound {
		body.Line = ""
	}
	return otherRequest(OperationCreate, http.MethodPost, "/bookings", body), nil
}

func (otherDialect) list(d Device, bound bool) request {
	body := map[string]string{}
	if !bound {
		body["line"] = d.PhoneNumber
	}
	return otherRequest(OperationList, http.MethodPost, "/lookup", body)
}

func (otherDialect) clockRequest() request {
	r := otherRequest(OperationList, http.MethodPost, "/lookup", map[string]string{})
	r.anonymous = true
	return r
}

func (otherDialect) read(id string) request {
	return ofOther(OperationRead, http.MethodGet, id, "", nil)
}

func (otherDialect) delete(id string) request {
	return ofOther(OperationDelete, http.MethodDelete, id, "", nil)
}

func (otherDialect) extend(id string, seconds int64) request {
	return ofOther(OperationExtend, http.MethodPost, id, "/longer", map[string]int64{"add": seconds})
}

func (otherDialect) profiles(ProfileFilter, bool) (request, bool) { return request{}, false }

func (otherDialect) collide(a, b flow) bool {
	return a.device.overlaps(b.device) && (a.server == nil || b.server == nil || *a.server == *b.server)
}

func (otherDialect) session(body []byte) (Session, error) {
	fields, err := decodeObject(body)
	if err != nil {
		return Session{}, err
	}
	s := Session{ID: fields.text("booking"), QoSProfile: fields.text("profile")}
	s.Status = map[string]Status{"PENDING": StatusRequested, "ACTIVE": StatusAvailable, "FAILED": StatusUnavailable}[fields.text("state")]
	s.StartedAt, _ = fields.instant("from")
	s.ExpiresAt, _ = fields.instant("to")
	if server := fields.text("server"); server != "" {
		s.ApplicationServer = &ApplicationServer{IPv4Address: server, IPv6Address: ""}
	}
	if !validID(s.ID) {
		return Session{}, errors.New("the answer shows no booking")
	}
	return s, nil
}

func (d otherDialect) sessions(body []byte) ([]Session, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, err
	}
	var sessions []Session
	for _, item := range items {
		s, _ := d.session(item)
		sessions = append(sessions, s)
	}
	return sessions, nil
}

func (otherDialect) failure(body []byte) (code, message string) {
	fields, err := decodeObject(body)
	if err != nil {
		return "", ""
	}
	return fields.text("reason"), fields.text("text")
}

func (otherDialect) classify(op Operation, status int, code string) class {
	switch code {
	case "TAKEN":
		return classConflict
	case "NO_SUCH_BOOKING":
		return classGone
	case "NOT_NOW":
		return classBusy
	case "LINE_UNKNOWN":
		return classNoList
	}
	return classifyStatus(op, status)
}

// otherGrant asks the person who has the device, who takes a while to agree.
type otherGrant struct{ n *otherNetwork }

func (otherGrant) perDevice() bool         { return true }
func (otherGrant) subject(d Device) string { return phoneDigits(d.PhoneNumber) }
func (otherGrant) asksSomebody() bool      { return true }

func (g otherGrant) fetch(ctx context.Context, d Device) (string, time.Duration, error) {
	token := g.n.prompt(d.PhoneNumber)
	ctx = context.WithoutCancel(ctx)
	if err := pause(ctx, g.n.agreesAfter); err != nil {
		return "", 0, err
	}
	return token, time.Hour, nil
}

// booking is a session on the network.
type booking struct {
	id, line, server, profile string
	state                     string
	from, to                  time.Time
}

// otherNetwork is the network behind the API, and a client of it.
type otherNetwork struct {
	*Client
	agreesAfter time.Duration
	provisions  time.Duration // how long a booking is PENDING
	most        time.Duration // how far from now an extension may reach; zero for any distance
	showsEnd    bool          // also while it is PENDING
	lingers     time.Duration // how long a flow stays taken after a delete
	unlisted    string        // the line whose list is refused
	intercept   interceptor

	mu       sync.Mutex
	bookings []*booking
	taken    map[string]time.Time // until when, by line and server
	tokens   map[string]string    // line, by token
	revoked  map[string]bool
	prompts  map[string]int // by line
	requests map[Operation]int
	bodies   []string
}

// inOtherBubble runs f with a network of its own, whose time is the bubble's.
func inOtherBubble(t *testing.T, f func(t *testing.T, n *otherNetwork)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &otherNetwork{
			agreesAfter: 90 * time.Second, provisions: 5 * time.Second,
			taken: map[string]time.Time{}, tokens: map[string]string{}, revoked: map[string]bool{},
			prompts: map[string]int{}, requests: map[Operation]int{},
		}
		client, err := newClient(Config{
			Endpoint: "https://other.example", ClientID: "x", ClientSecret: "y",
			MaxRetries: 4, RequestTimeout: 30 * time.Second, Transport: n,
		}, otherDialect{})
		if err != nil {
			t.Fatal(err)
		}
		client.authorizer = newTokenCache(otherGrant{n})
		n.Client = client
		f(t, n)
	})
}

func (n *otherNetwork) prompt(line string) (token string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prompts[line]++
	token = fmt.Sprintf("token-%s-%d", strings.TrimPrefix(line, "+"), n.prompts[line])
	n.tokens[token] = line
	return token
}

// operationOf is the operation of a request, by method and path.
func operationOf(r *http.Request) Operation {
	path := strings.TrimPrefix(r.URL.Path, "/quality/v9")
	switch {
	case path == "/lookup":
		return OperationList
	case path == "/bookings":
		return OperationCreate
	case strings.HasSuffix(path, "/longer"):
		return OperationExtend
	case r.Method == http.MethodDelete:
		return OperationDelete
	}
	return OperationRead
}

// latency is how long a request is on its way.
const latency = 10 * time.Millisecond

// RoundTrip is the network as the client's transport has it.
func (n *otherNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := pause(r.Context(), latency); err != nil {
		return nil, err
	}
	op := operationOf(r)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests[op]++
	n.bodies = append(n.bodies, string(body))
	commit := func() *httptest.ResponseRecorder {
		w := newReply()
		n.serve(w, r, op, body)
		return w
	}
	if n.intercept != nil {
		w, err := n.intercept(op, n.requests[op], commit)
		if err != nil {
			return nil, err
		}
		if w != nil {
			return w.Result(), nil
		}
	}
	return commit().Result(), nil
}

// interceptor takes the place of the n-th request of an operation, which it may commit; with nil it
// lets the request pass.
type interceptor func(op Operation, n int, commit func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error)

func newReply() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	return w
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"reason":%q,"text":"no"}`, reason)
}

// refusal is an answer for an interceptor.
func refusal(status int, reason string) *httptest.ResponseRecorder {
	w := newReply()
	refuse(w, status, reason)
	return w
}

func (n *otherNetwork) serve(w http.ResponseWriter, r *http.Request, op Operation, body []byte) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	line := n.tokens[token]
	if line == "" || n.revoked[token] {
		refuse(w, http.StatusUnauthorized, "WHO")
		return
	}
	if bytes.Contains(body, []byte(`"line"`)) {
		refuse(w, http.StatusUnprocessableEntity, "LINE_IS_IN_TOKEN")
		return
	}
	for _, b := range n.bookings {
		if b.state == "PENDING" && !time.Now().Before(b.from) {
			b.state = "ACTIVE"
		}
	}
	n.bookings = slices.DeleteFunc(n.bookings, func(b *booking) bool { return !time.Now().Before(b.to) })
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/quality/v9/bookings/"), "/longer")
	at := slices.IndexFunc(n.bookings, func(b *booking) bool { return b.id == id && b.line == line })
	switch {
	case op == OperationCreate:
		n.book(w, line, body)
	case op == OperationList && line == n.unlisted:
		refuse(w, http.StatusNotFound, "LINE_UNKNOWN")
	case op == OperationList:
		var shown []map[string]any
		for _, b := range n.bookings {
			if b.line == line {
				shown = append(shown, b.shown(n.showsEnd))
			}
		}
		reply(w, http.StatusOK, append([]map[string]any{}, shown...))
	case at < 0:
		refuse(w, http.StatusUnprocessableEntity, "NO_SUCH_BOOKING")
	case op == OperationRead:
		reply(w, http.StatusOK, n.bookings[at].shown(n.showsEnd))
	case op == OperationDelete:
		b := n.bookings[at]
		n.taken[b.line+b.server] = time.Now().Add(n.lingers)
		n.bookings = slices.Delete(n.bookings, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	case op == OperationExtend:
		n.lengthen(w, n.bookings[at], body)
	}
}

func (n *otherNetwork) book(w http.ResponseWriter, line string, body []byte) {
	var asked otherBody
	if err := json.Unmarshal(body, &asked); err != nil || asked.Server == "" || asked.Seconds < 1 {
		refuse(w, http.StatusUnprocessableEntity, "MALFORMED")
		return
	}
	if n.flowTaken(line, asked.Server) {
		refuse(w, http.StatusUnprocessableEntity, "TAKEN")
		return
	}
	from := time.Now().Add(n.provisions)
	b := &booking{
		id: fmt.Sprintf("b%d", n.requests[OperationCreate]), line: line, server: asked.Server, profile: asked.Profile,
		state: "PENDING", from: from, to: from.Add(time.Duration(asked.Seconds) * time.Second),
	}
	n.bookings = append(n.bookings, b)
	reply(w, http.StatusAccepted, b.shown(n.showsEnd))
}

func (n *otherNetwork) flowTaken(line, server string) bool {
	return time.Now().Before(n.taken[line+server]) ||
		slices.ContainsFunc(n.bookings, func(b *booking) bool { return b.line == line && b.server == server })
}

func (n *otherNetwork) lengthen(w http.ResponseWriter, b *booking, body []byte) {
	var asked struct{ Add int64 }
	if err := json.Unmarshal(body, &asked); err != nil || asked.Add < 1 {
		refuse(w, http.StatusUnprocessableEntity, "MALFORMED")
		return
	}
	if b.state != "ACTIVE" {
		refuse(w, http.StatusUnprocessableEntity, "NOT_NOW")
		return
	}
	to := b.to.Add(time.Duration(asked.Add) * time.Second)
	if furthest := time.Now().Add(n.most); n.most > 0 && to.After(furthest) {
		to = furthest
	}
	b.to = to
	reply(w, http.StatusOK, b.shown(n.showsEnd))
}

func reply(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// shown is a booking as the API shows it: without its line.
func (b *booking) shown(showsEnd bool) map[string]any {
	shown := map[string]any{"booking": b.id, "profile": b.profile, "server": b.server, "state": b.state}
	if b.state != "PENDING" || showsEnd {
		shown["from"], shown["to"] = b.from.UTC().Format(time.RFC3339), b.to.UTC().Format(time.RFC3339)
	}
	return shown
}
