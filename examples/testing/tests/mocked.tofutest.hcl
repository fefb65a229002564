# OpenTofu uses this file instead of mocked.tftest.hcl: its mocks are in the test file itself.

mock_provider "qod" {
  mock_resource "qod_session" {
    defaults = {
      id         = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
      qos_status = "AVAILABLE"
      started_at = "2030-01-01T20:15:00Z"
      expires_at = "2030-01-02T00:15:00Z"
    }
  }

  mock_data "qod_sessions" {
    defaults = {
      sessions = []
    }
  }
}

variables {
  phone_number = "+34600000010"
}

run "requests_the_whole_event" {
  command = plan

  assert {
    condition     = qod_session.camera.duration == 14400
    error_message = "Four hours are 14400 seconds."
  }
}

run "shows_the_end" {
  assert {
    condition     = timecmp(output.live_until, qod_session.camera.started_at) > 0
    error_message = "live_until must be later than the start."
  }
}

# expect_failures cannot catch an error of the provider, which ends the test: give modules their own
# conditions.
run "refuses_more_than_a_day" {
  command = plan

  variables {
    minutes = 25 * 60
  }

  expect_failures = [var.minutes]
}
