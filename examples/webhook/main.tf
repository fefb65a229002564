# Two cameras for a match. The network notifies the webhook of each under its name.

terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

provider "qod" {}

variable "webhook_url" {
  description = "Public URL of the webhook."
  type        = string
  default     = "https://hooks.example.com/qod"
}

# Ephemeral, so that neither plan nor state contains it: set TF_VAR_webhook_token.
variable "webhook_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

locals {
  cameras = {
    north-stand = "+34600000011"
    touchline   = "+34600000012"
  }
}

resource "qod_reservation" "camera" {
  for_each = local.cameras

  device      = { phone_number = each.value }
  qos_profile = "QOS_L"
  starts_at   = provider::qod::local_time("2028-02-29T20:45", "Europe/Madrid")
  ends_at     = provider::qod::local_time("2028-03-01T00:15", "Europe/Madrid")

  notification_url                = "${var.webhook_url}/${urlencode(each.key)}"
  notification_auth_token         = var.webhook_token
  notification_auth_token_version = 1
}
