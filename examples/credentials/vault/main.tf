ephemeral "vault_kv_secret_v2" "qod" {
  mount = "secret"
  name  = "qod"
}

provider "qod" {
  client_id     = ephemeral.vault_kv_secret_v2.qod.data.client_id
  client_secret = ephemeral.vault_kv_secret_v2.qod.data.client_secret
}
