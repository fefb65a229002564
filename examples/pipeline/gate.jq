# Objections to a plan, a line each; none when it may be applied.
#
#   terraform show -json tfplan | jq -r --argjson most 60 --argjson cut '[]' -f gate.jq
#
# most: sessions that the apply may buy. cut: addresses whose live session it may end.

# A time with any offset, in seconds since 1970.
def instant:
  capture("^(?<day>[0-9-]{10})T(?<time>[0-9:]{8})([.][0-9]+)?(?<sign>[Z+-])(?<offset>[0-9:]*)$")
  | (.day + "T" + .time + "Z" | fromdate)
    - (if .sign == "+" or .sign == "-" then "1970-01-01T" + .offset + ":00Z" | fromdate else 0 end)
      * (if .sign == "-" then -1 else 1 end);

def later($a; $b): $b == null or ($a | instant) > ($b | instant);

# Whether an update moves the window of a reservation. What is not known yet may be another time.
def unknown_window: .after_unknown.starts_at? == true or .after_unknown.ends_at? == true;
def moved: unknown_window or .before.starts_at != .after.starts_at or .before.ends_at != .after.ends_at;

# Sessions that a change may buy. The plan does not know what time it will be, so a new reservation counts
# although its window may be yet to open. An update may reserve if its session_id is not known, unless all
# that it has to do is to release what is left outside of the window.
def bought:
  if .actions | any(. == "create") then 1
  elif .after_unknown.session_id? == true and (moved or .before.status != "OVERDUE") then 1
  else 0
  end;

def live: (.before.qos_status? // .before.status?) == "AVAILABLE";

# Whether a moved window ends a live session by more than a minute too early: at once, or by a later pass.
# A later end and an earlier start never do.
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
| (
    if $buys > $most then "\($buys) sessions may be bought, which is more than \($most)" else empty end
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
