# The rules of gate.jq for Open Policy Agent, with the same objections. The input is the plan in JSON:
#
#   terraform show -json tfplan >tfplan.json
#   opa eval --format raw --data gate.rego --input tfplan.json 'concat("\n", data.main.deny)'
#   conftest test --policy gate.rego tfplan.json
#
# In HCP Terraform the query is data.main.deny. For other limits than those below, add the option
# --data limits.json, with a file such as {"limits": {"most": 60, "budget": 80}}.
package main

plan := object.get(input, "plan", input) # HCP Terraform has it one level deeper

# Maximum number of sessions to buy or extend.
default most := 100

most := data.limits.most

# Maximum number of sessions of the whole event, those that the state has recorded included.
default budget := null

budget := data.limits.budget

# Addresses whose live session may be ended.
default cut := []

cut := data.limits.cut

resources := [resource |
	some resource in plan.resource_changes
	resource.mode == "managed"
	resource.type in {"qod_session", "qod_reservation"}
]

buys := count([resource | some resource in resources; buys_session(resource.change)])

extends := count([resource | some resource in resources; extends_session(resource.change)])

had := count([session | some resource in resources; some session in resource.change.before.sessions]) + count([session |
	some resource in resources
	session := resource.change.before.qos_status
])

deny contains message if {
	budget != null
	buys > 0
	had + buys > budget
	message := sprintf("the event has had %v sessions and the plan may buy %v more, but BUDGET is %v", [had, buys, budget])
}

deny contains message if {
	buys + extends > most
	extends == 0
	message := sprintf("the plan may buy %v sessions, but MOST is %v", [buys, most])
}

deny contains message if {
	buys + extends > most
	extends > 0
	message := sprintf("the plan may buy %v sessions and extend %v, but MOST is %v", [buys, extends, most])
}

deny contains message if {
	some resource in resources
	live(resource.change.before)
	not resource.address in cut
	some action in resource.change.actions
	action in {"delete", "forget"}
	message := sprintf("%s is live, and the plan would %s it", [resource.address, concat(" and ", resource.change.actions)])
}

deny contains message if {
	some resource in resources
	live(resource.change.before)
	not resource.address in cut
	resource.type == "qod_reservation"
	resource.change.actions == ["update"]
	ends_early(resource.change)
	message := sprintf("%s is live, and its new window would end its session early", [resource.address])
}

live(before) if before.qos_status == "AVAILABLE"

live(before) if before.status in {"AVAILABLE", "EXPIRING"}

# The plan does not know when it will be applied, so a new reservation counts even if its window has not
# opened yet.
buys_session(change) if "create" in change.actions

# An update may buy if its session_id is unknown, unless it only ends a session that has outlived its
# window, or only ends the window of a live one earlier. replace_to_extend buys, too: whoever sets it
# accepts that it replaces a live session.
buys_session(change) if {
	change.after_unknown.session_id == true
	not only_ends(change)
}

# An extension is no new session, but costs as much for as long.
extends_session(change) if {
	change.actions == ["update"]
	is_number(change.before.duration)
	change.after.duration > change.before.duration
}

extends_session(change) if {
	change.actions == ["update"]
	change.before.session_id != null
	change.after_unknown.expires_at == true
	not change.after_unknown.session_id
}

only_ends(change) if {
	change.before.status == "OVERDUE"
	not moved(change)
}

only_ends(change) if {
	change.before.status in {"REQUESTED", "AVAILABLE", "EXPIRING"}
	change.before.session_id != null
	not unknown_window(change)
	change.before.starts_at == change.after.starts_at
	instant(change.before.ends_at) > instant(change.after.ends_at)
	object.get(change.after, "replace_to_extend", null) != true
	object.get(change.after_unknown, "replace_to_extend", false) != true
}

# An unknown time may be a different one.
unknown_window(change) if change.after_unknown.starts_at == true

unknown_window(change) if change.after_unknown.ends_at == true

moved(change) if unknown_window(change)

moved(change) if change.before.starts_at != change.after.starts_at

moved(change) if change.before.ends_at != change.after.ends_at

# Whether a moved window ends a live session more than a minute early, now or in a later pass. A later end
# or an earlier start never does. What cannot be compared counts as early.
ends_early(change) if unknown_window(change)

ends_early(change) if {
	moved(change)
	not keeps_start(change)
}

ends_early(change) if {
	moved(change)
	not keeps_end(change)
}

keeps_start(change) if change.after.starts_at == null

keeps_start(change) if instant(change.after.starts_at) <= instant(change.before.starts_at)

keeps_start(change) if instant(change.after.starts_at) <= instant(change.before.started_at)

keeps_end(change) if instant(change.before.ends_at) <= instant(change.after.ends_at)

keeps_end(change) if instant(change.before.expires_at) <= instant(change.after.ends_at) + 60

# Converts a time with any offset to seconds since 1970.
instant(time_with_offset) := floor(time.parse_rfc3339_ns(time_with_offset) / 1000000000) if is_string(time_with_offset)
