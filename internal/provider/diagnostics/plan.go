package diagnostics

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// AdoptsConfiguration warns of attributes of an imported session that nothing can be compared with.
func AdoptsConfiguration(attributes []string) diag.Diagnostic {
	them := "it"
	if len(attributes) > 1 {
		them = "them"
	}
	return warning("", "Imported Session Not Fully Checked", message{
		cause: "The state of the session has no " + enumerated(attributes) + ": the API did not return " + them + ", or the session was another resource's. " +
			"The provider takes " + them + " from the configuration unchecked, and sends nothing to the network.",
		remedy: "If the session was created with other values, replace it: terraform apply -replace='ADDRESS' (" + addressAbove + ").",
	})
}

// LeavesOutImported warns of attributes that an imported session has, and the configuration leaves
// out.
func LeavesOutImported(attributes []string) diag.Diagnostic {
	return warning("", "Imported Session Narrower Than Configured", message{
		cause: "The imported session was requested with " + enumerated(attributes) + ", which the configuration leaves out. " +
			"The session is left as it is, so it may not cover all the traffic that the configuration asks for.",
		remedy: "Set what is missing to the values that the data source qod_sessions shows, or replace the session: terraform apply -replace='ADDRESS' (" + addressAbove + ").",
	})
}

// ReplacedForUnknown warns of what replaces a resource only because a value is not known yet: it
// may turn out to be what it was, when the live session has been cut already.
func ReplacedForUnknown(resource string, attributes []string) diag.Diagnostic {
	verb := "is"
	if len(attributes) > 1 {
		verb = "are"
	}
	return warning("", "QoS "+capital(resource)+" Replaced for an Unknown Value", message{
		cause: enumerated(attributes) + " " + verb + " not known until the apply. The API cannot modify a session, so the plan replaces the " + resource +
			", which ends a live session even if the value turns out to be the same.",
		remedy: "To avoid this, first apply what the value depends on: terraform apply -target='OTHER_RESOURCE'.",
	})
}

// NothingToMove refuses to make a qod_session of a reservation that has none.
func NothingToMove(status string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Unable to Move QoS Reservation", message{
		cause: fmt.Sprintf("A qod_session is one session, and the reservation has none: its status is %s.", status),
		remedy: "Remove the moved block. To replace the reservation by a qod_session, delete its resource block and add that of the session; " +
			"to move it while it has a session, apply inside its window.",
	}.detail())
}

// ServesEverybody warns of a session for all servers, where a device may have others for some.
func ServesEverybody(attribute string) diag.Diagnostic {
	return warning("application_server", "QoS Session for All Servers", message{
		cause: attribute + " is a block of all addresses. While there is a session for it, the network refuses every other session of the device, " +
			"also those of other clients.",
		remedy: "Set it to the addresses of your servers, unless the device communicates with no others.",
	})
}

// DeviceReservedTwice warns of two resources that want one device at the same time, both in words.
// Where a device can have a session for each flow, they want the same one.
func DeviceReservedTwice(this, other string, perFlow bool) diag.Diagnostic {
	if perFlow {
		return warning("device", "Device Reserved Twice at the Same Time", message{
			cause: fmt.Sprintf("Another resource reserves the same traffic of the same device, and the times overlap: this one lasts %s, the other %s. "+
				"One of the two will be refused with a conflict.", this, other),
			remedy: "Give each resource a device, an application_server or ports of its own, or move starts_at and ends_at so that the windows do not overlap.",
		})
	}
	return warning("device", "Device Reserved Twice at the Same Time", message{
		cause: fmt.Sprintf("Another resource reserves the same device, and the times overlap: this one lasts %s, the other %s. "+
			"A device can have only one session at a time, so one of the two will be refused with a conflict.", this, other),
		remedy: "Use each device in one resource only, or move starts_at and ends_at so that the windows do not overlap.",
	})
}

// ManyHandovers warns of at least n devices that pass from one resource to another, where Terraform
// works on n resources at a time.
func ManyHandovers(n int) diag.Diagnostic {
	return warning("", "Many Devices Pass to Other Resources", message{
		cause: fmt.Sprintf("In this plan, at least %d devices pass from resources whose sessions are deleted to resources that request new ones, as when the keys of a for_each are renamed. "+
			"Each new session waits for the delete of the device's old one, but Terraform works on only %d resources at a time by default: "+
			"if creates take all the places, no delete can start, and some creates fail with a conflict. Nothing is lost then, and the next apply finishes the work.", n, n),
		remedy: "If you renamed resources, add a moved block for each: it keeps the live session, so nothing is deleted or bought. " +
			"Otherwise make room for all of them at once: terraform apply -parallelism=N, where N is at least the number of resources that the plan adds, changes and destroys.",
	})
}

// OutsideProfile is what becomes of seconds beyond a profile's maximum, by what wants them.
type OutsideProfile struct{ wanted, becomes string }

// What may want more seconds than a profile allows.
var (
	SessionOutsideProfile = OutsideProfile{"the session is to last",
		"Most likely the API refuses the session. Choose a duration within the limits of the profile, or another qos_profile."}
	ExtensionOutsideProfile = OutsideProfile{"the session is to last",
		"Most likely the API extends the session only as far as the profile allows; the apply then says until when, and nothing else has to be done."}
	WindowOutsideProfile = OutsideProfile{"the window lasts",
		"One session may not cover the window. Schedule runs of Terraform inside it: each extends the session for as long as the API grants more, " +
			"and the first one after it has ended requests the next, with a gap until that run. For one session, choose another qos_profile."}
)

// Longer warns of seconds that are more than a profile allows.
func (o OutsideProfile) Longer(attribute string, p qod.Profile, seconds int64) diag.Diagnostic {
	return warning(attribute, "Outside the Limits of the QoS Profile", message{
		cause:  fmt.Sprintf("The profile %s allows sessions of at most %d seconds, but %s %d.", p.Name, p.MaxSeconds, o.wanted, seconds),
		remedy: o.becomes,
	})
}

// ShorterThanProfile warns of seconds that are less than a profile allows.
func ShorterThanProfile(attribute string, p qod.Profile, seconds int64) diag.Diagnostic {
	return warning(attribute, "Outside the Limits of the QoS Profile", message{
		cause:  fmt.Sprintf("The profile %s allows sessions of at least %d seconds, but this one is to last only %d.", p.Name, p.MinSeconds, seconds),
		remedy: "Most likely the API refuses the session. Choose a longer time, or another qos_profile.",
	})
}

// NotifiedUntil warns of a webhook token that expires before what it tells of has ended.
func NotifiedUntil(expires, end string) diag.Diagnostic {
	return warning("notification_auth_token_expires_at", "Notifications Stop Before the End", message{
		cause:  fmt.Sprintf("The token for notifications expires at %s, but the session or its window lasts until %s. In between, the network sends no notifications, not even of the end.", expires, end),
		remedy: "Set a later time, or leave it out: the default is an hour after the end.",
	})
}
