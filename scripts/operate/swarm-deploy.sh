#!/usr/bin/env bash
# Deploys the stack on the Docker Swarm whose manager `docker` speaks to, or updates what is there (make swarm-deploy).
usage='Usage: scripts/operate/swarm-deploy.sh STACK
       MODEL_DIR     a folder for the models that every node has under this path (NFS or the like); owner 10001
       MODEL_STORE   in its place s3://bucket/prefix, with MODEL_STORE_ENDPOINT (docs/model-store.md); the images need its client
       REGISTRY      with a slash at its end, where the nodes get the images (make push); without one they must have them
       TAG           of the images, default latest
       SECRETS_DIR   the secrets of docker-compose.prod.yaml and postgres_password, default ./secrets; TLS_DIR inside it
       MONITORING=1  exporters, Alertmanager, alerts for nodes, replicas and updates; DOCKER_SOCKET of the managers, and
                     DOCKER_GROUP, the number of the group that may use it, where they differ from the engine'"'"'s on this machine'
set -euo pipefail
cd "$(dirname "$0")/../.."
fail() { echo "swarm-deploy: $*" >&2; exit 1; }
[ $# = 1 ] && [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || { echo "$usage" >&2; exit 2; }
export STACK=$1 REGISTRY=${REGISTRY:-} TAG=${TAG:-latest} MODEL_DIR=${MODEL_DIR:-}
SECRETS_DIR=$(realpath -m "${SECRETS_DIR:-secrets}") TLS_DIR=$(realpath -m "${TLS_DIR:-${SECRETS_DIR:-secrets}/tls}")
export SECRETS_DIR TLS_DIR
compose=(docker-compose.yaml docker-compose.prod.yaml docker-compose.swarm.yaml)
secrets=(postgres_password pipeline_database_url reader_database_url inference_database_url drift_database_url monitor_password
    redis_password redis_api_password redis_exporter_password rabbitmq_password sealing_key api_keys)

[ "$(docker info -f '{{.Swarm.ControlAvailable}}' 2>/dev/null)" = true ] ||
    fail 'this engine is no manager of a Swarm: docker swarm init, or set DOCKER_HOST'
model_store=${MODEL_STORE-$(sed -n 's/^MODEL_STORE=//p' .env)}
case ${MONITORING:-0} in
0) ;;
1)
    compose+=(docker-compose.swarm-monitoring.yaml)
    export DOCKER_SOCKET=${DOCKER_SOCKET:-/var/run/docker.sock}
    export DOCKER_GROUP=${DOCKER_GROUP:-$(stat -Lc %g "$DOCKER_SOCKET" 2>/dev/null || true)}
    [[ $DOCKER_GROUP =~ ^[0-9]+$ ]] || fail "DOCKER_GROUP must be the number of the group of $DOCKER_SOCKET on the managers"
    ;;
*) fail "MONITORING must be 0 or 1, not $MONITORING" ;;
esac
case $model_store in
s3://?*)
    compose+=(docker-compose.swarm-object-store.yaml)
    secrets+=(model_store_access_key model_store_secret_key)
    MODEL_DIR=/models # in the images; each node has a mirror there
    ;;
*) [[ $MODEL_DIR = /* ]] || fail 'MODEL_DIR must be an absolute path that every node has, or MODEL_STORE s3://bucket/prefix' ;;
esac
for label in database postgres redis; do
    [ -n "$(docker node ls -q --filter "node.label=$label=true")" ] ||
        fail "no node has the label $label: docker node update --label-add $label=true NODE (its data will lie there)"
done
followers() { docker node ls -q --filter node.label=postgres-standby=true "$@"; }
primary() { docker service inspect -f '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}' "${STACK}_postgres-standby" 2>/dev/null | sed -n 's/^POSTGRES_PRIMARY=//p'; }
if [ "${POSTGRES_REPLICAS:-1}" != 0 ] && [ -n "$(followers)" ]; then
    [ -z "$(followers --filter node.label=postgres=true)" ] || fail 'a node has both labels, postgres and postgres-standby: its end would be that of both servers'
    compose+=(docker-compose.swarm-standby.yaml) secrets+=(replication_password)
    POSTGRES_PRIMARY=$(primary || true) # as swarm-promote.sh has left it
    export POSTGRES_PRIMARY=${POSTGRES_PRIMARY:-postgres}
    export POSTGRES_EXPORTER_URI=${POSTGRES_EXPORTER_URI:-$POSTGRES_PRIMARY:5432/predictions?sslmode=disable}
elif [ -n "$(primary || true)" ]; then
    fail "no node has the label postgres-standby any more, where ${STACK}_postgres-standby has its data: label one; to do without, see docs/scaling.md"
fi
for name in "${secrets[@]}"; do
    [ -r "$SECRETS_DIR/$name/value" ] || fail "$SECRETS_DIR/$name/value is missing: scripts/operate/make-secrets.sh database postgres"
done
for name in tls.crt tls.key; do
    [ -r "$TLS_DIR/$name" ] || fail "$TLS_DIR/$name is missing: a Swarm publishes HTTPS only"
done

# What servers tell each other lies in it. Where it is not seen from here, the first job makes the folder.
[ "$(id -u)" != 0 ] || [ "$MODEL_DIR" = /models ] || [ ! -d "$MODEL_DIR" ] || install -d -o 10001 -g 10001 "$MODEL_DIR/events"

digest() { sha256sum <"$1" | cut -c 1-12; }
DIGEST_TLS_CERTIFICATE=$(digest "$TLS_DIR/tls.crt") DIGEST_TLS_KEY=$(digest "$TLS_DIR/tls.key")
export DIGEST_TLS_CERTIFICATE DIGEST_TLS_KEY
while read -r name file; do # the configs of the Compose files
    export "$name=$(digest "$file")"
done < <(sed -nE 's/.*\$\{(DIGEST_[A-Z_]+)\}", file: (\.\/[^}]+)\}$/\1 \2/p' "${compose[@]}")
for name in "${secrets[@]}"; do
    export "DIGEST_${name^^}=$(digest "$SECRETS_DIR/$name/value")"
done

# Networks and volumes are named after the stack. One that was deployed when they were named ml-stack_… keeps its volumes.
mounts='{{range .Spec.TaskTemplate.ContainerSpec.Mounts}}{{println .Source}}{{end}}'
project=$(docker service inspect -f "$mounts" "${STACK}_prometheus" 2>/dev/null | sed -n 's/_prometheus_data$//p' || true)

# Compose writes ports and sizes as strings, and a name, which `stack deploy` refuses.
stack=$(mktemp)
trap 'rm -f "$stack"' EXIT
COMPOSE_PROFILES='' docker compose --project-name "${project:-$STACK}" "${compose[@]/#/--file=}" config |
    sed -E 's/^( *(published|size|pids|mode): )"([0-9]+)"$/\1\3/; /^name: /d' >"$stack"
docker stack deploy --detach --prune --with-registry-auth --resolve-image "${RESOLVE:-$([ -n "$REGISTRY" ] && echo always || echo never)}" \
    --compose-file "$stack" "$STACK"
