#!/usr/bin/env bash
# Start the whole stack on any Debian machine (make up): engine, base images, `docker compose up --build --wait`; then
# ask for a prediction. COMPOSE_FILE and COMPOSE_PROFILES choose overlays and profiles; arguments are those of `up`.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh

tell_why() { # the last log lines of every service that failed or is not healthy
    local service state
    docker compose ps --all --format '{{.Service}} {{.State}} {{.ExitCode}} {{.Health}}' | while read -r service state; do
        case $state in
        'exited 0'* | created* | 'running 0' | 'running 0 healthy' | 'running 0 starting') ;;
        *) docker compose logs --no-log-prefix --tail 5 "$service" | sed "s/^/$service: /" >&2 ;;
        esac
    done
}

scripts/bootstrap/engine.sh ensure
scripts/bootstrap/base-images.sh ensure-possible
scripts/bootstrap/ports.sh
scripts/bootstrap/shared-layers.sh
docker compose up --build --wait "$@" || {
    tell_why
    fail "the stack did not become healthy; see: docker compose ps --all; docker compose logs"
}

address() { # address SERVICE PORT: where this machine reaches it
    local published
    published=$(docker compose port "$1" "$2")
    echo "http://localhost:${published##*:}"
}
flask=$(address nginx 5000)
api=$(address nginx 8000)
cat <<END

  Flask       $flask            /predict, /data/sample
  FastAPI     $api/docs       /predict, /health
  Prometheus  $(address prometheus 9090)

END
printf '$ %s\n' "curl -s $flask/predict -H 'Content-Type: application/json' -d '{\"values\": [5]}'"
command -v curl >/dev/null || { is_root && command -v apt-get >/dev/null && apt_install curl; } || exit 0
answer=$(mktemp)
status=$(curl -sS -o "$answer" -w '%{http_code}' "$flask/predict" -H 'Content-Type: application/json' -d '{"values": [5]}')
cat "$answer"
rm -f "$answer"
echo
case $status in
200) ;;
401) say "this stack asks for an API key: add -H 'X-API-Key: …'" ;;
*) fail "the first prediction was answered with status $status" ;;
esac
