// Reserve loses no session and buys none twice: whatever one fault does to the answer of a POST,
// the network holds what Reserve returned, or the error says that a session may exist and names
// it where it can be seen. No POST is sent before the fate of the last one is known.
package qod_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Where the paid time starts is what tells sessions apart without a snapshot: with slowly a new
// session has no startedAt yet.
var slowly = sandbox.Config{Provisioning: time.Hour}

// A scenario is one fault or several, and what becomes of the create.
type scenario struct {
	qodtest.Options
	arrange func(t *testing.T, n *qodtest.Network) // before Reserve
	spec    func(*qod.Spec)
	budget  time.Duration // of the caller; 0: ten minutes
	till    time.Duration // Reserve takes no longer; 0: never mind

	posts int  // that reach the network; -1: any number
	made  bool // Reserve returns a session
	left  int  // sessions that it made and did not return
	other int  // sessions that somebody else made meanwhile
	check func(t *testing.T, n *qodtest.Network, err error)
}

// run plays the scenario and checks what holds for all of them.
func (sc scenario) run(t *testing.T) {
	qodtest.InBubble(t, sc.Options, func(t *testing.T, n *qodtest.Network) {
		if sc.arrange != nil {
			sc.arrange(t, n)
		}
		existed := qodtest.IDs(n.Ledger())
		posted := n.Count(sandbox.OpCreate)
		spec := qodtest.Spec()
		if sc.spec != nil {
			sc.spec(&spec)
		}
		budget := sc.budget
		if budget == 0 {
			budget = 10 * time.Minute
		}
		var s qod.Session
		var err error
		if spent := qodtest.Elapsed(func() { s, err = n.Create(qodtest.WithTimeout(t, budget), spec) }); sc.till > 0 && spent > sc.till {
			t.Errorf("it took %v, want at most %v", spent, sc.till)
		}
		// What is committed late is billed, too.
		time.Sleep(5 * time.Minute)

		var made []string
		for _, id := range qodtest.IDs(n.Ledger()) {
			if !slices.Contains(existed, id) {
				made = append(made, id)
			}
		}
		if sc.posts >= 0 {
			qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate)-posted, sc.posts)
		}
		qodtest.Equal(t, "a session is returned", s.ID != "", sc.made)
		want := sc.left + sc.other
		if s.ID != "" {
			want++
			if !slices.Contains(made, s.ID) {
				t.Errorf("the session %q that was returned is not among those made: %v", s.ID, made)
			}
		}
		qodtest.Equal(t, "sessions on the network", len(made), want)
		if sc.left > 0 && !qodtest.IsError[*qod.UnresolvedError](err) && !qodtest.IsError[*qod.ConflictError](err) {
			t.Errorf("a session was left behind and the error does not say so: %v", err)
		}
		if sc.check != nil {
			sc.check(t, n, err)
		} else if err != nil {
			t.Errorf("error: %v", err)
		}
	})
}

func play(t *testing.T, scenarios map[string]scenario) {
	t.Helper()
	t.Parallel()
	for name, sc := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc.run(t)
		})
	}
}

// unresolved expects "may exist", with so many candidates and POSTs without an answer.
func unresolved(candidates, lost int, more ...func(t *testing.T, n *qodtest.Network, e *qod.UnresolvedError)) func(*testing.T, *qodtest.Network, error) {
	return func(t *testing.T, n *qodtest.Network, err error) {
		t.Helper()
		e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
		qodtest.Equal(t, "candidates", len(e.Candidates), candidates)
		qodtest.Equal(t, "correlators", len(e.Correlators), lost)
		qodtest.Equal(t, "seconds", e.Seconds, qodtest.Spec().Seconds)
		if e.Device.PhoneNumber != qodtest.Phone {
			t.Error("the error does not know the device")
		}
		end := n.Requests(sandbox.OpCreate)[0].At.Add(time.Hour)
		if e.Until.Before(end.Add(-time.Second)) || e.Until.After(end.Add(15*time.Minute)) { // a Date has no fractions
			t.Errorf("Until %v, and the session ends %v", e.Until, end)
		}
		for _, c := range e.Correlators {
			if !slices.ContainsFunc(n.Requests(sandbox.OpCreate), func(r sandbox.Request) bool { return r.Header.Get("X-Correlator") == c }) {
				t.Errorf("the correlator %s is not of a POST", c)
			}
		}
		for _, f := range more {
			f(t, n, e)
		}
	}
}

// refused expects the API's own word, and no "may exist".
func refused(status int) func(*testing.T, *qodtest.Network, error) {
	return func(t *testing.T, _ *qodtest.Network, err error) {
		t.Helper()
		if qodtest.IsError[*qod.UnresolvedError](err) {
			t.Errorf("nothing was made, and the error says that something may exist: %v", err)
		}
		qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, status)
	}
}

func conflicted(check func(t *testing.T, e *qod.ConflictError)) func(*testing.T, *qodtest.Network, error) {
	return func(t *testing.T, _ *qodtest.Network, err error) {
		t.Helper()
		e := qodtest.ErrorAs[*qod.ConflictError](t, err)
		qodtest.Equal(t, "status", e.Err.Status, http.StatusConflict)
		if e.Now.IsZero() {
			t.Error("the time of the 409 is not known")
		}
		check(t, e)
	}
}

// listedOnce checks that the network was looked at once.
func listedOnce(t *testing.T, n *qodtest.Network, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("error: %v", err)
	}
	qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 1)
}

func creates(effects ...sandbox.Effect) func(*testing.T, *qodtest.Network) {
	return func(_ *testing.T, n *qodtest.Network) {
		for _, e := range effects {
			n.InjectFault(sandbox.OpCreate, 1, e)
		}
	}
}

// both applies an effect to the POST and another to the lists behind it.
func both(create sandbox.Effect, listTimes int, list sandbox.Effect) func(*testing.T, *qodtest.Network) {
	return func(_ *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, create)
		n.InjectFaultFromSecond(sandbox.OpList, listTimes, list)
	}
}

// blind has no list answer until the POST has come in; down is what lists say meanwhile.
func blind(create, down sandbox.Effect) func(*testing.T, *qodtest.Network) {
	return func(_ *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, down)
		n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
			if nth == 1 {
				n.Heal()
				n.InjectFault(sandbox.OpCreate, 1, create)
			}
		})
	}
}

// changed rewrites the network's answer to creates.
func changed(f func(t testing.TB, r *http.Response)) qodtest.Interceptor {
	return func(n *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil && qodtest.IsCreate(r) && response.StatusCode == http.StatusCreated {
			f(n.T, response)
		}
		return response, err
	}
}

func replaced(r *http.Response, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Del("Content-Length")
}

func without(fields ...string) func(map[string]any) {
	return func(info map[string]any) {
		for _, f := range fields {
			delete(info, f)
		}
	}
}

var (
	down     = sandbox.Status(http.StatusServiceUnavailable, `{"code":"UNAVAILABLE","message":"come back later"}`)
	emptied  = sandbox.Answer(http.StatusOK, qodtest.JSON, `[]`)
	conflict = sandbox.Status(http.StatusConflict, `{"status":409,"code":"CONFLICT","message":"Another session is created for the same UE"}`)
)

func TestCreateWhenTheAnswerIsLost(t *testing.T) {
	scenarios := map[string]scenario{
		"nothing goes wrong": {posts: 1, made: true, check: listedOnce},

		"dropped after the commit":  {arrange: creates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"dropped before the commit": {arrange: creates(sandbox.DropBeforeCommit()), posts: 2, made: true},
		"reset":                     {arrange: creates(sandbox.Reset()), posts: 2, made: true},
		"hangs, committed":          {arrange: creates(sandbox.HangAfterCommit()), posts: 1, made: true},
		"hangs, not committed":      {arrange: creates(sandbox.HangBeforeCommit()), posts: 2, made: true},
		"slow, but in time":         {arrange: creates(sandbox.Delay(29 * time.Second)), posts: 1, made: true, check: listedOnce},
		"slower than the timeout":   {arrange: creates(sandbox.Delay(31 * time.Second)), posts: 1, made: true},
		"the head, then silence":    {arrange: creates(sandbox.HeadThenHang()), posts: 1, made: true, check: listedOnce},

		"committed while it is looked for": {
			arrange: creates(sandbox.CommitLate(32 * time.Second)), posts: 1, made: true,
		},
		"committed just before the next POST": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.CommitLate(90*time.Second))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(http.StatusServiceUnavailable, "", "Retry-After", "60"))
			},
			posts: 2, made: true,
		},
		"committed after the next POST": {
			arrange: creates(sandbox.CommitLate(time.Minute)), posts: 2, made: true,
		},
		"lost time and again": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
			},
			posts: 5, check: unresolved(0, 5),
		},
		"lost twice, the second committed": {
			arrange: creates(sandbox.DropBeforeCommit(), sandbox.DropAfterCommit()), posts: 2, made: true,
		},
		"lost, then refused": {
			arrange: creates(sandbox.DropBeforeCommit(), sandbox.Status(http.StatusForbidden, `{"code":"PERMISSION_DENIED"}`)),
			posts:   2, check: unresolved(0, 1),
		},
		"lost, then no token": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(http.StatusBadGateway, "", "Retry-After", "120"))
				n.InjectFaultFromSecond(sandbox.OpToken, -1, down)
				n.Tokens(func(answer map[string]any) { answer["expires_in"] = 60 })
			},
			posts: 1, check: unresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				_ = qodtest.ErrorAs[*qod.TokenError](t, e.LookErr)
			}),
		},
		"one retry is allowed": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 1 }},
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpCreate, -1, down) },
			posts:   2, check: unresolved(0, 2),
		},
		"no retry is allowed, and none is needed": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }},
			arrange: creates(sandbox.DropAfterCommit()), posts: 1, made: true,
		},
		"the request is doubled on its way": {
			arrange: creates(sandbox.Duplicate()), posts: 3, left: 1, till: 5 * time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
		"made twice by a network that allows it": madeTwice(qodtest.Options{}),
		// Less than it takes to adopt a session is enough to tell of it.
		"made twice by a network that shows no start, and lists slowly": madeTwice(qodtest.Options{Sandbox: slowly}, sandbox.Delay(4*time.Second)),
	}
	// What may hide a request that was carried out.
	for _, status := range []int{302, 303, 408, 500, 502, 503, 504} {
		scenarios[fmt.Sprintf("%d, committed", status)] = scenario{
			arrange: creates(sandbox.StatusAfterCommit(status, "")), posts: 1, made: true,
		}
		scenarios[fmt.Sprintf("%d, not committed", status)] = scenario{
			arrange: creates(sandbox.Status(status, "")), posts: 2, made: true,
		}
	}
	play(t, scenarios)
}

// madeTwice has a lost POST committed while the next one is under way, behind lists that go like this.
func madeTwice(s qodtest.Options, lists ...sandbox.Effect) scenario {
	return scenario{
		Options: s,
		arrange: func(_ *testing.T, n *qodtest.Network) {
			for _, effect := range lists {
				n.InjectFault(sandbox.OpList, 1, effect)
			}
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
				if nth == 2 {
					time.AfterFunc(time.Millisecond, func() { n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested}) })
				}
			})
			n.InjectFaultFromSecond(sandbox.OpCreate, 1, sandbox.Delay(time.Second))
		},
		posts: 2, made: true, left: 1,
		check: func(t *testing.T, _ *qodtest.Network, err error) {
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			qodtest.Equal(t, "candidates", len(e.Candidates), 1)
			if e.Kept == "" || e.Kept == e.Candidates[0].ID {
				t.Errorf("the session that is kept: %q", e.Kept)
			}
		},
	}
}

func TestCreateWhenTheAnswerIsUnreadable(t *testing.T) {
	unreadable := map[string]sandbox.Effect{
		"cut within the id": sandbox.Truncate(20),
		"empty":             sandbox.Answer(201, qodtest.JSON, ""),
		"HTML":              sandbox.Answer(201, qodtest.HTML, qodtest.LoginPage),
		"HTML, 200":         sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage),
		"invalid JSON":      sandbox.Answer(201, qodtest.JSON, `{"sessionId" "x"}`),
		"null":              sandbox.Answer(201, qodtest.JSON, `null`),
		"an array":          sandbox.Answer(201, qodtest.JSON, `[]`),
		"a null id":         sandbox.Answer(201, qodtest.JSON, `{"sessionId":null}`),
		"an empty id":       sandbox.Answer(201, qodtest.JSON, `{"sessionId":""}`),
		"an id with a path": sandbox.Answer(201, qodtest.JSON, `{"sessionId":"../../admin"}`),
		"204":               sandbox.Answer(204, qodtest.JSON, ""),
		"202, empty":        sandbox.Answer(202, qodtest.JSON, ""),
		"a bomb":            sandbox.GzipBomb(),
		"endless":           sandbox.Endless(),
		"another Location":  sandbox.StatusAfterCommit(201, "", "Location", "https://login.example/"+qodtest.SessionID),
		"the collection":    sandbox.StatusAfterCommit(201, "", "Location", "/v1/qod/sessions/"),
	}
	scenarios := map[string]scenario{}
	for name, effect := range unreadable {
		scenarios[name] = scenario{arrange: creates(effect), posts: 1, made: true}
		// It said that it created a session: another POST would buy a second.
		scenarios[name+", and the list does not show it"] = scenario{
			arrange: both(effect, -1, emptied), posts: 1, left: 1, check: unresolved(0, 1),
		}
	}
	salvaged := map[string]qodtest.Interceptor{
		"Location only": changed(func(t testing.TB, r *http.Response) {
			var info struct{ SessionID string }
			if err := json.Unmarshal([]byte(qodtest.Body(t, r)), &info); err != nil {
				t.Error(err)
			}
			replaced(r, "")
			r.Header.Set("Location", qodtest.Gateway+"/v1/qod/sessions/"+info.SessionID)
		}),
		"200":                 changed(func(_ testing.TB, r *http.Response) { r.StatusCode = http.StatusOK }),
		"202":                 changed(func(_ testing.TB, r *http.Response) { r.StatusCode = http.StatusAccepted }),
		"not called JSON":     changed(func(_ testing.TB, r *http.Response) { r.Header.Set("Content-Type", qodtest.HTML) }),
		"damaged at the end":  changed(func(t testing.TB, r *http.Response) { replaced(r, strings.TrimSuffix(qodtest.Body(t, r), "}")) }),
		"something behind it": changed(func(t testing.TB, r *http.Response) { replaced(r, qodtest.Body(t, r)+"<!-- proxied -->") }),
	}
	for name, w := range salvaged {
		scenarios[name] = scenario{Options: qodtest.Options{Intercept: w}, posts: 1, made: true, check: listedOnce}
	}
	scenarios["cut behind the id"] = scenario{arrange: creates(sandbox.Truncate(60)), posts: 1, made: true, check: listedOnce}
	for name, value := range map[string]any{
		"epoch": 1639479600, "text": "soon", "null": nil, "an object": map[string]any{"a": 1}, "a bool": true, "an array": []any{1},
	} {
		for _, field := range []string{"startedAt", "expiresAt", "duration", "qosStatus", "qosProfile", "device"} {
			scenarios[field+" is "+name] = scenario{
				arrange: func(_ *testing.T, n *qodtest.Network) { n.Echo(func(info map[string]any) { info[field] = value }) },
				posts:   1, made: true, check: listedOnce,
			}
		}
	}
	scenarios["the id alone, and unknown fields"] = scenario{
		arrange: func(_ *testing.T, n *qodtest.Network) {
			n.Echo(func(info map[string]any) {
				without("startedAt", "expiresAt", "duration", "qosStatus", "qosProfile", "device")(info)
				info["links"] = []any{map[string]any{"sessionId": qodtest.SessionID}}
			})
		},
		posts: 1, made: true, check: listedOnce,
	}
	play(t, scenarios)
}

func TestCreateAdoptsOnlyWhatIsOurs(t *testing.T) {
	echo := func(change func(map[string]any)) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.Echo(change)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		}
	}
	// appears puts a session on the network while the POST is answered.
	appears := func(create sandbox.Effect, s sandbox.Session) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpCreate, 1, create)
			var once sync.Once
			n.Before(sandbox.OpList, func(int, *http.Request) {
				if n.Count(sandbox.OpCreate) > 0 {
					once.Do(func() { n.SeedSession(s) })
				}
			})
		}
	}
	anHourAgo := func() time.Time { return time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC) } // the bubble's
	play(t, map[string]scenario{
		"with startedAt, with a snapshot": {arrange: creates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"without startedAt, with a snapshot that shows the newest": {
			Options: qodtest.Options{Sandbox: slowly}, arrange: withWitness(creates(sandbox.DropAfterCommit())), posts: 1, made: true,
		},
		// It may lag: what it does not show may have been there all the same.
		"without startedAt, with a snapshot that shows nothing new": {
			Options: qodtest.Options{Sandbox: slowly}, arrange: creates(sandbox.DropAfterCommit()), posts: 1, left: 1, check: unresolved(1, 1),
		},
		"with startedAt, without a snapshot": {arrange: blind(sandbox.DropAfterCommit(), down), posts: 1, made: true},
		"without startedAt, without a snapshot": {
			Options: qodtest.Options{Sandbox: slowly}, arrange: blind(sandbox.DropAfterCommit(), down),
			posts: 1, left: 1, check: unresolved(1, 1),
		},
		"without a snapshot, nothing made": {arrange: blind(sandbox.DropBeforeCommit(), down), posts: 2, made: true},
		"without a snapshot, nothing wrong": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, down) }, posts: 1, made: true,
		},
		"without a snapshot, the list hangs": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit()) }, posts: 1, made: true,
			till: 6 * time.Second,
		},
		// The first answer of all is that of the list which finds it: its Date is the server's clock.
		"without any answer before the POST": {arrange: blind(sandbox.DropAfterCommit(), sandbox.DropBeforeCommit()), posts: 1, made: true},

		"it shows no device":       {arrange: echo(without("device")), posts: 1, left: 1, check: unresolved(1, 1)},
		"it shows an empty device": {arrange: echo(func(i map[string]any) { i["device"] = map[string]any{} }), posts: 1, left: 1, check: unresolved(1, 1)},
		"it shows no profile":      {arrange: echo(without("qosProfile")), posts: 1, left: 1, check: unresolved(1, 1)},
		"it shows another profile": {arrange: echo(func(i map[string]any) { i["qosProfile"] = "QOS_L" }), posts: 1, left: 1, check: unresolved(1, 1)},
		"it shows one identifier of two": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"phoneNumber": strings.TrimPrefix(qodtest.Phone, "+")}
			}),
			spec:  func(s *qod.Spec) { s.Device.IPv6Address = "2001:DB8:0::1" },
			posts: 1, made: true,
		},
		"it shows an identifier of another kind": {
			arrange: echo(func(i map[string]any) { i["device"] = map[string]any{"networkAccessIdentifier": "x@example.com"} }),
			posts:   1, left: 1, check: unresolved(1, 1),
		},
		// Behind one address, only the port tells a device from another.
		"it shows another's port": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"ipv4Address": map[string]any{"publicAddress": "203.0.113.7", "publicPort": 40000}}
			}),
			spec: behind(nil), posts: 1, left: 1, check: mayExist,
		},
		"it shows no port": {
			arrange: echo(func(i map[string]any) {
				i["device"] = map[string]any{"ipv4Address": map[string]any{"publicAddress": "203.0.113.7"}}
			}),
			spec: behind(ptr(int64(40000))), posts: 1, left: 1, check: mayExist,
		},
		"it shows our port": {arrange: creates(sandbox.DropAfterCommit()), spec: behind(ptr(int64(40000))), posts: 1, made: true},
		// The last list is from before another pipeline's POST.
		"another's session came a while before the POST": {
			Options: qodtest.Options{Sandbox: slowly},
			arrange: func(t *testing.T, n *qodtest.Network) {
				spec := qodtest.Spec()
				spec.Device.PhoneNumber = "+34600000099"
				if _, err := n.Create(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E"})
				time.Sleep(8 * time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 3, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) },
		},
		"another's session came while the snapshot was under way": {
			Options: qodtest.Options{Sandbox: slowly},
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, 1, sandbox.Delay(4*time.Second))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
				n.Before(sandbox.OpCreate, func(int, *http.Request) {
					n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E"})
				})
			},
			posts: 1, other: 1, check: mayExist,
		},
		"two candidates": {
			arrange: appears(sandbox.DropAfterCommit(), sandbox.Session{}), posts: 1, left: 2, check: unresolved(2, 1),
		},
		"another device's session appears": {
			arrange: appears(sandbox.DropBeforeCommit(), sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}}),
			posts:   2, made: true, other: 1,
		},
		"an older session of ours hides behind the 502": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 3, check: func(t *testing.T, n *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
		"an older session, without a snapshot": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{StartedAt: anHourAgo(), ExpiresAt: anHourAgo().Add(24 * time.Hour)})
				blind(sandbox.StatusAfterCommit(http.StatusBadGateway, ""), down)(t, n)
			},
			posts: 3, check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) },
		},
		// The conflict may be with the session of the lost answer, which a list need not show for a minute.
		"an older session that cannot be seen": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{ClientID: "another team"})
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(http.StatusBadGateway, ""))
			},
			posts: 7, till: 100 * time.Second, check: func(t *testing.T, _ *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 0)
			},
		},
		"the look fails": {
			arrange: both(sandbox.DropAfterCommit(), -1, down), posts: 1, left: 1,
			check: unresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.LookErr == nil || !strings.Contains(e.LookErr.Error(), "503") {
					t.Errorf("the error of the look: %v", e.LookErr)
				}
			}),
		},
		"the look hangs": {
			arrange: both(sandbox.DropAfterCommit(), -1, sandbox.HangBeforeCommit()), posts: 1, left: 1,
			check: unresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.LookErr == nil {
					t.Error("the error of the look is missing")
				}
			}),
		},
		"the look is asked to come back later than anybody waits": {
			arrange: both(sandbox.DropAfterCommit(), -1, sandbox.Status(503, `{"code":"BUSY"}`, "Retry-After", "86400")),
			posts:   1, left: 1,
			check: unresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				if e.LookErr == nil || !strings.Contains(e.LookErr.Error(), "BUSY") {
					t.Errorf("the error of the look: %v", e.LookErr)
				}
			}),
		},
		"it is seen late": {
			arrange: both(sandbox.DropAfterCommit(), 2, emptied), posts: 1, made: true,
		},
		"it is seen only after the 409 that it causes": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				both(sandbox.DropAfterCommit(), -1, emptied)(t, n)
				n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
					if nth == 2 {
						n.Heal()
					}
				})
			},
			posts: 2, made: true,
		},
		"it is never seen": {
			arrange: both(sandbox.DropAfterCommit(), -1, emptied), posts: 7, left: 1, till: 100 * time.Second,
			check: func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err) },
		},
		// The look has as much time as one request; a candidate must not be forgotten at its end.
		"it shows no device, and the look is short": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout = 2 * time.Second }},
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Echo(without("device"))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
			},
			posts: 1, left: 1, check: unresolved(1, 1),
		},
	})
}

// withWitness has a session of somebody else begin just before: a list that shows it hardly lags.
func withWitness(arrange func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
	return func(t *testing.T, n *qodtest.Network) {
		n.Seed(sandbox.Session{Status: sandbox.StatusAvailable})
		if _, err := n.Now(t.Context()); err != nil { // so that the client knows when it began
			t.Fatal(err)
		}
		arrange(t, n)
	}
}

// mayExist expects "may exist" with the one candidate.
func mayExist(t *testing.T, _ *qodtest.Network, err error) {
	t.Helper()
	qodtest.Equal(t, "candidates", len(qodtest.ErrorAs[*qod.UnresolvedError](t, err).Candidates), 1)
}

func ptr[T any](v T) *T { return &v }

// behind has the device named by an address that it may share.
func behind(port *int64) func(*qod.Spec) {
	return func(s *qod.Spec) {
		s.Device = qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: port}}
	}
}

func TestCreateWhenTheDeviceHasASession(t *testing.T) {
	mine := func(_ *testing.T, n *qodtest.Network) { n.SeedSession(sandbox.Session{}) }
	play(t, map[string]scenario{
		"that can be seen": {
			// Its deletion may be about to come: Terraform begins the creates and deletes of renamed resources
			// side by side.
			arrange: mine, posts: 3, till: 5 * time.Second,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Visible) != 1 || len(e.Possible)+len(e.Own) > 0 || e.LookErr != nil {
					t.Errorf("%+v", e)
				}
				qodtest.Equal(t, "status", e.Visible[0].Status, qod.StatusAvailable)
			}),
		},
		"that cannot be seen": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.SeedSession(sandbox.Session{ClientID: "another team"})
				n.SeedSession(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}})
			},
			posts: 1,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Visible)+len(e.Possible)+len(e.Own) > 0 || e.LookErr != nil {
					t.Errorf("%+v", e)
				}
			}),
		},
		"that shows no device": {
			arrange: func(t *testing.T, n *qodtest.Network) { mine(t, n); n.Echo(without("device")) }, posts: 1,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				if len(e.Possible) != 1 || len(e.Visible)+len(e.Own) > 0 {
					t.Errorf("%+v", e)
				}
			}),
		},
		"that this process made": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
			},
			posts: 1,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				conflicted(func(t *testing.T, e *qod.ConflictError) {
					if len(e.Own) != 1 || len(e.Visible)+len(e.Possible) > 0 {
						t.Errorf("%+v", e)
					}
				})(t, n, err)
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 1) // nobody has to be asked
			},
		},
		"and they cannot be listed": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				mine(t, n)
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(http.StatusForbidden, `{"code":"PERMISSION_DENIED"}`))
			},
			posts: 1,
			check: conflicted(func(t *testing.T, e *qod.ConflictError) {
				if e.LookErr == nil {
					t.Error("why they could not be listed is missing")
				}
			}),
		},
		"that was deleted by this process and lingers": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				n.InjectFault(sandbox.OpCreate, 7, conflict)
			},
			posts: 8, made: true,
		},
		"that was deleted by this process and lingers for too long": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				n.InjectFault(sandbox.OpCreate, -1, conflict)
			},
			posts: -1, check: func(t *testing.T, n *qodtest.Network, err error) {
				conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "deleted", len(e.Deleted), 1) })(t, n, err)
				if count := n.Count(sandbox.OpCreate); count < 95 || count > 125 {
					t.Errorf("%d POSTs in the ten minutes that there were", count)
				}
			},
		},
		"that was deleted by this process, and there is no time to wait": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				n.InjectFault(sandbox.OpCreate, -1, conflict)
			},
			budget: 3 * time.Second,
			posts:  2, check: conflicted(func(*testing.T, *qod.ConflictError) {}),
		},
		// The next create after the delete went well, so the delete is through.
		"that this process made after it had deleted another": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
					t.Fatal(err)
				}
			},
			posts: 1, check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "own", len(e.Own), 1) }),
		},
		"that was deleted by this process long ago": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				released(t, n)
				time.Sleep(time.Minute)
				n.SeedSession(sandbox.Session{})
			},
			posts: 3, check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
		"that was deleted by this process, which named it by another port": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "203.0.113.7"}}})
				var spec qod.Spec
				behind(nil)(&spec)
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: spec.Device}); err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 3, conflict)
			},
			spec: behind(ptr(int64(40000))), posts: 4, made: true,
		},
		// Two resources that hold one session would delete it for each other.
		"that the network gives out once more": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				other := qodtest.Spec()
				other.Device.PhoneNumber = "+34600000002"
				s, err := n.Create(t.Context(), other)
				if err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Answer(201, qodtest.JSON, `{"sessionId":"`+s.ID+`"}`))
			},
			posts: 1, other: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				qodtest.Equal(t, "own", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Own), 1)
			},
		},
		"that the network gives out instead of a 409": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Answer(200, qodtest.JSON, `{"sessionId":"`+n.SeedSession(sandbox.Session{}).ID+`"}`))
			},
			posts: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
		"and another device's was deleted": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				mine(t, n)
				other := n.SeedSession(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000002"}})
				if err := n.Delete(t.Context(), qod.Ref{ID: other.ID, Device: qod.Device{PhoneNumber: "+34600000002"}}); err != nil {
					t.Fatal(err)
				}
			},
			// This process is at deleting things, so this one may be next.
			posts: 5, till: 17 * time.Second, check: conflicted(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
	})
}

// released has this process delete a session of the device.
func released(t *testing.T, n *qodtest.Network) {
	t.Helper()
	s := n.SeedSession(sandbox.Session{})
	if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device}); err != nil {
		t.Fatal(err)
	}
}

func TestCreateWhenItIsRefused(t *testing.T) {
	scenarios := map[string]scenario{
		"the token is refused once": {
			arrange: creates(sandbox.Status(http.StatusUnauthorized, "")), posts: 2, made: true,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				if err != nil {
					t.Error(err)
				}
				qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 2)
			},
		},
		"the token is refused twice": {
			arrange: creates(sandbox.Status(401, ""), sandbox.Status(401, "")), posts: 2, check: refused(401),
		},
		"the token is refused, and there is no other": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Before(sandbox.OpCreate, func(int, *http.Request) {
					n.RevokeTokens()
					n.InjectFault(sandbox.OpToken, -1, down)
				})
			},
			posts: 1, check: func(t *testing.T, n *qodtest.Network, err error) {
				refused(401)(t, n, err)
				_ = qodtest.ErrorAs[*qod.TokenError](t, err)
			},
		},
		"the ready token is refused": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.AccessToken = "stale" }},
			posts:   0, check: func(t *testing.T, _ *qodtest.Network, err error) {
				if !errors.Is(err, qod.ErrNotRenewable) {
					t.Errorf("it does not say that the token cannot be renewed: %v", err)
				}
			},
		},
		"there is no token": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpToken, -1, down) },
			posts:   0, check: func(t *testing.T, n *qodtest.Network, err error) {
				qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.TokenError](t, err).Status, 503)
				qodtest.Equal(t, "requests to the API", n.Count(sandbox.OpList), 0)
			},
		},
		"there is no discovery": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpDiscovery, -1, sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage))
			},
			posts: 0, check: func(t *testing.T, _ *qodtest.Network, err error) {
				if !qodtest.ErrorAs[*qod.TokenError](t, err).Discovery {
					t.Error("it does not say that discovery failed")
				}
			},
		},
		"the token endpoint hangs for longer than there is time": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit()) },
			budget:  time.Second,
			posts:   0, check: func(t *testing.T, _ *qodtest.Network, err error) {
				e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
				if e.Sent || !e.Timeout {
					t.Errorf("%+v", e)
				}
			},
		},
		"429 that fits": {
			arrange: creates(sandbox.Status(429, "", "Retry-After", "90")), posts: 2, made: true,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				if err != nil {
					t.Error(err)
				}
				posts := n.Requests(sandbox.OpCreate)
				if waited := posts[1].At.Sub(posts[0].At); waited < 90*time.Second || waited > 91*time.Second {
					t.Errorf("waited %v", waited)
				}
			},
		},
		"429 without a wait": {arrange: creates(sandbox.Status(429, "")), posts: 2, made: true},
		"429 that does not fit": {
			arrange: creates(sandbox.Status(429, "", "Retry-After", "601")), posts: 1, till: time.Second,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				refused(429)(t, n, err)
				qodtest.Equal(t, "asked to wait", qodtest.ErrorAs[*qod.Error](t, err).RetryAfter, 601*time.Second)
			},
		},
		"429 for ever": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, -1, sandbox.Status(429, "", "Retry-After", "1"))
			},
			posts: -1, check: func(t *testing.T, n *qodtest.Network, err error) {
				refused(429)(t, n, err)
				// A 429 proves that nothing happened: what bounds the POSTs is time.
				if last := n.Requests(sandbox.OpCreate)[n.Count(sandbox.OpCreate)-1]; last.At.Before(qodtest.BubbleStart.Add(9 * time.Minute)) {
					t.Errorf("given up at %v", last.At)
				}
			},
		},
		"503 that fits": {arrange: creates(sandbox.Status(503, "", "Retry-After", "90")), posts: 2, made: true},
		"503 that does not fit": {
			arrange: creates(sandbox.Status(503, "", "Retry-After", "9999999999999999999999")), posts: 1, till: 13 * time.Second, // it may have been carried out, and is looked for
			check: func(t *testing.T, n *qodtest.Network, err error) {
				unresolved(0, 1)(t, n, err)
				if qodtest.ErrorAs[*qod.Error](t, err).RetryAfter < 24*time.Hour {
					t.Error("it does not say for how long the API asked to wait")
				}
			},
		},
	}
	for _, status := range []int{301, 307, 308, 400, 403, 404, 405, 410, 415, 422} {
		scenarios[fmt.Sprint(status)] = scenario{
			arrange: creates(sandbox.Status(status, `{"code":"NO","message":"no"}`, "Location", "https://elsewhere.example/")),
			posts:   1, check: refused(status),
		}
	}
	play(t, scenarios)
}

// What never left this process may be sent again; a broken trust is not mended by that.
func TestCreateWhenNothingIsSent(t *testing.T) {
	failing := func(times int, failure error) qodtest.Interceptor {
		var failed atomic.Int64
		return func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if qodtest.IsCreate(r) && failed.Add(1) <= int64(times) {
				return nil, failure
			}
			return next.RoundTrip(r)
		}
	}
	attempts := func(nth int, then func(*testing.T, *qodtest.Network, error)) func(*testing.T, *qodtest.Network, error) {
		return func(t *testing.T, n *qodtest.Network, err error) {
			t.Helper()
			sent := 0
			for _, e := range n.Events() {
				if e.Operation == qod.OperationCreate {
					sent++
				}
			}
			qodtest.Equal(t, "attempts", sent, nth)
			then(t, n, err)
		}
	}
	fine := func(t *testing.T, _ *qodtest.Network, err error) {
		if err != nil {
			t.Error(err)
		}
	}
	plain := func(t *testing.T, _ *qodtest.Network, err error) {
		if e := qodtest.ErrorAs[*qod.Error](t, err); e.Status != 0 || qodtest.IsError[*qod.UnresolvedError](err) {
			t.Errorf("%v", err)
		}
	}
	refusedDial := errors.New("dial tcp: connection refused")
	play(t, map[string]scenario{
		"the connection is refused twice":  {Options: qodtest.Options{Intercept: failing(2, refusedDial)}, posts: 1, made: true, check: attempts(3, fine)},
		"the connection is always refused": {Options: qodtest.Options{Intercept: failing(99, refusedDial)}, posts: 0, check: attempts(5, plain)},
		"the authority is unknown": {
			Options: qodtest.Options{Intercept: failing(99, x509.UnknownAuthorityError{})}, posts: 0, check: attempts(1, plain),
		},
		"the certificate has expired": {
			Options: qodtest.Options{Intercept: failing(99, x509.CertificateInvalidError{Reason: x509.Expired})}, posts: 0, check: attempts(1, plain),
		},
		"the host is another": {
			Options: qodtest.Options{Intercept: failing(99, x509.HostnameError{Certificate: &x509.Certificate{}, Host: "gateway.example"})}, posts: 0, check: attempts(1, plain),
		},
	})
}

// After an interrupt no new POST starts, and one that is under way is finished and recorded.
func TestCreateWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		arrange func(*testing.T, *qodtest.Network)
		after   time.Duration
		posts   int
		made    bool
		within  time.Duration // of the interrupt
		check   func(t *testing.T, err error)
	}{
		"before anything": {
			after: 0, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				if e := qodtest.ErrorAs[*qod.InterruptedError](t, err); e.Sent || e.Timeout {
					t.Errorf("%+v", e)
				}
			},
		},
		"while the token is fetched": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpToken, -1, sandbox.HangBeforeCommit()) },
			after:   time.Second, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "sent", qodtest.ErrorAs[*qod.InterruptedError](t, err).Sent, false)
			},
		},
		"while the snapshot is taken": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit()) },
			after:   time.Second, posts: 0, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "sent", qodtest.ErrorAs[*qod.InterruptedError](t, err).Sent, false)
			},
		},
		"during the POST": {
			arrange: creates(sandbox.Delay(10 * time.Second)),
			after:   time.Second, posts: 1, made: true, within: 9 * time.Second,
		},
		"during the POST, whose answer is lost": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
			},
			after: time.Second, posts: 1, made: true, within: 30 * time.Second,
		},
		"during the POST, which is not committed": {
			arrange: creates(sandbox.HangBeforeCommit()),
			after:   time.Second, posts: 1, within: 60 * time.Second,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "interrupted", qodtest.ErrorAs[*qod.UnresolvedError](t, err).Interrupted, true)
			},
		},
		"during the POST, which needs a new token": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
					if nth == 1 {
						time.Sleep(2 * time.Second)
						n.RevokeTokens()
					}
				})
			},
			after: time.Second, posts: 2, made: true, within: 2 * time.Second, // and a list makes sure that there is one
		},
		"while it is looked for": {
			arrange: both(sandbox.DropAfterCommit(), 1, sandbox.Delay(5*time.Second)),
			after:   time.Second, posts: 1, made: true, within: 4250 * time.Millisecond,
		},
		"during the POST, whose answer is lost with the token endpoint": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
				n.Before(sandbox.OpList, func(nth int, _ *http.Request) {
					if nth == 2 {
						n.RevokeTokens()
						n.InjectFault(sandbox.OpToken, 12, down)
					}
				})
			},
			after: 35 * time.Millisecond, posts: 1, made: true, within: 20 * time.Second,
		},
		"while it waits to repeat the POST": {
			arrange: creates(sandbox.Status(429, "", "Retry-After", "300")),
			after:   time.Minute, posts: 1, within: 0,
			check: func(t *testing.T, err error) {
				e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
				qodtest.Equal(t, "timeout", e.Timeout, false)
				qodtest.Equal(t, "the cause", qodtest.ErrorAs[*qod.Error](t, err).Status, 429)
				if qodtest.IsError[*qod.UnresolvedError](err) {
					t.Errorf("nothing may exist: %v", err)
				}
			},
		},
		"while it waits to repeat a lost POST": {
			arrange: creates(sandbox.Status(503, "", "Retry-After", "300")),
			after:   time.Minute, posts: 1, within: 0,
			check: func(t *testing.T, err error) {
				qodtest.Equal(t, "interrupted", qodtest.ErrorAs[*qod.UnresolvedError](t, err).Interrupted, true)
			},
		},
		"while it waits out its own delete": {
			arrange: func(t *testing.T, n *qodtest.Network) { released(t, n); n.InjectFault(sandbox.OpCreate, -1, conflict) },
			after:   2500 * time.Millisecond, posts: 2, within: time.Second,
			check: func(t *testing.T, err error) {
				if !qodtest.IsError[*qod.ConflictError](err) && !qodtest.IsError[*qod.InterruptedError](err) {
					t.Errorf("%T: %v", err, err)
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(t, n)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				began := time.Now()
				if test.after == 0 {
					cancel()
				}
				time.AfterFunc(test.after, cancel)
				s, err := n.Create(ctx, qodtest.Spec())
				if late := time.Since(began) - test.after; late > test.within+100*time.Millisecond {
					t.Errorf("it ended %v after the interrupt, want %v", late, test.within)
				}
				time.Sleep(time.Minute)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), test.posts)
				qodtest.Equal(t, "made", s.ID != "", test.made)
				if live := n.Ledger(); test.made && (len(live) != 1 || live[0].ID != s.ID) {
					t.Errorf("returned %q, on the network: %v", s.ID, qodtest.IDs(live))
				} else if !test.made && len(live) > 0 {
					t.Errorf("on the network: %v", qodtest.IDs(live))
				}
				if test.check != nil {
					test.check(t, err)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The caller's deadline cuts waits, but no POST.
func TestCreateOutlivesItsDeadline(t *testing.T) {
	play(t, map[string]scenario{
		"during the POST":       {budget: time.Second, arrange: creates(sandbox.Delay(20 * time.Second)), posts: 1, made: true},
		"during the POST, lost": {budget: time.Second, arrange: creates(sandbox.HangAfterCommit()), posts: 1, made: true},
		"during the POST, not committed": {
			budget: time.Second, arrange: creates(sandbox.HangBeforeCommit()), posts: 1, check: unresolved(0, 1),
		},
	})
}

func TestCreateOneAtATimeForOneDevice(t *testing.T) {
	t.Parallel()
	ipv4 := func(port int64) qod.Device {
		return qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}}
	}
	tests := map[string]struct {
		devices []qod.Device
		made    int
		atOnce  int // POSTs under way at the same time, at most
	}{
		"one device":    {[]qod.Device{{PhoneNumber: qodtest.Phone}, {PhoneNumber: qodtest.Phone}, {PhoneNumber: qodtest.Phone}}, 1, 1},
		"three devices": {[]qod.Device{{PhoneNumber: "+34600000001"}, {PhoneNumber: "+34600000002"}, {PhoneNumber: "+34600000003"}}, 3, 3},
		"one identifier in common": {[]qod.Device{
			{PhoneNumber: qodtest.Phone, IPv6Address: "2001:db8::1"}, {IPv6Address: "2001:DB8:0::1"}, {PhoneNumber: qodtest.Phone},
		}, 1, 2}, // the last two have nothing in common
		"two ports of one address": {[]qod.Device{ipv4(1), ipv4(2)}, 2, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
				var atOnce, most atomic.Int64
				n.Intercept = func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if qodtest.IsCreate(r) {
						most.Store(max(most.Load(), atOnce.Add(1)))
						defer atOnce.Add(-1)
					}
					return next.RoundTrip(r)
				}
				var wg sync.WaitGroup
				var made, own atomic.Int64
				for _, d := range test.devices {
					time.Sleep(time.Millisecond) // the first one comes first
					wg.Go(func() {
						spec := qodtest.Spec()
						spec.Device = d
						s, err := n.Create(t.Context(), spec)
						var conflict *qod.ConflictError
						switch {
						case s.ID != "" && err == nil:
							made.Add(1)
						case errors.As(err, &conflict) && len(conflict.Own) > 0:
							own.Add(1)
						default:
							t.Errorf("%q, %v", s.ID, err)
						}
					})
				}
				wg.Wait()
				qodtest.Equal(t, "made", int(made.Load()), test.made)
				qodtest.Equal(t, "on the network", len(n.Ledger()), test.made)
				qodtest.Equal(t, "refused because of this same process", int(own.Load()), len(test.devices)-test.made)
				qodtest.Equal(t, "POSTs at once", int(most.Load()), test.atOnce)
			})
		})
	}
}

// A burst of creates looks at the network once, and so does a burst of conflicts.
func TestCreateSharesItsLooks(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: 50 * time.Millisecond}}, func(t *testing.T, n *qodtest.Network) {
		const burst = 100
		all := func(check func(s qod.Session, err error)) {
			var wg sync.WaitGroup
			for i := range burst {
				wg.Go(func() {
					spec := qodtest.Spec()
					spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", i)
					check(n.Create(t.Context(), spec))
				})
			}
			wg.Wait()
		}
		for i := range burst { // other sessions than ours, that can be seen
			n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: fmt.Sprintf("+346000%05d", i)}})
		}
		all(func(_ qod.Session, err error) { _ = qodtest.ErrorAs[*qod.ConflictError](t, err) })
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 3*burst)
		if count := n.Count(sandbox.OpList); count > 16 { // one each 250 ms, while there are any
			t.Errorf("%d lists", count)
		}
		posts := n.Count(sandbox.OpCreate)
		for _, s := range n.Ledger() {
			n.Remove(s.ID)
		}
		time.Sleep(time.Minute)
		before := n.Count(sandbox.OpList)
		all(func(s qod.Session, err error) {
			if err != nil || s.ID == "" {
				t.Errorf("%q, %v", s.ID, err)
			}
		})
		qodtest.Equal(t, "POSTs of the second burst", n.Count(sandbox.OpCreate)-posts, burst)
		qodtest.Equal(t, "lists of the second burst", n.Count(sandbox.OpList)-before, 1)
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 1)
	})
}

// A thousand creates, as many at a time as Terraform makes, look at the network some ten times: with
// that, and what else an apply asks for, it keeps to sixteen calls besides the POSTs.
func TestCreateLooksLessInALongBurst(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: 50 * time.Millisecond, Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		began := time.Now()
		var wg sync.WaitGroup
		for lane := range 10 {
			wg.Go(func() {
				for i := range 100 {
					spec := qodtest.Spec()
					spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", 100*lane+i)
					if _, err := n.Create(t.Context(), spec); err != nil {
						t.Error(err)
					}
					time.Sleep(130 * time.Millisecond) // which Terraform takes to write its state
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took < 15*time.Second {
			t.Errorf("the burst took %v, which proves nothing", took)
		}
		if others := n.Count(sandbox.OpList) + n.Count(sandbox.OpToken) + n.Count(sandbox.OpDiscovery) + n.Count(sandbox.OpRead); others > 16 {
			t.Errorf("%d calls besides the POSTs", others)
		}
	})
}

// One list that failed leaves no create behind it without a look at what was there before; and where
// lists fail for good, each is held up by one try at most.
func TestCreateBehindAFailedList(t *testing.T) {
	t.Parallel()
	reserve := func(t *testing.T, n *qodtest.Network, number int) time.Duration {
		spec := qodtest.Spec()
		spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", number)
		return qodtest.Elapsed(func() {
			if s, err := n.Create(t.Context(), spec); err != nil || s.ID == "" {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, 1, sandbox.Status(400, ""))
			reserve(t, n, 1)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			n.Echo(without("startedAt")) // found only by what was there before
			reserve(t, n, 2)
			qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 2)
		})
	})
	t.Run("for good", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpList, -1, down)
			reserve(t, n, 1)
			before := n.Count(sandbox.OpList)
			if d := reserve(t, n, 2); d > 500*time.Millisecond {
				t.Errorf("the second create took %v", d)
			}
			qodtest.Equal(t, "lists for the second create", n.Count(sandbox.OpList)-before, 1)
		})
	})
	t.Run("a list that hangs", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			ids := n.SeedFleet(5)
			n.ReadAll(ids[:4])
			n.InjectFault(sandbox.OpList, -1, sandbox.HangBeforeCommit())
			reserve(t, n, 1)
			if d := qodtest.Elapsed(func() { n.ReadAll(ids[4:]) }); d > time.Second {
				t.Errorf("the read behind it took %v", d)
			}
		})
	})
}

// A thousand creates whose answers are all lost get each its own session back.
func TestCreateTellsItsOwnApart(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		const burst = 100
		n.InjectFault(sandbox.OpCreate, -1, sandbox.DropAfterCommit())
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]string{}
		for i := range burst {
			wg.Go(func() {
				spec := qodtest.Spec()
				spec.Device.PhoneNumber = fmt.Sprintf("+346000%05d", i)
				s, err := n.Create(t.Context(), spec)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got[s.ID] = spec.Device.PhoneNumber
			})
		}
		wg.Wait()
		qodtest.Equal(t, "sessions", len(got), burst)
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), burst)
		for _, s := range n.Ledger() {
			qodtest.Equal(t, "device of "+s.ID, got[s.ID], s.Device.PhoneNumber)
		}
		if count := n.Count(sandbox.OpList); count > 5 {
			t.Errorf("%d lists", count)
		}
	})
}

func durations(t *testing.T, n *qodtest.Network) []int64 {
	t.Helper()
	var all []int64
	for _, r := range n.Requests(sandbox.OpCreate) {
		var body struct{ Duration int64 }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		all = append(all, body.Duration)
	}
	return all
}

// windowClosed expects that nothing was sent and nothing may exist.
func windowClosed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, qod.ErrWindowClosed) || qodtest.IsError[*qod.UnresolvedError](err) {
		t.Error(err)
	}
}

// Until is kept to the second of the server's clock, whatever was lost on the way. To learn that clock
// takes a second and some of the next.
func TestCreateUntil(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		network sandbox.Config
		arrange func(*testing.T, *qodtest.Network)
		left    time.Duration // until the end, by the server's clock
		posts   []int64
		check   func(t *testing.T, err error)
	}{
		"an hour":                        {left: time.Hour, posts: []int64{3600}},
		"more than the API allows":       {left: 48 * time.Hour, posts: []int64{86400}},
		"three seconds":                  {left: 3 * time.Second, posts: []int64{2}}, // the server's time costs the first
		"a second, which the time costs": {left: time.Second, check: windowClosed},
		"less than a second": {
			left: 999 * time.Millisecond, check: windowClosed,
		},
		"long ago": {
			left: -time.Hour, check: windowClosed,
		},
		"worked out before each POST": {
			arrange: creates(sandbox.Status(429, "", "Retry-After", "600"), sandbox.Status(503, "", "Retry-After", "600")),
			left:    time.Hour, posts: []int64{3600, 3000, 2389}, // the lost one is looked for ten seconds
		},
		"closed meanwhile": {
			arrange: creates(sandbox.Status(429, "", "Retry-After", "600")), left: 5 * time.Minute, posts: []int64{300}, check: windowClosed,
		},
		"closed after a lost answer": {
			arrange: creates(sandbox.Status(503, "", "Retry-After", "600")), left: 5 * time.Minute, posts: []int64{300},
			check: func(t *testing.T, err error) {
				if _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err); !errors.Is(err, qod.ErrWindowClosed) {
					t.Error(err)
				}
			},
		},
		"the server's clock is an hour ahead": {network: sandbox.Config{Clock: ahead(time.Hour)}, left: time.Hour, posts: []int64{3600}},
		"the server's clock is an hour slow":  {network: sandbox.Config{Clock: ahead(-time.Hour)}, left: time.Hour, posts: []int64{3600}},
		"the list fails, and its Date says the time": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, "")) },
			left:    time.Hour, posts: []int64{3600},
		},
		// A list that fails is no POST that was lost.
		"nobody says the time": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.DropBeforeCommit()) },
			left:    time.Hour,
			check: func(t *testing.T, err error) {
				if err == nil || qodtest.IsError[*qod.UnresolvedError](err) {
					t.Error(err)
				}
			},
		},
		"the answers have no Date": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Header("Date", "")) },
			left:    time.Hour,
			check: func(t *testing.T, err error) {
				if err == nil || qodtest.IsError[*qod.UnresolvedError](err) {
					t.Error(err)
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(t, n)
				}
				now := time.Now()
				if clock := test.network.Clock; clock != nil {
					now = clock.Now()
				}
				spec := qodtest.Spec()
				spec.Seconds, spec.Until = 0, now.Add(test.left)
				s, err := n.Create(t.Context(), spec)
				if got := durations(t, n); !slices.EqualFunc(got, test.posts, func(got, want int64) bool { return got <= want && got >= want-3 }) {
					t.Errorf("durations %v, want %v", got, test.posts)
				}
				if test.check != nil {
					test.check(t, err)
					qodtest.Equal(t, "on the network", len(n.Ledger()), 0)
				} else if err != nil || s.ID == "" {
					t.Errorf("%q, %v", s.ID, err)
				}
			})
		})
	}
}

// offset is a clock that is wrong by a constant.
type offset struct{ by time.Duration }

func ahead(d time.Duration) sandbox.Clock { return offset{d} }

func (o offset) Now() time.Time { return time.Now().Add(o.by) }

func (offset) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// A session that was lost is found although the runner's clock is wrong.
func TestCreateWithAWrongClock(t *testing.T) {
	scenarios := map[string]scenario{}
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		network := sandbox.Config{Clock: ahead(by)}
		scenarios[fmt.Sprintf("%v, with a snapshot", by)] = scenario{
			Options: qodtest.Options{Sandbox: network}, arrange: creates(sandbox.DropAfterCommit()), posts: 1, made: true,
		}
		scenarios[fmt.Sprintf("%v, without a snapshot", by)] = scenario{
			Options: qodtest.Options{Sandbox: network}, arrange: blind(sandbox.DropAfterCommit(), down), posts: 1, made: true,
		}
	}
	play(t, scenarios)
}

// What is sent is what was asked for and nothing else; the sandbox refuses what is not in the
// API document.
func TestCreateSendsTheDocument(t *testing.T) {
	t.Parallel()
	port := int64(0)
	tests := map[string]struct {
		spec qod.Spec
		body string
	}{
		"the least": {qodtest.Spec(), `{"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_E","duration":3600}`},
		"the most": {
			qod.Spec{
				Device: qod.Device{
					PhoneNumber: qodtest.Phone, NetworkAccessIdentifier: "a@example.com",
					IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}, IPv6Address: "2001:db8::1",
				},
				ApplicationServer: &qod.ApplicationServer{IPv4Address: "198.51.100.0/24", IPv6Address: "2001:db8:1::/48"},
				QoSProfile:        "QOS_L", Seconds: 86400,
				NotificationURL: "https://hooks.example/qod?x=1&y=<2>", NotificationAuthToken: `a"b<c>`,
			},
			`{"device":{"phoneNumber":"+34600000001","networkAccessIdentifier":"a@example.com",` +
				`"ipv4Address":{"publicAddress":"203.0.113.7","publicPort":0},"ipv6Address":"2001:db8::1"},` +
				`"applicationServer":{"ipv4Address":"198.51.100.0/24","ipv6Address":"2001:db8:1::/48"},` +
				`"qosProfile":"QOS_L","duration":86400,` +
				`"notificationUrl":"https://hooks.example/qod?x=1\u0026y=\u003c2\u003e","notificationAuthToken":"a\"b\u003cc\u003e"}`,
		},
		"no port": {
			qod.Spec{Device: qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7"}}, QoSProfile: "QOS_S", Seconds: 1},
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.7"}},"qosProfile":"QOS_S","duration":1}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s, err := n.Create(t.Context(), test.spec)
				if err != nil {
					t.Fatal(err)
				}
				sent := n.Requests(sandbox.OpCreate)[0]
				qodtest.Equal(t, "body", string(sent.Body), test.body)
				qodtest.Equal(t, "type", sent.Header.Get("Content-Type"), qodtest.JSON)
				qodtest.Equal(t, "status", s.Status, qod.StatusRequested)
				qodtest.Equal(t, "profile", s.QoSProfile, test.spec.QoSProfile)
				qodtest.Equal(t, "seconds", s.Seconds, test.spec.Seconds)
				if !test.spec.Device.Matches(s.Device) {
					t.Error("another device came back")
				}
			})
		})
	}
}

// Posting is held whenever a POST may have an unknown fate, and given back in the end.
func TestCreateHoldsPosting(t *testing.T) {
	t.Parallel()
	var posting holds
	qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.Posting = &posting }}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
		for _, op := range []sandbox.Operation{sandbox.OpCreate, sandbox.OpList} {
			n.Before(op, func(int, *http.Request) {
				if n.Count(sandbox.OpCreate) > 0 && posting.Load() != 1 {
					t.Errorf("%s: held %d times", op, posting.Load())
				}
			})
		}
		if _, err := n.Create(t.Context(), qodtest.Spec()); err != nil {
			t.Error(err)
		}
		qodtest.Equal(t, "held at the end", posting.Load(), 0)
	})
}

type holds struct{ atomic.Int64 }

func (h *holds) Lock()   { h.Add(1) }
func (h *holds) Unlock() { h.Add(-1) }

// A fault of this program must not take with it what is known, or that something may exist.
func TestCreatePanics(t *testing.T) {
	panicking := func(at func(r *http.Request) bool, after bool) qodtest.Interceptor {
		return func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if !at(r) {
				return next.RoundTrip(r)
			}
			if after {
				if response, err := next.RoundTrip(r); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}
			panic("a fault")
		}
	}
	once := func(at func(*http.Request) bool) func(*http.Request) bool {
		var seen atomic.Bool
		return func(r *http.Request) bool { return at(r) && seen.CompareAndSwap(false, true) }
	}
	listed := func(w *atomic.Bool) func(*http.Request) bool {
		return func(r *http.Request) bool {
			if qodtest.IsCreate(r) {
				w.Store(true)
			}
			return qodtest.IsList(r) && w.Load()
		}
	}
	faulty := func(t *testing.T, _ *qodtest.Network, err error) { _ = qodtest.ErrorAs[*qod.PanicError](t, err) }
	token := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "token") }
	discovery := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "well-known") }
	play(t, map[string]scenario{
		"in discovery":          {Options: qodtest.Options{Intercept: panicking(discovery, false)}, posts: 0, check: faulty},
		"in the token request":  {Options: qodtest.Options{Intercept: panicking(token, false)}, posts: 0, check: faulty},
		"in the snapshot":       {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsList), false)}, posts: 1, made: true},
		"before the POST, once": {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsCreate), false)}, posts: 1, made: true},
		"after the POST":        {Options: qodtest.Options{Intercept: panicking(once(qodtest.IsCreate), true)}, posts: 1, made: true},
		"before every POST": {Options: qodtest.Options{Intercept: panicking(qodtest.IsCreate, false)}, posts: 0, check: func(t *testing.T, n *qodtest.Network, err error) {
			_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			faulty(t, n, err)
		}},
		"after the POST, in the look": {Options: qodtest.Options{Intercept: panicking(listed(new(atomic.Bool)), false)}, arrange: creates(sandbox.DropAfterCommit()), posts: 1, left: 1, check: func(t *testing.T, _ *qodtest.Network, err error) {
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			_ = qodtest.ErrorAs[*qod.PanicError](t, e.LookErr)
		}},
		"behind the POST": {arrange: func(_ *testing.T, n *qodtest.Network) { n.BreakClaims() }, posts: 1, made: true, check: faulty},
		"behind the look": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.BreakClaims()
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			},
			posts: 1, left: 1, check: func(t *testing.T, n *qodtest.Network, err error) { unresolved(0, 1)(t, n, err); faulty(t, n, err) },
		},
		"in the log": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.Log = func(context.Context, qod.Event) { panic("a fault") } }},
			posts:   1, made: true,
		},
	})
}

// Two faults in a row, in every combination of what can happen to a POST and to the looks behind
// it. No exact outcome is asked for, only the promise.
func TestCreateKeepsItsPromiseUnderTwoFaults(t *testing.T) {
	t.Parallel()
	type named struct {
		name   string
		effect sandbox.Effect
	}
	posts := []named{
		{"before", sandbox.DropBeforeCommit()}, {"after", sandbox.DropAfterCommit()}, {"hang", sandbox.HangAfterCommit()},
		{"late", sandbox.CommitLate(31 * time.Second)}, {"502", sandbox.StatusAfterCommit(502, "")}, {"503", sandbox.Status(503, "")},
		{"empty", sandbox.Answer(201, qodtest.JSON, "")}, {"cut", sandbox.Truncate(20)}, {"409", conflict}, {"429", sandbox.Status(429, "")},
		{"401", sandbox.Status(401, "")},
	}
	again := []named{{"before", sandbox.DropBeforeCommit()}, {"after", sandbox.DropAfterCommit()}, {"409", conflict}, {"empty", sandbox.Answer(201, qodtest.JSON, "")}}
	looks := []named{
		{"empty list", emptied}, {"object", sandbox.Answer(200, qodtest.JSON, "{}")}, {"html", sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)},
		{"before", sandbox.DropBeforeCommit()}, {"hang", sandbox.HangBeforeCommit()}, {"503", down}, {"cut", sandbox.Truncate(20)}, {"401", sandbox.Status(401, "")},
	}
	for _, first := range posts {
		for _, second := range again {
			for _, look := range looks {
				t.Run(first.name+"/"+second.name+"/"+look.name, func(t *testing.T) {
					t.Parallel()
					for _, network := range []sandbox.Config{{}, slowly} {
						twoFaults(t, network, first.effect, second.effect, look.effect)
					}
				})
			}
		}
	}
}

func twoFaults(t *testing.T, network sandbox.Config, first, second, look sandbox.Effect) {
	qodtest.InBubble(t, qodtest.Options{Sandbox: network}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, first)
		n.InjectFault(sandbox.OpCreate, 1, second)
		n.InjectFaultFromSecond(sandbox.OpList, 2, look)
		s, err := n.Create(qodtest.WithTimeout(t, 10*time.Minute), qodtest.Spec())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		live := qodtest.IDs(n.Ledger())
		switch {
		case len(live) > 1:
			t.Errorf("bought twice: %v", live)
		case s.ID != "" && (len(live) != 1 || live[0] != s.ID):
			t.Errorf("returned %q, on the network %v", s.ID, live)
		case s.ID == "" && err == nil:
			t.Error("neither session nor error")
		case s.ID == "" && len(live) == 1 && !qodtest.IsError[*qod.UnresolvedError](err):
			t.Errorf("a session is left behind: %v", err)
		}
	})
}
