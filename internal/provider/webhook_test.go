// Proves what the guide on webhooks says: the network's events look as on its page, and the
// receiver of examples/webhook pages somebody when the network ends a session, and only then.

//go:build !windows

package provider

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
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
	fifo  *os.File
	pages *bufio.Reader // of the fifo
}

// startHook starts the receiver of the example, which takes these tokens.
func startHook(t *testing.T, tokens string) *hook {
	t.Helper()
	dir := t.TempDir()
	binary, pages := filepath.Join(dir, "webhook"), filepath.Join(dir, "pages")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, examplesDir+"/webhook").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := syscall.Mkfifo(pages, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pages, os.O_RDWR, 0) // it does not end when a writer does
	if err != nil {
		t.Fatal(err)
	}
	said := acctest.NewTranscript()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), "WEBHOOK_TOKENS="+tokens, "PAGE=cat >"+pages, "LISTEN=127.0.0.1:0")
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = reader.Close()
		if strings.Contains(said.String(), "token") {
			t.Errorf("the receiver logs its tokens:\n%s", said)
		}
	})
	said.WaitFor(t, "/qod/\n")
	return &hook{t: t, url: regexp.MustCompile(`http://\S+/qod`).FindString(said.String()), fifo: reader, pages: bufio.NewReader(reader)}
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
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.url+"/"+camera, strings.NewReader(body))
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
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	camara := acc.StartNetwork(t, camaraNetwork)
	h := startHook(t, "new-token former-token")
	c := copyExample(network.CLI("", "TF_VAR_webhook_url="+h.url, "TF_VAR_webhook_token=new-token"), "webhook")
	c.Must(0, "apply", "-auto-approve", "-no-color", "-input=false")
	ended := func(name, id, why string) string {
		return strings.NewReplacer("NAME", name, "ID", id, "WHY", why).Replace(`"NAME": session "ID" is "UNAVAILABLE" "WHY"`)
	}
	ids := map[string]string{}
	for _, s := range network.Ledger() {
		ids[filepath.Base(s.NotificationURL)] = s.ID
	}
	network.Revoke(ids["north-stand"])
	h.paged(ended("north-stand", ids["north-stand"], "NETWORK_TERMINATED"))

	// None of these is news.
	network.Remove(ids["touchline"])
	network.Seed(sandbox.Session{NotificationURL: h.url + "/over", NotificationAuthToken: "former-token", Duration: 60})
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

	// Without a token nobody is paged. An event that comes twice pages once, and one without a
	// reason pages, too.
	event := `{"id": "1", "data": {"sessionId": "s", "qosStatus": "UNAVAILABLE"}}`
	for _, test := range []struct {
		method, token, body string
		want                int
	}{
		{http.MethodPost, "", event, http.StatusUnauthorized},
		{http.MethodPost, "new-toke", event, http.StatusUnauthorized},
		{http.MethodPost, "new-token former-token", event, http.StatusUnauthorized},
		{http.MethodPost, "new-token", "no JSON", http.StatusBadRequest},
		{http.MethodPost, "new-token", "{}", http.StatusBadRequest},
		{http.MethodPost, "new-token", strings.Repeat(" ", 1<<16) + event, http.StatusBadRequest},
		{http.MethodGet, "new-token", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "new-token", event, http.StatusNoContent},
		{http.MethodPost, "new-token", event, http.StatusNoContent},
	} {
		if got := h.post("somebody", test.method, test.token, test.body); got != test.want {
			t.Errorf("%s with token %q and %.20s: %d, want %d", test.method, test.token, test.body, got, test.want)
		}
	}
	h.paged(ended("somebody", "s", ""))
	// Two without an id are two, and a camera of a sheet is "camera/sim".
	for _, name := range []string{"north/a", "Peña%20norte%2Fb"} {
		if got := h.post(name, http.MethodPost, "new-token", `{"data": {"sessionId": "`+name+`", "qosStatus": "UNAVAILABLE"}}`); got != http.StatusNoContent {
			t.Errorf("%s: %d", name, got)
		}
		camera, err := url.PathUnescape(name)
		if err != nil {
			t.Fatal(err)
		}
		h.paged(ended(camera, name, ""))
	}
	refused := camara.Seed(sandbox.Session{NotificationURL: h.url + "/refused", NotificationAuthToken: "wrong-token"})
	camara.Revoke(refused.ID)
	if d := camara.Deliveries()[0]; d.Status != http.StatusUnauthorized || d.Tries != 1 {
		t.Errorf("%+v", d)
	}
	last := camara.Seed(sandbox.Session{NotificationURL: h.url + "/last", NotificationAuthToken: "former-token"})
	camara.Revoke(last.ID)
	h.paged(ended("last", last.ID, "NETWORK_TERMINATED"))
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
