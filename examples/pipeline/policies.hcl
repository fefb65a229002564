# The policy set of HCP Terraform, beside gate.rego.
policy "qod" {
  query             = "data.main.deny"
  enforcement_level = "mandatory"
}
