package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// A line has what the design allows and nothing else, whatever a server says or an error quotes.
func TestLogRequest(t *testing.T) {
	t.Parallel()
	const session = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	answered := func(status int, code string) qod.Event {
		return qod.Event{Status: status, Err: &qod.Error{SessionID: session, Status: status, Code: code, Message: "said by the server"}}
	}
	unanswered := func(err error) qod.Event {
		return qod.Event{Err: &qod.Error{SessionID: session, Err: fmt.Errorf("said by the server: %w", err)}}
	}
	for name, row := range map[string]struct {
		event qod.Event
		level string
		more  map[string]any
	}{
		"a success":                {qod.Event{Status: 200}, "debug", nil},
		"the document's code":      {answered(400, "INVALID_ARGUMENT"), "warn", map[string]any{"code": "INVALID_ARGUMENT"}},
		"OAuth's code":             {answered(401, "invalid_token"), "warn", map[string]any{"code": "invalid_token"}},
		"CAMARA's code":            {answered(422, "QUALITY_ON_DEMAND.INVALID_DURATION"), "warn", map[string]any{"code": "QUALITY_ON_DEMAND.INVALID_DURATION"}},
		"no code":                  {answered(503, ""), "warn", nil},
		"a sentence for a code":    {answered(400, "said by the server"), "warn", nil},
		"a session for a code":     {answered(404, session), "warn", nil},
		"a number for a code":      {answered(400, "34600000010"), "warn", nil},
		"a long word for a code":   {answered(400, strings.Repeat("E", 41)), "warn", nil},
		"no time left":             {unanswered(context.DeadlineExceeded), "warn", map[string]any{"error": "timeout"}},
		"an interrupt":             {unanswered(context.Canceled), "warn", map[string]any{"error": "interrupted"}},
		"a foreign certificate":    {unanswered(errors.New("x509: certificate signed by unknown authority")), "warn", map[string]any{"error": "TLS"}},
		"a host that is unknown":   {unanswered(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "gateway.example", IsNotFound: true}}), "warn", map[string]any{"error": "host not found"}},
		"nobody at the port":       {unanswered(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "warn", map[string]any{"error": "connection refused"}},
		"a connection that broke":  {unanswered(syscall.ECONNRESET), "warn", map[string]any{"error": "connection closed"}},
		"an answer that broke off": {unanswered(io.ErrUnexpectedEOF), "warn", map[string]any{"error": "connection closed"}},
		"anything else":            {unanswered(errors.New("malformed HTTP response")), "warn", map[string]any{"error": "other"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := row.event
			event.Operation, event.Method, event.Path = qod.OperationRead, "GET", "/qod/sessions/{sessionId}"
			event.Duration, event.Attempt, event.Correlator = 1500*time.Millisecond, 2, "a-correlator"
			var log bytes.Buffer
			logRequest(tflogtest.RootLogger(t.Context(), &log), event)
			lines, err := tflogtest.MultilineJSONDecode(&log)
			if err != nil || len(lines) != 1 {
				t.Fatalf("%d lines, %v", len(lines), err)
			}
			message := "request to the QoD API"
			if row.event.Err != nil {
				message += " failed"
			}
			want := map[string]any{
				"@level": row.level, "@message": message, "@module": "provider", "operation": "read", "method": "GET", "path": "/qod/sessions/{sessionId}",
				"status": float64(event.Status), "duration_ms": 1500.0, "attempt": 2.0, "x_correlator": "a-correlator",
			}
			maps.Copy(want, row.more)
			if !maps.Equal(lines[0], want) {
				t.Errorf("got  %v\nwant %v", lines[0], want)
			}
		})
	}
}
