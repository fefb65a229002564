// A request is what the document describes and no more. Its answer, whatever it is, becomes a
// result or an error that a person can read: bounded, without markup, and with what support asks
// for.
package qod_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// operations are the four operations, each as one call for one session.
var operations = map[qod.Operation]func(ctx context.Context, n *qodtest.Network, id string) error{
	qod.OperationCreate: func(ctx context.Context, n *qodtest.Network, _ string) error {
		spec := qodtest.Spec()
		spec.Device.PhoneNumber = "+34600000002"
		_, err := n.Create(ctx, spec)
		return err
	},
	qod.OperationRead: func(ctx context.Context, n *qodtest.Network, id string) error {
		_, err := n.Read(ctx, qod.Ref{ID: id})
		return err
	},
	qod.OperationList: func(ctx context.Context, n *qodtest.Network, _ string) error {
		_, err := n.List(ctx, qod.Filter{})
		return err
	},
	qod.OperationDelete: func(ctx context.Context, n *qodtest.Network, id string) error { return n.Delete(ctx, qod.Ref{ID: id}) },
}

// sandboxOperation is the sandbox's name for an operation.
func sandboxOperation(op qod.Operation) sandbox.Operation {
	if op == qod.OperationDelete {
		return sandbox.OpDelete
	}
	return sandbox.Operation(op)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(429, ""))
		n.InjectFault(sandbox.OpRead, 1, unavailable)
		for _, op := range []qod.Operation{qod.OperationCreate, qod.OperationRead, qod.OperationList, qod.OperationDelete} {
			if err := operations[op](t.Context(), n, s.ID); err != nil {
				t.Errorf("%s: %v", op, err)
			}
		}
		requests := n.Requests(sandbox.OpCreate, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete)
		correlators := map[string]bool{}
		for _, r := range requests {
			name := r.Method + " " + r.Path
			qodtest.Equal(t, name+": User-Agent", r.Header.Get("User-Agent"), "terraform-provider-qod/test")
			qodtest.Equal(t, name+": Accept", r.Header.Get("Accept"), qodtest.JSON)
			qodtest.Equal(t, name+": a body", len(r.Body) > 0, r.Method == http.MethodPost)
			qodtest.Equal(t, name+": Content-Type", r.Header.Get("Content-Type") != "", r.Method == http.MethodPost)
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer sandbox-token-") {
				t.Errorf("%s: Authorization %q", name, r.Header.Get("Authorization"))
			}
			if _, err := uuid.Parse(r.Header.Get("X-Correlator")); err != nil || correlators[r.Header.Get("X-Correlator")] {
				t.Errorf("%s: X-Correlator %q", name, r.Header.Get("X-Correlator"))
			}
			correlators[r.Header.Get("X-Correlator")] = true
			// net/http would repeat a POST on its own with one of these.
			for header := range r.Header {
				if strings.Contains(strings.ToLower(header), "idempotency") || header == "Cookie" {
					t.Errorf("%s: %s is sent", name, header)
				}
			}
		}
		// Every request is logged, without its body.
		events := n.Events()
		qodtest.Equal(t, "events", len(events), len(requests))
		for _, e := range events {
			if !correlators[e.Correlator] || strings.Contains(e.Path, s.ID) || e.Status == 0 || e.Duration <= 0 {
				t.Errorf("event %+v", e)
			}
			qodtest.Equal(t, fmt.Sprintf("%s %d: an error", e.Operation, e.Status), e.Err != nil, e.Status >= 400)
		}
		var attempts []int
		for _, e := range events {
			if e.Operation == qod.OperationRead {
				attempts = append(attempts, e.Attempt)
				qodtest.Equal(t, "path", e.Path, "/qod/sessions/{sessionId}")
			}
		}
		if !slices.Equal(attempts, []int{1, 2}) {
			t.Errorf("attempts %v", attempts)
		}
	})
}

func TestAnswersAreToldInAFewWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("very long ", 1000)
	tests := map[string]struct {
		body, contentType string
		code, message     string
		bounded           bool
	}{
		"the document's":  {body: `{"status":400,"code":"INVALID_ARGUMENT","message":"duration is too long"}`, code: "INVALID_ARGUMENT", message: "duration is too long"},
		"OAuth's":         {body: `{"error":"invalid_token","error_description":"it has expired"}`, code: "invalid_token", message: "it has expired"},
		"a number":        {body: `{"code":1012,"message":"no"}`, code: "1012", message: "no"},
		"other types":     {body: `{"code":{"a":1},"message":["no"]}`, message: `{"code":{"a":1},"message":["no"]}`},
		"plain text":      {body: "upstream connect error\r\n", contentType: "text/plain", message: "upstream connect error"},
		"HTML":            {body: qodtest.LoginPage, contentType: qodtest.HTML},
		"HTML in JSON":    {body: `{"code":"NO","message":"<b>no</b>"}`, code: "NO"},
		"a comparison":    {body: `{"code":"NO","message":"a < 3 and b > 4"}`, code: "NO", message: "a < 3 and b > 4"},
		"colours":         {body: "\x1b[31mred\x1b[0m\x07 alert", contentType: "text/plain", message: "[31mred[0m alert"},
		"colours in JSON": {body: `{"code":"\u001b[31mNO","message":"a\u0000b\u2028c\u202ed"}`, code: "[31mNO", message: "ab cd"},
		"bytes":           {body: "\xff\xfe\x80abc", contentType: "text/plain", message: "abc"},
		"long":            {body: long, contentType: "text/plain", bounded: true},
		"long in JSON":    {body: `{"code":"` + long + `","message":"` + long + `"}`, bounded: true},
		"empty":           {},
		"null":            {body: "null", message: "null"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				contentType := test.contentType
				if contentType == "" {
					contentType = qodtest.JSON
				}
				n.InjectFault(sandbox.OpRead, -1, sandbox.Status(400, test.body, "Content-Type", contentType))
				_, err := n.Read(t.Context(), qod.Ref{ID: qodtest.SessionID})
				e := qodtest.ErrorAs[*qod.Error](t, err)
				if !test.bounded {
					qodtest.Equal(t, "code", e.Code, test.code)
					qodtest.Equal(t, "message", e.Message, test.message)
				}
				for _, text := range []string{e.Code, e.Message} {
					if count := len([]rune(text)); count > 301 {
						t.Errorf("%d characters", count)
					}
				}
				if i := strings.IndexFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%q", err)
				}
				if !strings.Contains(err.Error(), e.Correlator) || e.Correlator != n.Requests(sandbox.OpRead)[0].Header.Get("X-Correlator") {
					t.Errorf("the correlator %q is not in %q", e.Correlator, err)
				}
			})
		})
	}
}

// A 401 costs one token and one more request, for every operation.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for op, verb := range operations {
		for name, times := range map[string]int{"once": 1, "for ever": -1} {
			t.Run(string(op)+" "+name, func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					s := n.SeedSession(sandbox.Session{})
					n.InjectFault(sandboxOperation(op), times, sandbox.Status(401, `{"code":"UNAUTHENTICATED"}`))
					err := verb(t.Context(), n, s.ID)
					qodtest.Equal(t, "requests", n.Count(sandboxOperation(op)), 2)
					qodtest.Equal(t, "fails", err != nil, times < 0)
					requests := n.Requests(sandboxOperation(op))
					if requests[0].Header.Get("Authorization") == requests[1].Header.Get("Authorization") {
						t.Error("the token that was refused is sent again")
					}
					if err != nil {
						qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, 401)
						qodtest.Equal(t, "gone", qod.IsGone(err), false)
					}
				})
			})
		}
	}
}

// Every operation names the scope that it requires.
func TestForbiddenNamesTheScope(t *testing.T) {
	t.Parallel()
	scopes := map[qod.Operation]string{
		qod.OperationCreate: sandbox.ScopeWrite, qod.OperationDelete: sandbox.ScopeWrite,
		qod.OperationRead: sandbox.ScopeRead, qod.OperationList: sandbox.ScopeRead,
	}
	for op, verb := range operations {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			other := sandbox.ScopeRead
			if scopes[op] == sandbox.ScopeRead {
				other = sandbox.ScopeWrite
			}
			qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.Scopes = []string{other} }}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				err := verb(t.Context(), n, s.ID)
				e := qodtest.ErrorAs[*qod.Error](t, err)
				qodtest.Equal(t, "status", e.Status, http.StatusForbidden)
				qodtest.Equal(t, "scope", e.Scope, scopes[op])
				qodtest.Equal(t, "code", e.Code, "PERMISSION_DENIED")
				qodtest.Equal(t, "requests", n.Count(sandboxOperation(op)), 1)
				qodtest.Equal(t, "gone", qod.IsGone(err), false)
			})
		})
	}
}

// No request takes longer than the request timeout, including the body of its answer.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{"no answer": sandbox.HangBeforeCommit(), "half a body": sandbox.HeadThenHang()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Client: func(c *qod.Config) { c.RequestTimeout, c.MaxRetries = 3*time.Second, 0 }}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				mustList(t, n)
				n.InjectFault(sandbox.OpRead, -1, effect)
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Read(t.Context(), qodtest.Ref(s)) })
				qodtest.Equal(t, "spent", spent, 3*time.Second)
				if _ = qodtest.ErrorAs[*qod.Error](t, err); qodtest.IsError[*qod.InterruptedError](err) {
					t.Errorf("nobody interrupted it: %v", err)
				}
			})
		})
	}
}

// The retries of one operation are spaced further and further apart, with jitter, so that a burst
// does not come back as one.
func TestRetriesAreSpread(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpRead, -1, unavailable)
		for _, err := range concurrently(50, func() error { return list(t, n) }) {
			qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, 503)
		}
		instants := map[time.Time]bool{}
		for _, r := range n.Requests(sandbox.OpRead) {
			instants[r.At] = true
		}
		qodtest.Equal(t, "requests", n.Count(sandbox.OpRead), 250)
		if len(instants) < 150 {
			t.Errorf("250 requests at %d instants", len(instants))
		}
	})
}
