#!/usr/bin/env bash
# Check that the host ports that the Compose files publish are free. Print one line for each port that is in use:
# by what, and how to choose another one. Ports of this project's own containers are fine. Exit code 1: some are in use.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/settings.sh
. scripts/bootstrap/settings.sh

published() { # JSON escapes quotes in values, so this matches keys only; a bare machine has no JSON parser
    docker compose config --format json | grep -oE '"published": *"[0-9]+"' | grep -oE '[0-9]+' | sort -un
}

listens() { # listens PORT: whether a process listens on it, at any of this machine's addresses
    if command -v ss >/dev/null; then
        [ -n "$(ss -Hltn "sport = :$1")" ]
    else
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
    fi
}

holder() { # holder PORT: the container that uses it, else the process, if this user can see it
    local container process=
    container=$(docker ps --filter "publish=$1" --format '{{.Names}} (docker)' | head -n 1)
    ! command -v ss >/dev/null || process=$(ss -Hltnp "sport = :$1" |
        sed -nE 's/.*users:\(\("([^"]+)",pid=([0-9]+).*/\1 (pid \2)/p' | head -n 1)
    echo "${container:-${process:-a process of another user}}"
}

setting() { # setting PORT: the variable that sets this port
    compose_settings docker compose | sed -nE "s/^([A-Z_]*PORT)=$1\$/\1/p" | head -n 1
}

project=$(docker compose config | sed -n 's/^name: //p')
taken=0
for port in $(published); do
    listens "$port" || continue
    own=$(docker ps --quiet --filter "publish=$port" --filter "label=com.docker.compose.project=$project")
    [ -z "$own" ] || continue
    variable=$(setting "$port")
    echo "port $port is in use by $(holder "$port"): stop that, or choose another port: ${variable:-PORT}=$((port + 10000)) make …" >&2
    taken=1
done
exit "$taken"
