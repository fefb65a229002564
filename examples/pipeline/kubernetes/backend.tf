# The state is a Secret beside the loop: tfstate-default-stadium. One suffix for each venue.

terraform {
  backend "kubernetes" {
    namespace     = "qod"
    secret_suffix = "stadium"
  }
}
