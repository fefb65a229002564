package diagnostics

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// MadeElsewhere reports a 404 that proves nothing, because another endpoint or client was asked.
func (o Operation) MadeElsewhere(id, made, asked string, err error) diag.Diagnostic {
	m := explain(err)
	m.cause = fmt.Sprintf("The session does not exist at %s, but it was created at %s, where it may be live and billed. It stays in the state.", originText(asked), originText(made))
	m.remedy = "Most likely the endpoint, the API or the credentials have changed. Configure this resource's provider with those that created the session (check its alias and the QOD_* environment variables), " +
		"and run Terraform again. If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
		"(" + addressAbove + ", such as " + o.like + "). It is then billed until it ends."
	if sandboxed := ifSandbox(made); sandboxed != "" {
		m.remedy = sandboxed + "If it is still running, configure this resource's provider with its endpoint and credentials, and run Terraform again."
	}
	return o.failed(withSession(m, id))
}

// ifSandbox is advice for a session that was made at an origin, if that may be a sandbox.
func ifSandbox(made string) string {
	if !strings.HasPrefix(made, "http://") { // plain HTTP is to this machine alone
		return ""
	}
	return "It was created on this machine, perhaps in a sandbox. The sessions of a sandbox end with it, and nothing was billed: " +
		"make Terraform forget them, with terraform state rm 'ADDRESS' for one (" + addressAbove + "), or delete the state if it holds nothing else. " +
		"To use one sandbox for several commands: qod-sandbox exec -- sh\n\n"
}

// PlannedElsewhere refuses an operation that was planned for another endpoint than the one that it
// would be sent to.
func (o Operation) PlannedElsewhere(planned, configured, sessionID string) diag.Diagnostic {
	where, left, sandboxed, forget := "", "the state is kept as it was", "", ""
	switch {
	case sessionID != "" && ifSandbox(planned) != "":
		where, left = ", where the session was created", "the session stays in the state"
		sandboxed = ifSandbox(planned)
	case sessionID != "":
		where, left = ", where the session was created", "the session stays in the state"
		forget = " If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
			"(" + addressAbove + ", such as " + o.like + "). It is then billed until it ends."
	case !o.updates:
		left = "no session was created"
	}
	cause := fmt.Sprintf("The plan was made for the API at %s%s, but the provider is now configured for %s.", planned, where, configured)
	place, api := splitEndpoint(planned)
	if samePlace, other := splitEndpoint(configured); samePlace == place {
		cause = fmt.Sprintf("The plan was made for api = %q at %s%s, but the provider is now configured for api = %q there.", api, place, where, other)
	}
	return o.failed(message{
		cause: cause + " Nothing was sent, and " + left + ".",
		remedy: sandboxed + "Apply with the endpoint that the plan was made for: a saved plan does not contain the provider's settings, " +
			"so check endpoint, api and api_path, the provider's alias, and the environment variables QOD_ENDPOINT, QOD_API and QOD_API_PATH. " +
			"To use the other endpoint, plan again without -refresh=false." + forget,
	}.fact("Session", sessionID))
}

// splitEndpoint takes apart what qod.Client.Endpoint puts together.
func splitEndpoint(endpoint string) (place, api string) {
	place, named, _ := strings.Cut(endpoint, " (")
	return place, cmp.Or(strings.TrimSuffix(named, ")"), string(qod.OpenGateway))
}

// originText writes where a session was created, and whose it is, as people do; see qod.Sessions.
func originText(origin string) string {
	where, owner, found := strings.Cut(origin, " as ")
	if !found {
		return origin
	}
	switch owner {
	case "token":
		owner = "static access token"
	case "headers":
		owner = "headers alone"
	}
	if api, named := strings.CutSuffix(where, ")"); named {
		return api + ", " + owner + ")"
	}
	return where + " (" + owner + ")"
}
