# The same for OpenTofu, which takes this file in place of mocked.tftest.hcl: it has mocks in the test itself.

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

run "asks_for_the_whole_event" {
  command = plan

  assert {
    condition     = qod_session.camera.duration == 14400
    error_message = "Four hours are 14400 seconds."
  }
}

run "says_until_when" {
  assert {
    condition     = timecmp(output.live_until, qod_session.camera.started_at) > 0
    error_message = "The output is no time after the start."
  }
}

# What the provider itself refuses ends a test, and cannot be expected: give modules conditions of their own.
run "refuses_more_than_a_day" {
  command = plan

  variables {
    minutes = 25 * 60
  }

  expect_failures = [var.minutes]
}
