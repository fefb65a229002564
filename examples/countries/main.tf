# Each country has an API and a client of its own, and so a provider configuration of its own. Give all
# of them their credentials: where one has none, it takes QOD_CLIENT_ID and QOD_CLIENT_SECRET, as all the
# others without would, and sends Germany the secret of Spain.

terraform {
  required_providers {
    qod = {
      source = "telefonica/qod"
    }
  }
}

variable "clients" {
  description = "Endpoint and client of each country."
  type = map(object({
    endpoint      = string
    client_id     = string
    client_secret = string
  }))
  sensitive = true
  ephemeral = true
}

provider "qod" {
  alias         = "spain"
  endpoint      = var.clients["spain"].endpoint
  client_id     = var.clients["spain"].client_id
  client_secret = var.clients["spain"].client_secret
}

provider "qod" {
  alias         = "germany"
  endpoint      = var.clients["germany"].endpoint
  client_id     = var.clients["germany"].client_id
  client_secret = var.clients["germany"].client_secret
}

resource "qod_session" "madrid" {
  provider = qod.spain

  device      = { phone_number = "+34600000010" }
  qos_profile = "QOS_L"
  duration    = 2 * 60 * 60
}

resource "qod_session" "munich" {
  provider = qod.germany

  device      = { phone_number = "+4915100000010" }
  qos_profile = "QOS_L"
  duration    = 2 * 60 * 60
}
