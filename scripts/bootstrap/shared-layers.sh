#!/usr/bin/env bash
# Build one image of each Dockerfile, one after the other, so that the second finds the layers that both share.
#
# BuildKit builds a common layer once by itself. The classic builder, which Debian's engine has, does not: images that
# `docker compose build` builds side by side for the first time make the same layer twice, and the disk holds both.
set -euo pipefail
cd "$(dirname "$0")/../.."

! docker buildx version >/dev/null 2>&1 || exit 0
docker compose build --quiet model-serve
docker compose build --quiet api
