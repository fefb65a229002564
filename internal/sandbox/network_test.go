package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestSessionLives(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: 2 * time.Second})
	created := h.createSession(createBody("+34600000001"))
	id := created.SessionID
	if created.QoSStatus != StatusRequested || created.StartedAt != "" || created.ExpiresAt != "" {
		t.Errorf("a new session has no times yet: %+v", created)
	}
	h.clock.Advance(2*time.Second - 1)
	if got := h.readSession(id); got.QoSStatus != StatusRequested || got.StartedAt != "" {
		t.Errorf("before it is provisioned: %+v", got)
	}
	h.clock.Advance(1)
	want := sessionInfo{
		SessionID: id, Device: openGatewayDevice{PhoneNumber: "+34600000001"}, QoSProfile: "QOS_E", QoSStatus: StatusAvailable,
		StartedAt: "2026-11-22T12:00:02Z", ExpiresAt: "2026-11-22T13:00:02Z", Duration: 3600,
	}
	if got := h.readSession(id); got != want {
		t.Errorf("once provisioned: %+v, want %+v", got, want)
	}
	h.clock.Advance(time.Hour - 1)
	h.readSession(id)
	h.clock.Advance(1)
	h.wantGone(id)
	if left := h.Ledger(); len(left) != 0 {
		t.Errorf("after its end the ledger has %v", left)
	}
}

func TestAvailableAtTheNextRequestWithoutProvisioning(t *testing.T) {
	t.Parallel()
	statuses := map[string]func(h *harness, id string) string{
		"read":   func(h *harness, id string) string { return h.readSession(id).QoSStatus },
		"list":   func(h *harness, _ string) string { return h.listSessions()[0].QoSStatus },
		"ledger": func(h *harness, _ string) string { return h.Ledger()[0].Status },
	}
	for name, status := range statuses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			created := h.createSession(createBody("+34600000001"))
			if created.QoSStatus != StatusRequested {
				t.Errorf("the create request says %s", created.QoSStatus)
			}
			if got := status(h, created.SessionID); got != StatusAvailable {
				t.Errorf("the next request says %s", got)
			}
		})
	}
}

func TestInstantProvisioningShowsInTheAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: Instant})
	created := h.createSession(createBody("+34600000001"))
	if created.QoSStatus != StatusAvailable || created.StartedAt != "2026-11-22T12:00:00Z" || created.ExpiresAt != "2026-11-22T13:00:00Z" {
		t.Errorf("the create request says %+v", created)
	}
}

func TestTimesSurviveTheWire(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.clock.Advance(123456789) // nanoseconds
	id := h.createSession(createBody("+34600000001")).SessionID
	info, truth := h.readSession(id), h.Ledger()[0]
	started, err := time.Parse(time.RFC3339, info.StartedAt)
	if err != nil || info.StartedAt != "2026-11-22T12:00:00.123Z" || !started.Equal(truth.StartedAt) || truth.StartedAt.Location() != time.UTC {
		t.Errorf("startedAt %s (%v), ledger %s", info.StartedAt, err, truth.StartedAt)
	}
	if truth.ExpiresAt.Sub(truth.StartedAt) != time.Hour {
		t.Errorf("expires %v after it started, want 1h", truth.ExpiresAt.Sub(truth.StartedAt))
	}
}

func TestRevokedSessionStaysAndBlocks(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	id := h.createSession(createBody("+34600000001")).SessionID
	before := h.readSession(id)
	if !h.Revoke(id) || h.Revoke(id) || h.Revoke("unknown") {
		t.Error("Revoke must report true once")
	}
	want := before
	want.QoSStatus = StatusUnavailable
	if got := h.readSession(id); got != want {
		t.Errorf("revoked: %+v, want %+v", got, want)
	}
	h.clock.Advance(360*time.Second - 1)
	h.wantError(h.send(http.MethodPost, pathSessions, createBody("+34600000001")), http.StatusConflict, "CONFLICT")
	if got := h.listSessions(); len(got) != 1 || got[0].QoSStatus != StatusUnavailable {
		t.Errorf("a revoked session is listed, UNAVAILABLE: %+v", got)
	}
	h.clock.Advance(1)
	h.wantGone(id)
	h.createSession(createBody("+34600000001"))
}

func TestRevokedBeforeItStartedHasNoTimes(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Minute})
	id := h.createSession(createBody("+34600000001")).SessionID
	h.Revoke(id)
	h.clock.Advance(time.Minute)
	if got := h.readSession(id); got.QoSStatus != StatusUnavailable || got.StartedAt != "" || got.ExpiresAt != "" {
		t.Errorf("it never started: %+v", got)
	}
}

func TestReleasedSessionIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []string{StatusRequested, StatusAvailable, StatusUnavailable} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{Provisioning: time.Hour})
			id := h.Seed(Session{Status: status, Device: Device{PhoneNumber: "+34600000001"}}).ID
			got := h.send(http.MethodDelete, pathSessions+"/"+strings.ToUpper(id), "")
			if got.status != http.StatusNoContent || got.body != "" {
				t.Fatalf("got %d %q, want an empty 204", got.status, got.body)
			}
			h.wantGone(id)
			h.wantError(h.send(http.MethodDelete, pathSessions+"/"+id, ""), http.StatusNotFound, "NOT_FOUND")
			h.createSession(createBody("+34600000001"))
		})
	}
}

func TestDeviceHasOneSessionOfAnyClient(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Hour})
	other := h.asClient("another-team")
	id := h.createSession(createBody("+34600000001")).SessionID
	got := other.wantError(other.send(http.MethodPost, pathSessions, createBody("+34600000001")), http.StatusConflict, "CONFLICT")
	if got.Message != "Another session is created for the same UE" {
		t.Errorf("message %q is not the documented one", got.Message)
	}
	other.createSession(createBody("+34600000002"))
	if live := h.Ledger(); len(live) != 2 || h.readSession(id).SessionID != id {
		t.Errorf("a refused creation must leave nothing behind: %v", live)
	}
}

func TestClientsSeeTheirOwnSessionsOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	other := h.asClient("another-team")
	id := h.createSession(createBody("+34600000001")).SessionID
	other.wantGone(id)
	other.wantError(other.send(http.MethodDelete, pathSessions+"/"+id, ""), http.StatusNotFound, "NOT_FOUND")
	if got := other.send(http.MethodGet, pathSessions, ""); got.body != "[]" {
		t.Errorf("listed %s, want []", got.body)
	}
	if got := h.listSessions(); len(got) != 1 || got[0].SessionID != id {
		t.Errorf("the owner sees %v", got)
	}
}

func TestListIsOrderedByCreationThenID(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	late := h.Seed(Session{CreatedAt: noon.Add(time.Second), ID: "00000000-0000-4000-8000-000000000001"}).ID
	b := h.Seed(Session{ID: "00000000-0000-4000-8000-00000000000b"}).ID
	a := h.Seed(Session{ID: "00000000-0000-4000-8000-00000000000A"}).ID
	var listed, ledger []string
	for _, info := range h.listSessions() {
		listed = append(listed, info.SessionID)
	}
	for _, session := range h.Ledger() {
		ledger = append(ledger, session.ID)
	}
	if want := []string{a, b, late}; !slices.Equal(listed, want) || !slices.Equal(ledger, want) {
		t.Errorf("listed %v, ledger %v, want %v", listed, ledger, want)
	}
}

func TestSeedFillsWhatIsEmpty(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Minute})
	blank := h.Seed(Session{})
	if uuid.Validate(blank.ID) != nil || blank.ClientID != DefaultClient.ID || blank.Status != StatusAvailable ||
		!blank.Device.hasIdentifier() || blank.QoSProfile == "" || blank.Duration != 3600 ||
		blank.StartedAt != noon || blank.ExpiresAt != noon.Add(time.Hour) || blank.CreatedAt != noon {
		t.Errorf("filled: %+v", blank)
	}
	if second := h.Seed(Session{}); second.Device.sharesIdentifier(blank.Device) {
		t.Error("two seeds must not share a device")
	}
	tests := map[string]struct {
		seed                      Session
		started, expires, created time.Time
		duration                  int
	}{
		"requested":   {Session{Status: StatusRequested, Duration: 60}, time.Time{}, time.Time{}, noon, 60},
		"unavailable": {Session{Status: StatusUnavailable, Duration: 60}, noon, noon.Add(time.Minute), noon, 60},
		"started":     {Session{StartedAt: noon.Add(-time.Minute), Duration: 90}, noon.Add(-time.Minute), noon.Add(30 * time.Second), noon.Add(-time.Minute), 90},
		"ending":      {Session{ExpiresAt: noon.Add(time.Minute), Duration: 90}, noon.Add(-30 * time.Second), noon.Add(time.Minute), noon.Add(-30 * time.Second), 90},
		"both":        {Session{StartedAt: noon, ExpiresAt: noon.Add(time.Minute)}, noon, noon.Add(time.Minute), noon, 60},
	}
	for name, test := range tests {
		got := h.Seed(test.seed)
		if got.StartedAt != test.started || got.ExpiresAt != test.expires || got.CreatedAt != test.created || got.Duration != test.duration {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSeedOfAnotherTeam(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Seed(Session{ClientID: "another-team", Device: Device{PhoneNumber: "+34600000001"}})
	h.wantError(h.send(http.MethodPost, pathSessions, createBody("+34600000001")), http.StatusConflict, "CONFLICT")
	if got := h.listSessions(); len(got) != 0 {
		t.Errorf("another team's session is listed: %v", got)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	id := h.Seed(Session{}).ID
	if !h.Remove(id) || h.Remove(id) {
		t.Error("Remove must report true once")
	}
	h.wantGone(id)
}

func TestEdit(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Minute})
	id := h.Seed(Session{}).ID
	if h.Edit("unknown", func(*Session) { t.Error("there is nothing to edit") }) {
		t.Error("Edit of nothing must report false")
	}
	edit := func(f func(*Session)) sessionInfo {
		t.Helper()
		if !h.Edit(id, f) {
			t.Fatal("the session must be there")
		}
		return h.readSession(id)
	}
	if got := edit(func(s *Session) { s.QoSProfile, s.ID = "QOS_L", "another" }); got.QoSProfile != "QOS_L" || got.SessionID != id {
		t.Errorf("edited: %+v", got)
	}
	if got := edit(func(s *Session) { s.Status = StatusRequested }); got.QoSStatus != StatusRequested || got.StartedAt != "" {
		t.Errorf("requested again: %+v", got)
	}
	h.clock.Advance(time.Minute)
	if got := h.readSession(id); got.QoSStatus != StatusAvailable || got.StartedAt != "2026-11-22T12:01:00Z" {
		t.Errorf("provisioned again: %+v", got)
	}
	edit(func(s *Session) { s.ExpiresAt = noon.Add(5 * time.Minute) })
	h.Edit(id, func(s *Session) { s.Status = "PAUSED" })
	if got := h.Ledger()[0]; got.Status != "PAUSED" || got.ExpiresAt != noon.Add(5*time.Minute) {
		t.Errorf("a status the document does not know: %+v", got)
	}
	h.clock.Advance(4 * time.Minute)
	h.wantGone(id)
}

func TestLedgerIsACopy(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Seed(Session{
		Device:            Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: new(80)}},
		ApplicationServer: &ApplicationServer{IPv4Address: "198.51.100.1"},
	})
	before, _ := json.Marshal(h.Ledger())
	held := h.Ledger()[0]
	*held.Device.IPv4Address.PublicPort = 81
	held.Device.IPv4Address.PublicAddress, held.ApplicationServer.IPv4Address = "203.0.113.8", "198.51.100.2"
	if after, _ := json.Marshal(h.Ledger()); string(after) != string(before) {
		t.Errorf("the network changed with a copy of it: %s", after)
	}
}

func TestLedgerKnowsWhatTheAPIDoesNotReturn(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.createSession(`{"device":{"ipv4Address":{"publicAddress":"203.0.113.7","publicPort":5060}},
		"applicationServer":{"ipv4Address":"198.51.100.0/24","ipv6Address":"2001:db8::/64"},
		"qosProfile":"QOS_M","duration":60,"notificationUrl":"http://127.0.0.1:1/hook","notificationAuthToken":"s3cret"}`)
	got := h.Ledger()[0]
	if got.NotificationURL != "http://127.0.0.1:1/hook" || got.NotificationAuthToken != "s3cret" ||
		*got.ApplicationServer != (ApplicationServer{"198.51.100.0/24", "2001:db8::/64"}) ||
		*got.Device.IPv4Address.PublicPort != 5060 || got.QoSProfile != "QOS_M" || got.Duration != 60 || got.ClientID != DefaultClient.ID {
		t.Errorf("ledger: %+v", got)
	}
	if body := h.send(http.MethodGet, pathSessions, "").body; strings.Contains(body, "198.51.100") || strings.Contains(body, "otification") {
		t.Errorf("SessionInfo has no such members: %s", body)
	}
}

func TestSeveralPerDevice(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{SeveralPerDevice: true, HoldAfterDelete: time.Hour})
	first := h.createSession(createBody("+34600000001"))
	h.createSession(createBody("+34600000001"))
	h.send(http.MethodDelete, pathSessions+"/"+first.SessionID, "")
	h.createSession(createBody("+34600000001"))
	if live := h.Ledger(); len(live) != 2 {
		t.Errorf("got %v", live)
	}
}

func TestHoldAfterDelete(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{HoldAfterDelete: 45 * time.Second})
	body := createBody("+34600000001")
	if got := h.send(http.MethodDelete, pathSessions+"/"+h.createSession(body).SessionID, ""); got.status != http.StatusNoContent {
		t.Fatalf("status %d", got.status)
	}
	if len(h.Ledger()) != 0 {
		t.Error("a session that is deleted is still on the network")
	}
	h.createSession(createBody("+34600000002")) // another device is free
	h.clock.Advance(45*time.Second - 1)
	h.wantError(h.send(http.MethodPost, pathSessions, body), http.StatusConflict, "CONFLICT")
	h.clock.Advance(1)
	h.Remove(h.createSession(body).SessionID)
	h.createSession(body) // only the API's own deletions hold a device
}

func TestHistory(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{Provisioning: time.Second})
	at := noon.Add
	create := func(n int) string {
		h.clock.Advance(time.Second) // each session has its own time of creation
		return h.createSession(createBody("+3460000000" + strconv.Itoa(n))).SessionID
	}
	expired := create(1)                                    // at 1s
	deleted := create(2)                                    // at 2s
	revoked := create(3)                                    // at 3s
	both := create(4)                                       // at 4s
	early := create(5)                                      // at 5s
	h.send(http.MethodDelete, pathSessions+"/"+early, "")   // before it is AVAILABLE
	h.clock.Advance(5 * time.Second)                        // 10s
	h.send(http.MethodDelete, pathSessions+"/"+deleted, "") // 10s
	h.Revoke(revoked)                                       // 10s
	h.Revoke(both)                                          // 10s
	h.clock.Advance(5 * time.Second)                        // 15s
	h.send(http.MethodDelete, pathSessions+"/"+both, "")    // 15s, five seconds after its end
	type end struct {
		id, reason     string
		started, ended time.Time
	}
	check := func(want ...end) {
		t.Helper()
		var got []end
		for _, s := range h.History() {
			got = append(got, end{s.ID, s.EndReason, s.StartedAt, s.EndedAt})
		}
		if !slices.Equal(got, want) {
			t.Errorf("history:\n%v, want\n%v", got, want)
		}
	}
	rest := []end{
		{deleted, "DELETE_REQUESTED", at(3 * time.Second), at(10 * time.Second)},
		{revoked, "NETWORK_TERMINATED", at(4 * time.Second), at(10 * time.Second)},
		{both, "NETWORK_TERMINATED", at(5 * time.Second), at(10 * time.Second)},
		{early, "DELETE_REQUESTED", time.Time{}, at(5 * time.Second)},
	}
	check(append([]end{{expired, "", at(2 * time.Second), time.Time{}}}, rest...)...)
	h.clock.Advance(time.Hour)
	check(append([]end{{expired, "DURATION_EXPIRED", at(2 * time.Second), at(time.Hour + 2*time.Second)}}, rest...)...)
	if left := h.Ledger(); len(left) != 0 {
		t.Errorf("live: %v", left)
	}
}

func TestRevivedSessionHasNoEnd(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	id := h.Seed(Session{Status: StatusUnavailable}).ID
	if s := h.History()[0]; s.EndedAt != noon || s.EndReason != "NETWORK_TERMINATED" {
		t.Errorf("UNAVAILABLE: %+v", s)
	}
	h.Edit(id, func(s *Session) { s.Status = StatusAvailable })
	if s := h.History()[0]; !s.EndedAt.IsZero() || s.EndReason != "" {
		t.Errorf("AVAILABLE again: %+v", s)
	}
}
