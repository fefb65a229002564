#!/bin/sh
# Plans and applies the reservations in this directory, again and again, until their last window is over.
# You can start it at any time before; hosted schedulers run minutes to hours late, so start it well
# ahead.
#
# MOST      maximum number of sessions that one pass may buy or extend (default 100)
# BUDGET    maximum number of sessions of the whole event, in all passes and runs (default: no limit); one
#           that is extended is still one
# CUT       addresses whose live session a pass may end, as a JSON list (default: none)
# INTERVAL  seconds between two passes (default 60)
# MINUTES   stop between two passes after this time, before the job is killed (default: no limit)
# ALERT     shell command that gets one line of text on standard input when passes begin to fail, when
#           other reservations than before are inside their window and not AVAILABLE, when all is well
#           again, and before an exit with status 1, 2 or 3 (default: none). Another cause of a failure is
#           only in the log.
#
# Exit status:
#   0  the event is over and no session is left; or MINUTES ran out while every reservation inside its
#      window was AVAILABLE: run it again to resume
#   1  the last pass failed, or MINUTES ran out while a reservation inside its window was not AVAILABLE
#   2  wrong use: nothing was planned
#   3  the event is over, and no reservation ever had a session: check the dates
#
# Requires terraform (or TERRAFORM=tofu) and jq. Appends the log of each apply to apply.jsonl, one JSON
# object per line. It never reads a clock to decide anything about a session: the reservations have the
# windows, and the network has the time. If it stops, run it again to resume.
set -u

terraform=${TERRAFORM:-terraform}
most=${MOST:-100}
budget=${BUDGET:-null}
cut=${CUT:-[]}
interval=${INTERVAL:-60}
minutes=${MINUTES:-}
alert=${ALERT:-}
here=$(dirname "$0")
began=$(date +%s)
work=$(mktemp -d) || exit 2
failed=0     # passes that failed
healed=0     # sessions that replaced one the network had ended
applied=     # set once a plan has been applied completely
limit=       # the command that ends an alert which hangs, where there is one
alerts=      # process ids of alerts
alerted=     # what the last alert was about; empty if all was well
last_errors= # of the pass before

# Not echo: some shells' echo would read the backslashes of an address or an error.
print() { printf '%s\n' "$*"; }
say() { print "$(date -u +%H:%M:%SZ) $*"; }

passes_failed() {
	case $failed in
	0) echo "no pass failed" ;;
	1) echo "1 pass failed" ;;
	*) echo "$failed passes failed" ;;
	esac
}

! command -v timeout >/dev/null || limit="timeout 60"

# In the background: a command that hangs must not keep the next pass from starting, nor for long the loop
# from ending.
send_alert() {
	[ -n "$alert" ] || return 0
	{
		# shellcheck disable=SC2086 # words
		print "event.sh: $1" | $limit sh -c "$alert" >>alert.log 2>&1 || echo "$?" >"$work/alert_failed"
	} &
	alerts="$alerts $!"
}

alert_failed() {
	if [ -f "$work/alert_failed" ]; then
		say "ALERT failed with exit status $(cat "$work/alert_failed"); its output is in alert.log"
		rm -f "$work/alert_failed"
	fi
}

# An alert is on its way until it has been handed over.
finish() {
	# shellcheck disable=SC2086 # process ids
	[ -z "$alerts" ] || wait $alerts
	alert_failed
	rm -rf "$work"
}
trap finish EXIT
trap 'say "stopped. Live sessions stay live until their windows end. Run again to resume."; exit 130' INT TERM

# Exit at once on mistakes that a later pass would repeat.
misused() {
	echo "event.sh: $*" >&2
	send_alert "$*"
	exit 2
}
command -v jq >/dev/null || misused "jq is required"
[ -f "$here/gate.jq" ] || misused "gate.jq is required: copy it into the directory of event.sh"
command -v "$terraform" >/dev/null || misused "$terraform is required: set TERRAFORM to the path of terraform or tofu"
jq -en --argjson most "$most" --argjson budget "$budget" --argjson cut "$cut" \
	'($most | type) == "number" and ($budget | type | IN("number", "null")) and ($cut | type) == "array"' >/dev/null 2>&1 ||
	misused "MOST and BUDGET must be numbers, and CUT a JSON list of addresses"
case $interval in '' | *[!0-9]*) misused "INTERVAL must be a whole number of seconds" ;; esac
case $minutes in *[!0-9]*) misused "MINUTES must be a whole number of minutes" ;; esac
while [ "${minutes#0?}" != "$minutes" ]; do minutes=${minutes#0}; done # 08 would be octal
"$terraform" validate -no-color || misused "the configuration is not valid: see the log"

# Reservations of a state or plan in JSON, as objects of address and values.
reservations='
	def resources: .resources[]?, (.child_modules[]? | resources);
	def reservations: [.root_module // empty | resources
		| select(.mode == "managed" and .type == "qod_reservation" and .deposed_key == null) | {address, values}];'

# keep PATH writes the reservations at this path of standard input to $work/now.json, or leaves that as it is.
keep() {
	jq "$reservations$1"' // {} | reservations' >"$work/new.json" && [ -s "$work/new.json" ] && mv "$work/new.json" "$work/now.json"
}

# errors FILE... prints the errors in JSON logs of terraform, once each: where, and why.
errors() {
	cat "$@" | jq -rR '
		fromjson? | select(.type == "diagnostic" and .diagnostic.severity == "error") | .diagnostic
		| (if .address then .address + ": " else "" end) + .summary + ": " + ((.detail // "") | split("\n\n")[0] // "" | gsub("\n"; " ")) | rtrimstr(": ")' |
		sort -u
}

# explain COMMAND STATUS FILE writes why a command failed to $work/errors: what its JSON log and its standard
# error say. One that was killed has no error there.
explain() {
	errors "$3" >"$work/errors"
	[ -s "$work/errors" ] || print "terraform $1 ended with status $2" >"$work/errors"
	cat "$work/stderr" >>"$work/errors"
}

# pass plans, checks and applies once. $work/now.json has the reservations as they are afterwards. The plan is
# in $work, too: what was checked is what is applied, even if two loops run in this directory.
pass() {
	: >"$work/errors"
	# Terraform could not write this state, and nothing else names its sessions.
	if [ -f errored.tfstate ]; then
		if ! "$terraform" state push -no-color errored.tfstate >"$work/stderr" 2>&1; then
			{
				echo "errored.tfstate has sessions that the state does not have, and cannot be pushed:"
				cat "$work/stderr"
			} >"$work/errors"
			return 1
		fi
		mv errored.tfstate "pushed-$(date +%s).tfstate" || return 1
	fi
	"$terraform" plan -input=false -lock-timeout=5m -detailed-exitcode -json -out="$work/tfplan" >"$work/plan.jsonl" 2>"$work/stderr"
	planned=$?
	if [ $planned -ne 0 ] && [ $planned -ne 2 ]; then
		explain plan $planned "$work/plan.jsonl"
		return 1
	fi
	"$terraform" show -json "$work/tfplan" >"$work/tfplan.json" || return 1
	# As the plan found them: what it plans is not known yet, and may be refused below.
	keep .prior_state.values <"$work/tfplan.json" || return 1

	# What is not of this provider is applied once, and then only together with a reservation: a trigger
	# that changes in every plan must neither run every minute nor keep the event from ending.
	changes=$(jq '[.resource_changes[]? | select(.type | startswith("qod_")) | select(.change.actions | inside(["no-op", "read"]) | not)] | length' "$work/tfplan.json") || return 1
	if [ "$changes" -gt 0 ] || { [ $planned -eq 2 ] && [ -z "$applied" ]; }; then
		objections=$(jq -r --argjson most "$most" --argjson budget "$budget" --argjson cut "$cut" -f "$here/gate.jq" "$work/tfplan.json") || return 1
		if [ -n "$objections" ]; then
			{
				print "the plan was not applied:"
				print "$objections"
			} >"$work/errors"
			return 1
		fi
		jq -r 'select(.type == "change_summary") | ."@message"' "$work/plan.jsonl"
		"$terraform" apply -input=false -lock-timeout=5m -json "$work/tfplan" >"$work/apply.jsonl" 2>"$work/stderr"
		code=$?
		cat "$work/apply.jsonl" >>apply.jsonl
		"$terraform" show -json >"$work/state.json" && keep .values <"$work/state.json"
		shown=$?
		if [ $code -ne 0 ]; then
			explain apply $code "$work/apply.jsonl"
			return 1
		fi
		[ $shown -eq 0 ] || return 1
	fi
	applied=1
	# A reservation whose time is not known was not looked at.
	jq -rR 'fromjson? | select(.diagnostic.summary? == "QoS Reservation Status Unknown") | .diagnostic
		| (if .address then .address + ": " else "" end) + (.detail | split("\n\n")[0] // "" | gsub("\n"; " "))' "$work/plan.jsonl" | sort -u >"$work/errors"
	[ ! -s "$work/errors" ]
}

# Remembers the reservations for the next pass, each with what it was when it last had a session.
remember() {
	jq --slurpfile before "$work/before.json" '
		($before[0] | map({key: .address, value: .}) | from_entries) as $was
		| map(.served = if .values.session_id then .values else $was[.address].served end)' "$work/now.json" >"$work/new.json" &&
		mv "$work/new.json" "$work/before.json"
}

# Prints a line for each reservation that has another status or session than before.
say_changes() {
	healed=$((healed + $(jq -n --slurpfile before "$work/before.json" --slurpfile now "$work/now.json" '
		def wanted: [.starts_at, .ends_at, .replace_to_extend];
		($before[0] | map({key: .address, value: .served}) | from_entries) as $was
		| [$now[0][] | ($was[.address] // {}) as $old | .values
			| select($old.session_id and .session_id and .session_id != $old.session_id and wanted == ($old | wanted))] | length')))
	jq -rn --slurpfile before "$work/before.json" --slurpfile now "$work/now.json" '
		($before[0] | map({key: .address, value: .values}) | from_entries) as $was
		| $now[0][] | . as {$address, $values} | ($was[$address] // {}) as $old
		| select($values.status != null and ($values.status != $old.status or $values.session_id != $old.session_id))
		| "\($address): \(if $old.status then $old.status + " -> " else "" end)\($values.status)"
			+ (if $values.session_id then ", \(if $old.session_id and $old.session_id != $values.session_id then "new " else "" end)session \($values.session_id)" + (if $values.expires_at then " until \($values.expires_at)" else "" end) else "" end)' |
		while IFS= read -r line; do say "$line"; done
	remember
}

# Reservations that are inside their window and do not have quality.
not_available() {
	jq -r '[.[] | select(.values.status | IN("DUE", "REQUESTED", "UNAVAILABLE")) | "\(.address) (\(.values.status))"] | join(", ")' "$work/now.json"
}

summary() {
	jq -r --arg healed "$healed" --arg failed "$(passes_failed)" '
		(map(.values.sessions // [] | length)) as $counts
		| "reserved: \($counts | map(select(. > 0)) | length) of \(length) reservations; healed: \($healed); \($failed)",
		(.[] | .address as $address | .values.sessions // [] | .[]
			| "  \($address) \(.id) " + (if .started_at then "\(.started_at) to \(.ended_at // "now, still live")"
				elif .ended_at then "never started" else "requested" end))' "$work/now.json"
}

# Without an answer, as from a backend that is down, the first pass says why.
echo '[]' >"$work/now.json"
"$terraform" show -json 2>/dev/null | keep .values 2>/dev/null
echo '[]' >"$work/before.json"
remember

while :; do
	result=failed
	if pass; then
		result=succeeded
		if jq -e 'length == 0' "$work/now.json" >/dev/null; then
			misused "the configuration has no qod_reservation"
		fi
	fi
	say_changes
	missing=$(not_available)

	# The plan saw that every reservation has ended; record it in the state, too.
	over=
	if [ $result = succeeded ] && jq -e 'all(.[]; .values.status == "ENDED" and .values.session_id == null)' "$work/now.json" >/dev/null; then
		if "$terraform" apply -input=false -lock-timeout=5m -refresh-only -auto-approve -json >"$work/apply.jsonl" 2>"$work/stderr"; then
			over="the event is over, and no session is live"
		else
			explain "apply -refresh-only" $? "$work/apply.jsonl"
			result=failed
		fi
		cat "$work/apply.jsonl" >>apply.jsonl
	fi

	trouble= # in words
	about=   # what is compared with the last alert: not the cause, which may be another in each pass
	if [ $result = failed ]; then
		failed=$((failed + 1))
		these=$(cat "$work/errors")
		if [ "$these" = "$last_errors" ] && [ -n "$these" ]; then
			say "this pass failed as the one before"
		else
			say "this pass failed:"
			print "${these:-the command above failed}"
		fi
		last_errors=$these
		trouble="a pass failed: $(print "${these:-see the log}" | head -n 2 | paste -s -d ' ' -)"
		about=failed
	else
		last_errors=
	fi
	if [ -n "$missing" ]; then
		trouble="${trouble:+$trouble; }not AVAILABLE inside the window: $missing"
		about="$about $(print "$missing" | sed 's/ ([A-Z]*)//g')"
	fi

	# The end is news as well, unless it is the one that was hoped for.
	status=
	if [ -n "$over" ]; then
		status=0
		end=$over
		# A state of an older version that had no history has null there.
		if jq -e 'all(.[]; .values.sessions == [])' "$work/now.json" >/dev/null; then
			status=3
			end="the event is over, and no reservation ever had a session: check starts_at and ends_at"
		fi
	elif [ -n "$minutes" ] && [ $(($(date +%s) - began)) -ge $((minutes * 60)) ]; then
		status=0
		end="stopped after MINUTES=$minutes, before the event is over. Run again to resume."
		[ -z "$trouble" ] || status=1
	fi
	if [ "${status:-0}" -ne 0 ]; then
		trouble="${trouble:+${trouble%.}; }$end"
		about="$about end"
	fi
	if [ "$about" != "$alerted" ]; then
		send_alert "${trouble:-${over:-recovered: every reservation inside its window is AVAILABLE}}"
		alerted=$about
	fi
	alert_failed
	if [ -n "$status" ]; then
		summary
		say "$end"
		exit "$status"
	fi
	# In the background: a shell handles no signal while it waits for a foreground program.
	sleep "$interval" >/dev/null 2>&1 &
	wait $!
done
