# A reservation from create to destroy, on the network that QOD_ENDPOINT names:
# qod-sandbox exec --fail-on-leftovers -- terraform test -filter=tests/sandbox.tftest.hcl

provider "qod" {}

# Before its window, a reservation reserves nothing.
run "waits_for_its_window" {
  variables {
    phone_number = "+34600000011"
    starts_at    = "2099-12-30T20:15:00Z"
    ends_at      = "2099-12-31T00:15:00Z"
  }

  assert {
    condition     = qod_reservation.camera.status == "SCHEDULED" && output.live_until == null
    error_message = "The reservation is ${qod_reservation.camera.status}."
  }
  assert {
    condition     = output.device_hours == 4
    error_message = "The window has ${output.device_hours} hours."
  }
}

# This window is open whenever the test runs. The provider warns that no session lasts as long.
run "reserves" {
  variables {
    phone_number = "+34600000010"
    ends_at      = "2099-12-31T00:15:00Z"
  }

  assert {
    condition     = qod_reservation.camera.status == "AVAILABLE"
    error_message = "The reservation is ${qod_reservation.camera.status}."
  }
}

# If the plan replaced the session, the status would be unknown and the condition would fail.
run "reserves_once" {
  command = plan

  variables {
    phone_number = "+34600000010"
    ends_at      = "2099-12-31T00:15:00Z"
  }

  assert {
    condition     = qod_reservation.camera.status == "AVAILABLE"
    error_message = "The reservation is ${qod_reservation.camera.status}."
  }
}
