package provider

import (
	"cmp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// endpointOf is the endpoint that the provider is configured for; unknown while its configuration
// is.
func endpointOf(api qod.Sessions) types.String {
	if endpoint := api.Endpoint(); endpoint != "" {
		return types.StringValue(endpoint)
	}
	return types.StringUnknown()
}

// endpoint is where the session was created or last seen, or else the endpoint in the state, where
// Read last looked.
func (p sessionPrivate) endpoint(state types.String) string {
	return cmp.Or(qod.EndpointOf(p.Origin), state.ValueString())
}

// checkEndpoint refuses an apply at another endpoint than the plan was made for, before anything is
// sent there. A saved plan does not contain the provider's settings, so an apply in another
// environment would buy at one API what was reviewed for another. An empty endpoint is not known.
func checkEndpoint(op diagnostics.Operation, api qod.Sessions, planned, sessionID string) diag.Diagnostics {
	if configured := api.Endpoint(); planned != "" && configured != "" && planned != configured {
		return diag.Diagnostics{op.PlannedElsewhere(planned, configured, sessionID)}
	}
	return nil
}

// checkSessionEndpoint is checkEndpoint for a session in the state. A session that has expired by
// the local clock passes: the answer to the request is then judged by the API's clock.
func checkSessionEndpoint(op diagnostics.Operation, api qod.Sessions, private sessionPrivate, endpoint, sessionID, expiresAt types.String) diag.Diagnostics {
	if !private.mayBeAlive(instantOf(expiresAt), time.Now()) {
		return nil
	}
	return checkEndpoint(op, api, private.endpoint(endpoint), sessionID.ValueString())
}
