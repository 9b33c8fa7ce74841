#!/bin/sh
# Starts RabbitMQ with its only user: definitions.json, with the password from the environment or a secret.
set -eu
password=${RABBITMQ_PASSWORD:-$(cat "${RABBITMQ_PASSWORD_FILE:?RABBITMQ_PASSWORD is not set}")}
[ -z "${RABBITMQ_PASSWORD:-}" ] || unset RABBITMQ_PASSWORD
case $password in *[!A-Za-z0-9._~-]*) echo "RABBITMQ_PASSWORD: letters, digits and -._~ only" >&2; exit 1 ;; esac
sed "s/PASSWORD/$password/" /etc/rabbitmq/definitions.json >/tmp/definitions.json
exec docker-entrypoint.sh rabbitmq-server
