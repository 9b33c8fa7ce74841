#!/usr/bin/env bash
# The command `models` for a stack on a Swarm: list, promote, rollback, history, shadow, canary, compare and more.
usage='Usage: scripts/operate/swarm-models.sh STACK [COMMAND…]
       with what is deployed: its image, settings and models; on a node that has the networks of data-prep, a manager say
       SECRETS_DIR   the secrets with which it was deployed, default ./secrets'
set -euo pipefail
fail() { echo "swarm-models: $*" >&2; exit 1; }
[ $# -ge 1 ] && [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || { echo "$usage" >&2; exit 2; }
service=${1}_data-prep
shift
[ $# != 0 ] || set -- list
secrets=$(realpath -m "${SECRETS_DIR:-$(dirname "$0")/../../secrets}")
of_service() { docker service inspect "$service" --format "$1"; }
of_service '' >/dev/null 2>&1 || fail "there is no service $service; expected the stack's name on a manager (docker stack ls)"

options=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --log-driver none)
while read -r variable; do
    [[ $variable != MODEL_STORE* && $variable != MODEL_CACHE_BYTES=* ]] || options+=(--env "$variable")
done < <(of_service '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}')
while read -r source target; do
    [ "$target" = /models ] || continue
    options+=(--volume "$source:/models")
    [[ $source != /* ]] || options+=(--volume "$source/events:/events:ro") # not a mirror of an object store
done < <(of_service '{{range .Spec.TaskTemplate.ContainerSpec.Mounts}}{{println .Source .Target}}{{end}}')
for name in drift_database_url model_store_access_key model_store_secret_key; do
    [ ! -r "$secrets/$name/value" ] || options+=(--volume "$secrets/$name:/run/secrets/$name:ro")
done
options+=(--env LOG_DATABASE_URL_FILE=/run/secrets/drift_database_url/value)

# An engine before 25 starts a container in one network; another is added before it runs.
mapfile -t networks < <(of_service '{{range .Spec.TaskTemplate.Networks}}{{println .Target}}{{end}}' | sed '/^$/d')
container=$(docker create --network "${networks[0]}" "${options[@]}" --entrypoint python \
    "$(of_service '{{.Spec.TaskTemplate.ContainerSpec.Image}}')" -m mlstack.models "$@")
trap 'docker rm --force "$container" >/dev/null' EXIT
for network in "${networks[@]:1}"; do docker network connect "$network" "$container"; done
docker start --attach "$container"
