// Scenarios of a create: its faults, how many POSTs there are, what it returns, and what is on the
// network afterwards. This file proves nothing by itself.
package qod_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// slowProvisioning makes new sessions show no startedAt yet, which is what distinguishes sessions
// where there is no snapshot.
var slowProvisioning = sandbox.Config{Provisioning: time.Hour}

// scenario is a create with its faults, and what is expected of it.
type scenario struct {
	qodtest.Options
	arrange func(t *testing.T, n *qodtest.Network) // before Create
	spec    func(*qod.Spec)
	timeout time.Duration // of the caller; 0: ten minutes
	limit   time.Duration // Create takes no longer; 0: any time

	posts      int  // that reach the network; -1: any number
	made       bool // Create returns a session
	leftBehind int  // sessions that it created and did not return
	others     int  // sessions that somebody else created meanwhile
	check      func(t *testing.T, n *qodtest.Network, err error)
}

// run runs the scenario and checks what holds for all of them.
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
		timeout := sc.timeout
		if timeout == 0 {
			timeout = 10 * time.Minute
		}
		var s qod.Session
		var err error
		if spent := qodtest.Elapsed(func() { s, err = n.Create(qodtest.WithTimeout(t, timeout), spec) }); sc.limit > 0 && spent > sc.limit {
			t.Errorf("it took %v, want at most %v", spent, sc.limit)
		}
		// A session that is committed late is billed too.
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
		want := sc.leftBehind + sc.others
		if s.ID != "" {
			want++
			if !slices.Contains(made, s.ID) {
				t.Errorf("the session %q that was returned is not among those made: %v", s.ID, made)
			}
		}
		qodtest.Equal(t, "sessions on the network", len(made), want)
		if sc.leftBehind > 0 && !qodtest.IsError[*qod.UnresolvedError](err) && !qodtest.IsError[*qod.ConflictError](err) {
			t.Errorf("a session was left behind and the error does not say so: %v", err)
		}
		if sc.check != nil {
			sc.check(t, n, err)
		} else if err != nil {
			t.Errorf("error: %v", err)
		}
	})
}

func runScenarios(t *testing.T, scenarios map[string]scenario) {
	t.Helper()
	t.Parallel()
	for name, sc := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc.run(t)
		})
	}
}

// wantUnresolved expects an *UnresolvedError with this many candidates and lost POSTs.
func wantUnresolved(candidates, lost int, more ...func(t *testing.T, n *qodtest.Network, e *qod.UnresolvedError)) func(*testing.T, *qodtest.Network, error) {
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

// wantRefused expects the API's own error, and no "may exist".
func wantRefused(status int) func(*testing.T, *qodtest.Network, error) {
	return func(t *testing.T, _ *qodtest.Network, err error) {
		t.Helper()
		if qodtest.IsError[*qod.UnresolvedError](err) {
			t.Errorf("nothing was made, and the error says that something may exist: %v", err)
		}
		qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, status)
	}
}

func wantConflict(check func(t *testing.T, e *qod.ConflictError)) func(*testing.T, *qodtest.Network, error) {
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

// wantOneList expects success with a single list.
func wantOneList(t *testing.T, n *qodtest.Network, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("error: %v", err)
	}
	qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 1)
}

func failCreates(effects ...sandbox.Effect) func(*testing.T, *qodtest.Network) {
	return func(_ *testing.T, n *qodtest.Network) {
		for _, e := range effects {
			n.InjectFault(sandbox.OpCreate, 1, e)
		}
	}
}

// failCreateAndLists injects one fault into the POST and another into the lists after it.
func failCreateAndLists(create sandbox.Effect, listTimes int, list sandbox.Effect) func(*testing.T, *qodtest.Network) {
	return func(_ *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, create)
		n.InjectFaultFromSecond(sandbox.OpList, listTimes, list)
	}
}

// failListsUntilCreate makes lists fail until the POST comes in, and injects a fault into the POST.
func failListsUntilCreate(create, down sandbox.Effect) func(*testing.T, *qodtest.Network) {
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

// rewriteCreated changes the network's answer to creates.
func rewriteCreated(f func(t testing.TB, r *http.Response)) qodtest.Interceptor {
	return func(n *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil && qodtest.IsCreate(r) && response.StatusCode == http.StatusCreated {
			f(n.T, response)
		}
		return response, err
	}
}

func replaceBody(r *http.Response, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Del("Content-Length")
}

func withoutFields(fields ...string) func(map[string]any) {
	return func(info map[string]any) {
		for _, f := range fields {
			delete(info, f)
		}
	}
}

var (
	unavailable = sandbox.Status(http.StatusServiceUnavailable, `{"code":"UNAVAILABLE","message":"come back later"}`)
	emptyList   = sandbox.Answer(http.StatusOK, qodtest.JSON, `[]`)
	conflict    = sandbox.Status(http.StatusConflict, `{"status":409,"code":"CONFLICT","message":"Another session is created for the same UE"}`)
)

// withWitness starts a session of somebody else just before: a list that shows it hardly lags.
func withWitness(arrange func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
	return func(t *testing.T, n *qodtest.Network) {
		n.Seed(sandbox.Session{Status: sandbox.StatusAvailable})
		if _, err := n.Now(t.Context()); err != nil { // so that the client knows when it began
			t.Fatal(err)
		}
		arrange(t, n)
	}
}

// wantOneCandidate expects an *UnresolvedError with one candidate.
func wantOneCandidate(t *testing.T, _ *qodtest.Network, err error) {
	t.Helper()
	qodtest.Equal(t, "candidates", len(qodtest.ErrorAs[*qod.UnresolvedError](t, err).Candidates), 1)
}

//go:fix inline

// withAddress names the device by an address that it may share.
func withAddress(port *int64) func(*qod.Spec) {
	return func(s *qod.Spec) {
		s.Device = qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: port}}
	}
}

// deleteExisting makes this process delete a session of the device.
func deleteExisting(t *testing.T, n *qodtest.Network) {
	t.Helper()
	s := n.SeedSession(sandbox.Session{})
	if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: qodtest.Spec().Device}); err != nil {
		t.Fatal(err)
	}
}

// offsetClock is a clock that is wrong by a constant.
type offsetClock struct{ by time.Duration }

func clockAhead(d time.Duration) sandbox.Clock { return offsetClock{d} }

func (o offsetClock) Now() time.Time { return time.Now().Add(o.by) }

func (offsetClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// fromOtherPipeline is a session that another pipeline of the same client has requested.
var fromOtherPipeline = sandbox.Session{Status: sandbox.StatusRequested, QoSProfile: "QOS_E", Duration: 3600}

// setField changes a field of what the network echoes.
func setField(name string, value any) func(map[string]any) {
	return func(info map[string]any) { info[name] = value }
}
