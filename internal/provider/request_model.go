package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// requestModel is what a session is asked for, in every resource that reserves sessions: see
// requestAttributes.
type requestModel struct {
	Device                       types.Object           `tfsdk:"device"`
	ApplicationServer            types.Object           `tfsdk:"application_server"`
	QoSProfile                   types.String           `tfsdk:"qos_profile"`
	NotificationURL              types.String           `tfsdk:"notification_url"`
	NotificationAuthToken        types.String           `tfsdk:"notification_auth_token"`
	NotificationAuthTokenVersion validators.WholeNumber `tfsdk:"notification_auth_token_version"`
	WaitForAvailable             types.Bool             `tfsdk:"wait_for_available"`
}

// waits reports whether AVAILABLE is to be waited for; not set means that it is.
func (m requestModel) waits() bool {
	return m.WaitForAvailable.IsNull() || m.WaitForAvailable.ValueBool()
}

// mayWait is waits while planning, when it need not be known yet.
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

// recordImported fills what an import has to take from the API.
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

// instantOrNull writes a time as RFC 3339 in UTC, so that the API's time zone is no drift.
func instantOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
