// What servers put in front of an answer or around it costs nobody a session.
package qod_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// rewritten is a wire on which answers are not what the network sent.
func rewritten(rewrite func(r *http.Request, body []byte) []byte) wire {
	return func(_ *world, r *http.Request, next http.RoundTripper) (*http.Response, error) {
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

// Servers of one platform begin each JSON text with a byte-order mark: discovery, tokens, sessions,
// lists and errors.
func TestByteOrderMarks(t *testing.T) {
	t.Parallel()
	inBubble(t, setting{wire: rewritten(func(_ *http.Request, body []byte) []byte {
		if len(body) == 0 {
			return body
		}
		return append([]byte("\ufeff"), body...)
	})}, func(t *testing.T, w *world) {
		ctx := within(t, time.Minute)
		made, err := w.Create(ctx, wanted())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "POSTs", w.Count(sandbox.OpCreate), 1)
		shown, err := w.Read(ctx, qod.Ref{ID: made.ID})
		equal(t, "the error of a read", err, nil)
		equal(t, "the device", shown.Device, wanted().Device)
		listed, err := w.List(ctx, qod.Filter{})
		equal(t, "the error of a list", err, nil)
		equal(t, "listed", len(listed), 1)
		_, err = w.Create(ctx, wanted())
		equal(t, "the code of a refusal", as[*qod.Error](t, err).Code, "CONFLICT")
	})
}

// The answer to a create that is wrapped in something still names the session, and it is asked for
// only once.
func TestWrappedAnswers(t *testing.T) {
	t.Parallel()
	for name, around := range map[string][2]string{
		"an object": {`{"status":"ok","data":`, `}`}, "an array": {`[`, `]`}, "the start of one": {`{"data":`, `,"more":{"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, setting{wire: rewritten(func(r *http.Request, body []byte) []byte {
				if r.Method != http.MethodPost || r.URL.Path != "/v1/qod/sessions" {
					return body
				}
				return append(append([]byte(around[0]), body...), around[1]...)
			})}, func(t *testing.T, w *world) {
				made, err := w.Create(within(t, time.Minute), wanted())
				equal(t, "error", err, nil)
				equal(t, "the session", made.ID, w.Ledger()[0].ID)
				equal(t, "POSTs", w.Count(sandbox.OpCreate), 1)
				equal(t, "lists behind it", w.Count(sandbox.OpList) <= 1, true)
			})
		})
	}
}
