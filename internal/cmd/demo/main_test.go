// Proves that the demo checks its own output, never prints the webhook's token, and leaves nothing
// behind when it is stopped half-way. "make demo" runs all of it.
package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

// stuckCLI turns this test binary into a CLI that hangs, like one that waits for a network.
const stuckCLI = "DEMO_TEST_STUCK_CLI"

func TestMain(m *testing.M) {
	if file := os.Getenv(stuckCLI); file != "" {
		if err := os.WriteFile(file, []byte("started"), 0o600); err != nil {
			panic(err)
		}
		<-time.After(time.Minute)
	}
	os.Exit(m.Run())
}

func TestInterruptLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // Windows
	started := filepath.Join(t.TempDir(), "started")
	t.Setenv(stuckCLI, started)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for range time.Tick(10 * time.Millisecond) {
			if _, err := os.Stat(started); err == nil || ctx.Err() != nil {
				return
			}
		}
	}()
	d := demo{cli: terraform.CLI{Path: self}, provider: self, quickstart: filepath.Join("..", "..", "..", "examples", "quickstart"), out: &printer{out: t.Output()}}
	if err := d.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	hook, err := listen(t.Context(), &printer{out: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer hook.close()
	for _, test := range []struct {
		token, body string
		want        int
	}{
		{"", `{}`, http.StatusUnauthorized},
		{"Bearer wrong", `{}`, http.StatusUnauthorized},
		{"Bearer " + hook.token, `no event`, http.StatusBadRequest},
		{"Bearer " + hook.token, `{"data":{"sessionId":"one","qosStatus":"UNAVAILABLE","statusInfo":"NETWORK_TERMINATED"}}`, http.StatusNoContent},
		{"Bearer " + hook.token, `{"data":{"sessionId":"two","qosStatus":"AVAILABLE"}}`, http.StatusNoContent},
	} {
		if got := post(t, hook.url, test.token, test.body); got != test.want {
			t.Errorf("%q with %q: got %d, want %d", test.body, test.token, got, test.want)
		}
	}
	for _, want := range []string{"session one is UNAVAILABLE (NETWORK_TERMINATED)\n", "session two is AVAILABLE\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), hook.token) {
		t.Error("the token was printed")
	}
	if err := hook.await(t.Context(), map[string]session{"b": {ID: "two"}}); err != nil {
		t.Errorf("session two: %v", err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hook.await(done, map[string]session{"a": {ID: "one"}}); err == nil {
		t.Error("session one was never available, and await did not mind")
	}
}

func post(t *testing.T, url, token, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return response.StatusCode
}

func TestAgree(t *testing.T) {
	t.Parallel()
	one := session{ID: "1", Status: sandbox.StatusAvailable}
	waiting := session{ID: "1", Status: sandbox.StatusRequested}
	for name, test := range map[string]struct {
		shown map[string]session
		held  []sandbox.Session
		want  string
	}{
		"the same":     {map[string]session{"a": one}, []sandbox.Session{{ID: "1"}}, ""},
		"nothing":      {nil, nil, "0 sessions"},
		"one too many": {map[string]session{"a": one}, []sandbox.Session{{ID: "1"}, {ID: "2"}}, "holds 2"},
		"another":      {map[string]session{"a": one}, []sandbox.Session{{ID: "2"}}, "does not hold"},
		"not ready":    {map[string]session{"a": waiting}, []sandbox.Session{{ID: "1"}}, "REQUESTED"},
	} {
		err := agree(test.shown, test.held)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	from := time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)
	got := table(map[string]session{
		"touchline": {ID: "2", Profile: "QOS_S", Status: "AVAILABLE", StartedAt: from, ExpiresAt: from.Add(time.Hour)},
		"far":       {ID: "1", Profile: "QOS_L", Status: "AVAILABLE", StartedAt: from, ExpiresAt: from.Add(time.Hour)},
	})
	lines := strings.Split(got, "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "CAMERA     PROFILE") ||
		!strings.HasPrefix(lines[1], "far        QOS_L") || !strings.HasPrefix(lines[2], "touchline  QOS_S") ||
		!strings.Contains(lines[1], clock(from)+"  "+clock(from.Add(time.Hour))) {
		t.Errorf("got:\n%s", got)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]string{
		"Initializing...\nOpenTofu has been successfully initialized!\nmore\n": "OpenTofu has been successfully initialized!",
		"x\nPlan: 2 to add, 0 to change, 0 to destroy.\n\nSaved\n":             "Plan: 2 to add, 0 to change, 0 to destroy.",
		"Plan: 0 to add\n\nDestroy complete! Resources: 2 destroyed.\n":        "Destroy complete! Resources: 2 destroyed.",
		"nothing of note": "done",
	} {
		if got := outcome([]byte(out)); got != want {
			t.Errorf("%q: got %q, want %q", out, got, want)
		}
	}
}
