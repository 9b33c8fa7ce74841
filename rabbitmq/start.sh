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

follow() { # new content counts when two looks have found it: a file may be half-written
    taken=$1 seen=$1
    while sleep 1; do
        found=$(password 2>&1) || found="refused: $found"
        if [ "$found" = "$taken" ] || [ "$found" != "$seen" ]; then seen=$found; continue; fi
        case $found in
        refused:*) echo "rabbitmq: changed password $found: the earlier one stays in use" >&2 ;;
        *)
            # from standard input: arguments are visible to other processes; with --quiet the command never ends
            echo "$found" | timeout 60 rabbitmqctl change_password jobs >/dev/null 2>&1 || continue
            echo "rabbitmq: changed password in use" ;;
        esac
        taken=$found
    done
}

current=$(password)
unset RABBITMQ_PASSWORD
sed "s/PASSWORD/$current/" /etc/rabbitmq/definitions.json >/tmp/definitions.json
if [ -n "${RABBITMQ_PASSWORD_FILE:-}" ]; then follow "$current" & fi
exec docker-entrypoint.sh rabbitmq-server
