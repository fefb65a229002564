# Bearer token for the webhook. Ephemeral, so that neither plan nor state contains it: set
# TF_VAR_webhook_token.
variable "webhook_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

# Two hours of quality for one camera.
resource "qod_session" "camera" {
  device = {
    phone_number = "+34600000010"
  }

  application_server = {
    ipv4_address = "198.51.100.0/24"
  }

  qos_profile = "QOS_L"
  duration    = 7200

  notification_url        = "https://example.com/qod"
  notification_auth_token = var.webhook_token
  # Terraform cannot compare the token: increase this number whenever the token changes.
  notification_auth_token_version = 1

  timeouts = {
    create = "10m"
  }
}
