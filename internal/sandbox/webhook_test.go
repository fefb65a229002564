package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// event is what a notification URL receives.
type event struct {
	cloudEvent
	Data eventData `json:"data"`
}

// receiver serves a notification URL.
type receiver struct {
	mu     sync.Mutex
	events []event
	heads  []http.Header
	answer func(n int) (status int, err error) // nil: 204
}

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	r.events, r.heads = append(r.events, e), append(r.heads, request.Header)
	status := http.StatusNoContent
	if r.answer != nil {
		if status, err = r.answer(len(r.events)); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Request: request,
		Header: http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}, Body: io.NopCloser(bytes.NewReader(nil)),
	}, nil
}

const hooked = `{"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_E","duration":60,
	"notificationUrl":"http://hooks.example/qod","notificationAuthToken":"hook-token"}`

func TestStatusChangesAreNotified(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end  func(h *harness, id string)
		want []string // status and why, in order
	}{
		"expired":          {func(h *harness, _ string) { h.clock.Advance(time.Minute) }, []string{"AVAILABLE ", "UNAVAILABLE DURATION_EXPIRED"}},
		"deleted":          {func(h *harness, id string) { h.send(http.MethodDelete, pathSessions+"/"+id, "") }, []string{"AVAILABLE ", "UNAVAILABLE DELETE_REQUESTED"}},
		"removed":          {func(h *harness, id string) { h.Remove(id) }, []string{"AVAILABLE ", "UNAVAILABLE DELETE_REQUESTED"}},
		"revoked":          {func(h *harness, id string) { h.Revoke(id); h.clock.Advance(time.Hour) }, []string{"AVAILABLE ", "UNAVAILABLE NETWORK_TERMINATED"}},
		"revoked, deleted": {func(h *harness, id string) { h.Revoke(id); h.Remove(id) }, []string{"AVAILABLE ", "UNAVAILABLE NETWORK_TERMINATED"}},
		"edited": {func(h *harness, id string) {
			h.Edit(id, func(s *Session) { s.Status = StatusRequested })
			h.Edit(id, func(s *Session) { s.Status = StatusAvailable })
		}, []string{"AVAILABLE ", "AVAILABLE "}},
		"slept through": {func(h *harness, _ string) { h.clock.Advance(24 * time.Hour) }, []string{"AVAILABLE ", "UNAVAILABLE DURATION_EXPIRED"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			h := newHarness(t, Config{Provisioning: 2 * time.Second, Webhooks: r})
			id := h.createSession(hooked).SessionID
			if len(h.Deliveries()) != 0 {
				t.Error("REQUESTED is no change")
			}
			h.clock.Advance(2 * time.Second)
			test.end(h, id)
			var got []string
			ids := map[string]bool{}
			deliveries := h.Deliveries() // waits for them
			for i, e := range r.events {
				got = append(got, e.Data.QoSStatus+" "+e.Data.StatusInfo)
				ids[e.ID] = true
				if e.SpecVersion != "1.0" || e.Type != "org.camaraproject.qod.v0.qos-status-changed" || e.Source == "" ||
					e.DataContentType != "application/json" || e.Data.SessionID != id {
					t.Errorf("event %+v", e)
				}
				if head := r.heads[i]; head.Get("Content-Type") != "application/cloudevents+json" || head.Get("Authorization") != "Bearer hook-token" {
					t.Errorf("headers %v", head)
				}
			}
			if !slices.Equal(got, test.want) || len(ids) != len(got) {
				t.Errorf("notified %v under %d ids, want %v", got, len(ids), test.want)
			}
			if r.events[0].Time != "2026-11-22T12:00:02Z" {
				t.Errorf("it became AVAILABLE at %s", r.events[0].Time)
			}
			for i, d := range deliveries {
				if d.SessionID != id || d.URL != "http://hooks.example/qod" || d.QoSStatus+" "+d.StatusInfo != test.want[i] ||
					d.Tries != 1 || d.Status != http.StatusNoContent || d.Err != nil {
					t.Errorf("delivery %+v", d)
				}
			}
		})
	}
}

// earlyClock has timers that fire early, as they can when the machine's time is corrected.
type earlyClock struct{ *ManualClock }

func (h earlyClock) AfterFunc(d time.Duration, f func()) func() bool {
	if d > time.Millisecond {
		d /= 2
	}
	return h.ManualClock.AfterFunc(d, f)
}

func TestEarlyTimerIsSetAgain(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(noon)
	h := newHarness(t, Config{Clock: earlyClock{clock}, Provisioning: time.Second, Webhooks: &receiver{}})
	h.createSession(hooked)
	clock.Advance(time.Second)
	if got := h.Deliveries(); len(got) != 1 {
		t.Errorf("deliveries %v", got)
	}
}

func TestNobodyIsNotifiedOfWhatNeverStarted(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Hour, Webhooks: &receiver{}})
	h.send(http.MethodDelete, pathSessions+"/"+h.createSession(hooked).SessionID, "")
	if got := h.Deliveries(); len(got) != 0 {
		t.Errorf("deliveries %v", got)
	}
}

func TestEventsWithoutATokenHaveNone(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	h := newHarness(t, Config{Webhooks: r})
	h.Seed(Session{NotificationURL: "http://hooks.example/"})
	h.Revoke(h.Ledger()[0].ID)
	h.Deliveries()
	if auth, ok := r.heads[0]["Authorization"]; ok {
		t.Errorf("Authorization %v", auth)
	}
}

func TestNothingIsSentOnceTheTokenHasExpired(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	h := newHarness(t, Config{Webhooks: r})
	made := h.Seed(Session{Status: StatusRequested, NotificationURL: "http://hooks.example/", NotificationsUntil: noon.Add(time.Minute)})
	h.clock.Advance(time.Minute)
	h.Edit(made.ID, func(s *Session) { s.Status = StatusRequested })
	h.clock.Advance(time.Second)
	if got := h.Deliveries(); len(got) != 1 {
		t.Errorf("deliveries %v", got)
	}
}

func TestDeliveryIsTriedAgain(t *testing.T) {
	t.Parallel()
	statuses := func(s ...int) func(int) (int, error) {
		return func(n int) (int, error) { return s[n-1], nil }
	}
	tests := map[string]struct {
		answer func(int) (int, error)
		tries  int
		status int
		failed bool
		took   time.Duration
	}{
		"at once":         {statuses(200), 1, 200, false, 0},
		"after trouble":   {statuses(503, 200), 2, 200, false, 200 * time.Millisecond},
		"after two":       {statuses(500, 429, 202), 3, 202, false, 600 * time.Millisecond},
		"given up":        {statuses(500, 500, 500), 3, 500, true, 600 * time.Millisecond},
		"refused":         {statuses(401), 1, 401, true, 0},
		"redirected":      {statuses(307), 1, 307, true, 0},
		"nobody is there": {func(int) (int, error) { return 0, errors.New("refused") }, 3, 0, true, 600 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: test.answer}
				h := newHarness(t, Config{Webhooks: r})
				h.Seed(Session{NotificationURL: "http://hooks.example/"})
				start := time.Now()
				h.Revoke(h.Ledger()[0].ID)
				d := h.Deliveries()[0]
				if d.Tries != test.tries || d.Status != test.status || (d.Err != nil) != test.failed || time.Since(start) != test.took {
					t.Errorf("%+v after %v", d, time.Since(start))
				}
				if len(r.events) != test.tries || r.events[0].ID != r.events[test.tries-1].ID {
					t.Errorf("%d tries of one event: %+v", test.tries, r.events)
				}
			})
		})
	}
}

func TestSlowReceiverDelaysOnlyItsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fast := make(chan string, 3)
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "slow.example" {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			fast <- r.URL.Host
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
		})
		h := newHarness(t, Config{Webhooks: slow})
		h.Revoke(h.Seed(Session{NotificationURL: "http://slow.example/"}).ID)
		h.Revoke(h.Seed(Session{NotificationURL: "http://fast.example/"}).ID)
		synctest.Wait()
		if len(fast) != 1 {
			t.Error("the other session's receiver waits")
		}
		start := time.Now()
		d := h.Deliveries()[0]
		if d.Tries != 3 || d.Err == nil || time.Since(start) != 3*5*time.Second+600*time.Millisecond {
			t.Errorf("%+v after %v", d, time.Since(start))
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCloseEndsDeliveries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Webhooks: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			time.Sleep(time.Second) // it takes time to stop
			return nil, r.Context().Err()
		})})
		h.Revoke(h.Seed(Session{NotificationURL: "http://slow.example/"}).ID)
		start := time.Now()
		h.Close()
		if time.Since(start) != time.Second || len(h.Deliveries()) != 1 || h.Deliveries()[0].Err == nil {
			t.Errorf("closing took %v: %+v", time.Since(start), h.Deliveries())
		}
		if left := len(h.clock.timers); left != 0 {
			t.Errorf("%d timers are left", left)
		}
		h.Remove(h.Seed(Session{NotificationURL: "http://slow.example/"}).ID)
		if len(h.Deliveries()) != 1 {
			t.Error("a closed sandbox notifies nobody")
		}
	})
}

func TestLoopbackReceiversOnly(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 4)
	here := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.URL.Path }))
	t.Cleanup(here.Close)
	h := newHarness(t, Config{})
	notify := func(url string) Delivery {
		h.Revoke(h.Seed(Session{NotificationURL: url}).ID)
		all := h.Deliveries()
		return all[len(all)-1]
	}
	if d := notify(here.URL + "/hook"); d.Err != nil || <-arrived != "/hook" {
		t.Errorf("this machine: %+v", d)
	}
	if d := notify(strings.Replace(here.URL, "127.0.0.1", "localhost", 1) + "/named"); d.Err != nil || <-arrived != "/named" {
		t.Errorf("this machine by name: %+v", d)
	}
	d := notify("http://192.0.2.1/")
	if d.Err == nil || !strings.Contains(d.Err.Error(), "loopback") || d.Tries != 1 {
		t.Errorf("another machine: %+v", d)
	}
	// It is refused without a look-up, which would fail with another error and be retried.
	if d := notify("http://qod.invalid/"); d.Err == nil || !strings.Contains(d.Err.Error(), "not qod.invalid:80") || d.Tries != 1 {
		t.Errorf("another machine by name: %+v", d)
	}
}
