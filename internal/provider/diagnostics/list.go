package diagnostics

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ListFailed reports a list of sessions that cannot be had.
func ListFailed(err error) diag.Diagnostic {
	return Operation{summary: listSummary}.failed(explain(err))
}

// ListIncomplete warns of a list that may not show all sessions.
func ListIncomplete(e *qod.IncompleteListError, shown int) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Incomplete List of QoS Sessions", message{
		cause:  sentence(capital(e.Error())) + fmt.Sprintf(" Of those that it shows, %d match the filter; there may be more.", shown),
		remedy: "A session that is missing from this list may still be live. " + askAboutLists,
	}.detail())
}

const askAboutLists = "Report to the operator that the list of sessions is incomplete or comes from a cache."
