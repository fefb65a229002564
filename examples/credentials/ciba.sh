export QOD_GRANT="ciba"
export QOD_CLIENT_ID="my-client"
export QOD_CLIENT_SECRET="my-secret"
