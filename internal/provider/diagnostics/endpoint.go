package diagnostics

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// MadeElsewhere reports a 404 that proves nothing, because another endpoint or client was asked.
func (o Operation) MadeElsewhere(id, made, asked string, err error) diag.Diagnostic {
	m := explain(err)
	m.cause = fmt.Sprintf("The session is not known at %s, but it was made at %s, where it may be live and billed. It stays in the state.", asked, made)
	m.remedy = "Give this resource's provider the endpoint and the credentials that made the session (check its alias and the QOD_* environment variables, too), " +
		"and run Terraform again. If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
		"(ADDRESS is the one above, such as " + o.like + "). It is then billed until it ends."
	if sandboxed := ifSandbox(made); sandboxed != "" {
		m.remedy = sandboxed + "If it is still running, give this resource's provider its endpoint and the credentials that made the session, and run Terraform again."
	}
	return o.failed(withSession(m, id))
}

// ifSandbox is advice for a session that was made at an origin, if that may be a sandbox.
func ifSandbox(made string) string {
	if !strings.HasPrefix(made, "http://") { // plain HTTP is to this machine alone
		return ""
	}
	return "It was made on this machine, perhaps in a sandbox. One that has ended took its sessions with it, and nothing was billed: " +
		"make Terraform forget them, with terraform state rm 'ADDRESS' for one (ADDRESS is the one above), or by deleting the state if nothing else is in it. " +
		"To use one sandbox for several commands: qod-sandbox exec -- sh\n\n"
}

// PlannedElsewhere refuses an operation that was planned for another endpoint than the one that it
// would be sent to.
func (o Operation) PlannedElsewhere(planned, configured, sessionID string) diag.Diagnostic {
	where, left, sandboxed, forget := "", "the state is kept as it was", "", ""
	switch {
	case sessionID != "" && ifSandbox(planned) != "":
		where, left = ", where the session was made", "the session stays in the state"
		sandboxed = ifSandbox(planned)
	case sessionID != "":
		where, left = ", where the session was made", "the session stays in the state"
		forget = " If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
			"(ADDRESS is the one above, such as " + o.like + "). It is then billed until it ends."
	case !o.updates:
		left = "no session was created"
	}
	return o.failed(message{
		cause: fmt.Sprintf("The plan was made for the API at %s%s, but the provider is now configured for %s. Nothing was sent, and %s.",
			planned, where, configured, left),
		remedy: sandboxed + "A saved plan does not contain the provider's settings: they come from the configuration and the environment of the apply. " +
			"Use the same endpoint for plan and apply (check the provider's endpoint, its alias and QOD_ENDPOINT), " +
			"or plan again, without -refresh=false, with the endpoint you want." + forget,
	}.fact("Session", sessionID))
}
