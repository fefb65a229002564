package sandbox

import (
	"net/http"
	"testing"
	"time"
)

func TestLag(t *testing.T) {
	t.Parallel()
	const path = pathSessions + "/"
	first := createBody("+34600000001")
	// For each operation that can lag, how it shows that it knows the session of the first phone.
	tests := map[Operation]func(h *harness, id string) bool{
		OpRead: func(h *harness, id string) bool { return h.send(http.MethodGet, path+id, "").status == http.StatusOK },
		OpList: func(h *harness, _ string) bool { return len(h.listSessions()) == 1 },
		OpCreate: func(h *harness, _ string) bool {
			return h.send(http.MethodPost, pathSessions, first).status == http.StatusConflict
		},
		OpDelete: func(h *harness, id string) bool {
			return h.send(http.MethodDelete, path+id, "").status == http.StatusNoContent
		},
	}
	for op, knows := range tests {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Provisioning: Instant})
			h.Lag(op, 30*time.Second)
			id := h.createSession(first).SessionID
			for other, knows := range tests {
				if other != op && other != OpDelete && !knows(h, id) {
					t.Errorf("%s lags, too", other)
				}
			}
			h.clock.Advance(30*time.Second - 1)
			if knows(h, id) {
				t.Error("the replica knows the session too early")
			}
			if op != OpCreate && len(h.Ledger()) != 1 {
				t.Error("a replica that does not know the session ended it")
			}
			h.clock.Advance(1)
			if !knows(h, id) {
				t.Error("the replica never learns of the session")
			}
		})
	}
}

func TestLagSpeaksAsTheAPIAndEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: Instant})
	h.Lag(OpRead, time.Hour)
	id := h.createSession(createBody("+34600000001")).SessionID
	h.wantGone(id)
	h.Lag(OpRead, 0)
	h.readSession(id)
}

func TestStaleList(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: 10 * time.Second})
	id := h.createSession(createBody("+34600000001")).SessionID
	h.Seed(Session{ClientID: "somebody else"})
	h.StaleList(true)
	h.createSession(createBody("+34600000002"))
	h.clock.Advance(time.Minute)
	got := h.listSessions()
	if len(got) != 1 || got[0].SessionID != id || got[0].QoSStatus != StatusRequested {
		t.Errorf("the list has moved on: %+v", got)
	}
	if h.readSession(id).QoSStatus != StatusAvailable {
		t.Error("a read is stale, too")
	}
	if date := h.send(http.MethodGet, pathSessions, "").header.Get("Date"); date != noon.Add(time.Minute).Format(http.TimeFormat) {
		t.Errorf("Date %s gives the list away", date)
	}
	h.Remove(id)
	if got := h.listSessions(); len(got) != 1 {
		t.Errorf("the list notices the end of a session: %+v", got)
	}
	h.StaleList(false)
	if got := h.listSessions(); len(got) != 1 || got[0].SessionID == id || got[0].QoSStatus != StatusAvailable {
		t.Errorf("the list is still stale: %+v", got)
	}
}

func TestStaleListOfNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.StaleList(true)
	h.createSession(createBody("+34600000001"))
	if got := h.listSessions(); len(got) != 0 {
		t.Errorf("the list has moved on: %+v", got)
	}
}
