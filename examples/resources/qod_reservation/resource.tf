# Quality for one camera during a match. Apply it as often as you like, days before or during it.
resource "qod_reservation" "camera" {
  device = {
    phone_number = "+34600000010"
  }

  application_server = {
    ipv4_address = "198.51.100.0/24"
  }

  qos_profile = "QOS_L"

  # What clocks in Madrid show. A time with its offset works as well: "2028-02-29T21:15:00+01:00".
  starts_at = provider::qod::local_time("2028-02-29T21:15", "Europe/Madrid")
  ends_at   = provider::qod::local_time("2028-03-01T01:15", "Europe/Madrid")
}
