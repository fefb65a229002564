resource "qod_reservation" "camera" {
  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  ends_at     = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}

# The live session of qod_session.camera is now the reservation's.
moved {
  from = qod_session.camera
  to   = qod_reservation.camera
}
