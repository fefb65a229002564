package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// at returns a running sandbox and the environment that names it.
func at(t *testing.T) (*sandbox.Server, []string) {
	t.Helper()
	s := sandbox.Start(t, sandbox.Config{Clock: new(sandbox.OffsetClock), Control: true})
	return s, []string{"QOD_ENDPOINT=" + s.Endpoint()}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	if got := run(environ, "", "ledger"); got.code != 0 || got.out != "no live sessions\n" {
		t.Errorf("%+v", got)
	}
	if got := run(environ, "", "ledger", "--json"); got.code != 0 || got.out != "[]\n" {
		t.Errorf("%+v", got)
	}
	one := s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600123456"}, NotificationAuthToken: "secret"})
	got := run(environ, "", "ledger")
	if got.code != 0 || !strings.Contains(got.out, one.ID+"  QOS_E    AVAILABLE  20") || !strings.Contains(got.out, "phoneNumber …56") || strings.Contains(got.out, "600123456") {
		t.Errorf("%+v", got)
	}
	got = run(environ, "", "ledger", "-json")
	var sessions []sandbox.Session
	if err := json.Unmarshal([]byte(got.out), &sessions); err != nil || len(sessions) != 1 || sessions[0].Device.PhoneNumber != "+34600123456" || strings.Contains(got.out, "secret") {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	one := s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600123456"}})
	got := run(environ, "", "revoke", "+34600123456")
	if got.code != 0 || !strings.Contains(got.out, one.ID) || !strings.Contains(got.out, "UNAVAILABLE") || s.Ledger()[0].Status != sandbox.StatusUnavailable {
		t.Errorf("%+v, %v", got, s.Ledger())
	}
	if got := run(environ, "", "revoke", "+34600123456"); got.code != exitFailed || !strings.Contains(got.err, "no session") {
		t.Errorf("twice: %+v", got)
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	one := s.Seed(sandbox.Session{Duration: 3600})
	if got := run(environ, "", "advance", "59m"); got.code != 0 || !strings.HasPrefix(got.out, "the network's clock shows 20") || len(s.Ledger()) != 1 {
		t.Errorf("%+v, %v", got, s.Ledger())
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for len(s.Ledger()) > 0 && t.Context().Err() == nil { // what falls due runs soon, not at once
		}
	}()
	if got := run(environ, "", "advance", "2m"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	<-gone
	if got := run(environ, "", "advance", "soon"); got.code != exitFailed || !strings.Contains(got.err, `"soon"`) {
		t.Errorf("%s: %+v", one.ID, got)
	}
}

// The clock runs between two commands, so times are compared by the minute.
func TestAdvanceToAndClock(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	// shows runs a command and returns the time that it prints behind the prefix.
	shows := func(prefix string, args ...string) time.Time {
		t.Helper()
		got := run(environ, "", args...)
		now, err := time.Parse(time.RFC3339+"\n", strings.TrimPrefix(got.out, prefix))
		if got.code != 0 || err != nil || !strings.HasSuffix(got.out, "Z\n") {
			t.Fatalf("%v: %+v, %v", args, got, err)
		}
		return now
	}
	if now := shows("", "clock"); now.Before(time.Now().Add(-time.Minute)) || now.After(time.Now().Add(time.Minute)) {
		t.Errorf("at first the clock shows %v", now)
	}
	end := time.Now().AddDate(1, 0, 0).Truncate(time.Second).In(time.FixedZone("", -3*3600))
	s.Seed(sandbox.Session{ExpiresAt: end.Add(time.Hour)})
	if now := shows("the network's clock shows ", "advance", "--to", end.Format(time.RFC3339)); now.Before(end) || now.After(end.Add(time.Minute)) || len(s.Ledger()) != 1 {
		t.Errorf("advanced to %v, want %v; %v", now, end, s.Ledger())
	}
	if now := shows("", "clock"); now.Before(end) || now.After(end.Add(time.Minute)) {
		t.Errorf("the clock shows %v, want %v", now, end)
	}
	if got := run(environ, "", "advance", "-to", end.Add(-time.Hour).Format(time.RFC3339)); got.code != exitFailed || !strings.Contains(got.err, "cannot go back") {
		t.Errorf("%+v", got)
	}
}

func TestLedgerOfAllSessions(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	if got := run(environ, "", "ledger", "-all"); got.code != 0 || got.out != "no sessions\n" {
		t.Errorf("%+v", got)
	}
	s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600123456"}})
	deleted := s.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600123478"}})
	s.Remove(deleted.ID)
	if got := run(environ, "", "ledger"); strings.Contains(got.out, deleted.ID) {
		t.Errorf("a session that is gone is live: %s", got.out)
	}
	got := run(environ, "", "ledger", "--all")
	row := ""
	for line := range strings.Lines(got.out) {
		if strings.HasPrefix(line, deleted.ID) {
			row = strings.Join(strings.Fields(line), " ")
		}
	}
	ended := s.History()[slices.IndexFunc(s.History(), func(one sandbox.Session) bool { return one.ID == deleted.ID })].EndedAt
	want := deleted.ID + " QOS_E UNAVAILABLE " + deleted.StartedAt.Format(time.RFC3339) + " " + ended.Format(time.RFC3339) + " DELETE_REQUESTED phoneNumber …78"
	if got.code != 0 || row != want || strings.Count(got.out, "\n") != 3 || strings.Contains(got.out, "600123") {
		t.Errorf("%+v, want %q", got, want)
	}
	got = run(environ, "", "ledger", "-all", "-json")
	var sessions []sandbox.Session
	if err := json.Unmarshal([]byte(got.out), &sessions); err != nil || len(sessions) != 2 || !strings.Contains(got.out, `"endedAt": "`) {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestRevokeByAddressAndPort(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	for port := range 2 {
		s.Seed(sandbox.Session{Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: new(5060 + port)}}})
	}
	if got := run(environ, "", "revoke", "203.0.113.7:5061"); got.code != 0 || strings.Count(got.out, "UNAVAILABLE") != 1 {
		t.Errorf("%+v", got)
	}
	for _, one := range s.Ledger() {
		if revoked := one.Status == sandbox.StatusUnavailable; revoked != (*one.Device.IPv4Address.PublicPort == 5061) {
			t.Errorf("%+v", one)
		}
	}
}

func TestFailNone(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	for _, args := range [][]string{{"fail", "discovery", "503", "-times", "-1"}, {"fail", "none"}} {
		if got := run(environ, "", args...); got.code != 0 || got.out+got.err != "" {
			t.Errorf("%v: %+v", args, got)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("discovery answered %d", answer.StatusCode)
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	s, environ := at(t)
	if got := run(environ, "", "fail", "discovery", "503", "--times", "2"); got.code != 0 || got.out+got.err != "" {
		t.Errorf("%+v", got)
	}
	for _, want := range []int{503, 503, 200} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/.well-known/openid-configuration", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("discovery answered %d, want %d", answer.StatusCode, want)
		}
	}
	if got := run(environ, "", "fail", "-times=1", "create", "nicely"); got.code != exitFailed || !strings.Contains(got.err, `"nicely"`) {
		t.Errorf("%+v", got)
	}
}

func TestOnlySandboxesAreControlled(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	s := sandbox.Start(t, sandbox.Config{}) // without Config.Control
	for name, test := range map[string]struct{ endpoint, says string }{
		"none":      {"", "no sandbox given"},
		"real":      {"https://opengateway.telefonica.com/v1", "is not the endpoint of a sandbox"},
		"no URL":    {"://", "is not the endpoint of a sandbox"},
		"no host":   {"http:///v1", "is not the endpoint of a sandbox"},
		"other":     {other.URL + "/v1", "is not a sandbox that can be controlled: it answered 404"},
		"not there": {closed.URL + "/v1", "the sandbox does not answer"},
		"closed":    {s.Endpoint(), "is not a sandbox that can be controlled: it answered 404"},
	} {
		for _, args := range [][]string{{"ledger"}, {"revoke", "+34600123456"}} {
			got := run([]string{"QOD_ENDPOINT=https://first.example", "QOD_ENDPOINT=" + test.endpoint}, "", args...)
			if got.code != exitFailed || !strings.Contains(got.err, test.says) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	named, _ := at(t)
	if got := run(nil, "", "ledger", "-sandbox", named.Endpoint()); got.code != 0 {
		t.Errorf("%+v", got)
	}
}
