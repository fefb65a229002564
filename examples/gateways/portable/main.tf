variable "qos_profile" {
  description = "One of the operator's profiles: QOS_L with api = \"open-gateway\"."
  type        = string
  default     = "QOS_L"
}

resource "qod_session" "camera" {
  device             = { phone_number = "+34600000010" }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = var.qos_profile
  duration           = 3600
}
