# Every session that these credentials can see.
data "qod_sessions" "all" {}

# Only the granted sessions of one device.
data "qod_sessions" "camera" {
  device     = { phone_number = "+34600000010" }
  qos_status = "AVAILABLE"
}

output "live" {
  value = [for s in data.qod_sessions.all.sessions : "${s.id} until ${coalesce(s.expires_at, "unknown")}"]
}
