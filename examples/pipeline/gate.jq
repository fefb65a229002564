# Objections to a plan, a line each; none when it may be applied.
#
#   terraform show -json tfplan | jq -r --argjson most 60 --argjson cut '[]' -f gate.jq
#
# most: sessions that there may be afterwards. cut: addresses of live sessions that may be ended.

[.resource_changes[]? | select(.mode == "managed" and .type == "qod_session")] as $sessions

| ([$sessions[] | select(.change.actions != ["delete"] and .change.actions != ["forget"])] | length) as $after
| (
    if $after > $most then "\($after) sessions afterwards, which is more than \($most)" else empty end
  ),
  (
    $sessions[]
    | select(.change.before.qos_status == "AVAILABLE")
    | select(.change.actions | any(. == "delete" or . == "forget"))
    | select(.address as $address | $cut | index($address) | not)
    | "\(.address) is live, and the plan would \(.change.actions | join(" and ")) it"
  )
