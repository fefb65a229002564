package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// sessionPlan is what planning a qod_session decides.
type sessionPlan = resourcePlan[sessionModel]

// planSession decides about a qod_session: whether it is replaced, updated in place or left alone.
// It gets the configuration, the prior state (nil for none), the private state, and what it may
// know of the API. It is pure, without clock and network, so that applying a plan decides the same
// again.
func planSession(config sessionModel, prior *sessionModel, private sessionPrivate, api plannedAPI) sessionPlan {
	p := planner{imported: private.Imported}
	planned := config
	planned.NotificationAuthToken = types.StringNull()
	planned.setComputedUnknown()
	planned.Endpoint = api.endpoint
	if prior == nil {
		return sessionPlan{planned: planned}
	}

	planned.requestModel = p.request(config.requestModel, prior.requestModel)
	extended := api.canExtend && config.extends(*prior)
	if !extended {
		planned.Duration = planAttribute(&p, path.Root("duration"), config.Duration, prior.Duration)
	}

	// An UNAVAILABLE session gives no quality, but blocks its device until it is deleted. So may a
	// session that the network still shows after its end.
	if prior.QoSStatus.ValueString() == string(qod.StatusUnavailable) || private.Expired {
		p.replace = append(p.replace, path.Root("qos_status"))
	}
	if len(p.replace) > 0 {
		return sessionPlan{planned: planned, replace: p.replace, warnings: p.warnings("session")}
	}
	planned.ID, planned.Endpoint = prior.ID, prior.Endpoint
	// A wait that did not end is resumed: the update only polls.
	if prior.QoSStatus.ValueString() != string(qod.StatusRequested) || !planned.mayWait() {
		planned.QoSStatus, planned.StartedAt, planned.ExpiresAt = prior.QoSStatus, prior.StartedAt, prior.ExpiresAt
		planned.StatusInfo = prior.StatusInfo
	}
	if extended {
		planned.ExpiresAt = types.StringUnknown()
	}
	return sessionPlan{planned: planned, warnings: p.warnings("session")}
}

// extends reports whether the session is to last longer than it was requested for.
func (m sessionModel) extends(prior sessionModel) bool {
	return isSet(m.Duration) && isSet(prior.Duration) && m.Duration.ValueInt64() > prior.Duration.ValueInt64()
}

// setComputedUnknown leaves to the API what only it can say of a new session.
func (m *sessionModel) setComputedUnknown() {
	m.ID, m.QoSStatus, m.StartedAt, m.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.StatusInfo = types.StringUnknown()
}
