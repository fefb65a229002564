package sandbox

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	var logged []Request
	h := newHarness(t, Config{Log: func(r Request) { logged = append(logged, r) }})
	h.createSession(createBody("+34600000001"))
	h.clock.Advance(time.Second)
	h.send(http.MethodGet, pathSessions, "", "X-Correlator", "c1")
	h.wantGone("5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc")
	h.send(http.MethodGet, "/elsewhere", "")

	all := h.Requests()
	var ops []Operation
	var statuses []int
	for _, r := range all {
		ops, statuses = append(ops, r.Operation), append(statuses, r.Status)
	}
	if !slices.Equal(ops, []Operation{OpCreate, OpList, OpRead, OpOther}) || !slices.Equal(statuses, []int{201, 200, 404, 404}) {
		t.Fatalf("operations %v, statuses %v", ops, statuses)
	}
	if r := all[0]; r.Method != http.MethodPost || r.Path != pathSessions || string(r.Body) != createBody("+34600000001") ||
		r.Header.Get("Authorization") != "Bearer a-good-token" || r.At != noon {
		t.Errorf("the creation: %+v", r)
	}
	if r := all[1]; r.Header.Get("X-Correlator") != "c1" || r.At != noon.Add(time.Second) {
		t.Errorf("the list: %+v", r)
	}
	if some := h.Requests(OpList, OpOther); len(some) != 2 || some[0].Operation != OpList || some[1].Path != "/elsewhere" {
		t.Errorf("of two operations: %v", some)
	}
	if h.Count(OpRead) != 1 || h.Count(OpDelete) != 0 {
		t.Errorf("counted %d reads and %d deletes", h.Count(OpRead), h.Count(OpDelete))
	}
	if len(logged) != 4 || logged[0].Status != http.StatusCreated {
		t.Errorf("Log got %v", logged)
	}
}

func TestRequestWithoutAnswerHasNoStatus(t *testing.T) {
	t.Parallel()
	var h *harness
	var during int
	h = newHarness(t, Config{})
	h.Fail(Fault{Operation: OpList, Effect: DropAfterCommit()})
	h.Before(OpList, func(int, *http.Request) { during = h.Requests()[0].Status })
	if _, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); err == nil {
		t.Fatal("the connection must be cut")
	}
	if after := h.Requests()[0].Status; during != 0 || after != 0 {
		t.Errorf("status %d while in flight and %d after the cut, want 0", during, after)
	}
}

func TestOldRequestsAreDropped(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.requests.keep = 20
	h.send(http.MethodGet, "/first", "")
	for range 20 {
		h.listSessions()
	}
	all := h.Requests()
	if n := len(all); n != 19 {
		t.Errorf("%d requests are kept, want 19: the 21st dropped two", n)
	}
	if all[0].Path == "/first" {
		t.Error("the oldest must be dropped first")
	}
	if h.Count(OpList) != 20 || h.Count(OpOther) != 1 {
		t.Error("dropped requests must still be counted")
	}
}

func TestBeforeRunsBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	var numbers []int
	var bodies []string
	h.Before(OpCreate, func(n int, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		numbers, bodies = append(numbers, n), append(bodies, string(body))
		if n == 2 { // somebody else is faster
			h.Seed(Session{Device: Device{PhoneNumber: "+34600000002"}})
		}
	})
	h.Before(OpCreate, func(n int, _ *http.Request) { numbers = append(numbers, -n) })
	h.createSession(createBody("+34600000001"))
	h.listSessions()
	h.wantError(h.send(http.MethodPost, pathSessions, createBody("+34600000002")), http.StatusConflict, "CONFLICT")
	if !slices.Equal(numbers, []int{1, -1, 2, -2}) || bodies[1] != createBody("+34600000002") {
		t.Errorf("called with %v and %v", numbers, bodies)
	}
}
