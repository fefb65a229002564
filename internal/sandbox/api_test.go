package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

func TestUnknownAPI(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]Config{
		`unknown API "opengateway": use camara-v0, camara-v1, open-gateway`:         {API: "opengateway"},
		`invalid API path "qod": it must begin with a slash and not end with one`:   {APIPath: "qod"},
		`invalid API path "/qod/": it must begin with a slash and not end with one`: {APIPath: "/qod/"},
	} {
		server, err := Listen("127.0.0.1:0", config)
		if err == nil {
			server.Close()
			t.Errorf("%+v is accepted", config)
		} else if err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAPIPath(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{API: OpenGateway, APIPath: "/quality/v9"})
	h.wantError(h.send(http.MethodGet, pathSessions, ""), http.StatusNotFound, "NOT_FOUND")
	moved := strings.Replace(pathSessions, "/qod", "/quality/v9", 1)
	if got := h.send(http.MethodPost, moved, createBody("+34600000001")); got.status != http.StatusCreated {
		t.Errorf("%+v", got)
	}
	if got := h.send(http.MethodGet, moved+"/"+h.Ledger()[0].ID, ""); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// The routes, which kin-openapi validates requests with, and the document have the same paths and
// methods.
func TestRoutesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	for _, name := range APIs() {
		h := newHarness(t, Config{API: name})
		documented, routed := map[string]bool{}, map[string]bool{}
		for _, r := range h.routes {
			for template, item := range r.document.Paths.Map() {
				for method := range item.Operations() {
					documented[method+" "+template] = true
				}
			}
			for method := range r.methods {
				routed[method+" "+r.template] = true
			}
		}
		if len(documented) == 0 || len(documented) != len(routed) {
			t.Errorf("%s: the document has %v, the routes have %v", name, documented, routed)
		}
		for one := range documented {
			if !routed[one] {
				t.Errorf("%s: no route for %s", name, one)
			}
		}
	}
}
