# How the status is shown: as times that clocks at the venue show, and as places on a time axis.

locals {
  # Every time that is shown, with its offset from UTC in minutes.
  times = distinct(compact(flatten([
    local.starts_at, local.ends_at, local.now, values(terraform_data.first_seen)[*].output,
    [for s in flatten(values(local.sessions)) : [s.started_at, s.expires_at]],
  ])))
  minutes = {
    for t in local.times :
    t => endswith(t, "Z") ? 0 : (substr(t, 19, 1) == "-" ? -1 : 1) * (60 * substr(t, 20, 2) + substr(t, 23, 2))
  }
  # All are shown with the offset of the start, also if clocks change during the match.
  wall = { for t in local.times : t => timeadd("${substr(t, 0, 19)}Z", "${local.minutes[local.starts_at] - local.minutes[t]}m") }
  zone = "${local.match.time_zone}, UTC${endswith(local.starts_at, "Z") ? "" : substr(local.starts_at, 19, 6)}"

  # The axis goes from the full hour before the start to the one after the end, two days at most.
  first_hour = formatdate("YYYY-MM-DD'T'hh:00:00Z", local.wall[local.starts_at])
  hours = [
    for h in range(49) : timeadd(local.first_hour, "${h}h")
    if timecmp(timeadd(local.first_hour, "${h - 1}h"), local.wall[local.ends_at]) < 0
  ]
  at = {
    for t, wall in local.wall : t => {
      clock = formatdate("hh:mm", wall)
      percent = max(0, min(100, 100 / (length(local.hours) - 1) * (
        length([for hour in local.hours : hour if timecmp(hour, wall) <= 0]) - 1 + formatdate("m", wall) / 60
      )))
    }
  }

  notes = {
    REQUESTED    = "Requested, but not granted yet."
    UNAVAILABLE  = "The network ended the session. The match's next apply requests another."
    "NO SESSION" = "The network shows no session. The match's next apply requests one."
    UNKNOWN      = "These credentials see no session of any SIM. Are they those of the match?"
    SCHEDULED    = "The window has not opened."
    ENDED        = "The window is over."
  }
  is_outside = contains(["SCHEDULED", "ENDED"], local.without)

  rows = {
    for name, status in local.status : name => {
      status  = status
      profile = module.cameras.devices[name].profile
      since = (
        status == "AVAILABLE" ? try(local.at[local.sessions[name][0].started_at].clock, "?") :
        contains(["SCHEDULED", "ENDED"], status) ? "" : "${local.at[terraform_data.first_seen[name].output].clock} or before"
      )
      until = status == "AVAILABLE" ? try(local.at[local.sessions[name][0].expires_at].clock, "?") : ""
      note = (
        status != "AVAILABLE" ? join(" ", compact([local.notes[status], try("(${local.sessions[name][0].status_info})", "")])) :
        local.is_outside ? "Live outside of the window. The match's next apply ends it." :
        try(timecmp(timeadd(local.sessions[name][0].expires_at, "1m"), local.ends_at) < 0, false) ? "Ends before the match. The first apply after that requests another." : ""
      )
      bars = [
        for s in local.sessions[name] : {
          status = s.qos_status
          left   = local.at[s.started_at].percent
          # Since when a session is UNAVAILABLE is not known, so it is drawn until now.
          width = max(0.5, local.at[s.qos_status == "UNAVAILABLE" && timecmp(s.expires_at, local.now) > 0 ? local.now : s.expires_at].percent - local.at[s.started_at].percent)
        } if s.started_at != null && s.expires_at != null
      ]
    }
  }

  is_before = alltrue([for status in values(local.status) : status == "SCHEDULED"])
  count     = length([for status in local.status : status if status == "AVAILABLE"])
  summary = (
    local.is_before ? "The window opens at ${local.at[local.starts_at].clock} on ${formatdate("D MMMM", local.wall[local.starts_at])}, and no SIM has a session before" :
    contains(values(local.status), "UNKNOWN") ? "Unknown which of ${length(local.status)} SIMs have quality" :
    "${local.count} of ${length(local.status)} SIMs have quality"
  )
  day    = formatdate("D MMMM", local.wall[local.now])
  clock  = formatdate("hh:mm:ss", local.wall[local.now])
  whose  = length(local.read_at) > 0 ? "the network's" : "this machine's"
  window = "${formatdate("EEEE D MMMM YYYY", local.wall[local.starts_at])}, ${local.at[local.starts_at].clock} to ${local.at[local.ends_at].clock}"

  longest = max(concat([3], [for name in keys(local.rows) : length(name)])...)
  columns = "%-${local.longest}s  %-11s  %-15s  %-5s  %s"
  table = join("", [for line in concat(
    ["${local.match.name}: ${local.summary}${local.is_before ? "; it is" : " at"} ${local.clock} on ${local.day} by ${local.whose} clock", "${local.window} (${local.zone})", ""],
    [format(local.columns, "SIM", "STATUS", "SINCE", "UNTIL", "NOTE")],
    [for name, row in local.rows : format(local.columns, name, row.status, row.since, row.until, row.note)],
  ) : "${trimspace(line)}\n"])

  # Whatever comes from a file or from the network is escaped.
  html = {
    for text in distinct(flatten([local.match.name, local.zone, [for name, row in local.rows : [name, row.profile, row.note]]])) :
    text => replace(replace(replace(replace(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;"), "\"", "&quot;")
  }
  page = {
    match   = local.match.name
    summary = local.summary
    without = [for name, status in local.status : name if contains(["REQUESTED", "UNAVAILABLE", "NO SESSION"], status)]
    clock   = local.clock
    day     = local.day
    whose   = local.whose
    window  = local.window
    zone    = local.zone
    hours   = local.hours
    starts  = local.at[local.starts_at].percent
    ends    = local.at[local.ends_at].percent
    now     = local.at[local.now].percent
    rows    = local.rows
    html    = local.html
  }
}
