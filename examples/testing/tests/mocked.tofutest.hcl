# OpenTofu uses this file instead of mocked.tftest.hcl: its mocks are in the test file itself.

mock_provider "qod" {
  mock_resource "qod_reservation" {
    defaults = {
      id             = "9b2e4c1a-7d35-4f60-8a1b-2c3d4e5f6071"
      session_id     = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
      status         = "AVAILABLE"
      started_at     = "2030-01-01T20:15:00Z"
      expires_at     = "2030-01-02T00:15:00Z"
      window_seconds = 14400
    }
  }

  mock_data "qod_sessions" {
    defaults = {
      read_at  = "2030-01-01T21:00:00Z"
      sessions = []
    }
  }
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
