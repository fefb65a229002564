# A festival of four nights: each SIM of ../cameras.csv has one reservation per night. Nothing is
# reserved between two nights.

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
}

locals {
  # In chronological order. Nights must not touch, or a SIM's old and new sessions would collide.
  nights = [for night in local.program : merge(night, {
    starts_at = provider::qod::local_time(night.starts_at, "Europe/Madrid")
    ends_at   = provider::qod::local_time(night.ends_at, "Europe/Madrid")
  })]

  program = [
    { name = "thu", starts_at = "2028-07-06T19:00", ends_at = "2028-07-07T01:30" },
    { name = "fri", starts_at = "2028-07-07T19:00", ends_at = "2028-07-08T01:30" },
    { name = "sat", starts_at = "2028-07-08T17:00", ends_at = "2028-07-09T03:00" },
    { name = "sun", starts_at = "2028-07-09T17:00", ends_at = "2028-07-10T00:30" },
  ]

  # Every night with every SIM, such as "sat/north-stand/a".
  shifts = {
    for pair in setproduct(local.nights, keys(module.cameras.devices)) :
    "${pair[0].name}/${pair[1]}" => merge(pair[0], module.cameras.devices[pair[1]])
  }
}

resource "qod_reservation" "shift" {
  for_each = local.shifts

  device      = each.value.device
  qos_profile = each.value.profile
  starts_at   = each.value.starts_at
  ends_at     = each.value.ends_at
}

output "device_hours" {
  description = "Total hours of quality of all SIMs, by night."
  value = {
    for night in local.nights :
    night.name => sum([for key in keys(module.cameras.devices) : qod_reservation.shift["${night.name}/${key}"].window_seconds]) / 3600
  }

  precondition {
    condition = alltrue([
      for i in range(1, length(local.nights)) :
      timecmp(local.nights[i - 1].ends_at, local.nights[i].starts_at) < 0
    ])
    error_message = "A device can have only one session at a time, so each night must end before the next one starts."
  }
}
