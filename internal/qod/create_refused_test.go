// A POST that was refused or never sent has created nothing: the error is the API's own, and only
// what may be transient is retried. A 401 is retried with a new token, once a list shows that
// nothing was created.
package qod_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestCreateWhenItIsRefused(t *testing.T) {
	scenarios := map[string]scenario{
		"the token is refused once": {
			arrange: failCreates(sandbox.Status(http.StatusUnauthorized, "")), posts: 2, made: true,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				if err != nil {
					t.Error(err)
				}
				qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 2)
			},
		},
		"the token is refused twice": {
			arrange: failCreates(sandbox.Status(401, ""), sandbox.Status(401, "")), posts: 2, check: wantRefused(401),
		},
		"the token is refused, and there is no other": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Before(sandbox.OpCreate, func(int, *http.Request) {
					n.RevokeTokens()
					n.InjectFault(sandbox.OpToken, -1, unavailable)
				})
			},
			posts: 1, check: func(t *testing.T, n *qodtest.Network, err error) {
				wantRefused(401)(t, n, err)
				_ = qodtest.ErrorAs[*qod.TokenError](t, err)
			},
		},
		"the static token is refused": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.AccessToken = "stale" }},
			posts:   0, check: func(t *testing.T, n *qodtest.Network, err error) {
				if !errors.Is(err, qod.ErrNotRenewable) {
					t.Errorf("it does not say that the token cannot be renewed: %v", err)
				}
				wantRefused(401)(t, n, err) // with what the API said
			},
		},
		"there is no token": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpToken, -1, unavailable) },
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
			timeout: time.Second,
			posts:   0, check: func(t *testing.T, _ *qodtest.Network, err error) {
				e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
				if e.Sent || !e.Timeout {
					t.Errorf("%+v", e)
				}
			},
		},
		"429 that fits": {
			arrange: failCreates(sandbox.Status(429, "", "Retry-After", "90")), posts: 2, made: true,
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
		"429 without a wait": {arrange: failCreates(sandbox.Status(429, "")), posts: 2, made: true},
		"429 that does not fit": {
			arrange: failCreates(sandbox.Status(429, "", "Retry-After", "601")), posts: 1, limit: time.Second,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				wantRefused(429)(t, n, err)
				qodtest.Equal(t, "asked to wait", qodtest.ErrorAs[*qod.Error](t, err).RetryAfter, 601*time.Second)
			},
		},
		"429 for ever": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, -1, sandbox.Status(429, "", "Retry-After", "1"))
			},
			posts: -1, check: func(t *testing.T, n *qodtest.Network, err error) {
				wantRefused(429)(t, n, err)
				// A 429 proves that nothing happened: only time bounds the POSTs.
				if last := n.Requests(sandbox.OpCreate)[n.Count(sandbox.OpCreate)-1]; last.At.Before(qodtest.BubbleStart.Add(9 * time.Minute)) {
					t.Errorf("given up at %v", last.At)
				}
			},
		},
		"503 that fits": {arrange: failCreates(sandbox.Status(503, "", "Retry-After", "90")), posts: 2, made: true},
		"503 that does not fit": {
			arrange: failCreates(sandbox.Status(503, "", "Retry-After", "9999999999999999999999")), posts: 1, limit: 13 * time.Second, // it may have been carried out, and is looked for
			check: func(t *testing.T, n *qodtest.Network, err error) {
				wantUnresolved(0, 1)(t, n, err)
				if qodtest.ErrorAs[*qod.Error](t, err).RetryAfter < 24*time.Hour {
					t.Error("it does not say for how long the API asked to wait")
				}
			},
		},
	}
	for _, status := range []int{301, 307, 308, 400, 403, 404, 405, 410, 415, 422} {
		scenarios[fmt.Sprint(status)] = scenario{
			arrange: failCreates(sandbox.Status(status, `{"code":"NO","message":"no"}`, "Location", "https://elsewhere.example/")),
			posts:   1, check: wantRefused(status),
		}
	}
	runScenarios(t, scenarios)
}

// A POST that never left this process may be sent again; TLS failures are permanent.
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
	runScenarios(t, map[string]scenario{
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

// A 401 should come before any processing. A list shows whether it did.
func TestCreateBehindARefusedToken(t *testing.T) {
	twice := func(t *testing.T, n *qodtest.Network, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 2)
	}
	runScenarios(t, map[string]scenario{
		"nothing was made": {arrange: failCreates(sandbox.Status(401, "")), posts: 2, made: true, check: twice},
		"one was made":     {arrange: failCreates(sandbox.StatusAfterCommit(401, "")), posts: 1, made: true, check: twice},
		"one was made that shows no start": {
			Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: failCreates(sandbox.StatusAfterCommit(401, "")), posts: 1, leftBehind: 1, check: wantUnresolved(1, 1),
		},
		"one was made that shows no start, behind a list to trust": {
			Options: qodtest.Options{Sandbox: slowProvisioning}, arrange: withWitness(failCreates(sandbox.StatusAfterCommit(401, ""))), posts: 1, made: true,
		},
		"the API has no list": {
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, ""))
				failCreates(sandbox.Status(401, ""))(t, n)
			}, posts: 2, made: true, check: twice,
		},
		"the list is down": {
			arrange: failCreateAndLists(sandbox.Status(401, ""), -1, unavailable), posts: 1, check: wantUnresolved(0, 1),
		},
		"the list is down, and one was made": {
			arrange: failCreateAndLists(sandbox.StatusAfterCommit(401, ""), -1, unavailable), posts: 1, leftBehind: 1, check: wantUnresolved(0, 1),
		},
		"the list is refused as well": { // by a gateway that wants a key besides
			arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(401, ""))
				failCreates(sandbox.Status(401, ""))(t, n)
			}, posts: 1,
			check: func(t *testing.T, n *qodtest.Network, err error) {
				t.Helper()
				wantRefused(401)(t, n, err)
				qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 2)
			},
		},
		"the second POST is lost": {
			arrange: failCreates(sandbox.Status(401, ""), sandbox.DropAfterCommit()), posts: 2, made: true,
		},
		"refused twice": {arrange: failCreates(sandbox.Status(401, ""), sandbox.Status(401, "")), posts: 2, check: wantRefused(401)},
	})
}
