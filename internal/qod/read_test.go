// A read returns the session that was requested or an error, and says that it is gone only with
// proof.
package qod_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A read does not believe an answer that shows another device, either.
func TestReadOfAnswersThatAreMixedUp(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		spec, other := qodtest.Spec(), qodtest.Spec()
		other.Device.PhoneNumber = "+34600000002"
		var refs []qod.Ref
		for _, s := range []qod.Spec{spec, other} {
			made, err := n.Create(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, qod.Ref{ID: made.ID, Device: s.Device})
		}
		n.InjectFault(sandbox.OpRead, 2, sandbox.SwapAnswers())
		qodtest.InParallel(refs, func(ref qod.Ref) {
			s, err := n.Read(t.Context(), ref)
			if err != nil || !ref.Device.Matches(s.Device) {
				t.Errorf("%v, %v", s, err)
			}
		})
		qodtest.Equal(t, "gets", n.Count(sandbox.OpRead), 4)
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	page := []string{"Content-Type", qodtest.HTML}
	tests := map[string]struct {
		network sandbox.Config
		arrange func(n *qodtest.Network, id string)
		timeout time.Duration
		status  int // of the error; 0: none
		gone    bool
		reads   int
	}{
		"it is there":    {reads: 1},
		"it is not":      {arrange: func(n *qodtest.Network, id string) { n.Remove(id) }, status: 404, gone: true, reads: 1},
		"it is not ours": {arrange: func(n *qodtest.Network, id string) { n.Edit(id, func(s *sandbox.Session) { s.ClientID = "another" }) }, status: 404, gone: true, reads: 1},

		"400":        {arrange: failRead(1, sandbox.Status(400, `{"code":"INVALID_ARGUMENT"}`)), status: 400, reads: 1},
		"403":        {arrange: failRead(-1, sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)), status: 403, reads: 1},
		"a redirect": {arrange: failRead(-1, sandbox.Redirect(302, "https://sso.example/login")), status: 302, reads: 5},

		"401 once":                     {arrange: failRead(1, sandbox.Status(401, "")), reads: 2},
		"401 for ever":                 {arrange: failRead(-1, sandbox.Status(401, "")), status: 401, reads: 2},
		"500 four times":               {arrange: failRead(4, sandbox.Status(500, "")), reads: 5},
		"500 for ever":                 {arrange: failRead(-1, sandbox.Status(500, "")), status: 500, reads: 5},
		"501":                          {arrange: failRead(-1, sandbox.Status(501, "")), status: 501, reads: 1},
		"502 of a page":                {arrange: failRead(2, sandbox.Status(502, qodtest.LoginPage, page...)), reads: 3},
		"503 that fits":                {arrange: failRead(1, sandbox.Status(503, "", "Retry-After", "60")), reads: 2},
		"503 that does not":            {arrange: failRead(1, sandbox.Status(503, "", "Retry-After", "3600")), status: 503, reads: 1},
		"429 until a date that fits":   {arrange: failRead(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2000 00:01:00 GMT")), reads: 2},
		"429 until a date that is far": {arrange: failRead(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2022 00:01:00 GMT")), status: 429, reads: 1},
		// The Retry-After is a time of the server's clock, which is three hours ahead.
		"429 until a date of another clock": {
			network: sandbox.Config{Clock: clockAhead(3 * time.Hour)},
			arrange: failRead(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2000 03:01:00 GMT")), reads: 2,
		},
		"408": {arrange: failRead(1, sandbox.Status(408, "")), reads: 2},

		"dropped":             {arrange: failRead(2, sandbox.DropBeforeCommit()), reads: 3},
		"reset":               {arrange: failRead(2, sandbox.Reset()), reads: 3},
		"cut":                 {arrange: failRead(2, sandbox.Truncate(60)), reads: 3},
		"cut for ever":        {arrange: failRead(-1, sandbox.Truncate(60)), status: 200, reads: 5},
		"it hangs":            {arrange: failRead(1, sandbox.HangBeforeCommit()), reads: 2},
		"the body hangs":      {arrange: failRead(1, sandbox.HeadThenHang()), reads: 2},
		"endless":             {arrange: failRead(1, sandbox.Endless()), reads: 2},
		"a bomb":              {arrange: failRead(1, sandbox.GzipBomb()), reads: 2},
		"a page":              {arrange: failRead(2, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), reads: 3},
		"a page for ever":     {arrange: failRead(-1, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), status: 200, reads: 5},
		"empty":               {arrange: failRead(1, sandbox.Answer(200, qodtest.JSON, "")), reads: 2},
		"an array":            {arrange: failRead(1, sandbox.Answer(200, qodtest.JSON, "[]")), reads: 2},
		"without id":          {arrange: failRead(1, sandbox.Answer(200, qodtest.JSON, `{"qosStatus":"AVAILABLE"}`)), reads: 2},
		"another session":     {arrange: failRead(1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+qodtest.SessionID+`"}`)), reads: 2},
		"another for ever":    {arrange: failRead(-1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+qodtest.SessionID+`"}`)), status: 200, reads: 5},
		"another device":      {arrange: failRead(1, sandbox.Rewrite(anotherDevice)), reads: 2},
		"no time for another": {arrange: failRead(-1, sandbox.Status(503, "")), timeout: 100 * time.Millisecond, status: 503, reads: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				if test.arrange != nil {
					test.arrange(n, s.ID)
				}
				timeout := test.timeout
				if timeout == 0 {
					timeout = 5 * time.Minute
				}
				got, err := n.Read(qodtest.WithTimeout(t, timeout), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device})
				qodtest.Equal(t, "reads", n.Count(sandbox.OpRead), test.reads)
				qodtest.Equal(t, "gone", qod.IsGone(err), test.gone)
				if test.status == 0 {
					if err != nil {
						t.Fatal(err)
					}
					qodtest.Equal(t, "id", got.ID, s.ID)
					qodtest.Equal(t, "status", got.Status, qod.StatusAvailable)
					qodtest.Equal(t, "profile", got.QoSProfile, "QOS_E")
					qodtest.Equal(t, "seconds", got.Seconds, 3600)
					qodtest.Equal(t, "started", got.StartedAt, s.StartedAt)
					qodtest.Equal(t, "expires", got.ExpiresAt, s.ExpiresAt)
					return
				}
				qodtest.Equal(t, "id", got.ID, "")
				e := qodtest.ErrorAs[*qod.Error](t, err)
				qodtest.Equal(t, "status", e.Status, test.status)
				qodtest.Equal(t, "operation", e.Operation, qod.OperationRead)
				qodtest.Equal(t, "session", e.SessionID, s.ID)
				qodtest.Equal(t, "scope", e.Scope, sandbox.ScopeRead)
				if e.Correlator == "" || e.ServerTime.IsZero() {
					t.Errorf("the error lacks what support asks for: %v", err)
				}
			})
		})
	}
}

func failRead(times int, effect sandbox.Effect) func(*qodtest.Network, string) {
	return func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpRead, times, effect) }
}

// anotherDevice makes an answer show the session of another device.
func anotherDevice(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte(qodtest.Phone), []byte("+34600000002"))
}

// Where the network accepts another spelling of an id, the session keeps the caller's spelling.
func TestReadKeepsTheSpellingOfTheID(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{ID: qodtest.SessionID})
		got, err := n.Read(t.Context(), qod.Ref{ID: strings.ToUpper(s.ID)})
		if err != nil {
			t.Fatal(err)
		}
		qodtest.Equal(t, "id", got.ID, strings.ToUpper(s.ID))
	})
}

func TestReadInterrupted(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"while it hangs":    sandbox.HangBeforeCommit(),
		"between two tries": sandbox.Status(503, `{"code":"BUSY"}`, "Retry-After", "60"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpRead, -1, effect)
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Read(qodtest.CancelAfter(t, 5*time.Second), qodtest.Ref(s)) })
				qodtest.Equal(t, "timeout", qodtest.ErrorAs[*qod.InterruptedError](t, err).Timeout, false)
				if spent > 6*time.Second {
					t.Errorf("it went on for %v", spent-5*time.Second)
				}
			})
		})
	}
}

// Whatever an id is: either it is refused before any request, or the request is for one segment
// below the collection, and that is the id.
func FuzzID(f *testing.F) {
	for _, id := range append([]string{qodtest.SessionID, "a", "A.b_c~d-1", "a.."}, notIDs...) {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		var paths []string
		config := qodtest.Config(qodtest.Gateway + "/v1")
		config.AccessToken = "ready"
		config.MaxRetries = 0
		config.Transport = qodtest.RoundTripper(func(r *http.Request) (*http.Response, error) {
			if qodtest.IsList(r) {
				return qodtest.Response(r, http.StatusOK, qodtest.JSON, "[]"), nil
			}
			paths = append(paths, r.URL.RequestURI())
			return qodtest.Response(r, http.StatusNotFound, qodtest.JSON, ""), nil
		})
		client, err := qod.New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, readErr := client.Read(t.Context(), qod.Ref{ID: id})
		releaseErr := client.Delete(t.Context(), qod.Ref{ID: id})
		qodtest.Equal(t, "refused alike", qod.IsGone(readErr), qod.IsGone(releaseErr))
		if !qod.IsGone(readErr) {
			qodtest.Equal(t, "requests of an id that is refused", len(paths), 0)
			return
		}
		qodtest.Equal(t, "requests", len(paths), 2)
		for _, path := range paths {
			segment, ok := strings.CutPrefix(path, "/v1/qod/sessions/")
			if plain, err := url.PathUnescape(segment); !ok || err != nil || plain != id || strings.ContainsAny(segment, "/?#%") || segment == "." || segment == ".." || segment == "" {
				t.Errorf("id %q makes the path %q", id, path)
			}
		}
	})
}
