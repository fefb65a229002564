package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// What becomes of a qod_reservation is decided in four places:
//
//   - Read (reservation_resource.go) asks the API for the session and the time, and records the
//     status.
//   - window.status (reservation_window.go) is that status: a function of window, time and session.
//   - planReservation (below) compares configuration and recorded state. It plans a replacement, as
//     planner.request (request.go) decides, an update that acts on the network, an update of the
//     state only, or no change.
//   - reconciler.run (reservation_reconcile.go) does the work in the apply. It asks for session and
//     time again, and creates, deletes or waits as the status then says.

// reservationPlan is what planning a qod_reservation decides.
type reservationPlan = resourcePlan[reservationModel]

// planReservation decides about a qod_reservation. It gets the configuration, the prior state (nil
// for none), the private state, and what it may know of the API. It is pure.
// The status in the prior state stands for the time: a plan that looked at a clock would decide
// differently when it is applied.
func planReservation(config reservationModel, prior *reservationModel, private sessionPrivate, api plannedAPI) reservationPlan {
	planned := config
	planned.NotificationAuthToken = types.StringNull()
	planned.ID, planned.WindowSeconds = types.StringUnknown(), config.windowSeconds()
	planned.setSessionUnknown()
	planned.Endpoint = api.endpoint
	if prior == nil {
		return reservationPlan{planned: planned}
	}

	p := planner{imported: private.Imported}
	planned.requestModel = p.request(config.requestModel, prior.requestModel)
	planned.StartsAt = planInstant(config.StartsAt, prior.StartsAt)
	planned.EndsAt = planInstant(config.EndsAt, prior.EndsAt)
	if len(p.replace) > 0 {
		return reservationPlan{planned: planned, replace: p.replace, warnings: p.warnings("reservation")}
	}
	planned.ID = prior.ID
	windowChanges := !planned.StartsAt.Equal(prior.StartsAt) || !planned.EndsAt.Equal(prior.EndsAt)
	needsNetwork := windowChanges && !planned.keepsSession(*prior) || planned.statusNeedsNetwork(*prior) || planned.mayExtend(*prior, private, api)
	// An update uses the endpoint in the state, where Read looked, or else the provider's. A
	// missing endpoint alone causes no update.
	if !needsNetwork || !prior.Endpoint.IsNull() {
		planned.Endpoint = prior.Endpoint
	}
	switch keeps := !windowChanges || planned.keepsSession(*prior); {
	case !needsNetwork:
		planned.SessionID, planned.Status, planned.StartedAt, planned.ExpiresAt = prior.SessionID, prior.Status, prior.StartedAt, prior.ExpiresAt
		planned.StatusInfo = prior.StatusInfo
		planned.Sessions, planned.GrantedSeconds = prior.Sessions, prior.GrantedSeconds
	case keeps && api.canExtend && prior.hasQuality():
		planned.setExtended(*prior)
	}
	warnings := p.warnings("reservation")
	if gap, after := planned.gapAfter(*prior, private); gap && windowChanges && !needsNetwork && !api.canExtend {
		warnings.Append(diagnostics.GapBeforeEnd(after, planned.EndsAt.ValueString(), planned.ReplaceToExtend.ValueBool()))
	}
	if prior.EndsAt.IsNull() && !api.canExtend && planned.outgrows(*prior, private) {
		warnings.Append(diagnostics.ReplacedAfterImport(planned.EndsAt.ValueString()))
	}
	if status := reservationStatus(prior.Status.ValueString()); config.StartsAt.IsUnknown() && prior.SessionID.IsNull() && status != statusEnded {
		warnings.Append(diagnostics.StartUnknown())
	}
	if !prior.SessionID.IsNull() && (config.StartsAt.IsUnknown() || config.EndsAt.IsUnknown()) {
		warnings.Append(diagnostics.WindowUnknown())
	}
	return reservationPlan{planned: planned, warnings: warnings}
}

// setSessionUnknown leaves to the apply what an update that acts on the network may change.
func (m *reservationModel) setSessionUnknown() {
	m.SessionID, m.Status, m.StartedAt, m.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.StatusInfo = types.StringUnknown()
	m.Sessions, m.GrantedSeconds = types.ListUnknown(pastSessionType), validators.UnknownWholeNumber()
}

// setExtended plans an update that only extends the session, and leaves only its new end to the
// apply. If there is no such session by then, the apply is an error: this plan was
// not for a new one. What the state does not have yet, the apply may fill in.
func (m *reservationModel) setExtended(prior reservationModel) {
	m.SessionID, m.Status, m.StatusInfo = prior.SessionID, types.StringValue(string(statusAvailable)), prior.StatusInfo
	if !prior.StartedAt.IsNull() && !prior.Sessions.IsNull() {
		m.StartedAt, m.Sessions = prior.StartedAt, prior.Sessions
	}
}

// actsOnNetwork reports whether the planned update does more than change the state.
func (m reservationModel) actsOnNetwork() bool { return m.ExpiresAt.IsUnknown() }

// onlyExtends reports whether the planned update extends the session that there is, and does
// nothing else.
func (m reservationModel) onlyExtends() bool { return m.actsOnNetwork() && !m.SessionID.IsUnknown() }

// live reports whether Read has found a session that the window is open for.
func (m reservationModel) live() bool {
	return m.hasQuality() || !m.SessionID.IsNull() && reservationStatus(m.Status.ValueString()) == statusRequested
}

// hasQuality reports whether Read has found a session that the window is open for, and AVAILABLE.
func (m reservationModel) hasQuality() bool {
	status := reservationStatus(m.Status.ValueString())
	return !m.SessionID.IsNull() && (status == statusAvailable || status == statusExpiring)
}

// keepsSession reports whether a moved window still covers the live session, whatever the time is
// when the plan is applied. Then nothing has to be sent, and the plan shows the session as it is:
// one that looked like a replacement would alarm the operator, and trip a policy that counts
// unknown ids.
func (m reservationModel) keepsSession(prior reservationModel) bool {
	w, known := m.window()
	former, formerKnown := prior.window()
	if !prior.live() || !known || !formerKnown || w.outlastedBy(prior.session()) {
		return false
	}
	started := instantOf(prior.StartedAt)
	opens := !w.starts.After(former.starts) || (!started.IsZero() && !w.starts.After(started))
	closes := !w.ends.Before(former.ends) || (!prior.ExpiresAt.IsNull() && !w.ends.Before(instantOf(prior.ExpiresAt)))
	return opens && closes
}

// shortens reports whether the window of a live session only ends earlier than before. The apply
// then keeps the session or ends it, and requests no other one, whatever has become of it.
func (m reservationModel) shortens(prior reservationModel) bool {
	w, known := m.window()
	former, formerKnown := prior.window()
	return prior.live() && known && formerKnown && m.StartsAt.Equal(prior.StartsAt) && w.ends.Before(former.ends) &&
		!m.ReplaceToExtend.IsUnknown() && !m.ReplaceToExtend.ValueBool()
}

// session is the recorded session, as far as the state shows it.
func (m reservationModel) session() qod.Session {
	return qod.Session{ID: m.SessionID.ValueString(), StartedAt: instantOf(m.StartedAt), ExpiresAt: instantOf(m.ExpiresAt)}
}

// gapAfter reports whether the live session ends before the window does, and when.
func (m reservationModel) gapAfter(prior reservationModel, private sessionPrivate) (gap bool, after string) {
	w, known := m.window()
	former, formerKnown := prior.window()
	session := private.expected(prior.session())
	switch {
	case !known || !prior.live():
		return false, ""
	case session.ExpiresAt.IsZero(): // it was requested for the window as it was
		return formerKnown && w.ends.Sub(former.ends) > endTolerance, ""
	}
	return w.outlasts(session), session.ExpiresAt.UTC().Format(time.RFC3339)
}

// mayExtend reports whether the live session is to be extended, or replaced where the API cannot do
// that, because the window has been moved beyond it, or may be, while that is not known. The first
// apply after an import replaces nothing.
func (m reservationModel) mayExtend(prior reservationModel, private sessionPrivate, api plannedAPI) bool {
	if api.canExtend {
		w, known := m.window()
		return known && prior.live() && w.outgrows(prior.session(), private.settledEnd())
	}
	if prior.EndsAt.IsNull() {
		return false
	}
	return prior.live() && m.ReplaceToExtend.IsUnknown() || m.outgrows(prior, private)
}

// outgrows reports whether the live session ends before the window, and is to be replaced for that.
func (m reservationModel) outgrows(prior reservationModel, private sessionPrivate) bool {
	w, known := m.window()
	return known && prior.live() && m.ReplaceToExtend.ValueBool() && w.outgrows(prior.session(), private.settledEnd())
}

// statusNeedsNetwork reports whether the status that Read recorded calls for an update that acts on
// the network.
func (m reservationModel) statusNeedsNetwork(prior reservationModel) bool {
	switch reservationStatus(prior.Status.ValueString()) {
	case statusDue, statusUnavailable, statusOverdue, statusExpiring:
		return true
	case statusRequested:
		return m.mayWait()
	case statusScheduled, statusAvailable, statusEnded:
	}
	return false
}

// planInstant keeps the spelling of the state if the configuration means the same time.
func planInstant(config, prior validators.InstantValue) validators.InstantValue {
	if isSet(config) && isSet(prior) && config.Time().Equal(prior.Time()) {
		return prior
	}
	return config
}
