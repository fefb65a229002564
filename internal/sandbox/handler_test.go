package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// otherAPI is another document: its paths, scope and event type differ, and nothing else does.
type otherAPI struct{ openGateway }

func (otherAPI) basePath() string { return "/other/v2" }

func (o otherAPI) match(path string) (operations map[string]Operation, template, id string) {
	below, ok := strings.CutPrefix(path, "/other/v2/sessions")
	if !ok {
		return nil, "", ""
	}
	return o.openGateway.match(pathSessions + below)
}

func (otherAPI) scopes() []string { return []string{"other:all"} }

func (otherAPI) scope(Operation) string { return "other:all" }

func (otherAPI) event(ch statusChange) event { return newEvent("other.v2.changed", "/other", ch) }

// A document decides its paths, scopes and events. The network, the authorization server, webhooks
// and faults do not know it.
func TestAnotherDocument(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	h := newHarness(t, Config{Webhooks: r, PageSize: 1})
	h.api = otherAPI{openGateway{h.Sandbox}}
	h.tokens.scopes, h.webhookSender.encode = h.api.scopes(), h.api.event
	h.tokens.register(ClientCredentials{ID: "other", Secret: "s"})

	h.wantError(h.send(http.MethodGet, pathSessions, ""), http.StatusNotFound, "NOT_FOUND")
	h.wantError(h.send(http.MethodGet, "/other/v2/sessions", ""), http.StatusForbidden, "PERMISSION_DENIED")
	if got := h.send(http.MethodGet, pathDiscovery, ""); !strings.Contains(got.body, `"scopes_supported":["other:all"]`) {
		t.Errorf("discovery: %s", got.body)
	}
	_, token := h.requestToken("other:s", "grant_type=client_credentials")
	if token.Scope != "other:all" {
		t.Errorf("scope %q", token.Scope)
	}
	h.token = token.AccessToken

	h.Fail(Fault{Operation: OpCreate, Effect: Status(http.StatusServiceUnavailable, `{}`)})
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusCreated, http.StatusConflict} {
		got, err := h.do(t.Context(), http.MethodPost, "/other/v2/sessions", hooked)
		if err != nil || got.status != want {
			t.Errorf("%+v, %v; want %d", got, err, want)
		}
	}
	h.Seed(Session{ClientID: "other"})
	if link := h.send(http.MethodGet, "/other/v2/sessions", "").header.Get("Link"); !strings.Contains(link, "/other/v2/sessions?page=2") {
		t.Errorf("the next page is %s", link)
	}
	h.clock.Advance(time.Second)
	if h.Deliveries(); len(r.events) != 1 || r.events[0].Type != "other.v2.changed" || r.events[0].Source != "/other" {
		t.Errorf("events %+v", r.events)
	}
}
