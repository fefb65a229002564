package sandbox

import (
	"net/http"
	"testing"
	"time"
)

func TestLag(t *testing.T) {
	t.Parallel()
	const path = pathSessions + "/"
	first := phone("+34600000001")
	// Each operation that lags, and how it tells whether it knows the session of the first phone.
	tests := map[Operation]func(w *world, id string) bool{
		OpRead: func(w *world, id string) bool { return w.ask(http.MethodGet, path+id, "").status == http.StatusOK },
		OpList: func(w *world, _ string) bool { return len(w.listed()) == 1 },
		OpCreate: func(w *world, _ string) bool {
			return w.ask(http.MethodPost, pathSessions, first).status == http.StatusConflict
		},
		OpDelete: func(w *world, id string) bool {
			return w.ask(http.MethodDelete, path+id, "").status == http.StatusNoContent
		},
	}
	for op, knows := range tests {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			w := within(t, Config{Provisioning: Instant})
			w.Lag(op, 30*time.Second)
			id := w.reserve(first).SessionID
			for other, knows := range tests {
				if other != op && other != OpDelete && !knows(w, id) {
					t.Errorf("%s lags, too", other)
				}
			}
			w.clock.Advance(30*time.Second - 1)
			if knows(w, id) {
				t.Error("the replica knows the session too early")
			}
			if op != OpCreate && len(w.Ledger()) != 1 {
				t.Error("a replica that does not know the session ended it")
			}
			w.clock.Advance(1)
			if !knows(w, id) {
				t.Error("the replica never learns of the session")
			}
		})
	}
}

func TestLagSpeaksAsTheAPIAndEnds(t *testing.T) {
	t.Parallel()
	w := within(t, Config{Provisioning: Instant})
	w.Lag(OpRead, time.Hour)
	id := w.reserve(phone("+34600000001")).SessionID
	w.gone(id)
	w.Lag(OpRead, 0)
	w.look(id)
}

func TestStaleList(t *testing.T) {
	t.Parallel()
	w := within(t, Config{Provisioning: 10 * time.Second})
	id := w.reserve(phone("+34600000001")).SessionID
	w.Seed(Session{ClientID: "somebody else"})
	w.StaleList(true)
	w.reserve(phone("+34600000002"))
	w.clock.Advance(time.Minute)
	got := w.listed()
	if len(got) != 1 || got[0].SessionID != id || got[0].QoSStatus != StatusRequested {
		t.Errorf("the list has moved on: %+v", got)
	}
	if w.look(id).QoSStatus != StatusAvailable {
		t.Error("a read is stale, too")
	}
	if date := w.ask(http.MethodGet, pathSessions, "").header.Get("Date"); date != noon.Add(time.Minute).Format(http.TimeFormat) {
		t.Errorf("Date %s gives the list away", date)
	}
	w.Remove(id)
	if got := w.listed(); len(got) != 1 {
		t.Errorf("the list notices the end of a session: %+v", got)
	}
	w.StaleList(false)
	if got := w.listed(); len(got) != 1 || got[0].SessionID == id || got[0].QoSStatus != StatusAvailable {
		t.Errorf("the list is still stale: %+v", got)
	}
}

func TestStaleListOfNothing(t *testing.T) {
	t.Parallel()
	w := within(t, Config{})
	w.StaleList(true)
	w.reserve(phone("+34600000001"))
	if got := w.listed(); len(got) != 0 {
		t.Errorf("the list has moved on: %+v", got)
	}
}
