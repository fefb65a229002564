#!/bin/sh
# Tries the configuration in this directory on two sandboxes, one for each country, without credentials.
#
#   ./dry-run.sh

set -eu

# The values of a country for TF_VAR_clients, from the environment variables that its sandbox has set.
client() {
  printf '{"endpoint": "%s", "client_id": "%s", "client_secret": "%s"}' "$QOD_ENDPOINT" "$QOD_CLIENT_ID" "$QOD_CLIENT_SECRET"
}

# This script runs itself in a first sandbox, and there in a second one, so that both are running.
case ${COUNTRIES:-none} in
none)
  exec env COUNTRIES=spain qod-sandbox exec -quiet -- "$0"
  ;;
spain)
  SPAIN=$(client) SPAIN_ENDPOINT=$QOD_ENDPOINT
  export SPAIN SPAIN_ENDPOINT
  exec env COUNTRIES=both qod-sandbox exec -quiet -- "$0"
  ;;
esac

TF_VAR_clients="{\"spain\": $SPAIN, \"germany\": $(client)}"
export TF_VAR_clients
# An alias that does not set one of these would take it from the environment.
GERMANY_ENDPOINT=$QOD_ENDPOINT
unset QOD_ENDPOINT QOD_CLIENT_ID QOD_CLIENT_SECRET

terraform=${TERRAFORM:-terraform}
"$terraform" init -input=false
"$terraform" plan -input=false -out=tfplan
"$terraform" apply -input=false tfplan
echo "Spain:"
qod-sandbox ledger -sandbox "$SPAIN_ENDPOINT"
echo "Germany:"
qod-sandbox ledger -sandbox "$GERMANY_ENDPOINT"
"$terraform" destroy -input=false -auto-approve
