# A session from create to destroy, on the network that QOD_ENDPOINT names:
# qod-sandbox exec --fail-on-leftovers -- terraform test -filter=tests/sandbox.tftest.hcl

provider "qod" {}

variables {
  phone_number = "+34600000010"
}

run "reserves" {
  assert {
    condition     = qod_session.camera.qos_status == "AVAILABLE"
    error_message = "The session is ${qod_session.camera.qos_status}."
  }
}

# If the plan replaced the session, its status would be unknown and the condition would fail.
run "reserves_once" {
  command = plan

  assert {
    condition     = qod_session.camera.qos_status == "AVAILABLE"
    error_message = "The session is ${qod_session.camera.qos_status}."
  }
}
