#!/usr/bin/env bash
# Builds the two images of the stack for a Swarm and, with REGISTRY, pushes them where its nodes get them (make push).
#
#   REGISTRY=registry.example.com/team/ TAG=2026-11-28 scripts/operate/swarm-images.sh
#
# OBJECT_STORE=true adds the client of an object store, for models in a bucket. Your own estimator (custom/*.py), which
# Compose mounts, is in the image of the steps: a Swarm mounts no folder of the machine where you deploy.
set -euo pipefail
cd "$(dirname "$0")/../.."
registry=${REGISTRY:-} tag=${TAG:-latest}
[[ $registry = '' || $registry = */ ]] || { echo "swarm-images: REGISTRY must end with a slash" >&2; exit 1; }
options=(--quiet --build-arg "OBJECT_STORE=${OBJECT_STORE:-}")
steps=${registry}ml-stack-steps:$tag
scripts/bootstrap/shared-layers.sh
docker build "${options[@]}" --tag "$steps" . >/dev/null
docker build "${options[@]}" --tag "${registry}ml-stack-api:$tag" --file api/Dockerfile . >/dev/null
if compgen -G 'custom/*.py' >/dev/null; then
    printf 'FROM %s\nCOPY *.py /app/custom/\n' "$steps" | docker build --quiet --tag "$steps" --file - custom >/dev/null
fi
for image in steps api; do
    [ -z "$registry" ] || docker push --quiet "${registry}ml-stack-$image:$tag"
    echo "${registry}ml-stack-$image:$tag"
done
