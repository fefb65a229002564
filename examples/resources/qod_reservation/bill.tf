resource "qod_reservation" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  ends_at     = "2028-03-01T01:15:00+01:00"
}

# What the camera's sessions add up to, and each of them, as the bill lists them.
output "bill" {
  value = {
    hours    = qod_reservation.camera.granted_seconds / 3600
    sessions = qod_reservation.camera.sessions
  }
}
