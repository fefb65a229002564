package sandbox

import (
	"net/http"
	"testing"
)

func TestForeignNotFoundIsNotTheAPIs(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, answer := range ForeignNotFound {
		if names[answer.Name] {
			t.Errorf("there are two named %s", answer.Name)
		}
		names[answer.Name] = true
		for transport, start := range transports {
			t.Run(answer.Name+" in "+transport, func(t *testing.T) {
				t.Parallel()
				h := start(t, Config{Provisioning: Instant})
				session := h.Seed(Session{})
				h.Fail(Fault{Operation: OpDelete, Effect: answer.Effect})
				got, err := h.do(t.Context(), http.MethodDelete, pathSessions+"/"+session.ID, "")
				if err != nil || got.status != http.StatusNotFound || got.body != answer.Body {
					t.Errorf("%d %q, %v", got.status, got.body, err)
				}
				if got := got.header.Get("Content-Type"); got != answer.ContentType {
					t.Errorf("type %q, want %q", got, answer.ContentType)
				}
				if len(h.Ledger()) != 1 {
					t.Error("a gateway's answer ended the session")
				}
				h.readSession(session.ID) // one fault affects one request
			})
		}
	}
}
