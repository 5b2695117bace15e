#!/bin/sh
# Publishes one message with curl:
#
#   sh docs/examples/publish/publish.sh demo:hello '{"text":"hello from curl"}'
#
# GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.
set -eu

topic=${1:-demo:hello}
data=${2:-'{"text":"hello from curl"}'}
id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# The retries are safe because of messageId: a repeat of one that did arrive gets the first one's answer.
curl --fail-with-body --silent --show-error --max-time 10 --retry 3 --retry-connrefused \
    --header 'Content-Type: application/json' \
    ${GATEWAY_KEY:+--header "Authorization: Bearer $GATEWAY_KEY"} \
    --data-binary "{\"topic\":\"$topic\",\"messageId\":\"$id\",\"data\":$data}" \
    "${GATEWAY_URL:-http://127.0.0.1:8081}/v1/publish"
echo
