package provider

import (
	"context"

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
