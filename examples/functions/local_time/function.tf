# Half past eight in the evening in Madrid: +01:00 in December, +02:00 in July.
locals {
  starts_at = provider::qod::local_time("2026-12-05T20:30", "Europe/Madrid") # 2026-12-05T20:30:00+01:00
  ends_at   = provider::qod::local_time("2026-12-05T23:45", "Europe/Madrid")
}

# A night in which the clocks of Madrid are put back: these five hours on the clock last six.
# "2026-10-25T02:30" would be an error, because clocks show it twice.
locals {
  doors_open  = provider::qod::local_time("2026-10-24T23:00", "Europe/Madrid") # 2026-10-24T23:00:00+02:00
  doors_close = provider::qod::local_time("2026-10-25T04:00", "Europe/Madrid") # 2026-10-25T04:00:00+01:00
}

# A match in São Paulo, and one in a zone without summer time.
output "elsewhere" {
  value = {
    sao_paulo = provider::qod::local_time("2026-12-06T16:00", "America/Sao_Paulo") # 2026-12-06T16:00:00-03:00
    utc       = provider::qod::local_time("2026-12-06T16:00:30", "UTC")            # 2026-12-06T16:00:30Z
  }
}
