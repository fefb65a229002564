export QOD_HEADERS='{"X-API-Key": "my-key"}'
