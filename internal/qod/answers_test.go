// What servers put before or around the JSON of an answer loses no session.
package qod_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// rewriteAnswers is an interceptor that changes the network's answers.
func rewriteAnswers(rewrite func(r *http.Request, body []byte) []byte) qodtest.Interceptor {
	return func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		body = rewrite(r, body)
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
		return resp, nil
	}
}

// Servers of one platform begin every JSON text with a byte-order mark: discovery documents,
// tokens, sessions, lists and errors.
func TestByteOrderMarks(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Intercept: rewriteAnswers(func(_ *http.Request, body []byte) []byte {
		if len(body) == 0 {
			return body
		}
		return append([]byte("\ufeff"), body...)
	})}, func(t *testing.T, n *qodtest.Network) {
		ctx := qodtest.WithTimeout(t, time.Minute)
		made, err := n.Create(ctx, qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
		shown, err := n.Read(ctx, qod.Ref{ID: made.ID})
		qodtest.Equal(t, "the error of a read", err, nil)
		qodtest.Equal(t, "the device", shown.Device, qodtest.Spec().Device)
		listed, err := n.List(ctx, qod.Filter{})
		qodtest.Equal(t, "the error of a list", err, nil)
		qodtest.Equal(t, "listed", len(listed), 1)
		_, err = n.Create(ctx, qodtest.Spec())
		qodtest.Equal(t, "the code of a refusal", qodtest.ErrorAs[*qod.Error](t, err).Code, "CONFLICT")
	})
}

// An answer to a create that is wrapped in something still names the session, and there is only one
// POST.
func TestWrappedAnswers(t *testing.T) {
	t.Parallel()
	for name, around := range map[string][2]string{
		"an object": {`{"status":"ok","data":`, `}`}, "an array": {`[`, `]`}, "the start of one": {`{"data":`, `,"more":{"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Intercept: rewriteAnswers(func(r *http.Request, body []byte) []byte {
				if r.Method != http.MethodPost || r.URL.Path != "/v1/qod/sessions" {
					return body
				}
				return append(append([]byte(around[0]), body...), around[1]...)
			})}, func(t *testing.T, n *qodtest.Network) {
				made, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
				qodtest.Equal(t, "error", err, nil)
				qodtest.Equal(t, "the session", made.ID, n.Ledger()[0].ID)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
				qodtest.Equal(t, "lists behind it", n.Count(sandbox.OpList) <= 1, true)
			})
		})
	}
}
