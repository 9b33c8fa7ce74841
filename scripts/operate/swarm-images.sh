#!/usr/bin/env bash
# Builds the two images of the stack for a Swarm and, with REGISTRY, pushes them where its nodes get them (make push).
#
#   REGISTRY=registry.example.com/team/ TAG=2026-11-28 scripts/operate/swarm-images.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
registry=${REGISTRY:-} tag=${TAG:-latest}
[[ $registry = '' || $registry = */ ]] || { echo "swarm-images: REGISTRY must end with a slash" >&2; exit 1; }
scripts/bootstrap/shared-layers.sh
docker build --quiet --tag "${registry}ml-stack-steps:$tag" . >/dev/null
docker build --quiet --tag "${registry}ml-stack-api:$tag" --file api/Dockerfile . >/dev/null
for image in steps api; do
    [ -z "$registry" ] || docker push --quiet "${registry}ml-stack-$image:$tag"
    echo "${registry}ml-stack-$image:$tag"
done
