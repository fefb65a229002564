# The current status of the match's SIMs, as a table and as a web page. This configuration is separate so
# that running it never changes the plan of the match, and it changes nothing on the network.

terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

provider "qod" {}

module "cameras" {
  source = "../../sheet"
  file   = "${path.module}/../cameras.csv"
  ignore = local.match.ignore
}

# One list per SIM: the provider recognizes a device by any identifier, and CAMARA's API lists the sessions
# of one device only.
data "qod_sessions" "now" {
  for_each = module.cameras.devices

  device = each.value.device
}

locals {
  match     = yamldecode(file("${path.module}/../match.yaml"))
  starts_at = provider::qod::local_time(local.match.starts_at, local.match.time_zone)
  ends_at   = provider::qod::local_time(local.match.ends_at, local.match.time_zone)

  # When the sessions were listed, by the network's clock or, if it shows none, by this machine's.
  read_at = sort(compact([for list in data.qod_sessions.now : list.read_at]))
  now     = try(element(local.read_at, -1), plantimestamp())

  # A network may show two sessions of a device: one that it has ended, and its successor.
  sessions = {
    for name, list in data.qod_sessions.now : name => concat(
      [for s in list.sessions : s if s.qos_status == "AVAILABLE"],
      [for s in list.sessions : s if s.qos_status == "REQUESTED"],
      [for s in list.sessions : s if s.qos_status == "UNAVAILABLE"],
    )
  }

  # If no list shows a session, these credentials may not be those of the match, and nothing is known of
  # any SIM. If some do, a SIM without one has none.
  without = (
    timecmp(local.now, local.starts_at) < 0 ? "SCHEDULED" :
    timecmp(local.now, local.ends_at) >= 0 ? "ENDED" :
    length(flatten(values(local.sessions))) > 0 ? "NO SESSION" : "UNKNOWN"
  )
  status = { for name, sessions in local.sessions : name => try(sessions[0].qos_status, local.without) }
}

# When this configuration first saw the status that each SIM has now. The API does not say since when a
# session is UNAVAILABLE or missing.
resource "terraform_data" "first_seen" {
  for_each = local.status

  triggers_replace = each.value
  input            = local.now

  lifecycle {
    ignore_changes = [input]
  }
}

output "status" {
  description = "Status of each SIM: AVAILABLE, REQUESTED or UNAVAILABLE as the network says, or NO SESSION, UNKNOWN, SCHEDULED or ENDED."
  value       = local.status
}

output "table" {
  description = "The table, for a terminal."
  value       = local.table
}

output "page" {
  description = "The web page. It is sensitive only so that an apply does not print it."
  value       = templatefile("${path.module}/page.html.tftpl", local.page)
  sensitive   = true
}
