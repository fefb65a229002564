// No secret, token or identifier of a device is in any error or event, however a server repeats
// what it was sent; and no goroutine is left behind.
package qod_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// canaries is a configuration and a request with secrets that are easy to find.
var canaries = struct {
	id, secret, token, webhook, header, parameter string
	device                                        qod.Device
}{
	id: "canary-client", secret: "S3cr3t/+Canary=&?", token: "Canary.Token-0123456789", webhook: `Web"hook<Canary>`,
	header: "Head/er+Canary 1", parameter: "Param&eter=Canary/2",
	device: qod.Device{
		PhoneNumber: "+34611223344", NetworkAccessIdentifier: "Canary.Line@Example.COM",
		IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.77"}, IPv6Address: "2001:DB8:0:0::CA4A",
	},
}

// leaks are the spellings that must not be in a text.
func leaks() []string {
	c := canaries
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.id) + ":" + url.QueryEscape(c.secret)))
	quoted, _ := json.Marshal(c.webhook)
	return []string{
		c.secret, url.QueryEscape(c.secret), base64.StdEncoding.EncodeToString([]byte(c.secret)), basic,
		c.header, url.QueryEscape(c.header), c.parameter, url.QueryEscape(c.parameter), "eyJ",
		c.token, c.webhook, strings.Trim(string(quoted), `"`), `Web\"hook<Canary>`,
		"34611223344", "611223344", c.device.NetworkAccessIdentifier, strings.ToLower(c.device.NetworkAccessIdentifier),
		"203.0.113.77", c.device.IPv6Address, "2001:db8::ca4a",
	}
}

func wantNoLeak(t *testing.T, what, text string) {
	t.Helper()
	for _, leak := range leaks() {
		if strings.Contains(strings.ToLower(text), strings.ToLower(leak)) {
			t.Fatalf("%s has %q in it: %s", what, leak, text)
		}
	}
}

// requestText is everything that a server was sent in one request, as it might repeat it.
func requestText(r *http.Request) string {
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	// The end of the body comes first, since texts are cut off and the webhook's token is at the
	// end.
	text := fmt.Sprintf("%s ends what you sent with Authorization: %s, X-Key: %s and the body %s.",
		body[max(0, len(body)-60):], r.Header.Get("Authorization"), r.Header.Get("X-Key"), body)
	form, _ := url.ParseQuery(body)
	if assertion := form.Get("client_assertion"); assertion != "" {
		text = "The assertion " + assertion + " of " + form.Get("audience") + " is wrong. " + text
	}
	if credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Basic "); ok {
		plain, _ := base64.StdEncoding.DecodeString(credential)
		id, secret, _ := r.BasicAuth()
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
		text += fmt.Sprintf(" That is %s, or %s and %s.", plain, id, secret)
	}
	return text
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	d := canaries.device
	personal := fmt.Sprintf(" The line is %s, tel:%s (%s), %s, %s:8080, [%s], 2001:db8::ca4a.",
		d.PhoneNumber, d.PhoneNumber, strings.TrimPrefix(d.PhoneNumber, "+"), d.NetworkAccessIdentifier,
		d.IPv4Address.PublicAddress, d.IPv6Address)
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	// What a server may do with what it was sent.
	echoes := map[string]func(r *http.Request, heard string) (*http.Response, error){
		"message": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 400, qodtest.JSON, `{"code":"NO","message":`+quote(s)+`}`), nil
		},
		"code": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 422, qodtest.JSON, `{"code":`+quote(s)+`}`), nil
		},
		"description": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 400, qodtest.JSON, `{"error":"invalid_request","error_description":`+quote(s)+`}`), nil
		},
		"plain text": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 500, "text/plain", s), nil
		},
		"a 401": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 401, "text/plain", s), nil
		},
		"a 404": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 404, "text/plain", s), nil
		},
		"a 409": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 409, qodtest.JSON, `{"code":"CONFLICT","message":`+quote(s)+`}`), nil
		},
		"a page": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 502, qodtest.HTML, "<pre>"+s+"</pre>"), nil
		},
		"a 200": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 200, "text/plain", s), nil
		},
		"JSON text": func(r *http.Request, s string) (*http.Response, error) {
			return qodtest.Response(r, 500, qodtest.JSON, quote(s)), nil
		},
		"a redirect": func(r *http.Request, s string) (*http.Response, error) {
			response := qodtest.Response(r, 307, qodtest.JSON, "")
			response.Header.Set("Location", "https://user:"+url.QueryEscape(s)+"@evil.example/?"+url.QueryEscape(s))
			return response, nil
		},
		"a broken answer": func(_ *http.Request, s string) (*http.Response, error) {
			return nil, errors.New("malformed HTTP response " + quote(s))
		},
	}
	calls := map[string]func(ctx context.Context, n *qodtest.Network) error{
		"Create": func(ctx context.Context, n *qodtest.Network) error {
			_, err := n.Create(ctx, qod.Spec{
				Device: canaries.device, QoSProfile: "QOS_E", Seconds: 60,
				NotificationURL: "https://hooks.example/", NotificationAuthToken: canaries.webhook,
			})
			return err
		},
		"Read": func(ctx context.Context, n *qodtest.Network) error {
			_, err := n.Read(ctx, qod.Ref{ID: qodtest.SessionID, Device: canaries.device})
			return err
		},
		"Delete": func(ctx context.Context, n *qodtest.Network) error {
			return n.Delete(ctx, qod.Ref{ID: qodtest.SessionID, Device: canaries.device})
		},
		"Await": func(ctx context.Context, n *qodtest.Network) error {
			_, err := n.Await(ctx, qod.Ref{ID: qodtest.SessionID, Device: canaries.device})
			return err
		},
		"List": func(ctx context.Context, n *qodtest.Network) error {
			_, err := n.List(ctx, qod.Filter{Device: canaries.device})
			return err
		},
		"Now": func(ctx context.Context, n *qodtest.Network) error { _, err := n.Now(ctx); return err },
	}
	keyClient, private := qodtest.KeyClient(t, canaries.id)
	key, _ := qod.ParsePrivateKey(private)
	for echo, answer := range echoes {
		for name, call := range calls {
			// Where the echo comes from: only the token endpoint, also with a key in the secret's
			// place, only the API, or also the API with a static token.
			for _, where := range []string{"/oauth/token", "/oauth/token of a key", "/qod/sessions", "ready"} {
				t.Run(name+", "+echo+", "+where, func(t *testing.T) {
					t.Parallel()
					where, withKey := strings.CutSuffix(where, " of a key")
					intercept := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
						if strings.Contains(r.URL.Path, where) || where == "ready" {
							text := requestText(r)
							// Answers that are not HTTP are reported by net/http, whose errors name
							// addresses that people need; of identifiers, it knows only those that
							// were sent.
							if where != "/oauth/token" && echo != "a broken answer" {
								text += personal
							}
							return answer(r, text)
						}
						return next.RoundTrip(r)
					}
					qodtest.InBubble(t, qodtest.Options{
						Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: canaries.id, Secret: canaries.secret}, keyClient}},
						Client: func(c *qod.Config) {
							c.ClientID, c.ClientSecret, c.MaxRetries = canaries.id, canaries.secret, 1
							c.Headers = map[string]string{"X-Key": canaries.header}
							c.TokenParameters = map[string]string{"audience": canaries.parameter}
							if withKey {
								c.ClientSecret, c.PrivateKey = "", key
							}
							if where == "ready" {
								c.AccessToken = canaries.token
							}
						},
						Intercept: intercept,
					}, func(t *testing.T, n *qodtest.Network) {
						n.Tokens(func(answer map[string]any) { answer["access_token"] = canaries.token })
						n.AcceptToken(canaries.token, canaries.id)
						err := call(qodtest.WithTimeout(t, time.Minute), n)
						if err == nil && echo != "a 200" {
							t.Fatal("it went well")
						}
						for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
							if format == "%#v" && err != nil {
								continue // of a pointer, it prints addresses
							}
							wantNoLeak(t, "the error", fmt.Sprintf(format, err))
						}
						for e := err; e != nil; e = errors.Unwrap(e) {
							if !strings.HasPrefix(fmt.Sprintf("%T", e), "*errors.") { // what the network itself said is behind ours
								wantNoLeak(t, fmt.Sprintf("%T", e), e.Error())
							}
						}
						for _, event := range n.Events() {
							wantNoLeak(t, "an event", fmt.Sprintf("%+v", event))
							if event.Err != nil {
								wantNoLeak(t, "the error of an event", event.Err.Error())
							}
						}
					})
				})
			}
		}
	}
}

// Identifiers of devices that the call does not know are masked too, and other numbers are not.
func TestForeignIdentifiersAreMasked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"line +34699887766 is busy":                 "line …66 is busy",
		"line 34699887766.":                         "line …66.",
		"lines 34699887711,34699887722,34699887733": "lines …11,…22,…33",
		"lines 34699887711 34699887722":             "lines …11 …22",
		"tel:+34699887766":                          "tel:…66",
		`{"msisdn":"34699887766"}`:                  `{"msisdn":"…66"}`,
		"address 198.51.100.23 is busy":             "address …23 is busy",
		"No session for 198.51.100.23.":             "No session for …23.",
		"ip:198.51.100.23":                          "ip:…23",
		"ipport:198.51.100.23:8080":                 "ipport:…23:8080",
		"198.51.100.23:8080":                        "…23:8080",
		"198.51.100.0/24":                           "….0/24",
		"no route to 2001:db8::1234":                "no route to …34",
		"no route to 2001:db8::1234.":               "no route to …34.",
		"[2001:db8::1234]:443":                      "[…34]:443",
		"address:2001:db8::1234":                    "address:…34",
		"node:2001:db8:1:2:3:4:5:6 is busy":         "no…:6 is busy",
		"2001:db8:1:2:3:4:5:6 and ::1":              "…:6 and …",

		"line +34 699 887 766 is busy":          "line …66 is busy",
		"line 0034-699-887-766 is busy":         "line …66 is busy",
		"msisdn34699887766 is busy":             "msisdn…66 is busy",
		"tel%3A%2B34699887766 is busy":          "tel%3A…66 is busy",
		"line 34\u00a0699\u200b887.766 is busy": "line …66 is busy",

		"retry at 12:30:45":                             "retry at 12:30:45",
		"until 2026-11-22T12:30:45Z":                    "until 2026-11-22T12:30:45Z",
		"maximum is 86400 seconds":                      "maximum is 86400 seconds",
		"session " + qodtest.SessionID:                  "session " + qodtest.SessionID,
		"session aaaaaaaa-0000-4000-8000-123456789012":  "session aaaaaaaa-0000-4000-8000-123456789012",
		"see https://gateway.example/docs: section 4.2": "see https://gateway.example/docs: section 4.2",
		"a.b.c: bad face: dead":                         "a.b.c: bad face: dead",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				message, _ := json.Marshal(text)
				n.InjectFault(sandbox.OpRead, -1, sandbox.Status(400, `{"message":`+string(message)+`}`))
				_, err := n.Read(t.Context(), qod.Ref{ID: qodtest.SessionID})
				qodtest.Equal(t, "message", qodtest.ErrorAs[*qod.Error](t, err).Message, want)
			})
		})
	}
}

// Values that hold a secret print none of it, with any verb of fmt.
func TestNothingPrints(t *testing.T) {
	t.Parallel()
	config := qodtest.Config(qodtest.Gateway + "/v1")
	config.ClientID, config.ClientSecret = canaries.id, canaries.secret
	config.Headers, config.TokenParameters = map[string]string{"X-Key": canaries.header}, map[string]string{"audience": canaries.parameter}
	client, err := qod.New(config)
	if err != nil {
		t.Fatal(err)
	}
	config.AccessToken = canaries.token
	spec := qod.Spec{Device: canaries.device, NotificationAuthToken: canaries.webhook, QoSProfile: "QOS_E"}
	for name, value := range map[string]any{
		"Config": config, "&Config": &config, "Client": client, "Spec": spec, "&Spec": &spec, "Device": canaries.device,
		"&Device": &canaries.device, "Session": qod.Session{ID: qodtest.SessionID, Device: canaries.device}, "Ref": qod.Ref{ID: qodtest.SessionID, Device: canaries.device},
		"Filter": qod.Filter{Device: canaries.device}, "a list": []qod.Session{{Device: canaries.device}},
		"UnresolvedError": &qod.UnresolvedError{Device: canaries.device, Candidates: []qod.Session{{Device: canaries.device}}, Err: errors.New("x")},
		"ConflictError":   &qod.ConflictError{Device: canaries.device, Visible: []qod.Session{{Device: canaries.device}}, Err: &qod.Error{}},
		"WaitError":       &qod.WaitError{Last: qod.Session{ID: qodtest.SessionID, Device: canaries.device}},
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			wantNoLeak(t, name+" with "+format, fmt.Sprintf(format, value))
		}
	}
}

// openAnswer counts as open until it is closed.
type openAnswer struct {
	io.ReadCloser
	closed func()
}

func (a openAnswer) Close() error {
	a.closed()
	return a.ReadCloser.Close()
}

// Every answer is closed before the operation ends: until then, its request counts as one that
// needs a connection.
func TestNoAnswerStaysOpen(t *testing.T) {
	t.Parallel()
	var opened, closed atomic.Int64
	count := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			opened.Add(1)
			resp.Body = openAnswer{resp.Body, sync.OnceFunc(func() { closed.Add(1) })}
		}
		return resp, err
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: count}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, 1, sandbox.Status(503, ""))
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}
		qodtest.Equal(t, "after a create: answers closed", closed.Load(), opened.Load())
		for op, verb := range operations {
			_ = verb(t.Context(), n, s.ID) // a read may come after the delete
			qodtest.Equal(t, string(op)+": answers closed", closed.Load(), opened.Load())
		}
	})
}

// When the work is done, no goroutine is left, not even after an interrupt. Not parallel: it counts
// every goroutine of the package.
func TestNoGoroutineStays(t *testing.T) {
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpToken, 1, sandbox.HangBeforeCommit())
		_, _ = n.Read(qodtest.CancelAfter(t, time.Second), qod.Ref{ID: qodtest.SessionID})
		n.InjectFault(sandbox.OpList, 1, sandbox.HangBeforeCommit())
		_, _ = n.List(qodtest.CancelAfter(t, time.Second), qod.Filter{})
		n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit())
		n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
		_, _ = n.Create(qodtest.CancelAfter(t, 10*time.Second), qodtest.Spec())
		n.InjectFault(sandbox.OpRead, -1, sandbox.HeadThenHang())
		_, _ = n.Await(qodtest.CancelAfter(t, 10*time.Second), qod.Ref{ID: qodtest.SessionID})
		n.InjectFault(sandbox.OpDelete, -1, sandbox.HangBeforeCommit())
		_ = n.Delete(qodtest.CancelAfter(t, 10*time.Second), qod.Ref{ID: qodtest.SessionID})
		n.Heal()
		_ = concurrently(20, func() error { _, err := n.List(t.Context(), qod.Filter{}); return err })
		time.Sleep(time.Minute)
		if left := goroutines(); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
}

// The same where connections are kept, and everything takes real time.
func TestNoGoroutineStaysOnSockets(t *testing.T) {
	n := qodtest.OnSockets(t, qodtest.Options{})
	soon := func() context.Context { return qodtest.CancelAfter(t, 50*time.Millisecond) }
	n.InjectFault(sandbox.OpToken, 1, sandbox.HangBeforeCommit())
	_, _ = n.Read(soon(), qod.Ref{ID: qodtest.SessionID})
	n.InjectFault(sandbox.OpList, 1, sandbox.HeadThenHang())
	_, _ = n.List(soon(), qod.Filter{})
	n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
	s, err := n.Create(t.Context(), qodtest.Spec())
	if err != nil {
		t.Error(err)
	}
	n.InjectFault(sandbox.OpRead, -1, sandbox.HangBeforeCommit())
	_, _ = n.Await(soon(), qod.Ref{ID: s.ID})
	n.InjectFault(sandbox.OpDelete, 1, sandbox.HangBeforeCommit())
	_ = n.Delete(soon(), qod.Ref{ID: s.ID})
	n.Heal()
	_ = concurrently(20, func() error { _, err := n.List(t.Context(), qod.Filter{}); return err })
	left := goroutines()
	for deadline := time.Now().Add(5 * time.Second); left != "" && time.Now().Before(deadline); left = goroutines() {
		runtime.Gosched()
	}
	if left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// goroutines are the stacks of goroutines in this package's code, except for the tests themselves.
func goroutines() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "internal/qod.") && !strings.Contains(stack, "testing.tRunner(") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
