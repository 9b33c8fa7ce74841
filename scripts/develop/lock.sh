#!/usr/bin/env bash
# Resolve the requirements files into locks with hashes (make lock). Versions that still fit are kept;
# UPGRADE=1 takes the newest. Tests are resolved first and constrain the two images, so that they run tested versions.
set -euo pipefail
cd "$(dirname "$0")/../.."
options=(--quiet --universal --python-version 3.11 --fork-strategy fewest
    --generate-hashes --no-emit-index-url --no-annotate --no-header ${UPGRADE:+--upgrade})

lock() { # lock NAME [OPTION…]: NAME.txt -> NAME.lock
    local name=$1
    shift
    .venv/bin/uv pip compile "${options[@]}" "$@" --output-file "$name.lock" "$name.txt" >/dev/null
    echo "locked  $name.lock  $(grep -c '^[a-z].*==' "$name.lock") packages"
}

lock tests/requirements
lock tests/boosters --no-deps
lock images/requirements --constraint tests/requirements.lock
lock images/object-store --constraint tests/requirements.lock
lock requirements --constraint tests/requirements.lock
lock api/requirements --constraint tests/requirements.lock
lock bench/requirements --constraint tests/requirements.lock
for peer in bentoml litserve mlserver; do # whatever they need: each is installed into an environment of its own
    lock "bench/peers/requirements-$peer"
done
