resource "qod_reservation" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  ends_at     = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}

# What the camera's sessions add up to at most, and each of them.
output "bill" {
  value = {
    hours    = qod_reservation.camera.granted_seconds / 3600
    sessions = qod_reservation.camera.sessions
  }
}
