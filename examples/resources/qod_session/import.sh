# The id of the session, which qod_sessions lists.
terraform import qod_session.camera 3fa85f64-5717-4562-b3fc-2c963f66afa6
