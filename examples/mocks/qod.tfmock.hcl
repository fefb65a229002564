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
    sessions = []
  }
}
