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

// logRequest writes one line for each request: what was sent and how it ended. Of an error it
// writes the API's code, or the kind of error. Texts repeat bodies and name sessions, and logs get
// passed on.
func logRequest(ctx context.Context, e qod.Event) {
	if e.Operation == qod.OperationConsent {
		logConsent(ctx, e)
		return
	}
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

// logConsent says that the run waits for a device's user, and what came of it: meanwhile, Terraform
// shows no more than that it is still at work.
func logConsent(ctx context.Context, e qod.Event) {
	fields := map[string]any{"path": e.Path, "duration_ms": e.Duration.Milliseconds(), "attempt": e.Attempt}
	refusal, refused := errors.AsType[*qod.TokenError](e.Err)
	switch {
	case e.Waits > 0:
		fields["expires_in_s"] = int(e.Waits.Seconds())
		tflog.Info(ctx, "waiting for the consent of a device's user (CIBA)", fields)
	case e.Err == nil:
		tflog.Info(ctx, "the device's user has agreed (CIBA)", fields)
	default:
		if refused && errorCode.MatchString(refusal.Code) {
			fields["code"] = refusal.Code
		}
		if refused && refusal.Status != 0 {
			fields["status"] = refusal.Status
		}
		tflog.Warn(ctx, "no access token for the device (CIBA)", fields)
	}
}

// errorCode matches what codes look like, but no ids, numbers or sentences: a server can send
// anything in place of a code.
var errorCode = regexp.MustCompile(`\A[A-Za-z]{1,40}([_.][A-Za-z]{1,40}){0,5}\z`)

// kindOf names the reason why there was no answer.
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

// disableUnaskedLogging turns off the logs of the libraries and of the provider unless the
// environment asks for logs. Otherwise they send every line to Terraform, which drops it, and that
// takes a quarter of a large refresh.
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
