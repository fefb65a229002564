# The state is lost during the event, and its sessions are live. This takes back the session of every
# device of the event: "terraform plan" shows so many to import, and none to add. It can stay in the
# configuration: what is in the state already is not imported again.

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
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

  # A list, since nothing keeps a network from showing two sessions of one device.
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

  # The window that the event has. An import into one that is not open ends the session.
  starts_at = "2028-02-29T20:15:00Z"
  ends_at   = "2028-03-01T00:15:00Z"
}
