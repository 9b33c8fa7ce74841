#!/usr/bin/env bash
# Replaces the replicas of a service one by one with replicas of the newest image, without a dropped request.
# Usage: scripts/operate/rolling-update.sh api|model-serve
set -euo pipefail
cd "$(dirname "$0")/../.."
service=${1:?which service? scripts/operate/rolling-update.sh api|model-serve}
docker compose build --quiet "$service"
mapfile -t old < <(docker compose ps --quiet "$service")
[ "${#old[@]}" -gt 0 ] || { echo "$service does not run" >&2; exit 1; }

for container in "${old[@]}"; do
    replicas=$(docker compose ps --quiet "$service" | wc -l)
    echo "starting a new replica"
    docker compose up --detach --wait --no-deps --no-recreate --scale "$service=$((replicas + 1))" "$service"
    echo "stopping an old one"
    docker stop "$container" >/dev/null # it answers accepted requests first
    docker rm "$container" >/dev/null
done
docker compose ps "$service"
