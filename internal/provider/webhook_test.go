// Proves what the guide on webhooks says: the network's events look as on its page, and the
// receiver of examples/webhook pages somebody when the network ends a session, and only then.

//go:build !windows

package provider

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// hook is the receiver at work.
type hook struct {
	t     *testing.T
	url   string
	said  *acctest.Transcript
	fifo  *os.File
	pages *bufio.Reader // of the fifo
	gate  *os.File      // what the page of "slow" waits for
}

// pageCommand hands over its line, for "slow" when it may, and for "fails" never.
const pageCommand = `read -r line
case $line in
'"slow"'*) read -r go <gate ;;
'"fails"'*) exit 7 ;;
esac
printf '%s\n' "$line" >pages`

// startHook starts the receiver of the example, which takes this token.
func startHook(t *testing.T, token string) *hook {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "webhook")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, examplesDir+"/webhook").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	without := exec.CommandContext(t.Context(), binary)
	without.Env = []string{"WEBHOOK_TOKEN=" + token}
	if out, err := without.CombinedOutput(); err == nil || !strings.Contains(string(out), "set WEBHOOK_TOKEN and PAGE") {
		t.Errorf("without PAGE: %v\n%s", err, out)
	}

	address := freeAddress(t)
	h := &hook{t: t, url: "http://" + address + "/qod", said: acctest.NewTranscript(), fifo: fifo(t, dir, "pages"), gate: fifo(t, dir, "gate")}
	h.pages = bufio.NewReader(h.fifo)
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir, cmd.Stderr = dir, h.said
	cmd.Env = append(os.Environ(), "WEBHOOK_TOKEN="+token, "PAGE="+pageCommand, "LISTEN="+address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if strings.Contains(h.said.String(), token) {
			t.Errorf("the receiver logs its token:\n%s", h.said)
		}
	})
	for began := time.Now(); ; {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			return h
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%v\n%s", err, h.said)
		}
	}
}

// fifo makes one that does not end when a writer does.
func fifo(t *testing.T, dir, name string) *os.File {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// freeAddress is one that nobody listens on. Other tests have theirs from the system, which gives
// away none of these ports.
func freeAddress(t *testing.T) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; port < 32000; port++ {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// paged waits for the next page, which must be this one.
func (h *hook) paged(want string) {
	h.t.Helper()
	if err := h.fifo.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // nobody may have been paged
		h.t.Fatal(err)
	}
	got, err := h.pages.ReadString('\n')
	if err != nil || got != want+"\n" {
		h.t.Errorf("paged %q, want %q: %v", got, want, err)
	}
}

// post is what answers a body that somebody sends about a camera, not the network.
func (h *hook) post(camera, method, token, body string) int {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute) // it may wait for its page
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, h.url+"/"+camera, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestWebhook(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	camara := acc.StartNetwork(t, camaraNetwork)
	h := startHook(t, "the-token")
	c := copyExample(network.CLI("", "TF_VAR_webhook_url="+h.url, "TF_VAR_webhook_token=the-token"), "webhook")
	c.Must(0, "apply", "-auto-approve", "-no-color", "-input=false")
	ended := func(name, id, why string) string {
		return strings.NewReplacer("NAME", name, "ID", id, "WHY", why).Replace(`"NAME" is without quality: session "ID" is UNAVAILABLE, "WHY"`)
	}
	ids := map[string]string{}
	for _, s := range network.Ledger() {
		ids[filepath.Base(s.NotificationURL)] = s.ID
	}
	network.Revoke(ids["north-stand"])
	h.paged(ended("north-stand", ids["north-stand"], "NETWORK_TERMINATED"))

	// None of these is news.
	network.Remove(ids["touchline"])
	network.Seed(sandbox.Session{NotificationURL: h.url + "/over", NotificationAuthToken: "the-token", Duration: 60})
	network.Advance(time.Hour)
	if left := network.Ledger(); len(left) > 0 {
		t.Errorf("%d sessions are live", len(left))
	}
	var got []string
	for _, d := range network.Deliveries() {
		got = append(got, strings.TrimSpace(filepath.Base(d.URL)+" "+d.QoSStatus+" "+d.StatusInfo))
		if d.Status != http.StatusNoContent || d.Tries != 1 {
			t.Errorf("%+v", d)
		}
	}
	slices.Sort(got)
	if want := []string{
		"north-stand AVAILABLE", "north-stand UNAVAILABLE NETWORK_TERMINATED", "over UNAVAILABLE DURATION_EXPIRED",
		"touchline AVAILABLE", "touchline UNAVAILABLE DELETE_REQUESTED",
	}; !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}

	// Without the token nobody is paged. An event without a reason pages, too.
	event := `{"data": {"sessionId": "s", "qosStatus": "UNAVAILABLE"}}`
	for _, test := range []struct {
		method, token, body string
		want                int
	}{
		{http.MethodPost, "", event, http.StatusUnauthorized},
		{http.MethodPost, "the-toke", event, http.StatusUnauthorized},
		{http.MethodPost, "the-token ", "no JSON", http.StatusBadRequest},
		{http.MethodPost, "the-token", "{}", http.StatusBadRequest},
		{http.MethodPost, "the-token", strings.Repeat(" ", 1<<16) + event, http.StatusBadRequest},
		{http.MethodGet, "the-token", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "the-token", strings.Repeat(" ", 1<<15) + event, http.StatusNoContent},
	} {
		if got := h.post("somebody", test.method, test.token, test.body); got != test.want {
			t.Errorf("%s with token %q and %.20s: %d, want %d", test.method, test.token, test.body, got, test.want)
		}
	}
	h.paged(ended("somebody", "s", ""))
	// A camera of a sheet is "camera/sim", and nobody can write a second line.
	for name, want := range map[string]string{"north/a": "north/a", "Pe%C3%B1a%2Fb": "Peña/b", "x%0Ay": `x\ny`} {
		if got := h.post(name, http.MethodPost, "the-token", event); got != http.StatusNoContent {
			t.Errorf("%s: %d", name, got)
		}
		h.paged(ended(want, "s", ""))
	}
	// A page keeps no network waiting, and one that fails is in the log.
	if got := h.post("slow", http.MethodPost, "the-token", event); got != http.StatusNoContent {
		t.Errorf("while it pages: %d", got)
	}
	h.post("fails", http.MethodPost, "the-token", event)
	h.said.WaitFor(t, `"fails" is without quality: session "s" is UNAVAILABLE, ""; error of PAGE: exit status 7`)
	if _, err := h.gate.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	h.paged(ended("slow", "s", ""))

	refused := camara.Seed(sandbox.Session{NotificationURL: h.url + "/refused", NotificationAuthToken: "wrong-token"})
	camara.Revoke(refused.ID)
	if d := camara.Deliveries()[0]; d.Status != http.StatusUnauthorized || d.Tries != 1 {
		t.Errorf("%+v", d)
	}
	last := camara.Seed(sandbox.Session{NotificationURL: h.url + "/last", NotificationAuthToken: "the-token"})
	camara.Revoke(last.ID)
	h.paged(ended("last", last.ID, "NETWORK_TERMINATED"))
}

// The guide promises twenty lines below the imports.
func TestWebhook_lines(t *testing.T) {
	t.Parallel()
	_, code, _ := strings.Cut(readExample(t, "webhook/main.go"), "\n)\n")
	lines := slices.DeleteFunc(strings.Split(code, "\n"), func(line string) bool { return line == "" })
	if n := len(lines); n != 20 || !strings.Contains(readExample(t, "../templates/guides/webhooks.md.tmpl"), "Twenty lines of Go") {
		t.Errorf("the receiver has %d lines", n)
	}
}

// The event on the page is one that the network sends, and its table has the type of each API's.
func TestWebhook_page(t *testing.T) {
	t.Parallel()
	page := readExample(t, "../templates/guides/webhooks.md.tmpl")
	shown := regexp.MustCompile("(?ms)^```json\n(.*?)^```$").FindStringSubmatch(page)
	if shown == nil {
		t.Fatal("the page shows no event")
	}
	types := 0
	for _, api := range []sandbox.API{sandbox.OpenGateway, sandbox.CAMARAV0, sandbox.CAMARAV1} {
		sent := &lastBody{}
		network := sandbox.New(sandbox.Config{API: api, Webhooks: sent})
		t.Cleanup(network.Close)
		network.Revoke(network.Seed(sandbox.Session{NotificationURL: "https://hooks.example.com/qod"}).ID)
		network.Deliveries()
		if got, want := members(t, sent.body), members(t, []byte(shown[1])); !slices.Equal(got, want) {
			t.Errorf("%s sends the members %q, and the page has %q", api, got, want)
		}
		var event struct{ Type string }
		if err := json.Unmarshal(sent.body, &event); err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(string(api)) + "`.*\\| `" + regexp.QuoteMeta(event.Type) + "` \\|").MatchString(page) {
			types++
		}
	}
	if types != 3 {
		t.Errorf("the page has the type of the events of %d APIs", types)
	}
}

// lastBody receives events, and keeps the last one.
type lastBody struct{ body []byte }

func (l *lastBody) RoundTrip(r *http.Request) (*http.Response, error) {
	var err error
	l.body, err = io.ReadAll(r.Body)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, err
}

// members are the names of an event's members, and of its data's.
func members(t *testing.T, event []byte) []string {
	t.Helper()
	all, data := map[string]any{}, map[string]any{}
	if err := json.Unmarshal(event, &all); err != nil {
		t.Fatalf("%v\n%s", err, event)
	}
	if err := json.Unmarshal(event, &struct{ Data *map[string]any }{&data}); err != nil {
		t.Fatal(err)
	}
	return append(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(data))...)
}
