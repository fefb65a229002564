# What the network says of the match's SIMs at this moment. It is a configuration of its own, which
# manages nothing, so that looking never changes what a plan of the match says:
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

  # By phone number. A list, since nothing keeps a network from showing two sessions of one device.
  live = {
    for session in data.qod_sessions.now.sessions :
    session.device.phone_number => session...
    if try(session.device.phone_number, null) != null
  }
}

output "sims" {
  description = "What each SIM has."
  value = {
    for name, number in local.sims :
    name => try("${local.live[number][0].qos_status} until ${coalesce(local.live[number][0].expires_at, "unknown")}", "no session")
  }
}

output "without_quality" {
  description = "SIMs that have none."
  value       = [for name, number in local.sims : name if try(local.live[number][0].qos_status, "") != "AVAILABLE"]
}
