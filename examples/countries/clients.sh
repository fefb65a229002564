export TF_VAR_clients='{
  "spain":   {"endpoint": "https://qod.operator.es/v1", "client_id": "my-client-es", "client_secret": "my-secret-es"},
  "germany": {"endpoint": "https://qod.operator.de/v1", "client_id": "my-client-de", "client_secret": "my-secret-de"}
}'
