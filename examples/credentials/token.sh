export QOD_ACCESS_TOKEN="my-token"
