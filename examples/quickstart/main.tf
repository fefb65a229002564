# Reserves network quality for two cameras, shows their sessions, and notifies a webhook.
# Credentials come from the environment: QOD_ENDPOINT, QOD_CLIENT_ID, QOD_CLIENT_SECRET.

terraform {
  required_version = ">= 1.11"

  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

variable "notification_url" {
  description = "URL to which the network reports status changes."
  type        = string
  default     = null
}

variable "notification_auth_token" {
  description = "Bearer token for these reports. Ephemeral, so that no plan or state contains it."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

locals {
  cameras = {
    north-stand = { phone_number = "+34600000011" }
    touchline   = { phone_number = "+34600000012" }
  }
}

resource "qod_session" "camera" {
  for_each = local.cameras

  device      = { phone_number = each.value.phone_number }
  qos_profile = "QOS_L"
  duration    = 2 * 60 * 60

  # The server that the cameras stream to.
  application_server = { ipv4_address = "198.51.100.0/24" }

  notification_url                = var.notification_url
  notification_auth_token         = var.notification_auth_token
  notification_auth_token_version = var.notification_url == null ? null : 1
}

output "sessions" {
  description = "The session of each camera."
  value = {
    for name, session in qod_session.camera : name => {
      id          = session.id
      qos_profile = session.qos_profile
      qos_status  = session.qos_status
      started_at  = session.started_at
      expires_at  = session.expires_at
    }
  }
}
