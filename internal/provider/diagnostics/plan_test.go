// What people read in a plan.

package diagnostics

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var planWarnings = map[string]failure{
	"plan/device reserved twice": {make: func(*bubble) diag.Diagnostics {
		return one(DeviceReservedTwice("from 2028-03-01T22:30:00Z to 2028-03-02T01:30:00Z", "until "+matchEnds, false))
	}},
	"plan/traffic reserved twice": {make: func(*bubble) diag.Diagnostics {
		return one(DeviceReservedTwice("from 2028-03-01T22:30:00Z to 2028-03-02T01:30:00Z", "until "+matchEnds, true))
	}},
	"plan/server for everybody": {make: func(*bubble) diag.Diagnostics {
		return one(ServesEverybody("application_server.ipv4_address"))
	}},
	"plan/session longer than its profile allows": {make: func(*bubble) diag.Diagnostics {
		return one(SessionOutsideProfile.Longer("duration", qod.Profile{Name: "live-uplink", MaxSeconds: 21600}, 86400))
	}},
	"plan/extension longer than its profile allows": {make: func(*bubble) diag.Diagnostics {
		return one(ExtensionOutsideProfile.Longer("duration", qod.Profile{Name: "live-uplink", MaxSeconds: 21600}, 86400))
	}},
	"plan/window longer than its profile allows": {make: func(*bubble) diag.Diagnostics {
		return one(WindowOutsideProfile.Longer("ends_at", qod.Profile{Name: "live-uplink", MaxSeconds: 21600}, 28800))
	}},
	"plan/session shorter than its profile allows": {make: func(*bubble) diag.Diagnostics {
		return one(ShorterThanProfile("duration", qod.Profile{Name: "live-uplink", MinSeconds: 60}, 30))
	}},
	"plan/notifications stop": {make: func(*bubble) diag.Diagnostics { return one(NotifiedUntil(matchStarts, matchEnds)) }},
	"plan/many handovers":     {make: func(*bubble) diag.Diagnostics { return one(ManyHandovers(10)) }},
	"plan/gap before the end": {make: func(*bubble) diag.Diagnostics {
		return one(GapBeforeEnd("2028-02-29T22:15:00Z", matchEnds, false))
	}},
	"plan/gap before the end, session's not known": {make: func(*bubble) diag.Diagnostics { return one(GapBeforeEnd("", matchEnds, false)) }},
	"plan/gap before the end, granted less": {make: func(*bubble) diag.Diagnostics {
		return one(GapBeforeEnd("2028-02-29T22:15:00Z", matchEnds, true))
	}},
	"plan/replaced after the import":   {make: func(*bubble) diag.Diagnostics { return one(ReplacedAfterImport(matchEnds)) }},
	"plan/live, deleted after window":  {make: func(*bubble) diag.Diagnostics { return one(DeletedAfterWindow(matchEnds, lostID)) }},
	"plan/live, deleted before window": {make: func(*bubble) diag.Diagnostics { return one(DeletedBeforeWindow(matchStarts, lostID)) }},
	"plan/start not known":             {make: func(*bubble) diag.Diagnostics { return one(StartUnknown()) }},
	"plan/nothing to move":             {make: func(*bubble) diag.Diagnostics { return one(NothingToMove("ENDED")) }},
}
