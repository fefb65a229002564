# What the operator offers at present.
data "qod_profiles" "active" {
  status = "ACTIVE"
}

# A camera needs 10 Mbit/s upstream for three hours. Of the profiles that allow that, the slowest will do.
locals {
  rate    = 10000000
  seconds = 3 * 3600
  fitting = {
    for p in data.qod_profiles.active.profiles : format("%015d", p.max_upstream_rate) => p.name...
    if coalesce(p.max_upstream_rate, 0) >= local.rate && coalesce(p.max_duration, local.seconds) >= local.seconds
  }
}

resource "qod_session" "camera" {
  device             = { phone_number = "+34600000010" }
  application_server = { ipv4_address = "198.51.100.7" }
  qos_profile        = values(local.fitting)[0][0] # values are in the order of their keys
  duration           = local.seconds
}
