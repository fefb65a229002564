# Without defaults, mock_provider returns random text; these are values that a configuration can use. A
# test names the directory of this file, relative to where terraform test runs, as in examples/testing.

mock_resource "qod_session" {
  defaults = {
    id         = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    qos_status = "AVAILABLE"
    started_at = "2030-01-01T20:15:00Z"
    expires_at = "2030-01-02T00:15:00Z"
  }
}

# The values are known in a plan, too, as the provider's window_seconds is. Text without a default would be
# random, and change between the plan and the apply. A mock computes nothing: the values are the same
# whatever the configuration.
mock_resource "qod_reservation" {
  override_during = plan

  defaults = {
    id              = "9b2e4c1a-7d35-4f60-8a1b-2c3d4e5f6071"
    endpoint        = "https://sandbox.opengateway.telefonica.com/v1"
    session_id      = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    status          = "AVAILABLE"
    status_info     = null
    started_at      = "2030-01-01T20:15:00Z"
    expires_at      = "2030-01-02T00:15:00Z"
    granted_seconds = 14400
    window_seconds  = 14400
  }
}

mock_data "qod_sessions" {
  defaults = {
    read_at  = "2030-01-01T21:00:00Z"
    sessions = []
  }
}
