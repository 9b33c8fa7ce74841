#!/usr/bin/env bash
# The virtual environment of another model server: bench/peers/install.sh NAME makes build/bench/peers/NAME of its lock.
# Each has its own, because their dependencies exclude each other.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1
lock=bench/peers/requirements-$name.lock
directory=build/bench/peers/$name
wanted=$(sha256sum <"$lock")
[ "$(cat "$directory/installed.sha256" 2>/dev/null)" != "$wanted" ] || exit 0

index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || echo https://pypi.org/simple)}
rm -rf "$directory"
.venv/bin/uv venv --quiet --python .venv/bin/python "$directory"
UV_DEFAULT_INDEX=$index .venv/bin/uv pip install --quiet --system-certs --python "$directory/bin/python" \
    --require-hashes -r "$lock"
echo "$wanted" >"$directory/installed.sha256"
