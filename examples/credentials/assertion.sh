export QOD_GRANT="jwt_bearer"
export QOD_CLIENT_ID="my-client"
export QOD_CLIENT_PRIVATE_KEY="$(cat key.pem)"
