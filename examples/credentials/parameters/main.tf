provider "qod" {
  scopes           = []
  token_parameters = { audience = "https://api.example" }
}
