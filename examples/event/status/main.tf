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
  # A device is known by its phone number, or by its address and port, such as 198.51.100.20:50001.
  sims = {
    for row in csvdecode(trimprefix(file("${path.module}/../cameras.csv"), "\ufeff")) :
    "${row.camera}/${row.sim}" => row.phone_number != "" ? row.phone_number : join(":", compact([row.public_address, row.public_port]))
  }

  # Each entry is a list, because a network may show two sessions of one device.
  live = {
    for session in data.qod_sessions.now.sessions :
    try(
      coalesce(session.device.phone_number),
      join(":", compact([session.device.ipv4_address.public_address, session.device.ipv4_address.public_port])),
      "unknown"
    ) => session...
  }
}

output "sims" {
  description = "Status of each SIM."
  value = {
    for name, device in local.sims :
    name => try("${local.live[device][0].qos_status} until ${coalesce(local.live[device][0].expires_at, "unknown")}", "no session that these credentials can see")
  }
}

output "without_quality" {
  description = "SIMs without an AVAILABLE session."
  value       = [for name, device in local.sims : name if try(local.live[device][0].qos_status, "") != "AVAILABLE"]
}
