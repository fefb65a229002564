# The module under test: one camera of an event.

terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

variable "phone_number" {
  description = "Phone number of the camera."
  type        = string
}

variable "starts_at" {
  description = "Start of the event. Default: at once."
  type        = string
  default     = null
}

variable "ends_at" {
  description = "End of the event."
  type        = string

  validation {
    condition     = var.starts_at == null || try(timecmp(var.ends_at, timeadd(var.starts_at, "24h")) <= 0, false)
    error_message = "An event lasts at most 24 hours, as a session does."
  }
}

resource "qod_reservation" "camera" {
  device      = { phone_number = var.phone_number }
  qos_profile = "QOS_L"
  starts_at   = var.starts_at
  ends_at     = var.ends_at
}

output "device_hours" {
  value = try(qod_reservation.camera.window_seconds / 3600, null)
}

output "live_until" {
  value = qod_reservation.camera.expires_at
}
