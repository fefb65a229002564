# The state is lost during the event, but its sessions are live. This imports the session of every device
# of the event: "terraform plan" counts them as imports and adds none. The import block can stay in the
# configuration: Terraform does not import again what is already in the state.

terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

provider "qod" {}

locals {
  cameras = {
    north-stand = "+34600000011"
    south-stand = "+34600000012"
    touchline   = "+34600000013"
  }

  # Each entry is a list, because a network may show two sessions of one device.
  live = {
    for session in data.qod_sessions.live.sessions :
    session.device.phone_number => session.id...
    if try(session.device.phone_number, null) != null
  }
}

data "qod_sessions" "live" {}

import {
  for_each = { for name, number in local.cameras : name => local.live[number][0] if can(local.live[number]) }

  to = qod_reservation.camera[each.key]
  id = each.value
}

resource "qod_reservation" "camera" {
  for_each = local.cameras

  device      = { phone_number = each.value }
  qos_profile = "QOS_L"

  # The event's window. If it is not open, the import ends the session.
  starts_at = provider::qod::local_time("2028-02-29T21:15", "Europe/Madrid")
  ends_at   = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}
