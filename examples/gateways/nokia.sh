export QOD_API="camara-v1"
export QOD_ENDPOINT="https://network-as-code.p-eu.rapidapi.com"
export QOD_HEADERS='{"X-RapidAPI-Key": "my-key", "X-RapidAPI-Host": "network-as-code.nokia.rapidapi.com"}'
