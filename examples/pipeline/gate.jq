# Lists the objections to a plan, one per line. No output means that it may be applied.
#
#   terraform show -json tfplan | jq -r --argjson most 60 --argjson cut '[]' -f gate.jq
#
# most: maximum number of sessions to buy or extend. cut: addresses whose live session may be ended. budget
# (optional): maximum number of sessions of the whole event, those that the state has recorded included.

# Converts a time with any offset to seconds since 1970.
def instant:
  capture("^(?<day>[0-9-]{10})T(?<time>[0-9:]{8})([.][0-9]+)?(?<sign>[Z+-])(?<offset>[0-9:]*)$")
  | (.day + "T" + .time + "Z" | fromdate)
    - (if .sign == "+" or .sign == "-" then "1970-01-01T" + .offset + ":00Z" | fromdate else 0 end)
      * (if .sign == "-" then -1 else 1 end);

def later($a; $b): $b == null or ($a | instant) > ($b | instant);

# Whether an update moves the window of a reservation. An unknown time may be a different one.
def unknown_window: .after_unknown.starts_at? == true or .after_unknown.ends_at? == true;
def moved: unknown_window or .before.starts_at != .after.starts_at or .before.ends_at != .after.ends_at;

# Whether the window of a live session only ends earlier than before.
def shortened:
  (.before.status | IN("REQUESTED", "AVAILABLE", "EXPIRING")) and .before.session_id != null
  and (unknown_window | not) and .before.starts_at == .after.starts_at
  and .before.ends_at != null and .after.ends_at != null and later(.before.ends_at; .after.ends_at)
  and .after.replace_to_extend != true and .after_unknown.replace_to_extend != true;

# Number of sessions that a change may buy. The plan does not know when it will be applied, so a new
# reservation counts even if its window has not opened yet. An update may buy if its session_id is
# unknown, unless it only ends a session that has outlived its window, or only ends the window of a live
# one earlier. replace_to_extend buys, too: whoever sets it accepts that it replaces a live session.
def bought:
  if .actions | any(. == "create") then 1
  elif .after_unknown.session_id? != true then 0
  elif shortened or (.before.status == "OVERDUE" and (moved | not)) then 0
  else 1
  end;

# Whether a change only extends a session, which is no new one but costs as much for as long.
def extended:
  .actions == ["update"] and (
    if .before.duration? then .after.duration > .before.duration
    else .before.session_id? != null and .after_unknown.session_id? != true and .after_unknown.expires_at? == true
    end
  );

def live: (.before.qos_status? // .before.status?) | IN("AVAILABLE", "EXPIRING");

# Whether a moved window ends a live session more than a minute early, now or in a later pass. A later end
# or an earlier start never does.
def cuts:
  moved and (
    unknown_window
    or (.after.starts_at != null and later(.after.starts_at; .before.starts_at) and later(.after.starts_at; .before.started_at))
    or ((.before.ends_at == null or later(.before.ends_at; .after.ends_at))
        and (.before.expires_at == null or (.before.expires_at | instant) > (.after.ends_at | instant) + 60))
  );

[
  .resource_changes[]?
  | select(.mode == "managed" and (.type == "qod_session" or .type == "qod_reservation"))
] as $all

| ([$all[].change | bought] | add // 0) as $buys
| ([$all[].change | select(extended)] | length) as $extends
| ([$all[].change.before | (.sessions? // []), (if .qos_status? then [1] else [] end) | length] | add // 0) as $had
| $ARGS.named.budget as $budget
| (
    if $budget != null and $buys > 0 and $had + $buys > $budget then
      "the event has had \($had) sessions and the plan may buy \($buys) more, but BUDGET is \($budget)"
    else empty end
  ),
  (
    if $buys + $extends > $most then
      "the plan may buy \($buys) sessions\(if $extends > 0 then " and extend \($extends)" else "" end), but MOST is \($most)"
    else empty end
  ),
  (
    $all[]
    | select(.change | live)
    | select(.address as $address | $cut | index($address) | not)
    | if .change.actions | any(. == "delete" or . == "forget") then
        "\(.address) is live, and the plan would \(.change.actions | join(" and ")) it"
      elif .type == "qod_reservation" and .change.actions == ["update"] and (.change | cuts) then
        "\(.address) is live, and its new window would end its session early"
      else
        empty
      end
  )
