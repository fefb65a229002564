# The module under test: one camera of an event.

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

variable "phone_number" {
  description = "Phone number of the camera."
  type        = string
}

variable "minutes" {
  description = "How long the event lasts."
  type        = number
  default     = 240

  validation {
    condition     = var.minutes <= 24 * 60
    error_message = "A session lasts at most 24 hours."
  }
}

resource "qod_session" "camera" {
  device      = { phone_number = var.phone_number }
  qos_profile = "QOS_L"
  duration    = var.minutes * 60
}

output "live_until" {
  value = qod_session.camera.expires_at
}
