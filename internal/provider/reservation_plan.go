package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reservationPlan is what planning a qod_reservation decides.
type reservationPlan = resourcePlan[reservationModel]

// planReservation decides what becomes of a reservation from configuration, prior state (nil for none),
// what its record knows, and the provider's endpoint, where a new one is made. It is pure. What time it is, Read has concluded: a plan that looked at a
// clock would be another one when it is applied.
func planReservation(config reservationModel, prior *reservationModel, private sessionPrivate, endpoint types.String) reservationPlan {
	planned := config
	planned.NotificationAuthToken = types.StringNull()
	planned.ID, planned.WindowSeconds = types.StringUnknown(), config.windowSeconds()
	planned.forgetSession()
	planned.Endpoint = endpoint
	if prior == nil {
		return reservationPlan{planned: planned}
	}

	p := planner{imported: private.Imported}
	planned.requestModel = p.request(config.requestModel, prior.requestModel)
	planned.StartsAt = samePlanned(config.StartsAt, prior.StartsAt)
	planned.EndsAt = samePlanned(config.EndsAt, prior.EndsAt)
	if len(p.replace) > 0 {
		return reservationPlan{planned: planned, replace: p.replace, notes: p.unknowns("reservation")}
	}
	planned.ID = prior.ID
	moved := !planned.StartsAt.Equal(prior.StartsAt) || !planned.EndsAt.Equal(prior.EndsAt)
	extends := planned.mayExtend(*prior, private)
	works := moved && !planned.keepsSession(*prior) || planned.asksForWork(*prior) || extends
	// An update works where Read has looked: its session is there, or is planned to be. Where that was
	// never recorded it is where the provider is now, but not for the sake of recording it.
	if !works || !prior.Endpoint.IsNull() {
		planned.Endpoint = prior.Endpoint
	}
	if !works {
		planned.SessionID, planned.Status, planned.StartedAt, planned.ExpiresAt = prior.SessionID, prior.Status, prior.StartedAt, prior.ExpiresAt
		planned.Sessions, planned.GrantedSeconds = prior.Sessions, prior.GrantedSeconds
	}
	notes := p.notes()
	if gap, after := planned.gapAfter(*prior); gap && moved && !works {
		notes.Append(diagnostics.GapBeforeEnd(after, planned.EndsAt.ValueString()))
	}
	if !prior.SessionID.IsNull() && (config.StartsAt.IsUnknown() || config.EndsAt.IsUnknown()) {
		notes.Append(diagnostics.WindowUnknown())
	}
	return reservationPlan{planned: planned, notes: notes}
}

// forgetSession makes unknown what an update may change that reserves, heals, resumes or releases.
func (m *reservationModel) forgetSession() {
	m.SessionID, m.Status, m.StartedAt, m.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.Sessions, m.GrantedSeconds = types.ListUnknown(pastSessionType), validators.UnknownWholeNumber()
}

// live reports whether Read has found a session that the window is open for.
func (m reservationModel) live() bool {
	status := reservationStatus(m.Status.ValueString())
	return !m.SessionID.IsNull() && (status == statusRequested || status == statusAvailable)
}

// keepsSession reports whether a moved window still covers the live session, whatever the time is when the
// plan is applied. Then nothing has to be sent, and the plan shows the session as it is: one that looked
// like a replacement would frighten somebody in the truck, and a policy that counts unknown ids.
func (m reservationModel) keepsSession(prior reservationModel) bool {
	w, known := m.window()
	former, formerKnown := prior.window()
	if !prior.live() || !known || !formerKnown || w.exceededBy(prior.session()) {
		return false
	}
	started := instantOf(prior.StartedAt)
	opens := !w.starts.After(former.starts) || (!started.IsZero() && !w.starts.After(started))
	closes := !w.ends.Before(former.ends) || (!prior.ExpiresAt.IsNull() && !w.ends.Before(instantOf(prior.ExpiresAt)))
	return opens && closes
}

// session is the recorded session, as far as the state shows it.
func (m reservationModel) session() qod.Session {
	return qod.Session{ID: m.SessionID.ValueString(), StartedAt: instantOf(m.StartedAt), ExpiresAt: instantOf(m.ExpiresAt)}
}

// gapAfter reports whether the live session ends before the window does, and when.
func (m reservationModel) gapAfter(prior reservationModel) (gap bool, after string) {
	w, known := m.window()
	return known && prior.live() && w.leaves(prior.session()), prior.ExpiresAt.ValueString()
}

// mayExtend reports whether the live session is to be replaced because the window has been moved beyond
// it, or may be, while that is not known.
func (m reservationModel) mayExtend(prior reservationModel, private sessionPrivate) bool {
	if !prior.live() || prior.EndsAt.IsNull() {
		return false
	}
	w, known := m.window()
	return m.ReplaceToExtend.IsUnknown() || m.ReplaceToExtend.ValueBool() && known && w.outgrows(prior.session(), private.AskedUntil)
}

// asksForWork reports whether what Read has concluded is not how it should be.
func (m reservationModel) asksForWork(prior reservationModel) bool {
	switch reservationStatus(prior.Status.ValueString()) {
	case statusDue, statusUnavailable, statusOverdue:
		return true
	case statusRequested:
		return m.mayWait()
	case statusScheduled, statusAvailable, statusEnded:
	}
	return false
}

// samePlanned keeps the spelling of the state where the configuration means the same instant.
func samePlanned(config, prior types.String) types.String {
	is, err := validators.ParseInstant(config.ValueString())
	if was, wasErr := validators.ParseInstant(prior.ValueString()); err == nil && wasErr == nil && is.Equal(was) {
		return prior
	}
	return config
}
