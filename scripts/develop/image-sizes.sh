#!/usr/bin/env bash
# Print the size of each image of the stack.
set -euo pipefail
cd "$(dirname "$0")/../.."
docker compose config --images | sort -u | while read -r image; do
    size=$(docker image inspect -f '{{.Size}}' "$image" 2>/dev/null) || size=
    awk -v image="$image" -v size="$size" 'BEGIN { printf "%8s  %s\n", size == "" ? "-" : sprintf("%d MB", size / 1e6), image }'
done
