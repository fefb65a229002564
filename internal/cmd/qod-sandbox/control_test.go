package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
		for len(s.Ledger()) > 0 && t.Context().Err() == nil { //nolint:revive // what falls due runs soon, not at once
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
