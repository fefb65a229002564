# The id is that of the reservation's session, which qod_sessions lists.
terraform import qod_reservation.camera 3fa85f64-5717-4562-b3fc-2c963f66afa6
