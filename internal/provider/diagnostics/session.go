package diagnostics

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// SessionWarnings name what the API says of a session and the provider cannot take in: silence
// would look as if all were well.
func SessionWarnings(s qod.Session) diag.Diagnostics {
	var warnings diag.Diagnostics
	if s.Status != "" && !s.Status.Known() {
		warnings.Append(diag.NewWarningDiagnostic("QoS Session "+s.ID+" Has an Unknown Status", warningText(
			fmt.Sprintf("The API shows the status %s, which its document does not define (it has REQUESTED, AVAILABLE and UNAVAILABLE). Whether the device has the requested quality is unknown.", validators.Truncated(string(s.Status))),
			"Ask the operator what the status means. If the session is of no use, replace it: terraform apply -replace='ADDRESS' ("+addressAbove+").", s.ID)))
	}
	if s.Unread != "" {
		warnings.Append(diag.NewWarningDiagnostic("QoS Session "+s.ID+" Shows Unreadable Values", warningText(
			fmt.Sprintf("The API shows values that the provider cannot read: %s. They are treated as missing: the attributes that show them are null, and the provider cannot tell whether the session ends too early.", s.Unread),
			"Report this to the operator. The API document requires times in RFC 3339 form with an offset from UTC, such as 2028-02-29T20:15:00Z.", s.ID)))
	}
	return warnings
}

func warningText(cause, remedy, id string) string {
	return message{cause: cause, remedy: remedy}.fact("Session", id).detail()
}
