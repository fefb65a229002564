#!/bin/sh
# Looks after the reservations of the configuration in this directory, from whenever it is started until
# their last window is over. It may be started at any time before; hosted schedulers are late by minutes
# to hours, so start it well ahead.
#
# MOST      sessions that one pass may buy at most (default 100)
# CUT       reservations whose live session a pass may end, as a JSON list of addresses (default none)
# INTERVAL  seconds between two passes (default 60)
# MINUTES   how long to go on at most, to end between two passes where a job is not given more (default: no limit)
#
# Needs terraform (or TERRAFORM=tofu) and jq. What was applied is appended to apply.jsonl, one JSON object
# a line. It looks at no clock to decide anything: the reservations have the windows, and the network has
# the time. Run it again to go on where one stopped.
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

# What is live stays so until its window is over.
trap 'say "stopped. What is reserved stays until the end of its window; run again to go on."; exit 130' INT TERM

# What would never get better is no reason to try again.
if ! jq -en --argjson most "$most" --argjson cut "$cut" '($most | type) == "number" and ($cut | type) == "array"' >/dev/null; then
	echo "event.sh: MOST is a number, and CUT a JSON list of addresses" >&2
	exit 2
fi
"$terraform" validate -no-color || exit 2

# pass brings the network to where it should be, and puts the statuses that it found into $statuses
pass() {
	statuses=
	# A state that could not be written is the only record of its sessions.
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
			say "not applied:"
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
	# There is nothing to do, so what the plan found is how things are.
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
		say "this pass failed; the next is in $interval seconds"
	fi
	if [ -n "${MINUTES:-}" ] && [ $(($(date +%s) - began)) -ge $((MINUTES * 60)) ]; then
		say "$MINUTES minutes are over, and the event is not. Run again to go on."
		exit 0
	fi
	# In the background, since a shell hears nothing while it waits for a program.
	sleep "$interval" &
	wait $!
done

# Plans have found out that sessions are over; the state is to say so, too.
"$terraform" apply -input=false -no-color -lock-timeout=5m -refresh-only -auto-approve -json >>apply.jsonl
say "the event is over, and no session is left; $failed passes failed"
