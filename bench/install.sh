#!/usr/bin/env bash
# What the benchmarks need in addition to the tests: stores, wrk and nginx from Debian, pandas and py-spy from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
scripts/bootstrap/venv.sh
scripts/bootstrap/servers.sh databases
command -v wrk >/dev/null || apt_install wrk
command -v nginx >/dev/null || apt_install nginx

packages=build/bench/site-packages # not in .venv, which holds exactly what the tests need; mypy ignores this name
wanted=$(sha256sum <bench/requirements.lock)
if [ "$(cat $packages/installed.sha256 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$packages"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --target "$packages" \
        -r bench/requirements.lock
    echo "$wanted" >"$packages/installed.sha256"
fi
