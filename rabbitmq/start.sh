#!/bin/sh
# Starts RabbitMQ with the one user there is: definitions.json, with the password from the environment, or from a file,
# which is followed: a changed one counts within seconds, and connections that are open stay open.
set -eu

password() {
    if [ -n "${RABBITMQ_PASSWORD_FILE:-}" ]; then
        value=$(cat "$RABBITMQ_PASSWORD_FILE" 2>/dev/null) || { echo "RABBITMQ_PASSWORD_FILE: cannot read $RABBITMQ_PASSWORD_FILE" >&2; return 1; }
    else
        value=${RABBITMQ_PASSWORD:-}
    fi
    case $value in
    '') echo "RABBITMQ_PASSWORD: it is empty" >&2; return 1 ;;
    *[!A-Za-z0-9._~-]*) echo "RABBITMQ_PASSWORD: letters, digits and -._~ only" >&2; return 1 ;;
    esac
    printf %s "$value"
}

change() { # change PASSWORD: by standard input, since arguments are visible to other processes; with --quiet it never ends
    echo "$1" | timeout 60 rabbitmqctl change_password jobs >/dev/null 2>&1
}

current=$(password)
unset RABBITMQ_PASSWORD
sed "s/PASSWORD/$current/" /etc/rabbitmq/definitions.json >/tmp/definitions.json
if [ -n "${RABBITMQ_PASSWORD_FILE:-}" ]; then
    # shellcheck source=scripts/operate/follow-secret.sh
    . /follow-secret.sh
    follow rabbitmq "$current" password change &
fi
exec docker-entrypoint.sh rabbitmq-server
