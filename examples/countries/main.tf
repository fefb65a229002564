# Each country has its own API and client, and so its own provider configuration. Set the credentials of
# every one: those without credentials all use QOD_CLIENT_ID and QOD_CLIENT_SECRET, which could send
# Spain's secret to Germany.

terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

variable "clients" {
  description = "Endpoint and client credentials of each country."
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
