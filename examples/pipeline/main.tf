# One event. Its window is defined only here: event.sh asks Terraform what there is to do. Add a backend
# for your state, because the disk of a runner is lost with the runner.

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
    north-stand = "+34600000031"
    touchline   = "+34600000032"
  }
}

resource "qod_reservation" "camera" {
  for_each = local.cameras

  device      = { phone_number = each.value }
  qos_profile = "QOS_L"
  starts_at   = provider::qod::local_time("2028-02-29T21:15", "Europe/Madrid")
  ends_at     = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}
