#!/bin/sh
# Keeps an event's sessions live from its start to its end, and ends them. It may be started at any time
# before; hosted schedulers are late by minutes to hours, so start it well ahead.
#
#   event.sh 2028-02-29T20:15:00Z 2028-02-29T22:15:00Z
#
# MOST      sessions that there may be at most (default 100)
# CUT       live sessions that a plan may end, as a JSON list of addresses (default none)
# INTERVAL  seconds between two looks (default 60)
#
# Needs terraform (or TERRAFORM=tofu) and jq. What was applied is appended to apply.jsonl, one JSON object
# a line. It ends well when the event is over and no session is left; run it again to go on where one stopped.
set -u

terraform=${TERRAFORM:-terraform}
most=${MOST:-100}
cut=${CUT:-[]}
interval=${INTERVAL:-60}
here=$(dirname "$0")

if [ $# -ne 2 ]; then
	echo "usage: event.sh START END, such as 2028-02-29T20:15:00Z" >&2
	exit 2
fi
# seconds TIME, since 1970; by jq, since not every date can read a time
seconds() {
	case $1 in
	????-??-??T??:??:??Z) jq -nr --arg t "$1" '$t | fromdate' ;;
	*) false ;;
	esac
}
if ! starts=$(seconds "$1") || ! ends=$(seconds "$2"); then
	echo "event.sh: times are written in UTC, like 2028-02-29T20:15:00Z" >&2
	exit 2
fi
if [ "$ends" -le "$starts" ]; then
	echo "event.sh: the event ends before it starts" >&2
	exit 2
fi

say() { echo "$(date -u +%H:%M:%SZ) $*"; }

trap 'say "stopped; sessions stay live and are billed until they end. Run again to go on."; exit 130' INT TERM

# pass brings the network to where it should be: pass LIVE CUT
pass() {
	# A state that could not be written is the only record of its sessions.
	if [ -f errored.tfstate ]; then
		"$terraform" state push errored.tfstate && mv errored.tfstate "pushed-$(date +%s).tfstate" || return 1
	fi
	"$terraform" plan -input=false -no-color -lock-timeout=5m -detailed-exitcode -out=tfplan -var "live=$1" >plan.log 2>&1
	case $? in
	0) return 0 ;;
	2) ;;
	*)
		cat plan.log
		return 1
		;;
	esac
	objections=$("$terraform" show -json tfplan | jq -r --argjson most "$most" --argjson cut "$2" -f "$here/gate.jq") || return 1
	if [ -n "$objections" ]; then
		say "not applied:"
		echo "$objections"
		return 1
	fi
	grep -h '^Plan:' plan.log
	"$terraform" apply -input=false -no-color -lock-timeout=5m -json tfplan >>apply.jsonl
	applied=$?
	if [ $applied -ne 0 ]; then
		tail -n 50 apply.jsonl | jq -r 'select(."@level" == "error") | ."@message"'
	fi
	return $applied
}

say "waiting for the event, $1 to $2"
while [ "$(date +%s)" -lt "$starts" ]; do
	left=$((starts - $(date +%s)))
	sleep "$((left < interval ? left : interval))"
done

say "the event is on"
while [ "$(date +%s)" -lt "$ends" ]; do
	pass true "$cut" || say "this pass failed; the next is in $interval seconds"
	left=$((ends - $(date +%s)))
	[ "$left" -gt 0 ] && sleep "$((left < interval ? left : interval))"
done

say "the event is over"
for attempt in 1 2 3 4 5; do
	# Now all of them may be cut.
	all=$("$terraform" show -json | jq -c '[.values.root_module // {} | .. | objects | select(.type? == "qod_session") | .address]')
	if pass false "${all:-[]}"; then
		say "no session is left"
		exit 0
	fi
	[ "$attempt" -lt 5 ] && sleep "$interval"
done
say "SESSIONS MAY STILL BE LIVE AND BILLED: the state names them (terraform show)"
exit 1
