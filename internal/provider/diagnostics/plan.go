package diagnostics

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// AdoptsConfiguration warns of attributes of an imported session that nothing can be compared with.
func AdoptsConfiguration(attributes []string) diag.Diagnostic {
	return warning("", "Imported Session Adopts Configuration", message{
		cause: "The API does not show all attributes of the imported session, so the state takes these from the configuration: " + strings.Join(attributes, ", ") + ". " +
			"They cannot be checked against the network, and nothing is sent there.",
		remedy: "If the session was created with other values, replace it: terraform apply -replace='ADDRESS' (" + addressAbove + ").",
	})
}

// ReplacedForUnknown warns of what replaces a resource only because a value is not known yet: it
// may turn out to be what it was, when the live session has been cut already.
func ReplacedForUnknown(resource string, attributes []string) diag.Diagnostic {
	return warning("", "QoS "+capital(resource)+" Replaced for an Unknown Value", message{
		cause: "Not known before the apply: " + strings.Join(attributes, ", ") + ". The API cannot modify a session, so the plan replaces the " + resource +
			", which ends a live session even if the value turns out to be the same.",
		remedy: "To avoid this, first apply what the value depends on: terraform apply -target='OTHER_RESOURCE'.",
	})
}
