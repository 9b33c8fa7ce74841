#!/usr/bin/env bash
# Measure the seconds from `docker compose up --wait`, with images built and volumes empty, until every service is healthy.
# It runs as a separate Compose project on separate ports, and removes it at the end.
#
#   API_PORT=… SERVE_PORT=… PROMETHEUS_PORT=… scripts/develop/time-to-healthy.sh [RUNS]     (default: 1 run, ports from 18000)
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=${TIMING_PROJECT:-ml-stack-timing}
export API_PORT=${API_PORT:-18000} SERVE_PORT=${SERVE_PORT:-15000} PROMETHEUS_PORT=${PROMETHEUS_PORT:-19090}
export DATABASE_PORT=${DATABASE_PORT:-15432} POSTGRES_PORT=${POSTGRES_PORT:-15433} REDIS_PORT=${REDIS_PORT:-16379}

clean_up() {
    [ -z "${listener:-}" ] || kill "$listener" 2>/dev/null || true
    docker compose down --volumes --remove-orphans --timeout 2 >/dev/null 2>&1 || true
    rm -f "${events:-}"
}
trap clean_up EXIT

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# The time stamps of the engine's events: when a container starts, and when it is healthy or has ended.
by_service() { # by_service STARTED EVENTS
    awk -v zero="$1" '
        { at = $1 / 1e9 - zero }
        $3 == "start" { start[$2] = at }
        $3 ~ /^health_status/ && $4 == "healthy" && !($2 in done) { done[$2] = at; how[$2] = "healthy" }
        $3 == "die" && !($2 in done) { done[$2] = at; how[$2] = "finished" }
        END { for (name in done) printf "%6.1f s  %-16s %s, started at %.1f s\n", done[name], name, how[name], start[name] }' "$2" |
        sort -n
}

docker compose build --quiet
for ((run = 1; run <= ${1:-1}; run++)); do
    docker compose down --volumes --remove-orphans --timeout 2 >/dev/null 2>&1
    events=$(mktemp)
    started=$EPOCHREALTIME
    docker events --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter type=container \
        --format '{{.TimeNano}} {{index .Actor.Attributes "com.docker.compose.service"}} {{.Action}}' >"$events" &
    listener=$!
    docker compose up --wait --no-build >"$events.log" 2>&1 || { cat "$events.log" >&2; exit 1; }
    total=$(seconds_since "$started")
    kill "$listener"
    wait "$listener" 2>/dev/null || true
    by_service "$started" "$events"
    rm -f "$events" "$events.log"
    echo "all healthy after $total s"
done
