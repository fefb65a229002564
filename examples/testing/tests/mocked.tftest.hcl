# No network at all: the provider's schema and checks are real, its answers made up.

mock_provider "qod" {
  source = "../mocks"
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
