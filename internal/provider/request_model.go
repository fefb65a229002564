package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// requestModel has the arguments that all resources share: what a session is asked for, and whether to
// wait for it. See requestAttributes.
type requestModel struct {
	Device                       types.Object           `tfsdk:"device"`
	ApplicationServer            types.Object           `tfsdk:"application_server"`
	QoSProfile                   types.String           `tfsdk:"qos_profile"`
	NotificationURL              types.String           `tfsdk:"notification_url"`
	NotificationAuthToken        types.String           `tfsdk:"notification_auth_token"`
	NotificationAuthTokenVersion validators.WholeNumber `tfsdk:"notification_auth_token_version"`
	WaitForAvailable             types.Bool             `tfsdk:"wait_for_available"`
}

// waits reports whether to wait for AVAILABLE, which is the default.
func (m requestModel) waits() bool {
	return m.WaitForAvailable.IsNull() || m.WaitForAvailable.ValueBool()
}

// mayWait is waits at plan time, when the value may be unknown.
func (m requestModel) mayWait() bool { return m.WaitForAvailable.IsUnknown() || m.waits() }

// toSpec translates what is configured; the duration, or the end, is the resource's own. The token
// comes from the configuration: a write-only value is in nothing else.
func (m requestModel) toSpec(token types.String, seconds int64, until time.Time) qod.Spec {
	return qod.Spec{
		Device:                toDevice(m.Device),
		ApplicationServer:     toApplicationServer(m.ApplicationServer),
		QoSProfile:            m.QoSProfile.ValueString(),
		Seconds:               seconds,
		Until:                 until,
		NotificationURL:       m.NotificationURL.ValueString(),
		NotificationAuthToken: token.ValueString(),
	}
}

// recordImported fills in what the state does not have after an import.
func (m *requestModel) recordImported(s qod.Session) {
	if m.Device.IsNull() && !s.Device.IsZero() {
		m.Device = fromDevice(s.Device)
	}
}

func isSet(v attr.Value) bool { return !v.IsNull() && !v.IsUnknown() }

func stringOrNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
