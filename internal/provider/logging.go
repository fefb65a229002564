package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// logRequest writes one line a request: what was asked and how it went. No body, header, id or
// identifier is in it, so that a log can be handed to anybody.
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
	if e.Err != nil {
		fields["error"] = e.Err.Error()
		tflog.Warn(ctx, "request to the QoD API failed", fields)
		return
	}
	tflog.Debug(ctx, "request to the QoD API", fields)
}

// logWhatIsAsked turns the logs of the libraries and of the provider off unless the environment asks
// for logs: they would write every call to Terraform, which drops it, for a quarter of the time of
// a large refresh.
func logWhatIsAsked(getenv func(string) string, setenv func(name, value string) error) {
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
