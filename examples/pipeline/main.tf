# One event. event.sh applies it with live = true from its start to its end, and with live = false
# before and after.

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

provider "qod" {}

variable "live" {
  description = "Whether the event is on."
  type        = bool
  default     = false
}

locals {
  cameras = {
    north-stand = "+34600000031"
    touchline   = "+34600000032"
  }
}

resource "qod_session" "camera" {
  for_each = var.live ? local.cameras : {}

  device      = { phone_number = each.value }
  qos_profile = "QOS_L"

  # Longer than the event, so that no session ends during it; event.sh ends them. It is also the most
  # that can be billed if the pipeline dies.
  duration = 3 * 60 * 60
}
