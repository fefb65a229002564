package provider

import (
	"cmp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reservationModel is a qod_reservation as configuration, plan and state have it.
type reservationModel struct {
	requestModel
	StartsAt        validators.InstantValue `tfsdk:"starts_at"`
	EndsAt          validators.InstantValue `tfsdk:"ends_at"`
	Timeouts        timeouts.Value          `tfsdk:"timeouts"`
	ID              types.String            `tfsdk:"id"`
	SessionID       types.String            `tfsdk:"session_id"`
	Status          types.String            `tfsdk:"status"`
	StartedAt       types.String            `tfsdk:"started_at"`
	ExpiresAt       types.String            `tfsdk:"expires_at"`
	StatusInfo      types.String            `tfsdk:"status_info"`
	WindowSeconds   validators.WholeNumber  `tfsdk:"window_seconds"`
	Endpoint        types.String            `tfsdk:"endpoint"`
	Sessions        types.List              `tfsdk:"sessions"`
	GrantedSeconds  validators.WholeNumber  `tfsdk:"granted_seconds"`
	ReplaceToExtend types.Bool              `tfsdk:"replace_to_extend"`
}

// window is the configured window. It is not known while a part of it is unknown, nor after an
// import.
func (m reservationModel) window() (w window, known bool) {
	if m.StartsAt.IsUnknown() || !isSet(m.EndsAt) {
		return window{}, false
	}
	return window{starts: m.StartsAt.Time(), ends: m.EndsAt.Time()}, true
}

// isOpen reports whether the window is known to be open.
func (m reservationModel) isOpen(now time.Time) bool {
	w, known := m.window()
	return known && w.status(now, nil) == statusDue
}

// awaitsWindow reports whether the window had not ended when Terraform last looked, and there was
// no session.
func (m reservationModel) awaitsWindow() bool {
	status := reservationStatus(m.Status.ValueString())
	return status == statusScheduled || status == statusDue
}

// toSpec asks for a session until the window ends.
func (m reservationModel) toSpec(token types.String) qod.Spec {
	w, known := m.window()
	spec := m.requestModel.toSpec(token, 0, w.ends)
	spec.Unknown[qod.FieldDuration] = !known
	return spec
}

// windowSeconds is the value of window_seconds.
func (m reservationModel) windowSeconds() validators.WholeNumber {
	switch w, known := m.window(); {
	case m.StartsAt.IsNull(), m.EndsAt.IsNull():
		return validators.NullWholeNumber()
	case !known:
		return validators.UnknownWholeNumber()
	default:
		return validators.NewWholeNumber(w.seconds())
	}
}

// ref names the current session.
func (m reservationModel) ref(private sessionPrivate) qod.Ref {
	return qod.Ref{
		ID: m.SessionID.ValueString(), Device: toDevice(m.Device), QoSProfile: m.QoSProfile.ValueString(),
		MadeAt: private.MadeAt, ExpiresAt: instantOf(m.ExpiresAt),
	}
}

// record takes over the session as it was last seen (nil for none), the status that follows, all
// the sessions there have been, and the endpoint that was asked, which is empty while the provider
// is not configured.
func (m *reservationModel) record(s *qod.Session, status reservationStatus, h sessionHistory, endpoint string) {
	m.recordHistory(h)
	m.Endpoint = stringOrNull(cmp.Or(endpoint, m.Endpoint.ValueString()))
	m.Status = types.StringValue(string(status))
	m.NotificationAuthToken = types.StringNull()
	if s == nil {
		m.SessionID, m.StartedAt, m.ExpiresAt, m.StatusInfo = types.StringNull(), types.StringNull(), types.StringNull(), types.StringNull()
		return
	}
	m.SessionID = types.StringValue(s.ID)
	m.StartedAt = instantOrNull(s.StartedAt)
	m.ExpiresAt = instantOrNull(s.ExpiresAt)
	m.StatusInfo = stringOrNull(s.StatusInfo)
}

// keepPlanned leaves what was planned of a session that is extended, as Terraform insists on. What
// the network says otherwise, the next refresh shows.
func (m *reservationModel) keepPlanned(plan reservationModel) {
	if m.hasQuality() && !plan.Sessions.IsUnknown() {
		m.StartedAt, m.Sessions = plan.StartedAt, plan.Sessions
	}
	if m.hasQuality() {
		m.StatusInfo = plan.StatusInfo
	}
}

// withoutSession is the state once the session is gone and the API's time is not known. A status
// that is about the window alone stays. By the time of this machine, the session had ended.
func (m reservationModel) withoutSession(private sessionPrivate, machine time.Time) reservationModel {
	m.recordHistory(m.history(private).gone(machine))
	m.SessionID, m.StartedAt, m.ExpiresAt, m.StatusInfo = types.StringNull(), types.StringNull(), types.StringNull(), types.StringNull()
	if s := reservationStatus(m.Status.ValueString()); s != statusScheduled && s != statusEnded {
		m.Status = types.StringValue(string(statusDue))
	}
	return m
}

// endedForGood reports whether the window had ended when Terraform last looked, and has by the
// local clock. That clock never decides alone, but it may veto: where it disagrees, the API is
// asked again.
func (m reservationModel) endedForGood(private sessionPrivate, local time.Time) bool {
	w, known := m.window()
	return known && reservationStatus(m.Status.ValueString()) == statusEnded && m.SessionID.IsNull() &&
		private.Lost.ID == "" && w.hasEnded(local)
}

// recordUnchanged reports whether record has left everything as it was.
func (m reservationModel) recordUnchanged(before reservationModel) bool {
	return m.SessionID.Equal(before.SessionID) && m.QoSProfile.Equal(before.QoSProfile) && m.Status.Equal(before.Status) && m.StatusInfo.Equal(before.StatusInfo) &&
		m.StartedAt.Equal(before.StartedAt) && m.ExpiresAt.Equal(before.ExpiresAt) && m.Endpoint.Equal(before.Endpoint) &&
		m.Sessions.Equal(before.Sessions) && m.GrantedSeconds.Equal(before.GrantedSeconds)
}
