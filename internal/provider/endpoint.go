package provider

import (
	"cmp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// endpointOf is where the API is; unknown while the provider's configuration is.
func endpointOf(api qod.Sessions) types.String {
	if endpoint := api.Endpoint(); endpoint != "" {
		return types.StringValue(endpoint)
	}
	return types.StringUnknown()
}

// endpoint is where the session was made or last seen; without one, where Read last looked, as the state
// has it.
func (m sessionPrivate) endpoint(recorded types.String) string {
	return cmp.Or(qod.EndpointOf(m.Origin), recorded.ValueString())
}

// checkEndpoint refuses what was planned for another endpoint than the provider's, before anything is
// sent there. A saved plan holds no settings of the provider: an apply in another environment would buy
// at another API what was reviewed for this one. Empty is not known.
func checkEndpoint(op diagnostics.Operation, api qod.Sessions, planned, sessionID string) diag.Diagnostics {
	if configured := api.Endpoint(); planned != "" && configured != "" && planned != configured {
		return diag.Diagnostics{op.PlannedElsewhere(planned, configured, sessionID)}
	}
	return nil
}

// checkSessionEndpoint does so for a session in the state. One that must be over goes on: the clock of
// this machine lets the request out, and what the answer proves is for the API's time to say.
func checkSessionEndpoint(op diagnostics.Operation, api qod.Sessions, private sessionPrivate, recorded, sessionID, expiresAt types.String) diag.Diagnostics {
	if !private.mayBeAlive(instantOf(expiresAt), time.Now()) {
		return nil
	}
	return checkEndpoint(op, api, private.endpoint(recorded), sessionID.ValueString())
}
