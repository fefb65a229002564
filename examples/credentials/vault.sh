export QOD_CLIENT_ID="my-client"
export QOD_CLIENT_SECRET="$(vault kv get -mount=secret -field=client_secret qod)"
