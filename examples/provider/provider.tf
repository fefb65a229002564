terraform {
  required_providers {
    qod = {
      source  = "telefonica/qod"
      version = "~> 0.1"
    }
  }
}

# The credentials come from the environment (QOD_CLIENT_ID and QOD_CLIENT_SECRET), so that no file or
# saved plan contains them.
provider "qod" {
  endpoint = "https://sandbox.opengateway.telefonica.com/v1"
}
