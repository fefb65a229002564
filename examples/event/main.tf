# A match: every SIM of every camera has quality for one window. Merge it days before; nothing is
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
  # Half an hour before kick-off, so that there is time to see that all is well, until well after extra
  # time. Times have the offset of the place.
  starts_at = "2028-02-29T20:45:00+01:00"
  ends_at   = "2028-03-01T00:15:00+01:00"

  # A camera with several SIMs has a reservation for each. The keys are names and no phone numbers:
  # Terraform prints keys in every plan and error.
  sims = {
    for row in csvdecode(file("${path.module}/cameras.csv")) :
    "${row.camera}/${row.sim}" => { phone_number = row.phone_number, profile = row.profile }
  }

  # Names by phone number; more than one name is a mistake in the file.
  owners     = { for name, sim in local.sims : sim.phone_number => name... }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]
}

resource "qod_reservation" "sim" {
  for_each = local.sims

  device             = { phone_number = each.value.phone_number }
  application_server = { ipv4_address = "198.51.100.0/24" }
  qos_profile        = each.value.profile
  starts_at          = local.starts_at
  ends_at            = local.ends_at
}

# Outputs say what is wanted and not what is so: one that shows a status is a change whenever the status
# is another one, and "terraform plan -detailed-exitcode" says 2 where there is nothing to do.

output "window" {
  description = "The event, as it is configured."
  value       = { starts_at = local.starts_at, ends_at = local.ends_at }
}

output "device_hours" {
  description = "Hours of quality that all SIMs are to have together, known before anything is applied."
  value       = sum(concat([0], [for sim in qod_reservation.sim : sim.window_seconds])) / 3600

  # Here it is said once; as a condition of the resource it would be said for every SIM.
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device has one session at a time, but some share a phone number: ${join("; ", local.duplicates)}."
  }
}
