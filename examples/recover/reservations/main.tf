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
    north-stand = { phone_number = "+34600000011" }
    south-stand = { phone_number = "+34600000012" }
    crane       = { ipv4_address = { public_address = "198.51.100.20", public_port = 50001 } }
  }
}

# One list per camera: the provider recognizes a device by any identifier.
data "qod_sessions" "live" {
  for_each = local.cameras

  device = each.value
}

import {
  # A network may show two sessions of one device: the latest is that of the camera.
  for_each = { for name, list in data.qod_sessions.live : name => reverse(list.sessions)[0].id if length(list.sessions) > 0 }

  to = qod_reservation.camera[each.key]
  id = each.value
}

resource "qod_reservation" "camera" {
  for_each = local.cameras

  device      = each.value
  qos_profile = "QOS_L"

  # The event's window. If it is not open, the import ends the session.
  starts_at = provider::qod::local_time("2028-02-29T21:15", "Europe/Madrid")
  ends_at   = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}
