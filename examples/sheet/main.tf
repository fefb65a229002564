# Devices from a spreadsheet, as people save one: with commas or semicolons, with or without the
# byte-order mark of Excel's "CSV UTF-8", in UTF-8 or in Windows-1252.

variable "file" {
  description = "Path of the CSV file."
  type        = string
}

locals {
  # Terraform's file() refuses what is not UTF-8. A spreadsheet that saves anything else in Europe or in
  # America saves Windows-1252.
  text = trimprefix(try(file(var.file), textdecodebase64(filebase64(var.file), "windows-1252")), "\ufeff")

  # Where the decimal mark is a comma, as in Spain and Brazil, Excel separates the cells with semicolons.
  header = trimspace(split("\n", local.text)[0])
  table  = csvdecode(strcontains(local.header, ";") ? replace(local.text, ";", ",") : local.text)
  rows   = [for row in local.table : row if join("", values(row)) != ""] # sheets end in empty rows

  missing = [for column in ["camera", "sim", "profile"] : column if !can(local.rows[0][column])]

  # A camera with several SIMs is several devices. The keys are names, not phone numbers: Terraform prints
  # keys in every plan and error. A cell that is empty, or whose column is missing, is null.
  devices = {
    for row in local.rows : "${row.camera}/${row.sim}" => {
      profile = row.profile
      device = {
        phone_number              = try(coalesce(row.phone_number), null)
        network_access_identifier = try(coalesce(row.network_access_identifier), null)
        ipv6_address              = try(coalesce(row.ipv6_address), null)
        ipv4_address = try(row.public_address, "") == "" ? null : {
          public_address = row.public_address
          public_port    = try(coalesce(row.public_port), null)
        }
      }
    } if length(local.missing) == 0
  }

  # Names by device; a device with more than one name is a mistake in the sheet.
  owners     = { for name, line in local.devices : jsonencode(line.device) => name... }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]
}

output "devices" {
  description = "Device and profile of each row, by \"camera/sim\"."
  value       = local.devices

  # An output reports this once; a precondition of a resource would repeat it for every row.
  precondition {
    condition     = length(local.missing) == 0
    error_message = "${basename(var.file)} has no rows with these columns: ${join(", ", local.missing)}. Its first line is: ${local.header}. Name the columns in the first line, and save the sheet as \"CSV UTF-8\"."
  }
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device can have only one session at a time, but some rows of ${basename(var.file)} have the same one: ${join("; ", local.duplicates)}."
  }
}
