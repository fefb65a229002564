// The client's verbs that only look: a session is gone only for a proven 404, a list is whole or
// an error, and time is the server's. A configuration that would leak credentials makes no client.
package qod_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestNew(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*qod.Config)
		origin string
		err    string
	}{
		"client credentials": {func(*qod.Config) {}, "https://gateway.example/v1 as client sandbox-client", ""},
		"spelled otherwise":  {func(c *qod.Config) { c.Endpoint = "HTTPS://Gateway.Example/v1//" }, "https://gateway.example/v1 as client sandbox-client", ""},
		"a path in capitals": {func(c *qod.Config) { c.Endpoint = "https://GATEWAY.example:8443/QoD/V1/" }, "https://gateway.example:8443/QoD/V1 as client sandbox-client", ""},
		"no path":            {func(c *qod.Config) { c.Endpoint = "https://Gateway.example/" }, "https://gateway.example as client sandbox-client", ""},
		"a ready token":      {func(c *qod.Config) { c.AccessToken = "abc" }, "https://gateway.example/v1 as token", ""},
		"only a token":       {func(c *qod.Config) { c.AccessToken, c.ClientID, c.ClientSecret = "abc", "", "" }, "https://gateway.example/v1 as token", ""},
		"loopback":           {func(c *qod.Config) { c.Endpoint = "http://127.0.0.1:8080/v1" }, "http://127.0.0.1:8080/v1 as client sandbox-client", ""},

		"no endpoint":                        {func(c *qod.Config) { c.Endpoint = "" }, "", "endpoint"},
		"http":                               {func(c *qod.Config) { c.Endpoint = "http://gateway.example/v1" }, "", "unencrypted"},
		"a token URL of http":                {func(c *qod.Config) { c.TokenURL = "http://gateway.example/token" }, "", "token URL"},
		"no secret":                          {func(c *qod.Config) { c.ClientSecret = "" }, "", "secret"},
		"no id":                              {func(c *qod.Config) { c.ClientID = "" }, "", "client id"},
		"no timeout":                         {func(c *qod.Config) { c.RequestTimeout = 0 }, "", "timeout"},
		"a token with a newline":             {func(c *qod.Config) { c.AccessToken = "abc\n" }, "", "access token"},
		"a token with a letter that is none": {func(c *qod.Config) { c.AccessToken = "añb" }, "", "access token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := qodtest.Config(qodtest.Gateway + "/v1")
			config.Transport = qodtest.RoundTripper(func(*http.Request) (*http.Response, error) {
				t.Error("New sends a request")
				return nil, errors.New("no network")
			})
			test.change(&config)
			client, err := qod.New(config)
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "":
				qodtest.Equal(t, "origin", client.Origin(), test.origin)
				endpoint, _, _ := strings.Cut(test.origin, " ")
				qodtest.Equal(t, "endpoint", client.Endpoint(), endpoint)
				qodtest.Equal(t, "endpoint of the origin", qod.EndpointOf(client.Origin()), endpoint)
			case err == nil:
				t.Error("it is taken")
			case !strings.Contains(err.Error(), test.err):
				t.Errorf("%q does not say %q", err, test.err)
			case config.AccessToken != "" && strings.Contains(err.Error(), "abc"):
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spec qod.Spec
		want []qod.Field
	}{
		"nothing known yet": {qod.Spec{}, nil},
		"a good one":        {qodtest.Spec(), nil},
		"the longest":       {qod.Spec{Seconds: 86400}, nil},
		"too long":          {qod.Spec{Seconds: 86401}, []qod.Field{qod.FieldDuration}},
		"negative":          {qod.Spec{Seconds: -1}, []qod.Field{qod.FieldDuration}},
		"no such profile":   {qod.Spec{QoSProfile: "qos_e"}, []qod.Field{qod.FieldQoSProfile}},
		"both":              {qod.Spec{QoSProfile: "QOS_X", Seconds: 100000}, []qod.Field{qod.FieldQoSProfile, qod.FieldDuration}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := qod.New(qodtest.Config(qodtest.Gateway + "/v1"))
			if err != nil {
				t.Fatal(err)
			}
			var got []qod.Field
			for _, p := range client.Check(test.spec) {
				got = append(got, p.Field)
				if p.Given == "" || p.Allowed == "" {
					t.Errorf("%+v", p)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	page := []string{"Content-Type", qodtest.HTML}
	tests := map[string]struct {
		network sandbox.Config
		arrange func(n *qodtest.Network, id string)
		budget  time.Duration
		status  int // of the error; 0: none
		gone    bool
		reads   int
	}{
		"it is there":    {reads: 1},
		"it is not":      {arrange: func(n *qodtest.Network, id string) { n.Remove(id) }, status: 404, gone: true, reads: 1},
		"it is not ours": {arrange: func(n *qodtest.Network, id string) { n.Edit(id, func(s *sandbox.Session) { s.ClientID = "another" }) }, status: 404, gone: true, reads: 1},

		"400":        {arrange: read(1, sandbox.Status(400, `{"code":"INVALID_ARGUMENT"}`)), status: 400, reads: 1},
		"403":        {arrange: read(-1, sandbox.Status(403, `{"code":"PERMISSION_DENIED"}`)), status: 403, reads: 1},
		"a redirect": {arrange: read(-1, sandbox.Redirect(302, "https://sso.example/login")), status: 302, reads: 5},

		"401 once":                     {arrange: read(1, sandbox.Status(401, "")), reads: 2},
		"401 for ever":                 {arrange: read(-1, sandbox.Status(401, "")), status: 401, reads: 2},
		"500 four times":               {arrange: read(4, sandbox.Status(500, "")), reads: 5},
		"500 for ever":                 {arrange: read(-1, sandbox.Status(500, "")), status: 500, reads: 5},
		"501":                          {arrange: read(-1, sandbox.Status(501, "")), status: 501, reads: 1},
		"502 of a page":                {arrange: read(2, sandbox.Status(502, qodtest.LoginPage, page...)), reads: 3},
		"503 that fits":                {arrange: read(1, sandbox.Status(503, "", "Retry-After", "60")), reads: 2},
		"503 that does not":            {arrange: read(1, sandbox.Status(503, "", "Retry-After", "3600")), status: 503, reads: 1},
		"429 until a date that fits":   {arrange: read(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2000 00:01:00 GMT")), reads: 2},
		"429 until a date that is far": {arrange: read(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2022 00:01:00 GMT")), status: 429, reads: 1},
		// The wait is until then by the server's clock, which is three hours ahead.
		"429 until a date of another clock": {
			network: sandbox.Config{Clock: ahead(3 * time.Hour)},
			arrange: read(1, sandbox.Status(429, "", "Retry-After", "Sat, 01 Jan 2000 03:01:00 GMT")), reads: 2,
		},
		"408": {arrange: read(1, sandbox.Status(408, "")), reads: 2},

		"dropped":             {arrange: read(2, sandbox.DropBeforeCommit()), reads: 3},
		"reset":               {arrange: read(2, sandbox.Reset()), reads: 3},
		"cut":                 {arrange: read(2, sandbox.Truncate(60)), reads: 3},
		"cut for ever":        {arrange: read(-1, sandbox.Truncate(60)), status: 200, reads: 5},
		"it hangs":            {arrange: read(1, sandbox.HangBeforeCommit()), reads: 2},
		"the body hangs":      {arrange: read(1, sandbox.HeadThenHang()), reads: 2},
		"endless":             {arrange: read(1, sandbox.Endless()), reads: 2},
		"a bomb":              {arrange: read(1, sandbox.GzipBomb()), reads: 2},
		"a page":              {arrange: read(2, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), reads: 3},
		"a page for ever":     {arrange: read(-1, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)), status: 200, reads: 5},
		"empty":               {arrange: read(1, sandbox.Answer(200, qodtest.JSON, "")), reads: 2},
		"an array":            {arrange: read(1, sandbox.Answer(200, qodtest.JSON, "[]")), reads: 2},
		"without id":          {arrange: read(1, sandbox.Answer(200, qodtest.JSON, `{"qosStatus":"AVAILABLE"}`)), reads: 2},
		"another session":     {arrange: read(1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+qodtest.SessionID+`"}`)), reads: 2},
		"another for ever":    {arrange: read(-1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+qodtest.SessionID+`"}`)), status: 200, reads: 5},
		"another device":      {arrange: read(1, sandbox.Rewrite(anotherDevice)), reads: 2},
		"no time for another": {arrange: read(-1, sandbox.Status(503, "")), budget: 100 * time.Millisecond, status: 503, reads: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				if test.arrange != nil {
					test.arrange(n, s.ID)
				}
				budget := test.budget
				if budget == 0 {
					budget = 5 * time.Minute
				}
				got, err := n.Read(qodtest.WithTimeout(t, budget), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device})
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

func read(times int, effect sandbox.Effect) func(*qodtest.Network, string) {
	return func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpRead, times, effect) }
}

// anotherDevice has an answer show the session of somebody else's device.
func anotherDevice(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte(qodtest.Phone), []byte("+34600000002"))
}

// The spelling of an id that the network does not mind is the caller's own afterwards.
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

// Whatever an id is: either it is refused before there is a request, or the request is for one
// segment below the collection, and that is the id.
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

func TestList(t *testing.T) {
	t.Parallel()
	const a, b, c = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000", "cccccccc-0000-4000-8000-000000000000"
	item := func(id, more string) string { return `{"sessionId":"` + id + `"` + more + `}` }
	tests := map[string]struct {
		body   string
		filter qod.Filter
		want   []string
		fails  bool
	}{
		"none":                {body: `[]`},
		"null":                {body: `null`, fails: true},
		"an object":           {body: `{}`, fails: true},
		"an object around it": {body: `{"sessions":[` + item(a, "") + `]}`, fails: true},
		"a string":            {body: `"none"`, fails: true},
		"empty":               {body: ``, fails: true},
		"a page":              {body: qodtest.LoginPage, fails: true},
		"cut off":             {body: `[` + item(a, "") + `,`, fails: true},
		"entries that are none": {
			body: `[null, 1, "x", [], {}, {"sessionId":null}, {"sessionId":"../x"}, ` + item(a, "") + `]`, want: []string{a}, fails: true, // each may be a session
		},
		"unknown fields": {body: `[` + item(a, `,"flows":[{"id":1}],"x":null`) + `]`, want: []string{a}},
		"null fields": {
			body: `[` + item(a, `,"device":null,"qosProfile":null,"qosStatus":null,"startedAt":null,"expiresAt":null,"duration":null`) + `]`, want: []string{a},
		},
		"one id twice is one session": {body: `[` + item(a, ``) + `,` + item(b, ``) + `,` + item(a, ``) + `]`, want: []string{a, b}},
		"one id twice, the last word counts": {
			body:   `[` + item(a, `,"qosStatus":"REQUESTED"`) + `,` + item(b, ``) + `,` + item(a, `,"qosStatus":"AVAILABLE"`) + `]`,
			filter: qod.Filter{Status: qod.StatusAvailable}, want: []string{a},
		},
		"in the order they started, unknown last, then by id": {
			body: `[` + item(b, ``) + `,` + item("dddd", `,"startedAt":"2026-01-01T10:00:00Z"`) + `,` + item("eeee", `,"startedAt":"2026-01-01T09:00:00+02:00"`) +
				`,` + item(c, `,"startedAt":1767261600`) + `,` + item(a, ``) + `]`,
			want: []string{"eeee", c, "dddd", a, b},
		},
		"by status":         {body: `[` + item(a, `,"qosStatus":"UNAVAILABLE"`) + `,` + item(b, `,"qosStatus":"AVAILABLE"`) + `]`, filter: qod.Filter{Status: qod.StatusAvailable}, want: []string{b}},
		"by unknown status": {body: `[` + item(a, `,"qosStatus":"PENDING"`) + `,` + item(b, `,"qosStatus":"AVAILABLE"`) + `]`, filter: qod.Filter{Status: "PENDING"}, want: []string{a}},
		"by profile":        {body: `[` + item(a, `,"qosProfile":"QOS_E"`) + `,` + item(b, ``) + `]`, filter: qod.Filter{QoSProfile: "QOS_E"}, want: []string{a}},
		"by device": {
			body:   `[` + item(a, `,"device":{"phoneNumber":"34600000001"}`) + `,` + item(b, `,"device":{"phoneNumber":"+34600000002"}`) + `,` + item(c, ``) + `]`,
			filter: qod.Filter{Device: qod.Device{PhoneNumber: qodtest.Phone}}, want: []string{a},
		},
		"by all": {
			body: `[` + item(a, `,"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_E","qosStatus":"AVAILABLE"`) + `,` +
				item(b, `,"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_L","qosStatus":"AVAILABLE"`) + `]`,
			filter: qod.Filter{Device: qod.Device{PhoneNumber: qodtest.Phone}, QoSProfile: "QOS_E", Status: qod.StatusAvailable}, want: []string{a},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Answer(http.StatusOK, qodtest.JSON, test.body))
				found, err := n.List(t.Context(), test.filter)
				qodtest.Equal(t, "fails", err != nil, test.fails)
				var got []string
				for _, s := range found {
					got = append(got, s.ID)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%v, want %v", got, test.want)
				}
				if test.fails && test.want == nil {
					qodtest.Equal(t, "operation", qodtest.ErrorAs[*qod.Error](t, err).Operation, qod.OperationList)
				} else if test.fails {
					_ = qodtest.ErrorAs[*qod.IncompleteListError](t, err)
				}
			})
		})
	}
}

func TestListOfTenThousand(t *testing.T) {
	t.Parallel()
	const many = 10_000
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		for i := range many {
			n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: fmt.Sprintf("+3460%07d", i)}})
		}
		var wg sync.WaitGroup
		for filter, want := range map[qod.Filter]int{
			{}: many, {Device: qod.Device{PhoneNumber: "+34600004711"}}: 1, {QoSProfile: "QOS_L"}: 0,
		} {
			wg.Go(func() {
				found, err := n.List(t.Context(), filter)
				if err != nil || len(found) != want {
					t.Errorf("%d sessions, want %d: %v", len(found), want, err)
				}
			})
		}
		wg.Wait()
		qodtest.Equal(t, "requests", n.Count(sandbox.OpList), 1)
	})
}

// Lists that are wanted at the same time are one, and each speaks for what was before it.
func TestListIsShared(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
		var wg sync.WaitGroup
		ask := func(want int) {
			wg.Go(func() {
				found, err := n.List(t.Context(), qod.Filter{})
				if err != nil || len(found) != want {
					t.Errorf("%d sessions, want %d: %v", len(found), want, err)
				}
			})
		}
		for range 100 {
			ask(0)
		}
		// The list of those is under way and will not show this one.
		time.Sleep(500 * time.Millisecond)
		n.SeedSession(sandbox.Session{})
		for range 100 {
			ask(1)
		}
		wg.Wait()
		qodtest.Equal(t, "requests", n.Count(sandbox.OpList), 2)
	})
}

func TestListInterrupted(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, sandbox.Delay(20*time.Second))
		var wg sync.WaitGroup
		wg.Go(func() {
			var err error
			spent := qodtest.Elapsed(func() { _, err = n.List(qodtest.CancelAfter(t, 5*time.Second), qod.Filter{}) })
			_ = qodtest.ErrorAs[*qod.InterruptedError](t, err)
			if spent > 6*time.Second {
				t.Errorf("it went on for %v", spent-5*time.Second)
			}
		})
		wg.Go(func() {
			time.Sleep(time.Second)
			if _, err := n.List(t.Context(), qod.Filter{}); err != nil {
				t.Errorf("the one that was not interrupted: %v", err)
			}
		})
		wg.Wait()
	})
}

func TestListSaysHowLongItIsAskedToWait(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, sandbox.Status(503, `{"code":"BUSY"}`, "Retry-After", "60"))
		var err error
		spent := qodtest.Elapsed(func() { _, err = n.List(qodtest.WithTimeout(t, 10*time.Second), qod.Filter{}) })
		qodtest.Equal(t, "asked", qodtest.ErrorAs[*qod.Error](t, err).RetryAfter, time.Minute)
		if spent > time.Second {
			t.Errorf("it slept for %v first", spent)
		}
	})
}

// Whatever verb a fault hits returns it as an error.
func TestLookingPanics(t *testing.T) {
	t.Parallel()
	verbs := map[string]func(n *qodtest.Network) error{
		"Read": func(n *qodtest.Network) error {
			_, err := n.Read(n.T.Context(), qod.Ref{ID: qodtest.SessionID})
			return err
		},
		"List": func(n *qodtest.Network) error { _, err := n.List(n.T.Context(), qod.Filter{}); return err },
		"Now":  func(n *qodtest.Network) error { _, err := n.Now(n.T.Context()); return err },
	}
	for name, verb := range verbs {
		for where, path := range map[string]string{"the API": "/qod/", "the token": "/token", "discovery": "/.well-known/"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				t.Parallel()
				faulty := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if strings.Contains(r.URL.Path, path) {
						panic("a fault")
					}
					return next.RoundTrip(r)
				}
				qodtest.InBubble(t, qodtest.Options{Intercept: faulty}, func(t *testing.T, n *qodtest.Network) {
					n.T = t
					err := verb(n)
					qodtest.Equal(t, "the fault", fmt.Sprint(qodtest.ErrorAs[*qod.PanicError](t, err).Value), "a fault")
					// It must not have left a lock behind.
					n.Intercept = nil
					if err := verb(n); err != nil && !qod.IsGone(err) {
						t.Errorf("afterwards: %v", err)
					}
				})
			})
		}
	}
}
