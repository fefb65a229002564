package diagnostics

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ListFailed reports a list of sessions that cannot be had.
func ListFailed(err error) diag.Diagnostic {
	return Operation{summary: listSummary}.failed(explain(err))
}

const profilesSummary = "Unable to List QoS Profiles"

// ProfilesFailed reports that the operator's profiles cannot be had.
func ProfilesFailed(err error) diag.Diagnostic {
	m := explain(err)
	if errors.Is(err, qod.ErrNoDeviceProfiles) {
		return diag.NewAttributeErrorDiagnostic(path.Root("device"), profilesSummary, m.detail())
	}
	switch e, ok := errors.AsType[*qod.Error](err); {
	case ok && e.Status == http.StatusForbidden:
		m.remedy = "Ask the operator to grant this client the scope, which the provider requests for profiles alone, so that sessions do not need it."
	case ok && e.Status == http.StatusNotFound:
		m.remedy = "Check endpoint (QOD_ENDPOINT), and profiles_path (QOD_PROFILES_PATH) or, where the profiles are part of the API, api_path (QOD_API_PATH). Not every operator has a profiles API: its own documents name the profiles then."
	}
	return diag.NewErrorDiagnostic(profilesSummary, m.detail())
}

// ListIncomplete warns of a list that may not show all sessions.
func ListIncomplete(e *qod.IncompleteListError, shown int) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Incomplete List of QoS Sessions", message{
		cause:  sentence(capital(e.Error())) + fmt.Sprintf(" Of those that it shows, %d match the filter; there may be more.", shown),
		remedy: "A session that is missing from this list may still be live. " + askAboutLists,
	}.detail())
}

const askAboutLists = "Report to the operator that the list of sessions is incomplete or comes from a cache."
