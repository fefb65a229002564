# The current status of the match's SIMs on the network. This separate configuration manages nothing, so
# running it never changes the plan of the match:
#
#   terraform -chdir=status apply -auto-approve

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

provider "qod" {}

data "qod_sessions" "now" {}

locals {
  sims = {
    for row in csvdecode(file("${path.module}/../cameras.csv")) :
    "${row.camera}/${row.sim}" => row.phone_number
  }

  # By phone number. Each entry is a list, because a network may show two sessions of one device.
  live = {
    for session in data.qod_sessions.now.sessions :
    session.device.phone_number => session...
    if try(session.device.phone_number, null) != null
  }
}

output "sims" {
  description = "Status of each SIM."
  value = {
    for name, number in local.sims :
    name => try("${local.live[number][0].qos_status} until ${coalesce(local.live[number][0].expires_at, "unknown")}", "no session")
  }
}

output "without_quality" {
  description = "SIMs without an AVAILABLE session."
  value       = [for name, number in local.sims : name if try(local.live[number][0].qos_status, "") != "AVAILABLE"]
}
