# Half past eight in the evening in Madrid: +01:00 in December, +02:00 in July.
locals {
  starts_at = provider::qod::local_time("2026-12-05T20:30", "Europe/Madrid") # 2026-12-05T20:30:00+01:00
  ends_at   = provider::qod::local_time("2026-12-05T23:45", "Europe/Madrid")
}

# A match in São Paulo, and one in a zone without summer time.
output "elsewhere" {
  value = {
    sao_paulo = provider::qod::local_time("2026-12-06T16:00", "America/Sao_Paulo") # 2026-12-06T16:00:00-03:00
    utc       = provider::qod::local_time("2026-12-06T16:00:30", "UTC")            # 2026-12-06T16:00:30Z
  }
}
