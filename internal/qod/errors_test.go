// An error is one line that says what happened; the details are in what it wraps.
package qod_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
)

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	refused := &qod.Error{Operation: qod.OperationCreate, Status: 409, Code: "CONFLICT", Message: "no", Correlator: "abc"}
	for want, err := range map[string]error{
		"create session: HTTP 409 Conflict: CONFLICT: no (x-correlator abc)": refused,
		"read session " + qodtest.SessionID + ": EOF":                        &qod.Error{Operation: qod.OperationRead, SessionID: qodtest.SessionID, Err: errors.New("EOF")},
		"token endpoint https://a.example/token: HTTP 401 Unauthorized: invalid_client: who": &qod.TokenError{
			URL: "https://a.example/token", Status: 401, Code: "invalid_client", Description: "who",
		},
		"discovery https://a.example: EOF": &qod.TokenError{URL: "https://a.example", Discovery: true, Err: errors.New("EOF")},
		"a session for phone_number …01 exists already: create session: HTTP 409 Conflict: CONFLICT: no (x-correlator abc)": &qod.ConflictError{Device: qodtest.Spec().Device, Err: refused},
		"a session for phone_number …01 may exist: create session: HTTP 409 Conflict: CONFLICT: no (x-correlator abc)":      &qod.UnresolvedError{Device: qodtest.Spec().Device, Err: refused},

		"delete session: interrupted":    &qod.InterruptedError{Operation: qod.OperationDelete},
		"delete session: timed out: EOF": &qod.InterruptedError{Operation: qod.OperationDelete, Timeout: true, Err: errors.New("EOF")},

		"wait for session x: the network made it UNAVAILABLE":   &qod.WaitError{Reason: qod.WaitUnavailable, Last: qod.Session{ID: "x"}},
		"wait for session x: it was not AVAILABLE in time: EOF": &qod.WaitError{Reason: qod.WaitTimeout, Last: qod.Session{ID: "x"}, Err: errors.New("EOF")},
		"wait for session x: interrupted while waiting":         &qod.WaitError{Reason: qod.WaitInterrupted, Last: qod.Session{ID: "x"}},
		"wait for session x: it is gone":                        &qod.WaitError{Reason: qod.WaitGone, Last: qod.Session{ID: "x"}},
		"wait for session x: the credentials were refused":      &qod.WaitError{Reason: qod.WaitUnauthorized, Last: qod.Session{ID: "x"}},
		"internal fault: index out of range":                    &qod.PanicError{Value: "index out of range", Stack: []byte("stack")},
	} {
		qodtest.Equal(t, "text", err.Error(), want)
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is more than a line", err)
		}
		if inner := errors.Unwrap(err); inner != nil && !errors.Is(err, inner) {
			t.Errorf("%q does not lead to %q", err, inner)
		}
	}
}

// Only a *GoneError says that a session is gone.
func TestIsGone(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"nil": nil, "another": errors.New("404"), "a deadline": context.DeadlineExceeded,
		"made up": &qod.Error{Operation: qod.OperationRead, Status: 404},
		"wrapped": fmt.Errorf("read: %w", &qod.Error{Operation: qod.OperationList, Status: 404}),
	} {
		if qod.IsGone(err) {
			t.Errorf("%s is gone", name)
		}
	}
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		_, err := n.Read(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: qodtest.SessionID})
		if !qod.IsGone(err) || !qod.IsGone(fmt.Errorf("refresh: %w", err)) {
			t.Errorf("it is not gone: %v", err)
		}
	})
}
