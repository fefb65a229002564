# Devices from a spreadsheet, as people save one: with commas or semicolons, with or without the
# byte-order mark of Excel's "CSV UTF-8", in UTF-8 or in Windows-1252.

variable "file" {
  description = "Path of the CSV file."
  type        = string
}

variable "ignore" {
  description = "Names of columns that are not for Terraform."
  type        = list(string)
  default     = []
}

locals {
  required    = ["camera", "sim", "profile"]
  identifiers = ["phone_number", "network_access_identifier", "ipv6_address", "public_address"]
  known       = concat(local.required, local.identifiers, ["public_port"])

  # Terraform's file() refuses what is not UTF-8. A spreadsheet that saves anything else in Europe or in
  # America saves Windows-1252. Sensitive, or an error in a row would print all phone numbers of the sheet.
  file  = sensitive(try(file(var.file), textdecodebase64(filebase64(var.file), "windows-1252")))
  lines = split("\n", replace(trimprefix(local.file, "\ufeff"), "/\\r\\n?/", "\n"))

  # Where the decimal mark is a comma, as in Spain and Brazil, Excel separates the cells with semicolons.
  semicolons = nonsensitive(strcontains(local.lines[0], ";"))
  separator  = local.semicolons ? ";" : ","

  # "Phone Number" is phone_number. Columns without a name are not read.
  columns = [for name in split(local.separator, nonsensitive(local.lines[0])) : replace(lower(trim(name, " \"")), "/[ _-]+/", "_")]
  ignored = concat([""], [for name in var.ignore : replace(lower(trimspace(name)), "/[ _-]+/", "_")])
  missing = setsubtract(local.required, local.columns)
  unknown = setsubtract(local.columns, concat(local.known, local.ignored))
  twice   = [for name in local.known : name if length([for column in local.columns : column if column == name]) > 1]

  # What an unknown one may be meant to be: the column that has most of its pairs of letters.
  shared = {
    for name in local.unknown : name => {
      for column in setsubtract(local.known, local.columns) :
      column => length([for n in range(length(name) - 1) : n if strcontains(column, substr(name, n, 2))])
    }
  }
  hints = [
    for name, shared in local.shared :
    " \"${replace(name, "/[0-9]{3,}/", "***")}\" may be meant to be ${join(" or ", [for column, pairs in shared : column if pairs == max(values(shared)...)])}."
    if length(local.columns) > 1 && max(concat(values(shared), [0])...) > 1
  ]

  # csvdecode knows commas only, so those that are text are put aside meanwhile. Its names for the columns
  # are their numbers.
  csv   = join("\n", [for line in slice(local.lines, 1, length(local.lines)) : local.semicolons ? replace(replace(line, ",", "\u001f"), ";", ",") : line])
  table = nonsensitive(try(csvdecode("${join(",", range(length(local.columns)))}\n${local.csv}"), null))

  # The lines for which there is no table: they have more or fewer cells than the first, or half a quotation.
  broken = nonsensitive([
    for n, line in local.lines : n + 1
    if line != "" && (length(split("\"", line)) % 2 == 0 || length(split(local.separator, replace(line, "/\"[^\"]*\"/", ""))) != length(local.columns))
  ])

  cells = [
    for row in length(local.missing) > 0 || local.table == null ? [] : local.table : {
      for name in local.known : name => !contains(local.columns, name) ? "" :
      trimspace(local.semicolons ? replace(replace(row[index(local.columns, name)], ",", ";"), "\u001f", ",") : row[index(local.columns, name)])
    }
  ]
  # Sheets end in empty rows. The keys are names, not phone numbers: Terraform prints keys in every plan and
  # error.
  rows = { for row in local.cells : "${row.camera}/${row.sim}" => row... if join("", values(row)) != "" }

  # A camera with several SIMs is several devices. A cell that is empty is null.
  devices = {
    for name, rows in local.rows : name => {
      profile = rows[0].profile
      device = {
        phone_number              = rows[0].phone_number != "" ? rows[0].phone_number : null
        network_access_identifier = rows[0].network_access_identifier != "" ? rows[0].network_access_identifier : null
        ipv6_address              = rows[0].ipv6_address != "" ? rows[0].ipv6_address : null
        ipv4_address = rows[0].public_address == "" ? null : {
          public_address = rows[0].public_address
          public_port    = rows[0].public_port != "" ? rows[0].public_port : null
        }
      }
    }
  }

  # A row without a device, a name with two rows, and a device with two names, are mistakes in the sheet.
  nameless   = [for name, rows in local.rows : name if join("", [for identifier in local.identifiers : rows[0][identifier]]) == ""]
  repeated   = [for name, rows in local.rows : name if length(rows) > 1]
  owners     = { for name, line in local.devices : jsonencode(line.device) => name... if !contains(local.nameless, name) }
  duplicates = [for names in local.owners : join(" and ", names) if length(names) > 1]

  # For errors. Without column names the first line is a row, so digits are masked.
  sheet  = basename(var.file)
  header = replace(replace(nonsensitive(trimspace(local.lines[0])), "/[0-9]/", "*"), "/[\\x00-\\x1f]/", " ")
}

output "devices" {
  description = "Device and profile of each row, by \"camera/sim\"."
  value       = local.devices

  # An output reports this once; a precondition of a resource would repeat it for every row.
  precondition {
    condition     = length(local.missing) == 0
    error_message = "${local.sheet} does not have these columns: ${join(", ", local.missing)}.${join("", local.hints)} Its first line is: ${local.header}. Name the columns in the first line, and save the sheet as \"CSV UTF-8\"."
  }
  precondition {
    condition     = length(local.missing) > 0 || length(local.unknown) == 0
    error_message = "${local.sheet} has columns that are not known: ${join(", ", local.unknown)}.${join("", local.hints)} The known ones are ${join(", ", local.known)}. Rename what is misspelt, and list what is not for Terraform in ignore, an argument of the module."
  }
  precondition {
    condition     = length(local.twice) == 0
    error_message = "${local.sheet} has two columns of this name: ${join(", ", local.twice)}."
  }
  precondition {
    condition     = length(local.missing) > 0 || local.table != null
    error_message = "${local.sheet} cannot be read. Each line needs as many cells as the first, which has ${length(local.columns)}, and quotation marks in pairs around whole cells. Look at line ${join(", ", slice(local.broken, 0, min(5, length(local.broken))))}."
  }
  precondition {
    condition     = length(local.missing) > 0 || local.table == null || length(local.rows) > 0
    error_message = "${local.sheet} has no rows below the names of the columns."
  }
  precondition {
    condition     = length(local.unknown) > 0 || length(local.nameless) == 0
    error_message = "Some rows of ${local.sheet} have no device: ${join(", ", local.nameless)}. Each needs one of ${join(", ", local.identifiers)}."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Some rows of ${local.sheet} have the same camera and sim: ${join(", ", local.repeated)}. Remove the row that is there twice, or give it another sim."
  }
  precondition {
    condition     = length(local.duplicates) == 0
    error_message = "A device can have only one session at a time, but some rows of ${local.sheet} have the same one: ${join("; ", local.duplicates)}."
  }
}
