#!/bin/sh
# Rehearses the event in this directory in about a minute, with event.sh itself, on a sandbox:
#
#   qod-sandbox exec -quiet -- sh rehearse.sh 2028-02-29T21:00:00+01:00
#
# The argument is when the rehearsal starts: some minutes before the window opens, and in the future. It works
# in a copy of this directory, with a state of its own, so the event's state and backend are left alone.
# Instead of waiting, it moves the sandbox's clock. In the middle it has the network end a session, which the
# next pass has to heal.
#
# INTERVAL  seconds between two passes by the sandbox's clock (default 1800: a session begins up to half an
#           hour late, and the bill is shorter by as much)
#
# Requires what event.sh requires, and qod-sandbox.
set -eu

case ${QOD_ENDPOINT:-} in
http://127.0.0.1:* | http://localhost:* | http://\[::1\]:*) ;;
*)
	echo "rehearse.sh: run it on a sandbox: qod-sandbox exec -quiet -- sh rehearse.sh 2028-02-29T21:00:00+01:00" >&2
	exit 2
	;;
esac
start=${1:?"give the time at which the rehearsal starts, such as 2028-02-29T21:00:00+01:00"}
terraform=${TERRAFORM:-terraform}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "$here/../rehearsal.XXXXXX") # beside it, where paths such as ../sheet are right
trap 'rm -rf "$work"' EXIT
cp -R "$here/." "$work"
cd "$work"
mkdir bin
rm -rf .terraform terraform.tfstate* errored.tfstate
if grep -Eq '^[[:space:]]*(backend[[:space:]]+"|cloud[[:space:]]*[{])' ./*.tf; then
	printf 'terraform {\n  backend "local" {}\n}\n' >backend_override.tf
fi
# A provider of one's own build needs no init, and may be in no registry: init then fails after it has set up
# backend and modules.
ready() { [ ! -f backend_override.tf ] && "$terraform" validate >/dev/null 2>&1; }
ready || "$terraform" init -input=false -no-color >init.log 2>&1 || "$terraform" validate >/dev/null 2>&1 || {
	cat init.log >&2
	exit 1
}

# The third time that the loop waits, the network ends the first session that it has.
cat >"$work/bin/sleep" <<'SLEEP'
#!/bin/sh
qod-sandbox advance "$1s" >/dev/null
echo >>slept
if [ "$(wc -l <slept)" -eq 3 ]; then
	qod-sandbox ledger -json | jq -r '.[0].sessionId // empty' | while read -r id; do
		echo "rehearse.sh: the network now ends session $id" >&3
		qod-sandbox revoke "$id" >/dev/null
	done
fi
SLEEP
chmod +x "$work/bin/sleep"

qod-sandbox advance -to "$start" >/dev/null || {
	echo "rehearse.sh: give a time in the future. To rehearse an event that has begun, move its windows to another day." >&2
	exit 2
}
echo "Times at the start of a line are this machine's, all others the sandbox's. Passes are ${INTERVAL:-1800} s of its time apart."
status=0
PATH=$work/bin:$PATH INTERVAL=${INTERVAL:-1800} sh event.sh 3>&1 || status=$?

echo
echo "What the network has had, as its bill would list it:"
qod-sandbox ledger -all
echo
echo "What the state has recorded:"
"$terraform" show -json | jq -r '
	[.values.root_module // empty | recurse(.child_modules[]?) | .resources[]? | select(.type == "qod_reservation")]
	| "\(map(.values.sessions | length) | add) sessions, \((map(.values.granted_seconds) | add) / 36 | round / 100) hours"'
exit "$status"
