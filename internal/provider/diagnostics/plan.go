package diagnostics

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// AdoptsConfiguration warns of attributes of an imported session that nothing can be compared with.
func AdoptsConfiguration(attributes []string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Imported Session Adopts Configuration",
		"The API does not show "+strings.Join(attributes, ", ")+" of the imported session, so the state takes this from the configuration. "+
			"It cannot be checked against the network, and nothing is sent there. If the session was made with other values, "+
			"replace it: terraform apply -replace='ADDRESS' (ADDRESS is the one above).")
}

// ReplacedForUnknown warns of what replaces a resource only because a value is not known yet: it
// may turn out to be what it was, when the live session has been cut already.
func ReplacedForUnknown(resource string, attributes []string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("QoS "+capital(resource)+" Replaced for an Unknown Value",
		"Not known until the apply: "+strings.Join(attributes, ", ")+". The API cannot modify a session, so the "+resource+" is planned to be replaced, "+
			"which ends a live session, even if the value turns out to be the same.\n\n"+
			"To avoid this, first apply what the value depends on: terraform apply -target='OTHER_RESOURCE'.")
}
