# A match: every SIM of every camera has quality during one window. Merge it days before; nothing is
# reserved or billed until the window opens.

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

provider "qod" {}

locals {
  # From half an hour before kick-off, to leave time for checks, until well after extra time: what a
  # clock at the venue shows.
  starts_at = provider::qod::local_time("2028-02-29T20:45", "Europe/Madrid")
  ends_at   = provider::qod::local_time("2028-03-01T00:15", "Europe/Madrid")

  # A camera with several SIMs has one reservation per SIM. The keys are names, not phone numbers:
  # Terraform prints keys in every plan and error. An empty cell is null, which leaves its attribute out,
  # and trimprefix drops the byte-order mark with which Excel begins a "CSV UTF-8" file.
  sims = {
    for row in csvdecode(trimprefix(file("${path.module}/cameras.csv"), "\ufeff")) :
    "${row.camera}/${row.sim}" => {
      profile = row.profile
      device = {
        phone_number = row.phone_number != "" ? row.phone_number : null
        ipv4_address = row.public_address == "" ? null : {
          public_address = row.public_address
          public_port    = row.public_port != "" ? row.public_port : null
        }
      }
    }
  }

  # Names by device; a device with more than one name is a mistake in the file.
  owners     = { for name, sim in local.sims : jsonencode(sim.device) => name... }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]
}

resource "qod_reservation" "sim" {
  for_each = local.sims

  device             = each.value.device
  application_server = { ipv4_address = "198.51.100.0/24" }
  qos_profile        = each.value.profile
  starts_at          = local.starts_at
  ends_at            = local.ends_at
}

# Outputs describe the configuration, not the current status: an output with a status changes whenever
# the status does, and then "terraform plan -detailed-exitcode" returns 2 although there is nothing to do.

output "window" {
  description = "The configured window of the event."
  value       = { starts_at = local.starts_at, ends_at = local.ends_at }
}

output "device_hours" {
  description = "Total hours of quality of all SIMs, known before anything is applied."
  value       = sum(concat([0], [for sim in qod_reservation.sim : sim.window_seconds])) / 3600

  # An output reports this once; a precondition of the resource would repeat it for every SIM.
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device can have only one session at a time, but some rows of cameras.csv have the same one: ${join("; ", local.duplicates)}."
  }
}
