# A match: every SIM of every camera has quality during one window. Merge it days before; nothing is
# reserved or billed until the window opens.

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
  ignore = local.match.ignore
}

locals {
  match     = yamldecode(file("${path.module}/match.yaml"))
  starts_at = provider::qod::local_time(local.match.starts_at, local.match.time_zone)
  ends_at   = provider::qod::local_time(local.match.ends_at, local.match.time_zone)
}

resource "qod_reservation" "sim" {
  for_each = module.cameras.devices

  device = each.value.device
  # Replace this: the address or network that the encoders send to, as the mobile network sees it.
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
}
