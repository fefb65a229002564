package provider

import (
	"cmp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// sessionModel is a qod_session as configuration, plan and state have it.
type sessionModel struct {
	requestModel
	Duration   validators.WholeNumber `tfsdk:"duration"`
	Timeouts   timeouts.Value         `tfsdk:"timeouts"`
	ID         types.String           `tfsdk:"id"`
	QoSStatus  types.String           `tfsdk:"qos_status"`
	StartedAt  types.String           `tfsdk:"started_at"`
	ExpiresAt  types.String           `tfsdk:"expires_at"`
	StatusInfo types.String           `tfsdk:"status_info"`
	Endpoint   types.String           `tfsdk:"endpoint"`
}

// noSession is a session of which nothing is known.
func noSession() sessionModel {
	var m sessionModel
	m.Device, m.ApplicationServer = types.ObjectNull(deviceTypes), types.ObjectNull(serverTypes)
	m.DevicePorts, m.ApplicationServerPorts = types.ObjectNull(portsTypes), types.ObjectNull(portsTypes)
	m.Timeouts = noTimeouts("create", "delete")
	return m
}

func (m sessionModel) toSpec(token types.String) qod.Spec {
	spec := m.requestModel.toSpec(token, m.Duration.ValueInt64(), time.Time{})
	spec.Unknown[qod.FieldDuration] = m.Duration.IsUnknown()
	return spec
}

// ref names the session to an API. When it was made matters only at the origin where it was made,
// whose replicas may lag: a 404 of another origin proves nothing however often it is asked.
func (m sessionModel) ref(api qod.Sessions, private sessionPrivate) qod.Ref {
	ref := qod.Ref{
		ID: m.ID.ValueString(), Device: toDevice(m.Device), QoSProfile: m.QoSProfile.ValueString(), ExpiresAt: instantOf(m.ExpiresAt),
	}
	if private.Origin == "" || private.Origin == api.Origin() {
		ref.MadeAt = private.MadeAt
	}
	return ref
}

// record takes over what the API decides: status, times, and the profile, whose drift is shown.
// What is configured stands, whatever the API leaves out, adds or spells differently. The endpoint
// is the one that was asked, which is empty while the provider is not configured.
func (m *sessionModel) record(s qod.Session, endpoint string) {
	m.ID = types.StringValue(s.ID)
	m.Endpoint = stringOrNull(cmp.Or(endpoint, m.Endpoint.ValueString()))
	m.QoSStatus, m.StatusInfo = stringOrNull(string(s.Status)), stringOrNull(s.StatusInfo)
	m.StartedAt = instantOrNull(s.StartedAt)
	m.ExpiresAt = instantOrNull(s.ExpiresAt)
	if s.QoSProfile != "" {
		m.QoSProfile = types.StringValue(s.QoSProfile)
	}
}

// recordUnchanged reports whether record left everything as it was.
func (m *sessionModel) recordUnchanged(before sessionModel) bool {
	return m.ID.Equal(before.ID) && m.QoSProfile.Equal(before.QoSProfile) && m.QoSStatus.Equal(before.QoSStatus) && m.StatusInfo.Equal(before.StatusInfo) &&
		m.StartedAt.Equal(before.StartedAt) && m.ExpiresAt.Equal(before.ExpiresAt) && m.Endpoint.Equal(before.Endpoint)
}

// recordImported fills in what the state does not have after an import.
func (m *sessionModel) recordImported(s qod.Session) {
	m.requestModel.recordImported(s)
	if m.Duration.IsNull() && s.Seconds > 0 {
		m.Duration = validators.NewWholeNumber(s.Seconds)
	}
}

// nullUnknowns makes what the API did not say null: a state has no unknown values.
func (m *sessionModel) nullUnknowns() {
	for _, v := range []*types.String{&m.ID, &m.QoSStatus, &m.StatusInfo, &m.StartedAt, &m.ExpiresAt, &m.Endpoint} {
		if v.IsUnknown() {
			*v = types.StringNull()
		}
	}
	m.NotificationAuthToken = types.StringNull()
}
