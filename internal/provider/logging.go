package provider

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// logRequest writes one line a request: what was asked and how it went. Of an error it has the API's
// code, or what kind it is: texts repeat bodies and name sessions, and a log is handed to anybody.
func logRequest(ctx context.Context, e qod.Event) {
	fields := map[string]any{
		"operation":    string(e.Operation),
		"method":       e.Method,
		"path":         e.Path,
		"status":       e.Status,
		"duration_ms":  e.Duration.Milliseconds(),
		"attempt":      e.Attempt,
		"x_correlator": e.Correlator,
	}
	if e.Err == nil {
		tflog.Debug(ctx, "request to the QoD API", fields)
		return
	}
	if refusal, ok := errors.AsType[*qod.Error](e.Err); ok && errorCode.MatchString(refusal.Code) {
		fields["code"] = refusal.Code
	}
	if e.Status == 0 {
		fields["error"] = kindOf(e.Err)
	}
	tflog.Warn(ctx, "request to the QoD API failed", fields)
}

// errorCode is what codes look like, and ids, numbers and sentences do not: a server can send
// anything as one.
var errorCode = regexp.MustCompile(`\A[A-Za-z]{1,40}([_.][A-Za-z]{1,40}){0,5}\z`)

// kindOf names why there was no answer.
func kindOf(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case diagnostics.IsUntrusted(err):
		return "TLS"
	case errors.As(err, &dns):
		return "host not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection closed"
	}
	return "other"
}

// disableUnaskedLogging turns the logs of the libraries and of the provider off unless the environment asks
// for logs: they would write every call to Terraform, which drops it, for a quarter of the time of
// a large refresh.
func disableUnaskedLogging(getenv func(string) string, setenv func(name, value string) error) {
	loggers := []string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_QOD"}
	for _, asks := range append(loggers, "TF_LOG") {
		if level := getenv(asks); level != "" && !strings.EqualFold(level, "OFF") {
			return
		}
	}
	for _, logger := range loggers {
		_ = setenv(logger, "OFF") // it can fail for odd names only
	}
}
