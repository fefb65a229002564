terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

provider "qod" {}

locals {
  # A camera with several SIMs has one session per SIM. The keys are names, not phone numbers: Terraform
  # prints keys in every plan and error.
  cameras = {
    for row in csvdecode(file("${path.module}/cameras.csv")) :
    "${row.camera}/${row.sim}" => { phone_number = row.phone_number, profile = row.profile }
  }
  drones = yamldecode(file("${path.module}/drones.yaml"))
  fleet  = merge(local.cameras, local.drones)

  # Names by phone number; a number with more than one name is a mistake in the files.
  owners     = { for name, line in local.fleet : line.phone_number => name... }
  duplicates = { for number, names in local.owners : join(" and ", names) => number if length(names) > 1 }
}

resource "qod_session" "line" {
  for_each = local.fleet

  device             = { phone_number = each.value.phone_number }
  application_server = { ipv4_address = "198.51.100.0/24" }
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
    error_message = "A device can have only one session at a time, but some lines share a phone number: ${join("; ", keys(local.duplicates))}."
  }
}

output "covered_until" {
  description = "When the first session ends, and full coverage with it. UTC times sort as text."
  value       = try(sort([for s in qod_session.line : s.expires_at])[0], null)
}
