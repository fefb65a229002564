#!/bin/sh
# Plans and applies the reservations in this directory, again and again, until their last window is over.
# You can start it at any time before; hosted schedulers run minutes to hours late, so start it well
# ahead.
#
# MOST      maximum number of sessions that one pass may buy (default 100)
# CUT       addresses whose live session a pass may end, as a JSON list (default: none)
# INTERVAL  seconds between two passes (default 60)
# MINUTES   stop between two passes after this time, before the job is killed (default: no limit)
#
# Requires terraform (or TERRAFORM=tofu) and jq. Appends the log of each apply to apply.jsonl, one JSON
# object per line. It never reads a clock to decide anything: the reservations have the windows, and the
# network has the time. If it stops, run it again to resume.
set -u

terraform=${TERRAFORM:-terraform}
most=${MOST:-100}
cut=${CUT:-[]}
interval=${INTERVAL:-60}
here=$(dirname "$0")
began=$(date +%s)
failed=0
said=

say() { echo "$(date -u +%H:%M:%SZ) $*"; }

trap 'say "stopped. Live sessions stay live until their windows end. Run again to resume."; exit 130' INT TERM

# Exit at once on mistakes that a later pass would repeat.
if ! jq -en --argjson most "$most" --argjson cut "$cut" '($most | type) == "number" and ($cut | type) == "array"' >/dev/null; then
	echo "event.sh: MOST must be a number, and CUT a JSON list of addresses" >&2
	exit 2
fi
"$terraform" validate -no-color || exit 2

# pass plans, checks and applies once. If there was nothing to do, $statuses counts the statuses found.
pass() {
	statuses=
	# Terraform could not write this state, and nothing else names its sessions.
	if [ -f errored.tfstate ]; then
		"$terraform" state push errored.tfstate && mv errored.tfstate "pushed-$(date +%s).tfstate" || return 1
	fi
	"$terraform" plan -input=false -no-color -lock-timeout=5m -detailed-exitcode -out=tfplan >plan.log 2>&1
	planned=$?
	if [ $planned -ne 0 ] && [ $planned -ne 2 ]; then
		cat plan.log
		return 1
	fi
	"$terraform" show -json tfplan >tfplan.json || return 1
	if [ $planned -eq 2 ]; then
		objections=$(jq -r --argjson most "$most" --argjson cut "$cut" -f "$here/gate.jq" tfplan.json) || return 1
		if [ -n "$objections" ]; then
			say "the plan was not applied:"
			echo "$objections"
			return 1
		fi
		grep '^Plan:' plan.log
		if ! "$terraform" apply -input=false -no-color -lock-timeout=5m -json tfplan >>apply.jsonl; then
			tail -n 50 apply.jsonl | jq -r 'select(."@level" == "error") | ."@message"'
			return 1
		fi
		return 0
	fi
	# There is nothing to do, so the plan shows the current statuses.
	statuses=$(jq -r '[.planned_values | .. | objects | select(.type? == "qod_reservation") | .values.status]
		| if . == [] then "none" else group_by(.) | map("\(length) \(.[0])") | join(", ") end' tfplan.json)
}

while :; do
	if pass; then
		if [ "$statuses" != "$said" ] && [ -n "$statuses" ]; then
			say "$statuses"
			said=$statuses
		fi
		case $statuses in
		*,*) ;;
		*' ENDED') break ;;
		none)
			say "the configuration has no qod_reservation"
			exit 2
			;;
		esac
	else
		failed=$((failed + 1))
		say "this pass failed; the next one starts in $interval seconds"
	fi
	if [ -n "${MINUTES:-}" ] && [ $(($(date +%s) - began)) -ge $((MINUTES * 60)) ]; then
		say "stopped after MINUTES=$MINUTES, before the event is over. Run again to resume."
		exit 0
	fi
	# In the background: a shell handles no signal while it waits for a foreground program.
	sleep "$interval" &
	wait $!
done

# The plans saw that the reservations have ended; record it in the state, too.
"$terraform" apply -input=false -no-color -lock-timeout=5m -refresh-only -auto-approve -json >>apply.jsonl
say "the event is over, and no session is live; failed passes: $failed"
