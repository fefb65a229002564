// Proves what a person reads when something fails: the whole text of every kind of error, made by
// the real client and a network that goes wrong. There is a file for each family. Read
// testdata/diagnostics.txtar as whoever was woken by it. go test ./internal/provider/diagnostics
// -run TestDiagnostics -update writes it anew.

package diagnostics

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"golang.org/x/tools/txtar"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var update = flag.Bool("update", false, "write testdata/diagnostics.txtar anew")

// bubble is a client and a network in a bubble of time: minutes of retries take none.
type bubble struct {
	*sandbox.Sandbox
	*qod.Client
	t         *testing.T
	ctx       context.Context
	transport http.RoundTripper // instead of the sandbox; nil for none
}

func (b *bubble) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.transport != nil {
		return b.transport.RoundTrip(r)
	}
	return b.Sandbox.RoundTripper().RoundTrip(r)
}

// broken is a transport on which nothing gets through.
type broken struct{ err error }

func (b broken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, b.err
}

// kong is what an API gateway answers that has no route to the API.
const kong = `{"message":"no Route matched with those values"}`

const (
	webPage  = `<!DOCTYPE html><html><body>Please <a href="/login">log in</a></body></html>`
	lostID   = "11111111-1111-4111-8111-111111111111"
	secondID = "22222222-2222-4222-8222-222222222222"
	wholeTel = "+34611222333"

	correlator = "33333333-3333-4333-8333-333333333333"

	matchStarts = "2028-02-29T20:15:00Z"
	matchEnds   = "2028-03-01T00:15:00Z"
)

// atKickOff is when the match starts, and when everything fails.
var atKickOff = time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)

var (
	camera1 = qod.Device{PhoneNumber: wholeTel}
	wanted  = qod.Spec{Device: camera1, QoSProfile: "QOS_L", Seconds: 3600, NotificationURL: "https://example.com/qod", NotificationAuthToken: "hunter2-webhook"}
	tel     = sandbox.Device{PhoneNumber: wholeTel}
)

// A failure is one way in which something goes wrong, up to the diagnostics that tell of it.
type failure struct {
	network func(*sandbox.Config)
	client  func(*qod.Config)
	make    func(b *bubble) diag.Diagnostics
}

func one(d diag.Diagnostic) diag.Diagnostics { return diag.Diagnostics{d} }

// create fails like the resource's Create.
func (b *bubble) create(spec qod.Spec) diag.Diagnostics {
	_, err := b.Create(b.ctx, spec)
	return one(CreatingSession.CreateFailed(err))
}

func (b *bubble) read() diag.Diagnostics {
	_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID, Device: camera1})
	return one(ReadingSession.ReadFailed(lostID, "", err))
}

func (b *bubble) remove() diag.Diagnostics {
	return one(DeletingSession.DeleteFailed(lostID, "", b.Delete(b.ctx, qod.Ref{ID: lostID, Device: camera1})))
}

func (b *bubble) list() diag.Diagnostics {
	_, err := b.List(b.ctx, qod.Filter{})
	return one(ListFailed(err))
}

// incomplete is the warning about a list that is shown all the same.
func (b *bubble) incomplete() diag.Diagnostics {
	found, err := b.List(b.ctx, qod.Filter{})
	part, ok := errors.AsType[*qod.IncompleteListError](err)
	if !ok {
		b.t.Fatalf("the list is taken for complete: %v", err)
	}
	return one(ListIncomplete(part, len(found)))
}

func (b *bubble) fail(op sandbox.Operation, times int, effect sandbox.Effect) {
	b.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// limit gives the calls a deadline.
func (b *bubble) limit(d time.Duration) {
	ctx, cancel := context.WithTimeout(b.ctx, d)
	b.t.Cleanup(cancel)
	b.ctx = ctx
}

// interruptAfter cancels the calls at a time when they wait.
func (b *bubble) interruptAfter(d time.Duration) {
	ctx, cancel := context.WithCancel(b.ctx)
	b.ctx = ctx
	timer := time.AfterFunc(d, cancel)
	b.t.Cleanup(func() { timer.Stop(); cancel() })
}

// interruptAt cancels the calls when the n-th request of an operation comes in.
func (b *bubble) interruptAt(op sandbox.Operation, at int) {
	ctx, cancel := context.WithCancel(b.ctx)
	b.t.Cleanup(cancel)
	b.ctx = ctx
	b.Before(op, func(n int, _ *http.Request) {
		if n == at {
			cancel()
		}
	})
}

func answers(status int, body string, header ...string) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.limit(5 * time.Minute)
		b.fail(sandbox.OpCreate, -1, sandbox.Status(status, body, header...))
		return b.create(wanted)
	}
}

var errRateLimited = &qod.Error{
	Operation: qod.OperationCreate, Status: http.StatusTooManyRequests, Code: "QUOTA_EXCEEDED", Message: "Too many sessions", Correlator: correlator,
}

func noDevice(info map[string]any) { delete(info, "device") }

func refuses(code, description string) string {
	return fmt.Sprintf(`{"error": %q, "error_description": %q}`, code, description)
}

// waited is the end of a wait, by a create or by an update that resumed it.
func waited(resumed bool, prepare func(b *bubble, id string)) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		s := b.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		prepare(b, s.ID)
		_, err := b.Await(b.ctx, qod.Ref{ID: s.ID, Device: camera1})
		if resumed {
			return one(ResumeFailed(err))
		}
		return one(CreatingSession.CreateFailed(err))
	}
}

// disabled is a client that the operator takes out of service during the wait.
func disabled(b *bubble, _ string) {
	b.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "The client was disabled.")))
}

// updated is the end of a wait by the update of a reservation.
func updated(prepare func(b *bubble, id string)) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		b.Seed(sandbox.Session{ID: lostID, Device: tel, Status: sandbox.StatusRequested})
		prepare(b, lostID)
		_, err := b.Await(b.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(UpdatingReservation.CreateFailed(err))
	}
}

func (b *bubble) createSession() error {
	_, err := b.Create(b.ctx, wanted)
	return err
}

// clockless is what an operation says when the API tells no time.
func clockless(e Operation, injectFault func(b *bubble)) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		injectFault(b)
		_, err := b.Now(b.ctx)
		return one(e.ClockUnknown(err))
	}
}

// goneBeforeItsEnd is a session that a list proves gone.
func goneBeforeItsEnd(e Operation, end time.Time) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		ref := qod.Ref{ID: lostID, Device: camera1, ExpiresAt: end}
		_, err := b.Client.Read(b.ctx, ref)
		if e == DeletingSession {
			err = b.Delete(b.ctx, ref)
		}
		gone, ok := errors.AsType[*qod.GoneError](err)
		if !ok {
			b.t.Fatalf("not proven gone: %v", err)
		}
		return one(e.GoneEarly(ref, gone))
	}
}

// goneWithoutList is a session that the API says twice it does not know.
func goneWithoutList(e Operation) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(501, ""))
		return goneBeforeItsEnd(e, atKickOff.Add(time.Hour))(b)
	}
}

// failures has every kind of failure, by family.
func failures() map[string]failure {
	all := map[string]failure{}
	for _, family := range []map[string]failure{
		conflictFailures, consentFailures, createFailures, deleteFailures, extendFailures, listFailures, lostAnswerFailures, planWarnings, readFailures, refusalFailures, reservationFailures, tokenFailures, waitFailures,
		connectionFailures(), headersFailures, missingCredentialsFailures,
	} {
		maps.Copy(all, family)
	}
	return all
}

func tokenAt(c *qod.Config) { c.TokenURL = "https://gateway.example/oauth/token" }

func staticToken(c *qod.Config) { c.ClientID, c.ClientSecret, c.AccessToken = "", "", "hunter2-static" }

func unreachable(err error) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		_, _ = b.List(b.ctx, qod.Filter{}) // there is a token already
		b.transport = broken{err}
		return b.create(wanted)
	}
}

// happen runs a failure in a bubble of its own.
func (f failure) happen(t *testing.T) string {
	var text string
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(atKickOff)) // of the bubble: it takes no time
		network := sandbox.Config{Provisioning: time.Hour, Latency: 10 * time.Millisecond}
		if f.network != nil {
			f.network(&network)
		}
		b := &bubble{Sandbox: sandbox.New(network), t: t, ctx: t.Context()}
		defer b.Close()
		config := qod.Config{
			Endpoint: "https://gateway.example/v1", ClientID: sandbox.DefaultClient.ID, ClientSecret: sandbox.DefaultClient.Secret,
			Scopes: []string{"qod:sessions:read", "qod:sessions:write"}, MaxRetries: 2, RequestTimeout: 30 * time.Second, UserAgent: "test", Transport: b,
		}
		if f.client != nil {
			f.client(&config)
		}
		client, err := qod.New(config)
		if err != nil {
			t.Fatal(err)
		}
		b.Client = client
		text = rendered(f.make(b))
		if config.Grant == qod.CIBA {
			time.Sleep(10 * time.Minute) // until whoever is asked has answered, or nobody waits for it
		}
	})
	return text
}

// rendered is how the golden file shows diagnostics.
func rendered(diags diag.Diagnostics) string {
	var parts []string
	for _, d := range diags {
		head := d.Severity().String() + ": " + d.Summary()
		if d, ok := d.(diag.DiagnosticWithPath); ok {
			head += " (at " + d.Path().String() + ")"
		}
		parts = append(parts, head+"\n\n"+d.Detail())
	}
	return anonymous(strings.Join(parts, "\n\n"))
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// anyTime is one that may be some seconds late, as pauses are spread at random.
var anyTime = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`)

// anonymous numbers the ids that are random, and takes the seconds out of times.
func anonymous(text string) string {
	text = anyTime.ReplaceAllStringFunc(text, func(at string) string {
		t, _ := time.Parse(time.RFC3339, at)
		return t.Truncate(5 * time.Minute).Format(time.RFC3339)
	})
	seen := map[string]string{}
	return anyUUID.ReplaceAllStringFunc(text, func(id string) string {
		if strings.Contains(id, "-1111-4111-8111-") || id == secondID || id == correlator {
			return id
		}
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(seen)+1)
		}
		return seen[id]
	})
}

var goldenFile = filepath.Join("testdata", "diagnostics.txtar")

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	failures := failures()
	names := slices.Sorted(maps.Keys(failures))
	if *update {
		golden := &txtar.Archive{Comment: []byte("What people read when something fails, by TestDiagnostics.\n")}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				golden.Files = append(golden.Files, txtar.File{Name: name, Data: []byte(failures[name].happen(t) + "\n\n")})
			})
		}
		if err := os.WriteFile(goldenFile, txtar.Format(golden), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := txtar.ParseFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, file := range golden.Files {
		want[file.Name] = strings.TrimSuffix(string(file.Data), "\n\n")
		if _, known := failures[file.Name]; !known {
			t.Errorf("the golden file has %q, which does not happen", file.Name)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := failures[name].happen(t)
			if diff := cmp.Diff(want[name], got); diff != "" {
				t.Errorf("not what the golden file has (-), but (+):\n%s", diff)
			}
			readable(t, got)
		})
	}
}

// readable holds for every text.
func readable(t *testing.T, text string) {
	t.Helper()
	head, detail, _ := strings.Cut(text, "\n\n")
	summary := regexp.MustCompile(`^(Error|Warning): | \(at .*\)$`).ReplaceAllString(head, "")
	// Each session that two resources hold has a warning of its own, or Terraform would fold them.
	summary = regexp.MustCompile(`^QoS Session [0-9a-f-]{36} Held`).ReplaceAllString(summary, "QoS Session Held")
	if !slices.Contains([]string{
		createSummary, readSummary, deleteSummary, importSummary, listSummary, waitSummary, "QoS Session Shorter Than Requested", "QoS Session Longer Than Requested", faultSummary, "Incomplete List of QoS Sessions",
		// Each of these has to be shown, and Terraform shows one of many with equal summaries.
		goneSummary(qod.Ref{ID: lostID}), goneSummary(qod.Ref{ID: lostID, ExpiresAt: atKickOff}), "QoS Session " + lostID + " Not Checked", "QoS Session " + lostID + " Has an Unknown Status", "QoS Session " + lostID + " Shows Unreadable Values",
		CreatingReservation.summary, ReadingReservation.summary, UpdatingReservation.summary, DeletingReservation.summary, ImportingReservation.summary,
		"Reservation Window Is Not Open Yet", "Reservation Window Has Ended", "Reservation Window Missed", "QoS Session Ends Before Its Window", "QoS Reservation Without Session", "QoS Session Held by Two Resources",
		"QoS Session Ends After Its Window", "Clocks Differ", "QoS Reservation Status Unknown", "Reservation Window Unknown", "Imported QoS Session Deleted", "Imported Session Not Fully Checked", "Imported Session Narrower Than Configured", "Missing Credentials", "QoS Session Still Live After Its Window", "QoS Session Replaced for an Unknown Value",
		"Device Reserved Twice at the Same Time", "Outside the Limits of the QoS Profile", "Notifications Stop Before the End", "Many Devices Pass to Other Resources", "Live QoS Session Is Deleted", "Unable to Move QoS Reservation",
		UpdatingSession.summary, "QoS Session Extended by Less Than Requested", "QoS Session Extended by More Than Requested", "QoS Session for All Servers", "Unable to List QoS Profiles",
	}, summary) {
		t.Errorf("the summary %q is not one of the constant ones", summary)
	}
	for _, secret := range []string{"hunter2", sandbox.DefaultClient.Secret, "611222333", "611 222", "2a02:9130"} {
		if strings.Contains(text, secret) {
			t.Errorf("the text shows %q", secret)
		}
	}
	for what, bad := range map[string]*regexp.Regexp{
		"a verb of fmt without a value": regexp.MustCompile(`%!|<nil>|\bnil\b`),
		"markup":                        regexp.MustCompile(`<[a-zA-Z/!]`),
		"two spaces":                    regexp.MustCompile(`\S  \S`),
		"two full stops":                regexp.MustCompile(`[^.]\.\.([^.]|$)|\.\.\.\.`),
		"a question and a full stop":    regexp.MustCompile(`[?!]"?\.( |$)`),
		"two marks":                     regexp.MustCompile(`[.:;,]"?[:;,]( |$)|[:;,]"?\.( |$)`),
		"a space before a full stop":    regexp.MustCompile(` [.,:;]( |$)`),
		"a colon and a full stop":       regexp.MustCompile(`:\.`),
		"a sentence that starts small":  regexp.MustCompile(`[a-z)]\. [a-z]`),
		// Each of these has a plain word: retry, persist, fix, per device, as many, as requested,
		// unknown.
		"words that nobody else uses":        regexp.MustCompile(`(?i)\b(ready token|put right|puts? the .* right|goes on|takes no more|one session a device|so many|as it is wanted|takes the scope|asks? again|be had|for ever after|is not known yet, too|all the same|by its own account|in words|no error|none that|what it names)\b`),
		"words of the program, not of users": regexp.MustCompile(`\b(POST|GET)\b|(?i)\b(goroutine|context deadline exceeded|context canceled|unmarshal|struct|reconcile|snapshot)\b`),
		"a time that is not known":           regexp.MustCompile(`an unknown time|0001-01-01`),
		"a word twice":                       regexp.MustCompile(`(?i)\b(the the|is is|a a|it it|to to|and and)\b`),
	} {
		if found := bad.FindString(detail); found != "" {
			t.Errorf("the text has %s: %q", what, found)
		}
	}
	paragraphs := strings.Split(detail, "\n\n")
	if len(paragraphs) < 2 {
		t.Errorf("the text does not say what to do")
	}
	if last := paragraphs[len(paragraphs)-1]; !regexp.MustCompile(`^((Session|Deleted session|Status|Code|x-correlator|May be billed until): .+\n?)+$`).MatchString(last) &&
		regexp.MustCompile(`(?m)^(Session|Status|x-correlator): `).MatchString(detail) {
		t.Errorf("the facts are not at the end")
	}
}
