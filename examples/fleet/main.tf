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
  source = "../sheet"
  file   = "${path.module}/cameras.csv"
}

locals {
  drones = {
    for name, drone in yamldecode(file("${path.module}/drones.yaml")) :
    name => { profile = drone.profile, device = { phone_number = drone.phone_number } }
  }
  fleet = merge(module.cameras.devices, local.drones)

  # Names by device; a device with more than one name is a mistake in the files.
  owners = {
    for name, line in local.fleet :
    jsonencode({ for kind, identifier in line.device : kind => identifier if identifier != null }) => name...
  }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]
}

resource "qod_session" "line" {
  for_each = local.fleet

  device             = each.value.device
  application_server = { ipv4_address = "198.51.100.0/24" } # what the devices send to
  qos_profile        = each.value.profile
  duration           = 4 * 60 * 60
}

output "not_available" {
  description = "Lines without an AVAILABLE session, with their status."
  value       = { for name, s in qod_session.line : name => s.qos_status if s.qos_status != "AVAILABLE" }
}

output "by_session_id" {
  description = "Names by session id, as webhooks and bills show it."
  value       = { for name, s in qod_session.line : s.id => name }

  # An output reports this once; a precondition of the resource would repeat it for every line.
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device can have only one session at a time, but some lines are the same one: ${join("; ", local.duplicates)}."
  }
}

output "covered_until" {
  description = "When the first session ends, and full coverage with it. UTC times sort as text."
  value       = try(sort([for s in qod_session.line : s.expires_at])[0], null)
}
