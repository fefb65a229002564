# Devices from a spreadsheet, as people save one: with commas or semicolons, with or without the
# byte-order mark of Excel's "CSV UTF-8", in UTF-8 or in Windows-1252.

variable "file" {
  description = "Path of the CSV file."
  type        = string
}

locals {
  # Terraform's file() refuses what is not UTF-8. A spreadsheet that saves anything else in Europe or in
  # America saves Windows-1252. Sensitive, or an error in a row would print all phone numbers of the sheet.
  file = sensitive(try(file(var.file), textdecodebase64(filebase64(var.file), "windows-1252")))
  text = replace(trimprefix(local.file, "\ufeff"), "/\\r\\n?/", "\n")

  # For errors. Without column names it is a row, so digits are masked.
  header = nonsensitive(replace(trimspace(split("\n", local.text)[0]), "/[0-9]/", "*"))

  # Where the decimal mark is a comma, as in Spain and Brazil, Excel separates the cells with semicolons.
  # csvdecode knows commas only, so those that are text are put aside meanwhile.
  semicolons = strcontains(local.header, ";")
  csv        = local.semicolons ? replace(replace(local.text, ",", "\u001f"), ";", ",") : local.text

  columns = [for column in split(local.semicolons ? ";" : ",", local.header) : lower(trim(column, " \""))]
  missing = [for column in ["camera", "sim", "profile"] : column if !contains(local.columns, column)]

  table = [
    for row in nonsensitive(csvdecode(length(local.missing) == 0 ? local.csv : sensitive("camera"))) : {
      for column, cell in row : lower(trimspace(column)) =>
      trimspace(local.semicolons ? replace(replace(cell, ",", ";"), "\u001f", ",") : cell)
    }
  ]
  # Sheets end in empty rows. The keys are names, not phone numbers: Terraform prints keys in every plan and
  # error.
  rows = { for row in local.table : "${row.camera}/${row.sim}" => row... if join("", values(row)) != "" }

  # A camera with several SIMs is several devices. A cell that is empty, or whose column is missing, is null.
  devices = {
    for name, rows in local.rows : name => {
      profile = rows[0].profile
      device = {
        phone_number              = try(coalesce(rows[0].phone_number), null)
        network_access_identifier = try(coalesce(rows[0].network_access_identifier), null)
        ipv6_address              = try(coalesce(rows[0].ipv6_address), null)
        ipv4_address = try(rows[0].public_address, "") == "" ? null : {
          public_address = rows[0].public_address
          public_port    = try(coalesce(rows[0].public_port), null)
        }
      }
    }
  }

  # A name with two rows, and a device with two names, are mistakes in the sheet.
  repeated   = [for name, rows in local.rows : name if length(rows) > 1]
  owners     = { for name, line in local.devices : jsonencode(line.device) => name... }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]
}

output "devices" {
  description = "Device and profile of each row, by \"camera/sim\"."
  value       = local.devices

  # An output reports this once; a precondition of a resource would repeat it for every row.
  precondition {
    condition     = length(local.missing) == 0
    error_message = "${basename(var.file)} does not have these columns: ${join(", ", local.missing)}. Its first line is: ${local.header}. Name the columns in the first line, and save the sheet as \"CSV UTF-8\"."
  }
  precondition {
    condition     = length(local.missing) > 0 || length(local.rows) > 0
    error_message = "${basename(var.file)} has no rows below the names of the columns."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Some rows of ${basename(var.file)} have the same camera and sim: ${join(", ", local.repeated)}. Remove the row that is there twice, or give it another sim."
  }
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device can have only one session at a time, but some rows of ${basename(var.file)} have the same one: ${join("; ", local.duplicates)}."
  }
}
