# Live sessions with the profile QOS_L. Run terraform query, which requires Terraform 1.14 or later.
list "qod_session" "best" {
  provider = qod
  limit    = 500

  config {
    qos_profile = "QOS_L"
    qos_status  = "AVAILABLE"
  }
}
