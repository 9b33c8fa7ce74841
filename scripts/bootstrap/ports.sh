#!/usr/bin/env bash
# Are the host ports free that the Compose files publish? One line for each that something else holds:
# by what, and how to choose another. Ports that this very project holds already are fine. Exit code 1: some are taken.
set -euo pipefail
cd "$(dirname "$0")/../.."

published() { docker compose config | awk '$1 == "published:" { gsub(/"/, "", $2); print $2 }' | sort -un; }

listens() { # listens PORT: on any of this machine's addresses
    if command -v ss >/dev/null; then
        [ -n "$(ss -Hltn "sport = :$1")" ]
    else
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
    fi
}

holder() { # holder PORT: a container's name, else the process, as well as we may know it
    local container process=
    container=$(docker ps --filter "publish=$1" --format '{{.Names}} (docker)' | head -n 1)
    ! command -v ss >/dev/null || process=$(ss -Hltnp "sport = :$1" |
        sed -nE 's/.*users:\(\("([^"]+)",pid=([0-9]+).*/\1 (pid \2)/p' | head -n 1)
    echo "${container:-${process:-a process of another user}}"
}

setting() { # setting PORT: the variable that Compose takes this port from
    docker compose config --environment | sed -nE "s/^([A-Z_]*PORT)=$1\$/\1/p" | head -n 1
}

project=$(docker compose config | sed -n 's/^name: //p')
taken=0
for port in $(published); do
    listens "$port" || continue
    own=$(docker ps --quiet --filter "publish=$port" --filter "label=com.docker.compose.project=$project")
    [ -z "$own" ] || continue
    variable=$(setting "$port")
    echo "port $port is taken by $(holder "$port"): stop that, or choose another port: ${variable:-PORT}=$((port + 10000)) make …" >&2
    taken=1
done
exit "$taken"
