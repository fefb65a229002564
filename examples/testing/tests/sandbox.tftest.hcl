# The whole life of a session, on the network that QOD_ENDPOINT names:
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

run "reserves_once" {
  assert {
    condition     = output.id == run.reserves.id
    error_message = "The second apply replaces the session."
  }
}
