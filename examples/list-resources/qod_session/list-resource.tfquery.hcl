# Live sessions with the best profile. Needs Terraform 1.14 or later: terraform query
list "qod_session" "best" {
  provider = qod
  limit    = 500

  config {
    qos_profile = "QOS_L"
    qos_status  = "AVAILABLE"
  }
}
