# No network: the provider's schema and checks are real, its answers are mocked.

mock_provider "qod" {
  source = "../mocks"
}

variables {
  phone_number = "+34600000010"
  starts_at    = "2030-01-01T20:15:00Z"
  ends_at      = "2030-01-02T00:15:00Z"
}

run "reserves_for_the_whole_event" {
  command = plan

  assert {
    condition     = qod_reservation.camera.ends_at == var.ends_at
    error_message = "The reservation ends at ${qod_reservation.camera.ends_at}."
  }
}

# A mock computes nothing: window_seconds is that of its defaults, whatever the window.
run "counts_device_hours" {
  command = plan

  assert {
    condition     = output.device_hours == 4
    error_message = "14400 seconds are four hours, not ${output.device_hours}."
  }
}

run "shows_the_end" {
  assert {
    condition     = timecmp(output.live_until, qod_reservation.camera.started_at) > 0
    error_message = "live_until must be later than the start."
  }
}

# expect_failures cannot catch an error of the provider, which ends the test: give modules their own
# conditions.
run "refuses_more_than_a_day" {
  command = plan

  variables {
    ends_at = "2030-01-02T20:16:00Z"
  }

  expect_failures = [var.ends_at]
}
