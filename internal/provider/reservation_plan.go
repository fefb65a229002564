package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
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
	planned.setSessionUnknown()
	planned.Endpoint = endpoint
	if prior == nil {
		return reservationPlan{planned: planned}
	}

	p := planner{imported: private.Imported}
	planned.requestModel = p.request(config.requestModel, prior.requestModel)
	planned.StartsAt = planInstant(config.StartsAt, prior.StartsAt)
	planned.EndsAt = planInstant(config.EndsAt, prior.EndsAt)
	if len(p.replace) > 0 {
		return reservationPlan{planned: planned, replace: p.replace, warnings: p.unknowns("reservation")}
	}
	planned.ID = prior.ID
	moved := !planned.StartsAt.Equal(prior.StartsAt) || !planned.EndsAt.Equal(prior.EndsAt)
	works := moved || planned.needsAction(*prior)
	// An update works where Read has looked: its session is there, or is planned to be. Where that was
	// never recorded it is where the provider is now, but not for the sake of recording it.
	if !works || !prior.Endpoint.IsNull() {
		planned.Endpoint = prior.Endpoint
	}
	if !works {
		planned.SessionID, planned.Status, planned.StartedAt, planned.ExpiresAt = prior.SessionID, prior.Status, prior.StartedAt, prior.ExpiresAt
	}
	notes := p.notes()
	if !prior.SessionID.IsNull() && (config.StartsAt.IsUnknown() || config.EndsAt.IsUnknown()) {
		notes.Append(diagnostics.WindowUnknown())
	}
	return reservationPlan{planned: planned, warnings: notes}
}

// setSessionUnknown makes unknown what an update may change that reserves, heals, resumes or releases.
func (m *reservationModel) setSessionUnknown() {
	m.SessionID, m.Status, m.StartedAt, m.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
}

// needsAction reports whether what Read has concluded is not how it should be.
func (m reservationModel) needsAction(prior reservationModel) bool {
	switch reservationStatus(prior.Status.ValueString()) {
	case statusDue, statusUnavailable, statusOverdue:
		return true
	case statusRequested:
		return m.mayWait()
	case statusScheduled, statusAvailable, statusEnded:
	}
	return false
}

// planInstant keeps the spelling of the state where the configuration means the same instant.
func planInstant(config, prior types.String) types.String {
	is, err := validators.ParseInstant(config.ValueString())
	if was, wasErr := validators.ParseInstant(prior.ValueString()); err == nil && wasErr == nil && is.Equal(was) {
		return prior
	}
	return config
}
